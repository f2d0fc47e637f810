//! Directions: which part may name which other part, and which part may name which library.

use crate::source::{Finding, Source, is_word, words_at};

/// Each part of the program and the parts that it may name. `docs/explanation/architecture.md`
/// draws the same table.
const PARTS: &[(&str, &[&str])] = &[
    ("engine", &[]),
    ("os", &[]),
    ("codec", &["engine"]),
    ("store", &["codec", "engine"]),
    ("security", &["codec", "engine"]),
    ("net", &["codec", "engine", "security"]),
    ("runtime", &["engine", "os"]),
    ("service", &["runtime", "security", "codec", "engine"]),
    ("client", &["engine"]),
    ("gateway", &["service", "client", "engine", "os"]),
    ("config", &["engine", "os", "client"]),
    ("api", &["client", "config", "engine"]),
    ("api/local", &["client", "engine", "service"]),
    ("api/lives", &["service"]),
    ("api/node", &["config", "daemon", "engine", "service"]),
    ("telemetry", &[]),
    ("cli", &["client", "config", "os"]),
    ("cli/up", &["client", "config", "os", "daemon", "telemetry"]),
    ("cli/bench/embedded", &["api", "client"]),
    ("cli/compact", &["client", "config", "os", "daemon"]),
    ("cli/config", &["client", "config", "os", "daemon"]),
    ("cli/flags", &["client", "config", "os", "daemon"]),
    ("cli/demo", &["client", "config", "os", "daemon"]),
    (
        "daemon",
        &[
            "config",
            "telemetry",
            "os",
            "gateway",
            "client",
            "service",
            "runtime",
            "net",
            "security",
            "store",
            "codec",
            "engine",
        ],
    ),
    ("testing", &["api", "service", "runtime", "security", "store", "codec", "engine"]),
    ("main", &["cli"]),
    ("simulations", &["engine", "codec", "store", "security"]),
    ("simulations/live", &["engine", "client"]),
];

/// Libraries and the parts that may name them. A library that is not listed is free, but for the
/// engine, which has a list of its own.
const LIBRARIES: &[(&[&str], &[&str])] = &[
    (&["libp2p"], &["net"]),
    (&["sled"], &["store"]),
    (
        &["ed25519_dalek", "x25519_dalek", "hkdf", "hmac", "sha2", "subtle", "getrandom"],
        &["security"],
    ),
    (&["zeroize"], &["security", "net"]),
    (&["blake3"], &["security", "codec", "daemon", "simulations"]),
    (&["ciborium"], &["codec", "security"]),
    (&["axum", "tower_service", "tokio_rustls", "utoipa_axum"], &["gateway"]),
    (&["utoipa"], &["gateway", "client"]),
    (&["hyper", "hyper_util", "http_body_util"], &["gateway", "client", "cli", "daemon"]),
    (
        &["serde_json"],
        &["api", "client", "gateway", "cli", "config", "daemon", "telemetry", "simulations"],
    ),
    (&["clap"], &["cli", "simulations"]),
    (&["clap_complete", "clap_mangen"], &["cli"]),
    (&["anstream", "anstyle", "comfy_table"], &["cli"]),
    (&["indicatif"], &["cli", "simulations"]),
    (&["toml"], &["config", "simulations"]),
    (&["maud"], &["simulations"]),
    (&["tracing_subscriber"], &["telemetry"]),
    (
        &["tokio", "tokio_util"],
        &[
            "api",
            "net",
            "runtime",
            "service",
            "client",
            "gateway",
            "cli",
            "daemon",
            "os",
            "telemetry",
            "simulations",
            "testing",
        ],
    ),
];

/// The only libraries that the engine may name.
const ENGINE_LIBRARIES: &[&str] = &["bytes", "thiserror", "serde"];

/// What the engine may not name at all: clocks, files, sockets, threads and unordered maps.
const ENGINE_BANNED: &[&str] = &[
    "HashMap",
    "HashSet",
    "Instant",
    "SystemTime",
    "std::fs",
    "std::net",
    "std::thread",
    "std::env",
    "std::process",
    "std::io",
    "async",
    "await",
    "rand",
];

