//! A join survives a kill at every commit: whoever comes back goes on from what is durable.

use super::world::*;

/// Where the power goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kill {
    InviterBeforeCommit,
    InviterAfterCommit,
    JoinerBeforeWelcome,
    JoinerBeforeCommit,
    JoinerAfterCommit,
}

#[test]
fn join_survives_kill_at_every_commit() {
    let kills = [
        Kill::InviterBeforeCommit,
        Kill::InviterAfterCommit,
        Kill::JoinerBeforeWelcome,
        Kill::JoinerBeforeCommit,
        Kill::JoinerAfterCommit,
    ];
    for kill in kills {
        let (mut inviter, mut joiner) = (Node::founder(1, "pc-a"), Node::blank(2));
        let token = inviter.invite(false, START);
        inviter.crash();
        attempt(&mut joiner, &mut inviter, &token, kill);
        if joiner.gate.mesh().is_none() {
            join(&mut joiner, &mut inviter, &token, "pc-b", START + 1).unwrap();
        }
        inviter.crash();
        joiner.crash();
        assert_eq!(inviter.gate.members().len(), 2, "{kill:?}");
        assert_eq!(inviter.gate.members(), joiner.gate.members(), "{kill:?}");
        assert_eq!(joiner.gate.members()[1].serial, 1, "{kill:?}: one certificate only");
        assert!(meet(&joiner, &inviter).is_ok(), "{kill:?}");
        let denial = join(&mut Node::blank(3), &mut inviter, &token, "pc-c", START + 2);
        assert!(denial.is_err(), "{kill:?}: a token is used once");
    }
}

/// A join with the power cut at one point.
fn attempt(joiner: &mut Node, inviter: &mut Node, token: &crate::security::Token, kill: Kill) {
    let mut joining = Joining::begin(joiner, inviter.id(), token, "pc-b").unwrap();
    let here = joining.ask(joiner, inviter, START).unwrap();
    assert!(here.keep.is_none());
    joining.hear(joiner, &here.reply).unwrap();
    let welcome = joining.ask(joiner, inviter, START).unwrap();
    let keep = welcome.keep.expect("the use of a token must be durable before the answer");
    if kill == Kill::InviterBeforeCommit {
        return inviter.crash();
    }
    inviter.keep(&keep);
    match kill {
        Kill::InviterAfterCommit => return inviter.crash(),
        Kill::JoinerBeforeWelcome => return joiner.crash(),
        _ => {}
    }
    let keep = joining.hear(joiner, &welcome.reply).unwrap().expect("the join is complete");
    if kill == Kill::JoinerBeforeCommit {
        return joiner.crash();
    }
    joiner.disk.commit(&keep);
    joiner.crash();
}

#[test]
fn an_answer_is_told_again_only_with_its_records() {
    let (mut inviter, joiner) = (Node::founder(1, "pc-a"), Node::blank(2));
    let token = inviter.invite(false, START);
    for _ in 0..2 {
        let mut joining = Joining::begin(&joiner, inviter.id(), &token, "pc-b").unwrap();
        let here = joining.ask(&joiner, &inviter, START).unwrap();
        joining.hear(&joiner, &here.reply).unwrap();
        // The commit of the first answer may have failed without this node hearing of it.
        let welcome = joining.ask(&joiner, &inviter, START).unwrap();
        assert_eq!(welcome.keep.unwrap().directory.len(), 2);
    }
}

#[test]
fn a_kill_before_the_first_commit_of_a_mesh_leaves_no_mesh() {
    let mut node = Node::founder(1, "pc-a");
    node.disk = Disk::default();
    node.crash();
    assert_eq!(node.gate.mesh(), None);
}
