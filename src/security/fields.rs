//! Arrays of CBOR in the one canonical form: of records and of the messages of dialogues.
//!
//! Refuses whatever does not encode back to the same bytes: indefinite lengths, long forms of
//! numbers, bytes after the end. Elements beyond the known ones are allowed, for later versions.

use ciborium::Value;

/// Deepest nesting; the deepest legal message has three levels.
const DEPTH_MAX: usize = 8;

/// The bytes do not have the wanted form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

/// Encodes an array.
pub(crate) fn array(values: Vec<Value>) -> Vec<u8> {
    encode(&Value::Array(values))
}

fn encode(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    ciborium::into_writer(value, &mut bytes).expect("a vector takes every value");
    bytes
}

/// A byte string.
pub(crate) fn bytes(bytes: &[u8]) -> Value {
    Value::Bytes(bytes.to_vec())
}

/// An array of byte strings.
pub(crate) fn byte_list<'a>(items: impl IntoIterator<Item = &'a [u8]>) -> Value {
    Value::Array(items.into_iter().map(bytes).collect())
}

/// The elements of an array, taken one after another.
pub(crate) struct Fields(std::vec::IntoIter<Value>);

impl Fields {
    /// Reads an array of at most `limit` bytes that is in canonical form.
    pub(crate) fn read(encoded: &[u8], limit: usize) -> Result<Self, Malformed> {
        if encoded.len() > limit {
            return Err(Malformed("too long"));
        }
        let value: Value = ciborium::de::from_reader_with_recursion_limit(encoded, DEPTH_MAX)
            .map_err(|_| Malformed("not CBOR"))?;
        if encode(&value) != encoded {
            return Err(Malformed("not in canonical form"));
        }
        match value {
            Value::Array(values) => Ok(Self(values.into_iter())),
            _ => Err(Malformed("not an array")),
        }
    }

    fn next(&mut self) -> Result<Value, Malformed> {
        self.0.next().ok_or(Malformed("too few fields"))
    }

    /// How many elements are left.
    pub(crate) fn left(&self) -> usize {
        self.0.len()
    }

    /// A number that fits.
    pub(crate) fn number<T: TryFrom<u64>>(&mut self) -> Result<T, Malformed> {
        match self.next()? {
            Value::Integer(number) => {
                let number = u64::try_from(number).map_err(|_| Malformed("a negative number"))?;
                T::try_from(number).map_err(|_| Malformed("a number out of its bounds"))
            }
            _ => Err(Malformed("not a number")),
        }
    }

    /// A byte string of at most `limit` bytes.
    pub(crate) fn bytes(&mut self, limit: usize) -> Result<Vec<u8>, Malformed> {
        match self.next()? {
            Value::Bytes(bytes) if bytes.len() <= limit => Ok(bytes),
            Value::Bytes(_) => Err(Malformed("a byte string that is too long")),
            _ => Err(Malformed("not a byte string")),
        }
    }

    /// A byte string of exactly `N` bytes.
    pub(crate) fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.optional()?.ok_or(Malformed("a byte string of a wrong length"))
    }

    /// A byte string of exactly `N` bytes, or an empty one for none.
    pub(crate) fn optional<const N: usize>(&mut self) -> Result<Option<[u8; N]>, Malformed> {
        let bytes = self.bytes(N)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let fixed = bytes.try_into().map_err(|_| Malformed("a byte string of a wrong length"))?;
        Ok(Some(fixed))
    }

    /// A text of at most `limit` bytes.
    pub(crate) fn text(&mut self, limit: usize) -> Result<String, Malformed> {
        match self.next()? {
            Value::Text(text) if text.len() <= limit => Ok(text),
            Value::Text(_) => Err(Malformed("a text that is too long")),
            _ => Err(Malformed("not a text")),
        }
    }

    /// An array of at most `limit` elements.
    pub(crate) fn list(&mut self, limit: usize) -> Result<Self, Malformed> {
        match self.next()? {
            Value::Array(values) if values.len() <= limit => Ok(Self(values.into_iter())),
            Value::Array(_) => Err(Malformed("an array that is too long")),
            _ => Err(Malformed("not an array")),
        }
    }

    /// An array of byte strings, each of at most `each` bytes.
    pub(crate) fn byte_list(
        &mut self,
        limit: usize,
        each: usize,
    ) -> Result<Vec<Vec<u8>>, Malformed> {
        let mut list = self.list(limit)?;
        (0..list.left()).map(|_| list.bytes(each)).collect()
    }
}

#[cfg(test)]
mod tests;
