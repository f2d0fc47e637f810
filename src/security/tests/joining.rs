//! Founding, inviting, joining, leaving: what works and what is refused, with the words for it.

use super::world::*;
use crate::security::limits::{INVITES_MAX, WRONG_PROOFS_MAX};
use crate::security::message::Message;
use crate::security::{
    Denial, InviteOptions, MemberState, ResolveError, Role, SecurityError, Visitor,
};

#[test]
fn a_founder_is_the_first_member_and_admin() {
    let founder = Node::founder(1, "pc-a");
    assert!(founder.gate.is_member(founder.id()) && founder.gate.is_alone());
    assert_eq!(founder.gate.role(), Some(Role::Admin));
    assert_eq!(founder.gate.mesh_label(), "pc-a's mesh");
    assert_eq!(founder.gate.resolve("pc-a"), Ok(founder.id()));
    assert_eq!(founder.gate.name_of(founder.id()).as_deref(), Some("pc-a"));
    assert_eq!(founder.gate.name().unwrap().as_str(), "pc-a");
    assert_eq!(founder.disk.directory.len(), 3, "authority, certificate, keys");
}

#[test]
fn a_token_lets_one_node_in_and_both_know_it() {
    let nodes = mesh(3);
    for node in &nodes {
        let seen: Vec<_> = node.gate.members().into_iter().map(|m| (m.name, m.state)).collect();
        let active = |text: &str| (text.to_owned(), MemberState::Active);
        assert_eq!(seen, [active("pc-a"), active("pc-b"), active("pc-c")]);
        assert_eq!(node.gate.mesh(), nodes[0].gate.mesh());
        assert!(!node.gate.is_alone());
    }
    assert_eq!(nodes[1].gate.role(), Some(Role::Member));
    assert!(meet(&nodes[1], &nodes[2]).is_ok());
}

#[test]
fn a_restored_node_believes_what_it_believed() {
    for mut node in mesh(3) {
        let before = (node.gate.members(), node.gate.mesh(), node.gate.role());
        node.crash();
        assert_eq!((node.gate.members(), node.gate.mesh(), node.gate.role()), before);
    }
    let mut blank = Node::blank(9);
    blank.crash();
    assert_eq!(blank.gate.mesh(), None);
}

#[test]
fn join_refuses_an_expired_token() {
    let (mut inviter, mut joiner) = (Node::founder(1, "pc-a"), Node::blank(2));
    let token = inviter.invite(false, START);
    let late = START + TTL + 180_000;
    let denial = join(&mut joiner, &mut inviter, &token, "pc-b", late).unwrap_err();
    assert_eq!(denial, Denial::TokenExpired { ago_ms: 180_000 });
    let words = "token expired 3 min ago; ask for a new one: meshmq invite";
    assert_eq!(denial.to_string(), words);
    assert_eq!(denial.code(), "token_expired");
    assert!(join(&mut joiner, &mut inviter, &token, "pc-b", START + TTL - 1).is_ok());
}

#[test]
fn join_refuses_a_token_that_expires_during_the_dialogue() {
    let (mut inviter, joiner) = (Node::founder(1, "pc-a"), Node::blank(2));
    let token = inviter.invite(false, START);
    let mut joining = Joining::begin(&joiner, inviter.id(), &token, "pc-b").unwrap();
    let here = joining.ask(&joiner, &inviter, START + TTL - 1).unwrap();
    assert!(joining.hear(&joiner, &here.reply).unwrap().is_none());
    let refused = joining.ask(&joiner, &inviter, START + TTL).unwrap();
    assert_eq!(refused.refused, Some(Denial::TokenExpired { ago_ms: 0 }));
    assert!(refused.keep.is_none());
}

#[test]
fn join_refuses_a_token_that_another_node_has_used() {
    let mut inviter = Node::founder(1, "pc-a");
    let token = inviter.invite(false, START);
    join(&mut Node::blank(2), &mut inviter, &token, "pc-d", START).unwrap();
    let later = START + 12 * 60_000;
    let denial = join(&mut Node::blank(3), &mut inviter, &token, "pc-c", later).unwrap_err();
    let words = "token already used by pc-d 12 min ago; if that was not you, pc-d is an intruder";
    assert_eq!(denial.to_string(), words);
    assert_eq!(inviter.gate.members().len(), 2);
}

#[test]
fn join_answers_the_same_node_again_with_the_same_certificate() {
    let mut inviter = Node::founder(1, "pc-a");
    let token = inviter.invite(false, START);
    join(&mut Node::blank(2), &mut inviter, &token, "pc-b", START).unwrap();
    let before = inviter.disk.clone();
    let mut again = Node::blank(2);
    join(&mut again, &mut inviter, &token, "other-name", START + 1).unwrap();
    assert_eq!(again.gate.name().unwrap().as_str(), "pc-b", "the first answer stands");
    assert!(before.directory == inviter.disk.directory && before.private == inviter.disk.private);
}

