//! Join tokens: one text that lets one machine into one mesh.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use zeroize::Zeroizing;

/// A join token: the mesh and the inviter it is good for, and a secret that is used once.
///
/// Its text is a secret; only [`reveal`](Self::reveal) gives it.
pub struct Token {
    pub(crate) mesh: [u8; 16],
    pub(crate) inviter: [u8; 16],
    pub(crate) secret: Zeroizing<[u8; 16]>,
    pub(crate) expiry_min: u32,
    pub(crate) addresses: Vec<SocketAddr>,
}

impl Token {
    /// The text to be handed to the joiner.
    pub fn reveal(&self) -> Zeroizing<String> {
        Zeroizing::new(String::new())
    }

    /// Where the inviter listened when it made the token.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// When the inviter will refuse it, in Unix milliseconds: advice, the inviter decides.
    pub fn expires_at_ms(&self) -> u64 {
        u64::from(self.expiry_min) * 60_000
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(secret)")
    }
}

/// Why a text is not a token.
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

    fn from_str(_text: &str) -> Result<Self, TokenError> {
        Err(TokenError::NotAToken)
    }
}
