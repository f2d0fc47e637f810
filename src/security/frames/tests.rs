use super::*;
use crate::codec::{Inner, encode_inner};
use crate::engine::address::LineId;
use crate::engine::frame::{DirectoryEntry, Purpose};
use crate::engine::ids::{Epoch, MessageId, StreamId};
use crate::engine::message::{Delivery, Floors, Outer, Priority, Short, Transit};
use crate::engine::statement::{DirectoryKey, LinkState, Receipt, Status};
use crate::security::Gatekeeper;
use crate::security::record::{Reason, Record};
use crate::security::tests::mint::Mint;
use crate::security::tests::world::{Node, START, identity, mesh};
use bytes::Bytes;
use std::collections::BTreeMap;

fn stream(origin: NodeId) -> StreamId {
    StreamId { origin, line: LineId(1), epoch: Epoch { k: 1, nonce: 2 } }
}

fn links(node: NodeId) -> Frame {
    Frame::LinkState(Attested::own(LinkState {
        node,
        version: Default::default(),
        neighbours: Vec::new(),
        extensions: BTreeMap::new(),
    }))
}

fn status(origin: NodeId, destination: NodeId) -> Frame {
    Frame::Status(Attested::own(Status {
        stream: stream(origin),
        destination,
        version: Default::default(),
        floors: Floors::START,
        roster: Vec::new(),
        ordered: true,
        express: false,
        extensions: BTreeMap::new(),
    }))
}

fn receipt(destination: NodeId, origin: NodeId) -> Frame {
    let Frame::Status(status) = status(origin, destination) else { panic!() };
    let json = Receipt {
        destination,
        stream: status.statement.stream,
        store: 1,
        version: Default::default(),
        floors: Floors::START,
        watermark: 1,
        received: Default::default(),
        refused: BTreeMap::new(),
        roster: 0,
        skipped: Default::default(),
        held: Default::default(),
        used: Default::default(),
        ended: Default::default(),
        room: 1,
        digest: Default::default(),
        lowest_key: 1,
        closed: None,
        extensions: BTreeMap::new(),
    };
    Frame::Receipt(Attested::own(json))
}

fn transfer(origin: NodeId, destination: NodeId, inner: Bytes) -> Frame {
    Frame::Transfer(Box::new(Transfer {
        outer: Outer {
            id: MessageId { stream: stream(origin), number: 1 },
            destination,
            delivery: Delivery::Recoverable,
            priority: Priority::default(),
            reach_within_ms: 1_000,
            ttl_ms: None,
            floors: Floors::START,
            roster: Vec::new(),
            salt: Short([1; 16]),
            size: inner.len() as u64,
            extensions: BTreeMap::new(),
        },
        transit: Transit::default(),
        purpose: Purpose::Move,
        transfer: 1,
        inner,
        digest: Default::default(),
        queue: None,
    }))
}

fn inner() -> Bytes {
    encode_inner(&Inner {
        queue: "Orders".parse().unwrap(),
        label: String::new(),
        headers: BTreeMap::new(),
        content_type: String::new(),
        correlation_id: None,
        reply_to: None,
        body: Bytes::from_static(b"body"),
        extensions: BTreeMap::new(),
    })
}

/// What is left of one frame, and how many bad ones were counted.
fn sift(gate: &Gatekeeper, from: &Node, frame: &Frame) -> (Vec<Frame>, usize) {
    let mut frames = vec![frame.clone()];
    let bad = gate.verify_frames(&mut frames, from.id());
    (frames, bad)
}

#[test]
fn own_statements_are_signed_on_the_way_out_and_hold_at_the_other_end() {
    let nodes = mesh(2);
    let (a, b) = (&nodes[0], &nodes[1]);
    let mut said = vec![links(a.id()), status(a.id(), b.id()), receipt(a.id(), b.id())];
    let unsigned = said.clone();
    a.gate.sign_frames(&mut said);
    for (frame, bare) in said.iter().zip(&unsigned) {
        assert_eq!(sift(&b.gate, a, frame), (vec![frame.clone()], 0));
        assert_eq!(sift(&b.gate, a, bare), (vec![], 1), "without a signature it is nothing");
    }
    // What others have stated is passed on as it is, and never signed in their name.
    let mut passed = said.clone();
    b.gate.sign_frames(&mut passed);
    assert_eq!(passed, said);
    let mut foreign = vec![links(a.id())];
    b.gate.sign_frames(&mut foreign);
    assert_eq!(foreign, [links(a.id())]);
}

