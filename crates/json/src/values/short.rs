//! Short spellings of numbers and instants, read without the general parsers.
//!
//! Each function gives what the general parser gives, or `None`: then the general one decides.

use crate::values::decimal::POWERS_OF_TEN;
use crate::values::time::real_day;

/// An integer of at most 18 digits.
#[inline]
pub(crate) fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        _ => (false, text),
    };
    if digits.len() > 18 {
        return None;
    }
    let value = digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    Some(if negative { -value } else { value })
}

/// A number of at most 15 digits without an exponent, which a double keeps exactly, and how many digits
/// its text has before and after the point.
///
/// Both the digits and the power of ten are doubles without rounding, so that their quotient is rounded
/// once, as it should be (W. D. Clinger, How to Read Floating Point Numbers Accurately, 1990).
#[inline]
pub(crate) fn double(text: &[u8]) -> Option<(f64, (usize, usize))> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        _ => (false, text),
    };
    if digits.len() > 16 {
        return None;
    }
    let (mut all, mut count, mut behind) = (0u64, 0, None);
    for byte in digits {
        match byte {
            b'0'..=b'9' => {
                all = all * 10 + u64::from(byte - b'0');
                count += 1;
            }
            b'.' => behind = Some(count),
            _ => return None,
        }
    }
    if count > 15 {
        return None;
    }
    let whole = behind.unwrap_or(count);
    let value = all as f64 / POWERS_OF_TEN.get(count - whole)?;
    Some((if negative { -value } else { value }, (whole, count - whole)))
}

const ONES: u64 = 0x0101_0101_0101_0101;

/// The text as digit values where the pattern has a zero, nothing where it has other bytes; none if a
/// byte is not as the pattern wants it.
#[inline]
fn met(text: &[u8], at: usize, pattern: &[u8; 8]) -> Option<u64> {
    let word = u64::from_le_bytes(*text.get(at..)?.first_chunk::<8>()?);
    let values = word ^ u64::from_le_bytes(*pattern);
    // Added to a digit above 9, or to anything but the byte of the pattern, this reaches the high bit.
    let mut limit = 0u64;
    for (index, byte) in pattern.iter().enumerate() {
        limit |= (if *byte == b'0' { 0x76 } else { 0x7F }) << (index * 8);
    }
    ((values.wrapping_add(limit) | values) & (ONES * 0x80) == 0).then_some(values)
}

/// Two digits at a byte of a word of [`met`].
#[inline]
fn pair(values: u64, at: u32) -> i64 {
    let digits = values >> (at * 8);
    ((digits & 0xFF) * 10 + (digits >> 8 & 0xFF)) as i64
}

/// The count of an instant of the fixed form with `digits` digits of a fraction, in
/// [`fixed_unit`]s; `None` for any other text.
#[inline]
pub(crate) fn instant(text: &[u8], digits: u32) -> Option<i64> {
    let date = met(text, 0, b"0000-00-")?;
    let time = met(text, 8, b"00T00:00")?;
    let (second, fraction, per_second) = match (digits, text.len()) {
        (0, 20) => (pair(met(text, 12, b"0:00:00Z")?, 5), 0, 1_000),
        (3, 24) => {
            let tail = met(text, 16, b":00.000Z")?;
            (pair(tail, 1), pair(tail, 4) * 10 + (tail >> 48 & 0xFF) as i64, 1_000)
        }
        (6, 27) => {
            let (tail, end) = (met(text, 16, b":00.0000")?, met(text, 19, b".000000Z")?);
            (pair(tail, 1), pair(end, 1) * 10_000 + pair(end, 3) * 100 + pair(end, 5), 1_000_000)
        }
        _ => return None,
    };
    let (year, month) = (pair(date, 0) * 100 + pair(date, 2), pair(date, 5));
    let (day, hour, minute) = (pair(time, 0), pair(time, 3), pair(time, 6));
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = real_day(year, month, day)?;
    Some((days * 86_400 + hour * 3_600 + minute * 60 + second) * per_second + fraction)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::values::decimal::Decimal;
    use crate::values::time::{Instant, fixed_unit};

    proptest! {
        #[test]
        fn instants_are_read_as_the_definition_reads_them(
            text in "[0-9]{2}(00|19|20|99)-[01][0-9]-[0-3][0-9][Tt ][012][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{3}|\\.[0-9]{6}|\\.[0-9]{1,7}|)[Zz+]",
            at in 0usize..27,
            byte in any::<u8>(),
            change in any::<bool>(),
        ) {
            let mut text = text.into_bytes();
            if change && at < text.len() {
                text[at] = byte;
            }
            let instant_of = Instant::parse(&text);
            let form = instant_of.as_ref().and_then(Instant::fixed_form);
            for digits in [0, 3, 6] {
                let expected = (form == Some(digits))
                    .then(|| instant_of.and_then(|found| found.count(fixed_unit(digits))))
                    .flatten();
                prop_assert_eq!(instant(&text, digits), expected);
            }
        }

        #[test]
        fn doubles_are_taken_only_where_they_are_exact(
            text in "-?(0|[1-9][0-9]{0,16})(\\.[0-9]{1,17})?([eE][+-]?[0-9]{1,3})?",
        ) {
            if let Some((value, digits)) = double(text.as_bytes()) {
                let number = Decimal::parse(text.as_bytes()).unwrap();
                prop_assert!(number.is_exact_f64());
                prop_assert_eq!(number.to_f64(), value);
                let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
                let whole = whole.trim_start_matches('-');
                prop_assert_eq!(digits, (whole.len(), fraction.len()));
            }
        }
    }
}
