//! The order-preserving encoding: values as bytes whose order is the order of the contract.
//!
//! Comparing two encodings byte by byte compares the values as `docs/semantics.md` 3.3 says, and
//! equal bytes mean equal values. Every encoding ends by itself, so encodings can follow each other.
//! It holds the whole value: a row is kept and written from nothing else.
//!
//! | value | bytes |
//! |---|---|
//! | false, true | `10`, `11` |
//! | number | `20` negative, `21` zero, `22` positive; then exponent and digits, inverted when negative |
//! | string | `30`, the bytes with `00` as `01 01` and `01` as `01 02`, `00` |
//! | list | `40`, the elements, `00` |
//! | object | `48`, for each member that is not null `01`, the name as in a string, the value; `FF` |
//! | timestamp | `50`, the count as 8 bytes, highest first, sign inverted |
//! | date | `51`, the days as 4 bytes likewise |
//! | binary | `52`, as in a string |
//! | null | `FE` |
//!
//! The exponent `e` of `0.d1…dn × 10^e` is one byte `80 + e` from -100 to 100, else `F0` (or `08`) and 8
//! bytes. Digits go in pairs, each `2 × pair + 2`, plus 1 when more follow.
//!
//! A **reversed** value (for `desc`) has all its bytes inverted but those of null and of an object's names
//! and ends: null comes last and names are walked in ascending order in both directions. The values
//! above leave room for that: no inverted tag reaches `FE`, and the inverted end of a list is `FF`.

use wide::u8x16;

use crate::values::decimal::Decimal;

/// Tags; see the table above.
pub(crate) mod tag {
    pub(crate) const FALSE: u8 = 0x10;
    pub(crate) const TRUE: u8 = 0x11;
    pub(crate) const NEGATIVE: u8 = 0x20;
    pub(crate) const ZERO: u8 = 0x21;
    pub(crate) const POSITIVE: u8 = 0x22;
    pub(crate) const STRING: u8 = 0x30;
    pub(crate) const LIST: u8 = 0x40;
    pub(crate) const OBJECT: u8 = 0x48;
    pub(crate) const TIMESTAMP: u8 = 0x50;
    pub(crate) const DATE: u8 = 0x51;
    pub(crate) const BINARY: u8 = 0x52;
    pub(crate) const NULL: u8 = 0xFE;
    pub(crate) const END_LIST: u8 = 0x00;
    pub(crate) const MEMBER: u8 = 0x01;
    pub(crate) const END_OBJECT: u8 = 0xFF;
}

/// The mask of a direction: `00` as it is, `FF` reversed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flip(pub(crate) u8);

impl Flip {
    /// Ascending.
    pub const ASC: Self = Self(0);
    /// Reversed.
    pub const DESC: Self = Self(0xFF);

    /// The mask for a direction.
    pub fn reversed(reversed: bool) -> Self {
        if reversed { Self::DESC } else { Self::ASC }
    }
}

fn invert(bytes: &mut [u8], mask: u8) {
    if mask != 0 {
        bytes.iter_mut().for_each(|byte| *byte ^= mask);
    }
}

