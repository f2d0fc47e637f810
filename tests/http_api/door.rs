//! The socket: who gets in, how many, how slowly; and what keeps a node from starting.

use crate::common::{Http, TestNode, options, until, within};
use meshmq::daemon;
use serde_json::json;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

const PROBE: &str = "MESHMQ_TEST_PROBE_SOCKET";
const NOBODY: u32 = 65_534;

/// Not a test of its own: run as another user by the one below, it tells what the door says.
#[tokio::test]
async fn probe() {
    let Some(socket) = std::env::var_os(PROBE) else { return };
    match UnixStream::connect(&socket).await {
        Ok(stream) => {
            let answer = Http::over(stream).await.get("/v1/status").await;
            eprintln!("status={} code={}", answer.status.as_u16(), answer.json["code"]);
        }
        Err(why) => eprintln!("error={:?}", why.kind()),
    }
}

/// What another user gets to see.
fn as_nobody(socket: &str) -> String {
    // The path of the test itself need not be open to that user, this one is.
    let mut probe = Command::new("/proc/self/exe");
    probe.args(["--exact", "door::probe", "--nocapture"]).env(PROBE, socket);
    probe.uid(NOBODY).gid(NOBODY);
    let output = probe.output().expect("the probe runs");
    let said = String::from_utf8_lossy(&output.stderr);
    said.lines().find(|line| line.contains('=')).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn another_user_is_kept_out_twice() {
    let node = TestNode::start("pc-a").await;
    let socket = node.ready().socket.clone();
    let mode = |path: &Path| std::fs::metadata(path).expect("it exists").mode() & 0o777;
    assert_eq!((mode(node.dir.path()), mode(Path::new(&socket))), (0o700, 0o600));
    if std::fs::metadata(node.dir.path()).expect("it exists").uid() != 0 {
        eprintln!("skipped: only root can become another user");
        return;
    }
    let told = |socket: String| tokio::task::spawn_blocking(move || as_nobody(&socket));
    assert_eq!(told(socket.clone()).await.expect("no panic"), "error=PermissionDenied");
    let open = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("own file");
    };
    open(node.dir.path(), 0o755);
    open(Path::new(&socket), 0o666);
    let said = told(socket).await.expect("no panic");
    assert_eq!(said, "status=403 code=\"not_allowed\"");
}

#[tokio::test]
async fn the_group_is_let_in() {
    if std::fs::metadata("/proc/self").expect("it exists").uid() != 0 {
        eprintln!("skipped: only root can become another user");
        return;
    }
    let group = Some(NOBODY.to_string());
    let node = TestNode::start_with("pc-a", |options| options.socket_group = group).await;
    let socket = node.ready().socket.clone();
    let found = std::fs::metadata(&socket).expect("it exists");
    assert_eq!((found.mode() & 0o777, found.gid()), (0o660, NOBODY));
    let found = std::fs::metadata(node.dir.path()).expect("it exists");
    assert_eq!((found.mode() & 0o777, found.gid()), (0o750, NOBODY));
    let store = std::fs::metadata(node.dir.path().join("store")).expect("it exists");
    assert_eq!(store.mode() & 0o077, 0, "the store stays closed");
    let said = tokio::task::spawn_blocking(move || as_nobody(&socket)).await.expect("no panic");
    assert_eq!(said, "status=200 code=null");
}

