//! Scenarios that are read, and files that are not scenarios.

use super::{Action, BadFile, Count, Deaths, Much, Pace, Scenario, Side, Span};

const GOOD: &str = r#"
proves = "It can be read."
nodes = ["a", "b"]
link = { latency = ["20ms", "80ms"], loss = 0.01 }
queues = [{ name = "orders@b", transactional = true }]
send = [
  { from = "a", to = "orders@b", at = "1s", count = 10, every = "20ms", delivery = "transactional" },
]
receive = [{ from = "orders@b" }]
steps = [
  { at = "1s", cut = [["a"], ["b"]] },
  { at = ["2s", "3s"], heal = "all" },
  { at = "4s", power_loss = "b", down = ["1s", "2s"] },
]
"#;

fn wrong(text: &str) -> (usize, usize, String) {
    match Scenario::parse("dir/test.toml", text) {
        Err(BadFile::Wrong { line, column, what, .. }) => (line, column, what),
        other => panic!("it was taken: {other:?}"),
    }
}

#[test]
fn a_scenario_is_read_and_checked() {
    let scenario = Scenario::parse("dir/test.toml", GOOD).expect("a good scenario");
    assert_eq!(scenario.name, "test");
    assert_eq!(scenario.nodes, ["a", "b"]);
    assert_eq!(scenario.links.len(), 1);
    assert_eq!(scenario.links[0].ways[0].latency, Span::ms(20, 80));
    assert!(matches!(&scenario.steps[0].action, Action::Cut(ways) if *ways == [(0, 1), (1, 0)]));
    assert!(matches!(&scenario.steps[2].action, Action::CrashAtCommit { side: Side::Before, .. }));
    assert_eq!(scenario.dead, Deaths::None);
    assert_eq!(scenario.script_ends_ms(), 4_000);
}

const GROUPS: &str = r#"
proves = "Groups are read."
nodes = ["depot", "till-[1-3]", "ferry"]
groups = { shop = ["till-*"], all = ["shop-x"] }
link = { latency = "10ms", back = { latency = "600ms", bytes_per_s = 9600 } }
links = [
  { within = "shop", loss = 0.5 },
  { between = ["ferry", ["shop", "depot"]], up = false, back = { loss = 0.25 } },
  { chain = ["till-1", "depot"], latency = "1ms" },
]
steps = [
  { at = "1s", cut = ["shop", ["depot", "ferry"]] },
  { at = "2s", move = { nodes = "ferry", from = "shop", to = "depot" } },
  { at = "3s", move = { nodes = "ferry", to = "till-[1-2]" } },
  { at = "4s", change = { between = ["ferry", "depot"], bytes_per_s = 100 } },
]
"#;

fn good_groups() -> String {
    GROUPS.replace(", all = [\"shop-x\"]", "")
}

#[test]
fn groups_and_patterns_stand_for_nodes() {
    let scenario = Scenario::parse("dir/groups.toml", &good_groups()).expect("a good scenario");
    assert_eq!(scenario.nodes, ["depot", "till-1", "till-2", "till-3", "ferry"]);
    let ends: Vec<_> = scenario.links.iter().map(|link| link.ends).collect();
    assert_eq!(ends, [(1, 2), (1, 3), (2, 3), (1, 4), (2, 4), (3, 4), (0, 4), (0, 1)]);
    let (line, _, what) = wrong(GROUPS);
    assert_eq!((line, what.as_str()), (4, "there is no node `shop-x`"));
    let (line, _, what) = wrong(&good_groups().replace("till-*", "till-[1-4]"));
    assert_eq!((line, what.as_str()), (4, "there is no node `till-4`"));
    let (_, _, what) = wrong(&good_groups().replace("till-*", "hill-*"));
    assert_eq!(what, "no node has a name like `hill-*`");
    let (line, _, what) = wrong(
        &good_groups()
            .replace("{ within = \"shop\", loss", "{ within = \"shop\", chain = \"shop\", loss"),
    );
    assert_eq!(line, 7);
    assert!(what.contains("exactly one"), "{what}");
}

