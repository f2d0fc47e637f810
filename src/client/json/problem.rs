//! JSON of refusals and failures: `application/problem+json` (RFC 9457) with a stable code.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a request was refused or failed. Nothing was changed unless `detail` says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the code tells more than a page could.
    #[serde(rename = "type")]
    pub kind: String,
    /// The HTTP status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened, in one sentence.
    pub detail: String,
    /// Stable, for programs: one of [`code`], or `Rejection::code` of the engine.
    pub code: String,
    /// What to do, in one sentence, if something can be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Problem {
    /// A problem of that status. The title is filled in by the gateway if left empty.
    pub fn new(status: u16, code: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank".to_owned(),
            title: String::new(),
            status,
            detail: detail.into(),
            code: code.to_owned(),
            hint: None,
        }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// Codes that are not refusals of the engine, with the status they come with.
pub mod code {
    /// The JSON, a query or a header of the request cannot be read (400, 415), or does not go with
    /// the rest of it (422).
    pub const BAD_REQUEST: &str = "bad_request";
    /// A number is out of its bounds (400).
    pub const OUT_OF_BOUNDS: &str = "out_of_bounds";
    /// A queue, node or message id is not one (400).
    pub const BAD_ADDRESS: &str = "bad_address";
    /// There is no such path, or not with this method (404, 405).
    pub const NO_SUCH_PATH: &str = "no_such_path";
    /// Nobody knows a node of that name (404).
    pub const NO_SUCH_NODE: &str = "no_such_node";
    /// The request is larger than the door takes (413).
    pub const TOO_LARGE: &str = "too_large";
    /// The caller may not do this: another user, or not the authority (403).
    pub const NOT_ALLOWED: &str = "not_allowed";
    /// No access token was shown, or one that is not the node's (401).
    pub const UNAUTHORIZED: &str = "unauthorized";
    /// The request names a host that is not this node (400, 403).
    pub const BAD_HOST: &str = "bad_host";
    /// A web page from elsewhere asks (403).
    pub const BAD_ORIGIN: &str = "bad_origin";
    /// The text is no token, or a forged one (403).
    pub const TOKEN_INVALID: &str = "token_invalid";
    /// The token's time is over (403).
    pub const TOKEN_EXPIRED: &str = "token_expired";
    /// Another node has used the token (403).
    pub const TOKEN_USED: &str = "token_used";
    /// The token is of another mesh than the inviter's (403).
    pub const OTHER_MESH: &str = "other_mesh";
    /// The node that made the token cannot be reached (502).
    pub const INVITER_UNREACHABLE: &str = "inviter_unreachable";
    /// A member of that name exists already (409).
    pub const NAME_TAKEN: &str = "name_taken";
    /// The node has members or messages in its mesh, so it cannot move to another (409).
    pub const MESH_IN_USE: &str = "mesh_in_use";
    /// The node is starting, or stopping (503).
    pub const NOT_READY: &str = "not_ready";
    /// The store failed; the node stops (500).
    pub const STORE_FAILED: &str = "store_failed";
    /// A defect of the program (500).
    pub const INTERNAL: &str = "internal";
}
