//! The only place that wires everything.
