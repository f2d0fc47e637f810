//! What a request brings: percent-encoded values of headers, properties in headers, and JSON.

#![no_main]

use libfuzzer_sys::fuzz_target;
use meshmq::client::json::{AckRequest, Batch, InviteRequest, QueueSpec, ReceiveRequest, SendBody};
use meshmq::gateway::http::fuzzing;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A number of so many characters is always exact.
const DIGITS: usize = 12;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        assert_eq!(fuzzing::decoded(&fuzzing::encoded(text)).as_deref(), Some(text));
        if let Some(decoded) = fuzzing::decoded(text) {
            assert!(decoded.len() <= text.len());
        }
    }
    fuzzing::properties_in(bytes);
    if let Some(body) = SendBody::parse(bytes).ok().filter(|_| is_exact(bytes)) {
        let written = serde_json::to_vec(&body).expect("it is written");
        assert_eq!(SendBody::parse(&written).ok().as_ref(), Some(&body));
    }
    read::<Batch>(bytes);
    read::<ReceiveRequest>(bytes);
    read::<AckRequest>(bytes);
    read::<QueueSpec>(bytes);
    read::<InviteRequest>(bytes);
});

fn read<T: DeserializeOwned + Serialize>(json: &[u8]) {
    if let Ok(request) = serde_json::from_slice::<T>(json) {
        let written = serde_json::to_vec(&request).expect("it is written");
        let again: T = serde_json::from_slice(&written).expect("what was written is read");
        let rewritten = serde_json::to_vec(&again).expect("it is written");
        assert!(rewritten == written || !is_exact(&written));
    }
}

/// Whether the JSON library reads every number of a text as what it wrote: it is one bit off in the
/// last place of some long ones.
fn is_exact(json: &[u8]) -> bool {
    fn of(value: &Value) -> bool {
        match value {
            Value::Number(number) => !number.is_f64() || number.to_string().len() <= DIGITS,
            Value::Array(items) => items.iter().all(of),
            Value::Object(members) => members.values().all(of),
            _ => true,
        }
    }
    serde_json::from_slice(json).is_ok_and(|value| of(&value))
}
