use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

const BARE: &[u8] = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

async fn written(answering: Answering, writes: &[&[u8]]) -> String {
    let (mut far, near) = duplex(4096);
    let mut worded = Worded::new(near, answering);
    for bytes in writes {
        worded.write_all(bytes).await.expect("room");
    }
    drop(worded);
    let mut text = String::new();
    far.read_to_string(&mut text).await.expect("text");
    text
}

#[tokio::test]
async fn a_bare_refusal_gets_words() {
    let said = written(Answering::default(), &[BARE]).await;
    assert!(said.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{said}");
    assert!(said.contains("application/problem+json"), "{said}");
    assert!(said.contains("\"code\":\"bad_request\""), "{said}");
    let long = BARE.iter().map(|&byte| char::from(byte)).collect::<String>();
    let long = long.replace("400 Bad Request", "431 Request Header Fields Too Large");
    let said = written(Answering::default(), &[long.as_bytes()]).await;
    assert!(said.contains("\"code\":\"too_large\""), "{said}");
}

#[tokio::test]
async fn nothing_else_is_touched() {
    let own = b"HTTP/1.1 404 Not Found\r\ncontent-type: application/problem+json\r\n\r\n";
    assert_eq!(written(Answering::default(), &[own]).await.as_bytes(), own);
    let fine = b"HTTP/1.1 204 No Content\r\n\r\n";
    assert_eq!(written(Answering::default(), &[fine]).await.as_bytes(), fine);
    // A body that looks like a refusal: after its head, or while it is being made.
    let within = written(Answering::default(), &[fine, BARE]).await;
    assert_eq!(within.as_bytes(), [fine.as_slice(), BARE].concat());
    let busy = Answering::default();
    busy.begin();
    assert_eq!(written(busy, &[BARE]).await.as_bytes(), BARE);
}
