//! What a supervisor of services is told, by systemd's protocol: datagrams to the socket that it
//! names in the environment. Without one nothing is told.

use std::env;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// Tells the supervisor, if there is one, and whether that went out. Words as `READY=1`, one a line.
pub fn tell_supervisor(words: &str) -> bool {
    let Some(name) = env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else {
        return false;
    };
    let sent = address(name.as_encoded_bytes()).and_then(|address| {
        let socket = UnixDatagram::unbound()?;
        // A supervisor that does not read must not hold the node up.
        socket.set_nonblocking(true)?;
        socket.send_to_addr(words.as_bytes(), &address)
    });
    sent.is_ok()
}

/// A name that begins with `@` is no file but one of Linux's abstract sockets.
fn address(name: &[u8]) -> std::io::Result<SocketAddr> {
    #[cfg(target_os = "linux")]
    if let Some(rest) = name.strip_prefix(b"@") {
        use std::os::linux::net::SocketAddrExt;
        return SocketAddr::from_abstract_name(rest);
    }
    use std::os::unix::ffi::OsStrExt;
    SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(name))
}

/// How long the supervisor waits for a sign of life before it ends the process; none if it does not,
/// or if it watches another process.
pub fn watchdog_limit() -> Option<Duration> {
    let number = |name: &str| env::var(name).ok()?.parse::<u64>().ok();
    let is_for_us = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
    number("WATCHDOG_USEC").filter(|us| is_for_us && *us > 0).map(Duration::from_micros)
}
