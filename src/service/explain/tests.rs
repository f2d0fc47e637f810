use super::*;

fn outcomes(checks: &Checks) -> Vec<(&'static str, ConditionState)> {
    checks.0.iter().map(|finding| (finding.check, finding.outcome)).collect()
}

#[test]
fn after_the_first_that_fails_the_others_are_open() {
    let mut checks = Checks::default();
    checks.add("a", true, "fine".to_owned(), "no hint for what holds");
    checks.add("b", false, "broken".to_owned(), "mend it");
    checks.add("c", true, "not told".to_owned(), "");
    checks.always("d", true, "told".to_owned());
    let found = outcomes(&checks);
    let wanted = [
        ("a", ConditionState::Holds),
        ("b", ConditionState::Fails),
        ("c", ConditionState::Open),
        ("d", ConditionState::Holds),
    ];
    assert_eq!(found, wanted);
    let hints: Vec<&str> = checks.0.iter().map(|finding| finding.hint.as_str()).collect();
    assert_eq!(hints, ["", "mend it", "", ""]);
    assert_eq!(checks.0[2].detail, "");
}

#[test]
fn a_link_must_be_agreed_and_have_room() {
    let link = WayLink { agreed: true, requests: 1, bytes: 5, window: 10, retry_at: None };
    for (link, failing) in [
        (None, Some("session")),
        (Some(WayLink { agreed: false, ..link }), Some("session")),
        (Some(WayLink { bytes: 10, ..link }), Some("window")),
        (Some(WayLink { requests: 0, window: 0, bytes: 0, ..link }), None),
        (Some(link), None),
    ] {
        let mut checks = Checks::default();
        check_link(&mut checks, link.as_ref());
        let fails =
            outcomes(&checks).into_iter().find(|(_, outcome)| *outcome == ConditionState::Fails);
        assert_eq!(fails.map(|(check, _)| check), failing, "{link:?}");
    }
}

#[test]
fn a_full_queue_is_told_from_another_refusal() {
    for (reason, failing) in [
        (None, None),
        (Some(NotTaken::QueueFull), Some("room")),
        (Some(NotTaken::StoreFull), Some("room")),
        (Some(NotTaken::Busy), Some("refusal")),
    ] {
        let mut checks = Checks::default();
        check_answers(&mut checks, reason);
        let fails =
            outcomes(&checks).into_iter().find(|(_, outcome)| *outcome == ConditionState::Fails);
        assert_eq!(fails.map(|(check, _)| check), failing, "{reason:?}");
    }
}
