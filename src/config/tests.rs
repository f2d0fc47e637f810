use super::*;

#[test]
fn a_short_directory_holds_its_own_socket() {
    let dir = Path::new("/var/lib/meshmq");
    assert_eq!(find_socket(dir), Path::new("/var/lib/meshmq/node.sock"));
}

#[test]
fn a_long_directory_records_where_the_socket_is() {
    let root = tempfile::tempdir().expect("a temporary directory");
    let dir = root.path().join("d".repeat(100));
    std::fs::create_dir(&dir).expect("a directory with a long name");
    assert_eq!(plain_socket(&dir), None);
    let file = NodeFile { socket: PathBuf::from("/run/short.sock"), ..NodeFile::default() };
    let text = serde_json::to_vec(&file).expect("a plain structure");
    std::fs::write(dir.join(NODE_FILE), text).expect("the directory is writable");
    assert_eq!(find_socket(&dir), Path::new("/run/short.sock"));
}

#[test]
fn the_directory_given_wins() {
    assert_eq!(data_dir(Some(Path::new("/x"))), Ok(PathBuf::from("/x")));
}

#[test]
fn settings_print_as_a_file_that_gives_them_again() {
    let text = "listen = [\"127.0.0.1:0\", \"a\\\"b\"]\ndiscovery = false\n[limits]\nrelay_bytes = \"256MiB\"\n";
    let settings = fuzzing::file(text);
    let Ok(settings) = settings else { panic!("{settings:?}") };
    let lines = settings.iter().map(|(key, value)| format!("{key} = {value}\n"));
    assert_eq!(fuzzing::file(&lines.collect::<String>()), Ok(settings));
}
