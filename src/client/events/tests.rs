use super::*;
use crate::client::json::{LagEvent, LinkEvent, QueueEvent};

async fn events(pieces: &[&'static str]) -> Vec<Result<NodeEvent, ClientError>> {
    let pieces: Vec<_> =
        pieces.iter().map(|piece| Ok(Bytes::from_static(piece.as_bytes()))).collect();
    all(pieces).await
}

/// What comes out of these pieces, up to the first error.
async fn all(pieces: Vec<Result<Bytes, ClientError>>) -> Vec<Result<NodeEvent, ClientError>> {
    let mut reader = Reader::of(stream::iter(pieces));
    let mut found = Vec::new();
    while let Some(block) = reader.next().await {
        found.extend(block.map(|block| block.event).transpose());
    }
    found
}

#[tokio::test]
async fn events_are_read_wherever_they_are_cut() {
    let link = NodeEvent::Link(LinkEvent { node: "pc-b".to_owned(), up: true });
    let entered = NodeEvent::Entered(QueueEvent { queue: "q".to_owned(), id: "1-2-3".to_owned() });
    let whole = ": keep-alive\n\nevent: link\ndata: {\"node\":\"pc-b\",\"up\":true}\n\nevent: later\ndata: {}\n\n\
                 event: entered\ndata: {\"queue\":\"q\",\"id\":\"1-2-3\"}\n\n";
    for at in 1..whole.len() {
        let (head, tail) = whole.split_at(at);
        let found = events(&[head, tail]).await;
        assert_eq!(found, [Ok(link.clone()), Ok(entered.clone())], "cut at {at}");
    }
    assert_eq!(
        events(&["event: lagged\ndata: {\"missed\":\ndata: 7}\n\n"]).await,
        [Ok(NodeEvent::Lagged(LagEvent { missed: Some(7) }))]
    );
}

#[tokio::test]
async fn what_cannot_be_read_ends_the_stream_with_its_reason() {
    let found = events(&["event: link\ndata: {}\n\n", "event: link\ndata: {}\n\n"]).await;
    assert!(matches!(&found[..], [Err(ClientError::Unreadable(_))]), "{found:?}");
    let endless = "x".repeat(EVENT_MAX + 1).leak();
    let found = events(&[endless]).await;
    assert!(matches!(&found[..], [Err(ClientError::Unreadable(_))]), "{found:?}");
    let broken = ClientError::Broken("cut".to_owned());
    let pieces = vec![Ok(Bytes::from_static(b"event: link\n")), Err(broken.clone())];
    assert_eq!(all(pieces).await, [Err(broken)]);
}
