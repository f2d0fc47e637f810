//! The bounds of a door that a configuration can move.

use std::time::Duration;

/// The bounds of each door for programs. Refuses to hold those of messages: they are the engine's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoorLimits {
    /// Connections at once, one at least; further ones are told so and closed.
    pub connections: usize,
    /// Streams of deliveries at once, of all doors together, those that may be resumed included.
    pub streams: usize,
    /// How long the head of a request may take from its first byte; the first one over TCP, and a TLS
    /// handshake, from the start of the connection.
    pub head: Duration,
    /// How long the body of a request may take to come; each piece of a raw one.
    pub body: Duration,
    /// How long an answer waits for somebody who reads nothing of it.
    pub write: Duration,
    /// The largest JSON body of a send, in bytes. A raw one is bounded as the body of a message is.
    pub json_bytes: usize,
}

impl Default for DoorLimits {
    fn default() -> Self {
        Self {
            connections: 512,
            streams: 256,
            head: Duration::from_secs(5),
            body: Duration::from_secs(30),
            write: Duration::from_secs(30),
            // One largest message whose every byte needs an escape, or a batch.
            json_bytes: 8 * 1024 * 1024,
        }
    }
}
