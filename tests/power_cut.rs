//! Kills and power cuts: what strict sled acknowledged is there afterwards, whole batches or
//! nothing, and nothing that was deleted comes back.
//!
//! Each round runs a child (this program again, see `child`) that opens the store, tells what it
//! found, and commits batches, each announced before and acknowledged after its commit. The parent
//! knows every batch, because both draw them from one seed, and judges what the next child finds.
//! More rounds with `MESHMQ_SOAK=1`.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "the figures and the reason of a skip are for people")]

#[path = "power_cut/child.rs"]
mod child;
#[path = "power_cut/judge.rs"]
mod judge;
#[path = "power_cut/load.rs"]
mod load;
#[path = "power_cut/rounds.rs"]
mod rounds;

use rounds::{Cut, Fault, Outcome, Rounds, Shim};

/// Rounds of one sort: enough for a verdict, more for a soak.
fn rounds(few: u32) -> u32 {
    if std::env::var_os("MESHMQ_SOAK").is_some_and(|value| value == "1") { few * 20 } else { few }
}

/// The shim, or a reason on the terminal why there is none.
fn shim() -> Option<Shim> {
    match Shim::build() {
        Ok(shim) => Some(shim),
        Err(why) => {
            println!("skipped: the power-cut judge cannot be built here: {why}");
            None
        }
    }
}

fn assert_held(name: &str, rounds: &Rounds) {
    println!("{name}: {rounds}");
    assert!(rounds.verdict.holds(), "{name}: {rounds}");
    assert!(rounds.verdict.acknowledged > 100, "{name}: hardly anything happened: {rounds}");
}

/// The other side of every test here; does nothing unless it is started as a child.
#[test]
fn child() {
    child::run();
}

#[test]
fn kills_lose_nothing() {
    let mut all = Rounds::new(1, None);
    for _ in 0..rounds(60) {
        all.run(Cut::Kill, Fault::None);
    }
    all.finish();
    assert_held("kill -9", &all);
}

#[test]
fn power_cuts_that_drop_every_unsynced_page_lose_nothing() {
    let Some(shim) = shim() else { return };
    let mut all = Rounds::new(2, Some(shim));
    for _ in 0..rounds(60) {
        all.run(Cut::Power { survive: 0 }, Fault::None);
    }
    all.finish();
    assert_held("power cut, unsynced pages lost", &all);
}

#[test]
fn power_cuts_that_keep_random_pages_lose_nothing() {
    let Some(shim) = shim() else { return };
    let mut all = Rounds::new(3, Some(shim));
    for round in 0..rounds(60) {
        let survive = [10, 25, 50, 75, 95][round as usize % 5];
        all.run(Cut::Power { survive }, Fault::None);
    }
    all.finish();
    assert_held("power cut, random pages kept", &all);
}

/// A killed process leaves writes in the page cache. The next one reads them as if they were there
/// for good and acts on them, so they must be durable before it is told of them.
#[test]
fn what_is_read_after_a_kill_survives_a_power_cut() {
    let Some(shim) = shim() else { return };
    let mut all = Rounds::new(8, Some(shim));
    for _ in 0..rounds(20) {
        all.run(Cut::KillUnsynced, Fault::None);
        all.run(Cut::Soon, Fault::None);
    }
    all.finish();
    assert_held("kill -9, then a power cut", &all);
}

#[test]
fn a_creation_that_is_cut_anywhere_begins_again() {
    let Some(shim) = shim() else { return };
    let mut all = Rounds::new(10, Some(shim));
    all.cut_the_opening_everywhere();
    println!("creation cut at every change: {all}");
    assert!(all.verdict.holds(), "{all}");
}

/// The copy that replaces the store, and the swap, have many steps; a cut at each is survived.
#[test]
fn a_rewrite_that_is_cut_anywhere_loses_nothing() {
    let Some(shim) = shim() else { return };
    let mut all = Rounds::new(9, Some(shim));
    all.run(Cut::Never, Fault::None);
    std::fs::write(all.real().join("rewrite"), "").expect("the order to rewrite");
    all.cut_the_opening_everywhere();
    assert_held("rewrite cut at every change", &all);
}

/// The test of the test: without fdatasync the same rounds must find a loss.
#[test]
fn without_fdatasync_the_judge_finds_the_loss() {
    let Some(shim) = shim() else { return };
    let mut all = Rounds::new(4, Some(shim));
    for _ in 0..20 {
        all.run(Cut::Power { survive: 0 }, Fault::IgnoreFdatasync);
        if !all.verdict.holds() {
            // What was acknowledged is gone, or what was removed is back.
            println!("without fdatasync: {all}");
            return;
        }
    }
    panic!("the judge did not notice that fdatasync does nothing: {all}");
}

/// The other test of the test: a child that acknowledges before it commits.
#[test]
fn an_early_acknowledgement_is_noticed() {
    let mut all = Rounds::new(5, None);
    for _ in 0..60 {
        all.run(Cut::Kill, Fault::AcknowledgeEarly);
        if !all.verdict.holds() {
            println!("acknowledged early: {all}");
            assert!(all.verdict.lost > 0 || all.verdict.risen > 0, "{all}");
            return;
        }
    }
    panic!("the judge did not notice that the child lies: {all}");
}

#[test]
fn a_full_disk_says_so_and_loses_nothing() {
    let Some(shim) = shim() else { return };
    let mut all = Rounds::new(6, Some(shim));
    // A store that is well filled, so that opening it takes no new room.
    assert_eq!(all.run(Cut::Never, Fault::None), Outcome::Ended);
    assert_eq!(all.run(Cut::Never, Fault::FullDisk), Outcome::Error("full".to_owned()));
    assert!(!all.real().join("ballast").exists(), "the ballast was not given up");
    all.run(Cut::Power { survive: 0 }, Fault::None);
    all.finish();
    assert!(all.verdict.holds(), "{all}");
}

/// After a failed sync the handle refuses everything, and the next opening writes the store anew.
#[test]
fn a_failed_sync_stops_the_store_and_loses_nothing() {
    let Some(shim) = shim() else { return };
    let mut all = Rounds::new(7, Some(shim));
    for _ in 0..5 {
        let Outcome::Error(what) = all.run(Cut::Never, Fault::FailSync) else {
            panic!("a failed sync went unnoticed");
        };
        assert!(what.starts_with("stopped"), "{what}");
        all.run(Cut::Power { survive: 0 }, Fault::None);
    }
    all.finish();
    assert!(all.verdict.holds(), "{all}");
}
