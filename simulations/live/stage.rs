//! The stage of a live run: the machines, the nodes on them, the book and the clock, shared by all
//! that goes on. One thread; nobody holds a borrow while it waits.

use super::book::Book;
use super::door::{Answer, Door};
use super::host::Missing;
use super::lan::Lan;
use super::node::{Process, Recipe};
use super::times::Times;
use super::wall::Way;
use crate::checkers::Violation;
use crate::rng::Rng;
use crate::scenario::{Place, Scenario, Span};
use meshmq::client::json;
use meshmq::engine::address::NodeId;
use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, watch};

/// Why a run ends before its time.
#[derive(Debug)]
pub(super) enum Stop {
    /// A promise was broken.
    Safety(Violation),
    /// Something that should have happened has not.
    Liveness(Violation),
    /// A node ended by itself, or did not start.
    Crash(String),
    /// The machine fails at something that worked before.
    Machine(Missing),
    /// Somebody has had enough.
    Interrupted,
}

/// Counts of a run.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub(super) struct Tally {
    /// Messages that programs were told are accepted, express ones included.
    pub(super) sent: u64,
    /// Messages that a node refused at once.
    pub(super) refused: u64,
    /// Messages that entered their queues, express ones included.
    pub(super) entered: u64,
    /// Messages that programs have received and acknowledged.
    pub(super) received: u64,
    /// Dead letters.
    pub(super) dead: u64,
    /// Processes that were killed.
    pub(super) kills: u64,
    /// Links that were cut, both directions or one.
    pub(super) cuts: u64,
    /// News that came too late for their readers: what they told was looked up.
    pub(super) missed_news: u64,
}

/// Where a node stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// Number of the present process; 0 before the first.
    pub(super) life: u64,
    /// Whether it runs.
    pub(super) runs: bool,
    /// Whether its news are read and its queues were looked into, so that programs may receive.
    pub(super) watched: bool,
    /// Whether it is gone for ever.
    pub(super) lost: bool,
}

/// A node of the run.
pub(super) struct Actor {
    pub(super) recipe: Recipe,
    pub(super) process: RefCell<Option<Process>>,
    pub(super) socket: RefCell<PathBuf>,
    /// Its id, once it has one.
    pub(super) node: Cell<Option<NodeId>>,
    pub(super) standing: watch::Sender<Standing>,
    /// How much its door has told, ever.
    pub(super) news: watch::Sender<u64>,
    /// One start or kill at a time.
    pub(super) hand: Mutex<()>,
}

/// Everything that goes on in a run shares this.
pub(super) struct Stage<'s> {
    pub(super) scenario: &'s Scenario,
    pub(super) lan: RefCell<Lan>,
    pub(super) actors: Vec<Actor>,
    pub(super) book: RefCell<Book>,
    pub(super) times: RefCell<Times>,
    pub(super) tally: RefCell<Tally>,
    /// The script is over: no fault any more, and programs only work off what is there.
    pub(super) draining: Cell<bool>,
    pub(super) begun: Cell<Instant>,
    pub(super) rng: Rng,
    /// One for each sender: those of one line take that of the first, so that its messages are sent
    /// one request at a time.
    pub(super) turns: Vec<Mutex<()>>,
    pub(super) trace: Option<RefCell<Vec<String>>>,
    /// What a person sees who waits.
    pub(super) now: RefCell<String>,
}

