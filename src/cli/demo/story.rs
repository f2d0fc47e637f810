//! What happens in the demo, in order: each blow falls while messages are on their way.

use super::super::error::{CliError, Exit};
use super::super::sandbox::Node;
use super::receiver::{Receiver, Tally};
use super::view::View;
use super::{MESSAGES, Outcome};
use crate::client::http::Client;
use crate::client::json::{
    Batch, BatchSent, Delivery, InviteRequest, Invited, NewMessage, Peers, Queue, QueueSpec,
};
use crate::client::path;
use std::path::Path;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

/// The queue at b.
const QUEUE: &str = "demo";
/// Its address at a.
const ADDRESS: &str = "demo@b";
/// Messages stored in one step.
const BATCH: u64 = 25;
/// How long a may take to hear of b.
const KNOWN_WITHIN: Duration = Duration::from_secs(10);
/// Between two looks whether it has.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// How long the cable stays out.
const CUT_FOR: Duration = Duration::from_secs(3);
/// How long a killed node stays away.
const AWAY_FOR: Duration = Duration::from_millis(1_500);
/// How long one waits for a duplicate after the last message.
const QUIET_FOR: Duration = Duration::from_secs(1);
/// When the story gives up; under a minute with everything around it.
const GIVE_UP_AFTER: Duration = Duration::from_secs(54);

/// The three nodes and the application, with what was sent so far.
struct Stage<'a> {
    a: Node,
    relay: Node,
    b: Node,
    sender: Client,
    receiver: Receiver,
    tally: watch::Receiver<Tally>,
    sent: u64,
    begun: Instant,
    view: &'a mut View,
}

/// Plays it and counts. Dropping it at any point ends all nodes.
pub(super) async fn tell(folder: &Path, view: &mut View) -> Result<Outcome, CliError> {
    let deadline = Instant::now() + GIVE_UP_AFTER;
    let built = timeout_at(deadline, Stage::build(folder, view)).await;
    let mut stage = built.unwrap_or_else(|_| {
        let what = "the nodes were not ready in time: the machine is too busy";
        Err(CliError::new(Exit::Defect, "demo_nodes", what))
    })?;
    let played = timeout_at(deadline, stage.play()).await;
    let seconds = (stage.begun.elapsed().as_secs_f64() * 1_000.0).round() / 1_000.0;
    if let Ok(played) = played {
        played?;
    } else {
        stage.view.event("time is over");
        if let Err(why) = stage.receiver.pause().await {
            stage.view.event(&format!("b could not receive: {why}"));
        }
    }
    let outcome = stage.tally.borrow().outcome(stage.sent, seconds);
    stage.end().await;
    Ok(outcome)
}

/// Waits until a knows b, and sees that the relay alone leads there.
async fn until_known(a: &mut Client) -> Result<(), CliError> {
    let mut again = tokio::time::interval(LOOK_AGAIN);
    let ends = Instant::now() + KNOWN_WITHIN;
    loop {
        again.tick().await;
        let peers: Peers = a.get("/v1/peers").await?;
        let path = peers.items.iter().find(|peer| peer.name == "b").map(|peer| peer.path.as_str());
        match path {
            Some("via relay") => return Ok(()),
            Some("direct") => {
                let what = "a and b hear each other, so that the demo shows nothing";
                return Err(CliError::new(Exit::Defect, "demo_nodes", what));
            }
            _ if Instant::now() > ends => {
                return Err(CliError::new(Exit::Defect, "demo_nodes", "a does not hear of b"));
            }
            _ => {}
        }
    }
}