/// The part that a file belongs to, by its path.
pub(crate) fn part(path: &str) -> Option<&'static str> {
    let module = path.strip_prefix("src/").map_or(path, |rest| rest);
    let module = module.strip_suffix(".rs").unwrap_or(module);
    let under = |name: &str| module == name || module.starts_with(&format!("{name}/"));
    PARTS.iter().map(|(name, _)| *name).rfind(|name| under(name))
}

/// Names of other parts that the file may not name.
pub(crate) fn wrong_parts(source: &Source) -> Vec<Finding> {
    if source.path == "src/lib.rs" || source.is_test() {
        return Vec::new();
    }
    let Some(part) = part(&source.path) else {
        return vec![source.finding("the file belongs to no part: add it to `PARTS`")];
    };
    let allowed = PARTS.iter().find(|(name, _)| *name == part).map_or(&[][..], |(_, list)| list);
    let own = part.split('/').next().unwrap_or(part);
    let mut findings = Vec::new();
    // The simulator is a crate of its own: `crate::` is itself there.
    let roots: &[&str] =
        if part.starts_with("simulations") { &["meshmq"] } else { &["crate", "meshmq"] };
    for (at, name) in named_parts(&source.code, roots) {
        if name != own && !allowed.contains(&name) {
            let what = format!("`{part}` may not name `{name}`");
            findings.push(source.finding_at(at, what));
        }
    }
    findings.extend(climbs_out(source));
    findings
}

/// The parts named after these roots, with their places.
fn named_parts<'a>(code: &'a str, roots: &[&str]) -> Vec<(usize, &'a str)> {
    let mut found = Vec::new();
    for root in roots {
        for at in words_at(code, root) {
            let Some(rest) = code[at + root.len()..].strip_prefix("::") else { continue };
            let names = match rest.strip_prefix('{') {
                Some(list) => list_heads(list),
                None => vec![head(rest)],
            };
            found.extend(names.into_iter().filter(|n| !n.is_empty()).map(|name| (at, name)));
        }
    }
    found
}

/// The first names of a `use` list, up to its closing brace.
fn list_heads(list: &str) -> Vec<&str> {
    let (mut depth, mut heads, mut fresh) = (0, Vec::new(), true);
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            c if fresh && depth == 0 && !c.is_whitespace() => {
                heads.push(head(&list[at..]));
                fresh = false;
            }
            _ => {}
        }
    }
    heads
}

fn head(text: &str) -> &str {
    let end = text.bytes().position(|b| !is_word(b)).unwrap_or(text.len());
    &text[..end]
}

/// `super` chains that leave the part: they would go round the table.
fn climbs_out(source: &Source) -> Vec<Finding> {
    if !source.path.starts_with("src/") {
        return Vec::new();
    }
    let module = source.path.trim_end_matches("/mod.rs").trim_end_matches(".rs");
    let depth = module.matches('/').count();
    let step = "super::";
    let mut findings = Vec::new();
    for at in words_at(&source.code, step) {
        let steps = source.code[at..].split(step).take_while(|gap| gap.is_empty()).count();
        if steps >= depth + inline_modules(&source.code, at) {
            let what = "`super` may not leave the part: name it by `crate::`";
            findings.push(source.finding_at(at, what));
        }
    }
    findings
}

/// How many modules with a body in the file itself a place lies in.
fn inline_modules(code: &str, place: usize) -> usize {
    let around = |at: usize| {
        let Some(open) = code[at..].find(['{', ';']).filter(|&i| code[at + i..].starts_with('{'))
        else {
            return false;
        };
        let mut depth = 0_i32;
        for (i, byte) in code.bytes().enumerate().skip(at + open) {
            depth += i32::from(byte == b'{') - i32::from(byte == b'}');
            if depth == 0 {
                return (at + open..i).contains(&place);
            }
        }
        false
    };
    words_at(&code[..place], "mod").into_iter().filter(|&at| around(at)).count()
}

