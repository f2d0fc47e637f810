//! Accepting messages under a key, once.

use super::Node;
use crate::engine::command::{OnceKey, Outgoing, Reply};
use crate::engine::rejection::Rejection;
use crate::engine::turn::{Fault, Turn};
use std::collections::BTreeSet;

impl Node {
    /// Accepts messages, or gives the answer that the first send under the key got.
    pub(super) fn send_once(
        &mut self,
        turn: &mut Turn<'_>,
        request: OnceKey,
        messages: Vec<Outgoing>,
    ) -> Result<Reply, Fault> {
        if let Some(known) = self.onces.find(turn, request.key)? {
            if known.digest != request.digest {
                return Err(Rejection::KeyReused.into());
            }
            return Ok(Reply::Repeated(known.ids(self.me)));
        }
        let lines: BTreeSet<_> = messages.iter().map(|message| message.line).collect();
        self.check_disk(turn)?;
        self.onces.check(turn, lines.len())?;
        let reply = self.send(turn, messages)?;
        if let Reply::Accepted(ids) = &reply {
            self.onces.keep(turn, request, ids)?;
        }
        Ok(reply)
    }
}
