//! What a request brings: percent-encoded values of headers, properties in headers, and JSON.

#![no_main]

use libfuzzer_sys::fuzz_target;
use meshmq::client::json::{AckRequest, Batch, InviteRequest, QueueSpec, ReceiveRequest, SendBody};
use meshmq::gateway::http::fuzzing;
use serde::Serialize;
use serde::de::DeserializeOwned;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        assert_eq!(fuzzing::decoded(&fuzzing::encoded(text)).as_deref(), Some(text));
        if let Some(decoded) = fuzzing::decoded(text) {
            assert!(decoded.len() <= text.len());
        }
    }
    fuzzing::properties_in(bytes);
    if let Ok(body) = SendBody::parse(bytes) {
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
        assert_eq!(serde_json::to_vec(&again).expect("it is written"), written);
    }
}
