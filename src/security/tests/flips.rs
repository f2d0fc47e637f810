//! Every byte of every record, token and message of a dialogue, changed: nothing that rests on a
//! signature, a proof or a checksum is accepted, and nothing panics.

use super::mint::Mint;
use super::world::*;
use crate::engine::statement::DirectoryRecord;
use crate::security::message::Message;
use crate::security::record::{Reason, Record};
use crate::security::{Check, Denial, Gatekeeper, Token, Turn, Visitor};
use bytes::Bytes;

/// Every way to change one byte that is tried: the lowest bit, the highest, all.
const CHANGES: [u8; 3] = [0x01, 0x80, 0xff];

fn flips(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..bytes.len()).flat_map(move |at| {
        CHANGES.iter().map(move |change| {
            let mut changed = bytes.to_vec();
            changed[at] ^= change;
            changed
        })
    })
}

/// One good record of each kind, and a gatekeeper that believes what they rest on, not them.
fn records() -> (Gatekeeper, Vec<Record>) {
    let mut mint = Mint::new();
    let (a, b, c) = (identity(1), identity(2), identity(3));
    let ground = [
        mint.authorities[0].clone(),
        mint.admin(&a, "pc-a"),
        mint.by_admin(&a, &b, "pc-b", |_| ()),
    ];
    let directory = ground.iter().map(Record::to_directory).collect();
    let private = vec![("mesh/id".to_owned(), Bytes::copy_from_slice(&mint.mesh().0))];
    let gate = Gatekeeper::restore(identity(9), private, directory).unwrap();
    let records = vec![
        mint.by_authority(&b, "pc-b", |body| body.serial = 2),
        mint.by_admin(&a, &c, "pc-c", |body| body.groups = vec!["tills".to_owned()]),
        mint.keys_of(&b, &b),
        mint.leave(&b, 1, 0),
        mint.revoke(Some(&a), &b, Reason::Lost, 0),
        mint.revoke(None, &a, Reason::Retired, 3),
        mint.rotate(1),
    ];
    (gate, records)
}

#[test]
fn no_changed_record_is_accepted() {
    let (gate, records) = records();
    for record in records {
        let good = record.to_directory();
        assert_eq!(gate.check(&good), Check::New);
        for changed in flips(&good.bytes) {
            let Ok(read) = Record::read(&changed) else {
                let bytes = Bytes::from(changed);
                let check = gate.check(&DirectoryRecord { bytes, ..good.clone() });
                assert!(matches!(check, Check::Bad(_) | Check::Pending));
                continue;
            };
            // With key and rank in line with the changed bytes only the signature is left.
            let check = gate.check(&read.to_directory());
            assert!(matches!(check, Check::Bad(_) | Check::Pending), "{:?}: {check:?}", read.body);
        }
        for len in 0..good.bytes.len() {
            let bytes = good.bytes.slice(..len);
            let check = gate.check(&DirectoryRecord { bytes, ..good.clone() });
            assert!(matches!(check, Check::Bad(_) | Check::Pending));
        }
        let longer = [&good.bytes[..], &[0]].concat();
        let check = gate.check(&DirectoryRecord { bytes: longer.into(), ..good.clone() });
        assert!(matches!(check, Check::Bad(_)));
    }
}

#[test]
fn a_lifted_key_or_rank_is_refused() {
    let (gate, records) = records();
    for record in records {
        let good = record.to_directory();
        let mut lifted = good.clone();
        lifted.rank = vec![0xff; good.rank.len()].into();
        assert!(matches!(gate.check(&lifted), Check::Bad(_)));
        let mut moved = good.clone();
        moved.key.subject = vec![7; good.key.subject.len()].into();
        assert!(matches!(gate.check(&moved), Check::Bad(_)));
        let mut turned = good.clone();
        turned.key.kind ^= 0x40;
        assert!(matches!(gate.check(&turned), Check::Bad(_)));
        for long in [vec![0xff; 65], Vec::new()] {
            let mut wrong = good.clone();
            wrong.rank = long.into();
            assert_ne!(gate.check(&wrong), Check::New);
        }
    }
}

#[test]
fn no_changed_token_is_read() {
    let token = Node::founder(1, "pc-a").invite(false, START);
    let text = token.reveal();
    let alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0OIl~é";
    for at in 0..text.len() {
        for digit in alphabet.chars() {
            let changed: String =
                text.chars().enumerate().map(|(i, c)| if i == at { digit } else { c }).collect();
            assert!(changed == *text || changed.parse::<Token>().is_err());
        }
        assert!(text[..at].parse::<Token>().is_err());
    }
    assert!(format!("{}1", *text).parse::<Token>().is_err());
    assert!(format!("  {}\n", *text).parse::<Token>().is_ok());
}

/// The messages of a join, each with the gates as they were when it was heard.
struct Stages {
    inviter: Node,
    joiner: Node,
    token: Token,
}

impl Stages {
    fn new() -> Self {
        let mut inviter = Node::founder(1, "pc-a");
        let token = inviter.invite(false, START);
        Self { inviter, joiner: Node::blank(2), token }
    }

    fn begin(&self) -> Joining {
        Joining::begin(&self.joiner, self.inviter.id(), &self.token, "pc-b").unwrap()
    }

