//! The bytes of every record, of a token and of every message of the dialogue, kept as files.
//!
//! With `MESHMQ_BLESS=1` files that are missing are written; one that is there is never
//! overwritten. A node may be away for months: what these files hold is read for ever.

use super::mint::Mint;
use super::world::identity;
use crate::security::invite::{Invite, Occasion, Used};
use crate::security::message::{Hello, Message};
use crate::security::record::{Reason, Record};
use crate::security::state::own_keys;
use crate::security::{Denial, MeshId, Token, TokenError, fuzzing, suite};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

fn dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/security")
}

fn to_hex(bytes: &[u8]) -> String {
    let line = |line: &[u8]| line.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    bytes.chunks(32).map(|chunk| line(chunk) + "\n").collect()
}

fn records() -> Vec<(&'static str, Record)> {
    let mut mint = Mint::new();
    let (a, b) = (identity(1), identity(2));
    vec![
        ("authority_genesis", mint.authorities[0].clone()),
        ("certificate_admin", mint.admin(&a, "pc-a")),
        (
            "certificate_member",
            mint.by_admin(&a, &b, "pc-b", |body| {
                body.groups = vec!["tills".to_owned(), "hall-2".to_owned()];
                body.invite = Some([5; 8]);
                body.not_after_ms = 1_900_000_000_000;
            }),
        ),
        ("keys", own_keys(&b, mint.mesh())),
        ("leave", mint.leave(&b, 3, 9)),
        ("revocation_by_admin", mint.revoke(Some(&a), &b, Reason::Lost, 4)),
        ("revocation_by_authority", mint.revoke(None, &a, Reason::Compromised, 0)),
        ("authority_next", mint.rotate(1)),
    ]
}

fn token() -> Token {
    Token::of(
        MeshId([0x11; 16]),
        identity(1).node_id(),
        Zeroizing::new([0x22; 16]),
        1_800_000_900_000,
        &["192.168.1.12:7670".parse().unwrap(), "[fe80::1]:7670".parse().unwrap()],
    )
}

fn messages() -> Vec<(&'static str, Message)> {
    let mint = Mint::new();
    let (a, b) = (identity(1), identity(2));
    let own = mint.admin(&a, "pc-a").bytes;
    let member = mint.by_admin(&a, &b, "pc-b", |_| ()).bytes;
    let keys = own_keys(&b, mint.mesh());
    let name = "pc-b".parse().unwrap();
    let proof = Occasion {
        mesh: mint.mesh(),
        invite: token().id(),
        inviter: a.node_id(),
        joiner: b.node_id(),
        joiner_nonce: [1; 32],
        inviter_nonce: [2; 32],
        keys: &keys,
        name: "pc-b",
    }
    .prove(&token().key());
    let hello = Hello {
        mac: Some([3; 32]),
        protocol: (1, 2),
        required: 0,
        optional: 5,
        mesh: mint.mesh(),
        chain: vec![member.clone(), own.clone()],
        keys: keys.bytes.clone(),
        generation: 1,
        authorities: vec![records().pop().unwrap().1.bytes],
        boot: 77,
        wall_ms: 1_800_000_000_000,
        addresses: vec!["/ip4/192.168.1.13/tcp/7670".to_owned()],
        agent: "meshmq/0.1.0".to_owned(),
    };
    let authorities = vec![mint.authorities[0].bytes.clone()];
    let mut all = vec![
        ("knock", Message::Knock { nonce: [1; 32] }),
        ("counter", Message::Counter { nonce: [2; 32], mac: [3; 32] }),
        ("hello", Message::Hello(Box::new(hello))),
        ("want", Message::Want { invite: token().id(), nonce: [1; 32] }),
        ("here", Message::Here { nonce: [2; 32], authorities, chain: vec![own] }),
        ("join", Message::Join { name, keys: keys.bytes, proof, after: 2 }),
        (
            "welcome",
            Message::Welcome {
                certificate: member,
                secrets: vec![(0, Zeroizing::new([4; 32])), (1, Zeroizing::new([5; 32]))],
            },
        ),
    ];
    all.extend(denials().into_iter().map(|(name, denial)| (name, Message::Refused(denial))));
    all
}

