//! The deterministic engine: all queueing, custody, ordering and routing rules.
//!
//! [`Engine::process`] is its only door. What is deliberately absent: I/O, clocks, randomness,
//! async code, libp2p, sled, encodings and signatures.

mod carriage;
mod control;
mod dead;
mod destination;
mod directory;
#[expect(clippy::module_inception, reason = "the engine is what this module is about")]
mod engine;
mod links;
mod node;
mod once;
mod origin;
mod partials;
mod policy;
mod queues;
mod sweep;
mod topology;
mod turn;

pub mod address;
pub mod command;
pub mod explain;
pub mod frame;
pub mod ids;
pub mod limits;
pub mod message;
pub mod ranges;
pub mod record;
pub mod rejection;
pub mod statement;
pub mod step;
pub mod storage;
pub mod time;

pub use engine::{CLOCK_JUMP_MAX_MS, Engine, EngineError, Setup};
