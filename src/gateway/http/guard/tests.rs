use super::*;

#[test]
fn only_names_that_nobody_can_point_elsewhere_are_this_machines() {
    let is = |text: &str| is_of_this_machine(&text.parse().expect("an authority"));
    for host in ["localhost", "LOCALHOST:80", "127.0.0.1:7671", "127.0.0.1", "[::1]:7671", "[::1]"]
    {
        assert!(is(host), "{host}");
    }
    for host in ["evil.example", "localhost.evil.example", "pc-a:7671", "127.0.0.1.nip.io"] {
        assert!(!is(host), "{host}");
    }
}

#[test]
fn a_token_comes_with_its_scheme_and_once() {
    let read = |values: &[&'static str]| {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_static(value));
        }
        bearer(&headers).map(|found| found.map(str::to_owned))
    };
    assert_eq!(read(&[]), Ok(None));
    assert_eq!(read(&["Bearer x"]), Ok(Some("x".to_owned())));
    assert_eq!(read(&["bearer  x "]), Ok(Some("x".to_owned())));
    assert_eq!(read(&["Basic eDp5"]), Ok(Some(String::new())));
    assert!(read(&["Bearer x", "Bearer y"]).is_err());
}
