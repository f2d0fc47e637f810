//! How much one answer may hold: messages are fetched in steps, so that many large ones do not all
//! lie in memory at once.

/// Bytes of messages after which an answer is closed; the last step may exceed it.
pub const ANSWER_BYTES: usize = 4 * 1024 * 1024;
/// Messages of the first step, when nothing is known of their size.
const FIRST_STEP: usize = 4;

/// Counts what an answer holds so far and says how many messages to fetch next.
#[derive(Debug)]
pub(super) struct Budget {
    max: usize,
    messages: usize,
    bytes: usize,
}

impl Budget {
    pub(super) const fn new(max: usize) -> Self {
        Self { max, messages: 0, bytes: 0 }
    }

    /// How many messages to fetch next; zero if the answer is full.
    pub(super) fn step(&self) -> usize {
        let left = self.max - self.messages;
        if self.messages == 0 {
            return left.min(FIRST_STEP);
        }
        if self.bytes >= ANSWER_BYTES {
            return 0;
        }
        let mean = (self.bytes / self.messages).max(1);
        left.min(((ANSWER_BYTES - self.bytes) / mean).max(1))
    }

    /// Takes note of a message of so many bytes.
    pub(super) fn add(&mut self, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes;
    }
}

#[cfg(test)]
mod tests;
