//! The dialogue at the gate: which message may follow which, on both sides.

use super::{Gatekeeper, State};
use crate::engine::address::NodeId;
use crate::security::admit::{self, Application};
use crate::security::dialogue::{Dialogue, ROUNDS_MAX, Reaction, Stage, Turn, Visit, Visitor};
use crate::security::hello::{self, Knock, Manner, Side};
use crate::security::membership::Standing;
use crate::security::message::{Hello, Message};
use crate::security::state::Mesh;
use crate::security::{Denial, NodeName, Token, join, suite};

const UNEXPECTED: Denial = Denial::Malformed("a message out of turn");

impl Gatekeeper {
    fn manner<'a>(&'a self, addresses: &'a [String]) -> Manner<'a> {
        Manner { identity: &self.identity, boot: self.boot, addresses }
    }

    /// Starts the dialogue with a peer that was dialed: HELLO to a known member, else a knock that
    /// shows nothing.
    pub fn knock(&self, peer: NodeId) -> (Dialogue, Vec<u8>) {
        let state = self.read();
        if let Some(mesh) = state.mesh.as_ref().filter(|mesh| mesh.view.is_active(peer)) {
            let hello = hello::own(mesh, &self.manner(&state.addresses), None);
            let bytes = Message::Hello(Box::new(hello)).encode();
            return (Dialogue::new(peer, Stage::Greeting), bytes);
        }
        let nonce = suite::random();
        let bytes = Message::Knock { nonce }.encode();
        (Dialogue::new(peer, Stage::Knocking { nonce }), bytes)
    }

    /// Starts the dialogue with the inviter, which the link has proven to be `peer`.
    ///
    /// # Errors
    /// [`Denial::WrongInviter`] if the token names another node: nothing may be said to it.
    /// [`Denial::AlreadyMember`] if this node is in the token's mesh.
    pub fn join(
        &self,
        peer: NodeId,
        token: &Token,
        name: &NodeName,
    ) -> Result<(Dialogue, Vec<u8>), Denial> {
        let state = self.read();
        let own = self.node();
        let same = state.mesh.as_ref().filter(|mesh| mesh.id() == token.mesh());
        let mut after = 0;
        if let Some(mesh) = same {
            if mesh.view.standing(own) == Standing::Active {
                return Err(Denial::AlreadyMember(mesh.view.shown(own).unwrap_or_default()));
            }
            after = mesh.view.next_serial(own, 0).map_or(0, |serial| serial - 1);
        }
        join::begin(peer, token, name, after)
    }

    /// Goes on with a dialogue that this node started.
    ///
    /// # Errors
    /// [`Denial`]: the dialogue is over.
    pub fn heard(&self, dialogue: &mut Dialogue, reply: &[u8]) -> Result<Turn, Denial> {
        dialogue.rounds += 1;
        let stage = std::mem::replace(&mut dialogue.stage, Stage::Over);
        if dialogue.rounds > ROUNDS_MAX {
            return Err(Denial::Malformed("too many rounds"));
        }
        let message = Message::read(reply).map_err(|why| Denial::Malformed(why.0))?;
        let peer = dialogue.peer;
        let (next, turn) = match (stage, message) {
            (_, Message::Refused(denial)) => return Err(denial),
            (Stage::Knocking { nonce }, Message::Counter { nonce: theirs, mac }) => {
                self.countered(peer, nonce, theirs, &mac)?
            }
            (Stage::Greeting, Message::Hello(hello)) => {
                let mut state = self.write();
                let mesh = state.mesh.as_mut().ok_or(Denial::NotInMesh)?;
                (Stage::Over, Turn::Proven(hello::accept(mesh, peer, *hello)?))
            }
            (Stage::Wanting(plan), Message::Here { nonce, mut authorities, chain }) => {
                authorities.extend(chain);
                join::prove(&self.identity, peer, plan, nonce, &authorities)?
            }
            (Stage::Joining(plan), Message::Welcome { certificate, secrets }) => {
                let state = self.read();
                let before = state.mesh.as_ref();
                let keep = join::complete(&self.identity, before, plan, &certificate, &secrets)?;
                (Stage::Over, Turn::Joined(keep))
            }
            _ => return Err(UNEXPECTED),
        };
        dialogue.stage = next;
        Ok(turn)
    }

