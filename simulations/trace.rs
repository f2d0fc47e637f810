//! What happened in a run, in lines for people and in a record for its page. Nothing is written
//! unless somebody wants it.

use crate::record::Record;
use meshmq::engine::command::Reply;
use meshmq::engine::frame::{Answer, Frame, Outcome, Transfer};
use meshmq::engine::ids::{MessageId, MessageRef, StreamId};
use meshmq::engine::rejection::Rejection;
use meshmq::engine::statement::Receipt;
use meshmq::engine::step::Event;
use std::cell::RefCell;
use std::rc::Rc;

/// What is written of a run. A clone is the same trace, so that it outlives a run that panics.
#[derive(Clone, Default)]
pub(crate) struct Trace {
    lines: Option<Rc<RefCell<Vec<String>>>>,
    record: Option<Rc<RefCell<Record>>>,
}

impl Trace {
    /// Writes nothing.
    pub(crate) const fn off() -> Self {
        Self { lines: None, record: None }
    }

    /// Writes everything that happens, in lines.
    pub(crate) fn on() -> Self {
        Self { lines: Some(Rc::default()), record: None }
    }

    /// Fills a record.
    pub(crate) fn into(record: Record) -> Self {
        Self { lines: None, record: Some(Rc::new(RefCell::new(record))) }
    }

    /// Adds to the record, if anybody wants it.
    pub(crate) fn record(&self, add: impl FnOnce(&mut Record)) {
        if let Some(record) = &self.record {
            add(&mut record.borrow_mut());
        }
    }

    /// Writes a line, if anybody wants it.
    pub(crate) fn note(&self, now: u64, line: impl FnOnce() -> String) {
        if let Some(lines) = &self.lines {
            let line = format!("{:>7}.{:03} s  {}", now / 1_000, now % 1_000, line());
            lines.borrow_mut().push(line);
        }
    }

    /// The record as it is now; an empty one if nobody wanted it.
    pub(crate) fn into_record(self) -> Record {
        self.record.map_or_else(|| Record::new(&[]), |record| record.replace(Record::new(&[])))
    }

    /// The lines.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.as_ref().map(|lines| lines.borrow().clone()).unwrap_or_default()
    }
}

/// The lines of a trace that concern a message, and what was done to nodes and links. Of what was
/// said in one breath only that stays which concerns it.
pub(crate) fn about(lines: &[String], id: &MessageId) -> Vec<String> {
    let (name, stream) = (id.to_string(), stream(&id.stream));
    let steps = ["step ", " dies", " starts", "everything ", " its start"];
    let concerns = |text: &str| {
        let named = text.match_indices(&name).any(|(at, _)| {
            !text[at + name.len()..].starts_with(|c: char| c.is_ascii_alphanumeric())
        });
        named || [" ", ": "].iter().any(|before| text.contains(&format!("{before}{stream} ")))
    };
    let shorten = |line: &String| {
        let (start, said) = line.split_once(SAYS).unwrap_or((line, ""));
        let kept: Vec<&str> = said.split(JOINT).filter(|said| concerns(said)).collect();
        if !kept.is_empty() {
            return Some(format!("{start}{SAYS}{}", kept.join(JOINT)));
        }
        let tells = said.is_empty() && concerns(start);
        (tells || steps.iter().any(|step| start.contains(step))).then(|| start.to_owned())
    };
    lines.iter().filter_map(shorten).collect()
}

/// Between who speaks and what is said.
const SAYS: &str = ": ";
/// Between two things that are said in one breath.
const JOINT: &str = "; ";

/// Frames in a line.
pub(crate) fn frames(frames: &[Frame]) -> String {
    frames.iter().map(frame).collect::<Vec<_>>().join(JOINT)
}

