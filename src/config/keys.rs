//! Every key of the configuration file, once: its kind, its flag, its default, what it is for.
//!
//! A new setting is a row of [`KEYS`]; reading, `MESHMQ_*`, `config show` and the example file
//! follow from the row. Refuses to know what a value means to the node.

use super::value::{Kind, Value};
use crate::engine::limits::Limits;

/// One setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name in the file; a dot leads into a table.
    pub name: &'static str,
    /// What a value looks like.
    pub kind: Kind,
    /// The flag of `up` that sets it too, if there is one. Every key can be set with `--set`.
    pub flag: Option<&'static str>,
    /// What happens where no value is given and there is no default.
    pub unset: &'static str,
    /// What it is for, in one line.
    pub about: &'static str,
    /// The default of a number that is no field of [`Limits`].
    number: Option<u64>,
}

const fn key(name: &'static str, kind: Kind, about: &'static str) -> Key {
    Key { name, kind, flag: None, unset: "", about, number: None }
}

impl Key {
    const fn flag(self, flag: &'static str) -> Self {
        Self { flag: Some(flag), ..self }
    }

    const fn unset(self, unset: &'static str) -> Self {
        Self { unset, ..self }
    }

    const fn number(self, number: u64) -> Self {
        Self { number: Some(number), ..self }
    }

    /// The key of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.name == name)
    }

    /// The variable that sets it: `MESHMQ_` and the name in capitals, dots as `_`.
    pub fn variable(&self) -> String {
        format!("MESHMQ_{}", self.name.replace('.', "_").to_ascii_uppercase())
    }

    /// The value where nobody gives one; `None` where the field `unset` says what happens then.
    pub fn default(&self) -> Option<Value> {
        let mut limits = Limits::default();
        let limit = limit_fields(&mut limits).into_iter().find(|(name, _)| *name == self.name);
        let number = limit.map(|(_, number)| *number).or(self.number);
        match (self.kind, number) {
            (Kind::Size, Some(bytes)) => Some(Value::Size(bytes)),
            (_, Some(number)) => Some(Value::Number(number)),
            (Kind::List, None) => Some(Value::List(Vec::new())),
            (Kind::Switch, None) => Some(Value::Switch(true)),
            (Kind::Format, None) => Some(Value::Text("auto".to_owned())),
            (Kind::Text | Kind::Number | Kind::Count | Kind::Size, None) => None,
        }
    }
}

/// All settings, in the order in which they are shown. Tables come last, as TOML wants it.
pub const KEYS: &[Key] = &[
    key("data", Kind::Text, "The node's directory; one node per directory")
        .flag("data")
        .unset("meshmq in the user's data directory"),
    key("name", Kind::Text, "Name of the node when it founds or joins a mesh")
        .flag("name")
        .unset("the host's name"),
    key("listen", Kind::List, "Where to listen for other nodes: host:port or multiaddrs")
        .flag("listen")
        .unset("every interface, port 7670 or a free one"),
    key("peers", Kind::List, "Nodes to keep a link with: host:port or multiaddrs")
        .flag("peer")
        .unset("those that are found or were met"),
    key("announce", Kind::List, "Addresses told to other nodes instead of those listened on")
        .flag("announce")
        .unset("those listened on"),
    key("discovery", Kind::Switch, "Look for nodes on the local network, and show this one")
        .flag("no_discovery"),
    key("http", Kind::Text, "Where HTTP is served beside the socket: IP:PORT or `off`")
        .flag("http")
        .unset("127.0.0.1:7671, or a free port"),
    key(
        "http_cert",
        Kind::Text,
        "Certificate chain in PEM; an address that others reach needs one",
    )
    .flag("http_cert")
    .unset("none"),
    key("http_key", Kind::Text, "Key of the certificate in PEM").flag("http_key").unset("none"),
    key("socket_group", Kind::Text, "A group whose members may use the node too")
        .flag("socket_group")
        .unset("the node's own user only"),
    key("log", Kind::Text, "What is logged, as tracing filters, such as `warn,meshmq=debug`")
        .unset("what -q and -v say"),
    key("log_format", Kind::Format, "`text`, `json`, or `auto`: text on a terminal, else JSON"),
    key("limits.outgoing_messages", Kind::Number, "Messages that wait or lie dead at their origin"),
    key("limits.outgoing_bytes", Kind::Size, "Their bytes"),
    key("limits.relay_messages", Kind::Number, "Messages carried for others"),
    key("limits.relay_bytes", Kind::Size, "Their bytes"),
    key("limits.queue_messages", Kind::Number, "Messages of a queue without a quota of its own"),
    key("limits.queue_bytes", Kind::Size, "Bytes of a queue without a quota of its own"),
    key("limits.express_bytes", Kind::Size, "Express messages in memory, all together"),
    key("limits.body_bytes", Kind::Size, "Largest body of a message; less than 4 GiB"),
    key(
        "limits.partial_bytes",
        Kind::Size,
        "Bodies that have not come whole, from programs and from neighbours each",
    ),
    key(
        "limits.disk_reserve_bytes",
        Kind::Size,
        "Free space on the disk below which new work is refused",
    ),
    key("limits.locks", Kind::Count, "Received messages that are locked at once"),
    key(
        "limits.idempotency_keys",
        Kind::Count,
        "Idempotency keys, and rows of numbered sends, that are remembered",
    ),
    key(
        "limits.http_connections",
        Kind::Count,
        "Connections at once, of the socket and of TCP each",
    )
    .number(512),
    key("limits.http_streams", Kind::Count, "Streams of deliveries at once").number(256),
    key("limits.http_head_s", Kind::Count, "Seconds for the head of a request, or a TLS handshake")
        .number(5),
    key(
        "limits.http_body_s",
        Kind::Count,
        "Seconds for the body of a request, or for each piece of a raw one",
    )
    .number(30),
    key("limits.http_write_s", Kind::Count, "Seconds for somebody who reads nothing of an answer")
        .number(30),
    key("limits.http_json_bytes", Kind::Size, "Largest JSON body of a send").number(8 << 20),
];

/// Every bound that a configuration can move, with its key. A field of [`Limits`] that is missing
/// here does not compile.
pub(super) const fn limit_fields(limits: &mut Limits) -> [(&'static str, &mut u64); 12] {
    let Limits {
        outgoing_messages,
        outgoing_bytes,
        relay_messages,
        relay_bytes,
        queue_messages,
        queue_bytes,
        express_bytes,
        body_bytes,
        partial_bytes,
        disk_reserve_bytes,
        locks,
        idempotency_keys,
    } = limits;
    [
        ("limits.outgoing_messages", outgoing_messages),
        ("limits.outgoing_bytes", outgoing_bytes),
        ("limits.relay_messages", relay_messages),
        ("limits.relay_bytes", relay_bytes),
        ("limits.queue_messages", queue_messages),
        ("limits.queue_bytes", queue_bytes),
        ("limits.express_bytes", express_bytes),
        ("limits.body_bytes", body_bytes),
        ("limits.partial_bytes", partial_bytes),
        ("limits.disk_reserve_bytes", disk_reserve_bytes),
        ("limits.locks", locks),
        ("limits.idempotency_keys", idempotency_keys),
    ]
}

#[cfg(test)]
mod tests;
