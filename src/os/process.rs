//! What a process costs, as the system counts it, and what it may open. Costs on Linux only;
//! elsewhere nothing is known of them.

use std::fs;
use std::time::Duration;

/// What a process has and has used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Descriptors that are open.
    pub open_files: u64,
    /// How many may be open.
    pub open_files_max: u64,
    /// Memory that is resident, in bytes.
    pub resident_bytes: u64,
    /// Size of its program on the disk, in bytes.
    pub program_bytes: u64,
    /// Time on a processor since the start, of threads that still run.
    pub cpu: Duration,
    /// How often a thread was woken since the start, of threads that still run.
    pub wakeups: u64,
}

/// What the process of that number has and has used. `None` if it is gone, is another user's, or
/// the system does not tell.
pub fn usage(pid: u32) -> Option<Usage> {
    let root = format!("/proc/{pid}");
    let read = |name: &str| fs::read_to_string(format!("{root}/{name}")).ok();
    let mut usage = Usage {
        open_files: fs::read_dir(format!("{root}/fd")).ok()?.count() as u64,
        open_files_max: open_files_max(&read("limits")?)?,
        resident_bytes: field(&read("status")?, "VmRSS:")? * 1_024,
        program_bytes: fs::metadata(format!("{root}/exe")).map_or(0, |found| found.len()),
        ..Usage::default()
    };
    for task in fs::read_dir(format!("{root}/task")).ok()?.flatten() {
        let of = |name: &str| fs::read_to_string(task.path().join(name)).unwrap_or_default();
        let nanos = of("schedstat").split(' ').next().and_then(|text| text.parse().ok());
        usage.cpu += Duration::from_nanos(nanos.unwrap_or(0));
        usage.wakeups += field(&of("status"), "voluntary_ctxt_switches:").unwrap_or(0);
    }
    Some(usage)
}

/// Has this process allow itself so many open files, as far as it may. Tells how many it may open now.
pub fn raise_open_files(wanted: u64) -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let now = current.unwrap_or(u64::MAX);
    let reachable = wanted.min(maximum.unwrap_or(u64::MAX));
    if now >= reachable {
        return now;
    }
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(reachable), maximum });
    if raised.is_ok() { reachable } else { now }
}

/// The number in a line that begins with a name.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The soft limit on open files.
fn open_files_max(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let soft = line.split_whitespace().next()?;
    Some(if soft == "unlimited" { u64::MAX } else { soft.parse().ok()? })
}

#[cfg(test)]
mod tests;
