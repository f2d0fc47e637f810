use super::{Ending, News, Purpose, Report, Session, Surroundings, read_frame, write_frame};
use crate::engine::address::NodeId;
use crate::net::clock::Clock;
use crate::net::door::Door;
use crate::net::event::NetEvent;
use crate::net::liveness::SILENCE_MS;
use crate::net::pipe::{Pipe, pipe};
use crate::net::transport::{Wire, WireStream};
use crate::security::{
    DIALOGUE_MAX, Denial, Gatekeeper, Identity, InviteOptions, Keep, Token, Turn,
};
use futures::AsyncWriteExt;
use libp2p::swarm::ConnectionId;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(30);
const NOW_MS: u64 = 1_800_000_000_000;

/// One end of a session, with what it reports and asks to be kept.
struct End {
    around: Arc<Surroundings>,
    events: mpsc::Receiver<NetEvent>,
    reports: mpsc::Receiver<Report>,
}

impl End {
    fn of(gatekeeper: Gatekeeper) -> Self {
        let clock = Clock::start();
        let door = Arc::new(Door::new(Arc::new(gatekeeper), clock));
        let (to_events, events) = mpsc::channel(8);
        let (to_reports, reports) = mpsc::channel(8);
        let around = Surroundings {
            door,
            clock,
            wall: Arc::new(|| NOW_MS),
            events: to_events,
            reports: to_reports,
        };
        Self { around: Arc::new(around), events, reports }
    }

    fn node(&self) -> NodeId {
        self.around.door.gatekeeper().node()
    }

    fn run(&self, peer: NodeId, stream: Pipe, purpose: Purpose, full: bool) {
        let wire = Arc::new(Wire::new(self.around.clock));
        let stream = WireStream::new(stream, wire.clone());
        let connection = ConnectionId::new_unchecked(1);
        let session = Session { connection, node: peer, stream, purpose, full, wire };
        tokio::spawn(session.run(self.around.clone()));
    }

    async fn news(&mut self) -> News {
        timeout(SOON, self.reports.recv()).await.expect("in time").expect("a report").news
    }

    async fn keep(&mut self, durable: bool) -> Keep {
        let event = timeout(SOON, self.events.recv()).await.expect("in time");
        let Some(NetEvent::Keep(keep, kept)) = event else { panic!("something to keep") };
        let gatekeeper = self.around.door.gatekeeper();
        keep.directory.iter().for_each(|record| gatekeeper.learned(record));
        kept.send(durable).expect("somebody waits");
        keep
    }
}

fn founder() -> Gatekeeper {
    let identity = Arc::new(Identity::ephemeral());
    let name = "pc-a".parse().expect("a name");
    let (gatekeeper, keep) = Gatekeeper::found(identity, &name, NOW_MS).expect("a mesh");
    keep.directory.iter().for_each(|record| gatekeeper.learned(record));
    gatekeeper
}

fn unjoined() -> Gatekeeper {
    Gatekeeper::unjoined(Arc::new(Identity::ephemeral()))
}

fn token(end: &End) -> Token {
    let options = InviteOptions { ttl_ms: 60_000, admin: false, addresses: Vec::new() };
    end.around.door.gatekeeper().invite(options, NOW_MS).expect("an admin").0
}

fn join(token: Token) -> Purpose {
    Purpose::Join(Arc::new(token), "pc-b".parse().expect("a name"))
}

/// Two members, by a join through two sessions.
async fn members() -> (End, End) {
    let (mut a, mut b) = (End::of(founder()), End::of(unjoined()));
    let (at_a, at_b) = pipe(64 * 1024);
    a.run(b.node(), at_a, Purpose::Listen, false);
    b.run(a.node(), at_b, join(token(&a)), false);
    a.keep(true).await;
    b.keep(true).await;
    assert!(matches!(b.news().await, News::Joined));
    assert!(matches!(a.news().await, News::Over(Ending::Closed { admitted: true })));
    (a, b)
}

#[tokio::test]
async fn members_prove_themselves_and_beat() {
    let (mut a, mut b) = members().await;
    let (at_a, at_b) = pipe(64 * 1024);
    a.run(b.node(), at_a, Purpose::Listen, true);
    b.run(a.node(), at_b, Purpose::Knock, true);
    assert!(matches!(a.news().await, News::Ready(_)));
    assert!(matches!(b.news().await, News::Ready(_)));
    let longer = Duration::from_millis(SILENCE_MS + 1_500);
    assert!(timeout(longer, a.reports.recv()).await.is_err(), "beats keep it alive");
}

