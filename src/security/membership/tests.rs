use super::*;
use crate::security::record::Reason;
use crate::security::suite::Signing;
use crate::security::tests::mint::{Mint, authority, authority_keys};
use crate::security::tests::world::identity;
use crate::security::{ResolveError, Role};

/// Every order of the records.
fn orders(records: &[Record]) -> Vec<Vec<Record>> {
    if records.len() <= 1 {
        return vec![records.to_vec()];
    }
    (0..records.len())
        .flat_map(|first| {
            let mut rest = records.to_vec();
            let head = rest.remove(first);
            orders(&rest).into_iter().map(move |mut order| {
                order.insert(0, head.clone());
                order
            })
        })
        .collect()
}

/// Takes records one at a time; those that must wait are tried again after each.
fn merged(mint: &Mint, records: &[Record]) -> Membership {
    let mut view = mint.view();
    let mut waiting = Vec::new();
    for record in records {
        waiting.push(record.clone());
        waiting = view.absorb(waiting);
    }
    view
}

#[test]
fn name_clash_resolves_alike() {
    let mint = Mint::new();
    let (a, b, c, d) = (identity(1), identity(2), identity(3), identity(4));
    let records = [
        mint.admin(&a, "pc-a"),
        mint.by_admin(&a, &b, "twin", |body| body.clk = 7),
        mint.by_admin(&a, &c, "twin", |body| body.clk = 5),
        mint.by_admin(&a, &d, "twin", |body| body.clk = 7),
    ];
    let later = b.node_id().max(d.node_id());
    let orders = orders(&records);
    assert_eq!(orders.len(), 24);
    for order in orders {
        let view = merged(&mint, &order);
        assert_eq!(view.resolve("twin"), Ok(c.node_id()));
        assert_eq!(view.shown(c.node_id()).as_deref(), Some("twin"));
        for node in [b.node_id(), d.node_id()] {
            let shown = view.shown(node).unwrap();
            assert_eq!(shown, format!("twin~{}", &node.to_string()[..4]));
            assert_eq!(view.resolve(&shown), Ok(node), "the long form works for everybody");
        }
        let own = format!("twin~{}", &c.node_id().to_string()[..6]);
        assert_eq!(view.resolve(&own), Ok(c.node_id()));
        // With the winner gone the lower (clk, node id) of the rest has the name.
        let mut view = view;
        view.absorb(vec![mint.leave(&c, 1, 0)]);
        assert_eq!(view.resolve("twin"), Ok(b.node_id().min(d.node_id())));
        assert!(view.shown(later).unwrap().starts_with("twin~"));
    }
}

#[test]
fn names_that_nobody_has_are_told_apart() {
    let mint = Mint::new();
    let (a, b) = (identity(1), identity(2));
    let mut view = merged(&mint, &[mint.admin(&a, "pc-a"), mint.by_admin(&a, &b, "pc-b", |_| ())]);
    view.absorb(vec![mint.leave(&b, 1, 0)]);
    assert_eq!(view.resolve("pc-b"), Err(ResolveError::Left("pc-b".to_owned())));
    let unknown = |text: &str| Err(ResolveError::Unknown(text.to_owned()));
    for text in ["pc-c", "", "pc-a~", "pc-a~zzzz", "pc-a~12", "PC-A", &"0".repeat(64)] {
        assert_eq!(view.resolve(text), unknown(text), "{text}");
    }
    assert_eq!(view.resolve(&a.node_id().to_string()), Ok(a.node_id()));
}

#[test]
fn unannounced_authority_refused() {
    let mut mint = Mint::new();
    let view = mint.view();
    let genesis = mint.authorities[0].hash;
    // A thief of the first key names a successor of his own.
    let thief = authority_keys(40);
    let mut body = authority(Some(mint.mesh()), &thief, Some(genesis), 0);
    body.generation = 1;
    let forged = Record::sign(Body::Authority(body.clone()), &thief.key);
    assert!(matches!(view.judge(&forged), Verdict::Bad(_)));
    // Or signs the announced one with the key that he has.
    body.key = authority_keys(1).key.public();
    let forged = Record::sign(Body::Authority(body.clone()), &mint.keys[0].key);
    assert!(matches!(view.judge(&forged), Verdict::Bad(_)));
    // Or hangs the true one elsewhere.
    body.prev = Some([1; 32]);
    let forged = Record::sign(Body::Authority(body), &authority_keys(1).key);
    assert!(matches!(view.judge(&forged), Verdict::Bad(_)));
    let rotated = mint.rotate(0);
    assert_eq!(view.judge(&rotated), Verdict::Holds);
}

