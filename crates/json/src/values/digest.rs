//! The digest of a set of rows: the same for the same rows in any order (semantics, section 6).

use std::fmt;
use std::str::FromStr;

use distil_plan::Error;
use xxhash_rust::xxh3::xxh3_128;

use crate::values::decimal::{Decimal, Scratch};

const NULL: u8 = 0x00;
const FALSE: u8 = 0x01;
const TRUE: u8 = 0x02;
const NUMBER: u8 = 0x03;
const STRING: u8 = 0x04;
const LIST: u8 = 0x05;
const OBJECT: u8 = 0x06;
const TIMESTAMP: u8 = 0x07;
const DATE: u8 = 0x08;
const BINARY: u8 = 0x09;

const PREFIX: &str = "xxh3-128-sum:";

/// The digest of a set of rows. Its text is `xxh3-128-sum:` and 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Digest(pub u128);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{:032x}", self.0)
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        text.strip_prefix(PREFIX)
            .filter(|digits| digits.len() == 32)
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|digits| u128::from_str_radix(digits, 16).ok())
            .map(Self)
            .ok_or_else(|| {
                Error::input(format!("`{text}` is not a digest"))
                    .help(format!("a digest is `{PREFIX}` and 32 hexadecimal digits"))
            })
    }
}

/// Sums the hashes of rows.
///
/// A row is written between [`RowDigest::begin_row`] and [`RowDigest::end_row`]: for each of its
/// columns that is not null, in the order of the names' bytes, the name and the value. The caller
/// counts and orders; the values of a list or an object follow its beginning.
#[derive(Clone, Debug, Default)]
pub struct RowDigest {
    row: Vec<u8>,
    sum: u128,
}

impl RowDigest {
    /// The digest of no rows.
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins a row with `columns` columns that are not null.
    pub fn begin_row(&mut self, columns: usize) {
        self.row.clear();
        self.count(columns);
    }

    /// Ends the row and adds it.
    pub fn end_row(&mut self) {
        self.sum = self.sum.wrapping_add(xxh3_128(&self.row));
    }

    /// The name of the column or member whose value comes next.
    #[inline]
    pub fn name(&mut self, name: &str) {
        self.bytes(name.as_bytes());
    }

    /// A null; it may only stand in a list.
    pub fn null(&mut self) {
        self.row.push(NULL);
    }

    /// True or false.
    pub fn bool(&mut self, value: bool) {
        self.row.push(if value { TRUE } else { FALSE });
    }

    /// An integer.
    #[inline]
    pub fn int(&mut self, value: i64) {
        self.decimal(&Decimal::from_i64(value, &mut Scratch::new()));
    }

    /// A number. A float counts as its shortest text: [`Decimal::from_f64`].
    pub fn decimal(&mut self, value: &Decimal<'_>) {
        if value.is_zero() {
            self.row.extend_from_slice(&[NUMBER, 0]);
            return;
        }
        self.row.extend_from_slice(&[NUMBER, if value.is_negative() { 2 } else { 1 }]);
        self.row.extend_from_slice(&value.exponent().to_le_bytes());
        self.count(value.digit_count());
        let (head, tail) = value.digits();
        self.row.extend_from_slice(head);
        self.row.extend_from_slice(tail);
    }

    /// A string, or the canonical text of a `json` column.
    #[inline]
    pub fn string(&mut self, value: &str) {
        self.row.push(STRING);
        self.bytes(value.as_bytes());
    }

    /// Begins a list of `elements` elements, nulls counted.
    pub fn list_begin(&mut self, elements: usize) {
        self.row.push(LIST);
        self.count(elements);
    }

    /// Begins an object with `members` members that are not null.
    pub fn object_begin(&mut self, members: usize) {
        self.row.push(OBJECT);
        self.count(members);
    }

    /// An instant, in nanoseconds since 1970.
    #[inline]
    pub fn timestamp_nanos(&mut self, nanoseconds: i128) {
        self.row.push(TIMESTAMP);
        self.row.extend_from_slice(&nanoseconds.to_le_bytes());
    }

    /// A date, in days since 1970.
    pub fn date(&mut self, days: i32) {
        self.row.push(DATE);
        self.row.extend_from_slice(&days.to_le_bytes());
    }

