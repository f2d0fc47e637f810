//! The real program where things go wrong: damaged files, a full disk, a disk that fails.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "the reason of a skip is for people")]

#[allow(dead_code, reason = "each test target uses its own part")]
#[path = "cli/node.rs"]
mod node;

#[path = "operations/clock.rs"]
mod clock;
#[path = "operations/damage.rs"]
mod damage;
#[path = "operations/disk_fails.rs"]
mod disk_fails;
#[path = "operations/full_disk.rs"]
mod full_disk;
#[path = "operations/room.rs"]
mod room;
