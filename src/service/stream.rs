//! Streams: deliveries under locks, one after the other, for as long as a program listens.
//!
//! At most a window of deliveries is out and not settled; the next one comes when one of them is. A
//! stream whose listener breaks off keeps its locks for a short while. Whoever comes back in time
//! says what it saw last: later deliveries, which it cannot have seen, return to the queue and come
//! again, and earlier ones are still its own.

use super::{Received, Service, ServiceError};
use crate::engine::address::QueueName;
use crate::engine::command::Settlement;
use crate::engine::limits::RECEIVE_MAX;
use crate::engine::step::Event;
use crate::engine::time::Timestamp;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::broadcast::error::RecvError;

/// Deliveries of a stream that may be out at once unless it says otherwise.
pub const WINDOW_DEFAULT: usize = 16;
/// How long a stream that broke off keeps its locks.
pub const RESUME_TIME_MAX: Duration = Duration::from_secs(10);

/// A place in a stream: what its last event was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamPlace {
    run: u32,
    session: u64,
    number: u64,
}

impl fmt::Display for StreamPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}.{:x}.{}", self.run, self.session, self.number)
    }
}

impl FromStr for StreamPlace {
    type Err = ServiceError;

    fn from_str(text: &str) -> Result<Self, ServiceError> {
        let read = || {
            let mut parts = text.split('.');
            let run = u32::from_str_radix(parts.next()?, 16).ok()?;
            let session = u64::from_str_radix(parts.next()?, 16).ok()?;
            let number = parts.next()?.parse().ok()?;
            Some(Self { run, session, number }).filter(|read| read.to_string() == text)
        };
        read()
            .ok_or_else(|| ServiceError::bad_value("the place in a stream", "what it said itself"))
    }
}

/// The streams of a node.
#[derive(Debug, Default)]
pub(super) struct Streams(Mutex<BTreeMap<u64, Known>>);

#[derive(Debug)]
struct Known {
    queue: QueueName,
    /// Which listener has it: a later one takes it from an earlier one.
    listener: u64,
    /// Deliveries that are not settled, by lock.
    out: BTreeMap<u64, Out>,
    /// Number of the last delivery.
    last: u64,
    changed: Arc<Notify>,
    filling: Filling,
}

/// Held while messages are being locked for a stream, so that none is overlooked by whoever resumes.
type Filling = Arc<tokio::sync::Mutex<()>>;

#[derive(Clone, Copy, Debug)]
struct Out {
    number: u64,
    until: Timestamp,
}

impl Streams {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_heard_by(&self, session: u64, listener: u64) -> bool {
        self.lock().get(&session).is_some_and(|known| known.listener == listener)
    }

    /// Takes note of deliveries and numbers them.
    fn handed_out(&self, session: u64, found: Vec<Received>) -> Vec<(u64, Received)> {
        let mut streams = self.lock();
        let Some(known) = streams.get_mut(&session) else { return Vec::new() };
        let number = |received: Received| {
            known.last += 1;
            let out = Out { number: known.last, until: received.lock.until };
            known.out.insert(received.lock.token.lock, out);
            (known.last, received)
        };
        found.into_iter().map(number).collect()
    }

    /// Locks of deliveries after the one of this number.
    fn after(&self, session: u64, number: u64) -> Vec<u64> {
        let streams = self.lock();
        let out = streams.get(&session).map(|known| known.out.iter()).into_iter().flatten();
        out.filter(|(_, out)| out.number > number).map(|(&lock, _)| lock).collect()
    }

    /// Takes note that a lock is settled, gone, or lasts until then.
    pub(super) fn settled(&self, lock: u64, until: Option<Timestamp>) {
        for known in self.lock().values_mut() {
            let Some(out) = known.out.get_mut(&lock) else { continue };
            match until {
                Some(until) => out.until = until,
                None => drop(known.out.remove(&lock)),
            }
            known.changed.notify_one();
        }
    }
}

/// What a stream is opened with.
#[derive(Clone, Copy, Debug)]
pub struct StreamOptions {
    /// Deliveries that may be out at once, 1 to [`RECEIVE_MAX`].
    pub window: usize,
    /// How long locks last unless extended, in milliseconds.
    pub lease_ms: u64,
    /// What was seen last, of a stream that broke off.
    pub after: Option<StreamPlace>,
}

/// A stream with its listener. When it is dropped its locks return, unless it is resumed in time.
pub struct DeliveryStream {
    service: Service,
    queue: QueueName,
    session: u64,
    listener: u64,
    options: StreamOptions,
    is_resumed: bool,
    ready: VecDeque<(u64, Received)>,
    changed: Arc<Notify>,
    filling: Filling,
}

impl Service {
    /// Opens a stream of a local queue, or goes on with one that broke off.
    ///
    /// # Errors
    /// A bad or remote address, no such queue, or too many streams.
    pub async fn stream(
        &self,
        queue: &str,
        options: StreamOptions,
    ) -> Result<DeliveryStream, ServiceError> {
        if !(1..=RECEIVE_MAX).contains(&options.window) {
            return Err(ServiceError::out_of_bounds(
                "a window",
                format!("from 1 to {RECEIVE_MAX}"),
            ));
        }
        let queue = self.queue(queue).await?.name;
        let listener = self.new_session();
        let resumed = options.after.filter(|place| place.run == self.0.run).and_then(|place| {
            let mut streams = self.0.streams.lock();
            let known = streams.get_mut(&place.session).filter(|known| known.queue == queue)?;
            known.listener = listener;
            known.changed.notify_one();
            Some((place, Arc::clone(&known.changed), Arc::clone(&known.filling)))
        });
        let (session, changed, filling) = match &resumed {
            Some((place, changed, filling)) => {
                (place.session, Arc::clone(changed), Arc::clone(filling))
            }
            None => self.begin(&queue, listener)?,
        };
        let stream = DeliveryStream {
            service: self.clone(),
            queue,
            session,
            listener,
            options,
            is_resumed: resumed.is_some(),
            ready: VecDeque::new(),
            changed,
            filling,
        };
        if let Some((place, ..)) = resumed {
            stream.give_back_unseen(place.number).await;
        }
        Ok(stream)
    }

