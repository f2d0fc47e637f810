use super::{CliError, EXIT_CODES, Exit, exit_of, exit_of_death};
use crate::client::http::ClientError;
use crate::client::json::Problem;

#[test]
fn every_code_of_the_engine_and_the_door_has_its_exit() {
    let table = [
        ("bad_request", 64),
        ("bad_address", 64),
        ("out_of_bounds", 64),
        ("wrong_kind", 64),
        ("too_large", 65),
        ("no_such_queue", 66),
        ("no_such_node", 66),
        ("no_such_message", 66),
        ("inviter_unreachable", 69),
        ("internal", 70),
        ("queue_exists", 73),
        ("name_taken", 73),
        ("mesh_in_use", 73),
        ("disk_low", 74),
        ("store_failed", 74),
        ("queue_full", 75),
        ("outgoing_full", 75),
        ("express_full", 75),
        ("too_many_epochs", 75),
        ("too_many", 75),
        ("lock_gone", 75),
        ("may_duplicate", 75),
        ("token_expired", 77),
        ("token_used", 77),
        ("token_invalid", 77),
        ("other_mesh", 77),
        ("not_allowed", 77),
    ];
    for (code, exit) in table {
        assert_eq!(exit_of(code, 0) as u8, exit, "{code}");
    }
}

#[test]
fn a_code_of_a_later_version_falls_back_to_its_status() {
    for (status, exit) in [(400, 64), (403, 77), (404, 66), (409, 73), (413, 65), (503, 69)] {
        assert_eq!(exit_of("something_new", status) as u8, exit, "{status}");
    }
    assert_eq!(exit_of("something_new", 500), Exit::Defect);
}

#[test]
fn a_death_that_was_waited_for_tells_its_reason() {
    assert_eq!(exit_of_death("no_such_queue"), Exit::Unknown);
    assert_eq!(exit_of_death("reach_time_expired"), Exit::Later);
}

#[test]
fn a_problem_keeps_its_words() {
    let problem = Problem::new(404, "no_such_queue", "there is no queue `x`").hint("make it");
    let error = CliError::from(ClientError::Problem(Box::new(problem)));
    assert_eq!(
        error,
        CliError::new(Exit::Unknown, "no_such_queue", "there is no queue `x`").hint("make it")
    );
}

#[test]
fn the_help_names_every_code() {
    for exit in [0, 1, 64, 65, 66, 69, 70, 73, 74, 75, 77, 78] {
        assert!(EXIT_CODES.contains(&format!("\n  {exit:>2}  ")), "{exit}");
    }
}
