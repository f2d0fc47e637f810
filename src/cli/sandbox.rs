//! Real nodes on this machine alone, for the demo and the bench: child processes of this same program
//! in a temporary folder.
//!
//! Nothing is left behind: the nodes end when their standard input does, and a sweeper removes the
//! folder even if this process is killed.

mod cable;
mod folder;
mod node;

pub(super) use folder::{Folder, sweep};
pub(super) use node::Node;
