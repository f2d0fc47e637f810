//! House rules as tests on the source: sizes, directions, words, files and documents.
//!
//! Every check is itself tested on something that it must refuse, beside its definition.

#[path = "tidy/directions.rs"]
mod directions;
#[path = "tidy/docs.rs"]
mod docs;
#[path = "tidy/files.rs"]
mod files;
#[path = "tidy/sizes.rs"]
mod sizes;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/words.rs"]
mod words;

use source::{Finding, Source, load, walk};
use std::fs;
use std::path::Path;

/// Folders that hold code.
const CODE: &[&str] = &["src", "simulations", "tests", "examples", "benches", "fuzz/fuzz_targets"];

fn code() -> Vec<Source> {
    load(CODE, &[".rs"])
}

fn documents() -> Vec<Source> {
    load(&["docs", "README.md", "CHANGELOG.md", "CONTRIBUTING.md"], &[".md"])
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn expect_none(findings: impl IntoIterator<Item = Finding>) {
    let lines: Vec<String> =
        findings.into_iter().map(|f| format!("  {}: {}", f.place, f.what)).collect();
    assert!(lines.is_empty(), "{} findings:\n{}", lines.len(), lines.join("\n"));
}

#[test]
fn files_are_short() {
    expect_none(code().iter().flat_map(sizes::long_files));
}

#[test]
fn functions_are_short() {
    expect_none(code().iter().flat_map(sizes::long_functions));
}

#[test]
fn parts_name_only_what_they_may() {
    expect_none(load(&["src", "simulations"], &[".rs"]).iter().flat_map(directions::wrong_parts));
}

#[test]
fn libraries_are_named_only_where_they_may() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the manifest is there");
    let known = directions::libraries(&manifest);
    assert!(known.len() > 10, "the manifest was not understood: {known:?}");
    let sources = load(&["src", "simulations"], &[".rs"]);
    expect_none(sources.iter().flat_map(|s| directions::wrong_libraries(s, &known)));
}

#[test]
fn the_engine_is_deterministic() {
    let engine = load(&["src/engine"], &[".rs"]);
    assert!(!engine.is_empty(), "the engine was not found");
    expect_none(engine.iter().flat_map(directions::engine_banned));
}

#[test]
fn no_banned_words() {
    let mut files = load(CODE, &[".rs", ".c", ".toml"]);
    files.extend(documents());
    expect_none(files.iter().flat_map(words::banned_words));
}

#[test]
fn no_test_waits_by_the_clock() {
    expect_none(code().iter().flat_map(words::sleeps));
}

#[test]
fn white_space_is_clean() {
    let endings = [".rs", ".toml", ".md", ".c", ".json"];
    let mut files = load(CODE, &endings);
    files.extend(documents());
    files.extend(load(&["Cargo.toml", "deny.toml", "clippy.toml", "rustfmt.toml"], &endings));
    files.extend(load(&[".ci/run", "fuzz/seed"], &[""]));
    expect_none(files.iter().flat_map(words::white_space));
}

#[test]
fn every_file_says_what_it_owns() {
    expect_none(code().iter().flat_map(words::no_opening));
}

#[test]
fn every_file_is_compiled() {
    expect_none(files::dead_files(&code()));
}

#[test]
fn every_golden_file_is_read() {
    let mut golden = Vec::new();
    walk(root(), "tests", &mut golden);
    golden.retain(|path| path.contains("/golden/"));
    let tests: Vec<Source> = code().into_iter().filter(Source::is_test).collect();
    expect_none(files::unread_golden_files(&golden, &tests));
}

#[test]
fn links_lead_somewhere() {
    expect_none(documents().iter().flat_map(|d| docs::broken_links(d, root())));
}

#[test]
fn every_document_is_linked() {
    expect_none(docs::unlinked(&documents()));
}

#[test]
fn every_promise_and_rule_has_a_test() {
    let semantics = load(&["docs/reference/semantics.md"], &[".md"]);
    let [semantics] = semantics.as_slice() else {
        panic!("docs/reference/semantics.md is missing")
    };
    let mut scenarios = Vec::new();
    walk(root(), "simulations/scenarios", &mut scenarios);
    expect_none(docs::semantics(semantics, &code(), &scenarios));
}

#[test]
fn every_limit_is_documented() {
    let limits = load(&["src/engine/limits.rs"], &[".rs"]);
    let document = load(&["docs/reference/limits.md"], &[".md"]);
    assert_eq!((limits.len(), document.len()), (1, 1), "a file is missing");
    expect_none(docs::limits(&document[0], &limits[0]));
}

#[test]
fn every_path_and_problem_is_documented() {
    let door = load(&["src/gateway/http"], &[".rs"]);
    let from = ["src/client/json/problem.rs", "src/engine/rejection.rs", "src/service/error.rs"];
    let problems = load(&from, &[".rs"]);
    let document = load(&["docs/reference/http.md"], &[".md"]);
    assert_eq!(
        (door.len() > 10, problems.len(), document.len()),
        (true, 3, 1),
        "a file is missing"
    );
    expect_none(docs::http(&document[0], &door, &problems));
}

#[test]
fn the_changelog_begins_with_unreleased() {
    let changelog = load(&["CHANGELOG.md"], &[".md"]);
    assert_eq!(changelog.len(), 1, "CHANGELOG.md is missing");
    expect_none(changelog.iter().flat_map(docs::changelog));
}
