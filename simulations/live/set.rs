//! Sets the stage: machines, nodes that have joined one mesh, and links as they are at the start.

use super::Options;
use super::book::Book;
use super::lan::Lan;
use super::node::{Folder, Recipe};
use super::stage::{Actor, Stage, Standing, Stop, Tally, pause};
use super::times::Times;
use super::wall::Way;
use crate::checkers::Violation;
use crate::rng::Rng;
use crate::scenario::{Place, Scenario};
use meshmq::client::json::PeerState;
use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, watch};

/// How long the nodes may take to find each other, or to find that they cannot.
const MEET_WITHIN: Duration = Duration::from_secs(60);
/// Pause before a node is asked again whom it sees, in milliseconds.
const ASK_AGAIN_MS: u64 = 100;

/// The stage of a scenario, with machines and without nodes that run.
pub(super) fn stage<'s>(
    scenario: &'s Scenario,
    options: &Options,
    folder: &Folder,
) -> Result<Stage<'s>, Stop> {
    let lan = Lan::new(scenario.nodes.len()).map_err(Stop::Machine)?;
    lan.shape(&scenario.links).map_err(Stop::Machine)?;
    let program = options.program.clone().or_else(beside).unwrap_or_else(|| "meshmq".into());
    let actors = scenario.nodes.iter().map(|name| actor(name, &program, folder)).collect();
    Ok(Stage {
        scenario,
        lan: RefCell::new(lan),
        actors,
        book: RefCell::new(Book::new(Vec::new())),
        times: RefCell::default(),
        tally: RefCell::<Tally>::default(),
        draining: Cell::new(false),
        begun: Cell::new(Instant::now()),
        rng: Rng::new(options.seed).fork("live"),
        turns: scenario.senders.iter().map(|_| Mutex::new(())).collect(),
        trace: options.trace.then(RefCell::default),
        now: RefCell::default(),
    })
}

fn actor(name: &str, program: &Path, folder: &Folder) -> Actor {
    let (program, data) = (program.to_owned(), folder.path().join(name));
    Actor {
        recipe: Recipe { program, name: name.to_owned(), data },
        process: RefCell::default(),
        socket: RefCell::default(),
        node: Cell::new(None),
        standing: watch::Sender::new(Standing::default()),
        news: watch::Sender::new(0),
        hand: Mutex::new(()),
    }
}

/// The program that was built together with this one.
fn beside() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?.with_file_name("meshmq");
    program.is_file().then_some(program)
}

/// Starts the nodes, lets them meet, and takes away the links that are not there at the start.
pub(super) async fn begin(stage: &Stage<'_>) -> Result<(), Stop> {
    let crashed = |why: String| Stop::Crash(why);
    stage.note(|| "the nodes start".to_owned());
    stage.start(0, None).await?;
    let mut tokens = Vec::new();
    for _ in 1..stage.actors.len() {
        let door = stage.door(0).await.ok_or_else(|| crashed("the first node is gone".into()))?;
        let token = async { door?.invite().await };
        tokens.push(token.await.map_err(|why| crashed(format!("no token: {why}")))?);
    }
    let starts = tokens.iter().enumerate().map(|(at, token)| stage.start(at + 1, Some(token)));
    futures::future::try_join_all(starts).await?;
    let nodes = stage.actors.iter().filter_map(|actor| actor.node.get()).collect();
    *stage.book.borrow_mut() = Book::new(nodes);
    stage.note(|| "the nodes look for each other".to_owned());
    meet(stage, &|_, _| true).await?;
    let absent = absent(stage.scenario);
    if !absent.is_empty() {
        stage.note(|| "links that are not there at the start are cut".to_owned());
        stage.lan.borrow_mut().set_cut(&absent, true).map_err(Stop::Machine)?;
        meet(stage, &|a, b| !absent.contains(&(a, b))).await?;
    }
    let mut times = Times::default();
    stage.scenario.links.iter().filter(|link| !link.up).for_each(|link| times.cut(link.ends));
    *stage.times.borrow_mut() = times;
    stage.begun.set(Instant::now());
    Ok(())
}

/// Directions that carry nothing at the start.
fn absent(scenario: &Scenario) -> Vec<Way> {
    let places = 0..scenario.nodes.len();
    let is_there = |a: Place, b: Place| {
        let ends = (a.min(b), a.max(b));
        scenario.links.iter().any(|link| link.ends == ends && link.up)
    };
    let all = places.clone().flat_map(|a| places.clone().map(move |b| (a, b)));
    all.filter(|&(a, b)| a != b && !is_there(a, b)).collect()
}

/// Waits until exactly these nodes have links to each other.
async fn meet(stage: &Stage<'_>, are_linked: &impl Fn(Place, Place) -> bool) -> Result<(), Stop> {
    let begun = Instant::now();
    for place in 0..stage.actors.len() {
        loop {
            let wrong = stranger(stage, place, are_linked).await;
            let Some(wrong) = wrong else { break };
            if begun.elapsed() > MEET_WITHIN {
                let what = format!("{wrong} after {} s", MEET_WITHIN.as_secs());
                return Err(Stop::Liveness(Violation::general("liveness", what)));
            }
            pause(ASK_AGAIN_MS).await;
        }
    }
    Ok(())
}

/// What is not as wanted yet at a node, in words.
async fn stranger(
    stage: &Stage<'_>,
    place: Place,
    are_linked: &impl Fn(Place, Place) -> bool,
) -> Option<String> {
    let name = stage.name(place);
    let Some(Ok(mut door)) = stage.door(place).await else {
        return Some(format!("{name} does not answer"));
    };
    let Ok(peers) = door.peers().await else { return Some(format!("{name} does not answer")) };
    for other in (0..stage.actors.len()).filter(|&other| other != place) {
        let wanted = are_linked(place, other);
        let peer = peers.iter().find(|peer| peer.name == stage.name(other));
        let linked = peer.map(|peer| peer.state == PeerState::Up && peer.path == "direct");
        if linked != Some(wanted) {
            let word = if wanted { "no link" } else { "still a link, or no word of its own," };
            return Some(format!("{name} has {word} to {}", stage.name(other)));
        }
    }
    None
}
