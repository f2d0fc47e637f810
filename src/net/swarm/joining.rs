//! Being let into a mesh: dialing the token's addresses and asking whoever answers.
//!
//! All addresses are dialed at once, but the token is shown to one machine at a time.

use super::{Greeting, Links};
use crate::engine::address::NodeId;
use crate::net::event::{JoinError, Joined};
use crate::net::ids::{multiaddr_of, socket_of};
use crate::net::session::{Ending, Purpose};
use crate::security::{Denial, NodeName, Token};
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::swarm::{ConnectionId, DialError};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long the inviter may take to be reached.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// How long the whole may take.
const JOIN_LIMIT_MS: u64 = 45_000;

/// A join under way.
pub(super) struct Joining {
    reply: oneshot::Sender<Result<Joined, JoinError>>,
    until_ms: u64,
    /// Connections that are being made or have not greeted yet.
    awaited: BTreeSet<ConnectionId>,
    /// Connections on which it can be tried next.
    waiting: Vec<Greeting>,
    active: Option<ConnectionId>,
    refused: Option<JoinError>,
    unreachable: String,
}

impl Links {
    pub(super) fn start_join(
        &mut self,
        token: Token,
        name: NodeName,
        reply: oneshot::Sender<Result<Joined, JoinError>>,
    ) {
        if self.state.joining.is_some() {
            let _ = reply.send(Err(JoinError::Busy));
            return;
        }
        let addresses = token.addresses().to_vec();
        let purpose = Purpose::Join(Arc::new(token), name);
        self.state.joining = Some(Joining {
            reply,
            until_ms: self.clock.now_ms() + JOIN_LIMIT_MS,
            awaited: BTreeSet::new(),
            waiting: Vec::new(),
            active: None,
            refused: None,
            unreachable: "the token names no address".to_owned(),
        });
        for address in addresses {
            let options = DialOpts::unknown_peer_id().address(multiaddr_of(address));
            let options = options.allocate_new_port().build();
            if let Some(joining) = &mut self.state.joining {
                joining.awaited.insert(options.connection_id());
                joining.unreachable = format!("nothing answers at {address}");
            }
            self.dial(options, None, purpose.clone(), CONNECT_LIMIT);
        }
        self.go_on_joining();
    }

    pub(super) fn join_dial_failed(&mut self, id: ConnectionId, error: &DialError) {
        let Some(joining) = &mut self.state.joining else { return };
        if joining.awaited.remove(&id) {
            tracing::info!(%error, "the inviter cannot be reached at one of its addresses");
            self.go_on_joining();
        }
    }

    pub(super) fn join_greeting(&mut self, greeting: Greeting) {
        let id = greeting.connection;
        let joining = self.state.joining.as_mut();
        match joining.filter(|joining| joining.awaited.contains(&id)) {
            Some(joining) => {
                joining.awaited.remove(&id);
                joining.waiting.push(greeting);
                self.go_on_joining();
            }
            None => self.close(id),
        }
    }

    /// A connection is of no more use for the join, if it was of any.
    pub(super) fn join_attempt_over(&mut self, id: ConnectionId, ending: Option<Ending>) {
        let Some(joining) = &mut self.state.joining else { return };
        let awaited = joining.awaited.remove(&id);
        joining.waiting.retain(|greeting| greeting.connection != id);
        let active = joining.active == Some(id);
        if active {
            joining.active = None;
        }
        if !awaited && !active {
            return;
        }
        match ending {
            // Another address may lead to the right machine, but this is the better reason.
            Some(Ending::Denied(denial)) => {
                let right = joining.refused.is_none()
                    || !matches!(denial, Denial::WrongInviter | Denial::Malformed(_));
                if right {
                    joining.refused = Some(JoinError::Refused(denial));
                }
            }
            Some(Ending::NotKept) => joining.refused = Some(JoinError::NotKept),
            Some(Ending::TooLong) => {
                "it does not answer in time".clone_into(&mut joining.unreachable)
            }
            Some(Ending::Closed { .. } | Ending::Silent(_)) | None => {
                "the connection ended before the answer".clone_into(&mut joining.unreachable);
            }
        }
        self.go_on_joining();
    }

    /// Tries the next connection; if there is none to come, the join has failed.
    fn go_on_joining(&mut self) {
        let Some(joining) = &mut self.state.joining else { return };
        if joining.active.is_some() {
            return;
        }
        let final_word = joining.refused.as_ref().is_some_and(|error| {
            !matches!(error, JoinError::Refused(Denial::WrongInviter | Denial::Malformed(_)))
        });
        if !final_word {
            if let Some(greeting) = joining.waiting.pop() {
                joining.active = Some(greeting.connection);
                self.start_session(greeting);
                return;
            }
            if !joining.awaited.is_empty() {
                return;
            }
        }
        self.end_join();
    }

    /// The join that takes too long ends.
    pub(super) fn check_join(&mut self, now_ms: u64) {
        if self.state.joining.as_ref().is_some_and(|joining| now_ms >= joining.until_ms) {
            self.end_join();
        }
    }

    fn end_join(&mut self) {
        let Some(joining) = self.state.joining.take() else { return };
        let Joining { reply, awaited, waiting, active, refused, unreachable, .. } = joining;
        let error = refused.unwrap_or(JoinError::Unreachable(unreachable));
        tracing::info!(%error, "the join failed");
        let _ = reply.send(Err(error));
        let open = awaited.into_iter().chain(waiting.iter().map(|it| it.connection)).chain(active);
        for id in open {
            self.close(id);
        }
    }

    /// This node is a member now, durably. Everything else is made anew in the new mesh.
    pub(super) fn on_joined(&mut self, id: ConnectionId, inviter: NodeId) {
        let now_ms = self.clock.now_ms();
        let address = self.state.connections.get(&id).and_then(|it| socket_of(&it.address));
        let joining = self.state.joining.take();
        self.door.forget();
        self.door.proved(inviter);
        self.tell_addresses();
        self.cut_everything();
        self.keeper.begin_anew(now_ms);
        self.keeper.again(inviter, address, now_ms);
        let mesh = self.door.gatekeeper().mesh_label();
        tracing::info!(meshmq.peer = %inviter, mesh, "joined");
        if let Some(joining) = joining {
            let _ = joining.reply.send(Ok(Joined { inviter, mesh }));
        }
    }
}
