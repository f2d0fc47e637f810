//! The simulator as people and programs use it: every scenario holds, a seed is a run, and a file
//! that is no scenario is refused with the place of the error.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A scenario that always fails: something is to die in it, and nothing has a reason to.
const FAILS: &str = r#"
proves = "A failure is reported."
nodes = ["a", "b"]
queues = [{ name = "q@b" }]
send = [{ from = "a", to = "q@b", at = "10ms", count = 5, every = "10ms" }]
receive = [{ from = "q@b" }]
expect = { dead = "some" }
"#;

fn simulate(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshmq-sim"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments);
    command.output().expect("the simulator starts")
}

fn scenarios() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("simulations/scenarios");
    let entries = std::fs::read_dir(folder).expect("the scenarios are there");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("a readable folder").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".toml"))
        .map(|name| format!("simulations/scenarios/{name}"))
        .collect();
    names.sort();
    names
}

fn written(folder: &tempfile::TempDir, name: &str, text: &str) -> String {
    let path: PathBuf = folder.path().join(name);
    std::fs::write(&path, text).expect("a writable folder");
    path.display().to_string()
}

fn objects(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn every_scenario_holds() {
    let files = scenarios();
    assert!(files.len() >= 9, "{files:?}");
    let mut arguments = vec!["run", "--seeds", "3", "--json"];
    arguments.extend(files.iter().map(String::as_str));
    let output = simulate(&arguments);
    let objects = objects(&output);
    assert_eq!(objects.len(), files.len() * 3);
    for object in &objects {
        assert_eq!(object["verdict"], "ok", "{object:#}");
        assert!(object["events"].as_u64().is_some_and(|events| events > 100), "{object}");
        assert_eq!(object["digest"].as_str().map(str::len), Some(32), "{object}");
    }
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_seed_is_a_run_byte_for_byte() {
    let arguments =
        ["run", "simulations/scenarios/power_cut_everywhere.toml", "--seed", "7", "--trace"];
    let (one, other) = (simulate(&arguments), simulate(&arguments));
    assert_eq!(one.status.code(), Some(0), "{}", text(&one.stdout));
    assert!(one.stdout.len() > 100_000, "the trace tells everything");
    assert!(one.stdout == other.stdout, "two runs of one seed differ");
}

#[test]
fn seeds_differ_and_threads_do_not_matter() {
    let run = |jobs| {
        let file = "simulations/scenarios/partition.toml";
        objects(&simulate(&["run", file, "--seeds", "6", "--json", "--jobs", jobs]))
    };
    let (one, two) = (run("1"), run("2"));
    assert_eq!(one, two);
    assert_ne!(one[0]["digest"], one[1]["digest"]);
    let seeds: Vec<u64> = one.iter().filter_map(|object| object["seed"].as_u64()).collect();
    assert_eq!(seeds, [1, 2, 3, 4, 5, 6]);
}

#[test]
fn signatures_hold_where_they_are_made() {
    let file = "simulations/scenarios/ferry.toml";
    let output = simulate(&["run", file, "--seeds", "2", "--json", "--signed"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
}

#[test]
fn a_failure_says_how_to_replay_it_and_replays() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = written(&folder, "fails.toml", FAILS);
    let output = simulate(&["run", &file, "--seeds", "3", "--no-shrink"]);
    assert_eq!(output.status.code(), Some(11));
    let report = text(&output.stdout);
    assert!(report.contains("FAILED 0/3 seeds"), "{report}");
    assert!(report.contains("it proves: A failure is reported."), "{report}");
    assert!(
        report.contains(&format!("replay: meshmq-sim run {file} --seed 2 --trace")),
        "{report}"
    );
    let replay = ["run", &file, "--seed", "2", "--json"];
    let (one, other) = (objects(&simulate(&replay)), objects(&simulate(&replay)));
    assert_eq!(one, other);
    assert_eq!(one[0]["verdict"], "liveness");
    assert!(one[0]["failure"]["what"].as_str().is_some_and(|what| what.contains("nothing died")));
}

#[test]
fn a_failure_is_written_as_a_shorter_scenario_that_replays_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let more = "steps = [{ at = \"100ms\", crash = \"a\", down = \"1s\" }, { at = \"1s\", cut = [[\"a\"], [\"b\"]] }]\n";
    let file = written(&folder, "fails.toml", &format!("{FAILS}{more}"));
    let to = folder.path().join("shorter").display().to_string();
    let output = simulate(&["run", &file, "--seeds", "3", "--json", "--failures", &to]);
    let objects = objects(&output);
    assert!(objects[1]["failure"]["shrunk"].is_null(), "the first failure only");
    let shrunk = &objects[0]["failure"]["shrunk"];
    assert_eq!(shrunk["before"]["steps"], 2, "{shrunk:#}");
    assert_eq!((&shrunk["after"]["steps"], &shrunk["after"]["messages"]), (&0.into(), &0.into()));
    let file = shrunk["file"].as_str().expect("a file");
    let seed = shrunk["seed"].to_string();
    let replay = self::objects(&simulate(&["run", file, "--seed", &seed, "--json", "--no-shrink"]));
    assert_eq!(replay[0]["verdict"], "liveness");
    assert_eq!(replay[0]["failure"]["what"], objects[0]["failure"]["what"]);
    assert!(replay[0]["failure"]["shrunk"].is_null());
}

#[test]
fn a_schedule_of_the_soak_is_a_scenario_that_replays() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let printed = simulate(&["soak", "--seed", "7", "--print"]);
    let file = written(&folder, "soak.toml", &text(&printed.stdout));
    let run = simulate(&["run", &file, "--seed", "7", "--json"]);
    assert_eq!(run.status.code(), Some(0), "{}", text(&run.stdout));
    let events = objects(&run)[0]["events"].to_string();
    let soaked = simulate(&["soak", "--seed", "7", "--runs", "1"]);
    let said = text(&soaked.stdout);
    assert_eq!(soaked.status.code(), Some(0), "{said}");
    assert!(said.contains("1 schedules") && said.contains(&format!("{events} events")), "{said}");
}

#[test]
fn random_schedules_hold() {
    let runs = if std::env::var_os("MESHMQ_SOAK").is_some() { "1000" } else { "10" };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let failures = folder.path().display().to_string();
    let output = simulate(&["soak", "--runs", runs, "--failures", &failures]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
}

#[test]
fn what_cannot_drain_in_time_is_a_liveness_failure_with_its_history() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = FAILS.replace("expect = { dead = \"some\" }", "drain = \"1ms\"");
    let file = written(&folder, "slow.toml", &text);
    let output = simulate(&["run", &file, "--seed", "1", "--json", "--no-shrink"]);
    assert_eq!(output.status.code(), Some(11));
    let failure = &objects(&output)[0]["failure"];
    assert!(failure["message"].is_string(), "{failure:#}");
    let history = failure["history"].as_array().expect("a history");
    assert!(history.iter().any(|line| line.to_string().contains("Accepted")), "{failure:#}");
}

/// Elements of a page that are not closed in their order.
fn unbalanced(page: &str) -> Vec<String> {
    let mut open: Vec<&str> = Vec::new();
    let mut wrong = Vec::new();
    // What stands between the tags of a style is no element.
    let (before, rest) = page.split_once("<style>").expect("a style");
    let (_, after) = rest.split_once("</style>").expect("its end");
    for tag in [before, after].iter().flat_map(|part| part.split('<').skip(1)) {
        let (tag, _) = tag.split_once('>').unwrap_or((tag, ""));
        let name = tag.split_whitespace().next().unwrap_or("");
        match name.strip_prefix('/') {
            Some(name) if open.pop() != Some(name) => wrong.push(tag.to_owned()),
            Some(_) => {}
            None if ["!DOCTYPE", "meta"].contains(&name) => {}
            None => open.push(name),
        }
    }
    wrong.extend(open.into_iter().map(str::to_owned));
    wrong
}

#[test]
fn a_page_shows_the_run_and_changes_nothing_of_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let page = folder.path().join("run.html").display().to_string();
    let run = ["run", "simulations/scenarios/power_cut_everywhere.toml", "--seed", "7", "--json"];
    let plain = simulate(&run);
    let shown = simulate(&[&run[..], &["--report", &page]].concat());
    assert!(plain.stdout == shown.stdout, "a run with a page is another run");
    let first = std::fs::read_to_string(&page).expect("the page was written");
    let digest = objects(&plain)[0]["digest"].as_str().expect("a digest").to_owned();
    for part in [digest.as_str(), "Nodes and links", "Steps", "all promises kept", " is down from "]
    {
        assert!(first.contains(part), "{part}");
    }
    let charts =
        ["Messages by state", "Time into the queue", "Copies per message", "Bytes on disks"];
    for part in charts {
        assert!(first.contains(part), "{part}");
    }
    assert_eq!(first.matches("<svg role=\"img\"").count(), 5);
    assert_eq!(unbalanced(&first), [""; 0]);
    assert!(first.len() < 400_000, "{} bytes", first.len());
    simulate(&[&run[..], &["--report", &page]].concat());
    let second = std::fs::read_to_string(&page).expect("the page was written");
    assert!(first == second, "two pages of one seed differ");
}

