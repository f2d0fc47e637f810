//! News of the node, as they happen. Each has a place; the last ones are kept, so that a reader that
//! broke off goes on where it was, or is told that something is missing.
//!
//! They are collected only while somebody reads, and for a short while after: whoever listens to the
//! engine costs something with every event. Refuses to keep anything over a restart.

use super::{LinkNews, Sent, Service, ServiceError};
use crate::engine::address::QueueName;
use crate::engine::ids::MessageId;
use crate::engine::step::Event;
use crate::security::random;
use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::sync::watch;

/// News that are kept for readers that are slow, or come back.
pub const NEWS_KEPT: usize = 10_000;
/// How long news are collected at least after the last reader went.
pub const NEWS_KEEP_TIME: Duration = Duration::from_secs(60);

/// Something that happened at the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A message that was sent here has come further.
    State(Sent),
    /// A message came into a local queue.
    Entered {
        /// Which queue.
        queue: QueueName,
        /// Which message.
        id: MessageId,
    },
    /// A program received a message of a local queue.
    Consumed {
        /// Which queue.
        queue: QueueName,
        /// Which message.
        id: MessageId,
    },
    /// A link came up or went down.
    Link {
        /// The other end, by name, or by id if the name is not known here.
        node: String,
        /// Whether it is up now.
        up: bool,
    },
    /// News are missing here: so many, if that is known. The reader was too slow, or away for too long,
    /// or the node was started again.
    Lagged(Option<u64>),
}

/// A place among the news: which ones were seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewsPlace {
    /// Drawn when the node began to collect.
    feed: u32,
    number: u64,
}

impl fmt::Display for NewsPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}.{}", self.feed, self.number)
    }
}

impl FromStr for NewsPlace {
    type Err = ServiceError;

    fn from_str(text: &str) -> Result<Self, ServiceError> {
        let read = || {
            let (feed, number) = text.split_once('.')?;
            let feed = u32::from_str_radix(feed, 16).ok()?;
            let number = number.parse().ok()?;
            Some(Self { feed, number }).filter(|read| read.to_string() == text)
        };
        read().ok_or_else(|| ServiceError::bad_value("the place among events", "what they said"))
    }
}

/// Where news are pinned up, while somebody reads them.
#[derive(Debug, Default)]
pub(super) struct Board(Mutex<Option<Arc<Feed>>>);

#[derive(Debug)]
struct Feed {
    id: u32,
    kept: Mutex<Kept>,
    /// Number of the last one; its receivers are the readers.
    last: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Kept {
    news: VecDeque<News>,
    /// Number of the last one.
    last: u64,
}

impl Feed {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pin(&self, news: News) {
        let mut kept = self.kept();
        if kept.news.len() >= NEWS_KEPT {
            kept.news.pop_front();
        }
        kept.news.push_back(news);
        kept.last += 1;
        self.last.send_replace(kept.last);
    }
}

impl Board {
    fn lock(&self) -> MutexGuard<'_, Option<Arc<Feed>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes down what nobody reads.
    fn take_down(&self) -> bool {
        let mut board = self.lock();
        let is_read = board.as_ref().is_some_and(|feed| feed.last.receiver_count() > 0);
        if !is_read {
            *board = None;
        }
        !is_read
    }
}

/// Somebody who reads the news.
#[derive(Debug)]
pub struct NewsReader {
    service: Service,
    feed: Arc<Feed>,
    changed: watch::Receiver<u64>,
    /// Number of the next one to be read.
    next: u64,
    is_resumed: bool,
    /// Whether it is still to be told that something is missing.
    is_behind: bool,
}

impl Service {
    /// Reads what happens from now on, until the node stops, or after a place among earlier news. Must be
    /// called within a runtime.
    pub fn news(&self, after: Option<NewsPlace>) -> NewsReader {
        let (feed, changed) = {
            let mut board = self.0.board.lock();
            let feed = board.get_or_insert_with(|| self.begin_to_collect());
            (Arc::clone(feed), feed.last.subscribe())
        };
        let last = feed.kept().last;
        let seen = after.filter(|seen| seen.feed == feed.id && seen.number <= last);
        NewsReader {
            service: self.clone(),
            next: seen.map_or(last, |seen| seen.number) + 1,
            is_resumed: seen.is_some(),
            is_behind: after.is_some() && seen.is_none(),
            feed,
            changed,
        }
    }

    fn begin_to_collect(&self) -> Arc<Feed> {
        let id = u32::from_be_bytes(random::<4>());
        let feed = Arc::new(Feed { id, kept: Mutex::default(), last: watch::Sender::new(0) });
        let (messages, links) = (self.handle().events(), self.link_news());
        tokio::spawn(collect(self.clone(), Arc::clone(&feed), messages, links));
        feed
    }
}

/// Pins up what happens, until nobody has read it for a while.
async fn collect(
    service: Service,
    feed: Arc<Feed>,
    mut messages: Receiver<Event>,
    mut links: Receiver<LinkNews>,
) {
    let mut look = tokio::time::interval(NEWS_KEEP_TIME);
    let mut was_read = true;
    loop {
        let news = tokio::select! {
            event = messages.recv() => match event {
                Ok(Event::State { id, state }) => News::State(Sent { id: id.reference(), state }),
                Ok(Event::Entered { queue, id, .. }) => News::Entered { queue, id },
                Ok(Event::Consumed { queue, id }) => News::Consumed { queue, id },
                Ok(_) => continue,
                Err(RecvError::Lagged(missed)) => News::Lagged(Some(missed)),
                Err(RecvError::Closed) => return,
            },
            news = links.recv() => match news {
                Ok(LinkNews { node, up }) => News::Link { node: service.node_text(node), up },
                Err(RecvError::Lagged(missed)) => News::Lagged(Some(missed)),
                Err(RecvError::Closed) => return,
            },
            _ = look.tick() => {
                let is_read = feed.last.receiver_count() > 0;
                if !is_read && !was_read && service.0.board.take_down() {
                    return;
                }
                was_read = is_read;
                continue;
            }
            () = service.stopping() => return,
        };
        feed.pin(news);
    }
}

impl NewsReader {
    /// Whether it goes on after the place that was given.
    pub const fn is_resumed(&self) -> bool {
        self.is_resumed
    }

    /// What has been read: the place to go on after.
    pub fn place(&self) -> NewsPlace {
        NewsPlace { feed: self.feed.id, number: self.next - 1 }
    }

    /// The next one; none when the node stops.
    pub async fn next(&mut self) -> Option<News> {
        loop {
            if self.service.is_stopping() {
                return None;
            }
            if let Some(news) = self.take() {
                return Some(news);
            }
            tokio::select! {
                changed = self.changed.changed() => changed.ok()?,
                () = self.service.stopping() => return None,
            }
        }
    }

    /// The next one that is there.
    fn take(&mut self) -> Option<News> {
        if std::mem::take(&mut self.is_behind) {
            return Some(News::Lagged(None));
        }
        let kept = self.feed.kept();
        let first = kept.last + 1 - kept.news.len() as u64;
        if self.next < first {
            let missed = first - self.next;
            self.next = first;
            return Some(News::Lagged(Some(missed)));
        }
        let at = usize::try_from(self.next - first).ok()?;
        let news = kept.news.get(at)?.clone();
        self.next += 1;
        Some(news)
    }
}

#[cfg(test)]
mod tests;
