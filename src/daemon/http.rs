//! The HTTP door on TCP: where it was asked for, where it comes to be, and what keeps it shut.
//!
//! Asked for by name, it opens there or the node does not start. Left to the default, a node is
//! worth more than its door: a taken port is exchanged for a free one, and whatever else is wrong is
//! a warning in the status.

use super::DaemonError;
use super::home::Home;
use crate::config::HTTP_PORT;
use crate::gateway::http::{TcpDoor, TcpError, Tls, check_exposure};
use crate::security::AccessToken;
use crate::service::{HttpDoor, Service};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

/// Where the HTTP door on TCP is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HttpWish {
    /// Nowhere.
    #[default]
    Off,
    /// On port 7671 of the loopback, or on a free one if that is taken.
    Usual,
    /// There, or the node does not start. Port 0 is any free one, kept for the next start.
    At(SocketAddr),
}

impl FromStr for HttpWish {
    type Err = BadWish;

    fn from_str(text: &str) -> Result<Self, BadWish> {
        let plain = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
        match text {
            "off" => Ok(Self::Off),
            _ => plain.as_deref().unwrap_or(text).parse().map(Self::At).map_err(|_| BadWish),
        }
    }
}

/// The text is no place for the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`IP:PORT`, `localhost:PORT` or `off` is wanted")]
pub struct BadWish;

/// Files of the door's certificate, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and those that vouch for it.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// What was asked for, checked.
#[derive(Debug)]
pub(super) struct Wanted {
    wish: HttpWish,
    tls: Option<Tls>,
}

/// Reads the files and checks the address, before anything is made.
pub(super) fn wanted(wish: HttpWish, tls: Option<&TlsFiles>) -> Result<Wanted, DaemonError> {
    if let HttpWish::At(address) = wish {
        check_exposure(address, tls.is_some())?;
    }
    let tls = tls.map(|files| Tls::read(&files.certificate, &files.key)).transpose()?;
    Ok(Wanted { wish, tls })
}

/// Under what the door's port is written down.
pub(super) const PORT: &str = "http";

/// The port to be written down, if the system or a taken port chose it.
pub(super) fn chosen(wish: HttpWish, door: &TcpDoor) -> Option<(String, u16)> {
    let port = door.address().port();
    let is_chosen = match wish {
        HttpWish::Off => false,
        HttpWish::Usual => port != HTTP_PORT,
        HttpWish::At(address) => address.port() == 0,
    };
    is_chosen.then(|| (PORT.to_owned(), port))
}

/// Opens the door, unless it is not wanted, and tells the service what became of it. `kept` is the
/// port of an earlier start that was not the one asked for.
pub(super) async fn open(
    wanted: Wanted,
    home: &Home,
    service: &Service,
    kept: Option<u16>,
) -> Result<(HttpDoor, Option<TcpDoor>), DaemonError> {
    let Wanted { wish, tls } = wanted;
    let (addresses, is_asked) = match wish {
        HttpWish::Off => return Ok((HttpDoor::default(), None)),
        HttpWish::Usual => {
            let ports = kept.into_iter().chain([HTTP_PORT, 0]);
            (ports.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port))).collect(), false)
        }
        HttpWish::At(address) if address.port() == 0 => {
            let ports = kept.into_iter().chain([0]);
            (ports.map(|port| SocketAddr::new(address.ip(), port)).collect(), true)
        }
        HttpWish::At(address) => (vec![address], true),
    };
    let opened = async {
        let token = AccessToken::load_or_create(&home.token()).map_err(DaemonError::token)?;
        service.open_access(token.hash()).await?;
        Ok::<_, DaemonError>(bind_first(&addresses, tls).await?)
    };
    match opened.await {
        Ok(door) => {
            let moved = wish == HttpWish::Usual && door.address().port() != HTTP_PORT;
            let warning = moved.then(|| {
                let port = door.address().port();
                format!("port {HTTP_PORT} was taken, so the HTTP door is on port {port}")
            });
            Ok((HttpDoor { url: Some(door.url()), warning }, Some(door)))
        }
        Err(why) if is_asked => Err(why),
        Err(why) => {
            let warning = Some(format!("there is no HTTP door on TCP: {why}"));
            Ok((HttpDoor { url: None, warning }, None))
        }
    }
}

/// The first of these addresses that is free.
async fn bind_first(addresses: &[SocketAddr], tls: Option<Tls>) -> Result<TcpDoor, TcpError> {
    let mut refused = None;
    for &address in addresses {
        match TcpDoor::bind(address, tls.clone()).await {
            Err(why @ TcpError::Taken(_)) => refused = Some(why),
            bound => return bound,
        }
    }
    Err(refused.expect("there is an address at least"))
}

#[cfg(test)]
mod tests;
