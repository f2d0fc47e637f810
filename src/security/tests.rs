//! Whole dialogues between nodes in memory, and the attacks on them.

mod attacks;
mod crashes;
mod flips;
mod golden;
mod joining;
mod links;
pub(in crate::security) mod mint;
pub(in crate::security) mod world;
