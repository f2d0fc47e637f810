//! MeshMQ: reliable queued messaging between machines that are not always connected, with no
//! server in the middle.
//!
//! A program hands a [`Message`] to its own node and gets on with its work: the node keeps it on
//! its disk and delivers it exactly once, whenever the destination can be reached.
//!
//! - A program that uses the machine's node takes [`Client::connect`]; `default-features = false,
//!   features = ["client"]` leaves the node out of its dependencies.
//! - A program that has a node within itself takes [`Node::builder`].
//!
//! Both give the same [`Client`], and with it a [`Queue`] to send to or to receive from. The
//! modules below are the parts of the node; what programs need is at the root.

pub mod engine;

#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "client")]
pub mod config;
#[cfg(feature = "client")]
pub mod os;

#[cfg(feature = "node")]
pub mod codec;
#[cfg(feature = "node")]
pub mod security;
#[cfg(feature = "node")]
pub mod store;

#[cfg(feature = "node")]
pub mod net;
#[cfg(feature = "node")]
pub mod runtime;

#[cfg(feature = "node")]
pub mod service;

#[cfg(feature = "node")]
pub mod gateway;

#[cfg(feature = "client")]
pub mod api;
#[cfg(feature = "node")]
pub mod cli;
#[cfg(feature = "node")]
pub mod daemon;
#[cfg(feature = "node")]
pub mod telemetry;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

#[cfg(feature = "client")]
pub use api::{
    Cause, Client, Delivery, Error, Event, Events, Message, MessageId, Peer, PeerState, Queue,
    QueueInfo, QueueSpec, QueuedMessage, Receipt, Receiver, ReceiverBuilder, Result, State,
};
#[cfg(feature = "node")]
pub use api::{Node, NodeBuilder, Preset};
