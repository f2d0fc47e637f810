//! Whatever is encoded reads back and encodes again to the same bytes; whatever arrives is read or
//! refused, without a panic and without much memory.

#[path = "codec_properties/strategies.rs"]
mod strategies;

use meshmq::codec::{
    HopAnswer, HopRequest, decode_answer, decode_inner, decode_record, decode_request,
    encode_answer, encode_inner, encode_record_unbounded, encode_request, encode_statement,
};
use meshmq::engine::frame::{Answer, Frame};
use meshmq::engine::limits::RECORD_MAX;
use proptest::collection::vec;
use proptest::prelude::*;
use std::fs;
use std::path::Path;

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn requests_read_back(exchange: u64, frames in vec(strategies::frame(), 0..6)) {
        let request = HopRequest { exchange, frames };
        let bytes = encode_request(&request);
        let read = decode_request(&bytes);
        prop_assert_eq!(&read, &Ok(request));
        prop_assert_eq!(encode_request(&read.unwrap()), bytes);
    }

    #[test]
    fn answers_read_back(
        outcomes in vec((strategies::message_id(), strategies::outcome()), 0..6),
        frames in vec(strategies::frame(), 0..3),
    ) {
        let answer = HopAnswer { answer: Answer { outcomes, frames } };
        let bytes = encode_answer(&answer);
        let read = decode_answer(&bytes);
        prop_assert_eq!(&read, &Ok(answer));
        prop_assert_eq!(encode_answer(&read.unwrap()), bytes);
    }

    #[test]
    fn statements_have_one_encoding(frame in strategies::frame()) {
        let request = encode_request(&HopRequest { exchange: 0, frames: vec![frame.clone()] });
        let read = decode_request(&request).unwrap().frames.remove(0);
        let bytes = |frame: &Frame| match frame {
            Frame::Receipt(receipt) => encode_statement(&receipt.statement),
            Frame::Status(status) => encode_statement(&status.statement),
            Frame::LinkState(links) => encode_statement(&links.statement),
            _ => Vec::new(),
        };
        prop_assert_eq!(bytes(&read), bytes(&frame));
    }

    #[test]
    fn records_read_back(record in strategies::record()) {
        let bytes = encode_record_unbounded(&record);
        if bytes.len() <= RECORD_MAX {
            let read = decode_record(&bytes);
            prop_assert_eq!(&read, &Ok(record));
            prop_assert_eq!(encode_record_unbounded(&read.unwrap()), bytes);
        }
    }

    #[test]
    fn inner_parts_read_back(inner in strategies::inner()) {
        let bytes = encode_inner(&inner);
        prop_assert_eq!(decode_inner(&bytes), Ok(inner));
    }
}

proptest! {
    #![proptest_config(config(4_000))]

    #[test]
    fn random_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        drop(decode_request(&bytes));
        drop(decode_answer(&bytes));
        drop(decode_record(&bytes));
        drop(decode_inner(&bytes));
    }

    /// Real words with a few bytes changed get deeper than random ones.
    #[test]
    fn changed_words_are_read_or_refused(
        which: prop::sample::Index,
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut: Option<prop::sample::Index>,
    ) {
        let all = golden();
        let mut bytes = which.get(&all).clone();
        for (place, value) in changes {
            *place.get_mut(&mut bytes) = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(request) = decode_request(&bytes) {
            prop_assert_eq!(decode_request(&encode_request(&request)), Ok(request));
        }
        if let Ok(answer) = decode_answer(&bytes) {
            prop_assert_eq!(decode_answer(&encode_answer(&answer)), Ok(answer));
        }
        if let Ok(inner) = decode_inner(&bytes) {
            prop_assert_eq!(decode_inner(&encode_inner(&inner)), Ok(inner));
        }
        drop(decode_record(&bytes));
    }
}

/// The golden requests, answers and inner parts as bytes.
fn golden() -> Vec<Vec<u8>> {
    static ALL: std::sync::OnceLock<Vec<Vec<u8>>> = std::sync::OnceLock::new();
    ALL.get_or_init(|| {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1");
        let mut paths: Vec<_> =
            fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        let words = ["request_", "answer_", "inner_", "record_"];
        let is_word = |path: &std::path::PathBuf| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            words.iter().any(|word| name.starts_with(word))
        };
        let hex = |text: String| {
            let digits: Vec<char> = text.chars().filter(char::is_ascii_hexdigit).collect();
            let byte =
                |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap();
            digits.chunks(2).map(byte).collect()
        };
        paths
            .into_iter()
            .filter(is_word)
            .map(|path| hex(fs::read_to_string(path).unwrap()))
            .collect()
    })
    .clone()
}

/// The smallest frame is two bytes on the wire and some hundred in memory.
#[test]
fn a_small_request_cannot_become_a_large_one() {
    let frames = vec![Frame::Synced; 1_000_000];
    let bytes = encode_request(&HopRequest { exchange: 0, frames });
    assert!(bytes.len() <= meshmq::engine::limits::FRAME_MAX);
    assert!(decode_request(&bytes).is_err());
}
