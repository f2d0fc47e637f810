//! A live link to one member, as the engine sees it: what was asked, what is to be answered.
//!
//! Everything for the engine goes through one worker per link, which checks signatures and may
//! wait for the engine; so the order of a link is kept, and the task that owns all links never
//! waits. Ending the worker's queue is how `LinkDown` is said.

mod patience;

pub(crate) use patience::Patience;

use super::door::Door;
use super::event::NetEvent;
use super::forward::{Way, crosses};
use crate::codec::HopAnswer;
use crate::engine::address::NodeId;
use crate::engine::frame::{Answer, Frame};
use crate::engine::step::Input;
use libp2p::request_response::{InboundRequestId, OutboundRequestId, ResponseChannel};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::{Instrument, Span};

/// Requests of ours that may wait for their answer. The engine keeps to fewer.
pub(crate) const OUTSTANDING_MAX: usize = 64;
/// Requests of the neighbour that may wait for ours.
pub(crate) const HELD_MAX: usize = 64;
/// Things that wait for the worker. Beyond it, requests are dropped and anything else cuts the link.
const JOBS_MAX: usize = 256;

/// Something for the engine.
pub(crate) enum Job {
    /// The neighbour asks.
    Request(u64, Vec<Frame>),
    /// The neighbour answered.
    Answered(u64, Answer),
    /// It will not.
    Unanswered(u64),
}

/// A request of ours that waits.
pub(crate) struct Outstanding {
    /// libp2p's number of it.
    pub(crate) request: OutboundRequestId,
    /// Its size, roughly.
    pub(crate) bytes: usize,
    /// When it was sent.
    pub(crate) sent_ms: u64,
    /// When it is given up.
    pub(crate) until_ms: u64,
}

/// A live link.
pub(crate) struct Link {
    /// Which start of the neighbour's process it is to.
    pub(crate) boot: u64,
    /// Since when.
    pub(crate) since_ms: u64,
    /// Whether the directory has known the neighbour as a member since.
    pub(crate) was_member: bool,
    /// Our requests, by the engine's number.
    pub(crate) outstanding: BTreeMap<u64, Outstanding>,
    /// The neighbour's requests, by our number.
    pub(crate) held: BTreeMap<u64, (InboundRequestId, ResponseChannel<HopAnswer>)>,
    /// How fast the link moves things.
    pub(crate) patience: Patience,
    /// Its span in the log.
    pub(crate) span: Span,
    jobs: mpsc::Sender<Job>,
    worker: JoinHandle<()>,
}

/// The queue of a link is full: what was to be said is lost, so the link must go.
#[derive(Debug)]
pub(crate) struct Overrun;

impl Link {
    /// Starts a link's worker, which says `LinkUp` once `former`, the worker of the link before,
    /// has said its last.
    pub(crate) fn start(
        node: NodeId,
        (address, boot): (&str, u64),
        now_ms: u64,
        door: Arc<Door>,
        events: mpsc::Sender<NetEvent>,
        former: Option<JoinHandle<()>>,
    ) -> Self {
        let (jobs, queue) = mpsc::channel(JOBS_MAX);
        let span = tracing::debug_span!("peer", meshmq.peer = %node, server.address = address);
        let working = work(node, door, events, queue, former).instrument(span.clone());
        let worker = tokio::spawn(working);
        Self {
            boot,
            since_ms: now_ms,
            was_member: false,
            outstanding: BTreeMap::new(),
            held: BTreeMap::new(),
            patience: Patience::default(),
            span,
            jobs,
            worker,
        }
    }

    /// Hands something to the worker.
    ///
    /// # Errors
    /// [`Overrun`] if the engine does not keep up.
    pub(crate) fn tell(&self, job: Job) -> Result<(), Overrun> {
        self.jobs.try_send(job).map_err(|_| Overrun)
    }

    /// Bytes of our requests that wait.
    pub(crate) fn bytes_outstanding(&self) -> usize {
        self.outstanding.values().map(|it| it.bytes).sum()
    }

    /// Ends the link: the worker says what it has, then `LinkDown`. What the neighbour still waits
    /// for is dropped.
    pub(crate) fn end(self) -> JoinHandle<()> {
        self.worker
    }
}

async fn work(
    node: NodeId,
    door: Arc<Door>,
    events: mpsc::Sender<NetEvent>,
    mut queue: mpsc::Receiver<Job>,
    former: Option<JoinHandle<()>>,
) {
    if let Some(former) = former {
        // It only fails if it was cancelled with the whole runtime.
        let _ = former.await;
    }
    let tell = async |input| events.send(NetEvent::Input(input)).await;
    if tell(Input::LinkUp(node)).await.is_err() {
        return;
    }
    while let Some(job) = queue.recv().await {
        let input = match job {
            Job::Request(exchange, mut frames) => {
                check(&door, node, &mut frames);
                crosses(&Span::current(), node, Way::In, &frames);
                Input::Request { peer: node, exchange, frames }
            }
            Job::Answered(exchange, mut answer) => {
                check(&door, node, &mut answer.frames);
                Input::Answered { peer: node, exchange, answer }
            }
            Job::Unanswered(exchange) => Input::Unanswered { peer: node, exchange },
        };
        if tell(input).await.is_err() {
            return;
        }
    }
    let _ = tell(Input::LinkDown(node)).await;
}

fn check(door: &Door, node: NodeId, frames: &mut Vec<Frame>) {
    let bad = door.gatekeeper().verify_frames(frames, node);
    if bad > 0 {
        tracing::warn!(meshmq.peer = %node, bad, "a neighbour sent what does not hold; it was dropped");
    }
}

/// About how many bytes frames take on the wire.
pub(crate) fn weight(frames: &[Frame]) -> usize {
    /// What a frame takes beside its payload.
    const FRAME: usize = 256;
    let payload = |frame: &Frame| match frame {
        Frame::Transfer(transfer) => transfer.inner.len(),
        Frame::Part(part) => part.bytes.len(),
        Frame::Record(record) => record.bytes.len(),
        Frame::Have(entries) => entries.len() * 64,
        _ => FRAME,
    };
    frames.iter().map(|frame| FRAME + payload(frame)).sum()
}