#[tokio::test]
async fn one_connection_too_many_is_told_so() {
    const FEW: usize = 8;
    let node = TestNode::start_with("pc-a", |options| options.doors.connections = FEW).await;
    let mut open = Vec::new();
    for _ in 0..FEW {
        let mut http = node.connect().await;
        http.get("/livez").await.expect(204);
        open.push(http);
    }
    node.connect().await.get("/livez").await.refused(503, "too_many");
    open.pop();
    until(async || {
        let answer = node.connect().await.get("/livez").await;
        (answer.status.as_u16() == 204).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_head_that_never_ends_is_cut_and_an_idle_connection_is_not() {
    let node = TestNode::start("pc-a").await;
    let mut idle = node.connect().await;
    idle.get("/livez").await.expect(204);
    let mut slow = UnixStream::connect(&node.ready().socket).await.expect("the node listens");
    slow.write_all(b"GET /livez HTT").await.expect("the node reads");
    let mut rest = Vec::new();
    within(slow.read_to_end(&mut rest)).await.expect("the end of the stream");
    assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 4"), "{rest:?}");
    idle.get("/livez").await.expect(204);
}

#[tokio::test]
async fn a_long_directory_gets_a_short_socket() {
    let root = tempfile::tempdir().expect("a temporary directory");
    let dir = root.path().join("d".repeat(110));
    let running = daemon::start(options(&dir, "pc-a")).await.expect("the node starts");
    let socket = running.ready().socket.clone();
    assert!(socket.len() <= 100, "{socket}");
    assert_eq!(meshmq::config::find_socket(&dir), Path::new(&socket));
    Http::connect(Path::new(&socket)).await.get("/livez").await.expect(204);
    running.stop().await.expect("a clean end");
    let parent = Path::new(&socket).parent().expect("it was in a directory").to_owned();
    assert!(!parent.exists(), "nothing is left of it");
}

#[tokio::test]
async fn what_keeps_a_node_from_starting_has_its_exit_code() {
    let mut node = TestNode::start("pc-a").await;
    let exit = async |change: &dyn Fn(&mut daemon::UpOptions)| {
        let mut wanted = node.options.clone();
        change(&mut wanted);
        let refused = daemon::start(wanted).await.map(drop).expect_err("it must not start");
        assert!(!refused.message.is_empty());
        (refused.code, refused.exit)
    };
    assert_eq!(exit(&|_| ()).await, ("directory_in_use", 73));
    let fresh = tempfile::tempdir().expect("a temporary directory");
    let there = fresh.path().to_owned();
    let bad = async |change: &dyn Fn(&mut daemon::UpOptions)| {
        exit(&|options| {
            options.data.clone_from(&there);
            change(options);
        })
        .await
    };
    let taken = node.ready().listen[0].clone();
    assert_eq!(bad(&|options| options.listen = vec![taken.clone()]).await, ("port_taken", 78));
    assert_eq!(bad(&|options| options.listen = vec!["?".into()]).await.1, 64);
    assert_eq!(bad(&|options| options.peers = vec!["?".into()]).await.1, 64);
    assert_eq!(bad(&|options| options.name = Some("A B".into())).await.1, 64);
    let group = Some("no-such-group".to_owned());
    assert_eq!(bad(&|options| options.socket_group.clone_from(&group)).await.1, 78);
    assert_eq!(bad(&|options| options.join = Some("nonsense".into())).await.1, 77);
    assert_eq!(exit_of_file(&node).await, 78);
    node.down().await;
}

async fn exit_of_file(node: &TestNode) -> u8 {
    let file = node.dir.path().join("a-file");
    std::fs::write(&file, b"").expect("a file");
    let refused = daemon::start(options(&file, "x")).await.map(drop);
    refused.expect_err("a file is no directory").exit
}

#[tokio::test]
async fn two_starts_at_once_give_one_node() {
    let root = tempfile::tempdir().expect("a temporary directory");
    let (first, second) = tokio::join!(
        daemon::start(options(root.path(), "pc-a")),
        daemon::start(options(root.path(), "pc-a")),
    );
    let (running, refused) = match (first, second) {
        (Ok(running), Err(refused)) | (Err(refused), Ok(running)) => (running, refused),
        (first, second) => panic!("{:?} and {:?}", first.map(drop), second.map(drop)),
    };
    assert_eq!(refused.exit, 73);
    let mut http = Http::connect(Path::new(&running.ready().socket)).await;
    http.put("/v1/queues/q", json!({})).await.expect(201);
    running.stop().await.expect("a clean end");
}

#[tokio::test]
async fn a_damaged_store_is_said_so_with_the_way_out() {
    let mut node = TestNode::start("pc-a").await;
    let mut http = node.connect().await;
    http.put("/v1/queues/q", json!({})).await.expect(201);
    drop(http);
    node.down().await;
    let store = node.dir.path().join("store");
    for file in files_below(&store) {
        let len = std::fs::metadata(&file).expect("it exists").len();
        std::fs::write(&file, vec![0x5a; usize::try_from(len).expect("small")]).expect("own file");
    }
    let refused = node.up().await.expect_err("it cannot be read");
    assert_eq!((refused.code, refused.exit), ("store_damaged", 74), "{refused}");
    assert!(!refused.hint.is_empty());
}

fn files_below(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files
}
