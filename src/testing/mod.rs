//! A small mesh in virtual time, for the tests of programs that use MeshMQ.
//!
//! The nodes are the product's own, with a store in memory and links that a test cuts and heals.
//! Programs get the ordinary [`Client`]. The clock of the test's Tokio runtime stands still while
//! anybody works, and jumps to the next thing to come when all wait: days pass in milliseconds, and
//! nothing sleeps. What happens when, and to whom, follows from a seed.
//!
//! ```
//! use meshmq::testing::Mesh;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> meshmq::Result<()> {
//! let mesh = Mesh::new(["a", "b"]);
//! let inbox = mesh.client("b").create_queue("orders").await?;
//! mesh.cut(&["a"], &["b"]);
//! let receipt = mesh.client("a").queue("orders@b").send("two boxes").await?;
//! mesh.advance(std::time::Duration::from_secs(3 * 24 * 3_600)).await;
//! assert_eq!(inbox.info().await?.ready, 0);
//! mesh.heal();
//! receipt.arrived().await?;
//! assert_eq!(inbox.info().await?.ready, 1);
//! # Ok(())
//! # }
//! ```
//!
//! Refuses to touch disk and network, and to lose a message: what is wrong with a link is that it is
//! cut, what is wrong with a node is that it is down.

mod members;
mod node;
mod rng;
mod wire;

use crate::api::Client;
use crate::engine::limits::Limits;
use crate::engine::time::Timestamp;
use members::Members;
use node::{Around, Node};
use rng::Rng;
use std::fmt;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use wire::Wire;

/// Nodes of one mesh at most.
pub const NODES_MAX: usize = 64;
/// Virtual time for which a mesh runs. Then every call to its nodes fails, so that a test that waits
/// for what never comes ends.
pub const TIME_MAX: Duration = Duration::from_secs(400 * 24 * 3_600);
/// How long all must have been silent before a mesh has settled.
pub const QUIET: Duration = Duration::from_secs(15);
/// Virtual time that settling may take.
pub const SETTLE_MAX: Duration = Duration::from_secs(3_600);

/// What node and wall clocks show when a mesh starts: the first day of 2026.
const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// A mesh in the making.
#[derive(Clone, Debug)]
#[must_use = "nothing runs before `start`"]
pub struct MeshBuilder {
    names: Vec<String>,
    links: Option<Vec<[usize; 2]>>,
    seed: u64,
    limits: Limits,
}

impl MeshBuilder {
    /// What latencies, keys and all other choices are drawn from; 1 unless said.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Who can be linked with whom; each with each unless said.
    ///
    /// # Panics
    /// If a node is not of this mesh.
    pub fn links(mut self, links: &[(&str, &str)]) -> Self {
        let place = |name: &str| place(&self.names, name);
        let mut links: Vec<[usize; 2]> =
            links.iter().map(|(one, other)| [place(one), place(other)]).collect();
        links.iter_mut().for_each(|ends| ends.sort_unstable());
        links.sort_unstable();
        links.dedup();
        assert!(links.iter().all(|[one, other]| one != other), "a node is not linked with itself");
        self.links = Some(links);
        self
    }

    /// The bounds of every node.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Starts the nodes. From here on the clock of the runtime is virtual; the links come up with
    /// its first second.
    ///
    /// # Panics
    /// Outside a Tokio runtime of the kind `current_thread`, as `#[tokio::test]` makes it.
    pub fn start(self) -> Mesh {
        stop_the_clock();
        let Self { names, links, seed, limits } = self;
        let mut rng = Rng(seed);
        let members = Members::new(&names, &mut rng, START.as_millis());
        let all = (0..names.len()).flat_map(|one| (0..one).map(move |other| [other, one]));
        let links = links.unwrap_or_else(|| all.collect());
        let ids = (0..names.len()).map(|place| members.identity(place).node_id()).collect();
        let wire = Wire::new(ids, links, Rng(rng.draw()));
        let nodes: Vec<Node> = (0..names.len()).map(Node::new).collect();
        let stop = CancellationToken::new();
        let lives: Vec<_> = nodes.iter().map(|node| node.lives.clone()).collect();
        let limit = stop.clone();
        let tasks = [
            tokio::spawn(wire.clone().run()),
            tokio::spawn(async move {
                sleep(TIME_MAX).await;
                lives.iter().for_each(|lives| lives.set(None));
                limit.cancel();
            }),
        ];
        let started = Instant::now();
        let mut mesh = Mesh { names, members, nodes, wire, limits, rng, started, stop, tasks };
        (0..mesh.nodes.len()).for_each(|place| mesh.start_node(place));
        mesh
    }
}

/// A mesh in virtual time. Its nodes end when it is dropped.
pub struct Mesh {
    names: Vec<String>,
    members: Members,
    nodes: Vec<Node>,
    wire: Wire,
    limits: Limits,
    rng: Rng,
    started: Instant,
    stop: CancellationToken,
    tasks: [JoinHandle<()>; 2],
}

