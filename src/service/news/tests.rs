use super::*;

#[test]
fn a_place_reads_back() {
    let place = NewsPlace { feed: 0x1f2e, number: 17 };
    assert_eq!(place.to_string(), "00001f2e.17");
    assert_eq!("00001f2e.17".parse(), Ok(place));
    for bad in ["", "1.2", "00001f2e", "00001f2e.017", "00001f2e.+1", "00001f2e.1.1"] {
        assert!(bad.parse::<NewsPlace>().is_err(), "{bad}");
    }
}

#[test]
fn a_feed_keeps_the_last_ones_and_their_number() {
    let feed = Feed { id: 1, kept: Mutex::default(), last: watch::Sender::new(0) };
    for number in 0..NEWS_KEPT as u64 + 3 {
        feed.pin(News::Lagged(Some(number)));
    }
    let kept = feed.kept();
    assert_eq!((kept.news.len(), kept.last), (NEWS_KEPT, NEWS_KEPT as u64 + 3));
    assert_eq!(kept.news.front(), Some(&News::Lagged(Some(3))));
}

#[test]
fn a_board_is_taken_down_when_nobody_reads() {
    let feed = Feed { id: 1, kept: Mutex::default(), last: watch::Sender::new(0) };
    let reader = feed.last.subscribe();
    let board = Board(Mutex::new(Some(Arc::new(feed))));
    assert!(!board.take_down());
    drop(reader);
    assert!(board.take_down());
    assert!(board.lock().is_none());
}
