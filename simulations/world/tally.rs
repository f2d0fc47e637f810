//! What a run came to, counted.

/// Counts of a run, for the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Tally {
    /// Messages that programs were told are accepted, express ones included.
    pub(crate) sent: u64,
    /// Messages that programs were told are refused.
    pub(crate) refused: u64,
    /// Messages that entered their queues, express ones included.
    pub(crate) entered: u64,
    /// Messages that programs have received and acknowledged.
    pub(crate) received: u64,
    /// Durable messages that want an answer, and were accepted.
    pub(crate) asked: u64,
    /// Answers that the askers have seen, each question once.
    pub(crate) answered: u64,
    /// Dead messages.
    pub(crate) dead: u64,
    /// Copies that were dropped as duplicates.
    pub(crate) duplicates: u64,
    /// Processes that died.
    pub(crate) crashes: u64,
    /// Packets that were sent.
    pub(crate) packets: u64,
    /// Packets that did not arrive.
    pub(crate) lost_packets: u64,
    /// Milliseconds of virtual time from the healing until all was settled.
    pub(crate) drained_in_ms: u64,
}
