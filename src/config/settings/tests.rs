use super::*;
use crate::config::Kind;

fn load(file: &str, variables: &[(&str, &str)], flags: Vec<Flag>) -> Result<Settings, ConfigError> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("config.toml");
    std::fs::write(&path, file).expect("the directory is writable");
    let variable = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    Settings::load(Some(&path), variable, flags)
}

fn source(settings: &Settings, name: &str) -> Source {
    settings.get(Key::named(name).expect("a key")).1
}

#[test]
fn a_flag_goes_before_a_variable_before_the_file_before_the_default() {
    let file = "name = \"file\"\nlog = \"file\"\nsocket_group = \"file\"\n";
    let variables = [("MESHMQ_NAME", "variable"), ("MESHMQ_LOG", "variable")];
    let name = Key::named("name").expect("a key");
    let flags = vec![(name, Value::Text("flag".to_owned()))];
    let settings = load(file, &variables, flags).expect("all is good");
    assert_eq!(settings.text("name").as_deref(), Some("flag"));
    assert_eq!(source(&settings, "name"), Source::Flag);
    assert_eq!(settings.text("log").as_deref(), Some("variable"));
    assert_eq!(source(&settings, "log"), Source::Variable("MESHMQ_LOG".to_owned()));
    assert_eq!(source(&settings, "socket_group"), Source::File(3));
    assert_eq!(source(&settings, "discovery"), Source::Default);
    assert!(settings.is_on("discovery"));
}

#[test]
fn limits_reach_the_node() {
    let settings =
        load("limits.relay_bytes = \"1MiB\"", &[("MESHMQ_LIMITS_QUEUE_MESSAGES", "5")], vec![]);
    let limits = settings.expect("all is good").limits();
    let wanted = Limits { relay_bytes: 1 << 20, queue_messages: 5, ..Limits::default() };
    assert_eq!(limits, wanted);
}

#[test]
fn a_variable_that_is_no_value_is_an_error_and_an_empty_one_is_none() {
    let refused = load("", &[("MESHMQ_DISCOVERY", "maybe")], vec![]).expect_err("no switch");
    assert_eq!(refused.to_string(), "`maybe` in MESHMQ_DISCOVERY is not true or false");
    assert_eq!(load("", &[("MESHMQ_DISCOVERY", "")], vec![]), Ok(Settings::default()));
}

#[test]
fn every_kind_is_read_from_a_variable() {
    let text = |kind: Kind| match kind {
        Kind::Text => "a",
        Kind::List => "a, b",
        Kind::Switch => "false",
        Kind::Number | Kind::Count => "3",
        Kind::Size => "3KiB",
        Kind::Format => "json",
    };
    for key in KEYS {
        let variable = key.variable();
        let settings = load("", &[(&variable, text(key.kind))], vec![]).expect("all is good");
        assert_eq!(source(&settings, key.name), Source::Variable(variable));
    }
}

#[test]
fn a_file_that_was_named_must_be_there_and_be_small_and_text() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let load = |path: &Path| Settings::load(Some(path), |_| None, vec![]);
    let unreadable = |outcome| matches!(outcome, Err(ConfigError::Unreadable { .. }));
    assert!(unreadable(load(&dir.path().join("none.toml"))));
    let path = dir.path().join("big.toml");
    std::fs::write(&path, vec![b'#'; FILE_MAX as usize + 1]).expect("writable");
    assert!(unreadable(load(&path)));
    std::fs::write(&path, [b'#', 0xff]).expect("writable");
    assert!(unreadable(load(&path)));
}
