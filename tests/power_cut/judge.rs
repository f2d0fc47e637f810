//! The verdict: what was found, against what may be there.

use super::load::State;
use std::fmt;

/// Faults over all rounds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdict {
    /// Acknowledged operations.
    pub(crate) acknowledged: u64,
    /// Acknowledged entries that are gone or old.
    pub(crate) lost: u64,
    /// Deleted entries that are back, or such as never were.
    pub(crate) risen: u64,
    /// Batches of which a part is there.
    pub(crate) torn: u64,
    /// Stores that did not open or read.
    pub(crate) unreadable: u64,
}

impl Verdict {
    pub(crate) fn holds(&self) -> bool {
        self.lost + self.risen + self.torn + self.unreadable == 0
    }

    /// Judges a state that should be the last acknowledged one, or one batch further.
    pub(crate) fn judge(&mut self, found: &State, acknowledged: &State, attempted: &State) {
        if found == acknowledged || found == attempted {
            return;
        }
        let entries = found.keys().chain(acknowledged.keys()).chain(attempted.keys());
        let entries: std::collections::BTreeSet<_> = entries.collect();
        let (mut lost, mut risen) = (0, 0);
        for entry in entries {
            let is = found.get(entry);
            if is == acknowledged.get(entry) || is == attempted.get(entry) {
                continue;
            }
            if acknowledged.contains_key(entry) { lost += 1 } else { risen += 1 }
        }
        self.lost += lost;
        self.risen += risen;
        if lost + risen == 0 {
            self.torn += 1;
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { acknowledged, lost, risen, torn, unreadable } = self;
        write!(
            f,
            "{acknowledged} acknowledged operations, {lost} lost, {risen} risen, {torn} torn, \
             {unreadable} unreadable"
        )
    }
}

#[test]
fn the_judge_tells_the_faults_apart() {
    let state = |list: &[(u64, u64)]| list.iter().copied().collect::<State>();
    let before = state(&[(1, 1), (2, 2)]);
    let after = state(&[(2, 5), (3, 3), (4, 4)]);
    let judge = |found: &[(u64, u64)]| {
        let mut verdict = Verdict::default();
        verdict.judge(&state(found), &before, &after);
        (verdict.lost, verdict.risen, verdict.torn)
    };
    assert_eq!(judge(&[(1, 1), (2, 2)]), (0, 0, 0));
    assert_eq!(judge(&[(2, 5), (3, 3), (4, 4)]), (0, 0, 0));
    assert_eq!(judge(&[(1, 1), (2, 2), (3, 3)]), (0, 0, 1));
    assert_eq!(judge(&[(2, 2), (3, 3), (4, 4)]), (0, 0, 1));
    assert_eq!(judge(&[(1, 1)]), (1, 0, 0));
    assert_eq!(judge(&[(1, 1), (2, 1)]), (1, 0, 0));
    assert_eq!(judge(&[(1, 1), (2, 2), (9, 9)]), (0, 1, 0));
}
