//! The one application service that every gateway calls.
