//! Dead letters, named by the ids of their messages.

use super::answer::Budget;
use super::message::read_inner;
use super::queues::count;
use super::send::{accepted, parse_id};
use super::{Sent, Service, ServiceError};
use crate::engine::command::{Command, DeadView, MessageState, Reply};
use crate::engine::ids::MessageRef;
use crate::engine::message::Short;
use crate::engine::record::DeathReason;
use crate::engine::time::Timestamp;
use crate::security::random;

/// Dead letters that one page holds at most.
pub const DEAD_PAGE_MAX: usize = 256;

/// Dead letters that one step of a search holds.
const SEARCH_STEP: usize = 16;

/// A dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The message's id.
    pub id: MessageRef,
    /// Where it was going, as `queue@node`.
    pub destination: String,
    /// Why it died.
    pub reason: DeathReason,
    /// When.
    pub died_at: Timestamp,
    /// Whether it may have arrived.
    pub unconfirmed: bool,
    /// Its label.
    pub label: String,
}

impl Service {
    /// Lists dead letters in the order of dying, and tells after which the next page begins.
    ///
    /// # Errors
    /// [`ServiceError::Stopping`].
    pub async fn dead_letters(
        &self,
        after: Option<u64>,
        max: usize,
    ) -> Result<(Vec<DeadLetter>, Option<u64>), ServiceError> {
        let mut budget = Budget::new(max.clamp(1, DEAD_PAGE_MAX));
        let (mut letters, mut last) = (Vec::new(), after);
        loop {
            let step = budget.step();
            if step == 0 {
                return Ok((letters, last));
            }
            let views = self.dead_views(last, step).await?;
            let is_last = views.len() < step;
            for view in views {
                budget.add(view.inner.bytes.len());
                last = Some(view.letter);
                letters.push(DeadLetter {
                    id: view.id.reference(),
                    destination: format!("{}@{}", view.queue, self.node_text(view.destination)),
                    reason: view.reason,
                    died_at: view.died_at,
                    unconfirmed: view.unconfirmed,
                    label: read_inner(&view.inner)
                        .map(|(inner, _)| inner.label)
                        .unwrap_or_default(),
                });
            }
            if is_last {
                return Ok((letters, None));
            }
        }
    }

    /// Sends a dead letter again, under a new id.
    ///
    /// # Errors
    /// [`ServiceError::NoSuchLetter`]; `MayDuplicate` for an unconfirmed one without
    /// `may_duplicate`; another refusal of the engine.
    pub async fn retry_dead(&self, id: &str, may_duplicate: bool) -> Result<Sent, ServiceError> {
        let letter = self.letter_of(id).await?;
        let target = (letter.destination, letter.queue);
        let letter = letter.letter;
        let command = Command::RetryDead { letter, may_duplicate, salt: Short(random()) };
        let ids = accepted(self.call(command).await?)?;
        self.count_sent(&[target], &ids);
        let id =
            ids.first().ok_or_else(|| ServiceError::Internal("an id is missing".to_owned()))?;
        Ok(Sent { id: id.reference(), state: MessageState::Stored })
    }

    /// Deletes the dead letter of one message, or all; tells how many.
    ///
    /// # Errors
    /// [`ServiceError::BadId`], [`ServiceError::NoSuchLetter`].
    pub async fn purge_dead(&self, id: Option<&str>) -> Result<u64, ServiceError> {
        let letter = match id {
            Some(id) => Some(self.letter_of(id).await?.letter),
            None => None,
        };
        count(self.call(Command::PurgeDead(letter)).await?)
    }

    /// The letter of a message, found by going through the pages: dead letters are few.
    async fn letter_of(&self, id: &str) -> Result<DeadView, ServiceError> {
        let wanted = parse_id(id)?;
        let mut after = None;
        loop {
            let page = self.dead_views(after, SEARCH_STEP).await?;
            let last = page.last().filter(|_| page.len() >= SEARCH_STEP).map(|last| last.letter);
            if let Some(found) = page.into_iter().find(|view| view.id.reference() == wanted) {
                return Ok(found);
            }
            match last {
                Some(last) => after = Some(last),
                None => return Err(ServiceError::NoSuchLetter(wanted.to_string())),
            }
        }
    }

    async fn dead_views(
        &self,
        after: Option<u64>,
        max: usize,
    ) -> Result<Vec<DeadView>, ServiceError> {
        match self.call(Command::DeadLetters { after, max }).await? {
            Reply::DeadLetters(views) => Ok(views),
            _ => Err(ServiceError::Internal("dead letters were expected".to_owned())),
        }
    }
}
