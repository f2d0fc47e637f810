//! Sizes: lines of a file and lines of a function.

use crate::source::{Finding, Source, is_word, words_at};

/// Lines that a file may have, as `wc -l` counts them.
pub(crate) const FILE_LINES: usize = 400;
/// Lines that a function may have, from `fn` to its closing brace.
pub(crate) const FUNCTION_LINES: usize = 70;

/// Files that are too long.
pub(crate) fn long_files(source: &Source) -> Vec<Finding> {
    let lines = source.text.matches('\n').count();
    let what = || format!("the file has {lines} lines; at most {FILE_LINES} are allowed");
    (lines > FILE_LINES).then(|| source.finding(what())).into_iter().collect()
}

/// Functions that are too long.
pub(crate) fn long_functions(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for at in words_at(&source.code, "fn") {
        let Some((name, end)) = function(&source.code, at) else { continue };
        let lines = source.code[at..end].matches('\n').count() + 1;
        if lines > FUNCTION_LINES {
            let what = format!("`{name}` has {lines} lines; at most {FUNCTION_LINES} are allowed");
            findings.push(source.finding_at(at, what));
        }
    }
    findings
}

/// Name and end of the function whose `fn` stands at `at`; nothing for `fn` types and functions
/// without a body.
fn function(code: &str, at: usize) -> Option<(&str, usize)> {
    let bytes = code.as_bytes();
    let from = at + 2 + code[at + 2..].find(|c: char| !c.is_whitespace())?;
    let len = bytes[from..].iter().take_while(|&&b| is_word(b)).count();
    if len == 0 {
        return None;
    }
    let (mut round, mut curly) = (0_i32, 0_i32);
    for (end, byte) in bytes.iter().enumerate().skip(from) {
        match byte {
            b'(' | b'[' => round += 1,
            b')' | b']' => round -= 1,
            b'{' => curly += 1,
            b'}' => curly -= 1,
            b';' if round == 0 && curly == 0 => return None,
            _ => continue,
        }
        if *byte == b'}' && round == 0 && curly == 0 {
            return Some((&code[from..from + len], end));
        }
    }
    None
}

#[test]
fn a_long_file_is_found() {
    assert!(long_files(&Source::new("a.rs", &"x\n".repeat(FILE_LINES))).is_empty());
    assert_eq!(long_files(&Source::new("a.rs", &"x\n".repeat(FILE_LINES + 1))).len(), 1);
}

#[test]
fn a_long_function_is_found() {
    let text = |lines: usize| {
        let body = "    let s = [0; 3]; // }\n".repeat(lines - 2);
        format!("trait T {{ fn short(x: [u8; 2]);\n}}\nfn long(f: fn(u8) -> u8) {{\n{body}}}\n")
    };
    assert!(long_functions(&Source::new("a.rs", &text(FUNCTION_LINES))).is_empty());
    let found = long_functions(&Source::new("a.rs", &text(FUNCTION_LINES + 1)));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].place, "a.rs:3");
    assert!(found[0].what.contains("`long`"));
}
