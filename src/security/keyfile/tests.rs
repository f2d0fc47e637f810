use super::*;
use std::os::unix::fs::{PermissionsExt, symlink};

fn file(dir: &tempfile::TempDir) -> KeyFile {
    KeyFile::new(dir.path().join("test.key"), "test key")
}

fn told(result: Result<Option<Zeroizing<Vec<u8>>>, SecurityError>) -> String {
    result.expect_err("it must be refused").to_string()
}

#[test]
fn a_key_is_kept_for_the_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    let file = file(&dir);
    assert!(file.read().unwrap().is_none());
    file.create(b"secret bytes").unwrap();
    assert_eq!(**file.read().unwrap().unwrap(), *b"secret bytes");
    let mode = fs::metadata(&file.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["test.key"], "nothing else is left behind");
}

#[test]
fn an_existing_file_is_never_written_over() {
    let dir = tempfile::tempdir().unwrap();
    let file = file(&dir);
    file.create(b"first").unwrap();
    assert!(file.create(b"second").is_err());
    assert_eq!(**file.read().unwrap().unwrap(), *b"first");
}

#[test]
fn a_half_written_file_of_a_crash_is_no_obstacle() {
    let dir = tempfile::tempdir().unwrap();
    let file = file(&dir);
    fs::write(file.path.with_extension("key.new"), "half").unwrap();
    file.create(b"whole").unwrap();
    assert_eq!(**file.read().unwrap().unwrap(), *b"whole");
}

#[test]
fn other_user_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = file(&dir);
    file.create(b"secret").unwrap();
    for mode in [0o640, 0o604, 0o620, 0o610, 0o660, 0o644] {
        fs::set_permissions(&file.path, fs::Permissions::from_mode(mode)).unwrap();
        let words = told(file.read());
        assert!(words.contains("chmod 600") && words.contains(&format!("{mode:03o}")), "{words}");
    }
    fs::set_permissions(&file.path, fs::Permissions::from_mode(0o400)).unwrap();
    assert!(file.read().is_ok());
}

#[test]
fn a_link_is_refused_both_ways() {
    let dir = tempfile::tempdir().unwrap();
    let real = KeyFile::new(dir.path().join("real.key"), "test key");
    real.create(b"secret").unwrap();
    let file = file(&dir);
    symlink(&real.path, &file.path).unwrap();
    assert!(told(file.read()).contains("never links"));
    assert!(file.create(b"other").is_err());
    fs::remove_file(&file.path).unwrap();
    // A link to nowhere in place of the temporary file is not followed.
    let target = dir.path().join("planted");
    symlink(&target, file.path.with_extension("key.new")).unwrap();
    file.create(b"other").unwrap();
    assert!(!target.exists());
    fs::create_dir(dir.path().join("dir.key")).unwrap();
    assert!(KeyFile::new(dir.path().join("dir.key"), "test key").read().is_err());
}

#[test]
fn damage_is_told_and_never_taken_for_another_key() {
    let dir = tempfile::tempdir().unwrap();
    let file = file(&dir);
    file.create(b"secret").unwrap();
    let good = fs::read(&file.path).unwrap();
    for at in 0..good.len() {
        let mut changed = good.clone();
        changed[at] ^= 1;
        fs::write(&file.path, &changed).unwrap();
        match file.read() {
            Ok(read) => assert_eq!(**read.unwrap(), *b"secret", "words for people may differ"),
            Err(error) => assert!(!error.to_string().contains("736563726574")),
        }
    }
    fs::write(&file.path, &good[..good.len() - 6]).unwrap();
    assert!(told(file.read()).contains("damaged"));
    fs::write(&file.path, "").unwrap();
    assert!(told(file.read()).contains("not a file with a test key"));
    fs::write(&file.path, "meshmq test key, version 2. …\n00\n").unwrap();
    assert!(told(file.read()).contains("later version"));
}
