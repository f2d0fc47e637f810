//! Checks of the machine: its disk, its clock, its firewall.

use super::super::units::{size, span};
use super::{Finding, Outcome};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

/// Writes that are timed; the median counts.
const SYNCS: usize = 11;
/// Bytes of each.
const SYNC_BYTES: usize = 4_096;
/// From here on a sync is slow: every durable send waits for one.
const SYNC_SLOW: Duration = Duration::from_millis(20);
/// From here on something is wrong with the disk.
const SYNC_BROKEN: Duration = Duration::from_millis(500);
/// A clock before this, in seconds since 1970, has not been set: 2024 began then.
const CLOCK_FIRST_S: u64 = 1_704_067_200;
/// How far the clock may lie behind what is written on the disk.
const CLOCK_BEHIND: Duration = Duration::from_secs(60);
/// Name of the file that is written to measure; it is deleted again.
const PROBE: &str = "doctor.probe";

/// How long the disk takes to make a small write durable.
pub(super) fn sync(data: &Path) -> Finding {
    let path = data.join(PROBE);
    let measured = median_sync(&path);
    let _ = fs::remove_file(&path);
    match measured {
        Ok(median) => {
            let ms = median.as_secs_f64() * 1_000.0;
            let detail = format!("a durable write of 4 KiB takes {ms:.2} ms");
            if median >= SYNC_BROKEN {
                Finding::new("sync", Outcome::Fail, detail)
                    .hint("look at the disk and the system's log: it may be failing")
            } else if median >= SYNC_SLOW {
                Finding::new("sync", Outcome::Warn, detail)
                    .hint("every durable send waits for it: an SSD, or sending in batches, helps")
            } else {
                Finding::new("sync", Outcome::Ok, detail)
            }
        }
        Err(why) if why.kind() == io::ErrorKind::NotFound => {
            Finding::new("sync", Outcome::Ok, "not measured: the node's directory is not made yet")
        }
        Err(why) => Finding::new("sync", Outcome::Warn, format!("cannot be measured: {why}"))
            .hint("run as the node's user"),
    }
}

fn median_sync(path: &Path) -> io::Result<Duration> {
    let mut file = File::create(path)?;
    let mut times = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        let begun = Instant::now();
        file.write_all(&[0; SYNC_BYTES])?;
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    times.sort();
    Ok(times[SYNCS / 2])
}

/// Room on the disk, against the reserve at which the node refuses work.
pub(super) fn space(data: &Path, reserve: u64) -> Finding {
    // A directory that is not made yet will lie on the disk of the first one above it that is.
    let there = data.ancestors().find(|dir| dir.exists()).unwrap_or(data);
    match fs4::available_space(there) {
        Ok(free) => {
            let detail = format!("{} free, {} are kept as a reserve", size(free), size(reserve));
            let hint = "free space on the disk of the node's directory: at the reserve, sends are \
                        refused";
            if free < reserve {
                Finding::new("space", Outcome::Fail, detail).hint(hint)
            } else if free < reserve.saturating_mul(2) {
                Finding::new("space", Outcome::Warn, detail).hint(hint)
            } else {
                Finding::new("space", Outcome::Ok, detail)
            }
        }
        Err(why) => Finding::new("space", Outcome::Warn, format!("cannot be told: {why}")),
    }
}

/// Whether the wall clock can be right.
pub(super) fn clock(data: &Path) -> Finding {
    let now = SystemTime::now();
    let seconds = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let hint = "set the clock, by NTP best: tokens expire by it, and times that are shown come \
                from it; no message is lost by it";
    if seconds < CLOCK_FIRST_S {
        return Finding::new("clock", Outcome::Fail, "it was never set").hint(hint);
    }
    let written = fs::metadata(data.join("node.json")).and_then(|found| found.modified());
    let behind = written.ok().and_then(|written| written.duration_since(now).ok());
    match behind.filter(|behind| *behind > CLOCK_BEHIND) {
        Some(behind) => {
            let behind = span(behind.as_secs_f64());
            let detail = format!("it is {behind} behind what is written on the disk");
            Finding::new("clock", Outcome::Warn, detail).hint(hint)
        }
        None => Finding::new("clock", Outcome::Ok, "it is set"),
    }
}

/// The firewall that is active, of the two whose commands are known.
pub(super) fn firewall_tool() -> Option<&'static str> {
    let ufw = fs::read_to_string("/etc/ufw/ufw.conf").unwrap_or_default();
    if ufw.lines().any(|line| line.trim() == "ENABLED=yes") {
        return Some("ufw");
    }
    Path::new("/run/firewalld").exists().then_some("firewalld")
}