#[test]
fn authorities_are_taken_in_any_order() {
    let mut mint = Mint::new();
    let view = mint.view();
    mint.rotate(0);
    let third = mint.rotate(1);
    assert_eq!(view.judge(&third), Verdict::Pending);
    for order in orders(&mint.authorities) {
        let mut view = Membership::new(mint.mesh());
        assert!(view.absorb(order).is_empty());
        assert_eq!(view.authority().unwrap().generation, 2);
    }
    // A generation cannot bring back what an earlier one has ended.
    let revived = mint.rotate(0);
    let mut view = Membership::new(mint.mesh());
    let left = view.absorb(mint.authorities.clone());
    assert_eq!(left.iter().map(|r| r.hash).collect::<Vec<_>>(), [revived.hash]);
}

#[test]
fn a_certificate_needs_a_whole_chain() {
    let mint = Mint::new();
    let (a, b, c) = (identity(1), identity(2), identity(3));
    let admin = mint.admin(&a, "pc-a");
    let member = mint.by_admin(&a, &b, "pc-b", |_| ());
    let grandchild = mint.by_admin(&b, &c, "pc-c", |_| ());
    let mut view = mint.view();
    assert_eq!(view.judge(&member), Verdict::Pending, "its issuer is not known yet");
    assert_eq!(view.absorb(vec![grandchild, member, admin]).len(), 1, "members make no members");
    assert!(view.is_active(b.node_id()) && !view.is_active(c.node_id()));
    assert!(view.is_admin(a.node_id()) && !view.is_admin(b.node_id()));
}

#[test]
fn a_certificate_that_another_signed_is_refused() {
    let mint = Mint::new();
    let (a, b, stranger) = (identity(1), identity(2), identity(3));
    let mut view = merged(&mint, &[mint.admin(&a, "pc-a")]);
    let Body::Certificate(body) = mint.by_admin(&a, &b, "pc-b", |_| ()).body else { panic!() };
    for signer in [&stranger.signing, &mint.keys[0].key, &b.signing] {
        let forged = Record::sign(Body::Certificate(body.clone()), signer);
        assert!(matches!(view.judge(&forged), Verdict::Bad(_)));
        assert_eq!(view.absorb(vec![forged]).len(), 1);
    }
    let by_authority = Certificate { issuer: None, ..body };
    let forged = Record::sign(Body::Certificate(by_authority), &a.signing);
    assert!(matches!(view.judge(&forged), Verdict::Bad(_)));
}

#[test]
fn a_record_of_another_mesh_is_refused() {
    let (mint, a) = (Mint::new(), identity(1));
    let mut view = Membership::new(MeshId([9; 16]));
    let records = [mint.authorities[0].clone(), mint.admin(&a, "pc-a"), mint.leave(&a, 1, 0)];
    for record in records {
        assert_eq!(view.judge(&record), Verdict::Bad("of another mesh"));
        assert_eq!(view.absorb(vec![record]).len(), 1);
    }
}

#[test]
fn an_admin_cannot_replace_the_certificate_of_another() {
    let mint = Mint::new();
    let (a, b) = (identity(1), identity(2));
    let demotion = mint.by_admin(&a, &b, "demoted", |body| body.serial = u64::MAX);
    for order in orders(&[mint.admin(&a, "pc-a"), mint.admin(&b, "pc-b"), demotion]) {
        let view = merged(&mint, &order);
        assert!(view.is_admin(b.node_id()));
        assert_eq!(view.shown(b.node_id()).as_deref(), Some("pc-b"));
    }
    // The authority itself can.
    let mut view = merged(&mint, &[mint.admin(&b, "pc-b")]);
    view.absorb(vec![mint.by_authority(&b, "pc-b", |body| body.serial = 2)]);
    assert!(view.is_active(b.node_id()) && !view.is_admin(b.node_id()));
}

#[test]
fn foreign_sealing_key_refused() {
    let mint = Mint::new();
    let (a, b) = (identity(1), identity(2));
    let mut view = merged(&mint, &[mint.admin(&a, "pc-a"), mint.by_admin(&a, &b, "pc-b", |_| ())]);
    let forged = mint.keys_of(&b, &a);
    assert!(matches!(view.judge(&forged), Verdict::Bad(_)), "an admin's key for another's mail");
    assert_eq!(view.absorb(vec![forged]).len(), 1);
    assert_eq!(view.judge(&mint.keys_of(&b, &b)), Verdict::Holds);
    let stranger = identity(9);
    assert_eq!(view.judge(&mint.keys_of(&stranger, &stranger)), Verdict::Pending);
    let forged = Record::sign(mint.leave(&b, 1, 0).body, &a.signing);
    assert!(matches!(view.judge(&forged), Verdict::Bad(_)), "a departure that another signed");
}

