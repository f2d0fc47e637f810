//! The Rust API, the same tests for both ways to a node: within the process, and over the socket.

#[path = "common/mod.rs"]
mod common;
#[path = "rust_api/events.rs"]
mod events;
#[path = "rust_api/once.rs"]
mod once;
#[path = "rust_api/receiving.rs"]
mod receiving;
#[path = "rust_api/sending.rs"]
mod sending;

use meshmq::{Client, Node, Preset};
use std::path::Path;
use tempfile::TempDir;

/// A node with a way to it, in a directory of its own.
pub(crate) struct Bench {
    pub(crate) node: Node,
    pub(crate) client: Client,
    _dir: TempDir,
}

/// Which way.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    Within,
    Socket,
}

/// Both, for tests that hold on either.
pub(crate) const WAYS: [Way; 2] = [Way::Within, Way::Socket];

impl Bench {
    pub(crate) async fn start(way: Way) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let node = node(dir.path(), "pc-a").start().await.expect("it starts");
        let client = match way {
            Way::Within => node.client(),
            Way::Socket => {
                Client::connect(Some(Path::new(node.socket()))).await.expect("it listens")
            }
        };
        Self { node, client, _dir: dir }
    }
}

/// A node that nobody else can find.
pub(crate) fn node(dir: &Path, name: &str) -> meshmq::NodeBuilder {
    Node::builder().name(name).data_dir(dir.join(name)).preset(Preset::Isolated)
}
