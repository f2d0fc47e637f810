//! The end of a live run: everything is healed, everything must come to its end, and what a run with
//! nothing broken can do is measured for comparison.

use super::programs;
use super::stage::{Stage, Stop, pause};
use crate::checkers::Violation;
use crate::scenario::{Deaths, Place};
use meshmq::engine::record::SentState;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long relays may carry what is settled.
const REST: Duration = Duration::from_secs(60);
/// Pause before it is looked again whether all is settled, in milliseconds.
const LOOK_AGAIN_MS: u64 = 100;
/// Looks between two questions for the states of what is open.
const LOOKS: u32 = 10;
/// Most messages whose states are asked for at once.
const ASKED_MAX: usize = 500;

/// Heals everything, waits until all is settled and at rest, and judges the end.
pub(super) async fn finish(stage: &Stage<'_>) -> Result<(), Stop> {
    stage.note(|| "everything is healed".to_owned());
    stage.draining.set(true);
    for place in 0..stage.actors.len() {
        stage.start(place, None).await?;
    }
    let links = stage.scenario.links.iter().map(|link| link.ends);
    let ways: Vec<_> = links.flat_map(|(a, b)| [(a, b), (b, a)]).collect();
    stage.set_cut(&ways, false)?;
    stage.book.borrow_mut().ledger.set_islands(islands(stage));
    let begun = Instant::now();
    settle(stage).await?;
    stage.times.borrow_mut().drained = Some(begun.elapsed());
    let backlog = stage.times.borrow().backlog();
    if let Some((ends, count)) = backlog {
        programs::send_steadily(stage, ends, count).await?;
        settle(stage).await?;
    }
    rest(stage).await?;
    stage.book.borrow_mut().close();
    stage.verdict()?;
    judge_the_dead(stage)
}

/// Which nodes can meet without those that are lost: a number for each.
fn islands(stage: &Stage<'_>) -> Vec<usize> {
    let mut islands: Vec<usize> = (0..stage.actors.len()).collect();
    let lost = |place: Place| stage.actors[place].standing.borrow().lost;
    let links = stage.scenario.links.iter().map(|link| link.ends);
    for (a, b) in links.filter(|&(a, b)| !lost(a) && !lost(b)) {
        let (one, other) = (islands[a], islands[b]);
        islands.iter_mut().filter(|island| **island == other).for_each(|at| *at = one);
    }
    islands
}

/// Waits until every message is at its end.
async fn settle(stage: &Stage<'_>) -> Result<(), Stop> {
    let begun = Instant::now();
    let mut asked = BTreeMap::new();
    for look in 1_u32.. {
        stage.verdict()?;
        let open = stage.book.borrow().open();
        if open.is_empty() {
            return Ok(());
        }
        if begun.elapsed() > Duration::from_millis(stage.scenario.drain_ms) {
            return Err(Stop::Liveness(unsettled(stage, &open)));
        }
        if look.is_multiple_of(LOOKS) {
            asked = ask(stage, &open, &asked).await;
        }
        stage.note(|| format!("{} messages are not at their end", open.len()));
        pause(LOOK_AGAIN_MS).await;
    }
    Ok(())
}

/// Asks for the states of what is open. An answer that is the same twice, and not what the news have
/// told, is of news that nobody read: it is taken for them.
async fn ask(
    stage: &Stage<'_>,
    open: &[(Place, String, SentState)],
    before: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut answers = BTreeMap::new();
    for place in 0..stage.actors.len() {
        let mut own = open.iter().filter(|(origin, _, _)| *origin == place).peekable();
        if own.peek().is_none() || !stage.actors[place].standing.borrow().runs {
            continue;
        }
        let Some(Ok(mut door)) = stage.door(place).await else { continue };
        for (_, id, known) in own.take(ASKED_MAX) {
            let Ok(sent) = door.state(id).await else { continue };
            let told = format!("{:?}", (sent.state, &sent.reason));
            if before.get(id) == Some(&told) {
                if let Ok(dead) = door.dead().await {
                    dead.iter().for_each(|id| stage.book.borrow_mut().buried(id));
                }
                let is_news = stage
                    .book
                    .borrow()
                    .open()
                    .iter()
                    .any(|(_, open, state)| open == id && state == known);
                if is_news {
                    stage.told(place, &sent);
                }
            }
            answers.insert(id.clone(), told);
        }
    }
    answers
}

fn unsettled(stage: &Stage<'_>, open: &[(Place, String, SentState)]) -> Violation {
    let Some((origin, id, state)) = open.first() else {
        return Violation::general("liveness", "nothing is open");
    };
    let name = stage.name(*origin);
    let what =
        format!("{} messages are not at their end; one: {id} from {name}, {state:?}", open.len());
    Violation::general("liveness", what)
}

/// Waits until no node carries anything for others.
async fn rest(stage: &Stage<'_>) -> Result<(), Stop> {
    stage.note(|| "all is settled; relays let go".to_owned());
    let begun = Instant::now();
    for place in 0..stage.actors.len() {
        loop {
            stage.verdict()?;
            let Some(door) = stage.door(place).await else { break };
            let status = async { door?.status().await };
            match status.await {
                Ok(status) if status.carried == 0 => break,
                Ok(status) if begun.elapsed() > REST => {
                    let (name, carried) = (stage.name(place), status.carried);
                    let what =
                        format!("{name} still carries {carried} copies, long after all is settled");
                    return Err(Stop::Liveness(Violation::general("liveness", what)));
                }
                _ => pause(LOOK_AGAIN_MS).await,
            }
        }
    }
    Ok(())
}

fn judge_the_dead(stage: &Stage<'_>) -> Result<(), Stop> {
    let book = stage.book.borrow();
    let dead = book.ledger.count(|state| matches!(state, SentState::Dead(_)));
    stage.tally.borrow_mut().dead = dead;
    let what = match stage.scenario.dead {
        Deaths::None if dead > 0 => format!("{dead} messages died, though nothing was to die"),
        Deaths::Some if dead == 0 => "nothing died: the scenario shows nothing".to_owned(),
        _ => return Ok(()),
    };
    Err(Stop::Liveness(Violation::general("liveness", what)))
}
