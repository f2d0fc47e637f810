//! The door on TCP: where it listens, and its certificate if it has one.
//!
//! Refuses an address that other machines reach unless connections are encrypted.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::version::TLS13;

/// A certificate chain and its key, read and fit for each other.
#[derive(Clone)]
pub struct Tls(TlsAcceptor);

impl Tls {
    /// Reads both from PEM files.
    ///
    /// # Errors
    /// [`TcpError::Certificate`], which names the file.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, TcpError> {
        let bad = |path: &Path, why: String| TcpError::Certificate { path: path.to_owned(), why };
        let chain: Result<Vec<_>, _> =
            CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect);
        let chain = chain.map_err(|why| bad(certificate, why.to_string()))?;
        if chain.is_empty() {
            return Err(bad(certificate, "it holds no certificate in PEM".to_owned()));
        }
        let secret = PrivateKeyDer::from_pem_file(key).map_err(|why| bad(key, why.to_string()))?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&TLS13])
            .map_err(|why| bad(key, why.to_string()))?
            .with_no_client_auth()
            .with_single_cert(chain, secret)
            .map_err(|why| bad(key, why.to_string()))?;
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

/// A bound TCP address.
#[derive(Debug)]
pub struct TcpDoor {
    pub(super) listener: TcpListener,
    tls: Option<Tls>,
    address: SocketAddr,
}

impl TcpDoor {
    /// Binds the address.
    ///
    /// # Errors
    /// [`TcpError::Exposed`] for one that other machines reach, without a certificate;
    /// [`TcpError::Taken`] and [`TcpError::Bind`] for what the system says.
    pub async fn bind(address: SocketAddr, tls: Option<Tls>) -> Result<Self, TcpError> {
        check_exposure(address, tls.is_some())?;
        let failed = |why: io::Error| match why.kind() {
            io::ErrorKind::AddrInUse => TcpError::Taken(address),
            _ => TcpError::Bind { address, why: why.to_string() },
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, tls, address })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same for programs.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    pub(super) fn tls(&self) -> Option<TlsAcceptor> {
        self.tls.as_ref().map(|tls| tls.0.clone())
    }
}

/// Checks, before anything is bound, that what other machines reach is encrypted.
///
/// # Errors
/// [`TcpError::Exposed`].
pub const fn check_exposure(address: SocketAddr, is_encrypted: bool) -> Result<(), TcpError> {
    if is_encrypted || address.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    Err(TcpError::Exposed(address))
}

/// Why there is no door on TCP.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TcpError {
    /// Other machines reach the address, and nothing would be encrypted.
    #[error("{0}: other machines reach this address, so the HTTP door there needs TLS")]
    Exposed(SocketAddr),
    /// Another process has the port.
    #[error("{0}: another process listens there")]
    Taken(SocketAddr),
    /// Anything else that the system said.
    #[error("{address}: the HTTP door cannot listen there: {why}")]
    Bind {
        /// Where.
        address: SocketAddr,
        /// The system's words.
        why: String,
    },
    /// A file is not what it should be.
    #[error("{}: {why}", path.display())]
    Certificate {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

#[cfg(test)]
mod tests;
