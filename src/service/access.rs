//! Access tokens: who may use the doors that the kernel does not guard.
//!
//! The token of the node's file is always there. Further ones are private records of the store, each
//! a hash with a label, so that one commit makes or ends one and a restart forgets none.

use super::{Service, ServiceError};
use crate::engine::command::{Command, Reply};
use crate::security::{AccessHash, AccessToken, random};
use bytes::{BufMut, Bytes, BytesMut};
use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};
use tokio::sync::Mutex;

/// Access tokens of a node beside the one in its file.
pub const ACCESS_TOKENS_MAX: usize = 256;
/// Longest label of an access token, in characters.
pub const ACCESS_LABEL_MAX: usize = 64;

/// How the names of their records begin.
const RECORD: &str = "door/token/";
/// Version of their bytes: hash, time, label.
const VERSION: u8 = 1;

/// An access token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Names it when it is revoked.
    pub id: String,
    /// What its maker called it.
    pub label: String,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: u64,
}

/// Whose token a program showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// The one in the node's file.
    File,
    /// The named one of this id.
    Named(String),
}

/// What the node knows of access tokens.
#[derive(Default)]
pub(super) struct AccessBook {
    known: RwLock<Known>,
    /// Held while the store is changed, so that the limit holds.
    changing: Mutex<()>,
}

#[derive(Default)]
struct Known {
    file: Option<AccessHash>,
    named: BTreeMap<String, (Access, AccessHash)>,
}

impl Service {
    /// Takes note of the file's token and reads the named ones. Until then none is admitted.
    ///
    /// # Errors
    /// [`ServiceError::Stopping`].
    pub async fn open_access(&self, file: AccessHash) -> Result<(), ServiceError> {
        let Reply::Kept { private, .. } = self.call(Command::Kept).await? else {
            return Err(ServiceError::Internal("kept records were expected".to_owned()));
        };
        let named = private.iter().filter_map(|(name, bytes)| {
            let id = name.strip_prefix(RECORD)?;
            let read = decode(id, bytes);
            if read.is_none() {
                tracing::warn!(id, "an access token of the store cannot be read: it admits nobody");
            }
            Some((id.to_owned(), read?))
        });
        let known = Known { file: Some(file), named: named.collect() };
        *self.book().known.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(())
    }

    /// Whose token this text is, if it is any; takes the same time for all that are not.
    pub fn holder_of(&self, text: &str) -> Option<Holder> {
        let shown = AccessHash::of(text);
        let known = self.book().known.read().unwrap_or_else(PoisonError::into_inner);
        let mut found = known.file.filter(|file| file.is(&shown)).map(|_| Holder::File);
        for (id, (_, hash)) in &known.named {
            if hash.is(&shown) {
                found = Some(Holder::Named(id.clone()));
            }
        }
        found
    }

    /// Makes a further token. Its text is told here and never again.
    ///
    /// # Errors
    /// A label out of bounds, or [`ServiceError::TooManyTokens`].
    pub async fn create_access(&self, label: &str) -> Result<(Access, AccessToken), ServiceError> {
        if label.chars().count() > ACCESS_LABEL_MAX || label.contains(char::is_control) {
            let bounds =
                format!("at most {ACCESS_LABEL_MAX} characters, none of them a control character");
            return Err(ServiceError::bad_value("a label", bounds));
        }
        let _changing = self.book().changing.lock().await;
        if self.accesses().len() >= ACCESS_TOKENS_MAX {
            return Err(ServiceError::TooManyTokens(ACCESS_TOKENS_MAX));
        }
        let token = AccessToken::draw();
        let access = Access {
            id: format!("{:08x}", u32::from_be_bytes(random())),
            label: label.to_owned(),
            created_ms: self.wall(self.handle().now()),
        };
        self.keep_access(&access.id, Some(encode(&access, token.hash()))).await?;
        let mut known = self.book().known.write().unwrap_or_else(PoisonError::into_inner);
        known.named.insert(access.id.clone(), (access.clone(), token.hash()));
        Ok((access, token))
    }

    /// The named tokens, the oldest first.
    pub fn accesses(&self) -> Vec<Access> {
        let known = self.book().known.read().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<_> = known.named.values().map(|(access, _)| access.clone()).collect();
        found.sort_by(|a, b| (a.created_ms, &a.id).cmp(&(b.created_ms, &b.id)));
        found
    }

    /// Ends a named token: the next request that shows it is refused.
    ///
    /// # Errors
    /// [`ServiceError::NoSuchToken`].
    pub async fn revoke_access(&self, id: &str) -> Result<(), ServiceError> {
        let _changing = self.book().changing.lock().await;
        if !self.accesses().iter().any(|access| access.id == id) {
            return Err(ServiceError::NoSuchToken(id.chars().take(80).collect()));
        }
        self.keep_access(id, None).await?;
        let mut known = self.book().known.write().unwrap_or_else(PoisonError::into_inner);
        known.named.remove(id);
        Ok(())
    }

    async fn keep_access(&self, id: &str, bytes: Option<Bytes>) -> Result<(), ServiceError> {
        let private = vec![(format!("{RECORD}{id}"), bytes)];
        let keep = Command::Keep { private, directory: Vec::new(), forget: false };
        self.call(keep).await.map(drop)
    }

    fn book(&self) -> &AccessBook {
        &self.0.access
    }
}

fn encode(access: &Access, hash: AccessHash) -> Bytes {
    let mut out = BytesMut::new();
    out.put_u8(VERSION);
    out.put(hash.to_bytes());
    out.put_u64(access.created_ms);
    out.put(access.label.as_bytes());
    out.freeze()
}

fn decode(id: &str, bytes: &[u8]) -> Option<(Access, AccessHash)> {
    let (&VERSION, rest) = bytes.split_first()? else { return None };
    let (hash, rest) = rest.split_at_checked(32)?;
    let (created, label) = rest.split_at_checked(8)?;
    let access = Access {
        id: id.to_owned(),
        label: String::from_utf8(label.to_vec()).ok()?,
        created_ms: u64::from_be_bytes(created.try_into().ok()?),
    };
    Some((access, AccessHash::read(hash)?))
}

#[cfg(test)]
mod tests;
