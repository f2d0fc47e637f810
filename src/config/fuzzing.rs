//! The decoder of the configuration file for the fuzz targets. Built for them and for tests only;
//! refuses to check anything that the decoder does not.

use super::{Mistake, Value, file};

/// The settings of a file, by the names of their keys.
///
/// # Errors
/// The mistakes in it.
pub fn file(text: &str) -> Result<Vec<(&'static str, Value)>, Vec<Mistake>> {
    let given = file::read(text)?;
    Ok(given.into_iter().map(|given| (given.key.name, given.value)).collect())
}
