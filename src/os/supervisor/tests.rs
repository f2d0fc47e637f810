use super::*;

fn hear(socket: &UnixDatagram) -> String {
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a deadline");
    let mut bytes = [0; 256];
    let length = socket.recv(&mut bytes).expect("a datagram");
    String::from_utf8(bytes[..length].to_vec()).expect("text")
}

#[test]
fn it_hears_what_it_is_told_at_a_path_and_under_a_name() {
    use std::os::linux::net::SocketAddrExt;
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("notify");
    let name = format!("meshmq-test-{}", std::process::id());
    let abstract_name =
        std::os::unix::net::SocketAddr::from_abstract_name(&name).expect("a short name");
    let at_path = UnixDatagram::bind(&path).expect("a socket");
    let at_name = UnixDatagram::bind_addr(&abstract_name).expect("a socket");
    for (socket, address) in
        [(at_path, path.into_os_string()), (at_name, format!("@{name}").into())]
    {
        let it = Supervisor::of(|which| (which == "NOTIFY_SOCKET").then(|| address.clone()), 1);
        let it = it.expect("it listens").expect("it is named");
        assert_eq!(it.watchdog(), None);
        it.tell("READY=1");
        assert_eq!(hear(&socket), "READY=1");
    }
}

#[test]
fn the_watchdog_is_its_own_process_only() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("notify");
    let _socket = UnixDatagram::bind(&path).expect("a socket");
    let watchdog = |pid: Option<&str>, time: &str| {
        let it = Supervisor::of(
            |name| match name {
                "NOTIFY_SOCKET" => Some(path.clone().into_os_string()),
                "WATCHDOG_USEC" => Some(time.into()),
                "WATCHDOG_PID" => pid.map(Into::into),
                _ => None,
            },
            77,
        );
        it.expect("it listens").expect("it is named").watchdog()
    };
    assert_eq!(watchdog(None, "2000000"), Some(Duration::from_secs(2)));
    assert_eq!(watchdog(Some("77"), "2000000"), Some(Duration::from_secs(2)));
    assert_eq!(watchdog(Some("78"), "2000000"), None);
    assert_eq!(watchdog(Some("77"), "0"), None);
    assert_eq!(watchdog(Some("77"), "soon"), None);
}

#[test]
fn nobody_and_nobody_there() {
    assert!(Supervisor::of(|_| None, 1).expect("it is not named").is_none());
    let gone = Supervisor::of(|_| Some("/nonexistent/notify".into()), 1);
    assert!(gone.is_err());
}
