//! How durations, ranges and names are written in a scenario.

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use std::fmt;

/// A duration in milliseconds of virtual time, written `"250ms"`, `"3s"`, `"2m"`, `"1h"`, `"30d"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Duration(pub(crate) u64);

impl Duration {
    fn parse(text: &str) -> Option<Self> {
        let split = text.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = text.split_at(split);
        let factor = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        number.parse::<u64>().ok()?.checked_mul(factor).filter(|&ms| ms <= LONGEST_MS).map(Self)
    }
}

/// The longest duration that a scenario may name: ten years.
const LONGEST_MS: u64 = 3_650 * 86_400_000;

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        Self::parse(&text).ok_or_else(|| {
            de::Error::custom(format!(
                "`{text}` is not a duration such as \"250ms\", \"3s\", \"2m\""
            ))
        })
    }
}

/// A duration in its largest unit that leaves nothing over, as it is written in a scenario.
pub(super) fn spoken(ms: u64) -> String {
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    match units.into_iter().find(|(unit, _)| ms >= *unit && ms.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{}{name}", ms / unit),
        None => format!("{ms}ms"),
    }
}

/// A duration forwards, or backwards with `-` before it, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shift(pub(crate) i64);

impl<'de> Deserialize<'de> for Shift {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        let (sign, rest) = text.strip_prefix('-').map_or((1, &*text), |rest| (-1, rest));
        let ms = Duration::parse(rest).and_then(|duration| i64::try_from(duration.0).ok());
        ms.map(|ms| Self(sign * ms)).ok_or_else(|| {
            de::Error::custom(format!("`{text}` is not a duration such as \"2h\" or \"-2h\""))
        })
    }
}

/// From which duration to which, both included; one duration is both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    /// The shortest, in milliseconds.
    pub(crate) least: u64,
    /// The longest, in milliseconds.
    pub(crate) most: u64,
}

impl Span {
    /// Between two durations in milliseconds.
    pub(crate) const fn ms(least: u64, most: u64) -> Self {
        Self { least, most }
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let range: OneOrTwo<Duration> = OneOrTwo::deserialize(input)?;
        Ok(Self { least: range.0.0, most: range.1.0 })
    }
}

/// From which number to which, both included; one number is both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count {
    /// The smallest.
    pub(crate) least: u64,
    /// The greatest.
    pub(crate) most: u64,
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let range: OneOrTwo<u64> = OneOrTwo::deserialize(input)?;
        Ok(Self { least: range.0, most: range.1 })
    }
}

/// One value, or a list of two in order.
struct OneOrTwo<T>(T, T);

impl<'de, T: Deserialize<'de> + PartialOrd + Copy> Deserialize<'de> for OneOrTwo<T> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let list: OneOrMany<T> = OneOrMany::deserialize(input)?;
        match list.0[..] {
            [one] => Ok(Self(one, one)),
            [least, most] if least <= most => Ok(Self(least, most)),
            _ => Err(de::Error::custom("one value or a list of two, the smaller first, is wanted")),
        }
    }
}

/// One value, or a list of them.
#[derive(Clone, Debug)]
pub(crate) struct OneOrMany<T>(pub(crate) Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Either<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one value or a list of them")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                let one = T::deserialize(de::value::StrDeserializer::new(text))?;
                Ok(OneOrMany(vec![one]))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
                let one = T::deserialize(de::value::I64Deserializer::new(number))?;
                Ok(OneOrMany(vec![one]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some(one) = list.next_element()? {
                    all.push(one);
                }
                Ok(OneOrMany(all))
            }
        }
        input.deserialize_any(Either(std::marker::PhantomData))
    }
}

#[cfg(test)]
mod tests;