    /// Up to the proof.
    fn proven(&self) -> Joining {
        let mut joining = self.begin();
        let here = joining.ask(&self.joiner, &self.inviter, START).unwrap();
        joining.hear(&self.joiner, &here.reply).unwrap();
        joining
    }
}

#[test]
fn no_changed_proof_admits() {
    let mut stages = Stages::new();
    let good = stages.proven().say;
    for changed in flips(&good) {
        stages.inviter.crash();
        let mut joining = stages.proven();
        // The nonces are new each time: the old proof would not fit, so its other parts are moved.
        let (Ok(Message::Join { proof, .. }), fresh) = (Message::read(&joining.say), &joining.say)
        else {
            panic!()
        };
        let at = fresh.windows(64).position(|window| window == proof).unwrap();
        let mut said = changed.clone();
        let differs = |i: usize| changed[i] ^ good[i];
        (at..at + 64).for_each(|i| said[i] = fresh[i] ^ differs(i));
        joining.say = said;
        if let Ok(reaction) = joining.ask(&stages.joiner, &stages.inviter, START) {
            // Only the number that a joiner may raise for itself is not part of the proof.
            let after = changed[..at + 64] == good[..at + 64];
            assert!(reaction.refused.is_some() || after);
        }
        assert!(stages.inviter.gate.members().len() == 1 || changed[..at + 64] == good[..at + 64]);
    }
}

#[test]
fn no_changed_want_is_answered_with_the_mesh() {
    let stages = Stages::new();
    let good = stages.begin();
    for changed in flips(&good.say) {
        let mut visitor = Visitor::default();
        let answer = stages.inviter.gate.asked(stages.joiner.id(), &mut visitor, &changed, START);
        let Ok(answer) = answer else { continue };
        // Another nonce is another dialogue of the same joiner.
        let nonce_only = changed[..good.say.len() - 32] == good.say[..good.say.len() - 32];
        assert!(answer.refused == Some(Denial::TokenUnknown) || nonce_only);
    }
}

#[test]
fn no_changed_mesh_is_proven_to() {
    let stages = Stages::new();
    let here = {
        let mut joining = stages.begin();
        joining.ask(&stages.joiner, &stages.inviter, START).unwrap().reply
    };
    let Ok(Message::Here { nonce, .. }) = Message::read(&here) else { panic!() };
    let at = here.windows(32).position(|window| window == nonce).unwrap();
    for changed in flips(&here) {
        let mut joining = stages.begin();
        let heard = joining.hear(&stages.joiner, &changed);
        // With another nonce the proof fits no dialogue of the inviter.
        let same = |range: std::ops::Range<usize>| changed[range.clone()] == here[range];
        assert!(heard.is_err() || same(0..at) && same(at + 32..here.len()));
    }
}

#[test]
fn no_changed_welcome_makes_another_member() {
    let stages = Stages::new();
    let mut joining = stages.proven();
    let welcome = joining.ask(&stages.joiner, &stages.inviter, START).unwrap();
    let Ok(Message::Welcome { certificate, .. }) = Message::read(&welcome.reply) else { panic!() };
    for changed in flips(&welcome.reply) {
        let mut joining = stages.proven();
        let Ok(Some(keep)) = joining.hear(&stages.joiner, &changed) else { continue };
        // What is left is the secret: with another the node is a stranger when it knocks.
        assert!(keep.directory.iter().any(|record| record.bytes == certificate));
        let Ok(Message::Welcome { secrets, .. }) = Message::read(&changed) else { panic!() };
        let Ok(Message::Welcome { secrets: good, .. }) = Message::read(&welcome.reply) else {
            panic!()
        };
        assert!(secrets != good);
    }
}

#[test]
fn no_changed_knock_or_hello_proves_another() {
    let nodes = mesh(2);
    let (a, b) = (&nodes[0], &nodes[1]);
    let unknown = Node::blank(9).gate.knock(a.id()).1;
    for changed in flips(&unknown) {
        let _ = a.gate.asked(b.id(), &mut Visitor::default(), &changed, START);
    }
    let (_, hello) = b.gate.knock(a.id());
    let Ok(Message::Hello(good)) = Message::read(&hello) else { panic!() };
    for changed in flips(&hello) {
        let answer = a.gate.asked(b.id(), &mut Visitor::default(), &changed, START);
        let Some(proven) = answer.ok().and_then(|reaction| reaction.proven) else { continue };
        // What the link alone protects may differ; what proves the node may not.
        let Ok(Message::Hello(read)) = Message::read(&changed) else { panic!() };
        assert!(read.chain == good.chain && read.keys == good.keys && read.mesh == good.mesh);
        assert_eq!(proven.version, 1);
    }
    let members = a.gate.members();
    assert_eq!(members, b.gate.members(), "nothing was believed on the way");
    let (mut dialogue, said) = b.gate.knock(a.id());
    let reply = a.gate.asked(b.id(), &mut Visitor::default(), &said, START).unwrap().reply;
    assert!(matches!(b.gate.heard(&mut dialogue, &reply), Ok(Turn::Proven(_))));
    for changed in flips(&reply) {
        let (mut dialogue, _) = b.gate.knock(a.id());
        let _ = b.gate.heard(&mut dialogue, &changed);
    }
    assert_eq!(a.gate.members(), b.gate.members());
}
