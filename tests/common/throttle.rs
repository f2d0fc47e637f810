//! A loopback TCP proxy that is as slow as a bad link: so many bits a second each way, and half a
//! round trip of delay each way. It can cut: nothing passes, and nobody is told.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, timeout_at};

/// What a link is like.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    /// Bits per second, each way.
    pub(crate) bits_per_s: u64,
    /// There and back.
    pub(crate) round_trip: Duration,
}

impl Pace {
    /// As fast as loopback is.
    pub(crate) const NONE: Self = Self { bits_per_s: u64::MAX, round_trip: Duration::ZERO };

    fn takes(&self, bytes: usize) -> Duration {
        Duration::from_nanos((bytes as u64 * 8).saturating_mul(1_000_000_000) / self.bits_per_s)
    }
}

#[derive(Default)]
struct Valve {
    shut: AtomicBool,
    turned: Notify,
    accepted: AtomicUsize,
    ended: AtomicUsize,
}

/// A running proxy.
pub(crate) struct Throttle {
    address: SocketAddr,
    valve: Arc<Valve>,
}

/// Bytes that are read at a time: a tenth of a second of a slow link or less.
const PIECE: usize = 1_400;
/// Pieces under way, as in a router's queue.
const QUEUE: usize = 64;

impl Throttle {
    /// A proxy before `target`.
    pub(crate) async fn before(target: SocketAddr, pace: Pace) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let valve = Arc::new(Valve::default());
        tokio::spawn(accept(listener, target, pace, valve.clone()));
        Self { address, valve }
    }

    /// Where to connect.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections so far.
    pub(crate) fn accepted(&self) -> usize {
        self.valve.accepted.load(Ordering::SeqCst)
    }

    /// Connections that are open.
    pub(crate) fn open(&self) -> usize {
        let ended = self.valve.ended.load(Ordering::SeqCst);
        self.accepted().saturating_sub(ended)
    }

    /// Lets nothing pass.
    pub(crate) fn cut(&self) {
        self.valve.shut.store(true, Ordering::SeqCst);
    }

    /// Lets it pass again. What was under way is lost with its connections.
    pub(crate) fn heal(&self) {
        self.valve.shut.store(false, Ordering::SeqCst);
        self.valve.turned.notify_waiters();
    }
}

async fn accept(listener: TcpListener, target: SocketAddr, pace: Pace, valve: Arc<Valve>) {
    while let Ok((from, _)) = listener.accept().await {
        valve.accepted.fetch_add(1, Ordering::SeqCst);
        let valve = valve.clone();
        tokio::spawn(async move {
            valve.open().await;
            if let Ok(to) = TcpStream::connect(target).await {
                let _ = (from.set_nodelay(true), to.set_nodelay(true));
                let (from_read, from_write) = from.into_split();
                let (to_read, to_write) = to.into_split();
                // The end of one direction is the end of the connection.
                tokio::select! {
                    () = carry(from_read, to_write, pace, valve.clone()) => {}
                    () = carry(to_read, from_write, pace, valve.clone()) => {}
                }
            }
            valve.ended.fetch_add(1, Ordering::SeqCst);
        });
    }
}

impl Valve {
    async fn open(&self) {
        loop {
            let turned = self.turned.notified();
            if !self.shut.load(Ordering::SeqCst) {
                return;
            }
            turned.await;
        }
    }
}

/// The moment at which a byte of the modelled line arrives: the passing of time is the model here.
async fn until(due: Instant) {
    let _ = timeout_at(due, std::future::pending::<()>()).await;
}

/// One direction: each piece takes its time on the line, one after the other, then the delay.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, pace: Pace, valve: Arc<Valve>) {
    let (sender, mut queue) = mpsc::channel::<(Instant, Vec<u8>)>(QUEUE);
    let line = async move {
        let mut free_at = Instant::now();
        loop {
            let mut piece = vec![0; PIECE];
            let Ok(bytes @ 1..) = from.read(&mut piece).await else { return };
            piece.truncate(bytes);
            free_at = free_at.max(Instant::now()) + pace.takes(bytes);
            until(free_at).await;
            if sender.send((free_at + pace.round_trip / 2, piece)).await.is_err() {
                return;
            }
        }
    };
    let far_end = async move {
        while let Some((due, piece)) = queue.recv().await {
            until(due).await;
            valve.open().await;
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(line, far_end);
}
