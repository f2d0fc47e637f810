//! The few calls that differ between operating systems.