#[test]
fn the_way_back_may_be_another() {
    let scenario = Scenario::parse("dir/groups.toml", &good_groups()).expect("a good scenario");
    let link = |ends| scenario.links.iter().find(|link| link.ends == ends).expect("it is there");
    let inside = link((1, 2));
    assert_eq!((inside.ways[0].latency, inside.ways[0].loss), (Span::ms(10, 10), 0.5));
    assert_eq!(inside.ways[1].latency, Span::ms(600, 600));
    assert_eq!(inside.ways[1].bytes_per_s, Some(9_600));
    let across = link((1, 4));
    assert!(!across.up);
    assert_eq!((across.ways[0].loss, across.ways[1].loss), (0.25, 0.0), "back is from the shop");
    assert_eq!((across.ways[0].bytes_per_s, across.ways[1].bytes_per_s), (Some(9_600), None));
    let chained = link((0, 1));
    assert_eq!(chained.ways[1].latency, Span::ms(1, 1), "the link's own word counts both ways");
    assert_eq!(chained.ways[0].latency, Span::ms(1, 1));
}

#[test]
fn a_move_cuts_some_links_and_makes_others() {
    let scenario = Scenario::parse("dir/groups.toml", &good_groups()).expect("a good scenario");
    let Action::Move { leaves, joins } = &scenario.steps[1].action else { panic!("a move") };
    assert_eq!(*joins, [(4, 0), (0, 4)]);
    assert_eq!(*leaves, [(4, 1), (1, 4), (4, 2), (2, 4), (4, 3), (3, 4)]);
    let Action::Move { leaves, joins } = &scenario.steps[2].action else { panic!("a move") };
    assert_eq!(*joins, [(4, 1), (1, 4), (4, 2), (2, 4)]);
    assert_eq!(*leaves, [(3, 4), (4, 3), (0, 4), (4, 0)]);
    let Action::Change(changes) = &scenario.steps[3].action else { panic!("a change") };
    let rates: Vec<_> = changes.iter().map(|(way, plan)| (*way, plan.bytes_per_s)).collect();
    assert_eq!(rates, [((4, 0), Some(100)), ((0, 4), Some(100))]);
}

#[test]
fn a_wrong_word_is_pointed_at() {
    let text = good_groups().replace("[\"depot\", \"ferry\"]] }", "[\"depot\", \"fery\"]] }");
    let (line, column, what) = wrong(&text);
    assert_eq!((line, column, what.as_str()), (12, 41, "there is no node or group `fery`"));
}

#[test]
fn machines_and_stores_have_steps() {
    let text = |steps: &str| {
        let steps = format!("steps = [{steps}]\n");
        format!(
            "proves = \"x\"\nnodes = [\"a\", \"b\", \"c\"]\nqueues = [{{ name = \"q@a\" }}]\n{steps}"
        )
    };
    let good = |steps: &str| {
        let scenario = Scenario::parse("dir/x.toml", &text(steps)).expect("a good scenario");
        scenario.steps[0].action.clone()
    };
    let back = good("{ at = \"9s\", clock_jump = { nodes = [\"a\", \"b\"], by = \"-2h\" } }");
    assert!(matches!(back, Action::ClockJump { by_ms: -7_200_000, .. }), "{back:?}");
    let full = good("{ at = \"9s\", disk_full = \"a\", left_bytes = 9 }");
    assert!(matches!(full, Action::DiskFull { left: 9, .. }), "{full:?}");
    let scenario =
        Scenario::parse("dir/x.toml", &text("{ at = \"9s\", clone = { of = \"a\", as = \"b\" } }"));
    assert_eq!(scenario.expect("a good scenario").identity(1), 0);
    for (steps, why) in [
        ("{ at = \"9s\", clone = { of = \"b\", as = \"a\" } }", "has no queues"),
        ("{ at = \"9s\", rollback = { nodes = \"a\", by = \"10s\" } }", "before the start"),
        ("{ at = \"9s\", suspend = \"a\" }", "wants `down`"),
        ("{ at = \"9s\", disk_free = \"a\", left_bytes = 9 }", "goes with `disk_full`"),
        ("{ at = \"9s\", clock_jump = { nodes = \"a\", by = \"2\" } }", "is not a duration"),
        ("{ at = \"9s\", create_queue = \"q@b\" }", "no queue `q@b`"),
    ] {
        let (_, _, what) = wrong(&text(steps));
        assert!(what.contains(why), "{steps}: {what}");
    }
}

