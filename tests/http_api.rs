//! Every path of the HTTP door against a real node, every refusal, and whose locks are whose.

mod common;

#[path = "http_api/door.rs"]
mod door;
#[path = "http_api/large.rs"]
mod large;
#[path = "http_api/limits.rs"]
mod limits;
#[path = "http_api/messages.rs"]
mod messages;
#[path = "http_api/metrics.rs"]
mod metrics;
#[path = "http_api/news.rs"]
mod news;
#[path = "http_api/node.rs"]
mod node;
#[path = "http_api/once.rs"]
mod once;
#[path = "http_api/openapi.rs"]
mod openapi;
#[path = "http_api/queues.rs"]
mod queues;
#[path = "http_api/raw.rs"]
mod raw;
#[path = "http_api/refusals.rs"]
mod refusals;
#[path = "http_api/rest.rs"]
mod rest;
#[path = "http_api/sessions.rs"]
mod sessions;
#[path = "http_api/streams.rs"]
mod streams;
#[path = "http_api/tcp.rs"]
mod tcp;
