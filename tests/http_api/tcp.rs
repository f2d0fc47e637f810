//! The door on TCP: tokens, hosts, origins, certificates, ports.

use crate::common::{Http, TestNode, options, until, within};
use meshmq::daemon::{self, HttpWish, TlsFiles};
use serde_json::json;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

pub(crate) fn any_port() -> HttpWish {
    HttpWish::At("127.0.0.1:0".parse().expect("an address"))
}

pub(crate) async fn node() -> TestNode {
    TestNode::start_with("pc-a", |options| options.http = any_port()).await
}

fn tls(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/http_api/tls").join(name)
}

fn tls_files() -> TlsFiles {
    TlsFiles { certificate: tls("cert.pem"), key: tls("key.pem") }
}

#[tokio::test]
async fn nobody_gets_in_without_a_token_but_probes() {
    let node = node().await;
    let anonymous = async || {
        let stream = TcpStream::connect(node.tcp()).await.expect("the node listens");
        Http::over(stream).await.with("host", &node.tcp().to_string())
    };
    let mut http = anonymous().await;
    http.get("/livez").await.expect(204);
    http.get("/readyz").await.expect(204);
    let refused = http.get("/v1/status").await;
    assert_eq!(refused.headers["www-authenticate"], "Bearer realm=\"meshmq\"");
    refused.refused(401, "unauthorized");
    anonymous().await.get("/no/such/path").await.refused(401, "unauthorized");
    for shown in ["Bearer x", "Bearer", "Basic eDp5", &format!("Bearer {}x", node.token())] {
        let mut http = anonymous().await.with("authorization", shown);
        http.get("/v1/status").await.refused(401, "unauthorized");
    }
    let mut http = node.connect_tcp().await;
    http.get("/v1/status").await.expect(200);
    http.get("/no/such/path").await.refused(404, "no_such_path");
}

#[tokio::test]
async fn pages_from_elsewhere_and_names_that_others_own_are_refused() {
    let node = node().await;
    let port = node.tcp().port();
    for host in [format!("localhost:{port}"), format!("127.0.0.1:{port}"), "[::1]".to_owned()] {
        node.connect_tcp().await.with("host", &host).get("/v1/status").await.expect(200);
    }
    for host in ["evil.example", "localhost.evil.example:7671", "127.0.0.1.nip.io"] {
        let mut http = node.connect_tcp().await.with("host", host);
        http.get("/v1/status").await.refused(403, "bad_host");
        let mut http = node.connect_tcp().await.with("host", host);
        http.get("/livez").await.refused(403, "bad_host");
    }
    node.connect_tcp().await.with("host", "a b").get("/livez").await.refused(400, "bad_host");
    let own = format!("http://{}", node.tcp());
    let mut page = node.connect_tcp().await.with("origin", &own);
    page.get("/v1/status").await.expect(200);
    for origin in ["http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1:1"] {
        let mut page = node.connect_tcp().await.with("origin", origin);
        page.get("/v1/status").await.refused(403, "bad_origin");
    }
    let said = exchange(node.tcp(), b"GET /livez HTTP/1.1\r\n\r\n").await;
    assert!(said.contains("\"code\":\"bad_host\""), "{said}");
    let twice = b"GET /livez HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\n\r\n";
    let said = exchange(node.tcp(), twice).await;
    assert!(said.contains("\"code\":\"bad_request\""), "{said}");
}

/// Sends bytes and reads until the node closes.
async fn exchange(to: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(to).await.expect("the node listens");
    stream.write_all(bytes).await.expect("the node reads");
    let mut said = String::new();
    within(stream.read_to_string(&mut said)).await.expect("text, then the end");
    said
}

