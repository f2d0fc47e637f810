use super::*;
use crate::engine::address::{NodeId, QueueName};
use crate::engine::command::Summary;
use crate::runtime::CallError;
use std::sync::mpsc as std_mpsc;
use tokio::sync::broadcast::error::RecvError;

/// A machine that answers `Summary` with the size of its batch, counts calls, and does what a test
/// told it beforehand.
#[derive(Default)]
struct Double {
    fails: bool,
    events: usize,
    due: Option<Timestamp>,
    calls: Option<std_mpsc::Sender<usize>>,
    gate: Option<std_mpsc::Receiver<()>>,
    /// Told of each part of giving back room; two make the whole.
    compacts: Option<std_mpsc::Sender<Compaction>>,
    parts: usize,
}

impl Machine for Double {
    type Error = String;

    fn process(&mut self, _: Timestamp, inputs: Vec<Input>) -> Result<Vec<Output>, String> {
        if let Some(calls) = &self.calls {
            let _ = calls.send(inputs.len());
        }
        if let Some(gate) = &self.gate {
            let _ = gate.recv();
        }
        self.due = None;
        if self.fails {
            return Err("the disk is full".to_owned());
        }
        let batch = inputs.len() as u64;
        let mut outputs = Vec::new();
        for input in inputs {
            if let Input::Command { ticket, .. } = input {
                let summary = Summary { messages: batch, ..Summary::default() };
                outputs.push(Output::Reply { ticket, result: Ok(Reply::Summary(summary)) });
            }
        }
        for event in 0..self.events {
            let queue: QueueName = format!("q{}", event / 2).parse().expect("a name");
            outputs.push(Output::Event(Event::Available(queue)));
        }
        if self.events > 0 {
            let peer = NodeId::from_bytes([1; 32]);
            outputs.push(Output::Request { peer, exchange: 1, frames: Vec::new() });
        }
        Ok(outputs)
    }

    fn deadline(&self) -> Option<Timestamp> {
        self.due
    }

    fn compact(&mut self) -> Result<Compaction, String> {
        self.parts += 1;
        let part = if self.parts < 2 { Compaction::Going } else { Compaction::Done };
        if let Some(compacts) = &self.compacts {
            let _ = compacts.send(part.clone());
        }
        Ok(part)
    }

    fn stats(&self) -> StorageStats {
        StorageStats::default()
    }
}

fn clock() -> Clock {
    Clock::start(Timestamp::from_millis(1_000))
}

#[tokio::test]
async fn calls_get_their_replies_and_the_machine_comes_back() {
    let (handle, thread) = spawn(Double::default(), clock(), |_| ());
    assert!(matches!(handle.call(Command::Summary).await, Ok(Reply::Summary(_))));
    assert_eq!(handle.stop().await, Ending::Asked);
    assert_eq!(handle.call(Command::Summary).await, Err(CallError::Stopped));
    thread.join().expect("the machine comes back");
}

#[tokio::test]
async fn what_waits_during_a_batch_is_one_batch() {
    let (open, gate) = std_mpsc::channel();
    let (calls, called) = std_mpsc::channel();
    let double = Double { gate: Some(gate), calls: Some(calls), ..Double::default() };
    let (handle, _thread) = spawn(double, clock(), |_| ());
    handle.input(Input::SessionEnded(1)).await;
    assert_eq!(called.recv(), Ok(1), "the first input goes alone");
    let waiting: Vec<_> = (0..10)
        .map(|_| {
            let handle = handle.clone();
            tokio::spawn(async move { handle.call(Command::Summary).await })
        })
        .collect();
    while handle.jobs.capacity() > INPUTS_MAX - 10 {
        tokio::task::yield_now().await;
    }
    open.send(()).expect("the machine waits");
    open.send(()).expect("the machine waits");
    for call in waiting {
        let reply = call.await.expect("no panic").expect("a reply");
        assert!(matches!(reply, Reply::Summary(summary) if summary.messages == 10));
    }
    assert_eq!(called.recv(), Ok(10));
}

#[tokio::test]
async fn a_failed_commit_ends_the_thread_and_tells_everyone() {
    let (handle, thread) = spawn(Double { fails: true, ..Double::default() }, clock(), |_| ());
    assert_eq!(handle.call(Command::Summary).await, Err(CallError::Stopped));
    assert_eq!(handle.ended().await, Ending::Failed("the disk is full".to_owned()));
    handle.input(Input::SessionEnded(1)).await;
    thread.join().expect("the machine comes back");
}

#[tokio::test]
async fn a_deadline_is_kept_without_input() {
    let (calls, called) = std_mpsc::channel();
    let clock = clock();
    let due = clock.now().after(20);
    let (handle, _thread) =
        spawn(Double { due: Some(due), calls: Some(calls), ..Double::default() }, clock, |_| ());
    let size = called.recv_timeout(Duration::from_secs(30));
    assert_eq!(size, Ok(0));
    assert!(handle.now() >= due);
}

#[tokio::test]
async fn room_is_given_back_once_after_the_start_and_nobody_need_ask() {
    let (compacts, parts) = std_mpsc::channel();
    let double = Double { compacts: Some(compacts), ..Double::default() };
    let (handle, thread) = spawn(double, clock(), |_| ());
    let within = Duration::from_secs(30);
    assert_eq!(parts.recv_timeout(within), Ok(Compaction::Going));
    assert_eq!(parts.recv_timeout(within), Ok(Compaction::Done));
    assert!(matches!(handle.call(Command::Summary).await, Ok(Reply::Summary(_))));
    handle.stop().await;
    assert_eq!(thread.join().expect("the machine comes back").parts, 2);
}

#[tokio::test]
async fn what_is_for_neighbours_goes_to_the_closure_and_each_queue_is_told_once_a_turn() {
    let (sender, seen) = std_mpsc::channel();
    let outbound = move |output| drop(sender.send(output));
    let (handle, thread) = spawn(Double { events: 4, ..Double::default() }, clock(), outbound);
    let mut events = handle.events();
    handle.input(Input::LinkUp(NodeId::from_bytes([1; 32]))).await;
    handle.stop().await;
    thread.join().expect("the machine comes back");
    let told = |name: &str| Event::Available(name.parse().expect("a name"));
    assert_eq!(events.recv().await, Ok(told("q0")));
    assert_eq!(events.recv().await, Ok(told("q1")));
    assert!(events.try_recv().is_err(), "what it says is said");
    let seen: Vec<Output> = seen.iter().collect();
    assert!(matches!(seen.as_slice(), [Output::Request { .. }]), "{seen:?}");
}

#[tokio::test]
async fn a_listener_that_falls_behind_is_told() {
    let double = Double { events: 2 * (EVENTS_MAX + 1), ..Double::default() };
    let (handle, _thread) = spawn(double, clock(), |_| ());
    let mut events = handle.events();
    assert!(handle.call(Command::Summary).await.is_ok());
    handle.stop().await;
    assert!(matches!(events.recv().await, Err(RecvError::Lagged(_))));
}

#[tokio::test]
async fn the_loss_of_the_last_handle_ends_the_thread() {
    let (handle, thread) = spawn(Double::default(), clock(), |_| ());
    drop(handle);
    tokio::task::spawn_blocking(move || thread.join().is_ok()).await.expect("it ends");
}
