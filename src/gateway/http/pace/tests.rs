use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

const LIMIT: Duration = Duration::from_millis(50);
const PACE: Pace = Pace { head: LIMIT, is_prompt: false, write: LIMIT };

#[tokio::test]
async fn a_head_that_stalls_fails_and_an_idle_stream_does_not() {
    let (mut far, near) = duplex(64);
    let mut paced = Paced::new(near, PACE, Answering::default());
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
    let mut paced = Paced::new(near, PACE, answering.clone());
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

#[tokio::test]
async fn where_strangers_connect_the_first_head_is_awaited_from_the_start() {
    let (_far, near) = duplex(64);
    let pace = Pace { is_prompt: true, ..PACE };
    let mut paced = Paced::new(near, pace, Answering::default());
    let late = paced.read(&mut [0; 8]).await.expect_err("nothing ever comes");
    assert_eq!(late.kind(), io::ErrorKind::TimedOut);
}

#[tokio::test]
async fn whoever_does_not_read_is_given_up() {
    let (mut far, near) = duplex(4);
    let mut paced = Paced::new(near, PACE, Answering::default());
    paced.write_all(b"abcd").await.expect("room");
    let mut bytes = [0; 4];
    far.read_exact(&mut bytes).await.expect("four bytes");
    paced.write_all(b"efgh").await.expect("room again");
    let late = paced.write_all(b"more").await.expect_err("nobody reads");
    assert_eq!(late.kind(), io::ErrorKind::TimedOut);
}
