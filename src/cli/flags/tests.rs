use super::*;

#[test]
fn a_flag_of_its_own_goes_before_set() {
    let flags = NodeFlags {
        name: Some("own".to_owned()),
        set: vec!["name=set".to_owned(), "limits.relay_bytes=1MiB".to_owned()],
        no_discovery: true,
        ..NodeFlags::default()
    };
    let settings = Settings::load(None, |_| None, flags.given().expect("all is good"));
    let options = options(&settings.expect("all is good"), PathBuf::from("/x"));
    let options = options.expect("all is good");
    assert_eq!(options.name.as_deref(), Some("own"));
    assert_eq!(options.limits.relay_bytes, 1 << 20);
    assert!(!options.discovery);
}

#[test]
fn the_bounds_of_doors_are_keys_with_the_defaults_of_the_doors() {
    let made = |set: &[&str]| {
        let set = set.iter().map(ToString::to_string).collect();
        let flags = NodeFlags { set, ..NodeFlags::default() };
        let settings = Settings::load(None, |_| None, flags.given().expect("keys"));
        options(&settings.expect("all is good"), PathBuf::from("/x")).expect("all is good").doors
    };
    assert_eq!(made(&[]), DoorLimits::default());
    let set = [
        "limits.http_connections=1",
        "limits.http_streams=2",
        "limits.http_head_s=3",
        "limits.http_body_s=4",
        "limits.http_write_s=5",
        "limits.http_json_bytes=6",
    ];
    let (head, body, write) =
        (Duration::from_secs(3), Duration::from_secs(4), Duration::from_secs(5));
    let wanted = DoorLimits { connections: 1, streams: 2, head, body, write, json_bytes: 6 };
    assert_eq!(made(&set), wanted);
}

#[test]
fn a_door_that_cannot_be_is_a_configuration_error() {
    for set in [&["http=nowhere"][..], &["http_cert=a.pem"]] {
        let set = set.iter().map(ToString::to_string).collect();
        let flags = NodeFlags { set, ..NodeFlags::default() };
        let settings = Settings::load(None, |_| None, flags.given().expect("keys"));
        let refused = options(&settings.expect("all is good"), PathBuf::from("/x"));
        assert_eq!(refused.map_err(|why| why.exit).map(drop), Err(78));
    }
}

#[test]
fn a_set_that_says_nothing_is_a_usage_error() {
    for text in ["name", "nmae=a", "limits.relay_bytes=many", "discovery=maybe", "limits.locks=0"] {
        let flags = NodeFlags { set: vec![text.to_owned()], ..NodeFlags::default() };
        assert_eq!(flags.given().map_err(|why| why.exit), Err(64), "{text}");
    }
}
