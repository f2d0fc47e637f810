//! Logging, fed from the edges; never from inside the engine.
