//! How many records of each kind a node has on its disk, and how many it may have.

use super::within;
use crate::checkers::Finding;
use meshmq::engine::limits::{
    DIRECTORY_MAX, Limits, PARTIALS_MAX, QUEUES_MAX, STAGES_MAX, STATEMENTS_MAX,
};
use meshmq::engine::record::{Key, Record};
use meshmq::engine::storage::Write;

/// The tables that have a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Table {
    Queues,
    Directory,
    Outgoing,
    Carried,
    Statements,
    Partials,
    Stages,
    Keys,
}

/// A table's name, and its bounds in records and in bytes.
type Bound = (&'static str, u64, u64);

const KINDS: usize = 8;

/// How full the tables of a node are.
#[derive(Debug, Default)]
pub(super) struct Tables([Fill; KINDS]);

#[derive(Clone, Copy, Debug, Default)]
struct Fill {
    records: u64,
    bytes: u64,
}

impl Tables {
    /// Posts a write; `undo` says what lay there before.
    pub(super) fn post(&mut self, me: &[u8; 32], write: &Write, undo: &Write) {
        if let Write::Put(key, record) = undo
            && let Some((table, bytes)) = table(me, key, record)
        {
            let fill = &mut self.0[table as usize];
            fill.records = fill.records.saturating_sub(1);
            fill.bytes = fill.bytes.saturating_sub(bytes);
        }
        if let Write::Put(key, record) = write
            && let Some((table, bytes)) = table(me, key, record)
        {
            let fill = &mut self.0[table as usize];
            fill.records += 1;
            fill.bytes += bytes;
        }
    }

    /// Judges all tables.
    pub(super) fn check(&self) -> Finding {
        let bounds = bounds(&Limits::default());
        for ((name, records, bytes), fill) in bounds.iter().zip(&self.0) {
            within(name, fill.records, *records)?;
            within(&format!("bytes of {name}"), fill.bytes, *bytes)?;
        }
        Ok(())
    }
}

/// Name and bounds of each table, in the order of [`Table`].
fn bounds(limits: &Limits) -> [Bound; KINDS] {
    const ANY: u64 = u64::MAX;
    [
        ("local queues", QUEUES_MAX as u64, ANY),
        ("directory records", DIRECTORY_MAX as u64, ANY),
        ("outgoing messages", limits.outgoing_messages, limits.outgoing_bytes),
        ("messages carried for others", limits.relay_messages, limits.relay_bytes),
        ("statements of others", STATEMENTS_MAX as u64, ANY),
        ("messages coming in parts", PARTIALS_MAX as u64, limits.partial_bytes),
        ("bodies being handed in", STAGES_MAX as u64, limits.partial_bytes),
        ("keys of sends", limits.idempotency_keys, ANY),
    ]
}

/// The table of a record, and the bytes that count there.
fn table(me: &[u8; 32], key: &Key, record: &Record) -> Option<(Table, u64)> {
    Some(match (key, record) {
        (Key::Queue(_), _) => (Table::Queues, 0),
        (Key::Directory(_), _) => (Table::Directory, 0),
        (Key::Copy(_), Record::Copy(copy)) => {
            let own = copy.outer.id.stream.origin.as_bytes() == me;
            (if own { Table::Outgoing } else { Table::Carried }, copy.content.len())
        }
        (Key::Receipt(..) | Key::Status(_), _) => (Table::Statements, 0),
        (Key::Partial(_), Record::Partial(partial)) => {
            let from_peer = partial.chunks.numbers().count() as u64;
            (Table::Partials, from_peer * meshmq::engine::limits::CHUNK_BYTES as u64)
        }
        (Key::Stage(_), Record::Stage(bytes)) => (Table::Stages, *bytes),
        (Key::Once(_), _) => (Table::Keys, 0),
        _ => return None,
    })
}