#[test]
fn the_page_of_several_runs_is_about_the_first_that_failed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let page = folder.path().join("run.html").display().to_string();
    let cut = "steps = [{ at = \"20ms\", cut = [[\"a\"], [\"b\"]] }, { at = \"30ms\", heal = \"all\" }]\n";
    let slow = format!("{}{cut}", FAILS.replace("expect = { dead = \"some\" }", "drain = \"1ms\""));
    let file = written(&folder, "slow.toml", &slow);
    let good = "simulations/scenarios/partition.toml";
    let output = simulate(&["run", good, &file, "--seeds", "1", "--report", &page]);
    assert_eq!(output.status.code(), Some(11), "{}", text(&output.stderr));
    let page = std::fs::read_to_string(&page).expect("the page was written");
    assert_eq!(unbalanced(&page), [""; 0]);
    for part in ["What went wrong", "liveness", "failed after this", "Accepted", "It failed at"] {
        assert!(page.contains(part), "{part}");
    }
    let nowhere = folder.path().join("none/run.html").display().to_string();
    assert_eq!(
        simulate(&["run", good, "--seed", "1", "--report", &nowhere]).status.code(),
        Some(74)
    );
}

#[test]
fn a_file_that_is_no_scenario_is_refused_with_the_place() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let bad = written(&folder, "bad.toml", &FAILS.replace("count = 5", "cuont = 5"));
    let unknown = written(&folder, "unknown.toml", &FAILS.replace("from = \"a\"", "from = \"c\""));
    let missing = folder.path().join("missing.toml").display().to_string();
    for (file, place) in [(&bad, ":5:48: "), (&unknown, ":5:18: "), (&missing, ": ")] {
        for command in ["run", "check"] {
            let output = simulate(&[command, file]);
            assert_eq!(output.status.code(), Some(65));
            let said = text(&output.stderr);
            assert!(said.contains(&format!("{file}{place}")), "{said}");
            assert!(output.stdout.is_empty());
        }
    }
}

