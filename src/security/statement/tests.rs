use super::*;
use crate::engine::statement::LinkState;
use crate::security::tests::world::identity;
use std::collections::BTreeMap;

fn links(node: NodeId) -> LinkState {
    LinkState {
        node,
        version: Default::default(),
        neighbours: vec![identity(8).node_id()],
        extensions: BTreeMap::new(),
    }
}

fn attested(number: u8, mesh: &MeshId) -> Attested<LinkState> {
    let identity = identity(number);
    let statement = links(identity.node_id());
    Attested { signature: sign_statement(&identity, mesh, &statement), statement }
}

#[test]
fn a_statement_is_its_nodes_and_its_meshs() {
    let (mesh, other) = (MeshId([1; 16]), MeshId([2; 16]));
    let good = attested(1, &mesh);
    assert!(verify_statement(&mesh, &good) && !verify_statement(&other, &good));
    let mut changed = good.clone();
    changed.statement.neighbours.clear();
    assert!(!verify_statement(&mesh, &changed));
    let mut extended = good.clone();
    extended.statement.extensions.insert(9, Bytes::from_static(b"later"));
    assert!(!verify_statement(&mesh, &extended), "fields of later versions are signed too");
    let mut foreign = good.clone();
    foreign.statement.node = identity(2).node_id();
    assert!(!verify_statement(&mesh, &foreign));
    for signature in [Bytes::new(), good.signature.slice(..63), Bytes::from(vec![0; 64])] {
        assert!(!verify_statement(&mesh, &Attested { signature, ..good.clone() }));
    }
}

#[test]
fn one_kind_cannot_pass_for_another() {
    struct Disguise(LinkState);
    impl serde::Serialize for Disguise {
        fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
            self.0.serialize(out)
        }
    }
    impl Statement for Disguise {
        const KIND: &'static str = "receipt";
        fn signer(&self) -> NodeId {
            self.0.node
        }
    }
    let mesh = MeshId([1; 16]);
    let good = attested(1, &mesh);
    let disguised = Attested { statement: Disguise(good.statement), signature: good.signature };
    assert!(!verify_statement(&mesh, &disguised));
}

#[test]
fn what_was_verified_is_remembered_within_bounds() {
    let verified = Verified::default();
    let (mesh, other) = (MeshId([1; 16]), MeshId([2; 16]));
    let good = attested(1, &mesh);
    let mut bad = good.clone();
    bad.statement.neighbours.clear();
    for _ in 0..2 {
        assert!(verified.check(&mesh, &good));
        assert!(!verified.check(&mesh, &bad) && !verified.check(&other, &good));
    }
    for number in 0..2 * VERIFIED_MAX {
        verified.remember(suite::hash(&number.to_be_bytes()));
        let halves = verified.0.lock().unwrap();
        assert!(halves.young.len() + halves.old.len() <= VERIFIED_MAX);
    }
    assert!(verified.check(&mesh, &good), "what was forgotten is checked again");
}

#[test]
fn a_line_is_the_same_for_ever_and_tells_nothing() {
    let (own, other) = (identity(1), identity(2));
    let to = identity(3).node_id();
    let line = |identity: &Identity, to, queue: &str, delivery, priority| {
        let priority = Priority::new(priority).unwrap();
        line_id(identity, to, &queue.parse().unwrap(), delivery, priority)
    };
    let first = line(&own, to, "orders", Delivery::Recoverable, 3);
    assert_eq!(first, line(&own, to, "ORDERS", Delivery::Recoverable, 3));
    let others = [
        line(&other, to, "orders", Delivery::Recoverable, 3),
        line(&own, own.node_id(), "orders", Delivery::Recoverable, 3),
        line(&own, to, "order", Delivery::Recoverable, 3),
        line(&own, to, "orders", Delivery::Transactional, 3),
        line(&own, to, "orders", Delivery::Express, 3),
        line(&own, to, "orders", Delivery::Recoverable, 4),
    ];
    assert!(others.iter().all(|other| *other != first));
    // Durable streams carry the number: it may never change.
    assert_eq!(first.0, 12_117_858_418_178_392_176);
}
