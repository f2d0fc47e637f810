use super::{Client, ClientError};
use serde_json::{Value, json};
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;

/// Answers each request on one connection with the next status and body, then closes it.
fn door(
    socket: &Path,
    answers: &'static [(u16, &'static str)],
) -> tokio::task::JoinHandle<Vec<String>> {
    let listener = UnixListener::bind(socket).expect("a fresh path");
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a client");
        let mut heard = Vec::new();
        for (status, body) in answers {
            let mut buffer = vec![0; 4096];
            let n = stream.read(&mut buffer).await.expect("a request");
            heard.push(String::from_utf8_lossy(&buffer[..n]).into_owned());
            let length = body.len();
            let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: {length}\r\n\r\n{body}");
            stream.write_all(answer.as_bytes()).await.expect("the client reads");
        }
        heard
    })
}

const PROBLEM: &str =
    r#"{"type":"about:blank","title":"","status":404,"detail":"no","code":"no_such_queue"}"#;

#[tokio::test]
async fn answers_and_problems_come_back_as_types() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let socket = dir.path().join("s");
    let door = door(&socket, &[(200, r#"{"a":1}"#), (404, PROBLEM), (500, "oops")]);
    let mut client = Client::connect(&socket).await.expect("it listens");
    assert_eq!(client.get::<Value>("/v1/a").await, Ok(json!({"a": 1})));
    let refused = client.post::<Value>("/v1/b", &json!({"x": true})).await;
    let Err(ClientError::Problem(problem)) = refused else { panic!("{refused:?}") };
    assert_eq!((problem.status, problem.code.as_str()), (404, "no_such_queue"));
    let failed = client.delete::<Value>("/v1/c").await;
    let Err(ClientError::Problem(problem)) = failed else { panic!("{failed:?}") };
    assert_eq!((problem.code.as_str(), problem.detail.as_str()), ("internal", "oops"));
    let heard = door.await.expect("the door closed");
    assert!(heard[0].starts_with("GET /v1/a HTTP/1.1\r\n"), "{}", heard[0]);
    assert!(heard[1].ends_with("{\"x\":true}"), "{}", heard[1]);
    let gone = client.get::<Value>("/v1/d").await;
    assert!(matches!(gone, Err(ClientError::Broken(_))), "{gone:?}");
}

#[tokio::test]
async fn a_socket_without_a_node_is_named() {
    let path = Path::new("/nonexistent/node.sock");
    let refused = Client::connect(path).await.expect_err("nobody is there");
    assert_eq!(refused, ClientError::NotRunning(path.to_owned()));
}
