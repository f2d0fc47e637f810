//! The queues and programs of a schedule.

use super::draw::Draft;

/// A queue.
pub(super) struct Queue {
    pub(super) name: String,
    transactional: bool,
}

/// Adds queues, and programs that send to them and receive from them.
pub(super) fn write(draft: &mut Draft, text: &mut String) {
    text.push_str("\nqueues = [\n");
    for index in 0..draft.rng.between(1, 4) {
        let name = format!("q{index}@n{}", draft.node());
        let transactional = draft.rng.chance(0.5);
        let quota = match draft.rng.below(4) {
            0 => format!(", max_messages = {}", draft.rng.between(1, 40)),
            _ => String::new(),
        };
        text.push_str(&format!(
            "  {{ name = \"{name}\", transactional = {transactional}{quota} }},\n"
        ));
        draft.queues.push(Queue { name, transactional });
    }
    text.push_str("]\n\nsend = [\n");
    for index in 0..draft.queues.len() {
        for _ in 0..draft.rng.between(1, 3) {
            let line = sender(draft, index);
            text.push_str(&format!("  {{ {line} }},\n"));
        }
    }
    text.push_str("]\n\nreceive = [\n");
    for index in 0..draft.queues.len() {
        for _ in 0..draft.rng.between(1, 2) {
            let line = receiver(draft, index);
            text.push_str(&format!("  {{ {line} }},\n"));
        }
    }
    text.push_str("]\n");
}

fn sender(draft: &mut Draft, index: usize) -> String {
    let from = draft.node();
    let at = draft.span(0, draft.lasts_ms / 2);
    let every = pause(draft, [200, 2_000]);
    let rng = &mut draft.rng;
    let queue = &draft.queues[index];
    let delivery = match (queue.transactional, rng.below(4)) {
        (true, _) => "\"transactional\"",
        (false, 0) => "\"express\"",
        (false, 1) => "[\"recoverable\", \"express\"]",
        (false, _) => "\"recoverable\"",
    };
    let mut line = format!(
        "from = \"n{from}\", to = \"{}\", at = {at}, count = {}, every = {every}, batch = [1, {}], \
         delivery = {delivery}",
        queue.name,
        rng.between(1, 60),
        rng.between(1, 6),
    );
    if rng.chance(0.4) {
        line.push_str(", priority = [0, 3, 7]");
    }
    match rng.below(20) {
        // Where a node is lost its messages wander until their time is over: large ones for long.
        0 if !draft.loses => line.push_str(", body_bytes = [0, 700000]"),
        1..=3 => line.push_str(", body_bytes = [0, 9000]"),
        _ => {}
    }
    // What a node that is lost for ever had comes to its end by time alone.
    let reach_within = if draft.loses { Some((600_000, 3_600_000)) } else { limit(draft, 0.2) };
    if let Some((least, most)) = reach_within {
        line.push_str(&format!(", reach_within = {}", draft.span(least, most)));
    }
    if let Some((least, most)) = limit(draft, 0.2) {
        line.push_str(&format!(", ttl = {}", draft.span(least, most)));
    }
    line
}

/// A limit in time, short or long, with this probability.
fn limit(draft: &mut Draft, chance: f64) -> Option<(u64, u64)> {
    let of = [(200, 5_000), (1_000, 120_000), (600_000, 7_200_000)];
    draft.rng.chance(chance).then(|| of[draft.rng.below(3) as usize])
}

fn receiver(draft: &mut Draft, index: usize) -> String {
    let at = draft.span(0, draft.lasts_ms / 2);
    let every = pause(draft, [300, 3_000]);
    let rng = &mut draft.rng;
    let mut line = format!(
        "from = \"{}\", at = {at}, every = {every}, batch = [1, {}], lease = \"{}ms\"",
        draft.queues[index].name,
        rng.between(1, 16),
        rng.between(500, 20_000),
    );
    for key in ["nack", "give_back", "forget"] {
        if rng.chance(0.2) {
            line.push_str(&format!(", {key} = {:?}", rng.between(1, 30) as f64 / 100.0));
        }
    }
    line
}

/// A pause between two commands, up to one of these.
fn pause(draft: &mut Draft, of: [u64; 2]) -> String {
    let most = of[draft.rng.below(2) as usize];
    draft.span(10, most)
}
