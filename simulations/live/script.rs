//! The script on real processes: what each step means there, and what cannot be played.

use super::stage::{Stage, Stop, pause};
use super::wall::Way;
use crate::scenario::{Action, Place, Scenario, SenderPlan, Span};
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
    let size = |sender: &SenderPlan| {
        let largest = sender.sizes.iter().map(|(_, bytes)| bytes.most).max();
        largest.unwrap_or_default() * sender.batch.most
    };
    if scenario.senders.iter().any(|sender| size(sender) > REQUEST_MAX) {
        return Some(format!("requests of more than {REQUEST_MAX} bytes"));
    }
    if scenario.senders.iter().any(|sender| sender.reply_to.is_some()) {
        return Some("`reply_to`".to_owned());
    }
    if scenario.receivers.iter().any(|receiver| receiver.answers || receiver.poison > 0.0) {
        return Some("receivers that answer, or never take a message".to_owned());
    }
    if !scenario.contacts.is_empty() || !scenario.liveness {
        return Some("contact traces, and runs without a drain".to_owned());
    }
    let mut names = scenario.steps.iter().filter_map(|step| unplayable(&step.action));
    names.next().map(|name| format!("the step `{name}`"))
}

/// The name of a step that has no meaning on real processes, or none yet.
const fn unplayable(action: &Action) -> Option<&'static str> {
    match action {
        Action::Change(_) => Some("change"),
        Action::DiskFull { .. } => Some("disk_full"),
        Action::DiskFree(_) => Some("disk_free"),
        Action::ClockJump { .. } => Some("clock_jump"),
        Action::Clone { .. } => Some("clone"),
        Action::Rollback { .. } => Some("rollback"),
        Action::Wipe { .. } => Some("wipe"),
        Action::Corrupt { .. } => Some("corrupt"),
        Action::Upgrade { .. } => Some("upgrade"),
        Action::DropQueue(..) => Some("drop_queue"),
        Action::CreateQueue(..) => Some("create_queue"),
        _ => None,
    }
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
        Action::Readdress(nodes) => {
            let of = |&place: &Place| stage.lan.borrow().readdress(place, index);
            nodes.iter().try_for_each(of).map_err(Stop::Machine)
        }
        Action::Suspend { nodes, down } => {
            nodes.iter().for_each(|&place| stage.sleeps(place, true));
            pause(Stage::draw(&mut rng, *down)).await;
            nodes.iter().for_each(|&place| stage.sleeps(place, false));
            Ok(())
        }
        // Refused before anything started.
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
