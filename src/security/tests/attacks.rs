//! Attacks on joining and on secrets, by name as in the list of threats.

use super::mint::Mint;
use super::world::*;
use crate::security::dialogue::Dialogue;
use crate::security::invite::Occasion;
use crate::security::message::Message;
use crate::security::record::Record;
use crate::security::state::own_keys;
use crate::security::{Denial, Token, Turn, Visitor};
use bytes::Bytes;

/// What an inviter shows after a want.
fn shown(joiner: &Node, inviter: &Node, token: &Token) -> (Dialogue, Vec<Bytes>, Vec<Bytes>) {
    let mut joining = Joining::begin(joiner, inviter.id(), token, "pc-b").unwrap();
    let here = joining.ask(joiner, inviter, START).unwrap();
    let Ok(Message::Here { authorities, chain, .. }) = Message::read(&here.reply) else { panic!() };
    (joining.dialogue, authorities, chain)
}

#[test]
fn joiner_checks_mesh_before_proof() {
    let (mut inviter, joiner) = (Node::founder(1, "pc-a"), Node::blank(2));
    let token = inviter.invite(false, START);
    let mint = Mint::new();
    let forged = [mint.admin(&inviter.identity, "pc-a").bytes];
    let member = mint.by_admin(&identity(7), &inviter.identity, "pc-a", |_| ()).bytes;
    let own = mint.authorities[0].bytes.clone();
    type Shown = Box<dyn Fn(&mut Vec<Bytes>, &mut Vec<Bytes>)>;
    let cases: Vec<(&str, Shown)> = vec![
        ("no authority", Box::new(|authorities, _| authorities.clear())),
        ("no certificate", Box::new(|_, chain| chain.clear())),
        ("another mesh", {
            let (own, forged) = (own.clone(), forged.clone());
            Box::new(move |authorities, chain| {
                *authorities = vec![own.clone()];
                *chain = forged.to_vec();
            })
        }),
        ("another mesh beside the true one", {
            let own = own.clone();
            Box::new(move |authorities, _| authorities.push(own.clone()))
        }),
        ("a certificate of another mesh", {
            let forged = forged.clone();
            Box::new(move |_, chain| *chain = forged.to_vec())
        }),
        ("a member's certificate", Box::new(move |_, chain| *chain = vec![member.clone()])),
        ("garbage", Box::new(|_, chain| chain.push(Bytes::from_static(b"\x82\x41\x00")))),
    ];
    for (what, change) in cases {
        let (mut dialogue, mut authorities, mut chain) = shown(&joiner, &inviter, &token);
        change(&mut authorities, &mut chain);
        chain.truncate(2);
        let here = Message::Here { nonce: [3; 32], authorities, chain }.encode();
        let denial = joiner.gate.heard(&mut dialogue, &here).unwrap_err();
        assert!(matches!(denial, Denial::ForgedMesh(_)), "{what}: {denial:?}");
        assert_eq!(denial.code(), "forged_mesh");
    }
    let (mut dialogue, authorities, chain) = shown(&joiner, &inviter, &token);
    let here = Message::Here { nonce: [3; 32], authorities, chain }.encode();
    assert!(matches!(joiner.gate.heard(&mut dialogue, &here), Ok(Turn::Say(_))));
}

#[test]
fn an_inviter_who_is_no_admin_any_more_is_not_believed() {
    let mut nodes = mesh(2);
    let (inviter, member) = nodes.split_at_mut(1);
    let token = inviter[0].invite(false, START);
    let joiner = Node::blank(9);
    let (mut dialogue, authorities, _) = shown(&joiner, &inviter[0], &token);
    // A member of the right mesh shows its own good certificate: it may not admit anybody.
    dialogue.peer = member[0].id();
    let chain = member[0].disk.directory.values();
    let chain: Vec<Bytes> = chain.filter(|r| r.key.kind == 2).map(|r| r.bytes.clone()).collect();
    let here = Message::Here { nonce: [3; 32], authorities, chain }.encode();
    let denial = joiner.gate.heard(&mut dialogue, &here).unwrap_err();
    assert_eq!(denial, Denial::ForgedMesh("an inviter who is no admin"));
}

#[test]
fn relayed_join_proof_fails() {
    let (mut inviter, joiner, between) = (Node::founder(1, "pc-a"), Node::blank(2), Node::blank(3));
    let token = inviter.invite(false, START);
    // The man in the middle has another key, and the joiner says nothing to him.
    let denial = joiner.gate.join(between.id(), &token, &name("pc-b")).unwrap_err();
    assert_eq!(denial, Denial::WrongInviter);
    // Even a proof that he got hold of names the joiner's key, not his.
    let mut joining = Joining::begin(&joiner, inviter.id(), &token, "pc-b").unwrap();
    let here = joining.ask(&between, &inviter, START).unwrap();
    joining.hear(&joiner, &here.reply).unwrap();
    let refused = joining.ask(&between, &inviter, START);
    let refused = refused.map(|reaction| reaction.refused.unwrap());
    assert_eq!(refused, Ok(Denial::Malformed("the keys record is not the joiner's")));
    // With a keys record of his own the proof does not fit.
    let Ok(Message::Join { name, proof, .. }) = Message::read(&joining.say) else { panic!() };
    let mut his = Joining::begin(&between, inviter.id(), &token, "pc-b").unwrap();
    his.ask(&between, &inviter, START).unwrap();
    let keys = own_keys(&between.identity, inviter.gate.mesh().unwrap()).bytes;
    his.say = Message::Join { name, keys, proof, after: 0 }.encode();
    let refused = his.ask(&between, &inviter, START).unwrap();
    assert_eq!(refused.refused, Some(Denial::WrongProof));
}