#[tokio::test]
async fn a_connection_that_one_end_made_too_early_is_wanted_again() {
    let (mut a, mut b) = members().await;
    for (full_a, full_b) in [(true, false), (false, true), (false, false)] {
        let (at_a, at_b) = pipe(64 * 1024);
        a.run(b.node(), at_a, Purpose::Listen, full_a);
        b.run(a.node(), at_b, Purpose::Knock, full_b);
        assert!(matches!(a.news().await, News::Again(_)));
        assert!(matches!(b.news().await, News::Again(_)));
    }
}

#[tokio::test]
async fn a_peer_that_falls_silent_is_dead() {
    let (mut a, b) = members().await;
    let (at_a, at_b) = pipe(64 * 1024);
    a.run(b.node(), at_a, Purpose::Listen, true);
    // The far end proves itself, and neither closes the stream nor beats.
    let gatekeeper = b.around.door.gatekeeper();
    let mut far = at_b;
    let (mut dialogue, mut saying) = gatekeeper.knock(a.node());
    let hello = loop {
        write_frame(&mut far, &saying).await.expect("written");
        let reply = read_frame(&mut far).await.expect("a reply");
        match gatekeeper.heard(&mut dialogue, &reply).expect("no denial") {
            Turn::Say(next) => saying = next,
            Turn::Proven(hello) => break hello,
            Turn::Joined(_) => panic!("a knock ends with a proof"),
        }
    };
    assert_eq!(hello.version, 1);
    far.write_all(&[1]).await.expect("written");
    assert!(matches!(a.news().await, News::Ready(_)));
    let News::Over(Ending::Silent(silent)) = a.news().await else { panic!("it is dead") };
    assert!(silent >= SILENCE_MS);
}

#[tokio::test]
async fn nothing_is_told_before_it_is_durable() {
    let (mut a, mut b) = (End::of(founder()), End::of(unjoined()));
    let (at_a, at_b) = pipe(64 * 1024);
    a.run(b.node(), at_a, Purpose::Listen, false);
    b.run(a.node(), at_b, join(token(&a)), false);
    let event = timeout(SOON, a.events.recv()).await.expect("in time");
    let Some(NetEvent::Keep(_, kept)) = event else { panic!("something to keep") };
    let waiting = timeout(Duration::from_millis(500), b.events.recv()).await;
    assert!(waiting.is_err(), "the joiner has heard nothing yet");
    kept.send(false).expect("somebody waits");
    assert!(matches!(a.news().await, News::Over(Ending::NotKept)));
    assert!(matches!(b.news().await, News::Over(Ending::Closed { .. })));
}

#[tokio::test]
async fn a_membership_that_was_not_kept_is_none() {
    let (mut a, mut b) = (End::of(founder()), End::of(unjoined()));
    let (at_a, at_b) = pipe(64 * 1024);
    a.run(b.node(), at_a, Purpose::Listen, false);
    b.run(a.node(), at_b, join(token(&a)), false);
    a.keep(true).await;
    b.keep(false).await;
    assert!(matches!(b.news().await, News::Over(Ending::NotKept)));
    assert_eq!(b.around.door.gatekeeper().mesh(), None);
}

#[tokio::test]
async fn two_meshes_do_not_get_past_the_knock() {
    let (mut a, mut b) = (End::of(founder()), End::of(founder()));
    let (at_a, at_b) = pipe(64 * 1024);
    a.run(b.node(), at_a, Purpose::Listen, true);
    b.run(a.node(), at_b, Purpose::Knock, true);
    assert!(matches!(b.news().await, News::Over(Ending::Denied(Denial::Stranger))));
    let News::Over(ending) = a.news().await else { panic!("it ends") };
    assert!(matches!(ending, Ending::Denied(_) | Ending::Closed { admitted: false }), "{ending:?}");
}

#[tokio::test]
async fn more_than_a_dialogue_may_say_is_not_read() {
    let (mut a, b) = (End::of(founder()), End::of(unjoined()));
    let (at_a, mut at_b) = pipe(64 * 1024);
    a.run(b.node(), at_a, Purpose::Listen, false);
    at_b.write_all(&(DIALOGUE_MAX as u32 + 1).to_be_bytes()).await.expect("written");
    assert!(matches!(a.news().await, News::Over(Ending::Closed { admitted: false })));
    let (at_a, mut at_b) = pipe(64 * 1024);
    a.run(b.node(), at_a, Purpose::Listen, false);
    write_frame(&mut at_b, &[0xff; 100]).await.expect("written");
    assert!(matches!(a.news().await, News::Over(Ending::Denied(_))));
}
