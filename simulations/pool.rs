//! Runs on several threads, each result handed over as it comes.
//!
//! Refuses to put them in order: whoever wants that keeps the early ones.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;

/// Does the work of every number from 0 on, below `most` and until `stop`, on so many threads.
/// Work that has begun is ended, and its result handed over; an error of the receiver stops all.
pub(crate) fn each<T: Send>(
    jobs: usize,
    most: u64,
    stop: &AtomicBool,
    work: impl Fn(u64) -> T + Sync,
    mut came: impl FnMut(u64, T) -> io::Result<()>,
) -> io::Result<()> {
    let next = AtomicU64::new(0);
    let threads = jobs.clamp(1, usize::try_from(most).unwrap_or(usize::MAX).max(1));
    std::thread::scope(|scope| {
        // A receiver that is slow holds the work up, so that results do not pile up.
        let (sender, receiver) = mpsc::sync_channel(threads);
        for _ in 0..threads {
            let (sender, next, work) = (sender.clone(), &next, &work);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= most || sender.send((index, work(index))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for (index, result) in receiver {
            came(index, result).inspect_err(|_| stop.store(true, Ordering::Relaxed))?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests;
