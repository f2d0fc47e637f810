//! What programs ask.

use super::Node;
use crate::engine::address::NodeId;
use crate::engine::carriage::{Tally, spot};
use crate::engine::command::{
    Command, Disk, MessageState, OutgoingState, OutgoingView, Reply, Settlement, Summary,
};
use crate::engine::ids::MessageRef;
use crate::engine::queues::Departure;
use crate::engine::record::{Key, Record};
use crate::engine::rejection::Rejection;
use crate::engine::step::{Event, Output};
use crate::engine::storage::StorageError;
use crate::engine::time::Timestamp;
use crate::engine::turn::{Fault, Turn};

impl Node {
    pub(super) fn command(
        &mut self,
        turn: &mut Turn<'_>,
        ticket: u64,
        command: Command,
    ) -> Result<(), StorageError> {
        let result = match self.obey(turn, command) {
            Ok(reply) => Ok(reply),
            Err(Fault::Rejected(rejection)) => Err(rejection),
            Err(Fault::Storage(error)) => return Err(error),
        };
        turn.say(Output::Reply { ticket, result });
        Ok(())
    }

    fn obey(&mut self, turn: &mut Turn<'_>, command: Command) -> Result<Reply, Fault> {
        Ok(match command {
            Command::Send(messages) => self.send(turn, messages)?,
            Command::SendOnce { request, messages } => self.send_once(turn, request, messages)?,
            Command::Stage { content, bytes, session } => {
                self.check_disk(turn)?;
                Reply::Staged(self.partials.stage(turn, content, &bytes, session)?)
            }
            Command::Unstage(content) => self.partials.unstage(turn, content),
            Command::Read { content, first, count } => self.read(turn, content, first, count)?,
            Command::Receive { queue, max, lease_ms, session } => {
                Reply::Deliveries(self.receive(turn, &queue, max, lease_ms, session)?)
            }
            Command::Locked(lock) => Reply::Peeked(vec![self.queues.locked(turn, lock)?]),
            Command::Settle { lock, how } => self.settle_lock(turn, lock, how)?,
            Command::Peek { queue, after, max } => {
                Reply::Peeked(self.queues.peek(turn, &queue, after, max)?)
            }
            Command::CreateQueue(spec) => {
                self.queues.create(turn, spec)?;
                Reply::Done
            }
            Command::DropQueue(name) => {
                let departures = self.queues.remove(turn, &name)?;
                let count = self.ended(turn, &departures)?;
                self.destination.queue_deleted(turn, &mut self.queues, &name)?;
                Reply::Count(count)
            }
            Command::PurgeQueue(name) => {
                let departures = self.queues.purge(turn, &name)?;
                let count = self.ended(turn, &departures)?;
                self.destination.resume(turn, &mut self.queues, &name)?;
                Reply::Count(count)
            }
            Command::Queues(name) => {
                let dead = |queue: &_| self.letters.of_queue(self.me, queue);
                Reply::Queues(self.queues.views(turn, name.as_ref(), dead)?)
            }
            Command::Outgoing => Reply::Outgoing(self.outgoing(turn)?),
            Command::DeadLetters { after, max } => {
                Reply::DeadLetters(self.letters.list(turn, after, max)?)
            }
            Command::RetryDead { letter, may_duplicate, salt } => {
                self.retry_dead(turn, letter, may_duplicate, salt)?
            }
            Command::PurgeDead(letter) => self.purge_dead(turn, letter)?,
            Command::State(reference) => Reply::State(self.state(turn, reference)?),
            Command::Trace(reference) => Reply::Trace(Box::new(self.trace(turn, reference)?)),
            Command::Way(node) => Reply::Way(self.way_to(node)),
            Command::Summary => Reply::Summary(self.summary(turn)),
            Command::Reach => Reply::Reach(self.topology.hops().collect()),
            Command::Keep { private, directory, forget } => {
                if forget {
                    self.directory.clear(turn);
                }
                for (name, value) in private {
                    match value {
                        Some(bytes) => turn.put(true, Key::Private(name), Record::Private(bytes)),
                        None => turn.delete(Key::Private(name)),
                    }
                }
                for record in directory {
                    self.learn(turn, record, None);
                }
                Reply::Done
            }
            Command::Kept => self.kept(turn)?,
        })
    }

    fn settle_lock(
        &mut self,
        turn: &mut Turn<'_>,
        lock: u64,
        how: Settlement,
    ) -> Result<Reply, Fault> {
        let of = self.queues.of_lock(lock)?;
        let departure = self.queues.settle(turn, lock, how)?;
        match departure {
            Some(Departure { queue, message }) if how == Settlement::Ack => {
                let durable = message.delivery.is_durable();
                turn.tell(Event::Consumed { queue: queue.clone(), id: message.id });
                self.left_queue(turn, &message.id, durable, true)?;
                self.destination.resume(turn, &mut self.queues, &queue)?;
            }
            expired => self.expired_in_queue(turn, expired)?,
        }
        Ok(Reply::Settled(of))
    }

