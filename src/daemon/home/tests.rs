use super::*;

fn temporary() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

#[test]
fn a_directory_takes_one_node() {
    let root = temporary();
    let dir = root.path().join("node");
    let home = Home::enter(&dir).expect("the first one");
    assert_eq!(std::fs::metadata(&dir).expect("it was made").mode() & 0o777, 0o700);
    let second = Home::enter(&dir).expect_err("the lock is held");
    assert_eq!((second.code, second.exit), ("directory_in_use", 73));
    drop(home);
    Home::enter(&dir).expect("the lock is free again");
}

#[test]
fn a_directory_that_cannot_be_made_is_bad_configuration() {
    let root = temporary();
    let file = root.path().join("file");
    std::fs::write(&file, b"").expect("a file");
    let refused = Home::enter(&file).expect_err("a file is no directory");
    assert_eq!((refused.code, refused.exit), ("bad_directory", 78));
}

#[test]
fn a_directory_that_others_use_is_left_alone() {
    let root = temporary();
    let shared = root.path().join("shared");
    std::fs::create_dir(&shared).expect("a directory");
    std::fs::set_permissions(&shared, Permissions::from_mode(0o1777)).expect("own directory");
    let refused = Home::enter(&shared).expect_err("others use it");
    assert_eq!((refused.code, refused.exit), ("bad_directory", 78));
    assert_eq!(std::fs::metadata(&shared).expect("it is there").mode() & 0o7777, 0o1777);
    assert!(Home::enter(Path::new("/")).is_err());
    Home::enter(&shared.join("own")).expect("one inside it is fine");
}

#[test]
fn the_socket_is_in_the_directory_or_has_a_short_path_elsewhere() {
    let root = temporary();
    let home = Home::enter(&root.path().join("n")).expect("a home");
    assert_eq!(home.socket().expect("a path"), home.dir().join("node.sock"));
    let long = Home::enter(&root.path().join("d".repeat(100))).expect("a home");
    let socket = long.socket().expect("a path");
    let dir = socket.parent().expect("it lies in a directory").to_owned();
    assert!(socket.as_os_str().len() <= config::SOCKET_PATH_MAX);
    assert_eq!(std::fs::metadata(&dir).expect("it was made").mode() & 0o777, 0o700);
    assert_eq!(long.socket().expect("the same again"), socket);
    std::fs::remove_dir(dir).expect("nothing is in it");
}

#[test]
fn the_file_is_read_back() {
    let root = temporary();
    let home = Home::enter(root.path()).expect("a home");
    assert_eq!(home.read_file(), NodeFile::default());
    let ports = [("127.0.0.1:0".to_owned(), 4_000)].into();
    let file = NodeFile { socket: PathBuf::from("/x/node.sock"), http: None, ports };
    home.write_file(&file).expect("the directory is writable");
    assert_eq!(home.read_file(), file);
}
