use super::{PREFIX, is_ours};
use std::path::Path;

#[test]
fn nothing_but_a_folder_of_ours_is_ever_swept() {
    let temporary = std::env::temp_dir();
    assert!(is_ours(&temporary.join(format!("{PREFIX}0123456789abcdef"))));
    assert!(!is_ours(&temporary));
    assert!(!is_ours(&temporary.join("other")));
    assert!(!is_ours(&temporary.join("x").join(format!("{PREFIX}1"))));
    assert!(!is_ours(Path::new("/")));
    assert!(!is_ours(Path::new("/home").join(format!("{PREFIX}1")).as_path()));
}
