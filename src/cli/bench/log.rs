//! The plain log: what a durable queue cannot beat on this disk.
//!
//! Senders hand their messages to one writer. It writes all that wait in one write, syncs once, and
//! lets them all go on. Nothing is indexed, checked or ever deleted.

use super::super::error::{CliError, Exit};
use super::Plan;
use super::measure::Figures;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// Writes that are timed for the settings.
const SYNCS: usize = 64;

/// A message, and where to say that it is durable.
type Job = (Vec<u8>, Sender<()>);

/// The median time of a write and its sync, in microseconds.
pub(super) fn sync_time(folder: &Path, size: usize) -> io::Result<f64> {
    let mut file = File::create(folder.join("sync"))?;
    let body = vec![0x5a; size];
    let mut times = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        let begun = Instant::now();
        file.write_all(&body)?;
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    Ok(Figures::of(times, Duration::from_secs(1)).p50_us)
}

/// A run with so many senders.
pub(super) fn run(senders: usize, plan: &Plan<'_>) -> io::Result<Figures> {
    let path = plan.folder.join("log");
    let file = File::create(&path)?;
    let (jobs, waiting) = mpsc::channel::<Job>();
    let writer = thread::spawn(move || write(file, &waiting));
    let begun = Instant::now();
    let until = begun + plan.length;
    let threads: Vec<_> = (0..senders)
        .map(|_| {
            let (jobs, body) = (jobs.clone(), vec![0x5a; plan.size]);
            thread::spawn(move || send(&jobs, &body, until))
        })
        .collect();
    drop(jobs);
    let each = threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect();
    let figures = Figures::of(each, begun.elapsed());
    writer.join().unwrap_or_else(|_| Err(io::Error::other("the writer is gone")))?;
    std::fs::remove_file(path)?;
    Ok(figures)
}

fn send(jobs: &Sender<Job>, body: &[u8], until: Instant) -> Vec<Duration> {
    let (done, durable) = mpsc::channel();
    let mut each = Vec::new();
    while Instant::now() < until {
        let begun = Instant::now();
        if jobs.send((body.to_vec(), done.clone())).is_err() || durable.recv().is_err() {
            break;
        }
        each.push(begun.elapsed());
    }
    each
}

fn write(mut file: File, waiting: &Receiver<Job>) -> io::Result<()> {
    let mut bytes = Vec::new();
    while let Ok(first) = waiting.recv() {
        let group: Vec<Job> = std::iter::once(first).chain(waiting.try_iter()).collect();
        bytes.clear();
        group.iter().for_each(|(body, _)| bytes.extend_from_slice(body));
        file.write_all(&bytes)?;
        file.sync_data()?;
        // A sender that has gone does not wait.
        for (_, done) in group {
            let _ = done.send(());
        }
    }
    Ok(())
}

/// What the disk said.
pub(super) fn failed(why: io::Error) -> CliError {
    CliError::new(Exit::Disk, "disk", format!("the folder cannot be written: {why}"))
}
