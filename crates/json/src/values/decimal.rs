//! Exact decimal numbers, read from JSON text without copying it.

use std::cmp::Ordering;

/// The largest magnitude of the normalised exponent of a number (semantics 1.3).
pub const MAX_EXPONENT: i64 = 1_000_000_000;

/// The exponent of a number, normalised to `0.d × 10^e`, lies beyond ±[`MAX_EXPONENT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExponentOutOfRange;

/// Room for the digits of a number that does not come from a text. Reuse one for many numbers.
#[derive(Clone)]
pub struct Scratch {
    integer: itoa::Buffer,
    float: ryu::Buffer,
}

impl Scratch {
    /// Empty room.
    pub fn new() -> Self {
        Self { integer: itoa::Buffer::new(), float: ryu::Buffer::new() }
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

/// An exact decimal number, `±0.d1…dn × 10^exponent`, where `d1` and `dn` are not 0; zero has no
/// digits, no sign and the exponent 0. So equal numbers have equal parts.
///
/// The digits are borrowed, as two runs (those before and after the point of the text); the
/// number costs no allocation and is free to copy.
#[derive(Clone, Copy, Debug)]
pub struct Decimal<'a> {
    negative: bool,
    head: &'a [u8],
    tail: &'a [u8],
    exponent: i64,
}

impl<'a> Decimal<'a> {
    /// Zero.
    pub const ZERO: Self = Self { negative: false, head: &[], tail: &[], exponent: 0 };

    /// Reads the text of a number that is valid JSON; other text gives an unspecified number.
    ///
    /// # Errors
    /// The exponent is out of range.
    pub fn parse(text: &'a [u8]) -> Result<Self, ExponentOutOfRange> {
        let (negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            _ => (false, text),
        };
        let whole_length = digits_at_start(text);
        let (whole, rest) = text.split_at(whole_length);
        let (fraction, rest) = match rest {
            [b'.', rest @ ..] => rest.split_at(digits_at_start(rest)),
            _ => (&rest[..0], rest),
        };
        let exponent = match rest {
            [b'e' | b'E', exponent @ ..] => read_exponent(exponent),
            _ => 0,
        };
        Self::normalised(negative, whole, fraction, exponent)
    }

    /// The number `whole.fraction × 10^exponent`.
    fn normalised(
        negative: bool,
        whole: &'a [u8],
        fraction: &'a [u8],
        exponent: i64,
    ) -> Result<Self, ExponentOutOfRange> {
        let mut head = trim_start(whole);
        let mut tail = trim_end(fraction);
        let mut point = head.len() as i64;
        if head.is_empty() {
            let fraction_length = tail.len();
            tail = trim_start(tail);
            point = -((fraction_length - tail.len()) as i64);
        }
        if tail.is_empty() {
            head = trim_end(head);
            if head.is_empty() {
                return Ok(Self::ZERO);
            }
        }
        let exponent = exponent.saturating_add(point);
        if exponent.abs() > MAX_EXPONENT {
            return Err(ExponentOutOfRange);
        }
        Ok(Self { negative, head, tail, exponent })
    }

    /// An integer.
    pub fn from_i64(value: i64, scratch: &'a mut Scratch) -> Self {
        Self::from_integer_text(scratch.integer.format(value), 0)
    }

    /// An integer without a sign.
    pub fn from_u64(value: u64, scratch: &'a mut Scratch) -> Self {
        Self::from_integer_text(scratch.integer.format(value), 0)
    }

    /// `value × 10^-scale`: what Arrow's decimals hold.
    pub fn from_i128(value: i128, scale: i8, scratch: &'a mut Scratch) -> Self {
        Self::from_integer_text(scratch.integer.format(value), scale)
    }

    /// The number that the shortest text of a double denotes; nothing unless it is finite.
    pub fn from_f64(value: f64, scratch: &'a mut Scratch) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        Self::parse(scratch.float.format_finite(value).as_bytes()).ok()
    }

    /// The number that the shortest text of a single-precision float denotes; nothing unless it is
    /// finite.
    pub fn from_f32(value: f32, scratch: &'a mut Scratch) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        Self::parse(scratch.float.format_finite(value).as_bytes()).ok()
    }