#[test]
fn join_refuses_a_token_that_nobody_made() {
    let (mut inviter, mut twin) = (Node::founder(1, "pc-a"), Node::founder(1, "pc-a"));
    let token = twin.invite(false, START);
    let denial = join(&mut Node::blank(2), &mut inviter, &token, "pc-b", START).unwrap_err();
    assert_eq!(denial, Denial::TokenUnknown);
}

#[test]
fn join_refuses_another_machine_than_the_inviter() {
    let (mut inviter, other) = (Node::founder(1, "pc-a"), Node::founder(5, "pc-e"));
    let token = inviter.invite(false, START);
    let denial = Joining::begin(&Node::blank(2), other.id(), &token, "pc-b").err().unwrap();
    assert_eq!(denial, Denial::WrongInviter);
    assert!(denial.to_string().starts_with("another machine answers"));
}

#[test]
fn join_refuses_a_name_that_is_taken_and_keeps_the_token_good() {
    let mut inviter = Node::founder(1, "pc-a");
    let token = inviter.invite(false, START);
    let mut joiner = Node::blank(2);
    let denial = join(&mut joiner, &mut inviter, &token, "pc-a", START).unwrap_err();
    assert_eq!(denial, Denial::NameTaken(name("pc-a")));
    join(&mut joiner, &mut inviter, &token, "pc-b", START).unwrap();
}

#[test]
fn join_refuses_a_node_that_is_in_the_mesh_already() {
    let mut nodes = mesh(2);
    let token = nodes[0].invite(false, START);
    let denial = Joining::begin(&nodes[1], nodes[0].id(), &token, "pc-b").err().unwrap();
    assert_eq!(denial, Denial::AlreadyMember("pc-b".to_owned()));
}

#[test]
fn join_refuses_a_token_that_wrong_proofs_have_burned() {
    let (mut inviter, joiner) = (Node::founder(1, "pc-a"), Node::blank(2));
    let token = inviter.invite(false, START);
    for attempt in 1..=WRONG_PROOFS_MAX {
        let mut joining = Joining::begin(&joiner, inviter.id(), &token, "pc-b").unwrap();
        let here = joining.ask(&joiner, &inviter, START).unwrap();
        joining.hear(&joiner, &here.reply).unwrap();
        let Ok(Message::Join { name, keys, mut proof, after }) = Message::read(&joining.say) else {
            panic!("a proof comes after the mesh was shown")
        };
        proof[0] ^= 1;
        joining.say = Message::Join { name, keys, proof, after }.encode();
        let refused = joining.ask(&joiner, &inviter, START).unwrap();
        let burned = attempt == WRONG_PROOFS_MAX;
        let expected = if burned { Denial::TokenBurned } else { Denial::WrongProof };
        assert_eq!(refused.refused, Some(expected));
        inviter.keep(&refused.keep.expect("the count must be durable before the answer"));
        inviter.crash();
    }
    let denial = join(&mut Node::blank(3), &mut inviter, &token, "pc-c", START).unwrap_err();
    assert_eq!(denial, Denial::TokenBurned);
}

#[test]
fn only_admins_invite_and_only_the_authority_makes_admins() {
    let mut nodes = mesh(2);
    let options = |admin| InviteOptions { ttl_ms: TTL, admin, addresses: vec![] };
    let refused = |node: &Node, admin| node.gate.invite(options(admin), START).err();
    assert_eq!(refused(&nodes[1], false), Some(SecurityError::NotAdmin));
    assert_eq!(refused(&Node::blank(9), false), Some(SecurityError::NotInMesh));
    let token = nodes[0].invite(true, START);
    let mut second = Node::blank(7);
    join(&mut second, &mut nodes[0], &token, "second", START).unwrap();
    assert_eq!(second.gate.role(), Some(Role::Admin));
    assert_eq!(refused(&second, true), Some(SecurityError::NoAuthority));
    let token = second.invite(false, START);
    let mut third = Node::blank(8);
    join(&mut third, &mut second, &token, "third", START).unwrap();
    assert!(meet(&third, &nodes[1]).is_ok(), "the chain travels with HELLO");
    assert!(nodes[1].gate.is_member(second.id()) && nodes[1].gate.is_member(third.id()));
}

#[test]
fn invitations_are_bounded_and_make_room_when_they_are_over() {
    let mut node = Node::founder(1, "pc-a");
    for _ in 0..INVITES_MAX {
        node.invite(false, START);
    }
    let options = InviteOptions { ttl_ms: TTL, admin: false, addresses: vec![] };
    let full = node.gate.invite(options.clone(), START).err();
    assert_eq!(full, Some(SecurityError::TooManyInvites(INVITES_MAX)));
    let next_day = START + TTL + 24 * 3_600_000;
    node.invite(false, next_day);
    assert_eq!(node.disk.private.keys().filter(|name| name.contains("invite")).count(), 1);
    for ttl_ms in [0, u64::MAX] {
        let options = InviteOptions { ttl_ms, ..options.clone() };
        assert!(node.gate.invite(options, next_day).is_err());
    }
}

