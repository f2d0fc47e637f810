use super::Cable;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_pulled_cable_is_silent_and_breaks_when_it_is_put_back() {
    let node = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let cable = Cable::lay().await.expect("a free port");
    cable.lead_to(node.local_addr().expect("it is bound"));
    let mut near = TcpStream::connect(cable.address()).await.expect("it listens");
    let (mut far, _) = timeout(SOON, node.accept()).await.expect("soon").expect("a connection");
    let mut byte = [0];
    near.write_all(b"1").await.expect("it is in");
    assert_eq!(timeout(SOON, far.read(&mut byte)).await.expect("soon").expect("a byte"), 1);

    cable.pull();
    near.write_all(b"2").await.expect("the system takes it");
    let heard = timeout(Duration::from_millis(100), far.read(&mut byte)).await;
    assert!(heard.is_err(), "a pulled cable carries nothing and closes nothing");

    cable.put_back();
    let heard = timeout(SOON, far.read(&mut byte)).await.expect("soon");
    assert!(matches!(heard, Ok(0) | Err(_)), "what was silent breaks: {heard:?}");
    let mut again = TcpStream::connect(cable.address()).await.expect("it listens");
    again.write_all(b"3").await.expect("it is in");
    let (mut far, _) = timeout(SOON, node.accept()).await.expect("soon").expect("a connection");
    assert_eq!(timeout(SOON, far.read(&mut byte)).await.expect("soon").expect("a byte"), 1);
    assert_eq!(&byte, b"3");
}
