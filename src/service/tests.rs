use super::send::parse_id;
use super::*;
use crate::engine::command::MessageState;
use crate::engine::record::DeathReason;
use crate::engine::rejection::Rejection;

#[test]
fn what_can_mean_a_node() {
    for text in ["pc-a", "7", "pc-a~9f3c", &"f".repeat(64)] {
        assert!(is_node_text(text), "{text}");
    }
    for text in ["", "PC-A", "a b", "a@b", "ä", &"f".repeat(NODE_TEXT_MAX + 1)] {
        assert!(!is_node_text(text), "{text}");
    }
}

#[test]
fn a_wait_is_over_when_it_is_fulfilled_or_in_vain() {
    let dead = MessageState::Dead(DeathReason::ReachTimeExpired);
    let unconfirmed = MessageState::Unconfirmed(DeathReason::ReachTimeExpired);
    for (wait, state, is_over) in [
        (Wait::Stored, MessageState::Stored, true),
        (Wait::Arrived, MessageState::Stored, false),
        (Wait::Arrived, MessageState::Arrived, true),
        (Wait::Arrived, MessageState::Received, true),
        (Wait::Received, MessageState::Arrived, false),
        (Wait::Received, MessageState::Received, true),
        (Wait::Received, dead, true),
        (Wait::Arrived, unconfirmed, true),
    ] {
        assert_eq!(wait.is_over(state), is_over, "{wait:?} {state:?}");
    }
}

#[test]
fn what_is_wrong_has_the_exit_code_of_its_kind() {
    let queue: QueueName = "q".parse().expect("a name");
    for (error, exit) in [
        (Rejection::NoSuchQueue(queue.clone()).into(), 66),
        (Rejection::QueueExists(queue.clone()).into(), 73),
        (Rejection::QueueFull(queue).into(), 75),
        (Rejection::DiskLow { free: 0, reserve: 1 }.into(), 74),
        (Rejection::TooLarge { size: 2, limit: 1 }.into(), 65),
        (Rejection::OutOfBounds { what: "a", bounds: "b" }.into(), 64),
        (Rejection::MayDuplicate.into(), 75),
        (ServiceError::BadAddress(String::new()), 64),
        (ServiceError::Stopping, 69),
        (ServiceError::InviterUnreachable(String::new()), 69),
        (ServiceError::MeshInUse(String::new()), 73),
        (ServiceError::Internal(String::new()), 70),
    ] {
        assert_eq!(error.verdict().exit, exit, "{error:?}");
        let is_client_fault = error.verdict().status < 500;
        assert_eq!(
            is_client_fault,
            matches!(exit, 64..=66 | 73 | 75 | 77) && error.verdict().status != 507
        );
    }
}

#[test]
fn an_id_is_what_was_printed() {
    assert!(parse_id("0-1-2").is_ok());
    for text in ["", "0-1", "0-1-2-3", "x y", "u-1-2"] {
        assert!(matches!(parse_id(text), Err(ServiceError::BadId(_))), "{text}");
    }
}
