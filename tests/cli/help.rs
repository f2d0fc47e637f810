//! The whole reference in one snapshot, so that no change of a help text goes unseen.

use super::node::meshmq;

/// Names of the subcommands that a help text lists.
fn subcommands(help: &str) -> Vec<String> {
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    list.take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next().map(str::to_owned))
        .filter(|name| !name.is_empty() && name != "help")
        .collect()
}

/// The help of a command and of all below it.
fn visit(path: &[String], pages: &mut String) {
    let mut args: Vec<&str> = path.iter().map(String::as_str).collect();
    args.push("--help");
    let shown = meshmq(&args);
    assert_eq!((shown.code, shown.stderr.as_str()), (0, ""), "{args:?}");
    let title = format!("meshmq {}", path.join(" "));
    pages.push_str(&format!("## {}\n\n{}\n", title.trim_end(), shown.stdout));
    for name in subcommands(&shown.stdout) {
        let below: Vec<String> = path.iter().cloned().chain([name]).collect();
        visit(&below, pages);
    }
}

#[test]
fn the_reference_is_as_reviewed() {
    let mut pages = String::new();
    visit(&[], &mut pages);
    let clean: String = pages.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    snapbox::assert_data_eq!(clean, snapbox::file!["snapshots/reference.txt"]);
}

#[test]
fn no_line_of_help_is_wider_than_a_hundred_columns() {
    let mut pages = String::new();
    visit(&[], &mut pages);
    for line in pages.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
}
