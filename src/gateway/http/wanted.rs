//! JSON of requests, and words for what is wrong with it: the field, and what is wanted there.
//!
//! The reader's own words speak of types of this program; a stranger is told in those of JSON.

use super::error::Refusal;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

/// Reads an object, or says what is wrong with it.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    // The reader of a type would also take its fields one after the other in a list.
    if matches!(bytes.trim_ascii_start().first(), Some(b'[' | b'"' | b'0'..=b'9' | b'-')) {
        return Err(Refusal::bad_request("the body must be an object"));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize(&mut reader).map_err(|why| {
        let field = why.path().to_string();
        let why = why.into_inner();
        let words = why.to_string();
        if why.classify() == Category::Data {
            // Where in the text it is helps nobody who knows the field.
            let words = words.rsplit_once(" at line ").map_or(&*words, |(words, _)| words);
            refusal(&field, words)
        } else if words.starts_with("number out of range") {
            Refusal::out_of_bounds("a number is larger than any that can be read")
        } else {
            no_json(&why)
        }
    })?;
    reader.end().map_err(|why| no_json(&why))?;
    Ok(read)
}

/// What is wrong with a query: its reader's words begin with the field, if there is one.
pub(super) fn of_query(words: &str) -> Refusal {
    let words = words.rsplit_once("query string: ").map_or(words, |(_, words)| words);
    match words.split_once(": ") {
        Some((field, words)) if !field.contains(' ') => refusal(field, words),
        _ => refusal(".", words),
    }
}

fn no_json(why: &serde_json::Error) -> Refusal {
    Refusal::bad_request(format!("the body is no JSON: {why}"))
}

/// Says it of the field at this path, in words that begin with the reader's `words`.
fn refusal(path: &str, words: &str) -> Refusal {
    let subject = if path == "." { "the request".to_owned() } else { format!("`{path}`") };
    let quoted = || words.split('`').nth(1).unwrap_or_default();
    let expected = words.split_once("expected ").map(|(_, expected)| expected);
    if words.starts_with("unknown field") {
        let known = expected.map(|known| format!("; there are {}", listed(known)));
        let known = known.filter(|known| known.contains('`')).unwrap_or_default();
        return Refusal::bad_request(format!("there is no field `{}`{known}", quoted()));
    }
    if words.starts_with("missing field") {
        return Refusal::bad_request(format!("`{}` is missing", quoted()));
    }
    if words.starts_with("duplicate field") {
        return Refusal::bad_request(format!("`{}` is there twice", quoted()));
    }
    let Some(expected) = expected else {
        return Refusal::bad_request(format!("{subject}: {words}"));
    };
    if words.starts_with("unknown variant") {
        return Refusal::bad_request(format!("{subject} must be {}", listed(expected)));
    }
    let wanted = wanted(expected);
    let is_number = words.contains(": integer `") || words.contains(": floating point `");
    if is_number && wanted.contains("number") {
        return Refusal::out_of_bounds(format!("{subject} must be {wanted}"));
    }
    Refusal::bad_request(format!("{subject} must be {wanted}"))
}

/// `one of a, b, c` or `a or b` as a list.
fn listed(names: &str) -> String {
    names
        .strip_prefix("one of ")
        .map_or_else(|| names.to_owned(), |names| format!("one of {names}"))
}

/// What a reader of a type wants, in JSON's words.
fn wanted(expected: &str) -> &str {
    match expected {
        "f64" | "f32" => "a number",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, zero or more",
        "a sequence" => "a list",
        "a map" => "an object",
        "a boolean" => "true or false",
        "a string" => "a text",
        other if other.starts_with("struct ") => "an object",
        other if other.starts_with("enum ") || other.contains("variant") => "one of its words",
        other => other,
    }
}

#[cfg(test)]
mod tests;
