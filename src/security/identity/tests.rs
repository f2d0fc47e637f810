use super::*;
use crate::security::state::own_keys;
use crate::security::{Gatekeeper, MeshId};
use std::sync::Arc;

#[test]
fn an_identity_is_the_same_at_every_start() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("identity.key");
    let (first, again) = (Identity::load_or_create(&path), Identity::load_or_create(&path));
    let (first, again) = (first.unwrap(), again.unwrap());
    assert_eq!(first.node_id(), again.node_id());
    assert_eq!(first.to_bytes(), again.to_bytes());
    let mesh = MeshId([1; 16]);
    assert_eq!(own_keys(&first, mesh).bytes, own_keys(&again, mesh).bytes, "no second keys record");
    assert_eq!(first.line_key(), again.line_key());
    let other = Identity::load_or_create(&dir.path().join("other").join("identity.key"));
    assert!(other.is_err(), "the directory is for the caller to make");
}

#[test]
fn a_kill_between_the_key_files_changes_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("identity.key");
    let node = Identity::load_or_create(&path).unwrap().node_id();
    std::fs::remove_file(dir.path().join("sealing.key")).unwrap();
    assert_eq!(Identity::load_or_create(&path).unwrap().node_id(), node);
}

#[test]
fn the_authority_key_lies_in_a_file_that_can_be_copied() {
    let dir = tempfile::tempdir().unwrap();
    let identity = Arc::new(Identity::load_or_create(&dir.path().join("identity.key")).unwrap());
    let name = "pc-a".parse().unwrap();
    let (gate, keep) = Gatekeeper::found(Arc::clone(&identity), &name, 1).unwrap();
    let file = dir.path().join("authority.key");
    assert_eq!(gate.authority_backup_due(), Some(file.clone()));
    assert!(keep.private.iter().all(|(name, _)| !name.contains("authority")), "in one place only");
    let private = |keep: &crate::security::Keep| {
        let set =
            keep.private.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?)));
        set.collect::<Vec<_>>()
    };
    let mut kept = private(&keep);
    let again = |kept: &[(String, _)]| {
        let directory = keep.directory.clone();
        Gatekeeper::restore(Arc::clone(&identity), kept.to_vec(), directory).unwrap()
    };
    assert!(again(&kept).authority_backup_due().is_some());
    kept.extend(private(&gate.authority_backed_up()));
    assert!(gate.authority_backup_due().is_none() && again(&kept).authority_backup_due().is_none());
    // Without the file no admins are made, and it can be put back.
    let copy = std::fs::read(&file).unwrap();
    std::fs::rename(&file, dir.path().join("copy")).unwrap();
    let admin = || crate::security::InviteOptions { ttl_ms: 1_000, admin: true, addresses: vec![] };
    assert!(again(&kept).invite(admin(), 0).is_err());
    std::fs::rename(dir.path().join("copy"), &file).unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), copy);
    assert!(again(&kept).invite(admin(), 0).is_ok());
}

#[test]
fn a_kill_before_the_first_commit_leaves_an_authority_key_that_is_used() {
    let dir = tempfile::tempdir().unwrap();
    let identity = Arc::new(Identity::load_or_create(&dir.path().join("identity.key")).unwrap());
    let name = "pc-a".parse().unwrap();
    let found = || Gatekeeper::found(Arc::clone(&identity), &name, 1).unwrap().0;
    assert_eq!(found().mesh(), found().mesh());
}
