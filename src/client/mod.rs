//! What a program outside the node needs to talk to it: the JSON of the HTTP door, and a small
//! HTTP client over the node's Unix socket.
//!
//! Refuses to know what is behind the door; the gateway serializes the same types.

pub(crate) mod again;
pub mod events;
pub mod http;
pub mod json;
pub mod path;
pub mod raw;
