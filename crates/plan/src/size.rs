//! Sizes and counts, as people write them.

use crate::{Error, Result};

const UNITS: [(&str, u64); 9] = [
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("b", 1),
];

/// Reads a size such as `512MiB`, `4 GB` or `100B`. A unit is required: a bare number has meant
/// bytes, megabytes and percent in different tools.
///
/// # Errors
/// A usage error that lists the units.
pub fn parse_size(text: &str) -> Result<u64> {
    let lower = text.trim().to_ascii_lowercase();
    let bad = || {
        Error::usage(format!("`{text}` is not a size"))
            .help("write a number and a unit: B, KB, MB, GB, TB, KiB, MiB, GiB or TiB")
    };
    let (unit, factor) = UNITS.iter().find(|(unit, _)| lower.ends_with(unit)).ok_or_else(bad)?;
    let number = lower[..lower.len() - unit.len()].trim();
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || fraction.len() > 6 || !digits(whole) || !digits(fraction) {
        return Err(bad());
    }
    let scale = 10u64.pow(u32::try_from(fraction.len()).unwrap_or(0));
    let part = if fraction.is_empty() { 0 } else { fraction.parse::<u64>().map_err(|_| bad())? };
    let whole = whole.parse::<u64>().map_err(|_| bad())?;
    whole
        .checked_mul(*factor)
        .and_then(|bytes| bytes.checked_add(part.checked_mul(*factor)? / scale))
        .ok_or_else(bad)
}

/// Writes a number of bytes for people: three significant digits and a binary unit.
pub fn format_bytes(bytes: u64) -> String {
    const NAMES: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < NAMES.len() {
        value /= 1024.0;
        unit += 1;
    }
    let decimals = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
    format!("{value:.decimals$} {}", NAMES[unit])
}

/// A number with a comma after each three digits, from the right: `1,234,567`.
pub fn format_count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_need_a_unit_and_are_exact() {
        assert_eq!(parse_size("512MiB").unwrap(), 512 << 20);
        assert_eq!(parse_size("1.5 KiB").unwrap(), 1536);
        assert_eq!(parse_size("7b").unwrap(), 7);
        for bad in ["", "12", "MiB", "-1MB", "1e3MB", "1..2MB", "99999999999TiB", "80%"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn bytes_print_with_three_digits() {
        assert_eq!(format_bytes(999), "999 B");
        assert_eq!(format_bytes(1536), "1.50 KiB");
        assert_eq!(format_bytes(331 << 20), "331 MiB");
        assert_eq!(format_bytes(1 << 40), "1.00 TiB");
    }
}