#[tokio::test]
async fn what_is_no_http_is_a_problem_too() {
    let node = node().await;
    for bytes in
        [&b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"[..], b"GET\r\n\r\n", b"GET / FTP/1\r\n\r\n"]
    {
        let said = exchange(node.tcp(), bytes).await;
        assert!(said.starts_with("HTTP/1.1 400 "), "{said}");
        assert!(said.contains("application/problem+json"), "{said}");
        assert!(said.contains("\"code\":\"bad_request\""), "{said}");
    }
    let long = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(40_000));
    let many: String = (0..200).map(|n| format!("x-{n}: y\r\n")).collect();
    let many = format!("GET / HTTP/1.1\r\n{many}\r\n");
    for head in [long, many] {
        let said = exchange(node.tcp(), head.as_bytes()).await;
        assert!(said.starts_with("HTTP/1.1 431 "), "{said}");
        assert!(said.contains("\"code\":\"too_large\""), "{said}");
    }
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let node = node().await;
    let mut silent = TcpStream::connect(node.tcp()).await.expect("the node listens");
    let mut http = node.connect_tcp().await;
    http.get("/livez").await.expect(204);
    let mut rest = Vec::new();
    within(silent.read_to_end(&mut rest)).await.expect("the end of the stream");
    http.get("/livez").await.expect(204);
}

#[tokio::test]
async fn tokens_are_made_over_the_socket_survive_restarts_and_end() {
    let mut node = node().await;
    let mut local = node.connect().await;
    let made = local.post("/v1/tokens", json!({"label": "backup job"})).await.expect(201);
    let (id, token) = (made["id"].as_str().expect("an id"), made["token"].as_str().expect("one"));
    let bearer = format!("Bearer {token}");
    let mut named = node.connect_tcp().await.with("authorization", &bearer);
    named.get("/v1/status").await.expect(200);
    named.get("/v1/tokens").await.refused(403, "not_allowed");
    named.post("/v1/tokens", json!({})).await.refused(403, "not_allowed");
    named.delete(&format!("/v1/tokens/{id}")).await.refused(403, "not_allowed");
    drop((named, local));
    let port = node.tcp().port();
    node.down().await;
    node.up().await.expect("it starts again");
    assert_eq!(node.tcp().port(), port, "a port chosen for `:0` is kept");
    let mut local = node.connect().await;
    let list = local.get("/v1/tokens").await.expect(200);
    assert_eq!(list["items"][0]["label"], "backup job");
    assert_eq!(list["items"][0]["id"], id);
    assert!(list["items"][0].get("token").is_none(), "{list}");
    let mut named = node.connect_tcp().await.with("authorization", &bearer);
    named.get("/v1/status").await.expect(200);
    local.delete(&format!("/v1/tokens/{id}")).await.expect(204);
    named.get("/v1/status").await.refused(401, "unauthorized");
    local.delete(&format!("/v1/tokens/{id}")).await.refused(404, "no_such_token");
    let long = json!({"label": "x".repeat(65)});
    local.post("/v1/tokens", long).await.refused(400, "bad_request");
    drop((named, local));
    node.down().await;
    node.up().await.expect("it starts again");
    let mut named = node.connect_tcp().await.with("authorization", &bearer);
    named.get("/v1/status").await.refused(401, "unauthorized");
}

#[tokio::test]
async fn there_is_a_limit_of_tokens() {
    let node = node().await;
    let mut local = node.connect().await;
    for _ in 0..meshmq::service::ACCESS_TOKENS_MAX {
        local.post("/v1/tokens", json!({})).await.expect(201);
    }
    local.post("/v1/tokens", json!({})).await.refused(507, "too_many");
}

#[tokio::test]
async fn a_certificate_encrypts_and_lets_other_machines_in() {
    let node = TestNode::start_with("pc-a", |options| {
        options.http = HttpWish::At("0.0.0.0:0".parse().expect("an address"));
        options.http_tls = Some(tls_files());
    })
    .await;
    let url = node.ready().http.clone().expect("a door");
    assert!(url.starts_with("https://0.0.0.0:"), "{url}");
    let address = SocketAddr::from(([127, 0, 0, 1], node.tcp().port()));
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_file(tls("cert.pem")).expect("a certificate");
    roots.add(root).expect("a root");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await.expect("the node listens");
    let name = ServerName::try_from("localhost").expect("a name");
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.expect("TLS");
    let mut http = Http::over(stream).await.with("host", "pc-a.example:7671");
    http.get("/v1/status").await.refused(401, "unauthorized");
    let stream = TcpStream::connect(address).await.expect("the node listens");
    let mut plain = Http::over(stream).await;
    let attempt = tokio::spawn(async move { plain.get("/livez").await });
    assert!(attempt.await.is_err(), "no answer without encryption");
}

