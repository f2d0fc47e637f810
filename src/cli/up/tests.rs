use super::*;
use crate::config::KEYS;

/// Flags that say what to do at this start, and not how the node is set.
const ONCE: [&str; 3] = ["join", "exit_with_stdin", "set"];

#[test]
fn every_flag_that_sets_the_node_has_a_key() {
    let command = UpArgs::augment_args(clap::Command::new("up"));
    for flag in command.get_arguments().map(|arg| arg.get_id().as_str()) {
        let has_key = KEYS.iter().any(|key| key.flag == Some(flag));
        assert!(has_key != ONCE.contains(&flag), "--{flag}: a key, or once only");
    }
}
