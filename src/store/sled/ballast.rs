//! A file that is there to be removed: on a full disk even deleting needs room.
//!
//! The reserve that the engine keeps stops new work long before; the ballast is for the case that
//! another program fills the disk. It is given up when a commit finds the disk nearly full, so that
//! receiving goes on, and made again by a commit or an opening that finds plenty of room.

use fs4::FileExt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// The disk must have so many times the ballast free before one is made.
const PLENTY: u64 = 8;

/// It goes when less than one part in so many of it is free.
const NEARLY: u64 = 4;

/// Gives the ballast up or makes it again, as the disk has room. Called before each commit.
pub(super) fn tend(root: &Path, bytes: u64, is_given_up: &mut bool) {
    let Ok(free) = fs4::available_space(root) else { return };
    if free < bytes / NEARLY {
        *is_given_up |= release(root);
    } else if *is_given_up && free / PLENTY >= bytes {
        keep(root, bytes);
        *is_given_up = false;
    }
}

fn place(root: &Path) -> PathBuf {
    root.join("ballast")
}

/// Makes the ballast if there is none and room for it. A store without one is no worse than that.
pub(super) fn keep(root: &Path, bytes: u64) {
    let path = place(root);
    let there = fs::metadata(&path).is_ok_and(|meta| meta.len() >= bytes);
    let room = fs4::available_space(root).is_ok_and(|free| free / PLENTY >= bytes);
    if bytes == 0 || there || !room {
        return;
    }
    let made =
        File::create(&path).and_then(|file| file.allocate(bytes).and_then(|()| file.sync_all()));
    if made.is_err() {
        release(root);
    }
}

/// Gives it up; false if there was none.
pub(super) fn release(root: &Path) -> bool {
    fs::remove_file(place(root)).is_ok()
}