/// All denials that one node tells another.
fn denials() -> Vec<(&'static str, Denial)> {
    let by: crate::security::NodeName = "pc-d".parse().unwrap();
    vec![
        ("refused_other_mesh", Denial::OtherMesh),
        ("refused_no_common_version", Denial::NoCommonVersion { min: 2, max: 3 }),
        ("refused_needs_feature", Denial::NeedsFeature(1 << 40)),
        ("refused_left", Denial::Left),
        ("refused_revoked", Denial::Revoked),
        ("refused_token_unknown", Denial::TokenUnknown),
        ("refused_token_expired", Denial::TokenExpired { ago_ms: 180_000 }),
        ("refused_token_used", Denial::TokenUsed { by: by.clone(), ago_ms: 720_000 }),
        ("refused_token_burned", Denial::TokenBurned),
        ("refused_wrong_proof", Denial::WrongProof),
        ("refused_name_taken", Denial::NameTaken(by)),
        ("refused_inviter_not_admin", Denial::InviterNotAdmin),
        ("refused_limit", Denial::Limit("it cannot admit more members")),
        ("refused_other", Denial::Other(0)),
    ]
}

fn invites() -> Vec<(&'static str, Invite)> {
    let fresh = Invite {
        key: token().key().public(),
        admin: true,
        expires_ms: 1_800_000_900_000,
        wrong: 2,
        used: None,
    };
    let used = Used {
        by: identity(2).node_id(),
        at_ms: 1_800_000_000_000,
        certificate: records()[2].1.bytes.clone(),
        keys: records()[3].1.bytes.clone(),
    };
    vec![
        ("private_invite", fresh.clone()),
        ("private_invite_used", Invite { used: Some(used), ..fresh }),
    ]
}

fn all() -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for (name, record) in records() {
        all.insert(format!("record_{name}"), record.bytes.to_vec());
    }
    for (name, message) in messages() {
        all.insert(format!("message_{name}"), message.encode());
    }
    for (name, invite) in invites() {
        all.insert(name.to_owned(), invite.encode().to_vec());
    }
    all.insert("token".to_owned(), token().reveal().as_bytes().to_vec());
    all.insert("token_key".to_owned(), token().key().public().to_vec());
    all.insert("token_id".to_owned(), token().id().to_vec());
    let knock = suite::mac(&[9; 32], &[b"MeshMQ 1 knock\0", b"D", &[1; 32], &[2; 32]]);
    all.insert("knock_mac".to_owned(), knock.to_vec());
    all
}

fn golden(name: &str) -> Vec<u8> {
    let path = dir().join(format!("{name}.hex"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!("{}: {error}; a new sample wants MESHMQ_BLESS=1", path.display())
    });
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

#[test]
fn every_encoding_is_the_one_on_file() {
    let bless = std::env::var_os("MESHMQ_BLESS").is_some_and(|value| value == "1");
    let mut changed = Vec::new();
    for (name, bytes) in all() {
        let path = dir().join(format!("{name}.hex"));
        if bless && !path.exists() {
            std::fs::create_dir_all(dir()).unwrap();
            std::fs::write(&path, to_hex(&bytes)).unwrap();
        }
        if golden(&name) != bytes {
            changed.push(format!("{name} is now\n{}", to_hex(&bytes)));
        }
    }
    assert!(changed.is_empty(), "changed encodings:\n{}", changed.join("\n"));
    let known: BTreeSet<String> = all().into_keys().map(|name| name + ".hex").collect();
    let files = std::fs::read_dir(dir()).unwrap();
    let files = files.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let strays: Vec<String> = files.filter(|name| !known.contains(name)).collect();
    assert!(strays.is_empty(), "files that no test reads: {strays:?}");
}

#[test]
fn every_file_reads_as_what_it_was_made_from() {
    for (name, record) in records() {
        let read = Record::read(&golden(&format!("record_{name}"))).unwrap();
        assert_eq!(read.body, record.body);
        assert_eq!(read.to_directory(), record.to_directory());
        let (came, signed) = fuzzing::signed_record(&record.bytes).unwrap();
        assert_eq!((&came, &came.key), (&record.to_directory(), &signed.key));
    }
    for (name, _) in messages() {
        let bytes = golden(&format!("message_{name}"));
        assert!(fuzzing::dialogue(&bytes).unwrap() == bytes, "{name}");
    }
    for (name, denial) in denials() {
        let Ok(Message::Refused(read)) = Message::read(&golden(&format!("message_{name}"))) else {
            panic!("{name}")
        };
        assert_eq!(read, denial);
    }
    for (name, invite) in invites() {
        assert_eq!(Invite::read(&golden(name)), Ok(invite));
        assert_eq!(fuzzing::invitation(&golden(name)).unwrap(), golden(name));
    }
    let text = String::from_utf8(golden("token")).unwrap();
    assert_eq!(fuzzing::join_token(&[9]).parse::<Token>().unwrap_err(), TokenError::TooNew(9));
    let read: Token = text.parse().unwrap();
    assert_eq!(read.addresses(), token().addresses());
    assert_eq!((read.mesh(), read.id()), (MeshId([0x11; 16]), token().id()));
    assert!(read.is_from(identity(1).node_id()) && !read.is_from(identity(2).node_id()));
}