    fn begin(
        &self,
        queue: &QueueName,
        listener: u64,
    ) -> Result<(u64, Arc<Notify>, Filling), ServiceError> {
        let mut streams = self.0.streams.lock();
        let max = self.0.parts.streams;
        if streams.len() >= max {
            return Err(ServiceError::TooManyStreams(max));
        }
        let (changed, filling) = (Arc::new(Notify::new()), Filling::default());
        let known = Known {
            queue: queue.clone(),
            listener,
            out: BTreeMap::new(),
            last: 0,
            changed: Arc::clone(&changed),
            filling: Arc::clone(&filling),
        };
        streams.insert(listener, known);
        Ok((listener, changed, filling))
    }
}

impl DeliveryStream {
    /// Whether it goes on with one that broke off.
    pub const fn is_resumed(&self) -> bool {
        self.is_resumed
    }

    /// The service it is of.
    pub const fn service(&self) -> &Service {
        &self.service
    }

    /// Where it stands before its next delivery.
    pub fn place(&self) -> StreamPlace {
        let last = self.service.0.streams.lock().get(&self.session).map_or(0, |known| known.last);
        self.place_of(last.saturating_sub(self.ready.len() as u64))
    }

    fn place_of(&self, number: u64) -> StreamPlace {
        StreamPlace { run: self.service.0.run, session: self.session, number }
    }

    /// The next delivery; none when the node stops, or another listener has resumed the stream.
    /// Nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// The engine's refusal: the queue was deleted, or the node has too many locks.
    pub async fn next(&mut self) -> Result<Option<(StreamPlace, Received)>, ServiceError> {
        let mut events = self.service.handle().events();
        loop {
            if let Some((number, received)) = self.ready.pop_front() {
                return Ok(Some((self.place_of(number), received)));
            }
            let Some((room, next_end)) = self.room() else { return Ok(None) };
            if room > 0 && self.fill(room).await? {
                continue;
            }
            let available = async {
                loop {
                    match events.recv().await {
                        Ok(Event::Available(name)) if name == self.queue => return true,
                        Ok(_) => {}
                        Err(RecvError::Lagged(_)) => return true,
                        Err(RecvError::Closed) => return false,
                    }
                }
            };
            tokio::select! {
                open = available, if room > 0 => if !open { return Err(ServiceError::Stopping) },
                () = self.changed.notified() => {}
                () = sleep_or_never(next_end) => {}
                () = self.service.0.parts.stop.cancelled() => return Ok(None),
            }
        }
    }

    /// How many more may be out, and when the first lease of those that are ends; none if another
    /// listener has the stream.
    fn room(&self) -> Option<(usize, Option<Duration>)> {
        let now = self.service.handle().now();
        let mut streams = self.service.0.streams.lock();
        let known = streams.get_mut(&self.session).filter(|k| k.listener == self.listener)?;
        known.out.retain(|_, out| out.until > now);
        let next = known.out.values().map(|out| out.until.since(now)).min();
        let room = self.options.window.saturating_sub(known.out.len());
        Some((room, next.map(Duration::from_millis)))
    }

    /// Locks what is there, up to the room; whether there was anything. It is done and written down
    /// even if nobody waits for it any more.
    async fn fill(&mut self, room: usize) -> Result<bool, ServiceError> {
        let (service, queue, filling) =
            (self.service.clone(), self.queue.clone(), Arc::clone(&self.filling));
        let (session, listener, lease_ms) = (self.session, self.listener, self.options.lease_ms);
        let filled = tokio::spawn(async move {
            let _filling = filling.lock().await;
            if !service.0.streams.is_heard_by(session, listener) {
                return Ok(Vec::new());
            }
            let found = service.take(&queue, room, lease_ms, session).await?;
            Ok::<_, ServiceError>(service.0.streams.handed_out(session, found))
        });
        let filled = filled.await.map_err(|why| ServiceError::Internal(why.to_string()))??;
        self.ready.extend(filled);
        Ok(!self.ready.is_empty())
    }

    /// Returns what was handed out after the last delivery that was seen.
    async fn give_back_unseen(&self, seen: u64) {
        let _filling = self.filling.lock().await;
        for lock in self.service.0.streams.after(self.session, seen) {
            // One that ran out meanwhile has returned by itself.
            let token = self.service.token(lock).to_string();
            let _ = self.service.settle(&token, Settlement::Return).await;
        }
    }
}

async fn sleep_or_never(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time + Duration::from_millis(1)).await,
        None => std::future::pending().await,
    }
}

impl Drop for DeliveryStream {
    fn drop(&mut self) {
        let (service, session, listener) = (self.service.clone(), self.session, self.listener);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(RESUME_TIME_MAX) => {}
                () = service.0.parts.stop.cancelled() => {}
            }
            let is_over = {
                let mut streams = service.0.streams.lock();
                let is_own = streams.get(&session).is_some_and(|k| k.listener == listener);
                is_own && streams.remove(&session).is_some()
            };
            if is_over {
                service.end_session(session).await;
            }
        });
    }
}

#[cfg(test)]
mod tests;
