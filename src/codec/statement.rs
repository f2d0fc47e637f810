//! The bytes of a statement that its signer signs.

use super::cbor;
use crate::engine::statement::Statement;

/// The one encoding of a statement. `security` signs it behind a prefix that names the kind.
///
/// A statement that came in is encoded again to check its signature: an encoding other than this
/// one fails the check, so no statement has two forms.
pub fn encode_statement<T: Statement>(statement: &T) -> Vec<u8> {
    cbor::to_vec(statement)
}
