//! A running node: started part by part, stopped in the reverse order.

use super::core::{self, Core, Origin};
use super::error::AGAIN;
use super::home::Home;
use super::http;
use super::node::Node;
use super::ports::{self, Wanted};
use super::supervised::Supervised;
use super::{DaemonError, Ready, UpOptions};
use crate::config::NodeFile;
use crate::gateway::http::{self as gateway, Admission, Door};
use crate::net::{NetConfig, PeerAddr};
use crate::os;
use crate::runtime::Ending;
use crate::security::{BadNodeName, NodeName, Token};
use crate::service::{Service, ServiceError};
use crate::store::Alarm;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A node that takes requests. Dropping it stops the node without waiting for it.
#[derive(Debug)]
pub struct Running {
    ready: Ready,
    service: Service,
    stop: CancellationToken,
    supervisor: JoinHandle<Result<(), DaemonError>>,
}

impl Running {
    /// Who and where it is.
    pub const fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Its application service, for programs that run a node within themselves.
    pub const fn service(&self) -> &Service {
        &self.service
    }

    /// Stops the node when cancelled.
    pub fn stopper(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Waits until the node has ended.
    ///
    /// # Errors
    /// A store that failed, or a defect.
    pub async fn wait(mut self) -> Result<(), DaemonError> {
        let ended = (&mut self.supervisor).await;
        ended.unwrap_or_else(|why| Err(DaemonError::defect(why.to_string())))
    }

    /// Stops the node, and waits until it has ended.
    ///
    /// # Errors
    /// As [`Running::wait`].
    pub async fn stop(self) -> Result<(), DaemonError> {
        self.stop.cancel();
        self.wait().await
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// What the options say, read.
struct Checked {
    name: Option<NodeName>,
    group: Option<u32>,
    peers: Vec<PeerAddr>,
    announce: Vec<SocketAddr>,
    token: Option<Token>,
    http: http::Wanted,
}

impl Checked {
    fn of(options: &UpOptions) -> Result<Self, DaemonError> {
        ports::wanted(&options.listen, &BTreeMap::new())?;
        let token = options.join.as_deref().map(str::parse).transpose();
        Ok(Self {
            name: options.name.as_deref().map(node_name).transpose()?,
            group: options.socket_group.as_deref().map(os::group_id).transpose()?,
            peers: parse_all(&options.peers)?,
            announce: options
                .announce
                .iter()
                .map(|text| announced(text))
                .collect::<Result<_, _>>()?,
            token: token.map_err(ServiceError::from)?,
            http: http::wanted(options.http, options.http_tls.as_ref())?,
        })
    }
}

/// Whether a node could be started with these options, as far as can be told without touching
/// anything.
///
/// # Errors
/// The first option that says nothing.
pub fn check(options: &UpOptions) -> Result<(), DaemonError> {
    Checked::of(options).map(drop)
}

/// Starts a node; when this returns it takes requests.
///
/// # Errors
/// Whatever keeps it from starting. What had been started is stopped again.
pub async fn start(options: UpOptions) -> Result<Running, DaemonError> {
    // Read before anything is made: a bad address must not leave half a node behind.
    let Checked { name, group, mut peers, announce, token, http } = Checked::of(&options)?;
    let (alarm, alarmed) = watch::channel(None);
    let (home, core) = open(&options, name.clone(), alarm).await?;
    let wanted = ports::wanted(&options.listen, &home.read_file().ports)?;
    if let Some(token) = token.filter(|token| core.gatekeeper.mesh() == Some(token.mesh())) {
        // A member that was killed right after joining knows its inviter's address only by this.
        peers.extend(token.addresses().iter().map(|address| PeerAddr {
            host: address.ip().to_string(),
            port: address.port(),
            node: None,
        }));
    }
    let config = NetConfig {
        listen: wanted.iter().map(|asked| asked.address.clone()).collect(),
        peers,
        announce,
        discovery: options.discovery,
        ..NetConfig::default()
    };
    let stop = CancellationToken::new();
    let node = Node::start(home, core, config, &options.limits, stop.clone()).await?;
    let asked = Asked { options: &options, name: name.as_ref(), wanted: &wanted, http };
    match open_doors(&node, asked, Admission::of(group)).await {
        Ok((ready, service, door)) => {
            let supervisor = tokio::spawn(supervise(node, door, stop.clone(), alarmed));
            Ok(Running { ready, service, stop, supervisor })
        }
        Err(error) => {
            stop.cancel();
            node.shut_down().await;
            Err(error)
        }
    }
}

async fn open(
    options: &UpOptions,
    name: Option<NodeName>,
    alarm: watch::Sender<Option<String>>,
) -> Result<(Home, Core), DaemonError> {
    let (data, limits) = (options.data.clone(), options.limits.clone());
    let origin = match &options.join {
        Some(_) => Origin::Join,
        None => Origin::Found(name.unwrap_or_else(name_of_host)),
    };
    let alarm = Arc::new(move |what: &Alarm| match what {
        Alarm::Shrinking { .. } => {
            tracing::info!("{what}");
            Supervised::find().busy(&what.to_string());
        }
        Alarm::CommitStuck(_) => {
            tracing::error!("{what}");
            alarm.send_replace(Some(what.to_string()));
        }
        _ => tracing::error!("{what}"),
    });
    let opening = tokio::task::spawn_blocking(move || {
        let home = Home::enter(&data)?;
        let core = core::open(&home, limits, &origin, alarm)?;
        Ok((home, core))
    });
    opening.await.unwrap_or_else(|why| Err(DaemonError::defect(why.to_string())))
}

/// What was asked for, as far as it concerns the doors.
struct Asked<'a> {
    options: &'a UpOptions,
    name: Option<&'a NodeName>,
    wanted: &'a [Wanted],
    http: http::Wanted,
}

/// Joins if that was asked for, opens the doors, and writes down what the next start needs.
async fn open_doors(
    node: &Node,
    asked: Asked<'_>,
    admission: Admission,
) -> Result<(Ready, Service, JoinHandle<()>), DaemonError> {
    let Asked { options, name, wanted, http } = asked;
    let socket = node.home.socket()?;
    let service = node.service(&socket, options.doors.streams);
    let listening = node.listening(wanted.len()).await?;
    if let Some(token) = &options.join {
        let host = node.gatekeeper.name().is_none().then(name_of_host);
        let name = name.or(host.as_ref()).map(NodeName::as_str);
        service.join(token, name).await?;
    }
    gateway::protect(node.home.dir(), admission)?;
    let door = Door::open(&socket, admission).await?;
    let mut ports = ports::chosen(wanted, &listening);
    let kept = node.home.read_file().ports.get(http::PORT).copied();
    let (outcome, tcp) = http::open(http, &node.home, &service, kept).await?;
    if let Some(why) = &outcome.warning {
        tracing::warn!("{why}");
    }
    ports.extend(tcp.as_ref().and_then(|door| http::chosen(options.http, door)));
    let file = NodeFile { socket: socket.clone(), http: outcome.url.clone(), ports };
    node.home.write_file(&file)?;
    service.set_http(outcome);
    let status = service.status().await?;
    let ready = Ready {
        name: status.name,
        node_id: status.node.to_string(),
        mesh: status.mesh,
        listen: status.listen,
        socket: status.socket,
        http: status.http,
    };
    let (stop, served, limits) = (node.stop.clone(), service.clone(), options.doors);
    let serving = tokio::spawn(async move {
        let socket = gateway::serve(door, served.clone(), limits, stop.clone());
        let tcp = async {
            if let Some(door) = tcp {
                gateway::serve_tcp(door, served, limits, stop).await;
            }
        };
        tokio::join!(socket, tcp);
    });
    Ok((ready, service, serving))
}

/// Waits for the end of the node, wished for or not, and ends its parts.
async fn supervise(
    node: Node,
    door: JoinHandle<()>,
    stop: CancellationToken,
    mut alarmed: watch::Receiver<Option<String>>,
) -> Result<(), DaemonError> {
    let handle = node.handle.clone();
    let stuck = async {
        let told = alarmed.wait_for(Option::is_some).await.map(|why| why.clone());
        match told {
            Ok(why) => why.unwrap_or_default(),
            Err(_closed) => std::future::pending().await,
        }
    };
    let mut is_stuck = false;
    let ended = tokio::select! {
        () = stop.cancelled() => Ok(()),
        ending = handle.ended() => of_ending(ending),
        why = stuck => {
            is_stuck = true;
            let hint = "look at the disk, then start the node again: nothing acknowledged is lost";
            Err(DaemonError::new("store_stuck", why, hint, AGAIN))
        }
    };
    if let Err(error) = &ended {
        tracing::error!(error.type = error.code, "{error}");
    }
    stop.cancel();
    if let Err(why) = door.await {
        tracing::error!(%why, "the door failed");
    }
    if is_stuck {
        // The engine's thread will not end; the process has to.
        node.net.shutdown().await;
        return ended;
    }
    node.shut_down().await;
    tracing::info!("stopped");
    ended
}

fn of_ending(ending: Ending) -> Result<(), DaemonError> {
    match ending {
        Ending::Asked => Ok(()),
        Ending::Failed(why) => {
            let message = format!("the store failed, so the node stops: {why}");
            let hint = "free space or look at the disk, then start the node again: nothing that was \
                        acknowledged is lost";
            Err(DaemonError::new("store_failed", message, hint, AGAIN))
        }
        Ending::Panicked => Err(DaemonError::defect("the engine stopped unexpectedly")),
    }
}

fn node_name(text: &str) -> Result<NodeName, DaemonError> {
    text.parse().map_err(|why: BadNodeName| DaemonError::new("bad_name", why.to_string(), "", 64))
}

/// The machine's name made into a node's.
fn name_of_host() -> NodeName {
    let host = os::host_name().to_ascii_lowercase();
    let first = host.split('.').next().unwrap_or_default();
    let plain: String = first
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(NodeName::MAX_LEN)
        .collect();
    let name = plain.trim_matches('-');
    name.parse().unwrap_or_else(|_| "node".parse().expect("it is a node's name"))
}

fn announced(text: &str) -> Result<SocketAddr, DaemonError> {
    text.parse().map_err(|_| {
        let message = format!("`{text}` is not an address to announce: IP:PORT is wanted");
        DaemonError::new("bad_address", message, "", 64)
    })
}

fn parse_all(texts: &[String]) -> Result<Vec<PeerAddr>, DaemonError> {
    texts.iter().map(|text| Ok(text.parse()?)).collect()
}
