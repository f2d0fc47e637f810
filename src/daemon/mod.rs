//! The only place that wires everything: data directory, store, engine, links and doors.
//!
//! Refuses to decide anything that a part below could decide; it starts the parts in order, passes
//! what one says to the other, and stops them in the reverse order.

mod clocks;
mod compact;
mod core;
mod error;
mod home;
mod http;
mod links;
mod node;
mod ports;
mod running;
mod signals;
mod space;
mod supervised;

pub use crate::client::json::Ready;
pub use crate::gateway::http::DoorLimits;
pub use crate::service::Compacted;
pub use compact::compact;
pub use error::DaemonError;
pub use http::{BadWish, HttpWish, TlsFiles};
pub use running::{Running, check, start};

use crate::engine::limits::Limits;
use crate::os;
use signals::Signals;
use std::path::PathBuf;
use supervised::Supervised;

/// What `up` was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpOptions {
    /// The node's directory; one node per directory.
    pub data: PathBuf,
    /// Name of the node, used when it founds or joins a mesh; the host's name if none.
    pub name: Option<String>,
    /// Where to listen: `host:port` or multiaddrs. If empty, every interface on port 7670, or on a
    /// free one if that is taken.
    pub listen: Vec<String>,
    /// Nodes to keep a link with: `host:port` or multiaddrs, the peer id optional.
    pub peers: Vec<String>,
    /// Addresses told to other nodes instead of those listened on, for nodes behind a port that
    /// is forwarded. If empty, the addresses listened on.
    pub announce: Vec<String>,
    /// Whether nodes on the same network are looked for.
    pub discovery: bool,
    /// A group whose members may use the node, by name or number.
    pub socket_group: Option<String>,
    /// Where the HTTP door on TCP is wanted, beside the socket that is always there.
    pub http: HttpWish,
    /// The certificate of that door; an address that other machines reach needs one.
    pub http_tls: Option<TlsFiles>,
    /// A token: a node without a mesh joins the token's.
    pub join: Option<String>,
    /// The bounds of the node.
    pub limits: Limits,
    /// The bounds of its doors for programs.
    pub doors: DoorLimits,
    /// Whether the node ends when its standard input does: for children of another program.
    pub exit_with_stdin: bool,
}

/// Descriptors that are wanted beside those of programs: the store's, and links.
const DESCRIPTORS_BESIDE: u64 = 512;

/// Runs a node in the foreground until it is told to stop: SIGINT, SIGTERM, `down`, or the end of
/// standard input where that was asked for. `on_ready` is called once, when it takes requests.
///
/// # Errors
/// Whatever keeps the node from starting, and a store that fails while it runs.
pub async fn run(options: UpOptions, on_ready: impl FnOnce(&Ready)) -> Result<(), DaemonError> {
    let mut signals = Signals::catch()?;
    let supervised = Supervised::find();
    let with_stdin = options.exit_with_stdin;
    // Both doors full, and what the node itself opens.
    let doors = (options.doors.connections as u64).saturating_mul(2);
    let wanted = doors.saturating_add(DESCRIPTORS_BESIDE);
    let allowed = os::raise_open_files(wanted);
    if allowed < wanted {
        tracing::warn!(allowed, wanted, "few descriptors: full doors would refuse programs sooner");
    }
    let running = tokio::select! {
        running = start(options) => running?,
        () = signals.come() => return Ok(()),
    };
    if with_stdin {
        signals::stop_with_stdin(running.stopper());
    }
    on_ready(running.ready());
    supervised.ready(&running.ready().name, &running.ready().mesh);
    let (stopper, service) = (running.stopper(), running.service().clone());
    let ended = running.wait();
    tokio::pin!(ended);
    tokio::select! {
        ended = &mut ended => return ended,
        () = stopper.cancelled() => {}
        () = signals.come() => stopper.cancel(),
        () = supervised.watch(&service) => {}
    }
    supervised.stopping();
    tokio::select! {
        ended = &mut ended => ended,
        // Whoever insists does not want to wait for open requests.
        () = signals.come() => Ok(()),
    }
}
