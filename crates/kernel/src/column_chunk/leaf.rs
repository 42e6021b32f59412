//! Values of the physical types: how they are encoded, and their bounds.

use std::ops::Range;

use arrow_buffer::BooleanBuffer;
use parquet::basic::Encoding;
use parquet::bloom_filter::Sbbf;
use parquet::data_type::{ByteArray, FixedLenByteArray};
use parquet::file::statistics::{Statistics, ValueStatistics};

use super::statistics::{lower, upper};
use super::strings::Strings;
use super::{bits, delta};

/// The least and the greatest value.
pub(super) type Bounds<T> = (T, T);

/// The values of a column, nulls left out.
pub(super) trait Leaf {
    /// How data pages hold values.
    const ENCODING: Encoding;
    /// Whether bounds are shortened, so that those of pages are compared as they are written.
    const SHORTENED: bool = false;
    type Bound: Clone + PartialOrd;

    /// Appends a page's values.
    fn encode(&self, values: Range<usize>, out: &mut Vec<u8>);

    /// `None` without values that can be compared.
    fn bounds(&self, values: Range<usize>) -> Option<Bounds<Self::Bound>>;

    /// Bounds as the column index holds them.
    fn index_entry(&self, bounds: &Bounds<Self::Bound>) -> [Vec<u8>; 2];

    fn statistics(&self, bounds: Option<Bounds<Self::Bound>>, nulls: u64) -> Statistics;

    /// Bytes of a page of these values, if it could be large.
    fn page_bytes(&self, _: Range<usize>) -> usize {
        0
    }

    /// Bytes of strings, without their lengths.
    fn string_bytes(&self, _: Range<usize>) -> Option<i64> {
        None
    }

    /// Adds values, or more of the same column.
    fn fill(&self, values: Range<usize>, filter: &mut Sbbf);
}

/// Integers.
pub(super) struct Integers<'a, T>(pub(super) &'a [T]);

/// Floating-point numbers.
pub(super) struct Floats<'a, T>(pub(super) &'a [T]);

/// Booleans.
pub(super) struct Booleans<'a>(pub(super) &'a BooleanBuffer);

/// Decimals of more than 18 digits: big-endian integers of this length in bytes.
pub(super) struct Decimals<'a> {
    pub(super) values: &'a [i128],
    pub(super) bytes: usize,
}

/// Strings one after the other.
pub(super) struct Plain<'a> {
    pub(super) strings: &'a Strings,
    pub(super) text: bool,
}

macro_rules! integers {
    ($type:ty) => {
        impl Leaf for Integers<'_, $type> {
            const ENCODING: Encoding = Encoding::DELTA_BINARY_PACKED;
            type Bound = $type;

            fn encode(&self, values: Range<usize>, out: &mut Vec<u8>) {
                delta::encode(&self.0[values], out);
            }

            fn bounds(&self, values: Range<usize>) -> Option<Bounds<$type>> {
                let values = &self.0[values];
                let first = *values.first()?;
                // One pass each: both are vectorised.
                let least = values.iter().fold(first, |least, value| least.min(*value));
                Some((least, values.iter().fold(first, |greatest, value| greatest.max(*value))))
            }

            fn index_entry(&self, (least, greatest): &Bounds<$type>) -> [Vec<u8>; 2] {
                [least.to_le_bytes().to_vec(), greatest.to_le_bytes().to_vec()]
            }

            fn statistics(&self, bounds: Option<Bounds<$type>>, nulls: u64) -> Statistics {
                let (least, greatest) = bounds.unzip();
                ValueStatistics::new(least, greatest, None, Some(nulls), false)
                    .with_backwards_compatible_min_max(true)
                    .into()
            }

            fn fill(&self, values: Range<usize>, filter: &mut Sbbf) {
                self.0[values].iter().for_each(|value| filter.insert(value));
            }
        }
    };
}

integers!(i32);
integers!(i64);

macro_rules! floats {
    ($type:ty) => {
        impl Leaf for Floats<'_, $type> {
            const ENCODING: Encoding = Encoding::PLAIN;
            type Bound = $type;

            fn encode(&self, values: Range<usize>, out: &mut Vec<u8>) {
                out.extend(self.0[values].iter().flat_map(|value| value.to_le_bytes()));
            }

            fn bounds(&self, values: Range<usize>) -> Option<Bounds<$type>> {
                let mut values = self.0[values].iter().copied().filter(|value| !value.is_nan());
                let first = values.next()?;
                let (least, greatest) = values.fold((first, first), |(least, greatest), value| {
                    (if value < least { value } else { least }, greatest.max(value))
                });
                // Readers may hold zeros of either sign for different: the bounds enclose both.
                let least = if least == 0.0 { -0.0 } else { least };
                let greatest = if greatest == 0.0 { 0.0 } else { greatest };
                Some((least, greatest))
            }

            fn index_entry(&self, (least, greatest): &Bounds<$type>) -> [Vec<u8>; 2] {
                [least.to_le_bytes().to_vec(), greatest.to_le_bytes().to_vec()]
            }

            fn statistics(&self, bounds: Option<Bounds<$type>>, nulls: u64) -> Statistics {
                let (least, greatest) = bounds.unzip();
                ValueStatistics::new(least, greatest, None, Some(nulls), false)
                    .with_backwards_compatible_min_max(true)
                    .into()
            }

            fn fill(&self, values: Range<usize>, filter: &mut Sbbf) {
                self.0[values].iter().for_each(|value| filter.insert(value));
            }
        }
    };
}

floats!(f32);
floats!(f64);

