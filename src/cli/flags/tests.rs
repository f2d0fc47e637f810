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
    for text in ["name", "nmae=a", "limits.relay_bytes=many", "discovery=maybe"] {
        let flags = NodeFlags { set: vec![text.to_owned()], ..NodeFlags::default() };
        assert_eq!(flags.given().map_err(|why| why.exit), Err(64), "{text}");
    }
}
