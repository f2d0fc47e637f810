//! Documents: links lead somewhere, every promise and rule names tests that exist.

use crate::source::{Finding, Source, words_at};
use std::path::Path;

/// Links of a document that lead to no file of the repository.
pub(crate) fn broken_links(document: &Source, root: &Path) -> Vec<Finding> {
    let folder = document.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut findings = Vec::new();
    for (at, _) in document.text.match_indices("](") {
        let rest = &document.text[at + 2..];
        let target = &rest[..rest.find(')').unwrap_or(0)];
        let file = target.split('#').next().unwrap_or("");
        let outside = target.contains("://") || target.starts_with("mailto:") || file.is_empty();
        if !outside && !root.join(folder).join(file).exists() {
            findings.push(document.finding_at(at, format!("the link to `{target}` leads nowhere")));
        }
    }
    findings
}

/// One row of a table: its cells.
fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    let lines = text.lines().filter(|line| line.starts_with("| "));
    lines.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
}

/// Promises and rules without a row, rows without a test, and tests that do not exist.
///
/// The first cell of a row is its id, the last its tests in backticks, or `-` and the reason why
/// there is none.
pub(crate) fn semantics(
    document: &Source,
    sources: &[Source],
    scenarios: &[String],
) -> Vec<Finding> {
    let ids = (1..=10).map(|n| format!("G{n}")).chain((1..=24).map(|n| format!("R{n}")));
    let rows: Vec<Vec<&str>> = rows(&document.text).filter(|row| row.len() >= 3).collect();
    let missing = ids.filter(|id| !rows.iter().any(|row| row[0] == id.as_str()));
    let mut findings: Vec<Finding> =
        missing.map(|id| document.finding(format!("there is no row for {id}"))).collect();
    for row in &rows {
        let last = row[row.len() - 1];
        if last == "tests" || last.starts_with("---") {
            continue;
        }
        let names: Vec<&str> = last.split('`').skip(1).step_by(2).collect();
        if names.is_empty() && !last.starts_with("- ") {
            findings.push(document.finding(format!("{} names no test", row[0])));
        }
        for name in names {
            let scenario = scenarios.iter().any(|s| s.ends_with(&format!("/{name}.toml")));
            if !scenario && !sources.iter().any(|source| has_test(source, name)) {
                let what = format!("{} names `{name}`, which is no test", row[0]);
                findings.push(document.finding(what));
            }
        }
    }
    findings
}

/// Whether the file has a test function of that name.
fn has_test(source: &Source, name: &str) -> bool {
    let name = name.rsplit("::").next().unwrap_or(name);
    let is_fn = |at: usize| source.code[..at].trim_end().ends_with("fn");
    words_at(&source.code, name).into_iter().any(is_fn)
}

/// Limits of the engine that the document of limits does not name, and the reverse.
pub(crate) fn limits(document: &Source, limits: &Source) -> Vec<Finding> {
    let constants = limits.code.lines().filter_map(|line| {
        let rest = line.trim_start().strip_prefix("pub ")?;
        let name = rest.strip_prefix("const ").unwrap_or(rest).split(':').next()?;
        (!name.contains(' ')).then_some(name)
    });
    let constants: Vec<&str> = constants.collect();
    let named: Vec<&str> = rows(&document.text).map(|row| row[0].trim_matches('`')).collect();
    let missing = constants.iter().filter(|name| !named.contains(name));
    let known = ["name", "---"];
    let stray = named.iter().filter(|name| !constants.contains(name) && !known.contains(name));
    let missing = missing.map(|name| document.finding(format!("there is no row for `{name}`")));
    let stray = stray.map(|name| document.finding(format!("there is no limit `{name}`")));
    missing.chain(stray).collect()
}

/// Paths and problem codes in the code that the document of HTTP does not name.
pub(crate) fn http(document: &Source, door: &[Source], problems: &[Source]) -> Vec<Finding> {
    let quoted = |text: &str| text.split('"').nth(1).unwrap_or_default().to_owned();
    // A handler says its own path.
    let lines = door.iter().flat_map(|source| source.text.lines());
    let routes = lines.filter(|line| line.contains("path = \"/")).map(quoted);
    let signs = [": &str = \"", "=> \"", "verdict(\""];
    let is_code = |line: &&str| signs.iter().any(|sign| line.contains(sign));
    let codes = problems.iter().flat_map(|s| s.text.lines()).filter(is_code).map(quoted);
    let is_name = |name: &String| !name.contains(|c: char| !c.is_ascii_lowercase() && c != '_');
    let rows: Vec<&str> = rows(&document.text).map(|row| row[0].trim_matches('`')).collect();
    let path = |row: &str| row.split_once(' ').map_or(String::new(), |(_, path)| path.to_owned());
    let named = |name: &String| rows.iter().any(|row| row == name || path(row) == *name);
    let missing = routes.chain(codes.filter(is_name)).filter(|name| !named(name));
    missing.map(|name| document.finding(format!("there is no row for `{name}`"))).collect()
}

