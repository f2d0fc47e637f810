//! Accepting messages under a key, once.

use super::Node;
use crate::engine::command::{OnceKey, Outgoing, Reply};
use crate::engine::rejection::Rejection;
use crate::engine::turn::{Fault, Turn};
use std::cmp::Ordering;
use std::collections::BTreeSet;

impl Node {
    /// Accepts messages, or gives the answer that the first send under the key got.
    pub(super) fn send_once(
        &mut self,
        turn: &mut Turn<'_>,
        request: OnceKey,
        messages: Vec<Outgoing>,
    ) -> Result<Reply, Fault> {
        let known = self.onces.find(turn, request.key)?;
        match known.as_ref().map(|known| request.number.cmp(&known.number)) {
            None | Some(Ordering::Greater) => {}
            Some(Ordering::Less) => {
                return Err(Rejection::RowPast(known.map_or(0, |known| known.number)).into());
            }
            Some(Ordering::Equal) => {
                return match known.filter(|known| known.digest == request.digest) {
                    Some(known) => Ok(Reply::Repeated(known.ids(self.me))),
                    None => Err(Rejection::KeyReused.into()),
                };
            }
        }
        let lines: BTreeSet<_> = messages.iter().map(|message| message.line).collect();
        self.check_disk(turn)?;
        self.onces.check(turn, request.key, lines.len())?;
        let reply = self.send(turn, messages)?;
        if let Reply::Accepted(ids) = &reply {
            self.onces.keep(turn, request, ids)?;
        }
        Ok(reply)
    }
}