impl Stage<'_> {
    /// The name of a node.
    pub(super) fn name(&self, place: Place) -> &str {
        &self.scenario.nodes[place]
    }

    /// The place of a name that a door told.
    pub(super) fn place(&self, name: &str) -> Option<Place> {
        self.scenario.nodes.iter().position(|known| known == name)
    }

    /// A generator of its own for one purpose.
    pub(super) fn rng(&self, purpose: &str, index: usize) -> Rng {
        self.rng.fork(&format!("{purpose} {index}"))
    }

    /// Whose turns a sender takes.
    pub(super) fn turn_of(&self, sender: usize) -> usize {
        let line = |index: usize| {
            let plan = &self.scenario.senders[index];
            (plan.from, plan.to, &plan.queue)
        };
        (0..sender).find(|&first| line(first) == line(sender)).unwrap_or(sender)
    }

    /// Waits for a moment of the script.
    pub(super) async fn until(&self, at_ms: u64) {
        let at = self.begun.get() + Duration::from_millis(at_ms);
        tokio::time::sleep_until(at.into()).await;
    }

    /// Whether a moment of the script has passed.
    pub(super) fn is_after(&self, at_ms: u64) -> bool {
        self.begun.get().elapsed() >= Duration::from_millis(at_ms)
    }

    /// Whether the script is over, before its end if the scenario says so.
    pub(super) fn is_over(&self) -> bool {
        self.scenario.live_until_ms.is_some_and(|until| self.is_after(until))
    }

    /// Notes what was done, for the trace and for who waits.
    pub(super) fn note(&self, what: impl FnOnce() -> String) {
        let (what, at) = (what(), self.begun.get().elapsed().as_millis());
        if let Some(lines) = &self.trace {
            lines.borrow_mut().push(format!("{:>5}.{:03} s  {what}", at / 1_000, at % 1_000));
        }
        *self.now.borrow_mut() = what;
    }

    /// What was wrong, if a promise has been broken by now.
    pub(super) fn verdict(&self) -> Result<(), Stop> {
        let book = self.book.borrow();
        book.violation().map_or(Ok(()), |found| Err(Stop::Safety(found.clone())))
    }

    /// Waits until a node stands as wanted; none if it is gone for ever.
    pub(super) async fn standing(
        &self,
        place: Place,
        wanted: impl FnMut(&Standing) -> bool,
    ) -> Option<Standing> {
        let mut wanted = wanted;
        let mut standing = self.actors[place].standing.subscribe();
        let found = standing.wait_for(|now| now.lost || wanted(now)).await;
        let found = found.map(|now| *now).ok()?;
        (!found.lost).then_some(found)
    }

    /// Waits for a node that runs, and connects; none if it is gone for ever.
    pub(super) async fn door(&self, place: Place) -> Option<Answer<Door>> {
        self.standing(place, |now| now.runs).await?;
        let socket = self.actors[place].socket.borrow().clone();
        Some(Door::open(&socket).await)
    }

    /// Starts a node that does not run, and makes its queues; nothing if it is gone for ever.
    pub(super) async fn start(&self, place: Place, join: Option<&str>) -> Result<(), Stop> {
        let actor = &self.actors[place];
        let _one = actor.hand.lock().await;
        let before = *actor.standing.borrow();
        if before.runs || before.lost {
            return Ok(());
        }
        let path = self.lan.borrow().machine(place).path();
        let (process, ready) = actor.recipe.start(&path, join).await.map_err(Stop::Crash)?;
        *actor.process.borrow_mut() = Some(process);
        *actor.socket.borrow_mut() = PathBuf::from(ready.socket);
        actor.node.set(ready.node_id.parse().ok());
        let failed = |why| Stop::Crash(format!("node {}: {why}", self.name(place)));
        self.make_queues(place).await.map_err(failed)?;
        self.note(|| format!("{} runs", self.name(place)));
        let life = before.life + 1;
        actor.standing.send_replace(Standing { life, runs: true, ..Standing::default() });
        Ok(())
    }

    async fn make_queues(&self, place: Place) -> Answer<()> {
        let socket = self.actors[place].socket.borrow().clone();
        let mut door = Door::open(&socket).await?;
        for plan in self.scenario.queues.iter().filter(|plan| plan.node == place) {
            door.make_queue(plan.name.as_str(), &super::queue_spec(plan)).await?;
        }
        Ok(())
    }

    /// Kills a node that runs.
    pub(super) async fn kill(&self, place: Place) {
        let actor = &self.actors[place];
        let _one = actor.hand.lock().await;
        let Some(process) = actor.process.borrow_mut().take() else { return };
        process.kill().await;
        self.note(|| format!("{} is killed", self.name(place)));
        self.tally.borrow_mut().kills += 1;
        self.times.borrow_mut().stopped(place);
        self.book.borrow_mut().stopped(place);
        actor.standing.send_modify(|now| (now.runs, now.watched) = (false, false));
    }

    /// Lets a node sleep, or wakes it.
    pub(super) fn sleeps(&self, place: Place, sleeps: bool) {
        if let Some(process) = self.actors[place].process.borrow().as_ref() {
            process.sleeps(sleeps);
            let word = if sleeps { "sleeps" } else { "wakes" };
            self.note(|| format!("{} {word}", self.name(place)));
        }
        // What its links were to do shows nothing.
        self.times.borrow_mut().stopped(place);
    }

    /// Kills a node for ever, and deletes what it had.
    pub(super) async fn lose(&self, place: Place) {
        self.kill(place).await;
        let _ = std::fs::remove_dir_all(&self.actors[place].recipe.data);
        self.book.borrow_mut().lost(place);
        self.note(|| format!("{} is lost", self.name(place)));
        self.actors[place].standing.send_modify(|now| now.lost = true);
    }

    /// Cuts or heals directions, all at once.
    pub(super) fn set_cut(&self, ways: &[Way], cut: bool) -> Result<(), Stop> {
        let is_whole = |lan: &Lan, (a, b): Way| !lan.is_cut((a, b)) && !lan.is_cut((b, a));
        let ends: std::collections::BTreeSet<Way> =
            ways.iter().map(|&(a, b)| (a.min(b), a.max(b))).collect();
        let mut lan = self.lan.borrow_mut();
        let before: Vec<bool> = ends.iter().map(|&ends| is_whole(&lan, ends)).collect();
        lan.set_cut(ways, cut).map_err(Stop::Machine)?;
        for (&ends, was_whole) in ends.iter().zip(before) {
            let word = if cut { "cut" } else { "healed" };
            let runs = |place: Place| self.actors[place].standing.borrow().runs;
            if was_whole == is_whole(&lan, ends) {
                continue;
            }
            self.note(|| format!("{} - {} {word}", self.name(ends.0), self.name(ends.1)));
            if cut {
                self.tally.borrow_mut().cuts += 1;
                self.times.borrow_mut().cut(ends);
            } else if runs(ends.0) && runs(ends.1) {
                let mut way = self.book.borrow().on_their_way();
                // What waits for room in its queue tells nothing of a link.
                let has_quota = |to: Place, queue: &meshmq::engine::address::QueueName| {
                    let mut plans = self.scenario.queues.iter();
                    plans.any(|plan| {
                        plan.node == to && plan.name == *queue && plan.max_messages.is_some()
                    })
                };
                way.retain(|(_, it)| !has_quota(it.destination, &it.queue));
                self.times.borrow_mut().heal(self.scenario, ends, &way);
            }
        }
        Ok(())
    }

    /// Draws a time.
    pub(super) fn draw(rng: &mut Rng, span: Span) -> u64 {
        rng.between(span.least, span.most)
    }

    /// A node tells of a message that was sent from it.
    pub(super) fn told(&self, place: Place, sent: &json::Sent) {
        let held_by = sent.held_by.as_deref().and_then(|name| self.place(name));
        if matches!(sent.state, json::SentState::InTransit | json::SentState::Arrived) {
            self.times.borrow_mut().moved(&sent.id);
        }
        self.note_message(place, &sent.id, sent.state.as_str());
        self.book.borrow_mut().told(sent, held_by);
    }

    /// Notes something of a message, if there is a trace.
    pub(super) fn note_message(&self, place: Place, id: &str, what: &str) {
        if let Some(lines) = &self.trace {
            let (name, at) = (self.name(place), self.begun.get().elapsed().as_millis());
            lines.borrow_mut().push(format!(
                "{:>5}.{:03} s  {name}: {what} {id}",
                at / 1_000,
                at % 1_000
            ));
        }
    }
}

/// A pause of a program.
pub(super) async fn pause(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}
