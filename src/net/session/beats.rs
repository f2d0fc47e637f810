//! The beats of a proven connection: one a second each way, echoed by the other end.
//!
//! A beat is written only when the one before is on its way, and only the latest beat heard is
//! echoed, so that on a full link nothing piles up.

use super::Ending;
use crate::net::clock::Clock;
use crate::net::config::WallClock;
use crate::net::liveness::{BEAT_MS, CHECK_MS, Liveness, Verdict};
use crate::net::transport::Wire;
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval};

const BEAT: u8 = 1;
const ECHO: u8 = 2;
/// What the speaker's wall clock shows, in milliseconds since 1970.
const WALL: u8 = 3;
/// Beats between two of those; the first comes with the first beat.
const WALL_EVERY: u64 = 60;
/// A tag and a number.
const SIZE: usize = 9;

struct Shared<'a> {
    wire: &'a Wire,
    clock: Clock,
    wall: &'a WallClock,
    liveness: Mutex<Liveness>,
    /// The latest beat heard and not echoed; zero if none.
    to_echo: AtomicU64,
    heard: Notify,
}

impl Shared<'_> {
    fn liveness(&self) -> MutexGuard<'_, Liveness> {
        self.liveness.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Beats until the connection is silent or the stream ends.
pub(super) async fn exchange<S>(
    stream: &mut S,
    wire: &Wire,
    clock: Clock,
    wall: &WallClock,
) -> Ending
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let shared = Shared {
        wire,
        clock,
        wall,
        liveness: Mutex::new(Liveness::new(clock.now_ms())),
        to_echo: AtomicU64::new(0),
        heard: Notify::new(),
    };
    let (reader, writer) = stream.split();
    tokio::select! {
        _ = hear(reader, &shared) => Ending::Closed { admitted: true },
        _ = speak(writer, &shared) => Ending::Closed { admitted: true },
        silent = judge(&shared) => Ending::Silent(silent),
    }
}

async fn hear<R: AsyncRead + Unpin>(mut reader: R, shared: &Shared<'_>) -> io::Error {
    let mut frame = [0; SIZE];
    loop {
        if let Err(error) = reader.read_exact(&mut frame).await {
            return error;
        }
        let mut number = [0; 8];
        number.copy_from_slice(&frame[1..]);
        let number = u64::from_be_bytes(number);
        match frame[0] {
            BEAT => {
                shared.to_echo.store(number, Ordering::Relaxed);
                shared.heard.notify_one();
            }
            ECHO => {
                let measured = shared.liveness().echoed(number, shared.clock.now_us());
                if let Some(rtt_us) = measured {
                    shared.wire.note_rtt_us(rtt_us);
                }
            }
            WALL => shared.wire.note_wall(number, (shared.wall)()),
            // What a later version says here is a sign of life like any other.
            _ => {}
        }
    }
}

async fn speak<W: AsyncWrite + Unpin>(mut writer: W, shared: &Shared<'_>) -> io::Error {
    let mut ticks = interval(Duration::from_millis(BEAT_MS));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut beats = 0_u64;
    loop {
        let mut bytes = Vec::with_capacity(3 * SIZE);
        tokio::select! {
            _ = ticks.tick() => {
                put(&mut bytes, BEAT, shared.liveness().beat(shared.clock.now_us()));
                if beats.is_multiple_of(WALL_EVERY) {
                    put(&mut bytes, WALL, (shared.wall)());
                }
                beats += 1;
            }
            () = shared.heard.notified() => {}
        }
        match shared.to_echo.swap(0, Ordering::Relaxed) {
            0 => {}
            number => put(&mut bytes, ECHO, number),
        }
        let written = async {
            writer.write_all(&bytes).await?;
            writer.flush().await
        };
        if let Err(error) = written.await {
            return error;
        }
    }
}

fn put(bytes: &mut Vec<u8>, tag: u8, number: u64) {
    bytes.push(tag);
    bytes.extend_from_slice(&number.to_be_bytes());
}

async fn judge(shared: &Shared<'_>) -> u64 {
    let mut ticks = interval(Duration::from_millis(CHECK_MS));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let heard = shared.wire.heard_ms();
        let verdict = shared.liveness().check(heard, shared.clock.now_ms());
        if let Verdict::Dead(silent) = verdict {
            return silent;
        }
    }
}
