//! Join tokens: one text that lets one machine into one mesh.
//!
//! `mq1` and base58check of version, mesh, inviter, secret, expiry and addresses. A double click
//! selects all of it, and the checksum catches typing errors. Refuses to be printed by accident.

use super::MeshId;
use super::suite::{self, Signing};
use crate::engine::address::NodeId;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use zeroize::Zeroizing;

/// What every token begins with.
pub(super) const HEAD: &str = "mq1";
const VERSION: u8 = 1;
const CHECKSUM: usize = 4;
const IPV4: u8 = 4;
const IPV6: u8 = 6;
/// Most addresses of one token; with more it would not be handled as one text.
pub const TOKEN_ADDRESSES_MAX: usize = 4;
/// Longest text that is read as a token, in characters.
const TEXT_MAX: usize = 256;

/// Names an invitation to its inviter without telling the secret.
pub(crate) type InviteId = [u8; 8];

/// A join token: the mesh and the inviter it is good for, and a secret that is used once.
///
/// Its text is a secret; only [`reveal`](Self::reveal) gives it.
pub struct Token {
    pub(crate) mesh: [u8; 16],
    /// First half of the hash of the inviter's id; zeros for any admin.
    inviter: [u8; 16],
    pub(super) secret: Zeroizing<[u8; 16]>,
    expiry_min: u32,
    addresses: Vec<SocketAddr>,
}

impl Token {
    /// A token with a new secret.
    pub(crate) fn make(
        mesh: MeshId,
        inviter: NodeId,
        expires_ms: u64,
        addresses: &[SocketAddr],
    ) -> Self {
        Self::of(mesh, inviter, Zeroizing::new(suite::random()), expires_ms, addresses)
    }

    /// A token with this secret.
    pub(super) fn of(
        mesh: MeshId,
        inviter: NodeId,
        secret: Zeroizing<[u8; 16]>,
        expires_ms: u64,
        addresses: &[SocketAddr],
    ) -> Self {
        Self {
            mesh: mesh.0,
            inviter: inviter_hash(inviter),
            secret,
            // Rounded up: the inviter must never refuse what the token still promises.
            expiry_min: u32::try_from(expires_ms.div_ceil(60_000)).unwrap_or(u32::MAX),
            addresses: addresses.iter().copied().take(TOKEN_ADDRESSES_MAX).collect(),
        }
    }

    /// The text to be handed to the joiner.
    pub fn reveal(&self) -> Zeroizing<String> {
        let mut payload = Zeroizing::new(vec![VERSION]);
        payload.extend_from_slice(&self.mesh);
        payload.extend_from_slice(&self.inviter);
        payload.extend_from_slice(self.secret.as_ref());
        payload.extend_from_slice(&self.expiry_min.to_be_bytes());
        payload.push(self.addresses.len() as u8);
        for address in &self.addresses {
            match address.ip() {
                IpAddr::V4(ip) => {
                    payload.push(IPV4);
                    payload.extend_from_slice(&ip.octets());
                }
                IpAddr::V6(ip) => {
                    payload.push(IPV6);
                    payload.extend_from_slice(&ip.octets());
                }
            }
            payload.extend_from_slice(&address.port().to_be_bytes());
        }
        let checksum = suite::checksum(&payload);
        payload.extend_from_slice(&checksum);
        let digits = Zeroizing::new(bs58::encode(payload.as_slice()).into_string());
        Zeroizing::new(format!("{HEAD}{}", *digits))
    }

    /// The mesh it lets into.
    pub const fn mesh(&self) -> MeshId {
        MeshId(self.mesh)
    }

    /// Where the inviter listened when it made the token.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// When the inviter will refuse it, in Unix milliseconds: advice, the inviter decides.
    pub fn expires_at_ms(&self) -> u64 {
        u64::from(self.expiry_min) * 60_000
    }

    /// Whether the token was made by this node, as far as it says.
    pub fn is_from(&self, node: NodeId) -> bool {
        self.inviter == [0; 16] || suite::same(&self.inviter, &inviter_hash(node))
    }

    /// The key that proves the token.
    pub(crate) fn key(&self) -> Signing {
        Signing::from_secret(&suite::derive(self.secret.as_ref(), b"MeshMQ 1 invite key"))
    }

    /// The invitation's name.
    pub(crate) fn id(&self) -> InviteId {
        *suite::derive(self.secret.as_ref(), b"MeshMQ 1 invite id")
    }

    fn parse(payload: &[u8]) -> Option<Self> {
        let (mesh, rest) = payload.get(1..)?.split_first_chunk()?;
        let (inviter, rest) = rest.split_first_chunk()?;
        let (secret, rest) = rest.split_first_chunk()?;
        let (expiry, rest) = rest.split_first_chunk()?;
        let (&count, mut rest) = rest.split_first()?;
        let mut addresses = Vec::new();
        for _ in 0..count {
            let (&tag, after) = rest.split_first()?;
            let (ip, after): (IpAddr, _) = match tag {
                IPV4 => {
                    let (ip, after) = after.split_first_chunk::<4>()?;
                    (Ipv4Addr::from(*ip).into(), after)
                }
                IPV6 => {
                    let (ip, after) = after.split_first_chunk::<16>()?;
                    (Ipv6Addr::from(*ip).into(), after)
                }
                _ => return None,
            };
            let (port, after) = after.split_first_chunk()?;
            addresses.push(SocketAddr::new(ip, u16::from_be_bytes(*port)));
            rest = after;
        }
        if !rest.is_empty() || addresses.len() > TOKEN_ADDRESSES_MAX {
            return None;
        }
        Some(Self {
            mesh: *mesh,
            inviter: *inviter,
            secret: Zeroizing::new(*secret),
            expiry_min: u32::from_be_bytes(*expiry),
            addresses,
        })
    }
}

fn inviter_hash(node: NodeId) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&suite::hash(node.as_bytes())[..16]);
    half
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("mesh", &self.mesh()).finish_non_exhaustive()
    }
}

/// Why a text is not a token. The text itself is a secret and is not repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It does not begin like one.
    #[error("that is not a join token: one begins with `mq1`; get one on a member: meshmq invite")]
    NotAToken,
    /// The checksum does not fit.
    #[error("the token has a typing error; copy it whole: a double click selects it")]
    Mistyped,
    /// A later version made it.
    #[error("the token was made by a later version of MeshMQ ({0}): upgrade this node")]
    TooNew(u8),
}

impl TokenError {
    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotAToken => "not_a_token",
            Self::Mistyped => "token_mistyped",
            Self::TooNew(_) => "token_too_new",
        }
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        let digits = text.strip_prefix(HEAD).ok_or(TokenError::NotAToken)?;
        if text.len() > TEXT_MAX {
            return Err(TokenError::Mistyped);
        }
        let decoded = bs58::decode(digits).into_vec().map_err(|_| TokenError::Mistyped)?;
        let payload = Zeroizing::new(decoded);
        let end = payload.len().checked_sub(CHECKSUM).ok_or(TokenError::Mistyped)?;
        if suite::checksum(&payload[..end]) != payload[end..] {
            return Err(TokenError::Mistyped);
        }
        match payload.first() {
            Some(&VERSION) => Self::parse(&payload[..end]).ok_or(TokenError::Mistyped),
            Some(&later) if later > VERSION => Err(TokenError::TooNew(later)),
            _ => Err(TokenError::Mistyped),
        }
    }
}

#[cfg(test)]
mod tests;
