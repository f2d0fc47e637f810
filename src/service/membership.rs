//! Inviting, joining and leaving.

use super::{JoinFailure, Service, ServiceError};
use crate::engine::command::Command;
use crate::engine::time::{DAY_MS, MINUTE_MS, SECOND_MS};
use crate::security::{InviteOptions, Keep, NodeName, Token};

/// How long a token is good for unless said otherwise.
pub const INVITE_TTL_DEFAULT_MS: u64 = 15 * MINUTE_MS;
/// How long a token may be good for.
pub const INVITE_TTL_MAX_MS: u64 = 7 * DAY_MS;

/// A token for one new member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invited {
    /// The text to carry to the new member.
    pub token: String,
    /// Until when it is good, in milliseconds since 1970.
    pub expires_ms: u64,
    /// The mesh's label.
    pub mesh: String,
}

impl Service {
    /// Makes a token that lets one node join, `ttl_ms` long.
    ///
    /// # Errors
    /// [`ServiceError::Security`] where this node may not invite, [`ServiceError::NoMesh`], or a
    /// time out of bounds.
    pub async fn invite(&self, ttl_ms: Option<u64>, admin: bool) -> Result<Invited, ServiceError> {
        let ttl_ms = ttl_ms.unwrap_or(INVITE_TTL_DEFAULT_MS);
        if !(SECOND_MS..=INVITE_TTL_MAX_MS).contains(&ttl_ms) {
            let bounds = "from one second to seven days";
            return Err(ServiceError::out_of_bounds("the time of a token", bounds));
        }
        self.check_in_mesh()?;
        let now_ms = self.wall(self.handle().now());
        let options = InviteOptions { ttl_ms, admin, addresses: self.links().announced() };
        let (token, keep) = self.gatekeeper().invite(options, now_ms)?;
        self.keep(keep).await?;
        Ok(Invited {
            token: token.reveal().to_string(),
            expires_ms: now_ms.saturating_add(ttl_ms),
            mesh: self.gatekeeper().mesh_label(),
        })
    }

    /// Joins the mesh of a token, under a new name or the present one. A member of that mesh is
    /// done at once.
    ///
    /// # Errors
    /// [`ServiceError::MeshInUse`] if this node's present mesh has other members or messages; what
    /// is wrong with the token; [`ServiceError::InviterUnreachable`].
    pub async fn join(&self, token: &str, name: Option<&str>) -> Result<(), ServiceError> {
        let token: Token = token.trim().parse()?;
        let same_mesh = self.gatekeeper().mesh() == Some(token.mesh());
        if same_mesh && !self.gatekeeper().has_left() {
            return Ok(());
        }
        let name: NodeName = match name {
            Some(name) => name.parse().map_err(|_| {
                ServiceError::bad_value("a node's name", "1 to 63 of the characters a-z, 0-9 and -")
            })?,
            None => self.gatekeeper().name().ok_or_else(|| {
                ServiceError::bad_value("a node's name", "given, as this node has none yet")
            })?,
        };
        if !same_mesh {
            self.check_free_to_move().await?;
        }
        self.links().join(token, name).await.map_err(|why| match why {
            JoinFailure::Unreachable(why) => ServiceError::InviterUnreachable(why),
            JoinFailure::Denied(denial) => ServiceError::Denied(denial),
            JoinFailure::Busy => ServiceError::Busy,
            JoinFailure::NotStored => ServiceError::Stopping,
        })
    }

    /// Leaves the mesh: the others learn of it, and this node is alone again.
    ///
    /// # Errors
    /// [`ServiceError::NoMesh`], or what `security` has against it.
    pub async fn leave(&self) -> Result<(), ServiceError> {
        self.check_in_mesh()?;
        let now_ms = self.wall(self.handle().now());
        let keep = self.gatekeeper().leave(now_ms)?;
        self.keep(keep).await
    }

    fn check_in_mesh(&self) -> Result<(), ServiceError> {
        if self.is_in_mesh() { Ok(()) } else { Err(ServiceError::NoMesh) }
    }

    /// A node alone in its own fresh mesh may move; one with members or messages may not.
    async fn check_free_to_move(&self) -> Result<(), ServiceError> {
        if !self.gatekeeper().is_alone() && !self.gatekeeper().has_left() {
            return Err(ServiceError::MeshInUse("other members".to_owned()));
        }
        let summary = self.summary().await?;
        let messages = summary.messages + summary.outgoing + summary.carried + summary.dead;
        if messages > 0 {
            return Err(ServiceError::MeshInUse(match messages {
                1 => "a message".to_owned(),
                n => format!("{n} messages"),
            }));
        }
        Ok(())
    }

    async fn keep(&self, keep: Keep) -> Result<(), ServiceError> {
        let Keep { private, directory, forget } = keep;
        self.call(Command::Keep { private, directory, forget }).await.map(drop)
    }
}