/// Appends bytes with `00` and `01` escaped, and the end.
fn escape(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut rest = bytes;
    while let Some(at) = memchr::memchr2(0, 1, rest) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(&[1, rest[at] + 1]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(0);
}

/// Appends null, which is never reversed.
pub fn null(out: &mut Vec<u8>) {
    out.push(tag::NULL);
}

/// Appends a boolean.
pub fn boolean(out: &mut Vec<u8>, value: bool, flip: Flip) {
    out.push((if value { tag::TRUE } else { tag::FALSE }) ^ flip.0);
}

/// Appends a string that holds no control characters, as JSON text without escapes does.
pub(crate) fn plain_string(out: &mut Vec<u8>, text: &[u8], flip: Flip) {
    let start = out.len();
    out.push(tag::STRING);
    out.extend_from_slice(text);
    out.push(0);
    invert(&mut out[start..], flip.0);
}

/// Appends a string.
pub fn string(out: &mut Vec<u8>, text: &[u8], flip: Flip) {
    tagged_bytes(out, tag::STRING, text, flip);
}

/// Appends bytes.
pub fn binary(out: &mut Vec<u8>, bytes: &[u8], flip: Flip) {
    tagged_bytes(out, tag::BINARY, bytes, flip);
}

fn tagged_bytes(out: &mut Vec<u8>, tag: u8, bytes: &[u8], flip: Flip) {
    let start = out.len();
    out.push(tag);
    escape(out, bytes);
    invert(&mut out[start..], flip.0);
}

/// Appends the mark and the name of a member, which are never reversed; its value follows.
pub fn member_name(out: &mut Vec<u8>, name: &[u8]) {
    out.push(tag::MEMBER);
    escape(out, name);
}

/// Begins a list: its elements follow, then [`end_list`].
pub fn begin_list(out: &mut Vec<u8>, flip: Flip) {
    out.push(tag::LIST ^ flip.0);
}

/// Ends a list.
pub fn end_list(out: &mut Vec<u8>, flip: Flip) {
    out.push(tag::END_LIST ^ flip.0);
}

/// Begins an object: its members that are not null follow in the order of their names, then
/// [`end_object`].
pub fn begin_object(out: &mut Vec<u8>, flip: Flip) {
    out.push(tag::OBJECT ^ flip.0);
}

/// Ends an object; never reversed.
pub fn end_object(out: &mut Vec<u8>) {
    out.push(tag::END_OBJECT);
}

/// Appends an instant, as a count of its unit since 1970.
pub fn timestamp(out: &mut Vec<u8>, count: i64, flip: Flip) {
    let start = out.len();
    out.push(tag::TIMESTAMP);
    out.extend_from_slice(&((count as u64) ^ (1 << 63)).to_be_bytes());
    invert(&mut out[start..], flip.0);
}

/// Appends a date, as days since 1970.
pub fn date(out: &mut Vec<u8>, days: i32, flip: Flip) {
    let start = out.len();
    out.push(tag::DATE);
    out.extend_from_slice(&((days as u32) ^ (1 << 31)).to_be_bytes());
    invert(&mut out[start..], flip.0);
}

/// Appends a number.
pub fn number(out: &mut Vec<u8>, value: &Decimal<'_>, flip: Flip) {
    if value.is_zero() {
        out.push(tag::ZERO ^ flip.0);
        return;
    }
    let mask = if value.is_negative() { flip.0 ^ 0xFF } else { flip.0 };
    out.push((if value.is_negative() { tag::NEGATIVE } else { tag::POSITIVE }) ^ flip.0);
    let start = out.len();
    let exponent = value.exponent();
    match exponent {
        -100..=100 => out.push((exponent + 0x80) as u8),
        101.. => {
            out.push(0xF0);
            out.extend_from_slice(&exponent.to_be_bytes());
        }
        _ => {
            out.push(0x08);
            out.extend_from_slice(&((exponent as u64) ^ (1 << 63)).to_be_bytes());
        }
    }
    let (head, tail) = value.digits();
    let mut digits = head.iter().chain(tail).map(|digit| digit - b'0');
    while let Some(first) = digits.next() {
        let pair = first * 10 + digits.next().unwrap_or(0);
        out.push(pair * 2 + 3);
    }
    if let Some(last) = out.last_mut() {
        *last -= 1;
    }
    invert(&mut out[start..], mask);
}

/// Reads encodings one after another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) flip: Flip,
}

