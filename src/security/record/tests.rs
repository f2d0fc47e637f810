use super::*;
use crate::engine::address::NodeId;
use crate::security::Role;
use crate::security::tests::mint::Mint;
use crate::security::tests::world::identity;
use ciborium::Value;

/// Signs any bytes as a body of this kind.
fn signed(kind: &str, encoded: &[u8], signer: &Signing) -> Vec<u8> {
    let signature = signer.sign(&to_be_signed(kind, &[encoded]));
    fields::array(vec![fields::bytes(encoded), fields::bytes(&signature)])
}

/// The elements of a record's body.
fn elements(record: &Record) -> Vec<Value> {
    let (encoded, _) = split(&record.bytes).unwrap();
    let Value::Array(values) = ciborium::from_reader(encoded.as_slice()).unwrap() else { panic!() };
    values
}

fn is_malformed(bytes: &[u8]) -> bool {
    matches!(Record::read(bytes), Err(Unreadable::Malformed(_)))
}

#[test]
fn non_canonical_record_refused() {
    let (mint, a) = (Mint::new(), identity(1));
    let good = mint.leave(&a, 1, 2);
    let (body, _) = split(&good.bytes).unwrap();
    assert_eq!(Record::read(&good.bytes).unwrap().body, good.body);
    let serial = body.len() - 11;
    assert_eq!(body[serial], 1, "the serial number is where this test looks for it");
    let long_number = [&body[..serial], &[0x18, 1], &body[serial + 1..]].concat();
    let indefinite = [&[0x9f], &body[1..], &[0xff]].concat();
    let trailing = [&body[..], &[0]].concat();
    let long_head = [&[0x98, body[0] & 0x1f], &body[1..]].concat();
    let tagged = [&[0xc1], &body[..]].concat();
    for changed in [long_number, indefinite, trailing, long_head, tagged] {
        // The signature is good; the form alone is not.
        assert!(is_malformed(&signed("leave", &changed, &a.signing)));
    }
    let envelope = &good.bytes;
    let indefinite = [&[0x9f], &envelope[1..], &[0xff]].concat();
    let long_head = [&[0x98, 2], &envelope[1..]].concat();
    let more = {
        let (body, signature) = split(envelope).unwrap();
        fields::array(vec![fields::bytes(&body), fields::bytes(&signature), Value::from(0)])
    };
    for changed in [indefinite, long_head, more, [&envelope[..], &[0]].concat(), vec![]] {
        assert!(is_malformed(&changed));
    }
}

#[test]
fn elements_of_later_versions_are_kept_and_signed() {
    let (mint, a) = (Mint::new(), identity(1));
    let mut values = elements(&mint.leave(&a, 1, 2));
    values.push(Value::Map(vec![(Value::from("later"), Value::Bool(true))]));
    let bytes = signed("leave", &fields::array(values), &a.signing);
    let record = Record::read(&bytes).unwrap();
    assert_eq!(record.body, mint.leave(&a, 1, 2).body);
    assert!(record.is_signed_by(a.node_id().as_bytes()));
    assert_eq!(record.to_directory().bytes, bytes);
    assert_ne!(record.hash, mint.leave(&a, 1, 2).hash);
}

#[test]
fn later_versions_and_kinds_are_told_from_garbage() {
    let (mint, a) = (Mint::new(), identity(1));
    for (place, number) in [(0, 2), (1, 5), (1, 200)] {
        let mut values = elements(&mint.leave(&a, 1, 2));
        values[place] = Value::from(number);
        let bytes = signed("leave", &fields::array(values), &a.signing);
        assert_eq!(Record::read(&bytes).err(), Some(Unreadable::Later));
    }
    let mut values = elements(&mint.leave(&a, 1, 2));
    values.truncate(4);
    assert!(is_malformed(&signed("leave", &fields::array(values), &a.signing)));
}

