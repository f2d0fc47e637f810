use super::super::fuzzing;
use super::*;
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_token_is_its_own_and_nobody_elses() {
    let drawn = AccessToken::draw();
    assert_eq!(fuzzing::access_token(drawn.reveal()).as_deref(), Some(drawn.reveal()));
    assert_eq!(fuzzing::access_token(&drawn.reveal()[..46]), None);
    let (one, other) = (AccessToken::draw(), AccessToken::draw());
    assert!(one.hash().is(&AccessHash::of(one.reveal())));
    assert!(!one.hash().is(&other.hash()));
    assert!(!one.hash().is(&AccessHash::of(&one.reveal()[..one.reveal().len() - 1])));
    assert!(AccessHash::read(&one.hash().to_bytes()).is_some_and(|read| read.is(&one.hash())));
    assert!(AccessHash::read(b"short").is_none());
}

#[test]
fn the_file_is_made_once_and_read_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("token");
    let made = AccessToken::load_or_create(&path).expect("a new file");
    let mode = std::fs::metadata(&path).expect("it exists").permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let text = std::fs::read_to_string(&path).expect("a text");
    assert_eq!(text, format!("{}\n", made.reveal()));
    let read = AccessToken::load_or_create(&path).expect("the same file");
    assert!(read.hash().is(&made.hash()));
}

#[test]
fn a_file_that_others_can_read_or_that_holds_something_else_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("token");
    AccessToken::load_or_create(&path).expect("a new file");
    let set = |mode| std::fs::set_permissions(&path, PermissionsExt::from_mode(mode));
    set(0o644).expect("own file");
    let refused = AccessToken::load_or_create(&path).map(drop).expect_err("others can read it");
    assert!(refused.to_string().contains("mode 644"), "{refused}");
    set(0o600).expect("own file");
    for text in ["", "mqa_", "secret", "mqa_AAAA\n"] {
        std::fs::write(&path, text).expect("own file");
        let refused = AccessToken::load_or_create(&path).map(drop).expect_err("no token");
        assert!(refused.to_string().contains("delete it"), "{refused}");
    }
}
