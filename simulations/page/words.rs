//! Steps of a script in words.

use crate::scenario::{Action, Place};

/// What a step does.
pub(crate) fn action(action: &Action, nodes: &[String]) -> String {
    let all = |places: &[Place]| {
        places.iter().map(|place| nodes[*place].as_str()).collect::<Vec<_>>().join(", ")
    };
    match action {
        Action::Cut(directions) => format!("cut {}", links(directions, nodes)),
        Action::Heal(directions) => format!("heal {}", links(directions, nodes)),
        Action::Flap { directions, .. } => format!("flap {}", links(directions, nodes)),
        Action::Crash { nodes, .. } => format!("kill {}", all(nodes)),
        Action::CrashAtCommit { nodes, .. } => format!("kill {} at a commit", all(nodes)),
        Action::Attrition { nodes, .. } => format!("kill {} at commits, by chance", all(nodes)),
        Action::Restart(nodes) => format!("start {}", all(nodes)),
        Action::Lose(nodes) => format!("lose {} for ever", all(nodes)),
    }
}

/// Directions as links: both ways once.
fn links(directions: &[(Place, Place)], nodes: &[String]) -> String {
    let both = |&(from, to): &(Place, Place)| directions.contains(&(to, from));
    let shown = directions.iter().filter(|way| !both(way) || way.0 < way.1);
    let text = shown.map(|way| {
        let arrow = if both(way) { "–" } else { "→" };
        format!("{} {arrow} {}", nodes[way.0], nodes[way.1])
    });
    text.collect::<Vec<_>>().join(", ")
}