#[test]
fn a_contact_trace_is_read_from_beside_its_scenario() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let contacts = "contacts = { file = \"trace.csv\" }\nexpect = { dead = \"none\" }";
    let file =
        written(&folder, "met.toml", &FAILS.replace("expect = { dead = \"some\" }", contacts));
    let missing = simulate(&["check", &file]);
    assert_eq!(missing.status.code(), Some(65));
    assert!(text(&missing.stderr).contains(":7:21: `trace.csv`: "), "{}", text(&missing.stderr));
    written(&folder, "trace.csv", "time_s,event,a,b\n60,up,a,b\n90,down,a,b\n");
    let output = simulate(&["run", &file, "--seed", "3", "--json"]);
    let object = &objects(&output)[0];
    assert_eq!(object["verdict"], "ok", "{object:#}");
    let tally = &object["tally"];
    assert!(object["virtual_ms"].as_u64().is_some_and(|ms| ms > 60_000), "{object:#}");
    assert_eq!((&tally["received"], &tally["drained_in_ms"]), (&5.into(), &0.into()), "{tally}");
    let wrong = "time_s,event,a,b\n60,up,a,c\n";
    written(&folder, "trace.csv", wrong);
    let output = simulate(&["check", &file]);
    let said = text(&output.stderr);
    assert!(said.contains("`trace.csv`: line 2: there is no node `c`"), "{said}");
}

#[test]
fn every_scenario_is_explained_in_sentences() {
    let mut arguments = vec!["explain"];
    let files = scenarios();
    arguments.extend(files.iter().map(String::as_str));
    let output = simulate(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert_eq!(said.matches("It proves: ").count(), files.len());
    assert!(said.contains("Between 2s and 4s, healed: a–relay."), "{said}");
}

#[test]
fn a_wrong_command_line_is_refused() {
    for arguments in [&["run"][..], &["run", "--seeds", "0", "x.toml"], &["fly"]] {
        let output = simulate(arguments);
        assert_eq!(output.status.code(), Some(64), "{arguments:?}");
        assert!(!output.stderr.is_empty());
    }
    assert_eq!(simulate(&["--help"]).status.code(), Some(0));
}

#[test]
fn check_says_what_each_scenario_proves() {
    let files = scenarios();
    let mut arguments = vec!["check"];
    arguments.extend(files.iter().map(String::as_str));
    let output = simulate(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout).lines().count(), files.len());
}