/// Libraries that the file may not name. `known` are all that `Cargo.toml` has.
pub(crate) fn wrong_libraries(source: &Source, known: &[String]) -> Vec<Finding> {
    let Some(part) = part(&source.path) else { return Vec::new() };
    if source.is_test() {
        return Vec::new();
    }
    let own = part.split('/').next().unwrap_or(part);
    let mut findings = Vec::new();
    for name in known {
        let list = LIBRARIES.iter().find(|(names, _)| names.contains(&name.as_str()));
        let engine_may = own != "engine" || ENGINE_LIBRARIES.contains(&name.as_str());
        if engine_may && list.is_none_or(|(_, parts)| parts.contains(&own)) {
            continue;
        }
        for at in words_at(&source.code, name) {
            if is_path_start(&source.code, at, name.len()) {
                findings.push(source.finding_at(at, format!("`{part}` may not name `{name}`")));
            }
        }
    }
    findings
}

/// Whether the word at `at` begins a path, as the name of a library does.
fn is_path_start(code: &str, at: usize, len: usize) -> bool {
    let before = code[..at].trim_end();
    let used = before.ends_with("use") || before.ends_with("extern crate");
    let inner = before.ends_with("::") && !before.ends_with("use ::");
    (used || code[at + len..].starts_with("::")) && !inner && !before.ends_with('.')
}

/// What the engine may not name.
pub(crate) fn engine_banned(source: &Source) -> Vec<Finding> {
    if !source.path.starts_with("src/engine/") || source.is_test() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for word in ENGINE_BANNED {
        for at in words_at(&source.code, word) {
            findings.push(source.finding_at(at, format!("the engine may not name `{word}`")));
        }
    }
    findings
}

/// The libraries of the manifest, as they are named in code.
pub(crate) fn libraries(manifest: &str) -> Vec<String> {
    let mut wanted = false;
    let mut names = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            wanted = line.contains("dependencies");
        } else if let (true, Some((name, _))) = (wanted, line.split_once('=')) {
            names.push(name.trim().replace('-', "_"));
        }
    }
    names
}

#[test]
fn a_wrong_direction_is_found() {
    let wrong = |path: &str, text: &str| wrong_parts(&Source::new(path, text)).len();
    assert_eq!(wrong("src/engine/a.rs", "use crate::codec::Inner;"), 1);
    assert_eq!(wrong("src/engine/a.rs", "use crate::engine::ids;\nuse super::ids;"), 0);
    assert_eq!(wrong("src/engine/a.rs", "use super::super::codec;"), 1);
    assert_eq!(wrong("src/engine/mod.rs", "pub mod a { pub use super::b; }\nuse super::c;"), 1);
    assert_eq!(wrong("src/store/a.rs", "use crate::{engine::{ids, net}, net::X};"), 1);
    assert_eq!(wrong("src/cli/send.rs", "crate::daemon::run()"), 1);
    assert_eq!(wrong("src/cli/up.rs", "crate::daemon::run()"), 0);
    assert_eq!(wrong("src/engine/a/tests.rs", "use crate::store::MemoryStore;"), 0);
    assert_eq!(wrong("simulations/a.rs", "use meshmq::net::start;"), 1);
    assert_eq!(wrong("src/store/a.rs", "// crate::net\nlet s = \"crate::net\";"), 0);
    assert_eq!(wrong("src/stray.rs", ""), 1);
}

#[test]
fn a_wrong_library_is_found() {
    let known =
        libraries("[dependencies]\nsled = \"1\"\nserde_json = \"1\"\n[lints.rust]\na = 1\n");
    assert_eq!(known, ["sled", "serde_json"]);
    let wrong = |path: &str, text: &str| wrong_libraries(&Source::new(path, text), &known).len();
    assert_eq!(wrong("src/net/a.rs", "use sled::Db;"), 1);
    assert_eq!(wrong("src/store/a.rs", "use sled::Db;\nmod sled;"), 0);
    assert_eq!(wrong("src/engine/a.rs", "fn a(x: serde_json::Value) {}"), 1);
    assert_eq!(wrong("src/runtime/a.rs", "self::sled::open(); x.sled; // sled::Db"), 0);
}

#[test]
fn a_clock_in_the_engine_is_found() {
    let found = |text: &str| engine_banned(&Source::new("src/engine/a.rs", text)).len();
    assert_eq!(found("use std::collections::BTreeMap;\n/// No HashMap.\nfn f() {}"), 0);
    assert_eq!(found("use std::time::Instant;\nlet m: HashMap<u8, u8>;"), 2);
}