    /// Messages deleted in their queue: their origins hear that they ended there.
    fn ended(
        &mut self,
        turn: &mut Turn<'_>,
        departures: &[Departure],
    ) -> Result<u64, StorageError> {
        for Departure { message, .. } in departures {
            self.left_queue(turn, &message.id, message.delivery.is_durable(), false)?;
        }
        Ok(departures.len() as u64)
    }

    fn purge_dead(&mut self, turn: &mut Turn<'_>, letter: Option<u64>) -> Result<Reply, Fault> {
        if let Some(letter) = letter {
            let gone = self.letters.remove(turn, letter)?;
            gone.ok_or(Rejection::NoSuchMessage)?;
            return Ok(Reply::Count(1));
        }
        let mut count = 0;
        loop {
            let page = turn.range(&Key::Dead(0), &Key::Dead(u64::MAX), 256)?;
            if page.is_empty() {
                return Ok(Reply::Count(count));
            }
            for (key, _) in page {
                let Key::Dead(letter) = key else { continue };
                self.letters.remove(turn, letter)?;
                count += 1;
            }
        }
    }

    pub(super) fn state(
        &self,
        turn: &Turn<'_>,
        reference: MessageRef,
    ) -> Result<MessageState, Fault> {
        let (id, state) = self.origin.state(turn, reference)?.ok_or(Rejection::NoSuchMessage)?;
        let destination = self.origin.destination(id.stream.line);
        match (state, destination) {
            (MessageState::Stored, Some(destination)) => Ok(self
                .links
                .holder(destination, &id)
                .map_or(MessageState::Stored, MessageState::InTransit)),
            _ => Ok(state),
        }
    }

    fn outgoing(&self, turn: &Turn<'_>) -> Result<Vec<OutgoingView>, StorageError> {
        let mut views = Vec::new();
        for (destination, Tally { own: size, .. }) in self.carriage.destinations() {
            if size.messages == 0 {
                continue;
            }
            let (state, next_try) = self.standing(destination);
            views.push(OutgoingView {
                destination,
                messages: size.messages,
                bytes: size.bytes,
                oldest: self.oldest_outgoing(turn, destination)?,
                state,
                next_try,
            });
        }
        Ok(views)
    }

    /// Where a destination's messages stand, and when something is tried again.
    fn standing(&self, destination: NodeId) -> (OutgoingState, Option<Timestamp>) {
        let Some(hop) = self.topology.next_hop(destination) else {
            let carried = self.links.is_carried(destination);
            let state = if carried { OutgoingState::InTransit } else { OutgoingState::NoPath };
            return (state, None);
        };
        let Some(link) = self.links.link(hop) else { return (OutgoingState::NoPath, None) };
        let blocked = link.blocked.values().find(|b| b.destination == destination && !b.over);
        match blocked {
            Some(blocked) => (OutgoingState::Refused(blocked.reason), Some(blocked.until)),
            None => (OutgoingState::Sending, link.retry_at),
        }
    }

    fn oldest_outgoing(
        &self,
        turn: &Turn<'_>,
        destination: NodeId,
    ) -> Result<Option<Timestamp>, StorageError> {
        let mut oldest: Option<Timestamp> = None;
        for rank in 0..8 {
            let (from, to) = (spot(destination, rank, 0), spot(destination, rank + 1, 0));
            for (_, record) in turn.range(&Key::Copy(from), &Key::Copy(to), 8)? {
                let Record::Copy(copy) = record else { continue };
                if copy.outer.id.stream.origin == self.me {
                    let at = copy.arrived_at;
                    oldest = Some(oldest.map_or(at, |oldest| oldest.min(at)));
                    break;
                }
            }
        }
        Ok(oldest)
    }

    fn summary(&self, turn: &Turn<'_>) -> Summary {
        let stats = turn.stats();
        let (messages, queues) = self.queues.totals();
        let (outgoing, carried) = (self.carriage.own(), self.carriage.carried());
        Summary {
            messages,
            outgoing: outgoing.messages,
            outgoing_bytes: outgoing.bytes,
            carried: carried.messages,
            carried_bytes: carried.bytes,
            dead: self.letters.count,
            links: self.links.live().count() as u64,
            queues,
            disk: Disk {
                used_bytes: stats.used_bytes,
                live_bytes: stats.live_bytes,
                free_bytes: stats.free_bytes,
                reserve_bytes: self.limits.disk_reserve_bytes,
            },
        }
    }

    fn kept(&self, turn: &Turn<'_>) -> Result<Reply, StorageError> {
        let from = Key::Private(String::new());
        let to = Key::Directory(crate::engine::statement::DirectoryKey {
            kind: 0,
            subject: bytes::Bytes::new(),
        });
        let found = turn.range(&from, &to, usize::MAX >> 1)?;
        let private = found.into_iter().filter_map(|(key, record)| match (key, record) {
            (Key::Private(name), Record::Private(bytes)) => Some((name, bytes)),
            _ => None,
        });
        Ok(Reply::Kept { private: private.collect(), directory: self.directory.all(turn)? })
    }
}