#[tokio::test]
async fn what_keeps_the_door_shut_says_what_to_do() {
    let fresh = tempfile::tempdir().expect("a temporary directory");
    let refused = async |http: &str, files: Option<TlsFiles>| {
        let mut wanted = options(fresh.path(), "pc-a");
        wanted.http = http.parse().expect("a wish");
        wanted.http_tls = files;
        let why = daemon::start(wanted).await.map(drop).expect_err("it must not start");
        assert!(!why.hint.is_empty(), "{why}");
        (why.code, why.exit)
    };
    assert_eq!(refused("0.0.0.0:0", None).await, ("needs_tls", 78));
    assert_eq!(refused("[::]:0", None).await, ("needs_tls", 78));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("it is bound").to_string();
    assert_eq!(refused(&address, None).await, ("port_taken", 78));
    let swapped = TlsFiles { certificate: tls("key.pem"), key: tls("cert.pem") };
    let missing = TlsFiles { certificate: tls("none.pem"), key: tls("key.pem") };
    let foreign = TlsFiles { certificate: tls("cert.pem"), key: tls("other-key.pem") };
    for files in [swapped, missing, foreign] {
        assert_eq!(refused("127.0.0.1:0", Some(files)).await, ("bad_certificate", 78));
    }
    let token = fresh.path().join("token");
    std::fs::write(&token, "not a token").expect("own directory");
    std::fs::set_permissions(&token, PermissionsExt::from_mode(0o600)).expect("own file");
    assert_eq!(refused("127.0.0.1:0", None).await, ("bad_token_file", 78));
    std::fs::set_permissions(&token, PermissionsExt::from_mode(0o644)).expect("own file");
    assert_eq!(refused("127.0.0.1:0", None).await, ("bad_token_file", 78));
}

#[tokio::test]
async fn a_door_nobody_asked_for_keeps_no_node_from_starting() {
    let mut node = TestNode::start_with("pc-a", |options| options.http = HttpWish::Usual).await;
    let file = node.dir.path().join("node.json");
    let told = std::fs::read_to_string(&file).expect("it is written");
    assert!(told.contains(node.ready().http.as_deref().expect("a door")), "{told}");
    let mut second = TestNode::start_with("pc-b", |options| options.http = HttpWish::Usual).await;
    let status = second.connect().await.get("/v1/status").await.expect(200);
    let port = second.tcp().port();
    assert_ne!(port, node.tcp().port());
    let warning = status["warnings"][0].as_str().expect("a warning");
    assert!(warning.contains(&port.to_string()), "{warning}");
    node.down().await;
    second.down().await;
    std::fs::write(second.dir.path().join("token"), "nonsense").expect("own directory");
    second.up().await.expect("it starts all the same");
    assert_eq!(second.ready().http, None);
    let status = second.connect().await.get("/v1/status").await.expect(200);
    let warning = status["warnings"][0].as_str().expect("a warning");
    assert!(warning.contains("delete it"), "{warning}");
    std::fs::remove_file(second.dir.path().join("token")).expect("own file");
    second.down().await;
    second.up().await.expect("it starts again");
    second.connect_tcp().await.get("/v1/status").await.expect(200);
}

#[tokio::test]
async fn the_door_has_its_own_connections() {
    const FEW: usize = 8;
    let node = TestNode::start_with("pc-a", |options| {
        options.http = HttpWish::At("127.0.0.1:0".parse().expect("an address"));
        options.doors.connections = FEW;
    })
    .await;
    let mut open = Vec::new();
    for _ in 0..FEW {
        let mut http = node.connect_tcp().await;
        http.get("/livez").await.expect(204);
        open.push(http);
    }
    node.connect_tcp().await.get("/livez").await.refused(503, "too_many");
    node.connect().await.get("/livez").await.expect(204);
    open.pop();
    until(async || {
        let answer = node.connect_tcp().await.get("/livez").await;
        (answer.status.as_u16() == 204).then_some(())
    })
    .await;
}
