//! Versioned bytes of messages, frames and records, the same on disk and on the wire.
