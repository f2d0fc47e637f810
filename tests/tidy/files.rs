//! Files: every source file is compiled, and every golden file is read by a test.

use crate::source::{Finding, Source, words_at};
use std::collections::BTreeSet;

/// Source files that no `mod` reaches from the roots.
pub(crate) fn dead_files(sources: &[Source]) -> Vec<Finding> {
    let is_root = |path: &str| {
        let direct = |dir: &str| path.strip_prefix(dir).is_some_and(|rest| !rest.contains('/'));
        let main = ["src/main.rs", "src/lib.rs", "simulations/main.rs"].contains(&path);
        let fuzz = direct("fuzz/fuzz_targets/");
        let nested = path.starts_with("tests/") && path.ends_with("/main.rs");
        main || direct("tests/") || direct("examples/") || direct("benches/") || fuzz || nested
    };
    let mut reached = BTreeSet::new();
    let roots = sources.iter().filter(|s| is_root(&s.path));
    let mut waiting: Vec<(&Source, bool)> = roots.map(|s| (s, true)).collect();
    while let Some((source, flat)) = waiting.pop() {
        if reached.insert(source.path.as_str()) {
            for (path, by_attribute) in modules(source, flat) {
                let target = sources.iter().find(|s| s.path == path);
                waiting.extend(target.map(|s| (s, by_attribute || path.ends_with("/mod.rs"))));
            }
        }
    }
    let dead = sources.iter().filter(|s| !reached.contains(s.path.as_str()));
    dead.map(|s| s.finding("no `mod` reaches the file: it is not compiled")).collect()
}

/// The paths at which the modules that a file declares may lie, and whether an attribute gave them.
///
/// The modules of a flat file (a root, a `mod.rs`, one found by an attribute) lie in its own folder.
fn modules(source: &Source, flat: bool) -> Vec<(String, bool)> {
    let folder = source.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let below = if flat { folder } else { source.path.trim_end_matches(".rs") };
    let mut paths = Vec::new();
    for at in words_at(&source.code, "mod") {
        let rest = source.code[at + 3..].trim_start();
        let Some(end) = rest.find([';', '{']).filter(|&end| rest[end..].starts_with(';')) else {
            continue;
        };
        let name = rest[..end].trim();
        match path_attribute(source, at) {
            Some(path) => paths.push((format!("{folder}/{path}"), true)),
            None => {
                paths.push((format!("{below}/{name}.rs"), false));
                paths.push((format!("{below}/{name}/mod.rs"), false));
            }
        }
    }
    paths
}

/// The path that an attribute on the line before gives to the module declared at `at`.
fn path_attribute(source: &Source, at: usize) -> Option<&str> {
    let start = source.text[..at].rfind('\n')?;
    let line = source.text[..start].lines().next_back()?.trim();
    line.strip_prefix("#[path = \"")?.strip_suffix("\"]")
}

/// Golden files that no test names, by file name or by a folder that is read as a whole.
pub(crate) fn unread_golden_files(golden: &[String], tests: &[Source]) -> Vec<Finding> {
    let named = |path: &String| {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let says = |text: &str, word: &str| text.contains(&format!("{word}\""));
        let whole = |text: &str| text.contains("read_dir(") && text.contains(folder);
        let read = |text: &str| says(text, name) || says(text, &format!("\"{stem}")) || whole(text);
        tests.iter().any(|test| read(&test.text))
    };
    let unread = golden.iter().filter(|path| !named(path));
    let what = "no test reads the golden file";
    unread.map(|path| Finding { place: path.clone(), what: what.to_owned() }).collect()
}

#[test]
fn a_dead_file_is_found() {
    let sources = [
        Source::new("src/lib.rs", "//! mod ghost;\npub mod a;\nmod inline { }\n"),
        Source::new("src/a.rs", "#[cfg(test)]\nmod tests;\n"),
        Source::new("src/a/tests.rs", ""),
        Source::new("src/ghost.rs", ""),
        Source::new("tests/all.rs", "#[path = \"all/one.rs\"]\nmod one;\nmod common;\n"),
        Source::new("tests/all/one.rs", "mod two;\n"),
        Source::new("tests/all/two.rs", ""),
        Source::new("tests/common/mod.rs", ""),
    ];
    let dead = dead_files(&sources);
    assert_eq!(dead.len(), 1, "{dead:?}");
    assert_eq!(dead[0].place, "src/ghost.rs");
}

#[test]
fn an_unread_golden_file_is_found() {
    let golden = ["tests/golden/a.cbor".to_owned(), "tests/golden/b.cbor".to_owned()];
    let named = [Source::new("tests/t.rs", "include_bytes!(\"golden/a.cbor\")")];
    assert_eq!(unread_golden_files(&golden, &named).len(), 1);
    let by_stem = [Source::new("tests/t.rs", "golden(\"a\"); golden(\"b\")")];
    assert!(unread_golden_files(&golden, &by_stem).is_empty());
    let whole = [Source::new("tests/t.rs", "fs::read_dir(root.join(\"tests/golden\"))")];
    assert!(unread_golden_files(&golden, &whole).is_empty());
}
