//! What is said on the first stream of a connection: the proof, then beats until it ends.
//!
//! One task per connection. It may wait, for the peer and for the disk; the task that owns the
//! links never does. It moves the bytes of the gatekeeper's dialogue and understands none of them.

mod beats;

use super::clock::Clock;
use super::config::WallClock;
use super::door::Door;
use super::event::NetEvent;
use super::transport::Wire;
use crate::engine::address::NodeId;
use crate::security::{
    DIALOGUE_MAX, Denial, Dialogue, Gatekeeper, Keep, NodeName, PeerHello, ROUNDS_MAX, Token, Turn,
    Visitor,
};
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::swarm::ConnectionId;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How long the proof may take.
pub(crate) const HELLO_LIMIT: Duration = Duration::from_secs(20);
/// How long a refused peer may take to read the reason.
const REASON_LIMIT: Duration = Duration::from_secs(2);

/// What this node wants on a connection.
#[derive(Clone)]
pub(crate) enum Purpose {
    /// It was dialed: it proves itself and hears the proof.
    Knock,
    /// It dialed to be let in.
    Join(Arc<Token>, NodeName),
    /// It was dialed by the peer, who speaks first.
    Listen,
}

/// What all sessions share.
pub(crate) struct Surroundings {
    /// Who decides.
    pub(crate) door: Arc<Door>,
    /// The clock of the links.
    pub(crate) clock: Clock,
    /// The clock of tokens.
    pub(crate) wall: WallClock,
    /// Where records to be kept go.
    pub(crate) events: mpsc::Sender<NetEvent>,
    /// Where reports go.
    pub(crate) reports: mpsc::Sender<Report>,
}

/// A session to be run.
pub(crate) struct Session<S> {
    /// The connection.
    pub(crate) connection: ConnectionId,
    /// The peer, proven by Noise.
    pub(crate) node: NodeId,
    /// The stream.
    pub(crate) stream: S,
    /// What for.
    pub(crate) purpose: Purpose,
    /// Whether this connection has the hop protocol at this end.
    pub(crate) full: bool,
    /// The connection's counters.
    pub(crate) wire: Arc<Wire>,
}

/// News of a session.
#[derive(Debug)]
pub(crate) struct Report {
    /// Which connection.
    pub(crate) connection: ConnectionId,
    /// Which peer.
    pub(crate) node: NodeId,
    /// What happened.
    pub(crate) news: News,
}

/// What happened in a session.
#[derive(Debug)]
pub(crate) enum News {
    /// Both ends are proven and have the hop protocol.
    Ready(PeerHello),
    /// Both ends are proven, but the connection was made before that: another is wanted.
    Again(PeerHello),
    /// This node was admitted, durably.
    Joined,
    /// It is over.
    Over(Ending),
}

/// How a session ended.
#[derive(Debug)]
pub(crate) enum Ending {
    /// The gatekeeper, or that of the peer, refuses.
    Denied(Denial),
    /// What had to be kept was not.
    NotKept,
    /// Nothing came for so many milliseconds.
    Silent(u64),
    /// The proof took too long.
    TooLong,
    /// The stream ended or broke; whether the peer got what it came for.
    Closed {
        /// Whether this node let it in before.
        admitted: bool,
    },
}