#[test]
fn workloads_say_how_much_and_how_fast() {
    let with = |keys: &str| GOOD.replace("count = 10, every = \"20ms\"", keys);
    let plan = |keys: &str| {
        let scenario = Scenario::parse("dir/x.toml", &with(keys)).expect("a good scenario");
        (scenario.senders[0].much, scenario.senders[0].pace, scenario.script_ends_ms())
    };
    let (_, pace, ends) = plan("count = 7200, rate = 2");
    assert_eq!((pace, ends), (Pace::PerHour(7_200), 1_000 + 7_200_000));
    let (much, pace, ends) = plan("lasts = \"1h\", every = \"1m\", burst = [2, 5]");
    assert_eq!(much, Much::For(Span::ms(3_600_000, 3_600_000)));
    let burst = Count { least: 2, most: 5 };
    assert_eq!((pace, ends), (Pace::Every { burst, pause: Span::ms(60_000, 60_000) }, 3_601_000));
    for (keys, why) in [
        ("every = \"1s\"", "`count` or `lasts`"),
        ("count = 1", "how fast"),
        ("count = 1, rate = 1, every = \"1s\"", "how fast"),
        ("count = 1, rate = 0.0001", "from one an hour"),
        ("lasts = \"1s\", every = \"0s\"", "more than 0"),
        ("count = 1, rate = 1, sizes = [{ weight = 0, bytes = 1 }]", "weight above 0"),
        ("count = 1, rate = 1, reply_to = \"orders@b\"", "`answers`"),
    ] {
        let (line, _, what) = wrong(&with(keys));
        assert_eq!(line, 7, "{what}");
        assert!(what.contains(why), "{keys}: {what}");
    }
}

#[test]
fn a_scenario_is_told_in_sentences() {
    let text = Scenario::parse("dir/test.toml", GOOD).expect("a good scenario").explain();
    for sentence in [
        "Nodes: a, b.",
        "Links: a–b: 20ms to 80ms, 1.0 of a hundred packets lost.",
        "At 1s, a program at a starts to send 10 messages to orders@b",
        "At 1s, cut: a–b.",
        "Between 2s and 3s, healed: a–b.",
        "At 4s, b: the power goes amid the next commit, and starts again after 1s to 2s.",
        "Then everything is healed, and within 10m all has come to its end; nothing is dead.",
    ] {
        assert!(text.contains(sentence), "{sentence}: {text}");
    }
}

#[test]
fn unknown_keys_are_errors_with_their_place() {
    let text = GOOD.replace("loss = 0.01", "lost = 0.01");
    let (line, column, what) = wrong(&text);
    assert_eq!((line, column), (4, 38), "{what}");
    assert!(what.contains("lost"), "{what}");
}

#[test]
fn unknown_names_are_errors_with_their_place() {
    let (line, _, what) = wrong(&GOOD.replace("power_loss = \"b\"", "power_loss = \"c\""));
    assert_eq!((line, what.as_str()), (13, "there is no node `c`"));
    let (line, _, what) = wrong(&GOOD.replace("from = \"orders@b\"", "from = \"other@b\""));
    assert_eq!((line, what.as_str()), (9, "there is no queue `other@b`"));
}

#[test]
fn a_step_does_one_thing() {
    let (line, _, what) = wrong(&GOOD.replace("heal = \"all\"", "heal = \"all\", crash = \"a\""));
    assert_eq!(line, 12);
    assert!(what.contains("more than one thing"), "{what}");
    let (_, _, what) = wrong(&GOOD.replace(", heal = \"all\"", ""));
    assert!(what.contains("does nothing"), "{what}");
}

#[test]
fn numbers_keep_their_bounds() {
    let (_, _, what) = wrong(&GOOD.replace("loss = 0.01", "loss = 1.5"));
    assert!(what.contains("probability"), "{what}");
    let (_, _, what) = wrong(&GOOD.replace("\"20ms\", \"80ms\"", "\"80ms\", \"20ms\""));
    assert!(what.contains("the smaller first"), "{what}");
    let (_, _, what) = wrong(&GOOD.replace("proves = \"It can be read.\"", "proves = \" \""));
    assert!(what.contains("says what it proves"), "{what}");
}

#[test]
fn a_file_that_is_no_toml_says_where() {
    let (line, _, _) = wrong("proves = \"x\"\nnodes = [\n");
    assert!(line >= 2);
}
