//! Every bound of a node, by name (promise G8). At a limit the node says no, with the reason.

use super::time::{DAY_MS, HOUR_MS, MINUTE_MS};

/// Largest body that a message may have whatever the configuration says, in bytes.
pub const BODY_MAX: u64 = (4 << 30) - 1;
/// Largest body that is held whole in memory, in bytes; of an express message at all.
pub const WHOLE_BODY_MAX: usize = 1024 * 1024;
/// Most bytes of an inner part beside the body: all properties that travel with it. They lie in the
/// first chunk.
pub const INNER_HEAD_MAX: usize = CHUNK_BYTES;
/// Largest inner part that is held whole in memory, in bytes.
pub const WHOLE_MAX: usize = WHOLE_BODY_MAX + INNER_HEAD_MAX;
/// Largest value that a store record may take, in bytes: sled is safe up to here.
pub const RECORD_MAX: usize = 4096;
/// Inner parts up to this many bytes lie in the message's own record.
pub const INLINE_MAX: usize = 1_280;
/// Largest chunk of a content, in bytes; chunks lie in the body log and not among the records.
pub const CHUNK_BYTES: usize = 64 * 1024;
/// Most bytes of an inner part in one frame; larger durable ones go over links in parts, each of
/// whole chunks.
pub const PART_BYTES: usize = 256 * 1024;
/// Requests with a part in flight per link: one is left for what is urgent.
pub const PARTS_IN_FLIGHT_MAX: usize = IN_FLIGHT_MAX - 1;
/// Inner parts that are coming in parts at once.
pub const PARTIALS_MAX: usize = 1_024;
/// Runs of chunks of one of them that came out of order.
pub const PARTIAL_RANGES_MAX: usize = 16;
/// How long one of them is kept while nothing more comes.
pub const PARTIAL_KEEP_MS: u64 = 7 * DAY_MS;
/// Bodies that programs are handing in at once.
pub const STAGES_MAX: usize = 256;
/// Chunks of a content that are read in one command.
pub const READ_CHUNKS_MAX: u32 = 8;
/// Most bytes of the properties of a message whose body is handed in by itself: they lie in its
/// record.
pub const SPLIT_HEAD_MAX: usize = INLINE_MAX;
/// Default time to reach the queue.
pub const REACH_WITHIN_DEFAULT_MS: u64 = 30 * DAY_MS;
/// Longest time to reach the queue; never infinite.
pub const REACH_WITHIN_MAX_MS: u64 = 3_650 * DAY_MS;
/// Earlier epochs of a line that may be open at once; then new sends are refused.
pub const ROSTER_MAX: usize = 64;
/// Ranges that a destination keeps per stream and verdict above the floor.
pub const RANGES_MAX: usize = 48;
/// Ranges that a destination keeps per stream in all: its record has room for them wherever the
/// numbers lie.
pub const ALL_RANGES_MAX: usize = 150;
/// Ranges beyond [`ALL_RANGES_MAX`] for the next in order, which is refused last (rule R23).
pub const SPARE_RANGES: usize = 24;
/// Ranges of a receipt from which on its origin tells the floors at once, so that they go.
pub const CROWDED_RANGES: usize = 24;
/// Messages held behind a gap per stream.
pub const HELD_MAX: u64 = 1_024;
/// Requests in flight per link.
pub const IN_FLIGHT_MAX: usize = 4;
/// Transfers in one request.
pub const BATCH_MESSAGES: usize = 256;
/// Bytes after which a request is closed; one message may exceed it.
pub const BATCH_BYTES: usize = 256 * 1024;
/// Largest encoded request or answer, in bytes.
pub const FRAME_MAX: usize = 2 * 1024 * 1024;
/// Links that a message may cross.
pub const HOPS_MAX: u8 = 64;
/// Copies that a message may have on its way, its origin's included (routing: L).
pub const TOKENS: u16 = 64;
/// Messages that one send command may hold.
pub const SEND_MAX: usize = 256;
/// Messages that one receive command may hand out.
pub const RECEIVE_MAX: usize = 256;
/// Longest lease of a lock.
pub const LEASE_MAX_MS: u64 = 12 * HOUR_MS;
/// First wait after a nack; doubles with every further one.
pub const NACK_FIRST_MS: u64 = 1_000;
/// Longest wait after a nack.
pub const NACK_LONGEST_MS: u64 = 60_000;
/// First wait after a destination had no room; doubles.
pub const FULL_RETRY_FIRST_MS: u64 = 1_000;
/// Longest wait after a destination had no room.
pub const FULL_RETRY_LONGEST_MS: u64 = 60_000;
/// How long a copy that a live path took may stay without receipt before it is sent again; times 4.
pub const RELAY_RETRY_FIRST_MS: u64 = 30_000;
/// Wait before a failed exchange is tried again on a link that stays up.
pub const EXCHANGE_RETRY_MS: u64 = 200;
/// Local queues.
pub const QUEUES_MAX: usize = 10_000;
/// Receipts and status records carried for others.
pub const STATEMENTS_MAX: usize = 65_536;
/// Nodes whose link state is kept.
pub const LINK_STATES_MAX: usize = 10_000;
/// Neighbours listed in one link state.
pub const NEIGHBOURS_MAX: usize = 512;
/// Directory records.
pub const DIRECTORY_MAX: usize = 40_000;
/// Bytes of one directory record.
pub const DIRECTORY_RECORD_MAX: usize = 2_048;
/// Entries of the directory named in one frame.
pub const HAVE_MAX: usize = 1_000;
/// Streams whose copies a relay remembers having seen.
pub const SEEN_STREAMS_MAX: usize = 16_384;
/// States of settled messages that an origin keeps for questions, per stream.
pub const HISTORY_MAX: u64 = 1_000;
/// Earlier epochs of a line that stay open only to hear what applications did with their messages.
pub const ROSTER_USED_MAX: usize = 8;
/// Retired epochs of a line whose history is kept.
pub const RETIRED_MAX: usize = 4;
/// How long a key is remembered at least: when all are younger, sends under new keys are refused.
pub const ONCE_KEEP_MS: u64 = 10 * MINUTE_MS;
/// How long a key is remembered at most.
pub const ONCE_LONGEST_MS: u64 = DAY_MS;
/// How often the row of numbered sends moves to the end of the order of forgetting, at most.
pub const ONCE_REFRESH_MS: u64 = MINUTE_MS;
/// Lines of one send under a key.
pub const ONCE_LINES_MAX: usize = 32;

