//! Configuration as written and as validated.
