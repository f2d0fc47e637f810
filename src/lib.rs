//! MeshMQ: reliable queued messaging between machines that are not always connected, with no
//! server in the middle.

pub mod engine;

pub mod codec;

pub mod security;
pub mod store;

pub mod net;
pub mod runtime;

pub mod service;

pub mod client;
pub mod gateway;

pub mod cli;
pub mod config;
pub mod daemon;
pub mod os;
pub mod telemetry;
