use super::*;
use std::os::unix::fs::MetadataExt;

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("it exists").mode() & 0o777
}

#[test]
fn a_user_door_admits_its_user_and_root_only() {
    let door = Admission::User(1_000);
    assert!(door.admits(1_000) && door.admits(0));
    assert!(!door.admits(1_001));
    assert!(Admission::Group(7).admits(1_001), "the kernel has checked the group");
}

#[tokio::test]
async fn the_modes_keep_others_out() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("node.sock");
    let door = Door::open(&path, Admission::of(None)).await.expect("a door");
    assert_eq!((mode(dir.path()), mode(&path)), (0o700, 0o600));
    drop(door);
    assert!(!path.exists());
}

#[tokio::test]
async fn the_group_gets_in() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("node.sock");
    let group = std::fs::metadata(dir.path()).expect("it exists").gid();
    let _door = Door::open(&path, Admission::of(Some(group))).await.expect("a door");
    assert_eq!((mode(dir.path()), mode(&path)), (0o750, 0o660));
}

#[tokio::test]
async fn a_stale_socket_is_replaced_and_a_live_one_is_not() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("node.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).expect("a socket"));
    let door = Door::open(&path, Admission::of(None)).await.expect("the stale one goes");
    let second = Door::open(&path, Admission::of(None)).await;
    assert!(matches!(second, Err(DoorError::InUse(_))), "{second:?}");
    drop(door);
    std::fs::write(&path, b"").expect("a file");
    let third = Door::open(&path, Admission::of(None)).await;
    assert!(matches!(third, Err(DoorError::NotASocket(_))), "{third:?}");
}