/// An answer in a line.
pub(crate) fn answer(answer: &Answer) -> String {
    let outcomes = answer.outcomes.iter().map(|(id, outcome)| match outcome {
        Outcome::Accepted => format!("has {id}"),
        Outcome::NotTaken(why) => format!("{} {id}", why.as_str()),
        Outcome::Holding(bytes) => format!("holds {bytes} of {id}"),
    });
    let said = answer.frames.iter().map(frame);
    outcomes.chain(said).collect::<Vec<_>>().join(JOINT)
}

/// A reply in a line.
pub(crate) fn reply(result: &Result<Reply, Rejection>) -> String {
    let ids =
        |ids: &[MessageId]| ids.iter().map(MessageId::to_string).collect::<Vec<_>>().join(" ");
    match result {
        Ok(Reply::Accepted(accepted)) => format!("accepts {}", ids(accepted)),
        Ok(Reply::Repeated(accepted)) => format!("accepted before {}", ids(accepted)),
        Ok(Reply::Deliveries(list)) => {
            let list: Vec<MessageId> = list.iter().map(|d| d.message.id).collect();
            format!("hands out {}", ids(&list))
        }
        Ok(other) => format!("{other:?}"),
        Err(rejection) => format!("refused: {rejection}"),
    }
}

/// News in a line.
pub(crate) fn event(event: &Event) -> String {
    match event {
        Event::State { id, state } => format!("state of {id}: {state:?}"),
        Event::Entered { id, .. } => format!("entered {id}"),
        Event::Consumed { id, .. } => format!("consumed {id}"),
        Event::Duplicate { id, .. } => format!("duplicate {id}"),
        Event::Contradicted(id) => format!("contradicted {id}"),
        other => format!("{other:?}"),
    }
}

fn frame(frame: &Frame) -> String {
    match frame {
        Frame::Contact(contact) => format!("contact {:?}", contact.opening),
        Frame::Receipt(receipt) => self::receipt(&receipt.statement),
        Frame::Status(status) => {
            let status = &status.statement;
            let (stream, floors, roster) = (stream(&status.stream), status.floors, &status.roster);
            format!("status {stream} {floors:?} roster {roster:?}")
        }
        Frame::LinkState(links) => {
            let links = &links.statement;
            format!("links of {:?}: {:?}", links.node, links.neighbours)
        }
        Frame::Have(entries) => format!("have {}", entries.len()),
        Frame::Record(_) => "record".to_owned(),
        Frame::Synced => "synced".to_owned(),
        Frame::Transfer(transfer) => self::transfer(transfer),
        Frame::Part(part) => {
            let end = part.offset + part.bytes.len() as u64;
            format!("{} bytes {} to {end}", transfer(&part.transfer), part.offset)
        }
    }
}

fn transfer(transfer: &Transfer) -> String {
    let (id, transit) = (transfer.outer.id, transfer.transit);
    format!(
        "{:?} {id} age {} round {} tokens {}",
        transfer.purpose, transit.age_ms, transit.round, transit.tokens
    )
}

fn receipt(receipt: &Receipt) -> String {
    let mut line = format!("receipt {} watermark {}", stream(&receipt.stream), receipt.watermark);
    line.push_str(&format!(" known {} received {:?}", receipt.floors.known, receipt.received));
    for (refusal, numbers) in &receipt.refused {
        line.push_str(&format!(" {} {numbers:?}", refusal.as_str()));
    }
    for (name, set) in
        [("skipped", &receipt.skipped), ("held", &receipt.held), ("used", &receipt.used)]
    {
        if !set.is_empty() {
            line.push_str(&format!(" {name} {set:?}"));
        }
    }
    if let Some(closed) = receipt.closed {
        line.push_str(&format!(" closed by {closed:?}"));
    }
    line
}

/// A stream's name: that of its messages without the number.
fn stream(stream: &StreamId) -> String {
    let reference = MessageRef { nonce: stream.epoch.nonce, line: stream.line, number: 0 };
    let mut text = reference.to_string();
    text.truncate(text.len() - 2);
    text
}
