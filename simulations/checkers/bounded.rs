//! G8, bounded: requests in flight, transfers of one request, and what a destination remembers of a
//! stream stay within their named limits.
//! That a frame is not too large is seen when it is decoded.

use super::{Finding, Violation};
use meshmq::engine::frame::Frame;
use meshmq::engine::limits::{BATCH_MESSAGES, HELD_MAX, IN_FLIGHT_MAX, RANGES_MAX};
use meshmq::engine::record::Record;
use meshmq::engine::step::Output;
use meshmq::engine::storage::Write;

const PROMISE: &str = "G8 bounded";

pub(super) fn check(output: &Output) -> Finding {
    let Output::Request { frames, .. } = output else { return Ok(()) };
    let transfers = frames.iter().filter(|f| matches!(f, Frame::Transfer(_))).count();
    if transfers > BATCH_MESSAGES {
        let what = format!("a request holds {transfers} transfers; {BATCH_MESSAGES} are allowed");
        return Err(Violation::general(PROMISE, what));
    }
    Ok(())
}

/// Judges the size of what a destination remembers of a stream.
pub(super) fn records(writes: &[Write]) -> Finding {
    for write in writes {
        let Write::Put(_, Record::Inbox(inbox)) = write else { continue };
        let sets = [&inbox.received, &inbox.skipped, &inbox.used, &inbox.ended];
        let ranges = sets.iter().map(|set| set.ranges()).max().unwrap_or(0);
        if ranges > RANGES_MAX {
            let what = format!("a destination keeps {ranges} ranges; {RANGES_MAX} are allowed");
            return Err(Violation::general(PROMISE, what));
        }
        if inbox.held.count() > HELD_MAX {
            let what = format!("a destination holds {} messages of a stream", inbox.held.count());
            return Err(Violation::general(PROMISE, what));
        }
    }
    Ok(())
}

/// Judges how many requests to one neighbour wait for an answer.
pub(crate) fn in_flight(count: usize) -> Finding {
    if count > IN_FLIGHT_MAX {
        let what = format!("{count} requests to one neighbour wait; {IN_FLIGHT_MAX} are allowed");
        return Err(Violation::general(PROMISE, what));
    }
    Ok(())
}

/// A neighbour does not take what a node has encoded.
pub(crate) fn refused(why: &meshmq::codec::CodecError) -> Violation {
    Violation::general(PROMISE, format!("a neighbour refuses the bytes of a frame: {why}"))
}