#[test]
fn statements_are_signed_by_whom_they_name() {
    let nodes = mesh(3);
    let (a, b, c) = (&nodes[0], &nodes[1], &nodes[2]);
    // The origin of a receipt and the destination of a status record sign in vain.
    let mut frames = vec![receipt(a.id(), b.id()), status(a.id(), b.id()), links(a.id())];
    for frame in &mut frames {
        let signature = {
            let mesh = a.gate.mesh().unwrap();
            match frame {
                Frame::Receipt(it) => sign_statement(&b.identity, &mesh, &it.statement),
                Frame::Status(it) => sign_statement(&b.identity, &mesh, &it.statement),
                Frame::LinkState(it) => sign_statement(&b.identity, &mesh, &it.statement),
                _ => panic!(),
            }
        };
        match frame {
            Frame::Receipt(it) => it.signature = signature,
            Frame::Status(it) => it.signature = signature,
            Frame::LinkState(it) => it.signature = signature,
            _ => panic!(),
        }
        assert_eq!(sift(&c.gate, b, frame), (vec![], 1));
    }
}

#[test]
fn a_node_that_left_has_no_links_but_its_words_stay_true() {
    let mut nodes = mesh(3);
    let mut said = vec![links(nodes[1].id()), receipt(nodes[1].id(), nodes[0].id())];
    nodes[1].gate.sign_frames(&mut said);
    let keep = nodes[1].gate.leave(START).unwrap();
    nodes[0].keep(&keep);
    assert_eq!(sift(&nodes[0].gate, &nodes[2], &said[0]), (vec![], 1));
    assert_eq!(sift(&nodes[0].gate, &nodes[2], &said[1]), (vec![said[1].clone()], 0));
}

#[test]
fn statements_of_strangers_wait_and_are_never_believed() {
    let nodes = mesh(2);
    let stranger = Node::founder(9, "pc-z");
    let mut said = vec![links(stranger.id())];
    stranger.gate.sign_frames(&mut said);
    for _ in 0..2 {
        assert_eq!(sift(&nodes[0].gate, &nodes[1], &said[0]), (vec![], 0));
    }
    for number in 0..2 * PENDING_MAX {
        let mut node = [7; 32];
        node[..8].copy_from_slice(&number.to_be_bytes());
        sift(&nodes[0].gate, &nodes[1], &links(NodeId::from_bytes(node)));
    }
    let waiting = nodes[0].gate.waiting();
    assert!(waiting.1 <= PENDING_MAX, "a flood is bounded");
}

#[test]
fn transfers_get_their_digest_and_at_their_destination_their_queue() {
    let nodes = mesh(3);
    let (a, b, c) = (&nodes[0], &nodes[1], &nodes[2]);
    let frame = transfer(a.id(), b.id(), inner());
    let read = |node: &Node, frame: &Frame| {
        let (mut frames, bad) = sift(&node.gate, a, frame);
        assert_eq!(bad, 0);
        let Some(Frame::Transfer(transfer)) = frames.pop() else { panic!() };
        transfer
    };
    let (at_end, at_relay) = (read(b, &frame), read(c, &frame));
    assert_eq!(at_end.queue.unwrap().as_str(), "Orders");
    assert_eq!(at_relay.queue, None, "a relay does not look inside");
    assert_eq!(at_end.digest, digest(&at_end.outer, &content_hash(&at_end.inner)));
    assert_eq!(at_end.digest, at_relay.digest);
    let unreadable = read(b, &transfer(a.id(), b.id(), Bytes::from_static(b"\xff")));
    assert_eq!(unreadable.queue, None);
    let mut wrong = frame;
    if let Frame::Transfer(transfer) = &mut wrong {
        transfer.outer.size += 1;
    }
    assert_eq!(sift(&b.gate, a, &wrong), (vec![], 1));
    let key = DirectoryKey { kind: 1, subject: vec![0; 65].into() };
    let have = Frame::Have(vec![DirectoryEntry { key, rank: Bytes::new() }]);
    assert_eq!(sift(&b.gate, a, &have), (vec![], 1));
    assert_eq!(sift(&b.gate, a, &Frame::Synced), (vec![Frame::Synced], 0));
}

