//! The programs of a live run: they send and receive at the doors of their nodes, come back after a
//! node's death, and say what they were told.

use super::book::{Posted, Route};
use super::door::Door;
use super::stage::{Stage, Standing, Stop, pause};
use crate::body::body;
use crate::rng::Rng;
use crate::scenario::{Much, Pace, Place, ReceiverPlan, SenderPlan, Span};
use meshmq::client::http::ClientError;
use meshmq::client::json;
use meshmq::engine::limits::SEND_MAX;
use std::time::{Duration, Instant};

/// Pause before a program calls a node again that did not answer.
const AGAIN: Span = Span::ms(50, 250);
/// A serial number is the sender's index above this bit, and its own count below.
const COUNT_BITS: u32 = 32;

/// A program that sends, to its end.
pub(super) async fn send(stage: &Stage<'_>, index: usize) -> Result<(), Stop> {
    let plan = &stage.scenario.senders[index];
    let mut rng = stage.rng("send", index);
    stage.until(Stage::draw(&mut rng, plan.at)).await;
    let (mut left, until) = match plan.much {
        Much::Messages(count) => (rng.between(count.least, count.most), None),
        Much::For(span) => (u64::MAX, Some(Instant::now() + ms(Stage::draw(&mut rng, span)))),
    };
    let mut serial = (index as u64) << COUNT_BITS;
    while left > 0 && !stage.is_over() && until.is_none_or(|until| Instant::now() < until) {
        let (burst, wait) = match plan.pace {
            Pace::Every { burst, pause } => {
                (rng.between(burst.least, burst.most), Stage::draw(&mut rng, pause))
            }
            // From none to twice the mean.
            Pace::PerHour(messages) => (1, rng.between(0, 2 * 3_600_000 / messages.max(1))),
        };
        for _ in 0..burst {
            let count = rng.between(plan.batch.least, plan.batch.most).min(left);
            let (batch, posted) = write(&mut rng, plan, &mut serial, count);
            if count == 0 || !hand_over(stage, plan, index, &batch, &posted, &mut rng).await? {
                return Ok(());
            }
            left -= count;
        }
        pause(wait).await;
    }
    Ok(())
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Writes the messages of one request.
fn write(
    rng: &mut Rng,
    plan: &SenderPlan,
    serial: &mut u64,
    count: u64,
) -> (json::Batch, Vec<Posted>) {
    let (mut messages, mut posted) = (Vec::new(), Vec::new());
    for _ in 0..count {
        *serial += 1;
        let delivery = rng.pick(&plan.deliveries).copied().unwrap_or_default();
        let priority = rng.pick(&plan.priorities).copied().unwrap_or_default();
        let len = plan.draw_bytes(rng);
        let mut seconds = |span: Option<Span>| {
            let drawn = span.map(|span| Stage::draw(rng, span).max(1));
            drawn.map(|drawn| ms(drawn).as_secs_f64())
        };
        messages.push(json::NewMessage {
            label: Some(format!("{serial:x}")),
            priority: Some(priority.value()),
            delivery: Some(delivery),
            reach_within_s: seconds(plan.reach_within),
            ttl_s: seconds(plan.ttl),
            ..json::NewMessage::with_body(&body(*serial, len))
        });
        posted.push(Posted { serial: *serial, delivery, priority, has_ttl: plan.ttl.is_some() });
    }
    (json::Batch { messages }, posted)
}

/// Sends a request until it is answered, under one key, so that it is accepted once. Whether the node
/// is still there.
async fn hand_over(
    stage: &Stage<'_>,
    plan: &SenderPlan,
    index: usize,
    batch: &json::Batch,
    posted: &[Posted],
    rng: &mut Rng,
) -> Result<bool, Stop> {
    let to = format!("{}@{}", plan.queue.as_str(), stage.name(plan.to));
    let key = format!("{index}-{:x}", posted.first().map_or(0, |first| first.serial));
    let turn = stage.turn_of(index);
    let _turn = stage.turns[turn].lock().await;
    loop {
        let Some(door) = stage.door(plan.from).await else { return Ok(false) };
        let sent = match door {
            Ok(mut door) => door.send(&to, &key, batch).await,
            Err(why) => Err(why),
        };
        match sent {
            Ok(ids) => {
                let route = Route { from: plan.from, to: plan.to, queue: &plan.queue };
                for id in &ids {
                    stage.note_message(plan.from, id, "accepts");
                }
                stage.book.borrow_mut().accepted(&route, posted, &ids);
                stage.tally.borrow_mut().sent += ids.len() as u64;
                stage.verdict()?;
                return Ok(true);
            }
            Err(ClientError::Problem(problem))
                if problem.status < 500 || is_full(&problem.code) =>
            {
                stage.tally.borrow_mut().refused += posted.len() as u64;
                return Ok(true);
            }
            Err(_) => pause(Stage::draw(rng, AGAIN)).await,
        }
    }
}

fn is_full(code: &str) -> bool {
    code.ends_with("_full")
}

/// A program that receives, for ever.
pub(super) async fn receive(stage: &Stage<'_>, index: usize) -> Result<(), Stop> {
    let plan = &stage.scenario.receivers[index];
    let mut rng = stage.rng("receive", index);
    stage.until(Stage::draw(&mut rng, plan.at)).await;
    while let Some(standing) = stage.standing(plan.node, |now| now.watched).await {
        // What was in hand when the node fell returns to its queue.
        let _ = session(stage, plan, standing, &mut rng).await?;
        pause(Stage::draw(&mut rng, AGAIN)).await;
    }
    Ok(())
}

/// One connection of a receiver, until it breaks or the node is not watched any more.
async fn session(
    stage: &Stage<'_>,
    plan: &ReceiverPlan,
    standing: Standing,
    rng: &mut Rng,
) -> Result<Result<(), ClientError>, Stop> {
    let socket = stage.actors[plan.node].socket.borrow().clone();
    let mut door = match Door::open(&socket).await {
        Ok(door) => door,
        Err(why) => return Ok(Err(why)),
    };
    while *stage.actors[plan.node].standing.borrow() == standing {
        let max = rng.between(plan.batch.least, plan.batch.most) as usize;
        let given = match door.receive(plan.queue.as_str(), max, plan.lease_ms).await {
            Ok(given) => given,
            Err(why) => return Ok(Err(why)),
        };
        if !given.is_empty() {
            if !stage.draining.get() && rng.chance(plan.die) {
                // The connection goes with the program, and its locks with the connection.
                return Ok(Ok(()));
            }
            let asked = work(stage, plan, &given, rng)?;
            pause(if stage.draining.get() { 0 } else { Stage::draw(rng, plan.work) }).await;
            if let Err(why) = settle(stage, plan.node, &mut door, &given, &asked).await {
                return Ok(Err(why));
            }
            stage.verdict()?;
        }
        pause(Stage::draw(rng, plan.every)).await;
    }
    Ok(Ok(()))
}

/// Looks at what was given, and decides how to settle it.
fn work(
    stage: &Stage<'_>,
    plan: &ReceiverPlan,
    given: &[json::Message],
    rng: &mut Rng,
) -> Result<json::SettleRequest, Stop> {
    let mut asked = json::SettleRequest::default();
    for message in given {
        stage.note_message(plan.node, &message.id, "hands out");
        let serial = u64::from_str_radix(&message.label, 16).unwrap_or_default();
        let bytes = message.body_bytes().unwrap_or_default();
        if bytes != body(serial, message.body_size) {
            let what = format!("a program was given other bytes than were sent, as {}", message.id);
            stage.book.borrow_mut().broken("G2 nothing vanishes", what);
        }
        stage.book.borrow_mut().given(plan.node, message, serial);
        let Some(lock) = &message.lock else { continue };
        let token = lock.token.clone();
        let calm = stage.draining.get();
        if calm || !rng.chance(plan.nack + plan.give_back + plan.forget) {
            stage.book.borrow_mut().acks(&message.id);
            asked.ack.push(token);
            continue;
        }
        let (nack, give_back) = (plan.nack, plan.give_back);
        let share = rng.between(0, 1_000_000) as f64 / 1e6 * (nack + give_back + plan.forget);
        if share < nack {
            asked.nack.push(token);
        } else if share < nack + give_back {
            asked.give_back.push(token);
        }
    }
    stage.verdict()?;
    Ok(asked)
}

/// Settles what was given, and writes down which acknowledgements hold.
async fn settle(
    stage: &Stage<'_>,
    place: Place,
    door: &mut Door,
    given: &[json::Message],
    asked: &json::SettleRequest,
) -> Result<(), ClientError> {
    if asked.ack.is_empty() && asked.nack.is_empty() && asked.give_back.is_empty() {
        return Ok(());
    }
    for settled in door.settle(asked).await?.iter().filter(|settled| settled.result == "acked") {
        let is_it = |message: &&json::Message| {
            message.lock.as_ref().is_some_and(|lock| lock.token == settled.token)
        };
        let Some(message) = given.iter().find(is_it) else { continue };
        stage.note_message(place, &message.id, "confirms");
        stage.tally.borrow_mut().received += 1;
        stage.book.borrow_mut().confirmed(&message.id);
    }
    Ok(())
}

/// Sends so many messages from one of two nodes to the other as fast as they are accepted.
pub(super) async fn send_steadily(
    stage: &Stage<'_>,
    ends: (Place, Place),
    count: usize,
) -> Result<(), Stop> {
    let between = |plan: &SenderPlan| (plan.from, plan.to) == ends || (plan.to, plan.from) == ends;
    let plans = &stage.scenario.senders;
    let Some(index) = plans.iter().position(between) else { return Ok(()) };
    stage.note(|| format!("{count} messages are sent with nothing broken"));
    stage.times.borrow_mut().begins_steady(count);
    let (plan, mut rng) = (&plans[index], stage.rng("steady", index));
    let mut serial = (plans.len() as u64) << COUNT_BITS;
    let mut left = count as u64;
    while left > 0 {
        let some = left.min(SEND_MAX as u64);
        let (batch, posted) = write(&mut rng, plan, &mut serial, some);
        if !hand_over(stage, plan, index, &batch, &posted, &mut rng).await? {
            return Ok(());
        }
        left -= some;
    }
    Ok(())
}
