//! Packed rows as bytes.
//!
//! A batch has the strings that its rows need, each once, and for each partition the values of its rows, lane by lane: of
//! numbers that lie close together only what lies above the least is written, in as few bytes as the greatest needs. Rows
//! of the main job, three columns, take 14 bytes, of 29 that they take as encoded rows, compressed.

use distil_json::{Class, Dictionary, MessageReader, MessageWriter, PackedLayout};
use distil_plan::{Error, Result};

use crate::rows::{Row, RowBuffers, SINGLE};

/// The code of a string that a batch does not have yet; no string has it.
const UNKNOWN: u32 = u32::MAX;

/// Makes batches of packed rows.
pub struct PackedBatch {
    /// For each column of text the codes in the batch, by the codes of its dictionary.
    codes: Vec<Vec<u32>>,
    columns: Vec<Strings>,
    partitions: MessageWriter,
    count: u64,
    rows: Vec<u64>,
}

/// The strings of a column in a batch.
#[derive(Default)]
struct Strings {
    lengths: Vec<u64>,
    bytes: Vec<u8>,
    /// Their codes in the dictionary.
    known: Vec<u32>,
}

impl PackedBatch {
    /// An empty batch of rows of this layout.
    pub fn new(layout: &PackedLayout) -> Self {
        let mut columns = Vec::new();
        columns.resize_with(layout.texts, Strings::default);
        Self {
            codes: vec![Vec::new(); layout.texts],
            columns,
            partitions: MessageWriter::default(),
            count: 0,
            rows: Vec::new(),
        }
    }

    /// Appends rows of a partition, whose codes are of these dictionaries: all rows of a batch have the same.
    pub fn push(
        &mut self,
        layout: &PackedLayout,
        partition: u32,
        rows: &[u64],
        dictionaries: &[Dictionary],
    ) {
        for column in layout.columns.iter().filter(|column| column.class == Class::Text) {
            let (codes, dictionary) = (&mut self.codes[column.text], &dictionaries[column.text]);
            codes.resize(dictionary.len(), UNKNOWN);
            let Strings { lengths, bytes, known } = &mut self.columns[column.text];
            layout.each(rows, column, |code| {
                // A null has no string.
                let Some(code) = code.map(|code| code as u32) else { return };
                let local = &mut codes[code as usize];
                if *local == UNKNOWN {
                    *local = known.len() as u32;
                    known.push(code);
                    let text = dictionary.get(code);
                    lengths.push(text.len() as u64);
                    bytes.extend_from_slice(text);
                }
            });
        }
        self.rows.clear();
        self.rows.extend_from_slice(rows);
        layout.rank(&mut self.rows, &self.codes);
        self.count += 1;
        self.partitions.number(u64::from(partition));
        self.partitions.number((rows.len() / layout.words) as u64);
        for lane in lanes(layout) {
            let values = self.rows.chunks_exact(layout.words).map(|row| lane.get(row));
            write_lane(&mut self.partitions, values);
        }
    }

    /// Bytes of the rows appended.
    pub fn bytes(&self) -> usize {
        self.partitions.len() + self.columns.iter().map(|column| column.bytes.len()).sum::<usize>()
    }

    /// The rows appended, as bytes; more may follow.
    pub fn finish(&mut self) -> Vec<u8> {
        let mut message = MessageWriter::default();
        for (codes, column) in self.codes.iter_mut().zip(&mut self.columns) {
            let Strings { lengths, bytes, known } = std::mem::take(column);
            known.iter().for_each(|code| codes[*code as usize] = UNKNOWN);
            message.number(lengths.len() as u64);
            write_lane(&mut message, lengths.iter().copied());
            message.bytes(&bytes);
        }
        message.number(std::mem::take(&mut self.count));
        message.append(std::mem::take(&mut self.partitions));
        message.finish()
    }
}

/// Rows of one partition, in either form.
#[derive(Debug)]
pub enum PartitionRows {
    /// Buffers of encoded rows.
    Encoded(Vec<Vec<u8>>),
    /// Packed rows.
    Packed(Vec<u64>),
}

