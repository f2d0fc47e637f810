use super::*;
use crate::engine::record::{Record, Target};

/// A machine that does nothing.
struct Idle;

impl Machine for Idle {
    type Error = String;

    fn process(&mut self, _: Timestamp, inputs: Vec<Input>) -> Result<Vec<Output>, String> {
        if inputs.is_empty() { Err("nothing to do".to_owned()) } else { Ok(Vec::new()) }
    }

    fn deadline(&self) -> Option<Timestamp> {
        Some(Timestamp::MAX)
    }

    fn compact(&mut self) -> Result<Compaction, String> {
        Ok(Compaction::Refused("it is idle".to_owned()))
    }

    fn stats(&self) -> StorageStats {
        StorageStats { used_bytes: 7, ..StorageStats::default() }
    }
}

#[test]
fn turns_and_writes_are_counted() {
    let work = Arc::new(Work::default());
    let mut machine = Watched::new(Idle, Arc::clone(&work));
    assert_eq!(machine.process(Timestamp::ZERO, vec![Input::SessionEnded(1)]), Ok(Vec::new()));
    assert!(machine.process(Timestamp::ZERO, Vec::new()).is_err());
    assert_eq!(machine.deadline(), Some(Timestamp::MAX));
    assert_eq!(machine.compact(), Ok(Compaction::Refused("it is idle".to_owned())));
    assert_eq!(machine.stats().used_bytes, 7);
    let timer = Key::Timer(Timestamp::ZERO, Target::FIRST);
    let stats = StorageStats { written_bytes: 77, sync_us: 5, ..StorageStats::default() };
    let writes = [
        Write::Put(Key::Clock, Record::Clock(Timestamp::ZERO)),
        Write::Put(timer.clone(), Record::Due),
        Write::Delete(timer),
    ];
    work.committed(&writes, &stats);
    let read = work.read();
    assert_eq!((read.turns, read.inputs), (2, 1));
    assert_eq!((read.records, read.timers, read.removals), (1, 1, 1));
    assert_eq!((read.written_bytes, read.sync), (77, Duration::from_micros(5)));
}
