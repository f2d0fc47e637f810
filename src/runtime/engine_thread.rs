//! The one thread that turns the engine: gather what waits, process once, hand out the outputs.
//!
//! Refuses to go on after a failed commit: the thread ends and everyone who waits is told.

use super::clock::Clock;
use super::compacting::{Compacted, Compacting};
use super::handle::{EVENTS_MAX, Ending, Handle, INPUTS_MAX};
use crate::engine::command::{Command, Reply};
use crate::engine::rejection::Rejection;
use crate::engine::step::{Event, Input, Output};
use crate::engine::storage::{Compaction, Storage, StorageStats};
use crate::engine::time::Timestamp;
use crate::engine::{Engine, EngineError};
use std::collections::{BTreeMap, BTreeSet};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

/// Inputs that one commit serves at most.
pub const DRAIN_MAX: usize = 256;

/// What the thread turns: the engine, or a double of it in tests.
pub trait Machine: Send {
    /// Why it cannot go on.
    type Error: std::fmt::Display;

    /// Processes the inputs in one durable step.
    ///
    /// # Errors
    /// When the step did not become durable; then the machine is not called again.
    fn process(&mut self, now: Timestamp, inputs: Vec<Input>) -> Result<Vec<Output>, Self::Error>;

    /// When it wants to be called at the latest, without input.
    fn deadline(&self) -> Option<Timestamp>;

    /// Does the next part of giving back room.
    ///
    /// # Errors
    /// As of [`process`](Self::process).
    fn compact(&mut self) -> Result<Compaction, Self::Error>;

    /// Size of the store and of what lives in it.
    fn stats(&self) -> StorageStats;
}

impl<S: Storage> Machine for Engine<S> {
    type Error = EngineError;

    fn process(&mut self, now: Timestamp, inputs: Vec<Input>) -> Result<Vec<Output>, EngineError> {
        Self::process(self, now, inputs)
    }

    fn deadline(&self) -> Option<Timestamp> {
        Self::deadline(self)
    }

    fn compact(&mut self) -> Result<Compaction, EngineError> {
        Self::compact(self)
    }

    fn stats(&self) -> StorageStats {
        self.storage().stats()
    }
}

/// One thing for the thread to do.
#[derive(Debug)]
pub(super) enum Job {
    Call(Box<Command>, oneshot::Sender<Result<Reply, Rejection>>),
    Input(Box<Input>),
    Compact(oneshot::Sender<Compacted>),
    Stop,
}

/// Starts the thread. `outbound` gets what is for neighbours, on that thread, so it must not block;
/// events go to [`Handle::events`], that there is something in a queue once a turn.
///
/// The machine comes back when the thread is joined, after [`Handle::stop`], the loss of the last
/// handle, or a failed commit; [`Handle::ended`] tells which.
///
/// # Panics
/// If the system gives no thread.
pub fn spawn<M: Machine + 'static>(
    machine: M,
    clock: Clock,
    outbound: impl FnMut(Output) + Send + 'static,
) -> (Handle, JoinHandle<M>) {
    let (handle, run) = prepare(machine, clock, outbound);
    let turn = move || {
        let timer = tokio::runtime::Builder::new_current_thread().enable_time().build();
        timer.expect("a runtime with nothing but timers").block_on(run)
    };
    let thread = std::thread::Builder::new().name("engine".to_owned()).spawn(turn);
    (handle, thread.expect("the system gives a thread"))
}

/// The same as a task of the async runtime, whose workers then wait for the store: for one in memory,
/// by a clock [of timers](Clock::of_timers).
///
/// # Panics
/// Outside a Tokio runtime.
pub fn spawn_task<M: Machine + 'static>(
    machine: M,
    clock: Clock,
    outbound: impl FnMut(Output) + Send + 'static,
) -> (Handle, tokio::task::JoinHandle<M>) {
    let (handle, run) = prepare(machine, clock, outbound);
    (handle, tokio::spawn(run))
}