/// Reads a batch of packed rows: for each partition its rows, packed with codes of `dictionaries`, or encoded if these
/// take no more strings.
///
/// # Errors
/// An environment error if the bytes are not such a batch.
pub fn read_packed(
    bytes: &[u8],
    layout: &PackedLayout,
    dictionaries: &mut [Dictionary],
) -> Result<Vec<(u32, PartitionRows)>> {
    let mut message = MessageReader::new(bytes);
    let mut columns: Vec<Vec<&[u8]>> = Vec::new();
    for _ in 0..layout.texts {
        let count = message.count(0)?;
        let mut lengths = Vec::new();
        read_lane(&mut message, count, |length| lengths.push(length as usize))?;
        let mut rest = message.bytes()?;
        let mut strings = Vec::with_capacity(lengths.len());
        for length in lengths {
            let (string, after) = rest.split_at_checked(length).ok_or_else(broken)?;
            strings.push(string);
            rest = after;
        }
        columns.push(strings);
    }
    let interned = columns.iter().zip(dictionaries).map(|(strings, dictionary)| {
        strings.iter().map(|string| dictionary.intern(string)).collect::<Option<Vec<u32>>>()
    });
    let codes: Option<Vec<Vec<u32>>> = interned.collect();
    let mut partitions = Vec::new();
    for _ in 0..message.count(16)? {
        let (partition, count) = (message.small()?, message.small::<usize>()?);
        let mut rows = read_rows(&mut message, layout, count)?;
        for column in layout.columns.iter().filter(|column| column.class == Class::Text) {
            let count = columns[column.text].len() as u64;
            let mut known = true;
            layout.each(&rows, column, |code| known &= code.is_none_or(|code| code < count));
            if !known {
                return Err(broken());
            }
        }
        let rows = match &codes {
            Some(codes) => {
                layout.rank(&mut rows, codes);
                PartitionRows::Packed(rows)
            }
            None => PartitionRows::Encoded(encoded(layout, &rows, &columns)),
        };
        partitions.push((partition, rows));
    }
    message.finish()?;
    Ok(partitions)
}

fn encoded(layout: &PackedLayout, rows: &[u64], columns: &[Vec<&[u8]>]) -> Vec<Vec<u8>> {
    let text = |column: usize, code: u32| columns[column][code as usize];
    let (mut buffers, mut bytes) = (RowBuffers::default(), Vec::new());
    for row in rows.chunks_exact(layout.words) {
        let key_length = layout.unpack(row, text, &mut bytes);
        let value_bytes = layout.value_bytes(row, text);
        let counts = SINGLE;
        buffers.push(&Row { bytes: &bytes, key_length, value_bytes, counts, origin: None });
    }
    buffers.full
}

/// A word of rows, or half of one, as a number.
#[derive(Clone, Copy)]
struct Lane {
    word: usize,
    /// The first bit of the half.
    half: Option<u32>,
}

/// Words that are one value each, then halves of words.
fn lanes(layout: &PackedLayout) -> impl Iterator<Item = Lane> {
    let wide = (0..layout.wide).map(|word| Lane { word, half: None });
    let halves = (layout.wide..layout.words)
        .flat_map(|word| [0, 32].map(|shift| Lane { word, half: Some(shift) }));
    wide.chain(halves)
}

impl Lane {
    fn get(self, row: &[u64]) -> u64 {
        match self.half {
            None => row[self.word],
            // A null, whose code is the greatest, becomes the least.
            Some(shift) => u64::from(((row[self.word] >> shift) as u32).wrapping_add(1)),
        }
    }

    fn set(self, row: &mut [u64], value: u64) {
        match self.half {
            None => row[self.word] = value,
            Some(shift) => row[self.word] |= u64::from((value as u32).wrapping_sub(1)) << shift,
        }
    }
}

