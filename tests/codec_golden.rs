//! The bytes of every frame, answer, record, key, statement, inner and outer part, kept as files.
//!
//! A changed encoding fails here: nodes may be away for months, and their stores and words are in
//! the old form. With `MESHMQ_BLESS=1` files that are missing are written; one that is there is
//! never overwritten. A new form goes into a new directory, and the old ones stay and are read.

#[path = "codec_golden/samples.rs"]
mod samples;

use meshmq::codec::{
    HopAnswer, HopRequest, content_hash, decode_answer, decode_inner, decode_record,
    decode_request, digest, encode_answer, encode_inner, encode_record, encode_request,
    encode_statement,
};
use meshmq::engine::frame::Frame;
use meshmq::engine::message::Outer;
use meshmq::engine::record::Record;
use meshmq::store::keys::{decode_key, encode_key};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1")
}

fn to_hex(bytes: &[u8]) -> String {
    let line = |line: &[u8]| line.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    bytes.chunks(32).map(|chunk| line(chunk) + "\n").collect()
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// All encoded samples by the name of their file.
fn encoded() -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut add = |name: String, bytes: Vec<u8>| {
        assert!(all.insert(name.clone(), bytes).is_none(), "two samples are called {name}");
    };
    for (name, request) in samples::requests() {
        add(format!("request_{name}"), encode_request(&request));
    }
    for (name, answer) in samples::answers() {
        add(format!("answer_{name}"), encode_answer(&answer));
    }
    for (name, record) in samples::records() {
        add(format!("record_{name}"), encode_record(&record).unwrap());
    }
    for (name, key) in samples::keys() {
        add(format!("key_{name}"), encode_key(&key));
    }
    for (name, inner) in samples::inners() {
        add(format!("inner_{name}"), encode_inner(&inner).to_vec());
    }
    for (name, outer) in samples::outers() {
        add(format!("outer_{name}"), encode_outer(&outer));
        add(format!("digest_{name}"), digest(&outer, &content_hash(b"inner bytes")).0.to_vec());
    }
    add("statement_receipt".to_owned(), encode_statement(&samples::receipt()));
    add("statement_status".to_owned(), encode_statement(&samples::status()));
    add("statement_links".to_owned(), encode_statement(&samples::link_state()));
    all
}

fn encode_outer(outer: &Outer) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(outer, &mut bytes).unwrap();
    bytes
}

fn golden(name: &str) -> Vec<u8> {
    let path = dir().join(format!("{name}.hex"));
    match std::fs::read_to_string(&path) {
        Ok(text) => from_hex(&text),
        Err(error) => panic!("{}: {error}; a new sample wants MESHMQ_BLESS=1", path.display()),
    }
}

#[test]
fn every_encoding_is_the_one_on_file() {
    let bless = std::env::var_os("MESHMQ_BLESS").is_some_and(|value| value == "1");
    let mut changed = Vec::new();
    for (name, bytes) in encoded() {
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
}

#[test]
fn every_file_belongs_to_a_sample() {
    let known: BTreeSet<String> = encoded().into_keys().map(|name| name + ".hex").collect();
    let files = std::fs::read_dir(dir()).unwrap();
    let files = files.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let strays: Vec<String> = files.filter(|name| !known.contains(name)).collect();
    assert!(strays.is_empty(), "files that no test reads: {strays:?}");
}

#[test]
fn every_file_reads_as_its_sample_and_encodes_again_to_the_same_bytes() {
    for (name, request) in samples::requests() {
        let read: HopRequest = decode_request(&golden(&format!("request_{name}"))).unwrap();
        assert_eq!(read, request, "{name}");
        assert_eq!(encode_request(&read), golden(&format!("request_{name}")));
    }
    for (name, answer) in samples::answers() {
        let read: HopAnswer = decode_answer(&golden(&format!("answer_{name}"))).unwrap();
        assert_eq!(read, answer, "{name}");
        assert_eq!(encode_answer(&read), golden(&format!("answer_{name}")));
    }
    for (name, record) in samples::records() {
        let read = decode_record(&golden(&format!("record_{name}"))).unwrap();
        assert_eq!(read, record, "{name}");
    }
    for (name, key) in samples::keys() {
        assert_eq!(decode_key(&golden(&format!("key_{name}"))), Ok(key), "{name}");
    }
    for (name, inner) in samples::inners() {
        assert_eq!(decode_inner(&golden(&format!("inner_{name}"))), Ok(inner), "{name}");
    }
    for (name, outer) in samples::outers() {
        let read: Outer = ciborium::from_reader(&golden(&format!("outer_{name}"))[..]).unwrap();
        assert_eq!(read, outer, "{name}");
    }
}

/// The match makes a new kind a compile error here; the count makes it need a sample.
#[test]
fn every_kind_has_a_sample() {
    let frame = |frame: &Frame| match frame {
        Frame::Contact(_) => 0,
        Frame::Receipt(_) => 1,
        Frame::Status(_) => 2,
        Frame::LinkState(_) => 3,
        Frame::Have(_) => 4,
        Frame::Record(_) => 5,
        Frame::Synced => 6,
        Frame::Transfer(_) => 7,
        Frame::Part(_) => 8,
    };
    let requests = samples::requests();
    let frames: BTreeSet<i32> =
        requests.iter().flat_map(|(_, request)| &request.frames).map(frame).collect();
    assert_eq!(frames, (0..9).collect());
    let record = |record: &Record| match record {
        Record::Store(_) => 0,
        Record::Clock(_) => 1,
        Record::Private(_) => 2,
        Record::Directory(_) => 3,
        Record::Line(_) => 4,
        Record::Stream(_) => 5,
        Record::Sent(_) => 6,
        Record::Copy(_) => 7,
        Record::CopyOf(_) => 8,
        Record::Chunk(_) => 9,
        Record::Queue(_) => 10,
        Record::Queued(_) => 11,
        Record::InboxLine(_) => 12,
        Record::Inbox(_) => 13,
        Record::Held(_) => 14,
        Record::Receipt(_) => 15,
        Record::Status(_) => 16,
        Record::Dead(_) => 17,
        Record::Due => 18,
        Record::Once(_) => 19,
        Record::OnceKey(_) => 20,
        Record::Partial(_) => 21,
        Record::Stage(_) => 22,
        Record::Shares(_) => 23,
    };
    let records: BTreeSet<i32> = samples::records().iter().map(|(_, it)| record(it)).collect();
    assert_eq!(records, (0..24).collect());
}

/// A sender of a later version may say more than this one knows.
#[test]
fn unknown_fields_are_passed_over() {
    let mut value: ciborium::Value = ciborium::from_reader(&golden("inner_full")[..]).unwrap();
    let fields = value.as_map_mut().unwrap();
    fields.push((ciborium::Value::Text("zz".to_owned()), ciborium::Value::Bytes(vec![1, 2])));
    let mut bytes = Vec::new();
    ciborium::into_writer(&value, &mut bytes).unwrap();
    let (_, full) = samples::inners().into_iter().find(|(name, _)| *name == "full").unwrap();
    assert_eq!(decode_inner(&bytes), Ok(full));
}