    /// The number `±0.d1…dn × 10^exponent` of ASCII digits that neither begin nor end with 0.
    pub(crate) fn from_parts(negative: bool, digits: &'a [u8], exponent: i64) -> Self {
        Self { negative, head: digits, tail: &[], exponent }
    }

    fn from_integer_text(text: &'a str, scale: i8) -> Self {
        let (negative, digits) = match text.as_bytes() {
            [b'-', digits @ ..] => (true, digits),
            digits => (false, digits),
        };
        // At most 39 digits and a scale of one byte: the exponent can't be out of range.
        Self::normalised(negative, digits, &[], -i64::from(scale)).unwrap_or(Self::ZERO)
    }

    /// Whether it is below zero.
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// Whether it is zero.
    pub fn is_zero(&self) -> bool {
        self.head.is_empty() && self.tail.is_empty()
    }

    /// How many digits it has; none for zero.
    pub fn digit_count(&self) -> usize {
        self.head.len() + self.tail.len()
    }

    /// The digits as two runs of ASCII, to be read one after the other.
    pub fn digits(&self) -> (&'a [u8], &'a [u8]) {
        (self.head, self.tail)
    }

    /// The exponent of ten by which `0.d1…dn` is multiplied.
    pub fn exponent(&self) -> i64 {
        self.exponent
    }

    /// Whether it has no fraction; `1.0` and `1e2` have none.
    pub fn is_integral(&self) -> bool {
        self.exponent >= self.digit_count() as i64
    }

    /// The same integer, if it is one within 64 bits.
    pub fn to_i64(&self) -> Option<i64> {
        self.to_i128().and_then(|value| i64::try_from(value).ok())
    }

    /// The same integer, if it is one within 128 bits.
    pub fn to_i128(&self) -> Option<i128> {
        self.to_scaled_i128(0)
    }

    /// This number times `10^scale`, if that is an integer within 128 bits.
    pub fn to_scaled_i128(&self, scale: i8) -> Option<i128> {
        let exponent = self.exponent + i64::from(scale);
        let zeros = exponent - self.digit_count() as i64;
        if self.is_zero() {
            return Some(0);
        }
        if zeros < 0 || exponent > 39 {
            return None;
        }
        if exponent <= 18 {
            let digits = self.head.iter().chain(self.tail);
            let value = digits.fold(0_i64, |value, digit| value * 10 + i64::from(digit - b'0'));
            let value = value * 10_i64.pow(zeros as u32);
            return Some(i128::from(if self.negative { -value } else { value }));
        }
        // Towards the negative, whose range is larger by one.
        let mut value: i128 = 0;
        for digit in self.head.iter().chain(self.tail) {
            value = value.checked_mul(10)?.checked_sub(i128::from(digit - b'0'))?;
        }
        value = value.checked_mul(10_i128.checked_pow(u32::try_from(zeros).ok()?)?)?;
        if self.negative { Some(value) } else { value.checked_neg() }
    }

    /// The nearest double; infinite beyond the largest.
    pub fn to_f64(&self) -> f64 {
        let count = self.digit_count();
        let power = self.exponent - count as i64;
        if count <= 15 && (-22..=22).contains(&power) {
            // Both operands are exact doubles, so one operation rounds once.
            let digits = self.head.iter().chain(self.tail);
            let mantissa = digits.fold(0_u64, |value, digit| value * 10 + u64::from(digit - b'0'));
            let scale = POWERS_OF_TEN[power.unsigned_abs() as usize];
            let value = if power < 0 { mantissa as f64 / scale } else { mantissa as f64 * scale };
            return if self.negative { -value } else { value };
        }
        self.parse_text(power)
    }

    /// The nearest single-precision float; infinite beyond the largest.
    pub fn to_f32(&self) -> f32 {
        self.parse_text(self.exponent - self.digit_count() as i64)
    }

    /// Lets the standard library, which rounds correctly, read the number.
    fn parse_text<T: std::str::FromStr + Default>(&self, power: i64) -> T {
        if self.is_zero() {
            return T::default();
        }
        let mut text = String::with_capacity(self.digit_count() + 16);
        if self.negative {
            text.push('-');
        }
        text.extend(self.head.iter().chain(self.tail).map(|&digit| char::from(digit)));
        text.push('e');
        text.push_str(itoa::Buffer::new().format(power));
        text.parse().unwrap_or_default()
    }

