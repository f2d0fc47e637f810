//! What is on a page, and how its axes are laid out.

use super::axis::{Amount, bytes};
use super::*;
use crate::record::Life;

fn subject<'a>(wrong: Option<Wrong<'a>>) -> Subject<'a> {
    Subject {
        name: "ferry",
        proves: "Nothing <b>is</b> lost & found.",
        how: "seed 1".to_owned(),
        at_ms: 60_000,
        counts: vec![("sent", 12_345)],
        wrong,
        again: "meshmq-sim run ferry.toml --seed 1 --trace".to_owned(),
    }
}

fn record() -> Record {
    let mut record = Record::new(&["a".to_owned(), "b".to_owned()]);
    record.node(0, 0, Life::Up);
    record.node(0, 1, Life::Up);
    record.cut(0, 0, 1, false);
    record.mark(10_000, Some(1), "cut a – b".to_owned());
    record.cut(10_000, 0, 1, true);
    record.cut(10_000, 1, 0, true);
    record.mark(30_000, Some(2), "kill b".to_owned());
    record.node(30_000, 1, Life::Down);
    record.mark(40_000, None, "healed".to_owned());
    record.sample(0, || vec![0, 0]);
    record.end(60_000, vec![2_048, 5]);
    record
}

#[test]
fn what_happened_is_on_the_page_and_texts_are_texts() {
    let text = page(&subject(None), &record());
    for part in [
        "Nothing &lt;b&gt;is&lt;/b&gt; lost &amp; found.",
        "all promises kept",
        "<dd>12,345</dd>",
        "a – b is cut from 10 s to 1 min",
        "b is down from 30 s to 1 min",
        "30 s: kill b",
        "2 KiB at most",
        "--seed 1 --trace",
        "prefers-color-scheme: dark",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!text.contains("failed after this") && !text.contains("<script"), "{text}");
    assert!(!text.contains("http"), "nothing is loaded");
}

#[test]
fn a_failure_marks_the_last_step_and_shows_the_history() {
    let history = ["  1.0 s  step 2: kill".to_owned(), "  2.0 s  b has <x>".to_owned()];
    let message = Some("m-1".to_owned());
    let wrong = Wrong { promise: "G2", what: "it came twice", message, history: &history };
    let text = page(&subject(Some(wrong)), &record());
    let row = text.split("<tr class=\"fails\">").nth(1).expect("a row is marked");
    assert!(row.split("</tr>").next().is_some_and(|row| row.contains("kill b")), "{row}");
    assert!(text.contains("after step 2: kill b"), "{text}");
    assert!(text.contains("<b>  1.0 s  step 2: kill</b>\n  2.0 s  b has &lt;x&gt;\n"), "{text}");
    assert!(text.contains("It failed at 1 min"), "{text}");
}

#[test]
fn an_empty_run_has_a_page() {
    let text = page(&subject(None), &Record::new(&[]));
    assert!(text.contains("No message came into its queue."), "{text}");
}

#[test]
fn axes_have_a_few_round_lines() {
    for end_ms in [1, 999, 7_000, 61_000, 3_000_000, 86_400_000, 40 * 86_400_000, 4_000_000_000_000]
    {
        let ticks: Vec<u64> = Time { end_ms }.ticks().collect();
        assert!((2..=10).contains(&ticks.len()), "{end_ms}: {ticks:?}");
        assert!(ticks.iter().all(|tick| *tick <= end_ms));
    }
    for most in [0, 1, 3, 4, 7, 99, 1_000_001, 123_456_789_012] {
        for binary in [false, true] {
            let amount = Amount::new(most, binary, 0.0, 100.0);
            let ticks: Vec<u64> = amount.ticks().collect();
            assert!((2..=6).contains(&ticks.len()), "{most}: {ticks:?}");
            assert!(ticks.last() >= Some(&most) && amount.y(most) >= 0.0, "{most}: {ticks:?}");
        }
    }
}

#[test]
fn amounts_are_written_for_people() {
    let times = [0, 999, 1_500, 61_000, 3_600_000, 5_400_000, 90_000_000].map(time);
    assert_eq!(times, ["0", "999 ms", "1.5 s", "1 min 1 s", "1 h", "1 h 30 min", "1 d 1 h"]);
    assert_eq!([0, 1_023, 1_536, 2 << 20].map(bytes), ["0 B", "1023 B", "1.5 KiB", "2 MiB"]);
    assert_eq!([0, 999, 1_000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
}
