//! Whole numbers as JSON Schema has them: `5` and `5.0` are the same.

use serde::de::{Deserializer, Error, Unexpected, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// Above this not every whole number has its own double.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// Above this other languages have no number for it.
const NUMBER_MAX: u64 = i64::MAX as u64;

/// Reads a whole number that fits.
pub(super) fn number<'de, D: Deserializer<'de>, T: TryFrom<u64>>(from: D) -> Result<T, D::Error> {
    let found = from.deserialize_u64(Whole)?;
    if found > NUMBER_MAX {
        return Err(D::Error::invalid_value(Unexpected::Unsigned(found), &Whole));
    }
    T::try_from(found).map_err(|_| D::Error::invalid_value(Unexpected::Unsigned(found), &Whole))
}

/// The same, or null.
pub(super) fn number_or_null<'de, D: Deserializer<'de>, T: TryFrom<u64>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    from.deserialize_option(Maybe(PhantomData))
}

struct Whole;

impl Visitor<'_> for Whole {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number that fits")
    }

    fn visit_u64<E: Error>(self, found: u64) -> Result<u64, E> {
        Ok(found)
    }

    fn visit_f64<E: Error>(self, found: f64) -> Result<u64, E> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range")]
        if found.fract() == 0.0 && (0.0..=EXACT_MAX).contains(&found) {
            return Ok(found as u64);
        }
        Err(E::invalid_value(Unexpected::Float(found), &self))
    }
}

struct Maybe<T>(PhantomData<T>);

impl<'de, T: TryFrom<u64>> Visitor<'de> for Maybe<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Whole.expecting(f)
    }

    fn visit_none<E: Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Option<T>, D::Error> {
        number(from).map(Some)
    }
}