    /// Whether the shortest text of its nearest double denotes this very number: then a `float64`
    /// column keeps it (semantics 2.1).
    pub fn is_exact_f64(&self) -> bool {
        // Up to 15 digits always survive a double, away from the ends of its range.
        if self.digit_count() <= 15 && (-300..=308).contains(&self.exponent) {
            return true;
        }
        self.digit_count() <= 17
            && Decimal::from_f64(self.to_f64(), &mut Scratch::new())
                .is_some_and(|nearest| nearest == *self)
    }

    /// Appends the canonical text of semantics 2.4.
    pub fn write_canonical(&self, out: &mut Vec<u8>) {
        if self.is_zero() {
            out.push(b'0');
            return;
        }
        if self.negative {
            out.push(b'-');
        }
        let count = self.digit_count() as i64;
        if count <= self.exponent && self.exponent <= count + 20 {
            self.write_digits(out, 0, usize::MAX);
            write_zeros(out, self.exponent - count);
        } else if 0 < self.exponent && self.exponent < count {
            self.write_with_point_behind(out, self.exponent as usize);
        } else if -6 < self.exponent && self.exponent <= 0 {
            out.extend_from_slice(b"0.");
            write_zeros(out, -self.exponent);
            self.write_digits(out, 0, usize::MAX);
        } else {
            self.write_with_point_behind(out, 1);
            out.push(b'e');
            out.extend_from_slice(itoa::Buffer::new().format(self.exponent - 1).as_bytes());
        }
    }

    /// Appends all digits, with a point after the first `whole` of them if others follow.
    fn write_with_point_behind(&self, out: &mut Vec<u8>, whole: usize) {
        self.write_digits(out, 0, whole);
        if whole < self.digit_count() {
            out.push(b'.');
            self.write_digits(out, whole, usize::MAX);
        }
    }

    /// Appends the digits from index `from` up to, but not including, index `to`.
    fn write_digits(&self, out: &mut Vec<u8>, from: usize, to: usize) {
        let split = self.head.len();
        let within = |run: &'a [u8], from: usize, to: usize| {
            let to = to.min(run.len());
            &run[from.min(to)..to]
        };
        out.extend_from_slice(within(self.head, from, to));
        out.extend_from_slice(within(
            self.tail,
            from.saturating_sub(split),
            to.saturating_sub(split),
        ));
    }
}

impl Ord for Decimal<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.is_zero() || other.is_zero() || self.negative != other.negative {
            return self.sign().cmp(&other.sign());
        }
        let magnitude = self.exponent.cmp(&other.exponent).then_with(|| {
            if self.tail.is_empty() && other.tail.is_empty() {
                self.head.cmp(other.head)
            } else {
                self.head.iter().chain(self.tail).cmp(other.head.iter().chain(other.tail))
            }
        });
        if self.negative { magnitude.reverse() } else { magnitude }
    }
}

impl PartialOrd for Decimal<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Decimal<'_> {}

impl Decimal<'_> {
    fn sign(&self) -> i8 {
        match (self.is_zero(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }
}

/// The powers of ten that a double holds exactly.
pub(crate) const POWERS_OF_TEN: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

fn digits_at_start(text: &[u8]) -> usize {
    text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len())
}

/// The exponent as written, held within bounds that no number of digits can bring back in range.
fn read_exponent(text: &[u8]) -> i64 {
    const BOUND: i64 = i64::MAX / 4;
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let mut value: i64 = 0;
    for digit in digits {
        value = value.saturating_mul(10).saturating_add(i64::from(digit.wrapping_sub(b'0')));
    }
    let value = value.min(BOUND);
    if negative { -value } else { value }
}

fn trim_start(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().position(|&digit| digit != b'0').unwrap_or(digits.len());
    &digits[zeros..]
}

fn trim_end(digits: &[u8]) -> &[u8] {
    let end = digits.iter().rposition(|&digit| digit != b'0').map_or(0, |last| last + 1);
    &digits[..end]
}

fn write_zeros(out: &mut Vec<u8>, count: i64) {
    out.extend(std::iter::repeat_n(b'0', usize::try_from(count).unwrap_or(0)));
}

#[cfg(test)]
mod tests;
