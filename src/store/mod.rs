//! Implementations of the engine's storage port.