/// A changelog without its first section.
pub(crate) fn changelog(document: &Source) -> Vec<Finding> {
    let first = document.text.lines().find(|line| line.starts_with("## ")).unwrap_or("");
    let what = "the first section of the changelog is not `## Unreleased`";
    (first != "## Unreleased").then(|| document.finding(what)).into_iter().collect()
}

/// A document of `docs/` that no other document links to.
pub(crate) fn unlinked(documents: &[Source]) -> Vec<Finding> {
    let linked = |document: &&Source| {
        let name = document.path.rsplit('/').next().unwrap_or("");
        let names_it = |other: &Source| {
            other.text.contains(&format!("/{name})"))
                || other.text.contains(&format!("({name})"))
                || other.text.contains(&format!("{name}#"))
        };
        documents.iter().any(|other| other.path != document.path && names_it(other))
    };
    let inside = documents.iter().filter(|document| document.path.starts_with("docs/"));
    let alone = inside.filter(|document| !linked(document));
    alone.map(|document| document.finding("no document links to it")).collect()
}

#[test]
fn a_broken_link_is_found() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = "[a](../tidy.rs) [b](nowhere.md#x) [c](https://example.org) [d](#here)";
    let found = broken_links(&Source::new("tests/tidy/a.md", text), root);
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn a_row_without_a_test_is_found() {
    let row = |id: String| format!("| {id} | rule | what | `one` |\n");
    let mut text: String = (1..=10).map(|n| row(format!("G{n}"))).collect();
    text.extend((1..=24).map(|n| row(format!("R{n}"))));
    let sources = [Source::new("tests/a.rs", "fn one() {}\n// fn two\n")];
    let check = |text: &str| semantics(&Source::new("s.md", text), &sources, &[]).len();
    assert_eq!(check(&text), 0);
    assert_eq!(check(&text.replace("| G3 |", "| G33 |")), 1);
    assert_eq!(check(&format!("{text}| P1 | rule | what | `two` |\n")), 1);
    assert_eq!(check(&format!("{text}| P1 | rule | what | none |\n")), 1);
    assert_eq!(check(&format!("{text}| P1 | rule | what | - not built yet |\n")), 0);
}

#[test]
fn a_limit_without_a_row_is_found() {
    let code = Source::new("l.rs", "pub const A_MAX: usize = 1;\n  pub field: u64,\n");
    let check = |text: &str| limits(&Source::new("l.md", text), &code).len();
    assert_eq!(check("| name | value |\n| --- | --- |\n| `A_MAX` | 1 |\n| `field` | 2 |\n"), 0);
    assert_eq!(check("| `A_MAX` | 1 |\n| `B_MAX` | 2 |\n"), 2);
}

#[test]
fn a_path_or_a_code_without_a_row_is_found() {
    let door = [
        Source::new("a.rs", "    get, path = \"/v1/a\", tag = \"t\",\n"),
        Source::new("b.rs", "    put, path = \"/v1/b\", tag = \"t\",\n"),
    ];
    let problems = [Source::new("p.rs", "pub const X: &str = \"x_y\";\nSelf::Z => \"z\",\n")];
    let check = |text: &str| http(&Source::new("h.md", text), &door, &problems).len();
    assert_eq!(check("| `GET /v1/a` | |\n| `PUT /v1/b` | |\n| `x_y` | |\n| `z` | |\n"), 0);
    assert_eq!(check("| `GET /v1/a` | |\n| `x_y` | |\n"), 2);
}

#[test]
fn a_changelog_without_unreleased_and_a_lone_document_are_found() {
    assert_eq!(changelog(&Source::new("c.md", "# C\n\n## Unreleased\n")).len(), 0);
    assert_eq!(changelog(&Source::new("c.md", "# C\n\n## 1.0\n\n## Unreleased\n")).len(), 1);
    let pair = [Source::new("README.md", "[a](docs/a.md)"), Source::new("docs/a.md", "")];
    assert!(unlinked(&pair).is_empty());
    assert_eq!(unlinked(&[Source::new("docs/a.md", "[a](a.md)")]).len(), 1);
}
