//! G1, durable, then visible: what a node says rests on what is on its disk.

use super::{Finding, Violation};
use crate::ledger::Ledger;
use crate::scenario::Place;
use meshmq::engine::command::Reply;
use meshmq::engine::frame::{Answer, Frame, Outcome, Transfer};
use meshmq::engine::ids::MessageId;
use meshmq::engine::record::SentState;
use meshmq::engine::statement::Receipt;
use meshmq::engine::step::{Event, Output};

const PROMISE: &str = "G1 durable, then visible";

pub(super) fn check(ledger: &Ledger, place: Place, output: &Output) -> Finding {
    match output {
        Output::Request { frames, .. } => frames.iter().try_for_each(|f| frame(ledger, place, f)),
        Output::Answer { answer, .. } => {
            answer.frames.iter().try_for_each(|f| frame(ledger, place, f))?;
            outcomes(ledger, place, answer)
        }
        Output::Event(Event::Entered { id, ordered: true, .. }) => {
            let entered = ledger.account(id).is_some_and(|a| a.entered.is_some() || a.torn.dropped);
            let what = "a node says that it entered its queue, but that is not on its disk";
            if entered { Ok(()) } else { Err(Violation::of(PROMISE, id, what)) }
        }
        Output::Reply { .. } | Output::Check { .. } | Output::Event(_) => Ok(()),
    }
}

/// Judges the reply to a send command; which of the messages are durable is for the sender to know.
pub(crate) fn accepted(ledger: &Ledger, reply: &Reply, durable: &[bool]) -> Finding {
    let Reply::Accepted(ids) = reply else { return Ok(()) };
    if ids.len() != durable.len() {
        return Err(Violation::general(PROMISE, "a send command got a wrong number of ids"));
    }
    for (id, _) in ids.iter().zip(durable).filter(|(_, durable)| **durable) {
        if ledger.account(id).is_none() {
            let what = "a program was told that it is accepted, but that is not on the disk";
            return Err(Violation::of(PROMISE, id, what));
        }
    }
    Ok(())
}

fn frame(ledger: &Ledger, place: Place, frame: &Frame) -> Finding {
    match frame {
        Frame::Receipt(receipt) if ledger.place(receipt.statement.destination) == Some(place) => {
            own_receipt(ledger, &receipt.statement)
        }
        Frame::Transfer(transfer) => handed_on(ledger, place, transfer),
        Frame::Part(part) => handed_on(ledger, place, &part.transfer),
        _ => Ok(()),
    }
}

fn handed_on(ledger: &Ledger, place: Place, transfer: &Transfer) -> Finding {
    let id = &transfer.outer.id;
    let what = "a node hands it on, but has no copy on its disk";
    if !transfer.outer.delivery.is_durable() || ledger.had(place, id) {
        return Ok(());
    }
    Err(Violation::of(PROMISE, id, what))
}

/// Everything that a receipt calls received has entered its queue.
fn own_receipt(ledger: &Ledger, receipt: &Receipt) -> Finding {
    if !ledger.is_durable(&receipt.stream) {
        return Ok(());
    }
    for range in receipt.received.iter() {
        let entered = ledger.entered(&receipt.stream);
        let missing = entered.map_or(range.start, |set| set.first_missing(range.start));
        let id = MessageId { stream: receipt.stream, number: missing };
        if missing < range.end && !ledger.is_ended_there(&id) {
            let what = "a receipt says that it was received, but it is not on the disk";
            return Err(Violation::of(PROMISE, &id, what));
        }
    }
    Ok(())
}

/// Whoever accepts a copy has it on disk, or had it, or it is settled. A destination may have taken
/// it behind a gap, and another request of the same turn have displaced it (rule R15); whoever
/// knows the receipts of a node that was put back or copied may know it as void or settled long ago.
fn outcomes(ledger: &Ledger, place: Place, answer: &Answer) -> Finding {
    for (id, outcome) in &answer.outcomes {
        let Some(account) = ledger.account(id) else { continue };
        let settled = account.entered.is_some()
            || account.forgotten
            || account.state != SentState::Waiting
            || ledger.is_turned_away(id)
            || account.destination == place && account.delivery.is_ordered()
            || account.torn.is_torn();
        if *outcome == Outcome::Accepted && !settled && !ledger.had(place, id) {
            let what = "a node says that it has taken it over, but that is not on its disk";
            return Err(Violation::of(PROMISE, id, what));
        }
    }
    Ok(())
}
