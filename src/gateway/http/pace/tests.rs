use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

const LIMIT: Duration = Duration::from_millis(50);

#[tokio::test]
async fn a_head_that_stalls_fails_and_an_idle_stream_does_not() {
    let (mut far, near) = duplex(64);
    let mut paced = Paced::new(near, LIMIT, Answering::default());
    let mut bytes = [0; 8];
    let idle = tokio::time::timeout(LIMIT * 3, paced.read(&mut bytes)).await;
    assert!(idle.is_err(), "nothing came, so nothing is late");
    far.write_all(b"GET").await.expect("room");
    assert_eq!(paced.read(&mut bytes).await.expect("three bytes"), 3);
    let late = paced.read(&mut bytes).await.expect_err("the rest never comes");
    assert_eq!(late.kind(), io::ErrorKind::TimedOut);
}

#[tokio::test]
async fn a_complete_head_starts_the_idle_time_anew() {
    let (mut far, near) = duplex(64);
    let answering = Answering::default();
    let mut paced = Paced::new(near, LIMIT, answering.clone());
    let mut bytes = [0; 8];
    far.write_all(b"GET").await.expect("room");
    assert_eq!(paced.read(&mut bytes).await.expect("three bytes"), 3);
    answering.begin();
    answering.end();
    let idle = tokio::time::timeout(LIMIT * 3, paced.read(&mut bytes)).await;
    assert!(idle.is_err(), "the head was complete");
    answering.begin();
    far.write_all(b"body").await.expect("room");
    assert_eq!(paced.read(&mut bytes).await.expect("four bytes"), 4);
    let idle = tokio::time::timeout(LIMIT * 3, paced.read(&mut bytes)).await;
    assert!(idle.is_err(), "what comes during an answer is no head");
}
