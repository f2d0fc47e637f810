//! What goes wrong in a schedule, and when.

use super::draw::{Draft, list, quoted};

/// Draws a fault, without its time.
type Fault = fn(&mut Draft) -> String;

/// Every fault that the language has, each as often as it stands here.
const FAULTS: &[Fault] = &[
    cut,
    cut,
    cut_one_way,
    heal,
    heal,
    heal_some,
    flap,
    crash,
    crash,
    power_loss,
    crash_at_commit,
    crash_at_commit,
    attrition,
    restart,
    suspend,
    readdress,
    change,
    disk_full,
    disk_free,
    upgrade,
    drop_queue,
    rare,
    rare,
];

/// Faults after which less is promised: each stands in a few schedules only.
const RARE: &[Fault] = &[clock_jump, rollback, wipe, corrupt];

/// Longest latency of a link that is changed, in milliseconds.
pub(super) const CHANGED_MS: u64 = 1_500;

/// Adds the steps.
pub(super) fn write(draft: &mut Draft, text: &mut String) {
    text.push_str("\nsteps = [\n");
    for _ in 0..draft.rng.between(1, 16) {
        let fault = draft.rng.pick(FAULTS).copied().unwrap_or(cut);
        let step = fault(draft);
        // No store can be put back to before the start.
        let least = if step.starts_with("rollback") { draft.lasts_ms / 2 } else { 0 };
        let at = draft.span(least, draft.lasts_ms);
        text.push_str(&format!("  {{ at = {at}, {step} }},\n"));
    }
    if draft.loses {
        let node = draft.node();
        let at = draft.span(1_000, draft.lasts_ms);
        text.push_str(&format!("  {{ at = {at}, lose = {} }},\n", quoted(node)));
    }
    text.push_str("]\n");
}

fn cut(draft: &mut Draft) -> String {
    format!("cut = {}", draft.groups())
}

fn cut_one_way(draft: &mut Draft) -> String {
    let (a, b) = draft.link();
    let (from, to) = if draft.rng.chance(0.5) { (a, b) } else { (b, a) };
    format!("cut_one_way = {{ from = {}, to = {} }}", quoted(from), quoted(to))
}

fn heal(_: &mut Draft) -> String {
    "heal = \"all\"".to_owned()
}

fn heal_some(draft: &mut Draft) -> String {
    format!("heal = {}", draft.groups())
}

fn flap(draft: &mut Draft) -> String {
    let groups = draft.groups();
    let (up, down) = (draft.span(20, 8_000), draft.span(20, 8_000));
    let lasts = draft.rng.between(1_000, draft.lasts_ms);
    format!("flap = {{ between = {groups}, up = {up}, down = {down}, lasts = \"{lasts}ms\" }}")
}

fn crash(draft: &mut Draft) -> String {
    format!("crash = {}{}", draft.some_nodes(), down(draft))
}

fn power_loss(draft: &mut Draft) -> String {
    format!("power_loss = {}{}", draft.some_nodes(), down(draft))
}

fn crash_at_commit(draft: &mut Draft) -> String {
    let nodes = draft.some_nodes();
    let nth = draft.rng.between(1, 40);
    format!("crash_at_commit = {{ node = {nodes}, nth = [1, {nth}] }}{}", down(draft))
}

fn attrition(draft: &mut Draft) -> String {
    let nodes = draft.some_nodes();
    let chance = draft.rng.between(1, 8) as f64 / 100.0;
    let lasts = draft.rng.between(500, draft.lasts_ms);
    format!(
        "attrition = {{ nodes = {nodes}, chance = {chance:?}, lasts = \"{lasts}ms\" }}{}",
        down(draft)
    )
}

fn restart(draft: &mut Draft) -> String {
    format!("restart = {}", list([quoted(draft.node())].into_iter()))
}

/// After which time it starts again; sometimes only a later step or the end says so.
fn down(draft: &mut Draft) -> String {
    if draft.rng.chance(0.8) {
        format!(", down = {}", draft.span(10, 8_000))
    } else {
        String::new()
    }
}

fn suspend(draft: &mut Draft) -> String {
    format!("suspend = {}, down = {}", draft.some_nodes(), draft.span(100, 60_000))
}

fn readdress(draft: &mut Draft) -> String {
    format!("readdress = {}", draft.some_nodes())
}

/// A link of another quality, maybe in one direction only.
fn change(draft: &mut Draft) -> String {
    let (a, b) = draft.link();
    let loss = draft.rng.between(0, 60) as f64 / 100.0;
    let latency = draft.span(1, CHANGED_MS);
    let way = format!("latency = {latency}, loss = {loss:?}");
    let way = if draft.rng.chance(0.5) { format!("back = {{ {way} }}") } else { way };
    format!("change = {{ between = [{}, {}], {way} }}", quoted(a), quoted(b))
}

fn disk_full(draft: &mut Draft) -> String {
    let left = draft.rng.below(200_000);
    format!("disk_full = {}, left_bytes = {left}", draft.some_nodes())
}

fn disk_free(draft: &mut Draft) -> String {
    format!("disk_free = {}", draft.some_nodes())
}

fn upgrade(draft: &mut Draft) -> String {
    let word = if draft.rng.chance(0.6) { "upgrade" } else { "downgrade" };
    format!("{word} = {}{}", draft.some_nodes(), down(draft))
}

/// A queue is deleted, or one that was is made again.
fn drop_queue(draft: &mut Draft) -> String {
    let word = if draft.rng.chance(0.4) { "drop_queue" } else { "create_queue" };
    let index = draft.rng.below(draft.queues.len() as u64) as usize;
    format!("{word} = \"{}\"", draft.queues[index].name)
}

fn rare(draft: &mut Draft) -> String {
    let fault = if draft.rare { draft.rng.pick(RARE).copied() } else { None };
    fault.unwrap_or(crash)(draft)
}

fn clock_jump(draft: &mut Draft) -> String {
    let back = if draft.rng.chance(0.5) { "-" } else { "" };
    let by = draft.rng.between(1, 100_000);
    format!("clock_jump = {{ nodes = {}, by = \"{back}{by}s\" }}", draft.some_nodes())
}

fn rollback(draft: &mut Draft) -> String {
    let by = draft.span(100, draft.lasts_ms / 2);
    format!("rollback = {{ nodes = {}, by = {by} }}{}", quoted(draft.node()), down(draft))
}

fn wipe(draft: &mut Draft) -> String {
    format!("wipe = {}{}", quoted(draft.node()), down(draft))
}

fn corrupt(draft: &mut Draft) -> String {
    format!("corrupt = {{ nodes = {}, bodies = [1, 3] }}", draft.some_nodes())
}
