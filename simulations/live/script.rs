//! The script on real processes: what each step means there, and what cannot be played.

use super::stage::{Stage, Stop, pause};
use super::wall::Way;
use crate::scenario::{Action, Place, ReceiverPlan, Scenario, Span};
use std::time::Duration;
use tokio::time::timeout;

/// Most bytes of bodies in one request: what a door takes, written as text.
const REQUEST_MAX: u64 = 4 * 1024 * 1024;
/// How long an ordered death waits for a commit. Then it comes anyway.
const COMMIT_WITHIN: Duration = Duration::from_secs(1);
/// What lies between the news of a commit and a death that was ordered for it, in milliseconds.
const JUST_AFTER: Span = Span::ms(0, 5);
/// Time between two deaths by attrition, in milliseconds: a stand-in for a chance at each commit.
const ATTRITION: Span = Span::ms(500, 4_000);

/// Why a scenario cannot be played on real processes, if so.
pub(super) fn refuse(scenario: &Scenario) -> Option<String> {
    if !scenario.contacts.is_empty() {
        return Some("a contact trace".to_owned());
    }
    if !scenario.liveness {
        return Some("an end without healing".to_owned());
    }
    if scenario.senders.iter().any(|sender| sender.plain().is_none()) {
        return Some("a program that sends otherwise than with `count` and `every`".to_owned());
    }
    let more = |plan: &ReceiverPlan| plan.answers || plan.die > 0.0 || plan.poison > 0.0;
    if scenario.receivers.iter().any(more) {
        return Some("a program that answers, dies or never takes a message".to_owned());
    }
    if let Some(index) = scenario.steps.iter().position(|step| !is_playable(&step.action)) {
        return Some(format!("step {}", index + 1));
    }
    let plain = scenario.senders.iter().filter_map(|sender| Some((sender.plain()?, sender.batch)));
    let largest = plain.map(|(plain, batch)| plain.body_bytes.most * batch.most).max();
    if largest.is_some_and(|bytes| bytes > REQUEST_MAX) {
        return Some(format!("requests of more than {REQUEST_MAX} bytes"));
    }
    None
}

const fn is_playable(action: &Action) -> bool {
    matches!(
        action,
        Action::Cut(_)
            | Action::Heal(_)
            | Action::Flap { .. }
            | Action::Move { .. }
            | Action::Crash { .. }
            | Action::CrashAtCommit { .. }
            | Action::Attrition { .. }
            | Action::Restart(_)
            | Action::Lose(_)
    )
}

/// Plays one step, and whatever comes of it.
pub(super) async fn step(stage: &Stage<'_>, index: usize) -> Result<(), Stop> {
    let step = &stage.scenario.steps[index];
    let mut rng = stage.rng("step", index);
    let at = Stage::draw(&mut rng, step.at);
    stage.until(at).await;
    if stage.is_over() {
        return Ok(());
    }
    match &step.action {
        Action::Cut(ways) => stage.set_cut(ways, true),
        Action::Heal(ways) => stage.set_cut(ways, false),
        Action::Flap { directions, up, down, lasts_ms } => {
            let until = at + lasts_ms;
            flap(stage, index, directions, (*up, *down), until).await
        }
        Action::Crash { nodes, down } => die(stage, index, nodes, *down, Death::Now).await,
        Action::CrashAtCommit { nodes, nth, down, .. } => {
            let nth = rng.between(nth.least, nth.most);
            die(stage, index, nodes, *down, Death::AtCommit(nth)).await
        }
        Action::Attrition { nodes, lasts_ms, down, .. } => {
            let until = at + lasts_ms;
            attrition(stage, index, nodes, *down, until).await
        }
        Action::Restart(nodes) => {
            for &place in nodes {
                stage.start(place, None).await?;
            }
            Ok(())
        }
        Action::Lose(nodes) => {
            for &place in nodes {
                stage.lose(place).await;
            }
            Ok(())
        }
        Action::Move { leaves, joins } => {
            stage.set_cut(leaves, true)?;
            stage.set_cut(joins, false)
        }
        // A scenario with such a step is refused.
        _ => Ok(()),
    }
}

async fn flap(
    stage: &Stage<'_>,
    index: usize,
    ways: &[Way],
    (up, down): (Span, Span),
    until_ms: u64,
) -> Result<(), Stop> {
    let mut rng = stage.rng("flap", index);
    let is_over = || stage.is_after(until_ms) || stage.is_over();
    while !is_over() {
        pause(Stage::draw(&mut rng, up)).await;
        if is_over() {
            break;
        }
        stage.set_cut(ways, true)?;
        pause(Stage::draw(&mut rng, down)).await;
        stage.set_cut(ways, false)?;
    }
    Ok(())
}

/// When a process dies.
#[derive(Clone, Copy)]
enum Death {
    Now,
    /// When its door has told so many more things, each of which came of a commit.
    AtCommit(u64),
}

async fn die(
    stage: &Stage<'_>,
    index: usize,
    nodes: &[Place],
    down: Option<Span>,
    death: Death,
) -> Result<(), Stop> {
    let deaths = nodes.iter().map(async |&place| {
        let mut rng = stage.rng("death", index * 1_000 + place);
        if let Death::AtCommit(nth) = death {
            let mut news = stage.actors[place].news.subscribe();
            let wanted = *news.borrow() + nth;
            // Without a commit in time it dies without one.
            let _ = timeout(COMMIT_WITHIN, news.wait_for(|count| *count >= wanted)).await;
            pause(Stage::draw(&mut rng, JUST_AFTER)).await;
        }
        stage.kill(place).await;
        if let Some(down) = down {
            pause(Stage::draw(&mut rng, down)).await;
            stage.start(place, None).await?;
        }
        Ok(())
    });
    futures::future::try_join_all(deaths).await.map(drop)
}

async fn attrition(
    stage: &Stage<'_>,
    index: usize,
    nodes: &[Place],
    down: Span,
    until_ms: u64,
) -> Result<(), Stop> {
    let deaths = nodes.iter().map(async |&place| {
        let mut rng = stage.rng("attrition", index * 1_000 + place);
        loop {
            pause(Stage::draw(&mut rng, ATTRITION)).await;
            if stage.is_after(until_ms) || stage.is_over() {
                return Ok(());
            }
            stage.kill(place).await;
            pause(Stage::draw(&mut rng, down)).await;
            stage.start(place, None).await?;
        }
    });
    futures::future::try_join_all(deaths).await.map(drop)
}