/// A value, or the beginning of one: the members or elements of a composite follow.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Boolean(bool),
    /// The digits are in the buffer: see [`Cursor::next`].
    Number {
        negative: bool,
        exponent: i64,
    },
    /// The bytes are in the buffer.
    String,
    Binary,
    Timestamp(i64),
    Date(i32),
    List,
    Object,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8], flip: Flip) -> Self {
        Self { bytes, flip }
    }

    /// The next byte as written, without using it.
    pub(crate) fn peek(&self) -> u8 {
        self.bytes.first().copied().unwrap_or(tag::END_OBJECT)
    }

    pub(crate) fn skip(&mut self, count: usize) {
        self.bytes = self.bytes.get(count..).unwrap_or_default();
    }

    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut taken = self.bytes.first_chunk::<N>().copied().unwrap_or([0; N]);
        invert(&mut taken, self.flip.0);
        self.skip(N);
        taken
    }

    /// At the end of a list: uses it.
    pub(crate) fn ends_list(&mut self) -> bool {
        let ends = self.peek() == tag::END_LIST ^ self.flip.0;
        if ends {
            self.skip(1);
        }
        ends
    }

    /// At the end of an object: uses it.
    pub(crate) fn ends_object(&mut self) -> bool {
        let ends = self.peek() == tag::END_OBJECT;
        if ends {
            self.skip(1);
        }
        ends
    }

    /// The name of the next member.
    pub(crate) fn name(&mut self, out: &mut Vec<u8>) {
        self.skip(1);
        out.clear();
        self.unescape(out, 0);
    }

    /// If the next member has this encoded mark and name, uses them.
    pub(crate) fn has_name(&mut self, encoded: &[u8]) -> bool {
        let found = self.bytes.starts_with(encoded);
        if found {
            self.skip(encoded.len());
        }
        found
    }

    /// The next value, or the beginning of it. Digits (ASCII) or bytes go to `buffer`.
    pub(crate) fn next(&mut self, buffer: &mut Vec<u8>) -> Value {
        if self.peek() == tag::NULL {
            self.skip(1);
            return Value::Null;
        }
        let [tag] = self.take::<1>();
        match tag {
            tag::FALSE | tag::TRUE => Value::Boolean(tag == tag::TRUE),
            tag::ZERO => {
                buffer.clear();
                Value::Number { negative: false, exponent: 0 }
            }
            tag::NEGATIVE | tag::POSITIVE => self.number(tag == tag::NEGATIVE, buffer),
            tag::STRING | tag::BINARY => {
                buffer.clear();
                self.unescape(buffer, self.flip.0);
                if tag == tag::STRING { Value::String } else { Value::Binary }
            }
            tag::TIMESTAMP => {
                Value::Timestamp((u64::from_be_bytes(self.take::<8>()) ^ (1 << 63)) as i64)
            }
            tag::DATE => Value::Date((u32::from_be_bytes(self.take::<4>()) ^ (1 << 31)) as i32),
            tag::LIST => Value::List,
            _ => Value::Object,
        }
    }

    fn number(&mut self, negative: bool, buffer: &mut Vec<u8>) -> Value {
        let flip = self.flip;
        if negative {
            self.flip = Flip(flip.0 ^ 0xFF);
        }
        let [short] = self.take::<1>();
        let exponent = match short {
            0xF0 => i64::from_be_bytes(self.take::<8>()),
            0x08 => (u64::from_be_bytes(self.take::<8>()) ^ (1 << 63)) as i64,
            _ => i64::from(short) - 0x80,
        };
        buffer.clear();
        loop {
            let [byte] = self.take::<1>();
            let pair = (byte.max(2) - 2) / 2;
            buffer.extend_from_slice(&[b'0' + pair / 10, b'0' + pair % 10]);
            if byte % 2 == 0 {
                break;
            }
        }
        if buffer.last() == Some(&b'0') {
            buffer.pop();
        }
        self.flip = flip;
        Value::Number { negative, exponent }
    }

    /// Reads up to the end of a string, and uses the end.
    fn unescape(&mut self, out: &mut Vec<u8>, mask: u8) {
        // Nearly all strings end at the first byte that could be an escape.
        let mut end = end_or_escape(mask, self.bytes);
        let start = out.len();
        if self.bytes.get(end).is_none_or(|byte| *byte == mask) {
            out.extend_from_slice(&self.bytes[..end]);
            invert(&mut out[start..], mask);
        } else {
            end += memchr::memchr(mask, &self.bytes[end..]).unwrap_or(self.bytes.len() - end);
            let mut bytes = self.bytes[..end].iter().map(|byte| byte ^ mask);
            while let Some(byte) = bytes.next() {
                out.push(if byte == 1 { bytes.next().unwrap_or(1).wrapping_sub(1) } else { byte });
            }
        }
        self.skip(end + 1);
    }

    /// Skips a whole value.
    pub(crate) fn skip_value(&mut self) {
        // Each open composite, whether it is an object.
        let mut open: Vec<bool> = Vec::new();
        loop {
            let tag = if self.peek() == tag::NULL { tag::NULL } else { self.peek() ^ self.flip.0 };
            match tag {
                tag::STRING | tag::BINARY => {
                    let end = memchr::memchr(self.flip.0, self.bytes);
                    self.skip(end.unwrap_or(self.bytes.len()) + 1);
                }
                tag::TIMESTAMP => self.skip(9),
                tag::DATE => self.skip(5),
                tag::NEGATIVE | tag::POSITIVE => self.skip_number(tag == tag::NEGATIVE),
                tag::LIST | tag::OBJECT => {
                    self.skip(1);
                    open.push(tag == tag::OBJECT);
                }
                _ => self.skip(1),
            }
            loop {
                match open.last() {
                    None => return,
                    Some(true) if self.ends_object() => {}
                    Some(false) if self.ends_list() => {}
                    Some(true) => {
                        let end = memchr::memchr(0, self.bytes);
                        self.skip(end.unwrap_or(self.bytes.len()) + 1);
                        break;
                    }
                    Some(false) => break,
                }
                open.pop();
            }
        }
    }

    fn skip_number(&mut self, negative: bool) {
        let mask = self.flip.0 ^ if negative { 0xFF } else { 0 };
        let at = |index: usize| self.bytes.get(index).map_or(0, |byte| byte ^ mask);
        let mut used = if matches!(at(1), 0xF0 | 0x08) { 10 } else { 2 };
        while at(used) % 2 == 1 {
            used += 1;
        }
        self.skip(used + 1);
    }
}