/// Writes numbers: the least, the bytes that each needs above it, and these.
fn write_lane(message: &mut MessageWriter, values: impl Iterator<Item = u64> + Clone) {
    let (least, greatest) = values
        .clone()
        .fold((u64::MAX, 0), |(least, greatest), value| (least.min(value), greatest.max(value)));
    let spread = greatest.saturating_sub(least);
    let width = (u64::BITS - spread.leading_zeros()).div_ceil(8) as usize;
    message.number(least);
    message.byte(width as u8);
    let mut bytes = Vec::with_capacity(values.size_hint().0 * width);
    for value in values {
        bytes.extend_from_slice(&(value - least).to_le_bytes()[..width]);
    }
    message.bytes(&bytes);
}

/// Reads `count` numbers.
fn read_lane(message: &mut MessageReader<'_>, count: usize, take: impl FnMut(u64)) -> Result<()> {
    let least = message.number()?;
    let width = message.byte()?;
    let bytes = message.bytes()?;
    if bytes.len() != count.checked_mul(width.into()).ok_or_else(broken)? {
        return Err(broken());
    }
    let mut take = take;
    match width {
        0 if count > MOST_ALIKE => return Err(broken()),
        0 => (0..count).for_each(|_| take(least)),
        1 => each::<1>(bytes, least, take),
        2 => each::<2>(bytes, least, take),
        3 => each::<3>(bytes, least, take),
        4 => each::<4>(bytes, least, take),
        5 => each::<5>(bytes, least, take),
        6 => each::<6>(bytes, least, take),
        7 => each::<7>(bytes, least, take),
        8 => each::<8>(bytes, least, take),
        _ => return Err(broken()),
    }
    Ok(())
}

fn each<const WIDTH: usize>(bytes: &[u8], least: u64, mut take: impl FnMut(u64)) {
    for value in bytes.as_chunks::<WIDTH>().0 {
        let mut word = [0; 8];
        word[..WIDTH].copy_from_slice(value);
        take(least.wrapping_add(u64::from_le_bytes(word)));
    }
}

/// Numbers that need no byte each: a count alone must not make a reader take memory without end.
const MOST_ALIKE: usize = 1 << 24;

fn read_rows(
    message: &mut MessageReader<'_>,
    layout: &PackedLayout,
    count: usize,
) -> Result<Vec<u64>> {
    let mut rows = Vec::new();
    for lane in lanes(layout) {
        if rows.is_empty() {
            let mut first = Vec::new();
            read_lane(message, count, |value| first.push(value))?;
            rows = vec![0; first.len() * layout.words];
            for (row, value) in rows.chunks_exact_mut(layout.words).zip(first) {
                lane.set(row, value);
            }
            continue;
        }
        let mut open = rows.chunks_exact_mut(layout.words);
        read_lane(message, count, |value| {
            if let Some(row) = open.next() {
                lane.set(row, value);
            }
        })?;
    }
    Ok(rows)
}

