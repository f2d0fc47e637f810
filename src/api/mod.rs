//! The Rust API: a node within the program, or a client of the machine's node, with the same types.
//!
//! ```no_run
//! # async fn example() -> meshmq::Result<()> {
//! use meshmq::{Client, Message};
//! use std::time::Duration;
//!
//! let client = Client::connect(None).await?;
//! let orders = client.queue("orders@pc-b"); // may be away for days
//! let receipt = orders.send(Message::new("two boxes").label("sale")).await?;
//! println!("{} is safe on this disk", receipt.id());
//!
//! let inbox = client.queue("price-updates");
//! let mut updates = inbox.receiver().lock_for(Duration::from_secs(60)).start().await?;
//! while let Some(delivery) = updates.next().await {
//!     let delivery = delivery?;
//!     println!("{:?}", delivery.message().body);
//!     delivery.ack().await?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Everything is asked of a `Way`: over the node's socket, or of the service of a node in
//! the same process. Refuses to hold rules: what the node refuses is passed on.

mod body;
mod client;
mod delivery;
mod error;
mod events;
#[cfg(any(test, feature = "testing"))]
mod lives;
#[cfg(feature = "node")]
mod local;
mod message;
#[cfg(feature = "node")]
mod node;
mod queue;
mod receipt;
mod receiver;
mod socket;
mod way;

pub use body::BodyStream;
pub use client::Client;
pub use delivery::Delivery;
pub use error::{Cause, Error, Result};
pub use events::{Event, Events};
#[cfg(any(test, feature = "testing"))]
pub(crate) use lives::Lives;
pub use message::{Message, MessageId, QueuedMessage};
#[cfg(feature = "node")]
pub use node::{Node, NodeBuilder, Preset};
pub use queue::{Peeked, Queue, QueueInfo, QueueSpec};
pub use receipt::{Receipt, State};
pub use receiver::{Receiver, ReceiverBuilder};
pub use way::{Peer, PeerState};