enum Greeted {
    Proven(PeerHello),
    Joined,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Session<S> {
    /// Runs to the end, reporting on the way.
    pub(crate) async fn run(mut self, around: Arc<Surroundings>) {
        let (connection, node) = (self.connection, self.node);
        // The links are shutting down if nobody listens to a report.
        let tell = async |news| around.reports.send(Report { connection, node, news }).await;
        let limited = tokio::time::timeout(HELLO_LIMIT, self.greet(&around)).await;
        let last = match limited.unwrap_or(Err(Ending::TooLong)) {
            Err(ending) => News::Over(ending),
            Ok((Greeted::Joined, _)) => News::Joined,
            Ok((Greeted::Proven(hello), false)) => News::Again(hello),
            Ok((Greeted::Proven(hello), true)) => {
                // The beats tell it again; an earlier version only here.
                self.wire.note_wall(hello.wall_ms, (around.wall)());
                let _ = tell(News::Ready(hello)).await;
                let (stream, wire) = (&mut self.stream, &self.wire);
                News::Over(beats::exchange(stream, wire, around.clock, &around.wall).await)
            }
        };
        let _ = tell(last).await;
    }

    /// The dialogue, then one byte each way: whether the connection is complete at that end.
    async fn greet(&mut self, around: &Surroundings) -> Result<(Greeted, bool), Ending> {
        let gatekeeper = around.door.gatekeeper();
        let greeted = match self.purpose.clone() {
            Purpose::Knock => {
                let (dialogue, first) = gatekeeper.knock(self.node);
                self.ask(around, &gatekeeper, dialogue, first).await?
            }
            Purpose::Join(token, name) => {
                let (dialogue, first) =
                    gatekeeper.join(self.node, &token, &name).map_err(Ending::Denied)?;
                self.ask(around, &gatekeeper, dialogue, first).await?
            }
            Purpose::Listen => Greeted::Proven(self.answer(around, &gatekeeper).await?),
        };
        if matches!(greeted, Greeted::Joined) {
            return Ok((greeted, false));
        }
        around.door.proved(self.node);
        let complete = self.compare_ends().await.map_err(closed)?;
        Ok((greeted, complete))
    }

    async fn compare_ends(&mut self) -> io::Result<bool> {
        self.stream.write_all(&[u8::from(self.full)]).await?;
        self.stream.flush().await?;
        let mut theirs = [0];
        self.stream.read_exact(&mut theirs).await?;
        Ok(self.full && theirs[0] == 1)
    }

    async fn ask(
        &mut self,
        around: &Surroundings,
        gatekeeper: &Gatekeeper,
        mut dialogue: Dialogue,
        first: Vec<u8>,
    ) -> Result<Greeted, Ending> {
        let mut saying = first;
        loop {
            write_frame(&mut self.stream, &saying).await.map_err(closed)?;
            let reply = read_frame(&mut self.stream).await.map_err(closed)?;
            match gatekeeper.heard(&mut dialogue, &reply).map_err(Ending::Denied)? {
                Turn::Say(next) => saying = next,
                Turn::Proven(hello) => return Ok(Greeted::Proven(hello)),
                Turn::Joined(records) => {
                    keep(around, records.clone()).await?;
                    gatekeeper.joined(&records);
                    return Ok(Greeted::Joined);
                }
            }
        }
    }

    async fn answer(
        &mut self,
        around: &Surroundings,
        gatekeeper: &Gatekeeper,
    ) -> Result<PeerHello, Ending> {
        let mut memory = Visitor::default();
        let mut admitted = false;
        for _ in 0..ROUNDS_MAX {
            let request = read_frame(&mut self.stream);
            let request = request.await.map_err(|_| Ending::Closed { admitted })?;
            let now_ms = (around.wall)();
            let reaction = gatekeeper
                .asked(self.node, &mut memory, &request, now_ms)
                .map_err(Ending::Denied)?;
            if let Some(records) = reaction.keep {
                // Durable before the reply, or the peer would be told what a crash can undo.
                keep(around, records).await?;
                admitted = true;
            }
            write_frame(&mut self.stream, &reaction.reply)
                .await
                .map_err(|_| Ending::Closed { admitted })?;
            if let Some(denial) = reaction.refused {
                self.let_it_read().await;
                return Err(Ending::Denied(denial));
            }
            if let Some(hello) = reaction.proven {
                return Ok(hello);
            }
        }
        Err(Ending::Denied(Denial::Malformed("too many rounds")))
    }

    /// Waits until the peer has closed, so that the reason is not lost in the closing.
    async fn let_it_read(&mut self) {
        let gone = async {
            let _ = self.stream.close().await;
            let mut rest = [0; 64];
            while matches!(self.stream.read(&mut rest).await, Ok(1..)) {}
        };
        let _ = tokio::time::timeout(REASON_LIMIT, gone).await;
    }
}

fn closed(_: io::Error) -> Ending {
    Ending::Closed { admitted: false }
}

async fn keep(around: &Surroundings, records: Keep) -> Result<(), Ending> {
    let (kept, result) = oneshot::channel();
    let event = NetEvent::Keep(records, kept);
    around.events.send(event).await.map_err(|_| Ending::NotKept)?;
    match result.await {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(Ending::NotKept),
    }
}

async fn read_frame<T: AsyncRead + Unpin>(io: &mut T) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    io.read_exact(&mut length).await?;
    let length = u32::from_be_bytes(length) as usize;
    if length > DIALOGUE_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = vec![0; length];
    io.read_exact(&mut bytes).await?;
    Ok(bytes)
}

async fn write_frame<T: AsyncWrite + Unpin>(io: &mut T, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(|_| io::ErrorKind::InvalidData)?;
    let mut frame = Vec::with_capacity(4 + bytes.len());
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(bytes);
    io.write_all(&frame).await?;
    io.flush().await
}

#[cfg(test)]
mod tests;
