//! Source files as text, and the same text with comments and literals blanked out.
//!
//! Refuses to judge: what is allowed is said in the modules beside it.

use std::fs;
use std::path::Path;

/// One file of the repository.
pub(crate) struct Source {
    /// Path from the root of the repository, with `/`.
    pub(crate) path: String,
    /// The file as it is.
    pub(crate) text: String,
    /// The text with the insides of comments, strings and characters turned into spaces. Lines
    /// stay where they are.
    pub(crate) code: String,
}

/// One thing that is not as it should be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Which file, and which line where that is known.
    pub(crate) place: String,
    /// What is wrong and what is wanted.
    pub(crate) what: String,
}

impl Source {
    /// A file with that text.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned(), code: blank(text) }
    }

    /// A finding about the whole file.
    pub(crate) fn finding(&self, what: impl Into<String>) -> Finding {
        Finding { place: self.path.clone(), what: what.into() }
    }

    /// A finding at a place in the text, given in bytes.
    pub(crate) fn finding_at(&self, at: usize, what: impl Into<String>) -> Finding {
        let line = self.text[..at].matches('\n').count() + 1;
        Finding { place: format!("{}:{line}", self.path), what: what.into() }
    }

    /// Whether the file holds tests only: under `tests/`, or a sibling test file in `src`.
    pub(crate) fn is_test(&self) -> bool {
        let inside = self.path.contains("/tests/") || self.path.ends_with("/tests.rs");
        self.path.starts_with("tests/") || inside
    }
}

/// All files below `dirs` whose name ends with one of `endings`, in order.
pub(crate) fn load(dirs: &[&str], endings: &[&str]) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    for dir in dirs {
        walk(root, dir, &mut paths);
    }
    paths.sort();
    paths.retain(|path| endings.iter().any(|ending| path.ends_with(ending)));
    let read = |path: &String| fs::read_to_string(root.join(path)).expect("the file is text");
    paths.iter().map(|path| Source::new(path, &read(path))).collect()
}

/// The paths of all files below `dir`, or `dir` itself where it is a file.
pub(crate) fn walk(root: &Path, dir: &str, paths: &mut Vec<String>) {
    let here = root.join(dir);
    if here.is_file() {
        paths.push(dir.to_owned());
    }
    let Ok(entries) = fs::read_dir(here) else { return };
    for entry in entries {
        let name = entry.expect("the folder can be read").file_name();
        let name = name.to_str().expect("names are UTF-8");
        if name != "target" && name != ".git" {
            walk(root, &format!("{dir}/{name}"), paths);
        }
    }
}

/// The text with the insides of comments, strings and characters blanked out.
pub(crate) fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = literal_end(bytes, at);
        let inside = if end > at + 1 { at..end } else { at..at };
        for byte in &mut out[inside] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end.max(at + 1);
    }
    String::from_utf8(out).expect("whole characters were blanked")
}

/// Where the comment or literal that begins at `at` ends; `at` itself if none begins there.
fn literal_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let in_word = at > 0 && is_word(bytes[at - 1]);
    if rest.starts_with(b"//") {
        return at + rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
    }
    if rest.starts_with(b"/*") {
        return at + comment_len(rest);
    }
    let prefix = ["br", "cr", "b", "c", "r"].iter().find(|p| rest.starts_with(p.as_bytes()));
    let prefix = if in_word { "" } else { prefix.copied().unwrap_or("") };
    let body = &rest[prefix.len()..];
    let hashes = body.iter().take_while(|&&b| b == b'#').count();
    if prefix.ends_with('r') && body.get(hashes) == Some(&b'"') {
        let close = format!("\"{}", "#".repeat(hashes));
        let from = hashes + 1;
        let found = body[from..].windows(close.len()).position(|w| w == close.as_bytes());
        let len = found.map_or(body.len(), |p| from + p + close.len());
        return at + prefix.len() + len;
    }
    match body.first() {
        Some(b'"') => at + prefix.len() + quoted_len(body, b'"'),
        Some(b'\'') if is_char(body) => at + prefix.len() + quoted_len(body, b'\''),
        _ => at,
    }
}

/// Length of the (nested) block comment that `rest` begins with.
fn comment_len(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at + 1 < rest.len() {
        match &rest[at..at + 2] {
            b"/*" => depth += 1,
            b"*/" => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// Length of the literal in quotes that `body` begins with.
fn quoted_len(body: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < body.len() && body[at] != quote {
        at += if body[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(body.len())
}

/// Whether the quote opens a character and not a lifetime.
fn is_char(body: &[u8]) -> bool {
    match body.get(1) {
        Some(b'\\') => true,
        Some(&b) if b < 0x80 => body.get(2) == Some(&b'\''),
        Some(_) => true,
        None => false,
    }
}

/// Whether the byte can be part of an identifier.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Where `word` stands in `text` as a whole word.
pub(crate) fn words_at(text: &str, word: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let free = |at: usize| {
        let before = at == 0 || !is_word(bytes[at - 1]) || !is_word(word.as_bytes()[0]);
        let end = at + word.len();
        let last = word.as_bytes()[word.len() - 1];
        before && (end == bytes.len() || !is_word(bytes[end]) || !is_word(last))
    };
    text.match_indices(word).map(|(at, _)| at).filter(|&at| free(at)).collect()
}

#[test]
fn comments_and_literals_are_blanked() {
    let text = "let a = \"fn\"; // fn\n/* fn /* fn */ fn */ let b = r#\"fn \" fn\"#; 'f' b'\\'' x";
    let code = blank(text);
    assert_eq!(code.len(), text.len());
    assert!(!code.contains("fn"), "{code}");
    assert!(code.contains("let b") && code.ends_with('x'), "{code}");
    assert!(blank("fn f<'a>(x: &'a str) -> &'static str { x }").contains("'a str"));
    assert_eq!(words_at("sleep asleep sleepy sleep(", "sleep"), [0, 20]);
}
