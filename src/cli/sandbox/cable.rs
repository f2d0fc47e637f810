//! A cable between nodes: a TCP proxy that can be pulled and put back.
//!
//! A pulled cable is silent: connections neither carry nor close, and new ones get no answer. When
//! it is put back, what was silent breaks, as on a real network after a while.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Where a cable leads, and whether it is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Plug {
    /// The node's own address, once known.
    to: Option<SocketAddr>,
    /// Pulled.
    out: bool,
    /// Grows whenever the cable is put back: older connections break.
    turn: u64,
}

/// A cable to one node.
pub(in crate::cli) struct Cable {
    address: SocketAddr,
    plug: Arc<watch::Sender<Plug>>,
    carrier: JoinHandle<()>,
}

impl Cable {
    /// A cable that leads nowhere yet.
    pub(in crate::cli) async fn lay() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let plug = Arc::new(watch::Sender::new(Plug::default()));
        let carrier = tokio::spawn(accept(listener, Arc::clone(&plug)));
        Ok(Self { address, plug, carrier })
    }

    /// Where others connect to reach the node.
    pub(in crate::cli) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Leads to this address from now on.
    pub(in crate::cli) fn lead_to(&self, to: SocketAddr) {
        self.plug.send_modify(|plug| plug.to = Some(to));
    }

    /// Pulls the cable: silence.
    pub(in crate::cli) fn pull(&self) {
        self.plug.send_modify(|plug| plug.out = true);
    }

    /// Puts the cable back; connections of before break.
    pub(in crate::cli) fn put_back(&self) {
        self.plug.send_modify(|plug| {
            plug.out = false;
            plug.turn += 1;
        });
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.carrier.abort();
        self.plug.send_modify(|plug| plug.turn += 1);
    }
}

async fn accept(listener: TcpListener, plug: Arc<watch::Sender<Plug>>) {
    while let Ok((near, _)) = listener.accept().await {
        tokio::spawn(carry(near, plug.subscribe()));
    }
}

/// Carries one connection until either end closes it or the cable is put back.
async fn carry(mut near: TcpStream, mut plug: watch::Receiver<Plug>) {
    let begun = plug.borrow_and_update().turn;
    let Ok(Plug { to: Some(to), out: false, .. }) = until_in(&mut plug, begun).await else {
        return;
    };
    let Ok(mut far) = TcpStream::connect(to).await else { return };
    let nodelay = near.set_nodelay(true).and_then(|()| far.set_nodelay(true));
    if nodelay.is_err() {
        return;
    }
    tokio::select! {
        _ = copy_bidirectional(&mut near, &mut far) => return,
        _ = plug.wait_for(|plug| plug.out || plug.turn != begun) => {}
    }
    // Both ends stay open and hear nothing until the cable is put back.
    let _ = plug.wait_for(|plug| plug.turn != begun).await;
}

/// Waits while the cable is out; gives up when it is put back, as the caller has given up too.
async fn until_in(
    plug: &mut watch::Receiver<Plug>,
    begun: u64,
) -> Result<Plug, watch::error::RecvError> {
    plug.wait_for(|plug| !plug.out || plug.turn != begun)
        .await
        .map(|plug| *plug)
        .map(|plug| if plug.turn == begun { plug } else { Plug { out: true, ..plug } })
}

#[cfg(test)]
mod tests;