#[test]
fn revoked_issuer_voids_chain() {
    let mint = Mint::new();
    let (a, b, c) = (identity(1), identity(2), identity(3));
    let records = [
        mint.admin(&a, "pc-a"),
        mint.by_admin(&a, &b, "pc-b", |body| body.issue = 1),
        mint.by_admin(&a, &c, "pc-c", |body| body.issue = 2),
    ];
    let cases = [
        (mint.revoke(None, &a, Reason::Compromised, 9), [false, false]),
        (mint.revoke(None, &a, Reason::Lost, 9), [false, false]),
        (mint.revoke(None, &a, Reason::Retired, 1), [true, false]),
        (mint.leave(&a, 1, 1), [true, false]),
    ];
    for (ending, expected) in cases {
        for order in orders(&[&records[..], std::slice::from_ref(&ending)].concat()) {
            let view = merged(&mint, &order);
            assert!(!view.is_active(a.node_id()), "{ending:?}");
            // One that came after its issuer's end waits for ever, one before it becomes void.
            let active = [&b, &c].map(|node| view.is_active(node.node_id()));
            assert_eq!(active, expected, "{ending:?}");
        }
    }
}

#[test]
fn admins_revoke_members_and_only_the_authority_revokes_admins() {
    let mint = Mint::new();
    let (a, b, c) = (identity(1), identity(2), identity(3));
    let records =
        [mint.admin(&a, "pc-a"), mint.admin(&b, "pc-b"), mint.by_admin(&a, &c, "pc-c", |_| ())];
    let mut view = merged(&mint, &records);
    let usurped = mint.revoke(Some(&b), &a, Reason::Retired, 0);
    assert!(matches!(view.judge(&usurped), Verdict::Bad(_)));
    let by_member = mint.revoke(Some(&c), &b, Reason::Retired, 0);
    assert_eq!(view.judge(&by_member), Verdict::Pending);
    view.absorb(vec![mint.revoke(Some(&b), &c, Reason::Retired, 0)]);
    assert_eq!(view.standing(c.node_id()), Standing::Revoked);
    assert_eq!(view.next_serial(c.node_id(), 0), Some(2));
    view.absorb(vec![mint.by_admin(&a, &c, "pc-c", |body| body.serial = 2)]);
    assert!(view.is_active(c.node_id()), "a higher serial number comes back");
    // What a compromised admin has revoked is revoked no more.
    let mut view = merged(&mint, &records);
    view.absorb(vec![mint.revoke(Some(&b), &c, Reason::Retired, 0)]);
    view.absorb(vec![mint.revoke(None, &b, Reason::Compromised, 0)]);
    assert!(view.is_active(c.node_id()) && !view.is_active(b.node_id()));
}

#[test]
fn an_emergency_rotation_voids_what_older_generations_signed() {
    let mut mint = Mint::new();
    let (a, b) = (identity(1), identity(2));
    let mut view = merged(&mint, &[mint.admin(&a, "pc-a"), mint.by_admin(&a, &b, "pc-b", |_| ())]);
    let old_admin = mint.admin(&identity(3), "old");
    view.absorb(vec![mint.rotate(1)]);
    assert_eq!(view.standing(a.node_id()), Standing::Void);
    assert_eq!(view.standing(b.node_id()), Standing::Void, "through its issuer");
    assert_eq!(view.judge(&old_admin), Verdict::Pending);
    view.absorb(vec![mint.admin(&a, "pc-a")]);
    assert!(view.is_active(a.node_id()) && view.is_active(b.node_id()));
}

#[test]
fn a_count_of_claims_far_ahead_is_refused() {
    let mint = Mint::new();
    let (a, b) = (identity(1), identity(2));
    let view = merged(&mint, &[mint.admin(&a, "pc-a")]);
    let with = |clk| mint.by_admin(&a, &b, "pc-b", |body| body.clk = clk);
    assert_eq!(view.judge(&with(1 + CLK_AHEAD_MAX)), Verdict::Holds);
    assert!(matches!(view.judge(&with(2 + CLK_AHEAD_MAX)), Verdict::Bad(_)));
    assert_eq!(view.next_clk(), 2);
}

#[test]
fn a_mesh_takes_only_so_many_members() {
    let mint = Mint::new();
    let mut view = mint.view();
    assert_eq!(view.most, MEMBERS_MAX);
    view.most = 20;
    for number in 0..20_usize {
        let secret = suite::derive(&number.to_be_bytes(), b"member");
        let node = NodeId::from_bytes(Signing::from_secret(&secret).public());
        let record = mint.by_authority(&identity(1), "many", |body| body.node = node);
        view.take(&record);
    }
    let late = mint.by_authority(&identity(2), "late", |_| ());
    assert_eq!(view.judge(&late), Verdict::Pending);
    assert_eq!(view.members().len(), 20);
}

#[test]
fn roles_come_from_the_certificate() {
    let (mint, a) = (Mint::new(), identity(1));
    let courier = mint.by_authority(&a, "pc-a", |body| body.role = Role::Courier);
    let view = merged(&mint, &[courier]);
    assert_eq!(view.members()[0].role, Role::Courier);
    assert!(!view.is_admin(a.node_id()));
}
