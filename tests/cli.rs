//! The command line as people and scripts meet it: help, output, JSON and exit codes of the real
//! program, against a real node where one is needed.

#[path = "cli/config.rs"]
mod config;
#[path = "cli/descriptors.rs"]
mod descriptors;
#[path = "cli/exits.rs"]
mod exits;
#[path = "cli/help.rs"]
mod help;
#[path = "cli/large.rs"]
mod large;
#[path = "cli/log.rs"]
mod log;
#[path = "cli/mesh.rs"]
mod mesh;
#[path = "cli/node.rs"]
mod node;
#[path = "cli/service.rs"]
mod service;
#[path = "cli/sessions.rs"]
mod sessions;
#[path = "cli/streams.rs"]
mod streams;
#[path = "cli/transcript.rs"]
mod transcript;
#[path = "cli/why.rs"]
mod why;
