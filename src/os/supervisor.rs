//! What a service manager wants to hear of a process: sd_notify(3), without its library.

use std::ffi::OsString;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

/// A service manager that started this process and listens.
#[derive(Debug)]
pub struct Supervisor {
    socket: UnixDatagram,
    watchdog: Option<Duration>,
}

impl Supervisor {
    /// The one that the environment names (`NOTIFY_SOCKET`, `WATCHDOG_USEC`, `WATCHDOG_PID`), if any.
    ///
    /// # Errors
    /// If one is named and cannot be reached.
    pub fn of_environment() -> io::Result<Option<Self>> {
        Self::of(|name| std::env::var_os(name), std::process::id())
    }

    fn of(variable: impl Fn(&str) -> Option<OsString>, own: u32) -> io::Result<Option<Self>> {
        let Some(address) = variable("NOTIFY_SOCKET") else { return Ok(None) };
        let socket = UnixDatagram::unbound()?;
        connect(&socket, &address)?;
        let number = |name| variable(name)?.to_str()?.parse::<u64>().ok();
        let is_for_us = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(own));
        let watchdog = number("WATCHDOG_USEC").filter(|time| is_for_us && *time > 0);
        Ok(Some(Self { socket, watchdog: watchdog.map(Duration::from_micros) }))
    }

    /// Within which time it wants a sign of life, again and again.
    pub const fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }

    /// Tells it something, such as `READY=1`. If it does not listen any more, nothing happens.
    pub fn tell(&self, state: &str) {
        let _ = self.socket.send(state.as_bytes());
    }
}

/// A path, or a name in the abstract namespace, which begins with `@`.
fn connect(socket: &UnixDatagram, address: &OsString) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use std::os::linux::net::SocketAddrExt;
        use std::os::unix::ffi::OsStrExt;
        use std::os::unix::net::SocketAddr;
        if let Some(name) = address.as_bytes().strip_prefix(b"@") {
            return socket.connect_addr(&SocketAddr::from_abstract_name(name)?);
        }
    }
    socket.connect(address)
}

#[cfg(test)]
mod tests;