/// The bounds that a configuration can move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Messages that wait or lie dead at their origin.
    pub outgoing_messages: u64,
    /// Their bytes.
    pub outgoing_bytes: u64,
    /// Messages carried for others.
    pub relay_messages: u64,
    /// Their bytes.
    pub relay_bytes: u64,
    /// Messages of a queue, unless it was created with its own quota.
    pub queue_messages: u64,
    /// Bytes of a queue, unless it was created with its own quota.
    pub queue_bytes: u64,
    /// Bytes of express messages in memory, all together.
    pub express_bytes: u64,
    /// Largest body of a message, at most [`BODY_MAX`].
    pub body_bytes: u64,
    /// Bytes of inner parts that have not come whole yet, from programs and from neighbours each.
    pub partial_bytes: u64,
    /// Free bytes on the disk below which new work is refused.
    pub disk_reserve_bytes: u64,
    /// Messages that are locked at once.
    pub locks: u64,
    /// Keys of sends, and rows of numbered sends, that are remembered.
    pub idempotency_keys: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            outgoing_messages: 10_000_000,
            outgoing_bytes: 8 << 30,
            relay_messages: 1_000_000,
            relay_bytes: 2 << 30,
            queue_messages: 10_000_000,
            queue_bytes: 8 << 30,
            express_bytes: 256 << 20,
            body_bytes: 256 << 20,
            partial_bytes: 4 << 30,
            disk_reserve_bytes: 256 << 20,
            locks: 10_000,
            idempotency_keys: 100_000,
        }
    }
}
