use super::{Feed, Verdict, run};
use crate::client::json::{Delivery, Message};
use std::path::Path;

fn message(body: &str) -> Message {
    let headers = [("k-1".to_owned(), "v w".to_owned()), ("bad".to_owned(), "\0".to_owned())];
    Message {
        id: "a-b-1".to_owned(),
        queue: "orders".to_owned(),
        origin: "pc-a".to_owned(),
        priority: 5,
        delivery: Delivery::Recoverable,
        label: "sale".to_owned(),
        content_type: String::new(),
        headers: headers.into(),
        correlation_id: None,
        reply_to: None,
        body: Some(body.to_owned()),
        body_base64: None,
        body_size: body.len() as u64,
        enqueued_at: "2026-01-01T00:00:00.000Z".to_owned(),
        delivery_count: 2,
        lock: None,
        locked: None,
    }
}

async fn verdict(command: &str, body: &str) -> Verdict {
    run(command, &message(body), Feed::Bytes(body.into()), Path::new("/data"))
        .await
        .expect("a shell")
}

#[tokio::test]
async fn the_exit_code_decides() {
    assert_eq!(verdict("exit 0", "x").await, Verdict::Done);
    assert_eq!(verdict("exit 75", "x").await, Verdict::Later);
    assert_eq!(verdict("exit 3", "x").await, Verdict::Failed("exited with 3".to_owned()));
    assert_eq!(verdict("kill -9 $$", "x").await, Verdict::Failed("was killed".to_owned()));
}

#[tokio::test]
async fn the_command_sees_body_and_properties() {
    let check = r#"test "$(cat)" = hello && test "$MESHMQ_ID $MESHMQ_QUEUE $MESHMQ_ORIGIN" = "a-b-1 orders pc-a" &&
        test "$MESHMQ_HEADER_k_1" = "v w" && test "$MESHMQ_DATA" = /data && test "$MESHMQ_DELIVERY_COUNT" = 2"#;
    assert_eq!(verdict(check, "hello").await, Verdict::Done);
}

#[tokio::test]
async fn a_command_need_not_read_its_input() {
    assert_eq!(verdict("exit 0", &"x".repeat(1024 * 1024)).await, Verdict::Done);
}