#[test]
fn a_node_that_left_is_listed_so_refused_and_can_come_back() {
    let mut nodes = mesh(3);
    let keep = nodes[1].gate.leave(START).unwrap();
    nodes[1].keep(&keep);
    assert!(nodes[1].gate.has_left());
    let departed = nodes.remove(1);
    let id = departed.id();
    for node in &mut nodes {
        node.sync(&departed);
        assert!(!node.gate.is_member(id));
        assert_eq!(node.gate.members()[1].state, MemberState::Left);
        assert_eq!(node.gate.resolve("pc-b"), Err(ResolveError::Left("pc-b".to_owned())));
        assert_eq!(meet(&departed, node).unwrap_err(), Denial::Left);
    }
    let (first, rest) = nodes.split_at_mut(1);
    let mut back = departed;
    let token = first[0].invite(false, START);
    join(&mut back, &mut first[0], &token, "pc-b", START).unwrap();
    rest[0].sync(&first[0]);
    assert!(rest[0].gate.is_member(id) && meet(&back, &rest[0]).is_ok());
}

#[test]
fn a_node_comes_back_through_an_inviter_that_never_knew_it() {
    let mut nodes = mesh(2);
    let token = nodes[0].invite(true, START);
    let mut second = Node::blank(7);
    join(&mut second, &mut nodes[0], &token, "second", START).unwrap();
    let keep = nodes[1].gate.leave(START).unwrap();
    nodes[1].keep(&keep);
    let mut back = nodes.pop().unwrap();
    nodes[0].sync(&back);
    second.disk.directory.retain(|key, _| key.subject != back.id().as_bytes().as_slice());
    second.crash();
    let token = second.invite(false, START);
    join(&mut back, &mut second, &token, "pc-b", START).unwrap();
    nodes[0].sync(&second);
    assert!(nodes[0].gate.is_member(back.id()), "its serial number rose above its departure's");
}

#[test]
fn a_node_moves_to_another_mesh_and_keeps_nothing_of_the_old_one() {
    let (mut inviter, mut mover) = (Node::founder(1, "pc-a"), Node::founder(2, "lonely"));
    mover.invite(false, START);
    let old = mover.gate.mesh();
    let token = inviter.invite(false, START);
    join(&mut mover, &mut inviter, &token, "pc-b", START).unwrap();
    mover.crash();
    assert_ne!(mover.gate.mesh(), old);
    assert_eq!(mover.gate.mesh(), inviter.gate.mesh());
    assert!(mover.disk.private.keys().all(|name| !name.contains("invite")));
    assert!(mover.disk.directory.values().all(|r| inviter.disk.directory.contains_key(&r.key)));
    assert_eq!(
        mover
            .gate
            .invite(InviteOptions { ttl_ms: TTL, admin: false, addresses: vec![] }, START)
            .err(),
        Some(SecurityError::NotAdmin)
    );
}

#[test]
fn a_node_that_forgets_its_mesh_is_in_none() {
    let mut node = Node::founder(1, "pc-a");
    node.invite(false, START);
    let keep = node.gate.forget();
    node.disk.commit(&keep);
    assert!(node.disk.private.is_empty() && node.disk.directory.is_empty());
    assert_eq!(node.gate.mesh(), None);
}

#[test]
fn messages_out_of_turn_end_the_dialogue() {
    let (mut inviter, joiner) = (Node::founder(1, "pc-a"), Node::blank(2));
    let token = inviter.invite(false, START);
    let mut joining = Joining::begin(&joiner, inviter.id(), &token, "pc-b").unwrap();
    let want = joining.say.clone();
    let here = joining.ask(&joiner, &inviter, START).unwrap();
    joining.hear(&joiner, &here.reply).unwrap();
    let join = joining.say.clone();
    let ask = |visitor: &mut Visitor, bytes: &[u8]| {
        inviter.gate.asked(joiner.id(), visitor, bytes, START)
    };
    assert!(ask(&mut Visitor::default(), &join).is_err(), "a proof before the mesh was shown");
    let mut visitor = Visitor::default();
    ask(&mut visitor, &want).unwrap();
    assert!(ask(&mut visitor, &want).is_err(), "a second want");
    assert!(ask(&mut visitor, &join).is_err(), "the dialogue is over");
    assert!(joiner.gate.heard(&mut joining.dialogue, &here.reply).is_err(), "a second here");
    let (mut dialogue, _) = joiner.gate.knock(inviter.id());
    assert!(matches!(joiner.gate.heard(&mut dialogue, &here.reply), Err(Denial::Malformed(_))));
}
