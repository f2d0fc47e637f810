//! From queues, senders and receivers as written to those that are meant.

use super::file::{QueueText, ReceiveText, SendText};
use super::links::probability;
use super::names::{Names, Wrong};
use super::units::{Count, Span};
use super::{Much, Pace, QueuePlan, ReceiverPlan, SenderPlan};
use meshmq::engine::limits::{LEASE_MAX_MS, RECEIVE_MAX, SEND_MAX};
use meshmq::engine::message::{Delivery, Priority};

/// Most messages of one sender.
const COUNT_MAX: u64 = 1_000_000;
/// Most commands of one burst.
const BURST_MAX: u64 = 10_000;
/// Longest body, in bytes.
const BODY_MAX: u64 = meshmq::engine::limits::WHOLE_BODY_MAX as u64;
/// Length of a body where none is given.
const SMALL_BODY: Count = Count { least: 16, most: 200 };
/// One, where a number is not given.
const ONE: Count = Count { least: 1, most: 1 };

/// Checks a queue.
pub(super) fn queue(names: &Names, raw: &QueueText) -> Result<QueuePlan, Wrong> {
    let (node, name) = names.address(&raw.name)?;
    let (transactional, max_messages) = (raw.transactional, raw.max_messages);
    Ok(QueuePlan { node, name, transactional, max_messages, max_bytes: raw.max_bytes })
}

/// Checks a program that sends.
pub(super) fn sender(names: &Names, raw: &SendText) -> Result<SenderPlan, Wrong> {
    let (to, queue) = names.address(&raw.to)?;
    let deliveries = match &raw.delivery {
        None => vec![Delivery::default()],
        Some(list) => list.0.iter().map(|name| delivery(name)).collect::<Result<_, Wrong>>()?,
    };
    let priority = |value: &u8| {
        Priority::new(*value).ok_or_else(|| "a priority is a number from 0 to 7".to_owned())
    };
    let priorities = match &raw.priority {
        None => vec![Priority::default()],
        Some(list) => list.0.iter().map(priority).collect::<Result<_, Wrong>>()?,
    };
    if deliveries.is_empty() || priorities.is_empty() {
        return Err("a list to draw from is empty".to_owned());
    }
    Ok(SenderPlan {
        from: names.find(&raw.from)?,
        to,
        queue,
        at: raw.at,
        much: much(raw)?,
        pace: pace(raw)?,
        batch: count("batch", raw.batch.unwrap_or(ONE), 1, SEND_MAX as u64)?,
        deliveries,
        priorities,
        sizes: sizes(raw)?,
        reach_within: raw.reach_within,
        ttl: raw.ttl,
        reply_to: raw.reply_to.as_ref().map(|text| names.address(text)).transpose()?,
    })
}

fn much(raw: &SendText) -> Result<Much, Wrong> {
    match (raw.count, raw.lasts) {
        (Some(of), None) => Ok(Much::Messages(count("count", of, 0, COUNT_MAX)?)),
        (None, Some(span)) => Ok(Much::For(span)),
        _ => Err("either `count` or `lasts` says how much is sent".to_owned()),
    }
}

fn pace(raw: &SendText) -> Result<Pace, Wrong> {
    match (raw.every, raw.rate, raw.burst) {
        (Some(pause), None, burst) => {
            if raw.lasts.is_some() && pause.most == 0 {
                return Err("with `lasts`, `every` is more than 0".to_owned());
            }
            Ok(Pace::Every { burst: count("burst", burst.unwrap_or(ONE), 1, BURST_MAX)?, pause })
        }
        (None, Some(rate), None) => {
            let per_hour = (rate * 3_600.0).round();
            if (1.0..=3_600_000_000.0).contains(&per_hour) {
                Ok(Pace::PerHour(per_hour as u64))
            } else {
                Err("`rate` is messages per second, from one an hour to a million".to_owned())
            }
        }
        _ => Err("either `every`, with or without `burst`, or `rate` says how fast".to_owned()),
    }
}

fn sizes(raw: &SendText) -> Result<Vec<(u64, Count)>, Wrong> {
    match (raw.body_bytes, &raw.sizes) {
        (one, None) => Ok(vec![(1, count("body_bytes", one.unwrap_or(SMALL_BODY), 0, BODY_MAX)?)]),
        (None, Some(several)) if several.iter().any(|size| size.weight > 0) => {
            let one = |size: &super::file::SizeText| {
                Ok((size.weight.min(COUNT_MAX), count("bytes", size.bytes, 0, BODY_MAX)?))
            };
            several.iter().map(one).collect()
        }
        (None, Some(_)) => Err("one of `sizes` has a weight above 0".to_owned()),
        (Some(_), Some(_)) => Err("either `body_bytes` or `sizes` says how long".to_owned()),
    }
}

fn delivery(name: &str) -> Result<Delivery, Wrong> {
    [Delivery::Express, Delivery::Recoverable, Delivery::Transactional]
        .into_iter()
        .find(|delivery| delivery.as_str() == name)
        .ok_or_else(|| format!("`{name}` is not `express`, `recoverable` or `transactional`"))
}

/// Checks a program that receives.
pub(super) fn receiver(names: &Names, raw: &ReceiveText) -> Result<ReceiverPlan, Wrong> {
    let (node, queue) = names.address(&raw.from)?;
    let lease_ms = raw.lease.map_or(10_000, |lease| lease.0);
    if !(1..=LEASE_MAX_MS).contains(&lease_ms) {
        return Err("a lease lasts more than 0 and at most 12 hours".to_owned());
    }
    let batch = raw.batch.unwrap_or(Count { least: 1, most: 8 });
    let chance = |what: &str, value: Option<f64>| probability(what, value.unwrap_or(0.0));
    let nack = chance("nack", raw.nack)?;
    let give_back = chance("give_back", raw.give_back)?;
    let (forget, die) = (chance("forget", raw.forget)?, chance("die", raw.die)?);
    probability("the sum of nack, give_back, forget and die", nack + give_back + forget + die)?;
    Ok(ReceiverPlan {
        node,
        queue,
        at: raw.at.unwrap_or(Span::ms(0, 50)),
        every: raw.every.unwrap_or(Span::ms(20, 200)),
        batch: count("batch", batch, 1, RECEIVE_MAX as u64)?,
        lease_ms,
        work: raw.work.unwrap_or(Span::ms(0, 50)),
        answers: raw.answers,
        nack,
        give_back,
        forget,
        die,
        poison: chance("poison", raw.poison)?,
    })
}

/// Holds a number to its bounds.
pub(super) fn count(what: &str, count: Count, least: u64, most: u64) -> Result<Count, Wrong> {
    if count.least >= least && count.most <= most {
        Ok(count)
    } else {
        Err(format!("`{what}` is a number from {least} to {most}"))
    }
}