impl Leaf for Booleans<'_> {
    const ENCODING: Encoding = Encoding::RLE;
    type Bound = bool;

    fn encode(&self, values: Range<usize>, out: &mut Vec<u8>) {
        let length = out.len();
        out.extend_from_slice(&[0; 4]);
        let slice = self.0.slice(values.start, values.len());
        bits::hybrid_bits(&slice.sliced(), values.len(), out);
        let encoded = (out.len() - length - 4) as u32;
        out[length..length + 4].copy_from_slice(&encoded.to_le_bytes());
    }

    fn bounds(&self, values: Range<usize>) -> Option<Bounds<bool>> {
        if values.is_empty() {
            return None;
        }
        let set = self.0.slice(values.start, values.len()).count_set_bits();
        Some((set == values.len(), set > 0))
    }

    fn index_entry(&self, (least, greatest): &Bounds<bool>) -> [Vec<u8>; 2] {
        [vec![u8::from(*least)], vec![u8::from(*greatest)]]
    }

    fn statistics(&self, bounds: Option<Bounds<bool>>, nulls: u64) -> Statistics {
        let (least, greatest) = bounds.unzip();
        ValueStatistics::new(least, greatest, None, Some(nulls), false).into()
    }

    fn fill(&self, values: Range<usize>, filter: &mut Sbbf) {
        let values = self.0.slice(values.start, values.len());
        values.iter().for_each(|value| filter.insert(&value));
    }
}

impl Decimals<'_> {
    fn encoded(&self, value: i128) -> Vec<u8> {
        value.to_be_bytes()[16 - self.bytes..].to_vec()
    }
}

impl Leaf for Decimals<'_> {
    const ENCODING: Encoding = Encoding::PLAIN;
    type Bound = i128;

    fn encode(&self, values: Range<usize>, out: &mut Vec<u8>) {
        for value in &self.values[values] {
            out.extend_from_slice(&value.to_be_bytes()[16 - self.bytes..]);
        }
    }

    fn bounds(&self, values: Range<usize>) -> Option<Bounds<i128>> {
        let values = self.values[values].iter().copied();
        values.clone().min().zip(values.max())
    }

    fn index_entry(&self, (least, greatest): &Bounds<i128>) -> [Vec<u8>; 2] {
        [self.encoded(*least), self.encoded(*greatest)]
    }

    fn statistics(&self, bounds: Option<Bounds<i128>>, nulls: u64) -> Statistics {
        let value = |value| FixedLenByteArray::from(self.encoded(value));
        let (least, greatest) = bounds.unzip();
        ValueStatistics::new(least.map(value), greatest.map(value), None, Some(nulls), false)
            .with_backwards_compatible_min_max(true)
            .into()
    }

    fn fill(&self, values: Range<usize>, filter: &mut Sbbf) {
        let values = self.values[values].iter();
        values.for_each(|value| filter.insert(self.encoded(*value).as_slice()));
    }
}

impl Leaf for Plain<'_> {
    const ENCODING: Encoding = Encoding::DELTA_LENGTH_BYTE_ARRAY;
    const SHORTENED: bool = true;
    /// Strings leave the memory page by page, and their bounds stay.
    type Bound = Vec<u8>;

    fn encode(&self, values: Range<usize>, out: &mut Vec<u8>) {
        let offsets = self.strings.offsets(values.clone());
        let lengths: Vec<i32> = offsets.windows(2).map(|pair| (pair[1] - pair[0]) as i32).collect();
        delta::encode(&lengths, out);
        out.extend_from_slice(self.strings.bytes(values));
    }

    fn bounds(&self, mut values: Range<usize>) -> Option<Bounds<Vec<u8>>> {
        let first = self.strings.get(values.next()?);
        let (least, greatest) = values.fold((first, first), |(least, greatest), at| {
            let value = self.strings.get(at);
            (least.min(value), greatest.max(value))
        });
        Some((least.to_vec(), greatest.to_vec()))
    }

    fn index_entry(&self, (least, greatest): &Bounds<Vec<u8>>) -> [Vec<u8>; 2] {
        [lower(least, self.text), upper(greatest, self.text)]
    }

    fn statistics(&self, bounds: Option<Bounds<Vec<u8>>>, nulls: u64) -> Statistics {
        let bounds = bounds.as_ref().map(|(least, greatest)| (&**least, &**greatest));
        string_statistics(bounds, nulls, self.text)
    }

    fn page_bytes(&self, values: Range<usize>) -> usize {
        self.strings.bytes(values).len()
    }

    fn string_bytes(&self, values: Range<usize>) -> Option<i64> {
        Some(self.strings.bytes(values).len() as i64)
    }

    fn fill(&self, values: Range<usize>, filter: &mut Sbbf) {
        values.for_each(|at| filter.insert(self.strings.get(at)));
    }
}

/// Statistics of byte strings; their order is not that of the deprecated fields.
pub(super) fn string_statistics(
    bounds: Option<Bounds<&[u8]>>,
    nulls: u64,
    text: bool,
) -> Statistics {
    let (least, greatest) = bounds.unzip();
    let low = least.map(|least| lower(least, text));
    let high = greatest.map(|greatest| upper(greatest, text));
    let exact = [low.as_deref() == least, high.as_deref() == greatest];
    ValueStatistics::new(
        low.map(ByteArray::from),
        high.map(ByteArray::from),
        None,
        Some(nulls),
        false,
    )
    .with_min_is_exact(exact[0] && least.is_some())
    .with_max_is_exact(exact[1] && greatest.is_some())
    .into()
}
