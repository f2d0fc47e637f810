//! What turns the engine into something that async code can call: one thread and one clock.
//!
//! ```text
//!  Handle::call, Handle::input ──bounded channel──▶ engine thread ──▶ Engine::process (one commit)
//!       ▲                                               │
//!       └── replies by ticket ◀─────────────────────────┼──▶ requests and answers: a closure (net)
//!                                                       └──▶ events: a broadcast
//! ```
//!
//! Refuses to decide anything about messages, and to touch a disk on a worker of the async runtime.

mod clock;
mod compacting;
mod engine_thread;
mod handle;
mod histogram;
mod timed;
mod work;

pub use clock::{Clock, WallStand};
pub use compacting::Compacted;
pub use engine_thread::{DRAIN_MAX, Machine, spawn, spawn_task};
pub use handle::{CallError, EVENTS_MAX, Ending, Handle, INPUTS_MAX};
pub use histogram::{Counted, Histogram};
pub use timed::Timed;
pub use work::{Watched, Work, Worked};
