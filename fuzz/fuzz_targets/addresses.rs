//! Names that people type: of nodes, queues, messages, and where a node listens. What is read prints
//! as a text that reads back as the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use meshmq::engine::address::{NodeId, QueueName};
use meshmq::engine::ids::MessageRef;
use meshmq::net::{ListenAddr, PeerAddr};
use meshmq::security::NodeName;
use std::fmt::{Debug, Display};
use std::str::FromStr;

fuzz_target!(|text: &str| {
    if let Some(node) = read::<NodeId>(text) {
        assert_eq!(node.to_string(), text.to_ascii_lowercase());
    }
    if let Some(queue) = read::<QueueName>(text) {
        assert_eq!(queue.as_str(), text);
    }
    if let Some(name) = read::<NodeName>(text) {
        assert_eq!(name.as_str(), text);
    }
    read::<MessageRef>(text);
    if let Ok(peer) = text.parse::<PeerAddr>() {
        let again: PeerAddr = peer.to_string().parse().expect("what is shown can be typed");
        assert_eq!((again.host, again.port), (peer.host, peer.port));
        assert_eq!(text.parse::<ListenAddr>().is_ok(), peer.node.is_none());
    }
});

fn read<T: FromStr + Display + Debug + PartialEq>(text: &str) -> Option<T> {
    let read = text.parse::<T>().ok()?;
    let again = read.to_string().parse::<T>().ok();
    assert_eq!(again.as_ref(), Some(&read));
    Some(read)
}