fn prepare<M: Machine + 'static>(
    machine: M,
    clock: Clock,
    outbound: impl FnMut(Output) + Send + 'static,
) -> (Handle, impl Future<Output = M> + Send + 'static) {
    let (jobs, waiting) = mpsc::channel(INPUTS_MAX);
    let (events, _) = broadcast::channel(EVENTS_MAX);
    let (told, ending) = watch::channel(None);
    let thread = EngineThread {
        machine,
        outbound,
        waiting,
        events: events.clone(),
        clock: clock.clone(),
        pending: BTreeMap::new(),
        next_ticket: 0,
        compacting: Compacting::after_start(),
    };
    (Handle { jobs, events, clock, ending }, thread.run(told))
}

struct EngineThread<M, F> {
    machine: M,
    outbound: F,
    waiting: mpsc::Receiver<Job>,
    events: broadcast::Sender<Event>,
    clock: Clock,
    /// Who waits for which ticket.
    pending: BTreeMap<u64, oneshot::Sender<Result<Reply, Rejection>>>,
    next_ticket: u64,
    compacting: Compacting,
}

impl<M: Machine, F: FnMut(Output)> EngineThread<M, F> {
    async fn run(mut self, told: watch::Sender<Option<Ending>>) -> M {
        let mut jobs = Vec::with_capacity(DRAIN_MAX);
        let ending = loop {
            let open = self.gather(&mut jobs).await;
            let (inputs, stop) = self.inputs(&mut jobs);
            let now = self.clock.now();
            let is_due = self.machine.deadline().is_some_and(|due| due <= now);
            if (is_due || !inputs.is_empty())
                && let Err(failed) = self.turn(now, inputs)
            {
                break failed;
            }
            if let Err(error) = self.compacting.step(&mut self.machine) {
                break Ending::Failed(error.to_string());
            }
            if stop || !open {
                break Ending::Asked;
            }
        };
        // Whoever waits must learn of the end before the machine, and with it the store, is gone.
        self.waiting.close();
        while self.waiting.try_recv().is_ok() {}
        self.pending.clear();
        told.send_replace(Some(ending));
        self.machine
    }

    /// Waits for work until the machine's deadline. False if no handle is left.
    async fn gather(&mut self, jobs: &mut Vec<Job>) -> bool {
        let now = self.clock.now();
        let nap_max = self.clock.nap_max();
        let nap = self
            .machine
            .deadline()
            .map_or(nap_max, |due| Duration::from_millis(due.since(now)).min(nap_max));
        let nap = self.compacting.due_in().map_or(nap, |due| due.min(nap));
        let receive = self.waiting.recv_many(jobs, DRAIN_MAX);
        let got = tokio::time::timeout(nap, receive).await;
        got.map_or(true, |count| count > 0)
    }

    /// Turns jobs into inputs, remembers who waits for what, and tells whether to stop after them.
    fn inputs(&mut self, jobs: &mut Vec<Job>) -> (Vec<Input>, bool) {
        let mut stop = false;
        let mut inputs = Vec::with_capacity(jobs.len());
        for job in jobs.drain(..) {
            match job {
                Job::Call(command, reply) => {
                    let ticket = self.next_ticket;
                    self.next_ticket += 1;
                    self.pending.insert(ticket, reply);
                    inputs.push(Input::Command { ticket, command: *command });
                }
                Job::Input(input) => inputs.push(*input),
                Job::Compact(reply) => self.compacting.ask(reply, self.machine.stats().used_bytes),
                Job::Stop => stop = true,
            }
        }
        (inputs, stop)
    }

    /// One durable step and what follows from it.
    fn turn(&mut self, now: Timestamp, inputs: Vec<Input>) -> Result<(), Ending> {
        let outputs = self.machine.process(now, inputs);
        let outputs = outputs.map_err(|error| Ending::Failed(error.to_string()))?;
        let mut events = Vec::new();
        for output in outputs {
            match output {
                Output::Reply { ticket, result } => {
                    if let Some(reply) = self.pending.remove(&ticket) {
                        // A caller that is gone does not want its reply.
                        let _ = reply.send(result);
                    }
                }
                Output::Event(event) => events.push(event),
                other => (self.outbound)(other),
            }
        }
        // Whoever waits for a reply goes on meanwhile.
        let mut available = BTreeSet::new();
        for event in events {
            if matches!(&event, Event::Available(queue) if !available.insert(queue.clone())) {
                continue;
            }
            // Nobody may be listening.
            let _ = self.events.send(event);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
