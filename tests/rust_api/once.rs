//! Sends over the socket whose answers get lost on the way.

use crate::common::within;
use crate::node;
use meshmq::engine::limits::Limits;
use meshmq::{Client, Error, Message};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;

/// Stands between a program and its node, and loses answers to sends.
struct Lossy {
    socket: PathBuf,
    /// So many answers are still to be lost.
    to_lose: Arc<AtomicUsize>,
    lost: Arc<Notify>,
    /// All that the program asked.
    asked: Arc<Mutex<Vec<u8>>>,
}

impl Lossy {
    fn before(node: &str, dir: &Path) -> Self {
        let socket = dir.join("lossy.sock");
        let listener = UnixListener::bind(&socket).expect("the directory is writable");
        let (to_lose, lost) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let lossy = Self {
            socket,
            to_lose: Arc::clone(&to_lose),
            lost: Arc::clone(&lost),
            asked: Arc::clone(&asked),
        };
        let node = PathBuf::from(node);
        tokio::spawn(async move {
            loop {
                let (program, _) = listener.accept().await.expect("it listens");
                // A node that is away closes its connections.
                let Ok(node) = UnixStream::connect(&node).await else { continue };
                let (to_lose, lost) = (Arc::clone(&to_lose), Arc::clone(&lost));
                tokio::spawn(carry(program, node, to_lose, lost, Arc::clone(&asked)));
            }
        });
        lossy
    }
}

/// Carries bytes both ways until either end closes, or an answer to a send is lost.
async fn carry(
    mut program: UnixStream,
    mut node: UnixStream,
    to_lose: Arc<AtomicUsize>,
    lost: Arc<Notify>,
    asked: Arc<Mutex<Vec<u8>>>,
) {
    let (mut up, mut down) = ([0; 16_384], [0; 16_384]);
    let mut is_send = false;
    loop {
        tokio::select! {
            read = program.read(&mut up) => {
                let Ok(1..) = read else { return };
                let bytes = &up[..read.expect("it was read")];
                if bytes.starts_with(b"POST") || bytes.starts_with(b"GET") {
                    is_send = bytes.starts_with(b"POST");
                }
                asked.lock().expect("no panic").extend_from_slice(bytes);
                if node.write_all(bytes).await.is_err() {
                    return;
                }
            }
            read = node.read(&mut down) => {
                let Ok(1..) = read else { return };
                let less = |left: usize| left.checked_sub(1);
                let order = Ordering::SeqCst;
                if is_send && to_lose.fetch_update(order, order, less).is_ok() {
                    lost.notify_one();
                    return;
                }
                if program.write_all(&down[..read.expect("it was read")]).await.is_err() {
                    return;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_send_whose_answer_is_lost_is_stored_once() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let node = node(dir.path(), "pc-a").start().await.expect("it starts");
    let queue = node.client().create_queue("orders").await.expect("a new name");
    let lossy = Lossy::before(node.socket(), dir.path());
    let client = Client::connect(Some(&lossy.socket)).await.expect("it listens");
    let there = client.queue("orders");
    for (count, to_lose) in [(1, 1), (2, 0), (3, 3)] {
        lossy.to_lose.store(to_lose, Ordering::SeqCst);
        let receipt = within(there.send(Message::new(vec![0, 159, 255]))).await.expect("room");
        let page = queue.peek(None, 10).await.expect("it is here");
        assert_eq!(page.messages.len(), count, "{to_lose} answers were lost");
        assert_eq!(&page.messages[count - 1].id, receipt.id());
    }
    lossy.to_lose.store(1, Ordering::SeqCst);
    let batch = ["a", "b"].map(Message::new).to_vec();
    let receipts = within(there.send_all(batch)).await.expect("there is room");
    assert_eq!((receipts.len(), queue.info().await.expect("it is here").ready), (2, 5));
    let asked = lossy.asked.lock().expect("no panic").clone();
    let raw = [0, 159, 255];
    assert!(asked.windows(3).any(|bytes| bytes == raw), "the body goes as it is");
}

#[tokio::test]
async fn a_send_outlives_the_start_of_its_node() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let first = node(dir.path(), "pc-a").start().await.expect("it starts");
    first.client().create_queue("orders").await.expect("a new name");
    let lossy = Lossy::before(first.socket(), dir.path());
    let client = Client::connect(Some(&lossy.socket)).await.expect("it listens");
    lossy.to_lose.store(1, Ordering::SeqCst);
    let sending = tokio::spawn({
        let queue = client.queue("orders");
        async move { queue.send("x").await }
    });
    within(lossy.lost.notified()).await;
    within(first.shutdown(std::time::Duration::ZERO)).await.expect("a clean end");
    let again = node(dir.path(), "pc-a").start().await.expect("it starts again");
    let receipt = within(sending).await.expect("no panic").expect("there is room");
    let page = again.client().queue("orders").peek(None, 10).await.expect("it is here");
    assert_eq!(page.messages.len(), 1);
    assert_eq!(&page.messages[0].id, receipt.id());
}

#[tokio::test]
async fn what_is_sent_is_not_bounded_by_the_memory_of_keys() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let limits = Limits { idempotency_keys: 2, ..Limits::default() };
    let node = node(dir.path(), "pc-a").limits(limits).start().await.expect("it starts");
    let queue = node.client().create_queue("orders").await.expect("a new name");
    let client = Client::connect(Some(Path::new(node.socket()))).await.expect("it listens");
    for _ in 0..20 {
        client.queue("orders").send("x").await.expect("there is room");
    }
    let refused = client.queue("nowhere").send("x").await.expect_err("there is no such queue");
    assert!(matches!(refused, Error::NoSuchQueue(_)), "{refused:?}");
    client.queue("orders").send("x").await.expect("a refusal changes nothing");
    assert_eq!(queue.info().await.expect("it is here").ready, 21);
}