impl<'a> Stage<'a> {
    /// Starts the nodes, and lets a and b join the relay's mesh.
    async fn build(folder: &Path, view: &'a mut View) -> Result<Self, CliError> {
        let mut relay = Node::behind_a_cable("relay", folder, None).await?;
        let hub = relay.address();
        let mut a = Node::behind_a_cable("a", folder, hub).await?;
        let mut b = Node::behind_a_cable("b", folder, hub).await?;
        relay.start(None).await?;
        let mut inviter = relay.connect().await?;
        for node in [&mut a, &mut b] {
            let request = InviteRequest::default();
            let invited: Invited = inviter.post("/v1/invites", &request).await?;
            node.start(Some(&invited.token)).await?;
        }
        view.event("three nodes are up: a, relay and b");
        let spec = QueueSpec { transactional: true, ..QueueSpec::default() };
        let _: Queue = b.connect().await?.put(&path::queue(QUEUE), &spec).await?;
        let mut receiver = Receiver::new(QUEUE);
        receiver.go_on(b.socket().to_owned());
        let mut sender = a.connect().await?;
        until_known(&mut sender).await?;
        view.event("a and b never hear each other: a reaches b by way of the relay only");
        let tally = receiver.tally();
        Ok(Self { a, relay, b, sender, receiver, tally, sent: 0, begun: Instant::now(), view })
    }

    /// The blows.
    async fn play(&mut self) -> Result<(), CliError> {
        self.view.event("a sends to demo@b");
        self.send_until(MESSAGES / 4).await?;
        self.received(MESSAGES / 20).await;

        self.relay.set_cable(true);
        self.cut_ends(true);
        self.note("the relay's cable is pulled; a goes on sending");
        self.send_until(MESSAGES / 2).await?;
        sleep(CUT_FOR).await;
        self.relay.set_cable(false);
        self.cut_ends(false);
        self.note("the cable is back");
        self.received(MESSAGES * 3 / 10).await;

        self.send_until(MESSAGES * 5 / 8).await?;
        self.relay.kill().await;
        self.note("the relay is killed with what it carries (kill -9)");
        self.send_until(MESSAGES * 3 / 4).await?;
        sleep(AWAY_FOR).await;
        self.relay.start(None).await?;
        self.note("the relay is back");
        self.received(MESSAGES * 6 / 10).await;

        self.send_until(MESSAGES * 7 / 8).await?;
        self.receiver.pause().await?;
        self.b.kill().await;
        self.note("b is killed while messages come in (kill -9)");
        self.send_until(MESSAGES).await?;
        sleep(AWAY_FOR).await;
        self.b.start(None).await?;
        self.receiver.go_on(self.b.socket().to_owned());
        self.note("b is back");
        self.received(MESSAGES).await;
        sleep(QUIET_FOR).await;
        self.receiver.pause().await?;
        self.note("all is quiet");
        Ok(())
    }

    /// Pulls or puts back what leads from the relay to a and b: whoever dialed, nothing passes.
    fn cut_ends(&self, out: bool) {
        for node in [&self.a, &self.b] {
            node.set_cable(out)
        }
    }

    /// Sends up to this number.
    async fn send_until(&mut self, last: u64) -> Result<(), CliError> {
        while self.sent < last {
            let end = last.min(self.sent + BATCH);
            let messages = (self.sent + 1..=end).map(|number| NewMessage {
                delivery: Some(Delivery::Transactional),
                ..NewMessage::with_body(number.to_string().as_bytes())
            });
            let batch = Batch { messages: messages.collect() };
            let _: BatchSent = self.sender.post(&path::messages(ADDRESS), &batch).await?;
            self.sent = end;
            self.show();
        }
        Ok(())
    }

    /// Waits until so many were received.
    async fn received(&mut self, number: u64) {
        while self.tally.borrow_and_update().delivered() < number {
            if self.tally.changed().await.is_err() {
                return;
            }
            self.show();
        }
    }

    fn show(&self) {
        self.view.progress(self.sent, self.tally.borrow().delivered());
    }

    /// Tells what happened, and where it stands.
    fn note(&mut self, what: &str) {
        self.show();
        let received = self.tally.borrow().delivered();
        self.view.event(&format!("{what}: {} sent, {received} received", self.sent));
    }

    /// Ends everything and waits for it.
    async fn end(mut self) {
        for node in [&mut self.a, &mut self.b, &mut self.relay] {
            node.kill().await;
        }
    }
}