/// Where the end of a string or an escape first stands, both under a mask, or the length.
fn end_or_escape(mask: u8, bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<16>) {
        let chunk = u8x16::new(*chunk) ^ u8x16::splat(mask);
        let found = chunk.min(u8x16::splat(1)).simd_eq(chunk).to_bitmask();
        if found != 0 {
            return at + found.trailing_zeros() as usize;
        }
        at += 16;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| byte ^ mask <= 1).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(text: &str, flip: Flip) -> Vec<u8> {
        let mut out = Vec::new();
        number(&mut out, &Decimal::parse(text.as_bytes()).unwrap(), flip);
        out
    }

    #[test]
    fn numbers_order_by_value_in_both_directions() {
        let ordered = [
            "-1e999",
            "-1e101",
            "-1e100",
            "-12345678901234567890123",
            "-1234",
            "-1230",
            "-123",
            "-12.5",
            "-12",
            "-1",
            "-0.1",
            "-0.01",
            "-1e-500",
            "0",
            "1e-500",
            "1e-101",
            "0.01",
            "0.1",
            "0.11",
            "0.5",
            "1",
            "1.01",
            "2",
            "9",
            "10",
            "12",
            "12.5",
            "99",
            "100",
            "9007199254740992",
            "9007199254740993",
            "1e99",
            "1e100",
            "1e101",
            "1e999",
        ];
        for (at, a) in ordered.iter().enumerate() {
            for (bt, b) in ordered.iter().enumerate() {
                assert_eq!(
                    encoded(a, Flip::ASC).cmp(&encoded(b, Flip::ASC)),
                    at.cmp(&bt),
                    "{a} {b}"
                );
                assert_eq!(
                    encoded(a, Flip::DESC).cmp(&encoded(b, Flip::DESC)),
                    bt.cmp(&at),
                    "{a} {b}"
                );
            }
        }
        assert_eq!(encoded("1e2", Flip::ASC), encoded("100.0", Flip::ASC));
        assert_eq!(encoded("-0.0", Flip::ASC), encoded("0", Flip::ASC));
    }

    #[test]
    fn every_value_reads_back_and_is_skipped_whole() {
        let mut buffer = Vec::new();
        for flip in [Flip::ASC, Flip::DESC] {
            for text in ["0", "-7", "12345", "100", "0.5", "-1e300", "3e-200"] {
                let mut bytes = encoded(text, flip);
                bytes.push(0xAB);
                let mut cursor = Cursor::new(&bytes, flip);
                let expected = Decimal::parse(text.as_bytes()).unwrap();
                let (head, tail) = expected.digits();
                let value = cursor.next(&mut buffer);
                assert_eq!(buffer, [head, tail].concat(), "{text}");
                assert_eq!(
                    value,
                    Value::Number {
                        negative: expected.is_negative(),
                        exponent: expected.exponent()
                    }
                );
                assert_eq!(cursor.bytes, [0xAB]);
                let mut cursor = Cursor::new(&bytes, flip);
                cursor.skip_value();
                assert_eq!(cursor.bytes, [0xAB], "{text}");
            }
            // Ends and escapes at every place of the 16 bytes that are looked at together.
            let long = (0..40).flat_map(|length| {
                let plain = vec![b'x'; length];
                let escaped = (0..length).map(move |at| {
                    let mut text = vec![b'x'; length];
                    text[at] = (at % 2) as u8;
                    text
                });
                escaped.chain([plain])
            });
            let short = [&b""[..], b"a", b"\0", b"\x01\0\x01", "é€".as_bytes()];
            for text in short.into_iter().map(<[u8]>::to_vec).chain(long) {
                let mut bytes = Vec::new();
                string(&mut bytes, &text, flip);
                let mut cursor = Cursor::new(&bytes, flip);
                assert_eq!(cursor.next(&mut buffer), Value::String);
                assert_eq!((buffer.as_slice(), cursor.bytes.len()), (text.as_slice(), 0));
                let mut cursor = Cursor::new(&bytes, flip);
                cursor.skip_value();
                assert!(cursor.bytes.is_empty());
            }
        }
    }

    #[test]
    fn strings_order_by_bytes_and_prefixes_come_first() {
        let ordered = [
            &b""[..],
            b"\0",
            b"\0\0",
            b"\0a",
            b"\x01",
            b"\x02",
            b"a",
            b"a\0",
            b"a\x01",
            b"ab",
            b"b",
        ];
        for (at, a) in ordered.iter().enumerate() {
            for (bt, b) in ordered.iter().enumerate() {
                for (flip, order) in [(Flip::ASC, at.cmp(&bt)), (Flip::DESC, bt.cmp(&at))] {
                    let (mut x, mut y) = (Vec::new(), Vec::new());
                    string(&mut x, a, flip);
                    string(&mut y, b, flip);
                    assert_eq!(x.cmp(&y), order);
                }
            }
        }
    }
}