impl Mesh {
    /// Starts a mesh of nodes with these names, each linked with each.
    ///
    /// # Panics
    /// As [`Mesh::builder`] and [`MeshBuilder::start`].
    #[must_use]
    pub fn new<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        Self::builder(names).start()
    }

    /// A mesh in the making.
    ///
    /// # Panics
    /// If there are no names, more than [`NODES_MAX`], or one that is no name or comes twice.
    pub fn builder<N: Into<String>>(names: impl IntoIterator<Item = N>) -> MeshBuilder {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        assert!((1..=NODES_MAX).contains(&names.len()), "a mesh has 1 to {NODES_MAX} nodes");
        for (index, name) in names.iter().enumerate() {
            assert!(!names[..index].contains(name), "there are two nodes `{name}`");
        }
        MeshBuilder { names, links: None, seed: 1, limits: Limits::default() }
    }

    /// A program's way to a node. It goes on with the node's next life after a crash; while the node
    /// is down, calls fail as those of [`Client::connect`] do without a node.
    ///
    /// # Panics
    /// If no node has that name.
    #[must_use]
    pub fn client(&self, name: &str) -> Client {
        self.nodes[self.place(name)].lives.client()
    }

    /// Cuts every link between the one side and the other. What is on its way is lost, and the nodes
    /// find out some seconds later.
    ///
    /// # Panics
    /// If no node has one of the names.
    pub fn cut(&self, side: &[&str], other: &[&str]) {
        let places = |names: &[&str]| names.iter().map(|name| self.place(name)).collect::<Vec<_>>();
        let (side, other) = (places(side), places(other));
        self.wire.set_cut(true, |one, two| side.contains(&one) && other.contains(&two));
    }

    /// Heals all cuts. The links are back within seconds.
    pub fn heal(&self) {
        self.wire.set_cut(false, |_, _| true);
    }

    /// Kills a node's process, as a power cut does: it keeps what it has acknowledged. Does nothing if
    /// it is down.
    ///
    /// # Panics
    /// If no node has that name.
    pub async fn crash(&mut self, name: &str) {
        let place = self.place(name);
        self.nodes[place].crash(&self.wire).await;
    }

    /// Starts a node again, with what it had on its disk. Does nothing if it runs.
    ///
    /// # Panics
    /// If no node has that name.
    pub fn restart(&mut self, name: &str) {
        let place = self.place(name);
        self.start_node(place);
    }

    /// Lets so much virtual time pass, and everything happen that happens in it.
    pub async fn advance(&self, time: Duration) {
        sleep(time).await;
    }

    /// Lets time pass until the nodes have nothing left to say to each other: no link is changing,
    /// and all have been silent for [`QUIET`]. What waits for a cut link or a full queue goes on
    /// waiting.
    ///
    /// # Panics
    /// If they still talk after [`SETTLE_MAX`].
    pub async fn settle(&self) {
        let begun = Instant::now();
        let mut look_at = begun + QUIET;
        loop {
            sleep_until(look_at).await;
            let now = Instant::now();
            match self.wire.silent_since() {
                Some(since) if now.duration_since(since) >= QUIET => return,
                Some(since) => look_at = since + QUIET,
                None => look_at = now + Duration::from_secs(1),
            }
            assert!(now.duration_since(begun) < SETTLE_MAX, "the nodes still talk: {self:?}");
        }
    }

    /// Virtual time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn place(&self, name: &str) -> usize {
        place(&self.names, name)
    }

    fn start_node(&mut self, place: usize) {
        let passed = u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX);
        let now = START.after(passed);
        let around = Around {
            members: &self.members,
            wire: &self.wire,
            limits: &self.limits,
            now,
            stop: &self.stop,
        };
        self.nodes[place].start(&around, &mut self.rng);
    }
}

impl Drop for Mesh {
    fn drop(&mut self) {
        self.stop.cancel();
        self.nodes.iter_mut().for_each(Node::end);
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl fmt::Debug for Mesh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (names, elapsed) = (&self.names, self.elapsed());
        f.debug_struct("Mesh")
            .field("names", names)
            .field("elapsed", &elapsed)
            .finish_non_exhaustive()
    }
}

fn place(names: &[String], name: &str) -> usize {
    let found = names.iter().position(|known| known == name);
    found.unwrap_or_else(|| panic!("no node `{name}` among {names:?}"))
}

/// Makes the runtime's clock a virtual one, unless it is.
fn stop_the_clock() {
    let (virtual_now, real_now) = (Instant::now(), std::time::Instant::now());
    while real_now.elapsed() < Duration::from_micros(10) {
        std::hint::spin_loop();
    }
    if virtual_now.elapsed() > Duration::ZERO {
        tokio::time::pause();
    }
}

#[cfg(test)]
mod tests;
