//! Looks at many records, page by page, so that no more than a page is held at once.
//!
//! Refuses to change any meanwhile: whoever does that reads its pages itself.

use super::record::{Key, Record};
use super::storage::StorageError;
use super::turn::Turn;

/// Records read at a time.
const PAGE: usize = 256;

/// Shows every record with `from <= key < to`, in order.
pub(super) fn sweep(
    turn: &Turn<'_>,
    mut from: Key,
    to: &Key,
    mut each: impl FnMut(Key, Record) -> Result<(), StorageError>,
) -> Result<(), StorageError> {
    let mut is_first = true;
    loop {
        let page = turn.range(&from, to, PAGE)?;
        let next = page.last().filter(|_| page.len() == PAGE).map(|(key, _)| key.clone());
        // A further page begins with the last record of the one before.
        for (key, record) in page.into_iter().skip(usize::from(!is_first)) {
            each(key, record)?;
        }
        let Some(next) = next else { return Ok(()) };
        (from, is_first) = (next, false);
    }
}
