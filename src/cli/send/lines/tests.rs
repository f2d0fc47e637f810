use super::{WHOLE_BODY_MAX, next_line, read_ahead};
use std::io::Cursor;

#[test]
fn lines_lose_their_end_and_nothing_else() {
    let mut source = Cursor::new(b"one\n\n two\r\nlast".to_vec());
    let mut next = || next_line(&mut source).map(|line| line.expect("short lines"));
    assert_eq!(next(), Some(b"one".to_vec()));
    assert_eq!(next(), Some(Vec::new()));
    assert_eq!(next(), Some(b" two\r".to_vec()));
    assert_eq!(next(), Some(b"last".to_vec()));
    assert_eq!(next(), None);
}

#[test]
fn a_line_may_have_the_limit_and_not_one_byte_more() {
    let mut most = Cursor::new([vec![b'x'; WHOLE_BODY_MAX], b"\n".to_vec()].concat());
    let line = next_line(&mut most).expect("a line").expect("within the limit");
    assert_eq!(line.len(), WHOLE_BODY_MAX);
    let mut more = Cursor::new(vec![b'x'; WHOLE_BODY_MAX + 1]);
    let why = next_line(&mut more).expect("a line").expect_err("over the limit");
    assert_eq!(why.exit, 65);
}

#[tokio::test]
async fn nothing_is_read_after_a_line_over_the_limit() {
    let bytes = [vec![b'x'; 2 * WHOLE_BODY_MAX], b"\nnext\n".to_vec()].concat();
    let mut lines = read_ahead(Box::new(Cursor::new(bytes)));
    assert!(lines.recv().await.expect("one entry").is_err());
    assert!(lines.recv().await.is_none());
}
