//! Group names to numbers.

use std::path::Path;
use std::process::{Command, Stdio};

/// Number of a group given by number or by name.
///
/// # Errors
/// [`UnknownGroup`] if it is neither a number nor a name that the system's databases hold.
pub fn group_id(group: &str) -> Result<u32, UnknownGroup> {
    if let Ok(number) = group.parse() {
        return Ok(number);
    }
    let file = std::fs::read_to_string(Path::new("/etc/group")).unwrap_or_default();
    number_in(&file, group)
        .or_else(|| number_in(&ask_system(group)?, group))
        .ok_or_else(|| UnknownGroup(group.to_owned()))
}

/// The line that the system's name service has for a group, where its tool exists.
fn ask_system(group: &str) -> Option<String> {
    let mut tool = Command::new("getent");
    tool.args(["--", "group", group]).stdin(Stdio::null()).stderr(Stdio::null());
    String::from_utf8(tool.output().ok()?.stdout).ok()
}

fn number_in(lines: &str, group: &str) -> Option<u32> {
    lines.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == group).then(|| fields.nth(1)?.parse().ok())?
    })
}

/// There is no such group.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no group `{0}` on this machine")]
pub struct UnknownGroup(pub String);

#[cfg(test)]
mod tests;
