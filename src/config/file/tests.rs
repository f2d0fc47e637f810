use super::*;

fn mistakes(text: &str) -> Vec<String> {
    read(text).expect_err("it has mistakes").iter().map(ToString::to_string).collect()
}

#[test]
fn a_file_is_read_with_the_line_of_every_key() {
    let text = "name = \"pc-a\"\npeers = [\"b:7670\",\n  \"c:7670\"]\n\n[limits]\n\
                relay_bytes = \"1GiB\" # enough\nqueue_bytes = 65_536\n";
    let mut given = read(text).expect("it is good");
    given.sort_by_key(|given| given.line);
    let found: Vec<_> =
        given.iter().map(|given| (given.key.name, given.value.clone(), given.line)).collect();
    let peers = Value::List(vec!["b:7670".to_owned(), "c:7670".to_owned()]);
    assert_eq!(
        found,
        [
            ("name", Value::Text("pc-a".to_owned()), 1),
            ("peers", peers, 2),
            ("limits.relay_bytes", Value::Size(1 << 30), 6),
            ("limits.queue_bytes", Value::Size(65_536), 7),
        ]
    );
}

#[test]
fn dotted_keys_are_keys_of_their_table() {
    let given = read("limits.relay_messages = 7").expect("it is good");
    assert_eq!(given[0].key.name, "limits.relay_messages");
}

#[test]
fn an_unknown_key_is_told_with_line_and_column() {
    assert_eq!(mistakes("name = \"a\"\n  nmae = \"b\"\n"), ["2:3: there is no key `nmae`"]);
    assert_eq!(
        mistakes("[limits]\nrelay_bites = 1\n[limit]\nx = 1\n"),
        ["2:1: there is no key `limits.relay_bites`", "3:2: there is no key `limit`"]
    );
}

#[test]
fn a_value_of_the_wrong_kind_is_told_where_it_stands() {
    assert_eq!(mistakes("discovery = \"no\""), ["1:13: `discovery` must be true or false"]);
    assert_eq!(mistakes("listen = \"a:1\""), ["1:10: `listen` must be a list of texts"]);
    assert_eq!(
        mistakes("[limits]\nrelay_messages = -1"),
        ["2:18: `limits.relay_messages` must be a whole number, not negative"]
    );
    assert_eq!(mistakes("limits = 3"), ["1:1: there is no key `limits`"]);
}

#[test]
fn all_mistakes_are_told_in_their_order() {
    let found = mistakes("zz = 1\nname = 5\naa = 2\n");
    assert_eq!(found.len(), 3);
    assert!(found.iter().zip(1..).all(|(what, line)| what.starts_with(&format!("{line}:"))));
}

#[test]
fn what_is_no_toml_is_told_with_its_place() {
    let found = mistakes("name = \"a\"\nlisten = [\n");
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("2:") || found[0].starts_with("3:"), "{found:?}");
    assert!(mistakes("ä = 1 1")[0].starts_with("1:"), "{:?}", mistakes("ä = 1 1"));
}
