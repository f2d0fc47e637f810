//! Bodies that can be checked: a serial number says what they must be.

use crate::rng::Rng;

/// The body of so many bytes under a serial number.
pub(crate) fn body(serial: u64, len: u64) -> Vec<u8> {
    let mut rng = Rng::new(serial);
    let words = (0..len.div_ceil(8)).flat_map(|_| rng.draw().to_be_bytes());
    words.take(len as usize).collect()
}