/// A gatekeeper that knows a mesh's first authority and nothing else.
fn newcomer(mint: &Mint) -> Gatekeeper {
    let private = vec![("mesh/id".to_owned(), Bytes::copy_from_slice(&mint.mesh().0))];
    let directory = vec![mint.authorities[0].to_directory()];
    Gatekeeper::restore(identity(40), private, directory).unwrap()
}

fn frames_of(records: &[&Record]) -> Vec<Frame> {
    records.iter().map(|record| Frame::Record(record.to_directory())).collect()
}

#[test]
fn records_hold_whatever_their_order_within_and_across_frames() {
    let (mint, a, b) = (Mint::new(), identity(1), identity(2));
    let admin = mint.admin(&a, "pc-a");
    let member = mint.by_admin(&a, &b, "pc-b", |_| ());
    let keys = mint.keys_of(&b, &b);
    let gone = mint.revoke(Some(&a), &b, Reason::Lost, 0);
    let mut orders = vec![vec![&keys, &gone, &member, &admin], vec![&gone, &member, &keys, &admin]];
    orders.push(vec![&admin, &member, &keys, &gone]);
    for order in orders {
        let gate = newcomer(&mint);
        let mut frames = frames_of(&order);
        assert_eq!(gate.verify_frames(&mut frames, a.node_id()), 0);
        assert_eq!(frames.len(), 4, "in one frame");
        let gate = newcomer(&mint);
        let mut passed = 0;
        for record in &order {
            let mut frames = frames_of(&[record]);
            assert_eq!(gate.verify_frames(&mut frames, a.node_id()), 0);
            passed += frames.len();
        }
        assert_eq!(passed, 4, "one by one");
    }
}

#[test]
fn a_statement_beside_its_signers_certificate_holds_at_once_and_before_it_later() {
    let (mint, a) = (Mint::new(), identity(1));
    let admin = mint.admin(&a, "pc-a");
    let mut said = vec![links(a.node_id())];
    sign(&a, &mint.mesh(), &mut said);
    let gate = newcomer(&mint);
    let mut frames = [said.clone(), frames_of(&[&admin])].concat();
    assert_eq!(gate.verify_frames(&mut frames, a.node_id()), 0);
    assert_eq!(frames.len(), 2);
    let gate = newcomer(&mint);
    let mut frames = said.clone();
    gate.verify_frames(&mut frames, a.node_id());
    assert!(frames.is_empty());
    let mut frames = frames_of(&[&admin]);
    assert_eq!(gate.verify_frames(&mut frames, a.node_id()), 0);
    assert!(frames.contains(&said[0]), "it has waited for the certificate");
}

#[test]
fn known_and_bad_records_go_no_further_and_floods_are_bounded() {
    let (mint, a) = (Mint::new(), identity(1));
    let admin = mint.admin(&a, "pc-a").to_directory();
    let gate = newcomer(&mint);
    assert_eq!(gate.check(&admin), Check::New);
    // Heard but not durable yet: the engine must be told of it again.
    let mut frames = vec![Frame::Record(admin.clone())];
    gate.verify_frames(&mut frames, a.node_id());
    assert!(gate.is_member(a.node_id()));
    assert_eq!(gate.check(&admin), Check::New);
    gate.learned(&admin);
    assert_eq!(gate.check(&admin), Check::Known);
    let mut frames = vec![Frame::Record(admin)];
    assert_eq!(gate.verify_frames(&mut frames, a.node_id()), 0);
    assert!(frames.is_empty());
    let foreign = Mint::new().by_authority(&identity(3), "pc-c", |body| body.mesh.0[0] ^= 1);
    let mut frames = frames_of(&[&foreign]);
    assert_eq!(gate.verify_frames(&mut frames, a.node_id()), 1);
    for serial in 0..PENDING_MAX as u64 + 9 {
        let keys = mint.by_admin(&identity(5), &identity(6), "x", |body| body.serial = serial);
        gate.verify_frames(&mut frames_of(&[&keys]), a.node_id());
    }
    assert_eq!(gate.waiting().0, PENDING_MAX);
}
