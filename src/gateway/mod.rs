//! Translators from outside protocols to the application service; no rules of their own.

pub mod http;
