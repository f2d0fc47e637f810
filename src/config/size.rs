//! Sizes in bytes, as people and files write them.

/// Units of sizes: powers of 1024 with an `i`, powers of 1000 without, as in IEC 80000-13.
const SIZE_UNITS: [(&str, u64); 9] = [
    ("", 1),
    ("b", 1),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
];

/// Reads `4096`, `64KiB`, `256 MiB`, `10GB`.
///
/// # Errors
/// What is wanted instead, in words.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let wanted = || format!("`{text}` is not a size: write 4096, 64KiB, 256MiB or 10GB");
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim().to_ascii_lowercase();
    let (_, factor) = SIZE_UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wanted)?;
    let number: u64 = number.parse().map_err(|_| wanted())?;
    number.checked_mul(*factor).ok_or_else(wanted)
}

/// Prints a size so that [`parse_size`] reads the same again: `8GiB`, `1000`.
pub fn exact_size(bytes: u64) -> String {
    let units = [("TiB", 40_u32), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let fits = |(_, shift): &&(&str, u32)| bytes != 0 && bytes.trailing_zeros() >= *shift;
    units
        .iter()
        .find(fits)
        .map_or_else(|| bytes.to_string(), |(unit, shift)| format!("{}{unit}", bytes >> shift))
}

#[cfg(test)]
mod tests;
