//! Words and white space: what no file may contain.

use crate::source::{Finding, Source, words_at};

/// Words that no source file may contain, in code or in comments. They are written in two halves so
/// that this file does not contain them.
const BANNED: &[(&str, &str)] = &[
    ("TO", "DO"),
    ("FIX", "ME"),
    ("XX", "X"),
    ("for", " now"),
    ("in a", " real"),
    ("Man", "ager"),
    ("ut", "ils"),
    ("help", "ers"),
    ("unimple", "mented!"),
    ("to", "do!"),
];

/// Banned words in the text, whole words only; a part of a name in CamelCase counts as a word.
pub(crate) fn banned_words(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let lower = source.text.to_ascii_lowercase();
    for (one, two) in BANNED {
        let word = format!("{one}{two}");
        let small = !word.contains(char::is_uppercase);
        let camel = !small && word.ends_with(char::is_lowercase);
        let places = match (small, camel) {
            (true, _) => words_at(&lower, &word),
            (_, true) => source.text.match_indices(&word).map(|(at, _)| at).collect(),
            _ => words_at(&source.text, &word),
        };
        for at in places {
            findings.push(source.finding_at(at, format!("`{word}` is a banned word")));
        }
    }
    findings
}

/// Waiting by the clock in a test: a test waits for a condition, with a deadline.
pub(crate) fn sleeps(source: &Source) -> Vec<Finding> {
    // A script on real processes is a timetable.
    let has_clock = source.path.starts_with("simulations/live/");
    if !source.is_test() && (has_clock || !source.path.starts_with("simulations/")) {
        return Vec::new();
    }
    let words = ["sleep", "sleep_until", "sleep_ms"];
    let places = words.iter().flat_map(|word| words_at(&source.code, word));
    let what = "waiting by the clock: wait for a condition, with a deadline";
    places.map(|at| source.finding_at(at, what)).collect()
}

/// Tabs, and spaces at the end of a line. Diffs are left alone: an empty context line of one is a
/// space.
pub(crate) fn white_space(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, text) in source.text.lines().enumerate() {
        if text.contains('\t') || text.ends_with(' ') {
            let place = format!("{}:{}", source.path, line + 1);
            findings.push(Finding { place, what: "a tab, or a space at the end".to_owned() });
        }
    }
    if !source.text.is_empty() && !source.text.ends_with('\n') {
        findings.push(source.finding("the last line does not end"));
    }
    findings
}

/// A file of code opens with what it owns and what it refuses. Unit tests in a sibling file need
/// not: the file beside them has said it.
pub(crate) fn no_opening(source: &Source) -> Vec<Finding> {
    let what = "the file does not open with `//!`: say what it owns and what it refuses";
    let unit_tests = source.path.starts_with("src/") && source.is_test();
    let fine = unit_tests || source.text.starts_with("//! ");
    (!fine).then(|| source.finding(what)).into_iter().collect()
}

#[test]
fn a_banned_word_is_found() {
    let found = |text: &str| banned_words(&Source::new("src/a.rs", text)).len();
    assert_eq!(found("//! Managed by hand; utilities.\nfn helper() {}\n"), 0);
    for (one, two) in BANNED {
        assert_eq!(found(&format!("// {one}{two}\n")), 1, "{one}{two}");
    }
    assert_eq!(found(&format!("// {}{} it waits.\n", "For", " now")), 1);
    assert_eq!(found(&format!("struct Queue{}{}s;\n", "Man", "ager")), 1);
}

#[test]
fn a_sleep_is_found() {
    let found = |path: &str, text: &str| sleeps(&Source::new(path, text)).len();
    assert_eq!(found("tests/a.rs", "tokio::time::sleep(x).await; // sleep"), 1);
    assert_eq!(found("src/a/tests.rs", "sleep_until(x); \"sleep\";"), 1);
    assert_eq!(found("src/a.rs", "tokio::time::sleep(x).await;"), 0);
    assert_eq!(found("simulations/a.rs", "std::thread::sleep(x);"), 1);
}

#[test]
fn white_space_and_a_missing_opening_are_found() {
    assert_eq!(white_space(&Source::new("a.rs", "a\n\n  b\n")).len(), 0);
    assert_eq!(white_space(&Source::new("a.rs", "\ta\nb \nc")).len(), 3);
    assert_eq!(no_opening(&Source::new("a.rs", "//! This.\n")).len(), 0);
    assert_eq!(no_opening(&Source::new("src/a/tests.rs", "use a;\n")).len(), 0);
    assert_eq!(no_opening(&Source::new("a.rs", "use a;\n//! This.\n")).len(), 1);
}
