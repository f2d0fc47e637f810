//! A panic inside sled becomes an error, and no backtrace reaches the user's terminal.
//!
//! The process's panic hook is wrapped once; it stays silent only for the thread that is inside
//! [`guard`], and for sled's own threads while a store is being opened.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

static OPENING: AtomicUsize = AtomicUsize::new(0);
static HOOK: Once = Once::new();

/// Runs `work`; if it panics, gives the panic's message.
pub(super) fn guard<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    HOOK.call_once(wrap_hook);
    let outer = GUARDED.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(outer);
    result.map_err(|payload| {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a panic without a message".to_owned())
    })
}

/// As [`guard`], and sled's own threads are silent too.
pub(super) fn guard_opening<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    OPENING.fetch_add(1, Ordering::SeqCst);
    let result = guard(work);
    OPENING.fetch_sub(1, Ordering::SeqCst);
    result
}

fn wrap_hook() {
    let loud = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !is_silent() {
            loud(info);
        }
    }));
}

fn is_silent() -> bool {
    let is_sleds = |name: &str| name.starts_with("sled-") || name == "log flusher";
    GUARDED.try_with(Cell::get).unwrap_or(false)
        || OPENING.load(Ordering::SeqCst) > 0 && thread::current().name().is_some_and(is_sleds)
}
