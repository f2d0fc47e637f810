//! Reads what a node tells, from its start to its end, and looks into its queues where it could not
//! be heard.

use super::door::{self, Answer, Door};
use super::stage::{Stage, Standing, Stop, pause};
use crate::scenario::Place;
use futures::StreamExt as _;
use meshmq::client::json::{self, NodeEvent};

/// Pause before a node is listened to again, in milliseconds.
const AGAIN_MS: u64 = 50;

/// Listens to a node as long as there is one.
pub(super) async fn follow(stage: &Stage<'_>, place: Place) -> Result<(), Stop> {
    while let Some(standing) = stage.standing(place, |now| now.runs).await {
        // Its end is told by the process, and an error means that nothing was heard.
        let _ = listen(stage, place, standing).await;
        stage.actors[place].standing.send_modify(|now| now.watched = false);
        stage.verdict()?;
        pause(AGAIN_MS).await;
    }
    Ok(())
}

async fn listen(stage: &Stage<'_>, place: Place, standing: Standing) -> Answer<()> {
    let actor = &stage.actors[place];
    let socket = actor.socket.borrow().clone();
    let mut events = door::events(&socket).await?;
    let mut door = Door::open(&socket).await?;
    let mut lying = Vec::new();
    for plan in stage.scenario.queues.iter().filter(|plan| plan.node == place) {
        lying.extend(door.peek(plan.name.as_str()).await?);
    }
    for message in &lying {
        stage.times.borrow_mut().moved(&message.id);
    }
    stage.book.borrow_mut().looked(place, &lying);
    drop(lying);
    actor.standing.send_if_modified(|now| {
        now.watched = now.runs && now.life == standing.life;
        now.watched
    });
    let mut changes = actor.standing.subscribe();
    loop {
        let event = tokio::select! {
            biased;
            event = events.next() => event,
            // What a later process tells is for those who have looked into its queues.
            _ = changes.wait_for(|now| !now.runs || now.life != standing.life) => None,
        };
        let Some(event) = event else { return Ok(()) };
        hear(stage, place, &mut door, event?).await?;
        actor.news.send_modify(|count| *count += 1);
    }
}

async fn hear(stage: &Stage<'_>, place: Place, door: &mut Door, event: NodeEvent) -> Answer<()> {
    match event {
        NodeEvent::State(sent) => {
            if matches!(sent.state, json::SentState::Dead | json::SentState::Unconfirmed) {
                for id in door.dead().await? {
                    stage.book.borrow_mut().buried(&id);
                }
            }
            stage.told(place, &sent);
        }
        NodeEvent::Entered(at) => {
            stage.note_message(place, &at.id, "entered");
            stage.times.borrow_mut().moved(&at.id);
            stage.times.borrow_mut().entered();
            stage.tally.borrow_mut().entered += 1;
            stage.book.borrow_mut().entered(place, &at.id);
        }
        NodeEvent::Consumed(at) => {
            stage.note_message(place, &at.id, "consumed");
            stage.book.borrow_mut().consumed(place, &at.id);
        }
        NodeEvent::Link(link) => {
            let (name, word) = (&link.node, if link.up { "has a" } else { "lost its" });
            stage.note(|| format!("{} {word} link to {name}", stage.name(place)));
            if let (Some(other), false) = (stage.place(name), link.up) {
                stage.times.borrow_mut().link_down(place, other);
            }
        }
        // The rest of this stream is given up: the queues are looked into anew.
        NodeEvent::Lagged(lag) => {
            stage.tally.borrow_mut().missed_news += lag.missed.unwrap_or(1);
            return Err(meshmq::client::http::ClientError::Broken("news are missing".to_owned()));
        }
    }
    Ok(())
}
