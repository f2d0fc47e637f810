//! The few calls that differ between operating systems.
//!
//! Refuses to hold any rule: it answers questions about the machine and nothing else.

mod group;
mod process;
mod supervisor;

pub use group::{UnknownGroup, group_id};
pub use process::{Usage, raise_open_files, usage};
pub use supervisor::Supervisor;

use std::time::Duration;

/// Time since the machine was started, time in suspend included where the system counts it.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn since_boot() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Time since some moment before the first call, time in suspend included where the system counts
/// it.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn since_boot() -> Duration {
    static FIRST: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    FIRST.get_or_init(std::time::Instant::now).elapsed()
}

/// Milliseconds since 1970 by the wall clock; zero if it stands before.
pub fn wall_ms() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

/// Number of the user that this process acts as.
#[cfg(unix)]
pub fn user_id() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The machine's name as the system gives it; empty if it gives none.
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