    /// Bytes.
    pub fn binary(&mut self, value: &[u8]) {
        self.row.push(BINARY);
        self.bytes(value);
    }

    /// Adds the rows of another digest.
    pub fn merge(&mut self, other: &Self) {
        self.sum = self.sum.wrapping_add(other.sum);
    }

    /// The digest of all rows that ended.
    pub fn finish(&self) -> Digest {
        Digest(self.sum)
    }

    #[inline]
    fn count(&mut self, count: usize) {
        self.row.extend_from_slice(&(count as u64).to_le_bytes());
    }

    #[inline]
    fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.row.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: String = hex.split_whitespace().collect();
        let pairs = digits.as_bytes().chunks(2);
        pairs
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    #[test]
    fn a_row_of_every_kind_of_value_has_the_bytes_that_the_semantics_write_down() {
        let mut digest = RowDigest::new();
        digest.begin_row(8);
        digest.name("a");
        digest.int(-1200);
        digest.name("b");
        digest.decimal(&Decimal::parse(b"0.05").unwrap());
        digest.name("c");
        digest.int(0);
        digest.name("d");
        digest.list_begin(3);
        digest.null();
        digest.bool(true);
        digest.bool(false);
        digest.name("e");
        digest.object_begin(1);
        digest.name("x");
        digest.string("\u{e9}");
        digest.name("f");
        digest.timestamp_nanos(-1);
        digest.name("g");
        digest.date(-2);
        digest.name("h");
        digest.binary(&[0xff, 0x00]);
        let expected = bytes(
            "0800000000000000
             0100000000000000 61  03 02 0400000000000000 0200000000000000 3132
             0100000000000000 62  03 01 ffffffffffffffff 0100000000000000 35
             0100000000000000 63  03 00
             0100000000000000 64  05 0300000000000000 00 02 01
             0100000000000000 65  06 0100000000000000 0100000000000000 78 04 0200000000000000 c3a9
             0100000000000000 66  07 ffffffffffffffffffffffffffffffff
             0100000000000000 67  08 feffffff
             0100000000000000 68  09 0200000000000000 ff00",
        );
        assert_eq!(digest.row, expected);
        digest.end_row();
        assert_eq!(digest.finish(), Digest(xxh3_128(&expected)));
    }

    fn of_ints(values: &[i64]) -> RowDigest {
        let mut digest = RowDigest::new();
        for &value in values {
            digest.begin_row(1);
            digest.name("n");
            digest.int(value);
            digest.end_row();
        }
        digest
    }

    #[test]
    fn rows_count_as_often_as_they_occur_and_in_no_order() {
        let mut parts = of_ints(&[3]);
        parts.merge(&of_ints(&[1, 2]));
        assert_eq!(parts.finish(), of_ints(&[1, 2, 3]).finish());
        assert_ne!(of_ints(&[1, 1]).finish(), of_ints(&[]).finish());
        assert_ne!(of_ints(&[1, 1, 2]).finish(), of_ints(&[1, 2, 2]).finish());
    }

    #[test]
    fn the_same_number_counts_alike_from_every_source() {
        let mut text = RowDigest::new();
        for (number, value) in [("1e2", 100), ("-0.0", 0), ("9223372036854775807", i64::MAX)] {
            text.begin_row(1);
            text.name("n");
            text.decimal(&Decimal::parse(number.as_bytes()).unwrap());
            text.end_row();
            assert_eq!(text.row, of_ints(&[value]).row, "{number}");
        }
    }

    #[test]
    fn the_text_of_a_digest_reads_back_and_nothing_else_does() {
        let text = "xxh3-128-sum:000000000000000000000000000000ff";
        assert_eq!(Digest(255).to_string(), text);
        assert_eq!(text.parse::<Digest>().unwrap(), Digest(255));
        assert_eq!(Digest(u128::MAX).to_string().parse::<Digest>().unwrap(), Digest(u128::MAX));
        for wrong in
            ["", "xxh3-128-sum:", "xxh3-128-sum:+00000000000000000000000000000ff", &text[1..]]
        {
            let error = wrong.parse::<Digest>().unwrap_err();
            assert_eq!(error.to_string(), format!("`{wrong}` is not a digest"));
        }
    }
}
