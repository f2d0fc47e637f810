//! Why a message is where it is, as far as this node knows: checks in the order in which things
//! have to hold, the first that does not hold being the reason.

use super::{PeerState, Service, ServiceError};
use crate::engine::address::{NodeId, QueueName};
use crate::engine::command::{Command, MessageState, OutgoingView, Reply};
use crate::engine::explain::{TraceView, WayLink, WayView};
use crate::engine::frame::NotTaken;
use crate::engine::ids::MessageRef;
use crate::engine::message::{Delivery, Priority};
use crate::engine::time::{Timestamp, spoken};
use crate::security::ResolveError;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConditionState {
    /// It holds.
    Holds,
    /// It does not hold.
    Fails,
    /// It cannot be told before an earlier one holds.
    Open,
}

/// One thing that has to hold before a message can arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Its name, stable for programs.
    pub check: &'static str,
    /// How it came out.
    pub outcome: ConditionState,
    /// What was found, for people.
    pub detail: String,
    /// What to do, if it fails and something can be done; else empty.
    pub hint: String,
}

/// Why messages for a node, or one message, are where they are.
#[derive(Clone, Debug, PartialEq)]
pub struct Why {
    /// The node that it is about.
    pub destination: String,
    /// The message that it is about, if it is about one.
    pub message: Option<Trace>,
    /// Own messages that wait for that node.
    pub waiting: u64,
    /// The checks, in order; none if nothing is to be delivered any more.
    pub findings: Vec<Condition>,
    /// Time until something is tried again at the latest, in milliseconds.
    pub next_try_ms: Option<u64>,
}

/// What this node knows of a message that it accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Its id.
    pub id: MessageRef,
    /// The node that it is for.
    pub destination: String,
    /// Its queue there.
    pub queue: QueueName,
    /// Express, recoverable or transactional.
    pub delivery: Delivery,
    /// 0 to 7.
    pub priority: Priority,
    /// Its state.
    pub state: MessageState,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// When its time to reach the queue ends.
    pub expires_at: Option<Timestamp>,
    /// When it died, if its dead letter is here.
    pub died_at: Option<Timestamp>,
    /// Whether it is there already and waits for an earlier one of its line.
    pub held_there: bool,
}

impl Service {
    /// What is known of a message that this node accepted.
    ///
    /// # Errors
    /// [`ServiceError::BadId`], or the engine's refusal if it knows no such message.
    pub async fn trace(&self, id: &str) -> Result<Trace, ServiceError> {
        Ok(self.traced(id).await?.1)
    }

    /// Why the messages for a node are where they are.
    ///
    /// # Errors
    /// [`ServiceError::BadAddress`] if the text can be no node's name.
    pub async fn why_node(&self, name: &str) -> Result<Why, ServiceError> {
        if !super::is_node_text(name) {
            return Err(ServiceError::BadAddress(name.chars().take(200).collect()));
        }
        match self.gatekeeper().resolve(name) {
            Ok(node) => self.why(node, None).await,
            Err(why) => Ok(unknown(name, &why)),
        }
    }

    /// Why a message that this node accepted is where it is.
    ///
    /// # Errors
    /// As [`Service::trace`].
    pub async fn why_message(&self, id: &str) -> Result<Why, ServiceError> {
        let (node, trace) = self.traced(id).await?;
        let waits = matches!(trace.state, MessageState::Stored | MessageState::InTransit(_));
        if waits {
            return self.why(node, Some(trace)).await;
        }
        Ok(Why {
            destination: trace.destination.clone(),
            message: Some(trace),
            waiting: 0,
            findings: Vec::new(),
            next_try_ms: None,
        })
    }

    async fn traced(&self, id: &str) -> Result<(NodeId, Trace), ServiceError> {
        let id = super::send::parse_id(id)?;
        let Reply::Trace(view) = self.call(Command::Trace(id)).await? else {
            return Err(ServiceError::Internal("a trace was expected".to_owned()));
        };
        let TraceView { destination, queue, delivery, priority, state, .. } = *view;
        let trace = Trace {
            id,
            destination: self.node_text(destination),
            queue,
            delivery,
            priority,
            state,
            accepted_at: view.accepted_at,
            expires_at: view.expires_at,
            died_at: view.died_at,
            held_there: view.held_there,
        };
        Ok((destination, trace))
    }

    async fn why(&self, node: NodeId, message: Option<Trace>) -> Result<Why, ServiceError> {
        let Reply::Way(way) = self.call(Command::Way(node)).await? else {
            return Err(ServiceError::Internal("a way was expected".to_owned()));
        };
        let views = self.outgoing_views().await?;
        let waiting = views.into_iter().find(|view| view.destination == node);
        let name = self.node_text(node);
        let mut checks = Checks::default();
        if node == self.gatekeeper().node() {
            checks.holds("name", format!("{name} is this node: nothing has to travel"));
        } else {
            self.check_way(&mut checks, node, &name, &way).await?;
        }
        self.check_time(&mut checks, node, waiting.as_ref(), message.as_ref());
        let now = self.handle().now();
        let tries = [way.link.and_then(|link| link.retry_at), way.refused.map(|(_, until)| until)];
        let next = waiting.as_ref().and_then(|view| view.next_try);
        let next = next.or_else(|| tries.into_iter().flatten().min());
        Ok(Why {
            destination: name,
            message,
            waiting: waiting.map_or(0, |view| view.messages),
            findings: checks.0,
            next_try_ms: next.map(|next| next.since(now)),
        })
    }

