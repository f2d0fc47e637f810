//! Knock and HELLO: who is let in, who is not, and what each learns.

use super::mint::Mint;
use super::world::*;
use crate::security::dialogue::{PROTOCOL_MAX, PROTOCOL_MIN, ROUNDS_MAX, Stage};
use crate::security::message::{Hello, Message};
use crate::security::state::own_keys;
use crate::security::{Denial, Gatekeeper, Keep, Visitor};
use std::sync::Arc;

/// The HELLO that a node says to one it knows.
fn hello(from: &Node, to: &Node) -> Box<Hello> {
    let (_, said) = from.gate.knock(to.id());
    let Ok(Message::Hello(hello)) = Message::read(&said) else { panic!("a known peer is greeted") };
    hello
}

/// What a listener makes of a HELLO.
fn greet(from: &Node, to: &Node, hello: Box<Hello>) -> Result<Option<Denial>, Denial> {
    let said = Message::Hello(hello).encode();
    let reaction = to.gate.asked(from.id(), &mut Visitor::default(), &said, START)?;
    assert_eq!(reaction.refused.is_some(), reaction.proven.is_none());
    Ok(reaction.refused)
}

#[test]
fn members_that_never_met_knock_and_then_know_each_other() {
    let mut nodes = mesh(3);
    let (b, c) = (nodes[1].id(), nodes[2].id());
    for node in &mut nodes[1..] {
        let other = if node.id() == b { c } else { b };
        node.disk.directory.retain(|key, _| key.subject != other.as_bytes().as_slice());
        node.crash();
    }
    nodes[2].gate.set_addresses((0..20).map(|port| format!("10.0.0.3:{port}")).collect());
    let (_, said) = nodes[1].gate.knock(c);
    assert!(matches!(Message::read(&said), Ok(Message::Knock { .. })), "nothing is shown at once");
    let (dialer, listener) = meet(&nodes[1], &nodes[2]).unwrap();
    assert_eq!((dialer.version, listener.version), (PROTOCOL_MAX, PROTOCOL_MAX));
    assert_eq!(listener.addresses.len(), 8);
    assert!(dialer.agent.starts_with("meshmq/"));
    assert_ne!(dialer.boot, listener.boot);
    assert!(nodes[1].gate.is_member(c) && nodes[2].gate.is_member(b));
}

#[test]
fn spoofed_mdns_learns_no_name() {
    let (member, stranger) = (Node::founder(1, "secret-name"), Node::founder(2, "other"));
    // A stranger that shows up is knocked: it hears random bytes and can answer nothing.
    let (mut dialogue, said) = member.gate.knock(stranger.id());
    let shows = |bytes: &[u8]| {
        let own = member.identity.node_id();
        bytes.windows(11).any(|window| window == b"secret-name")
            || bytes.windows(32).any(|window| window == own.as_bytes())
    };
    assert!(said.len() < 64 && !shows(&said));
    let answer = stranger.gate.asked(member.id(), &mut Visitor::default(), &said, START).unwrap();
    let denial = member.gate.heard(&mut dialogue, &answer.reply).unwrap_err();
    assert_eq!(denial, Denial::Stranger);
    // A stranger that knocks hears as little.
    let (_, said) = stranger.gate.knock(member.id());
    let mut visitor = Visitor::default();
    let answer = member.gate.asked(stranger.id(), &mut visitor, &said, START).unwrap();
    assert!(answer.reply.len() < 128 && !shows(&answer.reply));
    let mut forced = hello(&stranger, &stranger);
    forced.mac = Some([7; 32]);
    let said = Message::Hello(forced).encode();
    let denial = member.gate.asked(stranger.id(), &mut visitor, &said, START).unwrap_err();
    assert_eq!(denial, Denial::Stranger, "no reply at all");
}

#[test]
fn a_knock_proof_is_good_for_one_side_and_one_pair_only() {
    let nodes = mesh(2);
    let knocking = |peer| {
        let nonce = [5; 32];
        (super::super::Dialogue::new(peer, Stage::Knocking { nonce }), Message::Knock { nonce })
    };
    let listener = &nodes[1];
    let (mut dialogue, said) = knocking(listener.id());
    let answer =
        listener.gate.asked(nodes[0].id(), &mut Visitor::default(), &said.encode(), START).unwrap();
    assert!(nodes[0].gate.heard(&mut dialogue, &answer.reply).is_ok());
    // The answer that was made for one dialer convinces no other, and no other listener has made it.
    let (mut dialogue, _) = knocking(Node::blank(9).id());
    assert!(nodes[0].gate.heard(&mut dialogue, &answer.reply).is_err());
    let (mut dialogue, _) = knocking(listener.id());
    assert!(listener.gate.heard(&mut dialogue, &answer.reply).is_err());
    // Sent back as the dialer's own proof it is none.
    let Ok(Message::Counter { mac, .. }) = Message::read(&answer.reply) else { panic!() };
    let mut visitor = Visitor::default();
    listener.gate.asked(nodes[0].id(), &mut visitor, &said.encode(), START).unwrap();
    let mut reflected = hello(&nodes[0], listener);
    reflected.mac = Some(mac);
    let said = Message::Hello(reflected).encode();
    let denial = listener.gate.asked(nodes[0].id(), &mut visitor, &said, START).unwrap_err();
    assert_eq!(denial, Denial::Stranger);
}

#[test]
fn a_certificate_is_good_for_its_own_key_only() {
    let nodes = mesh(2);
    let thief = Node::blank(9);
    let stolen = hello(&nodes[1], &nodes[0]);
    assert!(matches!(greet(&thief, &nodes[0], stolen), Err(Denial::NotAMember(_))));
    let mut mixed = hello(&nodes[1], &nodes[0]);
    mixed.chain.reverse();
    let refused = greet(&nodes[1], &nodes[0], mixed).unwrap();
    assert!(matches!(refused, Some(Denial::NotAMember(_))));
    let mut bare = hello(&nodes[1], &nodes[0]);
    bare.chain.clear();
    assert!(greet(&nodes[1], &nodes[0], bare).unwrap().is_some());
}