fn broken() -> Error {
    Error::environment("packed rows between tasks are broken").help(
        "run the job again; if that does not help, check the network and the disks of the nodes",
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::sync::Arc;

    use distil_json::{Decoder, EncodedRow, FrameSlice, Frames, Sampler, Sink};
    use distil_plan::{BadPart, ColumnPath, Dedup, Plan};
    use proptest::prelude::*;

    use super::*;
    use crate::rows::places;

    /// Rows that were packed, and copies of the dictionaries of their codes.
    #[derive(Default)]
    struct Packed {
        rows: Vec<u64>,
        dictionaries: Vec<Dictionary>,
    }

    impl Sink for Packed {
        fn row(&mut self, _: &EncodedRow<'_>) -> Result<()> {
            Ok(())
        }

        fn packed(&mut self, rows: &[u64], dictionaries: &[Dictionary]) -> Result<()> {
            self.rows.extend_from_slice(rows);
            self.dictionaries = dictionaries.iter().map(copied).collect();
            Ok(())
        }

        fn bad(&mut self, part: BadPart) -> Result<()> {
            panic!("{part:?}");
        }
    }

    fn copied(dictionary: &Dictionary) -> Dictionary {
        let mut copy = Dictionary::new(1 << 20);
        for code in 0..dictionary.len() as u32 {
            assert_eq!(copy.intern(dictionary.get(code)), Some(code));
        }
        copy
    }

    fn packed(records: &[(i64, Option<String>, String, Option<f64>)]) -> (PackedLayout, Packed) {
        let mut plan = Plan::new(vec!["in".to_owned()], distil_plan::Sink::new("out.parquet"));
        plan.dedup = Some(Dedup::on_columns(vec![ColumnPath::name("k")]));
        let line = |(k, a, b, x): &(i64, Option<String>, String, Option<f64>)| {
            format!("{}\n", serde_json::json!({"k": k, "a": a, "b": b, "x": x}))
        };
        let text: String = records.iter().map(line).collect();
        let sampled = format!("{}{text}", line(&(1, Some("a".into()), "b".into(), Some(0.5))));
        let mut sampler = Sampler::new(&plan).unwrap();
        sampler.sample(0, sampled.as_bytes(), usize::MAX).unwrap();
        let layout = Arc::new(sampler.finish(&plan).1.unwrap());
        let mut decoder = Decoder::new(&plan).unwrap().expecting(Some(&layout), 1 << 20);
        let mut found = Packed::default();
        let bytes = text.as_bytes();
        let slice = FrameSlice { input: 0, offset: 0, bytes, frames: &Frames::Lines };
        decoder.decode(&slice, &mut found).unwrap();
        (Arc::unwrap_or_clone(layout), found)
    }

    fn encoded_rows(layout: &PackedLayout, rows: &[u64], of: &[Dictionary]) -> Vec<Vec<u8>> {
        let mut bytes = Vec::new();
        let rows = rows.chunks_exact(layout.words).map(|row| {
            layout.unpack(row, |column, code| of[column].get(code), &mut bytes);
            bytes.clone()
        });
        rows.collect()
    }

    proptest! {
        #[test]
        fn packed_rows_come_out_of_their_bytes_as_they_went_in(
            records in prop::collection::vec(
                (
                    prop_oneof![0..50i64, -1_000_000_000_000..1_000_000_000_000i64],
                    prop::option::of("[a-c]{0,2}"),
                    "[a-z]{0,12}",
                    prop::option::of((-1000..1000i32).prop_map(|n| f64::from(n) / 4.0)),
                ),
                1..200,
            ),
            most_bytes in prop_oneof![Just(0u64), Just(1 << 20)],
            partitions in 1u32..5,
        ) {
            let (layout, Packed { rows, dictionaries }) = packed(&records);
            prop_assert!(!rows.is_empty());
            let mut expected = Vec::new();
            let mut batch = PackedBatch::new(&layout);
            let mut received: Vec<Dictionary> =
                (0..layout.texts).map(|_| Dictionary::new(most_bytes)).collect();
            let mut found = Vec::new();
            // Two batches, the second from what the first left behind.
            let all: Vec<&[u64]> = rows.chunks_exact(layout.words).collect();
            for half in all.chunks(all.len().div_ceil(2).max(1)) {
                for partition in 0..partitions {
                    let rows: Vec<u64> =
                        half.iter().skip(partition as usize).step_by(partitions as usize).copied().flatten().copied().collect();
                    batch.push(&layout, partition, &rows, &dictionaries);
                    expected.push((partition, encoded_rows(&layout, &rows, &dictionaries)));
                }
                let bytes = batch.finish();
                for (partition, rows) in read_packed(&bytes, &layout, &mut received).unwrap() {
                    let rows = match rows {
                        PartitionRows::Packed(rows) => encoded_rows(&layout, &rows, &received),
                        PartitionRows::Encoded(buffers) => {
                            places(&buffers).map(|(_, row)| row.bytes.to_vec()).collect()
                        }
                    };
                    found.push((partition, rows));
                }
                for end in (0..bytes.len()).step_by(7) {
                    let mut others = vec![Dictionary::new(1 << 20), Dictionary::new(1 << 20)];
                    prop_assert!(read_packed(&bytes[..end], &layout, &mut others).is_err());
                }
            }
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn bytes_of_others_are_refused_or_rows(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let (layout, Packed { mut dictionaries, .. }) =
                packed(&[(1, Some("a".to_owned()), "b".to_owned(), None)]);
            // Whatever it says, it does not panic.
            let _ = read_packed(&bytes, &layout, &mut dictionaries);
        }
    }
}