#[test]
fn weak_key_refused() {
    let (mint, a) = (Mint::new(), identity(1));
    let weak = {
        let mut identity = [0; 32];
        identity[0] = 1;
        identity
    };
    let node = NodeId::from_bytes(weak);
    let certificate = mint.by_authority(&a, "pc-a", |body| body.node = node);
    let issued = mint.by_admin(&a, &identity(2), "pc-b", |body| body.issuer = Some(node));
    for record in [certificate, issued] {
        assert!(is_malformed(&record.bytes));
    }
    let Body::Authority(mut body) = mint.authorities[0].body.clone() else { panic!() };
    body.key = weak;
    assert!(is_malformed(&Record::sign(Body::Authority(body), &a.signing).bytes));
    let Body::Keys(mut body) = mint.keys_of(&a, &a).body else { panic!() };
    body.key = vec![0; 32];
    assert!(is_malformed(&Record::sign(Body::Keys(body.clone()), &a.signing).bytes));
    body.key = vec![9; 31];
    assert!(is_malformed(&Record::sign(Body::Keys(body.clone()), &a.signing).bytes));
    // A mechanism that only later versions know is passed on.
    (body.kem, body.key) = (0x647a, vec![9; 1_216]);
    let record = Record::sign(Body::Keys(body), &a.signing);
    assert!(Record::read(&record.bytes).is_ok() && record.bytes.len() <= DIRECTORY_RECORD_MAX);
}

#[test]
fn records_that_contradict_themselves_are_refused() {
    let (mint, a, b) = (Mint::new(), identity(1), identity(2));
    let by_admin = mint.by_admin(&a, &b, "pc-b", |body| body.role = Role::Admin);
    let own_issuer = mint.by_admin(&a, &a, "pc-a", |_| ());
    let many = mint.by_admin(&a, &b, "pc-b", |body| body.groups = vec![String::new(); 9]);
    for record in [by_admin, own_issuer, many] {
        assert!(is_malformed(&record.bytes));
    }
    let Body::Authority(genesis) = mint.authorities[0].body.clone() else { panic!() };
    let key = &mint.keys[0].key;
    let changed = [
        Authority { generation: 1, ..genesis.clone() },
        Authority { prev: Some([1; 32]), ..genesis.clone() },
        Authority { mesh: Some(mint.mesh()), ..genesis.clone() },
        Authority { min_generation: 1, ..genesis.clone() },
        Authority { label: "a\u{1b}[31m".to_owned(), ..genesis.clone() },
        Authority { label: "x".repeat(129), ..genesis },
    ];
    for body in changed {
        assert!(is_malformed(&Record::sign(Body::Authority(body), key).bytes));
    }
}

#[test]
fn a_signature_is_good_for_its_kind_only() {
    let (mint, a) = (Mint::new(), identity(1));
    let leave = mint.leave(&a, 1, 2);
    let (encoded, _) = split(&leave.bytes).unwrap();
    assert!(leave.is_signed_by(a.node_id().as_bytes()));
    let other = Record::read(&signed("keys", &encoded, &a.signing)).unwrap();
    assert!(!other.is_signed_by(a.node_id().as_bytes()));
}

#[test]
fn ranks_order_as_the_rules_do() {
    let (mint, a, b) = (Mint::new(), identity(1), identity(2));
    let by = |serial, generation| {
        mint.by_admin(&a, &b, "pc-b", |body| (body.serial, body.generation) = (serial, generation))
    };
    let authority = mint.by_authority(&b, "pc-b", |_| ());
    let rising = [by(1, 0), by(2, 0), by(256, 0), by(1, 1), by(1, 256), authority];
    for pair in rising.windows(2) {
        assert!(pair[0].rank() < pair[1].rank());
        assert_eq!(pair[0].key(), pair[1].key());
    }
    let (one, two) = (by(1, 0), mint.by_admin(&a, &b, "other", |_| ()));
    assert_eq!(one.rank() > two.rank(), one.hash < two.hash, "the lower hash wins");
    assert!(mint.leave(&a, 2, 0).rank() > mint.leave(&a, 1, 9).rank());
    let Body::Keys(keys) = mint.keys_of(&a, &a).body else { panic!() };
    let next = Record::sign(Body::Keys(Keys { generation: 2, ..keys }), &a.signing);
    assert!(next.rank() > mint.keys_of(&a, &a).rank());
    let revoked = |reason| mint.revoke(None, &a, reason, 0);
    assert_ne!(revoked(Reason::Lost).key(), revoked(Reason::Retired).key(), "they add up");
    for record in rising.iter().chain([&revoked(Reason::Lost), &mint.authorities[0]]) {
        assert!(record.rank().len() <= 64 && record.key().subject.len() <= 64);
    }
}