#[test]
fn a_foreign_sealing_key_in_hello_is_refused() {
    let nodes = mesh(2);
    let mut forged = hello(&nodes[1], &nodes[0]);
    forged.keys = own_keys(&nodes[0].identity, nodes[0].gate.mesh().unwrap()).bytes;
    let refused = greet(&nodes[1], &nodes[0], forged).unwrap();
    assert!(matches!(refused, Some(Denial::NotAMember(_))));
    let mint = Mint::new();
    let mut forged = hello(&nodes[1], &nodes[0]);
    forged.keys = mint.keys_of(&nodes[1].identity, &nodes[1].identity).bytes;
    let refused = greet(&nodes[1], &nodes[0], forged).unwrap();
    assert!(matches!(refused, Some(Denial::NotAMember(_))), "of another mesh");
}

#[test]
fn versions_are_agreed_and_unknown_needs_are_told() {
    let nodes = mesh(2);
    let with = |change: &dyn Fn(&mut Hello)| {
        let mut said = hello(&nodes[1], &nodes[0]);
        change(&mut said);
        greet(&nodes[1], &nodes[0], said)
    };
    assert_eq!(with(&|said| said.protocol = (PROTOCOL_MIN, 900)), Ok(None));
    assert_eq!(with(&|said| said.optional = u64::MAX), Ok(None));
    let later = Some(Denial::NoCommonVersion { min: 900, max: 901 });
    assert_eq!(with(&|said| said.protocol = (900, 901)), Ok(later));
    let turned = with(&|said| said.protocol = (1, 0));
    assert_eq!(turned, Ok(Some(Denial::NoCommonVersion { min: 1, max: 0 })));
    assert_eq!(with(&|said| said.required = 1 << 40), Ok(Some(Denial::NeedsFeature(1 << 40))));
    assert_eq!(with(&|said| said.mesh.0[0] ^= 1), Ok(Some(Denial::OtherMesh)));
}

#[test]
fn a_guest_whose_time_is_over_is_refused() {
    let (mint, a, b) = (Mint::new(), identity(1), identity(2));
    for (ends, welcome) in [(0, true), (1_000, false), (u64::MAX, true)] {
        let own = mint.admin(&a, "pc-a");
        let guest = mint.by_admin(&a, &b, "guest", |body| body.not_after_ms = ends);
        let at = |identity| {
            let directory = [&mint.authorities[0], &own, &guest].map(|r| r.to_directory());
            let private = vec![("mesh/id".to_owned(), mint.mesh().0.to_vec().into())];
            Gatekeeper::restore(identity, private, directory.into()).unwrap()
        };
        let node = |identity: &Arc<_>| Node {
            identity: Arc::clone(identity),
            disk: Disk::default(),
            gate: at(Arc::clone(identity)),
        };
        assert_eq!(meet(&node(&b), &node(&a)).is_ok(), welcome, "{ends}");
    }
}

#[test]
fn away_for_two_generations_returns() {
    let (mut mint, a, b) = (Mint::new(), identity(1), identity(2));
    let node = |mint: &Mint, identity: &Arc<_>| {
        let (own, other) = (mint.admin(&a, "pc-a"), mint.by_authority(&b, "pc-b", |_| ()));
        let records = mint.authorities.iter().chain([&own, &other]);
        let directory = records.map(|record| record.to_directory()).collect();
        let private = vec![("mesh/id".to_owned(), mint.mesh().0.to_vec().into())];
        let gate = Gatekeeper::restore(Arc::clone(identity), private, directory).unwrap();
        Node { identity: Arc::clone(identity), disk: Disk::default(), gate }
    };
    let away = node(&mint, &b);
    mint.rotate(0);
    mint.rotate(0);
    let present = node(&mint, &a);
    assert!(meet(&present, &away).is_ok(), "the chain of authorities travels with HELLO");
    assert!(meet(&away, &present).is_ok());
}

#[test]
fn a_node_in_no_mesh_answers_nobody() {
    let (blank, member) = (Node::blank(9), Node::founder(1, "pc-a"));
    assert_eq!(meet(&member, &blank).unwrap_err(), Denial::NotInMesh);
    assert_eq!(meet(&blank, &member).unwrap_err(), Denial::NotInMesh);
    assert!(!blank.gate.is_member(member.id()) && blank.gate.members().is_empty());
    let mut frames = vec![crate::engine::frame::Frame::Synced];
    assert_eq!(blank.gate.verify_frames(&mut frames, member.id()), 1);
    blank.gate.joined(&Keep::default());
    assert_eq!(blank.gate.mesh(), None);
}

#[test]
fn an_unproven_connection_has_few_rounds_and_short_messages() {
    let member = Node::founder(1, "pc-a");
    let stranger = Node::blank(2);
    let mut visitor = Visitor::default();
    for _ in 0..=ROUNDS_MAX {
        let _ = member.gate.asked(stranger.id(), &mut visitor, &[0x80], START);
    }
    let knock = Message::Knock { nonce: [1; 32] }.encode();
    let denial = member.gate.asked(stranger.id(), &mut visitor, &knock, START).unwrap_err();
    assert_eq!(denial, Denial::Malformed("too many rounds"));
    let long = vec![0; super::super::DIALOGUE_MAX + 1];
    let denial = member.gate.asked(stranger.id(), &mut Visitor::default(), &long, START);
    assert_eq!(denial.unwrap_err(), Denial::Malformed("too long"));
}
