use super::*;

#[test]
fn only_this_machine_may_do_without_encryption() {
    let at = |text: &str| text.parse::<SocketAddr>().expect("an address");
    for own in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
        assert_eq!(check_exposure(at(own), false), Ok(()), "{own}");
    }
    for open in ["0.0.0.0:1", "[::]:1", "192.168.1.2:1", "[fe80::1]:1"] {
        assert_eq!(check_exposure(at(open), false), Err(TcpError::Exposed(at(open))));
        assert_eq!(check_exposure(at(open), true), Ok(()));
    }
}

#[tokio::test]
async fn a_taken_port_is_told_from_other_failures() {
    let any = "127.0.0.1:0".parse().expect("an address");
    let door = TcpDoor::bind(any, None).await.expect("a free port");
    assert!(door.url().starts_with("http://127.0.0.1:"), "{}", door.url());
    let second = TcpDoor::bind(door.address(), None).await;
    assert_eq!(second.expect_err("one door each"), TcpError::Taken(door.address()));
    let elsewhere = "[2001:db8::1]:1".parse().expect("an address");
    let tls = None;
    assert!(matches!(TcpDoor::bind(elsewhere, tls).await, Err(TcpError::Exposed(_))));
}

#[test]
fn files_that_are_no_certificate_are_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("cert.pem");
    for text in [None, Some("")] {
        if let Some(text) = text {
            std::fs::write(&path, text).expect("a file");
        }
        let refused = Tls::read(&path, &path).expect_err("no certificate");
        assert!(refused.to_string().contains("cert.pem"), "{refused}");
    }
}