#[test]
fn a_proof_is_bound_to_everything_of_its_occasion() {
    let (a, b, c) = (identity(1), identity(2), identity(3));
    let mint = Mint::new();
    let (keys, other) = (mint.keys_of(&b, &b), mint.keys_of(&c, &c));
    let inviter = Node::founder(1, "pc-a").invite(false, START);
    let occasion = |keys| Occasion {
        mesh: mint.mesh(),
        invite: [1; 8],
        inviter: a.node_id(),
        joiner: b.node_id(),
        joiner_nonce: [2; 32],
        inviter_nonce: [3; 32],
        keys,
        name: "pc-b",
    };
    let (proof, public) = (occasion(&keys).prove(&inviter.key()), inviter.key().public());
    assert!(occasion(&keys).is_proven(&public, &proof));
    let mut changed: Vec<Occasion<'_>> = (0..8).map(|_| occasion(&keys)).collect();
    changed[0].mesh.0[0] ^= 1;
    changed[1].invite[0] ^= 1;
    changed[2].inviter = c.node_id();
    changed[3].joiner = c.node_id();
    changed[4].joiner_nonce[0] ^= 1;
    changed[5].inviter_nonce[0] ^= 1;
    changed[6].keys = &other;
    changed[7].name = "pc-c";
    for (number, occasion) in changed.iter().enumerate() {
        assert!(!occasion.is_proven(&public, &proof), "field {number} is not in the proof");
    }
}

#[test]
fn a_welcome_that_does_not_hold_is_refused() {
    let (mut inviter, mut joiner) = (Node::founder(1, "pc-a"), Node::blank(2));
    let other = Node::blank(3);
    let token = inviter.invite(false, START);
    let mut prepare = |change: &dyn Fn(&mut Bytes, &mut Vec<(u32, _)>)| {
        let mut joining = Joining::begin(&joiner, inviter.id(), &token, "pc-b").unwrap();
        let here = joining.ask(&joiner, &inviter, START).unwrap();
        joining.hear(&joiner, &here.reply).unwrap();
        let welcome = joining.ask(&joiner, &inviter, START).unwrap();
        inviter.keep(&welcome.keep.unwrap());
        let Ok(Message::Welcome { mut certificate, mut secrets }) = Message::read(&welcome.reply)
        else {
            panic!()
        };
        change(&mut certificate, &mut secrets);
        let welcome = Message::Welcome { certificate, secrets }.encode();
        joining.hear(&joiner, &welcome).map(drop)
    };
    let mint = Mint::new();
    let forged = mint.by_admin(&other.identity, &joiner.identity, "pc-b", |_| ()).bytes;
    let foreign = mint.by_admin(&other.identity, &other.identity, "pc-b", |body| {
        body.issuer = None;
    });
    let bad = |denial| matches!(denial, Err(Denial::BadWelcome(_)));
    assert!(bad(prepare(&|certificate, _| *certificate = forged.clone())));
    assert!(bad(prepare(&|certificate, _| *certificate = foreign.bytes.clone())));
    assert!(bad(prepare(&|certificate, _| *certificate = Bytes::from_static(b"x"))));
    assert!(bad(prepare(&|_, secrets| secrets.clear())));
    assert!(prepare(&|_, _| ()).is_ok());
    assert_eq!(joiner.gate.mesh(), None, "only a commit makes a member");
    joiner.crash();
}

#[test]
fn secrets_never_printed() {
    let mut node = Node::founder(1, "pc-a");
    let token = node.invite(false, START);
    let keep = Node::founder(2, "pc-z").gate.forget();
    let (founder_gate, founding) = {
        let founder = Node::founder(3, "pc-c");
        (founder.gate, founder.disk)
    };
    drop(founder_gate);
    let secrets: Vec<Vec<u8>> = founding.private.values().map(|value| value.to_vec()).collect();
    let founding = crate::security::Keep {
        private: founding.private.into_iter().map(|(name, value)| (name, Some(value))).collect(),
        ..Default::default()
    };
    let (dialogue, _) = Node::blank(5).gate.join(node.id(), &token, &name("pc-b")).unwrap();
    let printed = [
        format!("{token:?}"),
        format!("{keep:?} {founding:?}"),
        format!("{dialogue:?} {:?}", Visitor::default()),
        format!("{:?}", Turn::Joined(founding.clone())),
        format!("{:?}", "mq1zzzz".parse::<Token>().unwrap_err()),
    ]
    .join(" ");
    assert!(!printed.contains(token.reveal().get(10..40).unwrap()));
    for secret in secrets.iter().filter(|secret| secret.len() >= 32) {
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        let list = format!("{secret:?}");
        assert!(!printed.contains(&hex) && !printed.contains(&list[1..list.len() - 1]));
        assert!(!printed.contains(&format!("{:?}", Bytes::from(secret.clone()))));
    }
    assert!(format!("{dialogue:?}").contains("peer"));
    let stored: Vec<&Bytes> = node.disk.private.values().collect();
    let secret = token.secret.as_slice();
    assert!(stored.iter().all(|value| !value.windows(16).any(|part| part == secret)));
    assert!(node.disk.directory.values().all(|r| Record::read(&r.bytes).is_ok()));
}