    async fn check_way(
        &self,
        checks: &mut Checks,
        node: NodeId,
        name: &str,
        way: &WayView,
    ) -> Result<(), ServiceError> {
        let peers = self.peers().await?;
        let peer = peers.members.into_iter().find(|peer| peer.node == node);
        let left = peer.as_ref().is_some_and(|peer| peer.state == PeerState::Left);
        checks.add(
            "name",
            !left,
            if left { format!("{name} has left the mesh") } else { format!("{name} is a member") },
            "take the messages back with `meshmq dead`, once their time is over",
        );
        let links = self.links().links();
        let direct = links.iter().find(|link| link.node == node);
        let seen_ms = self.links().heard_ms(node);
        let seen = match (direct, seen_ms) {
            (Some(link), _) => format!("it answers at {}", link.address),
            (None, Some(ms)) => format!("it was heard {} ago", spoken(ms)),
            (None, None) if way.hop.is_some() => "others see it".to_owned(),
            (None, None) => "nobody has seen it since this node started".to_owned(),
        };
        checks.add(
            "seen",
            direct.is_some() || seen_ms.is_some() || way.hop.is_some(),
            seen,
            "is it switched on, and in the same network? Otherwise start this node with --peer \
             HOST:7670",
        );
        let carriers: Vec<String> = way.carriers.iter().map(|&node| self.node_text(node)).collect();
        let path = match way.hop {
            Some(hop) if hop == node => "a direct link".to_owned(),
            Some(hop) => format!("by way of {}", self.node_text(hop)),
            None if carriers.is_empty() => "no live path, and nobody carries for it".to_owned(),
            None => format!("no live path; {} has copies for when they meet", carriers.join(", ")),
        };
        checks.add(
            "path",
            way.hop.is_some(),
            path,
            "nothing to be done here: it goes on by itself when a path is there",
        );
        check_link(checks, way.link.as_ref());
        check_answers(checks, way.refused.map(|(reason, _)| reason));
        Ok(())
    }

    /// The time that is left, and the clock it is measured by.
    fn check_time(
        &self,
        checks: &mut Checks,
        node: NodeId,
        waiting: Option<&OutgoingView>,
        message: Option<&Trace>,
    ) {
        let now = self.handle().now();
        let left = message.and_then(|trace| trace.expires_at).map(|end| end.since(now));
        let mut detail = match (left, waiting.and_then(|view| view.oldest)) {
            (Some(ms), _) => format!("{} are left to reach the queue", spoken(ms)),
            (None, Some(oldest)) => {
                format!("the oldest has waited for {}", spoken(now.since(oldest)))
            }
            (None, None) => "nothing waits".to_owned(),
        };
        detail.push_str(&self.clocks_of(node));
        checks.always("time", left != Some(0), detail);
    }
}

/// Nobody of that name: the only check that can be made.
fn unknown(name: &str, why: &ResolveError) -> Why {
    let mut checks = Checks::default();
    checks.add("name", false, why.to_string(), "`meshmq peers` lists the members");
    Why {
        destination: name.to_owned(),
        message: None,
        waiting: 0,
        findings: checks.0,
        next_try_ms: None,
    }
}

fn check_link(checks: &mut Checks, link: Option<&WayLink>) {
    let agreed = link.is_some_and(|link| link.agreed);
    let detail = if agreed { "both ends know what the other has" } else { "the ends are agreeing" };
    checks.add("session", agreed, detail.to_owned(), "it takes a round trip; ask again");
    let (detail, open) = link.map_or((String::new(), false), |link| {
        let WayLink { requests, bytes, window, .. } = *link;
        let detail = format!("{requests} requests with {bytes} of {window} bytes are under way");
        (detail, requests == 0 || bytes < window)
    });
    checks.add("window", open, detail, "the link is busy: its answers make room");
}

/// What the destination, or a relay on the way, said to the last transfer.
fn check_answers(checks: &mut Checks, refused: Option<NotTaken>) {
    let full = refused.filter(|why| matches!(why, NotTaken::QueueFull | NotTaken::StoreFull));
    let detail = full.map_or("it has room", |why| match why {
        NotTaken::QueueFull => "the queue there is at its quota",
        _ => "the store there is at its limit, or its disk at the reserve",
    });
    checks.add(
        "room",
        full.is_none(),
        detail.to_owned(),
        "receive or purge messages there, or free its disk",
    );
    let other = refused.filter(|_| full.is_none());
    let detail = other.map_or_else(
        || "it refuses nothing".to_owned(),
        |why| format!("it does not take them now: {}", why.as_str()),
    );
    checks.add("refusal", other.is_none(), detail, "it is asked again by itself");
}

/// Checks in the making: after the first that fails, the others cannot be told.
#[derive(Default)]
struct Checks(Vec<Condition>);

impl Checks {
    fn holds(&mut self, check: &'static str, detail: String) {
        self.always(check, true, detail);
    }

    /// A check that does not rest on the earlier ones.
    fn always(&mut self, check: &'static str, holds: bool, detail: String) {
        let outcome = if holds { ConditionState::Holds } else { ConditionState::Fails };
        self.0.push(Condition { check, outcome, detail, hint: String::new() });
    }

    fn add(&mut self, check: &'static str, holds: bool, detail: String, hint: &str) {
        if self.0.iter().any(|finding| finding.outcome == ConditionState::Fails) {
            let (detail, hint) = (String::new(), String::new());
            self.0.push(Condition { check, outcome: ConditionState::Open, detail, hint });
        } else {
            self.always(check, holds, detail);
            if let (false, Some(last)) = (holds, self.0.last_mut()) {
                hint.clone_into(&mut last.hint);
            }
        }
    }
}

#[cfg(test)]
mod tests;