    /// The listener has answered the knock: if it knows the mesh's secret, it may see who knocks.
    fn countered(
        &self,
        listener: NodeId,
        dialer_nonce: [u8; 32],
        listener_nonce: [u8; 32],
        mac: &[u8; 32],
    ) -> Result<(Stage, Turn), Denial> {
        let state = self.read();
        let mesh = state.mesh.as_ref().ok_or(Denial::NotInMesh)?;
        let knock = Knock { dialer: self.node(), listener, dialer_nonce, listener_nonce };
        let secret = knock.secret(mesh, Side::Listener, mac).ok_or(Denial::Stranger)?;
        let mac = knock.mac(secret, Side::Dialer);
        let hello = hello::own(mesh, &self.manner(&state.addresses), Some(mac));
        Ok((Stage::Greeting, Turn::Say(Message::Hello(Box::new(hello)).encode())))
    }

    /// Answers a peer that dialed this node.
    ///
    /// # Errors
    /// [`Denial`]: the connection is to be closed without a reply, so that a stranger learns
    /// nothing.
    pub fn asked(
        &self,
        peer: NodeId,
        memory: &mut Visitor,
        request: &[u8],
        now_ms: u64,
    ) -> Result<Reaction, Denial> {
        memory.rounds = memory.rounds.saturating_add(1);
        let stage = std::mem::replace(&mut memory.stage, Visit::Over);
        if memory.rounds > ROUNDS_MAX {
            return Err(Denial::Malformed("too many rounds"));
        }
        let message = Message::read(request).map_err(|why| Denial::Malformed(why.0))?;
        let mut state = self.write();
        let State { mesh, addresses } = &mut *state;
        let mesh = mesh.as_mut().ok_or(Denial::NotInMesh)?;
        match (stage, message) {
            (Visit::Fresh, Message::Knock { nonce }) => {
                let (reply, next) = self.knocked(mesh, peer, nonce)?;
                memory.stage = next;
                Ok(say(&reply))
            }
            (stage, Message::Hello(hello)) => {
                self.greeted(mesh, &self.manner(addresses), peer, stage, *hello)
            }
            (Visit::Fresh, Message::Want { invite, nonce }) => {
                match admit::wanted(mesh, &self.identity, invite, nonce, now_ms) {
                    Ok((here, next)) => {
                        memory.stage = next;
                        Ok(say(&here))
                    }
                    Err(denial) => Ok(admit::refusal(denial)),
                }
            }
            (
                Visit::Wanted { invite, theirs, ours },
                Message::Join { name, keys, proof, after },
            ) => {
                let application = Application { invite, theirs, ours, name, keys, proof, after };
                admit::applied(mesh, &self.identity, peer, &application, now_ms)
                    .or_else(|denial| Ok(admit::refusal(denial)))
            }
            _ => Err(UNEXPECTED),
        }
    }

    /// A stranger or member knocks: it is shown that this node knows some secret, nothing else.
    fn knocked(
        &self,
        mesh: &Mesh,
        dialer: NodeId,
        theirs: [u8; 32],
    ) -> Result<(Message, Visit), Denial> {
        let (_, secret) = mesh.secrets.last_key_value().ok_or(Denial::NotInMesh)?;
        let ours = suite::random();
        let knock =
            Knock { dialer, listener: self.node(), dialer_nonce: theirs, listener_nonce: ours };
        let mac = knock.mac(secret, Side::Listener);
        Ok((Message::Counter { nonce: ours, mac }, Visit::Knocked { theirs, ours }))
    }

    /// The dialer says HELLO, after a knock or because it knows this node.
    fn greeted(
        &self,
        mesh: &mut Mesh,
        manner: &Manner<'_>,
        dialer: NodeId,
        stage: Visit,
        hello: Hello,
    ) -> Result<Reaction, Denial> {
        let knocked = match (stage, hello.mac.as_ref()) {
            (Visit::Knocked { theirs, ours }, Some(mac)) => {
                let knock = Knock {
                    dialer,
                    listener: self.node(),
                    dialer_nonce: theirs,
                    listener_nonce: ours,
                };
                knock.secret(mesh, Side::Dialer, mac).ok_or(Denial::Stranger)?;
                true
            }
            (Visit::Fresh, None) => false,
            _ => return Err(UNEXPECTED),
        };
        match hello::accept(mesh, dialer, hello) {
            Ok(proven) => {
                let reply = hello::own(mesh, manner, None);
                Ok(Reaction { proven: Some(proven), ..say(&Message::Hello(Box::new(reply))) })
            }
            // Whoever has proven nothing, and was never a member, is told nothing.
            Err(denial) if knocked || mesh.view.certificate(dialer).is_some() => {
                Ok(admit::refusal(denial))
            }
            Err(denial) => Err(denial),
        }
    }
}

fn say(message: &Message) -> Reaction {
    Reaction { reply: message.encode(), keep: None, proven: None, refused: None }
}
