//! Packed rows on their way: chunks of words, raw segments on disk, and ranges reduced by words.
//!
//! What is packed stays so while it can; where rows of a range travel encoded, or the schema ends with
//! other types, packed rows are unpacked and go the way of all others (see `distil_json::PackedLayout`).

use std::cmp::Ordering;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use arrow_buffer::ToByteSlice as _;
use distil_json::{Class, Dictionary, PackedColumn, PackedLayout, Ranks};
use distil_plan::{Error, Result, Schema, TimeUnit, Type};
use distil_storage::{InputFile, Storage};

use crate::chunk::Strings;
use crate::rows::{Chunks, Counts, Row, SINGLE};
use crate::threads;

/// Words of a chunk that holds many rows.
const CHUNK: usize = 2 << 10;

/// A column of text, its strings in order, and for each dictionary the ranks of its codes.
type Joined = (usize, Strings, Vec<Vec<u32>>);

/// What the second half of a run knows of packed rows.
pub(crate) struct Packing {
    pub(crate) layout: Arc<PackedLayout>,
    /// For each column of text its strings in order.
    pub(crate) strings: Vec<Strings>,
    /// For each worker and column of text the ranks of its codes.
    ranks: Vec<Vec<Vec<u32>>>,
    /// Whether rows can be written as they are: the schema ended with the types of the layout.
    pub(crate) stays: bool,
    /// Bytes of the values that a row has at most.
    pub(crate) most_value_bytes: u32,
}

impl Packing {
    /// Joins the dictionaries of all workers, column by column on at most so many threads.
    ///
    /// # Errors
    /// An environment error if no thread can be started.
    pub(crate) fn new(
        layout: Arc<PackedLayout>,
        workers: &[Vec<Dictionary>],
        schema: &Schema,
        threads: usize,
    ) -> Result<Self> {
        let next = AtomicUsize::new(0);
        let joined: Mutex<Vec<Joined>> = Mutex::new(Vec::new());
        let join = || {
            loop {
                let column = next.fetch_add(1, Relaxed);
                if column >= layout.texts {
                    return;
                }
                let dictionaries: Vec<&Dictionary> =
                    workers.iter().filter_map(|worker| worker.get(column)).collect();
                let (sorted, ranks) = Ranks::of(&dictionaries);
                let mut joined = joined.lock().unwrap_or_else(PoisonError::into_inner);
                joined.push((column, sorted.into(), ranks));
            }
        };
        std::thread::scope(|scope| {
            threads::start(scope, (0..threads.min(layout.texts).max(1)).map(|_| join)).map(drop)
        })?;
        let mut joined = joined.into_inner().unwrap_or_else(PoisonError::into_inner);
        if joined.len() != layout.texts {
            return Err(Error::bug("a thread of the engine died"));
        }
        joined.sort_by_key(|(column, ..)| *column);
        // Workers without dictionaries packed nothing.
        let mut ranks = vec![Vec::new(); workers.len()];
        let mut strings = Vec::new();
        for (_, sorted, of_workers) in joined {
            strings.push(sorted);
            let packing = ranks.iter_mut().zip(workers).filter(|(_, worker)| !worker.is_empty());
            for ((of_worker, _), of_column) in packing.zip(of_workers) {
                of_worker.push(of_column);
            }
        }
        let stays = layout.columns.iter().all(|column| fits(column, schema));
        let longest: Vec<usize> = strings
            .iter()
            .map(|sorted: &Strings| sorted.iter().map(<[u8]>::len).max().unwrap_or_default())
            .collect();
        let most_value_bytes = layout.most_value_bytes(&longest);
        Ok(Self { layout, strings, ranks, stays, most_value_bytes })
    }

    pub(crate) fn text(&self, column: usize, rank: u32) -> &[u8] {
        self.strings[column].get(rank as usize)
    }

    /// The encoded form of a row with ranks, in `buffer`.
    pub(crate) fn unpack<'a>(&self, row: &[u64], buffer: &'a mut Vec<u8>) -> Row<'a> {
        let text = |column, rank| self.text(column, rank);
        let key_length = self.layout.unpack(row, text, buffer);
        Row { bytes: buffer, key_length, value_bytes: self.value_bytes(row), counts: SINGLE }
    }

    pub(crate) fn value_bytes(&self, row: &[u64]) -> u32 {
        self.layout.value_bytes(row, |column, rank| self.text(column, rank))
    }
}

/// Whether a column of the schema holds just what is packed for it.
fn fits(column: &PackedColumn, schema: &Schema) -> bool {
    let found = schema.fields.iter().find(|field| field.name == column.name);
    let Some(data_type) = found.map(|field| &field.data_type) else {
        // A column that no record has a value in may be left out.
        return column.class == Class::Nothing;
    };
    match column.class {
        Class::Instant(6) => *data_type == Type::Timestamp(TimeUnit::Micros),
        Class::Instant(_) => *data_type == Type::Timestamp(TimeUnit::Millis),
        Class::Integer => *data_type == Type::Int64,
        Class::Float => *data_type == Type::Float64,
        Class::Boolean => *data_type == Type::Boolean,
        Class::Text => *data_type == Type::String,
        Class::Nothing => false,
    }
}

/// Which range a packed row belongs to: how many splitters are not greater than its first word.
#[derive(Clone, Debug, Default)]
pub(crate) struct WordSplitters {
    words: Vec<u64>,
    low: u64,
    shift: u32,
    /// How many splitters lie below each of equally wide cells.
    cells: Vec<u16>,
}

impl WordSplitters {
    pub(crate) fn new(words: Vec<u64>) -> Self {
        let (Some(low), Some(high)) = (words.first().copied(), words.last().copied()) else {
            return Self { cells: vec![0], ..Self::default() };
        };
        // Some four cells a splitter, so that most cells hold one at most.
        let wanted = (words.len() as u64 * 4).next_power_of_two();
        let spread = high - low;
        let shift = (64 - spread.leading_zeros()).saturating_sub(wanted.trailing_zeros());
        let cells = (0..=spread >> shift)
            .map(|cell| words.partition_point(|word| *word < low + (cell << shift)) as u16);
        Self { low, shift, cells: cells.collect(), words }
    }

    #[inline]
    pub(crate) fn partition(&self, word: u64) -> usize {
        let cell = (word.saturating_sub(self.low) >> self.shift) as usize;
        let mut at = usize::from(self.cells[cell.min(self.cells.len() - 1)]);
        while self.words.get(at).is_some_and(|splitter| *splitter <= word) {
            at += 1;
        }
        at
    }
}

/// Appends a row; most have so few words that a call that copies memory costs more than the copy.
#[inline]
fn append(rows: &mut Vec<u64>, row: &[u64]) {
    match *row {
        [a] => rows.push(a),
        [a, b] => rows.extend_from_slice(&[a, b]),
        [a, b, c] => rows.extend_from_slice(&[a, b, c]),
        [a, b, c, d] => rows.extend_from_slice(&[a, b, c, d]),
        _ => rows.extend_from_slice(row),
    }
}

/// Rows of one range, in no order, in chunks that never grow.
#[derive(Debug, Default)]
pub(crate) struct PackedChunks {
    /// The chunk that is being filled. It is here, not in the list, because rows come to hundreds of
    /// ranges in turn: what a row touches must be near.
    open: Vec<u64>,
    full: Vec<Vec<u64>>,
    /// Empty ones to be filled before memory is asked for.
    spare: Vec<Vec<u64>>,
}

impl PackedChunks {
    /// No rows, and chunks for them.
    pub(crate) fn in_place_of(spare: Vec<Vec<u64>>) -> Self {
        Self { spare, ..Self::default() }
    }

    /// Appends a row; returns how many more bytes of memory are taken.
    #[inline]
    pub(crate) fn push(&mut self, row: &[u64]) -> u64 {
        if self.open.capacity() - self.open.len() >= row.len() {
            append(&mut self.open, row);
            return 0;
        }
        self.begin(row)
    }

    #[cold]
    fn begin(&mut self, row: &[u64]) -> u64 {
        let spare = self.spare.pop().filter(|spare| spare.capacity() >= row.len());
        let taken = if spare.is_some() { 0 } else { self.next_capacity().max(row.len()) };
        let mut chunk = spare.unwrap_or_else(|| Vec::with_capacity(taken));
        chunk.extend_from_slice(row);
        let filled = std::mem::replace(&mut self.open, chunk);
        if !filled.is_empty() {
            self.full.push(filled);
        }
        taken as u64 * 8
    }

    /// Small partitions begin small, so that thousands of them do not waste memory.
    fn next_capacity(&self) -> usize {
        match (self.open.is_empty(), self.full.is_empty()) {
            (true, _) => CHUNK / 16,
            (_, true) => CHUNK / 4,
            _ => CHUNK,
        }
    }

    /// The chunks that have rows.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Vec<u64>> {
        self.full.iter().chain(Some(&self.open).filter(|open| !open.is_empty()))
    }

    /// The chunks that have rows.
    pub(crate) fn into_chunks(mut self) -> Vec<Vec<u64>> {
        if !self.open.is_empty() {
            self.full.push(self.open);
        }
        self.full
    }

    pub(crate) fn words(&self) -> usize {
        self.iter().map(Vec::len).sum()
    }

    pub(crate) fn capacity(&self) -> u64 {
        self.iter().map(|chunk| chunk.capacity() as u64 * 8).sum()
    }
}

/// Packed rows of one range on disk, in no order.
#[derive(Clone)]
pub(crate) struct PackedSegment {
    file: Arc<dyn InputFile>,
    offset: u64,
    pub(crate) words: usize,
}

impl std::fmt::Debug for PackedSegment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PackedSegment").field("words", &self.words).finish_non_exhaustive()
    }
}

impl PackedSegment {
    /// Appends the words to `out`.
    ///
    /// # Errors
    /// An environment error when reading fails.
    pub(crate) fn read(&self, out: &mut Vec<u64>) -> Result<()> {
        let mut bytes = vec![0; self.words * 8];
        let mut filled = 0;
        while filled < bytes.len() {
            let count = self.file.read_at(self.offset + filled as u64, &mut bytes[filled..])?;
            if count == 0 {
                return Err(crate::spill::shortened());
            }
            filled += count;
        }
        let (words, _) = bytes.as_chunks::<8>();
        out.extend(words.iter().map(|word| u64::from_ne_bytes(*word)));
        Ok(())
    }
}

/// Writes the rows of all ranges to a new file; they are gone from memory then. Returns the segments,
/// each with its range, and the bytes written.
///
/// # Errors
/// An environment error with the path.
pub(crate) fn spill(
    storage: &dyn Storage,
    path: &Path,
    partitions: &mut [PackedChunks],
) -> Result<(Vec<(usize, PackedSegment)>, u64)> {
    let mut output = storage.create_new(path)?;
    let mut places = Vec::new();
    let mut written = 0;
    for (partition, chunks) in partitions.iter_mut().enumerate() {
        let chunks = std::mem::take(chunks);
        let words = chunks.words();
        if words == 0 {
            continue;
        }
        for chunk in chunks.iter() {
            output.write_all(chunk.as_slice().to_byte_slice())?;
        }
        places.push((partition, written, words));
        written += words as u64 * 8;
    }
    drop(output);
    let file: Arc<dyn InputFile> = Arc::from(storage.open(path)?);
    let segments = places.into_iter().map(|(partition, offset, words)| {
        (partition, PackedSegment { file: Arc::clone(&file), offset, words })
    });
    Ok((segments.collect(), written))
}

/// Takes the rows whose keys occur more than once out of `chunks`, reduces them to one row a key and
/// its witness, and appends these, encoded, to `encoded`. What stays has a key of its own.
pub(crate) fn collapse(
    layout: &PackedLayout,
    dictionaries: &[Dictionary],
    chunks: &mut PackedChunks,
    encoded: &mut Chunks,
) {
    let rows: Vec<u64> = std::mem::take(chunks).into_chunks().concat();
    let row = |at: &u32| &rows[*at as usize * layout.words..][..layout.words];
    let codes = |column: usize, a: u32, b: u32| {
        if a == b {
            return Ordering::Equal;
        }
        dictionaries[column].get(a).cmp(dictionaries[column].get(b))
    };
    let mut order: Vec<u32> = (0..(rows.len() / layout.words) as u32).collect();
    order.sort_unstable_by(|a, b| {
        row(a)[0].cmp(&row(b)[0]).then_with(|| layout.compare(row(a), row(b), codes))
    });
    let mut buffer = Vec::new();
    let mut push = |at: &u32, counts: Counts| {
        let text = |column: usize, code| dictionaries[column].get(code);
        let key_length = layout.unpack(row(at), text, &mut buffer);
        let value_bytes = layout.value_bytes(row(at), text);
        encoded.push(&Row { bytes: &buffer, key_length, value_bytes, counts });
    };
    for run in order.chunk_by(|a, b| layout.same_key(row(a), row(b))) {
        let Some((first, others)) = run.split_first() else { continue };
        if others.is_empty() {
            chunks.push(row(first));
            continue;
        }
        let copies = run.iter().take_while(|at| row(at) == row(first)).count();
        let conflicting = run.len() - copies;
        push(first, Counts { copies: copies as u64, conflicting: conflicting as u64 });
        if let Some(witness) = run.get(copies) {
            push(witness, Counts { copies: 0, conflicting: 0 });
        }
    }
}

/// Memory that is used again from range to range.
#[derive(Debug, Default)]
pub(crate) struct PackedScratch {
    rows: Vec<u64>,
    /// Chunks that were loaded from: survivors go back to them. Memory of the exchange would otherwise
    /// lie idle until the end, as rows of all ranges share its pages, while survivors take new memory.
    emptied: Vec<Vec<u64>>,
    order: Vec<u64>,
    spare: Vec<u64>,
    wide: Vec<(u64, u32)>,
}

/// What packed rows were reduced to.
#[derive(Debug, Default)]
pub(crate) struct PackedOutcome {
    /// Survivors in order, with ranks.
    pub(crate) rows: PackedChunks,
    pub(crate) identical: u64,
    pub(crate) conflicting: u64,
    /// The first conflicts: the survivor and the first that differs.
    pub(crate) conflicts: Vec<(Vec<u64>, Vec<u64>)>,
}

impl PackedScratch {
    /// Forgets the rows of the range before.
    pub(crate) fn clear(&mut self) {
        self.rows.clear();
        self.emptied.clear();
    }

    /// Adds all rows of a worker's chunk.
    pub(crate) fn empty(&mut self, packing: &Packing, worker: usize, mut chunk: Vec<u64>) {
        self.load(packing, worker, &chunk, |_| true);
        chunk.clear();
        self.emptied.push(chunk);
    }

    /// Adds rows of a worker, if their first word is within bounds.
    pub(crate) fn load(
        &mut self,
        packing: &Packing,
        worker: usize,
        words: &[u64],
        within: impl Fn(u64) -> bool,
    ) {
        let start = self.rows.len();
        for row in words.chunks_exact(packing.layout.words).filter(|row| within(row[0])) {
            append(&mut self.rows, row);
        }
        packing.layout.rank(&mut self.rows[start..], &packing.ranks[worker]);
    }

    /// The rows loaded, in no order.
    pub(crate) fn rows(&self) -> &[u64] {
        &self.rows
    }

    /// Sorts what was loaded and reduces it to one row a key; the first `shown` conflicts are kept.
    pub(crate) fn reduce(&mut self, layout: &PackedLayout, shown: usize) -> PackedOutcome {
        self.sort(layout.words);
        let Self { rows, order, wide, emptied, .. } = self;
        let count = rows.len() / layout.words;
        let row = |at: usize| &rows[at * layout.words..][..layout.words];
        let place =
            |at: usize| if wide.is_empty() { order[at] as usize } else { wide[at].1 as usize };
        let compare = |a: usize, b: usize| layout.compare(row(a), row(b), |_, a, b| a.cmp(&b));
        let mut outcome = PackedOutcome {
            rows: PackedChunks::in_place_of(std::mem::take(emptied)),
            ..PackedOutcome::default()
        };
        let mut equals: Vec<usize> = Vec::new();
        let mut at = 0;
        while at < count {
            let first = place(at);
            let mut end = at + 1;
            while end < count && row(place(end))[0] == row(first)[0] {
                end += 1;
            }
            if end == at + 1 {
                outcome.rows.push(row(first));
                at = end;
                continue;
            }
            equals.clear();
            equals.extend((at..end).map(place));
            equals.sort_unstable_by(|a, b| compare(*a, *b));
            for run in equals.chunk_by(|a, b| layout.same_key(row(*a), row(*b))) {
                let copies = run.iter().take_while(|other| row(**other) == row(run[0])).count();
                outcome.rows.push(row(run[0]));
                outcome.identical += copies as u64 - 1;
                outcome.conflicting += (run.len() - copies) as u64;
                if let Some(witness) = run.get(copies)
                    && outcome.conflicts.len() < shown
                {
                    outcome.conflicts.push((row(run[0]).to_vec(), row(*witness).to_vec()));
                }
            }
            at = end;
        }
        outcome
    }

    /// Puts the rows in the order of their first word: by place in the low bits of `order` where
    /// both fit a word, else in `wide`.
    fn sort(&mut self, words: usize) {
        self.order.clear();
        self.wide.clear();
        let count = self.rows.len() / words;
        let first = self.rows.iter().step_by(words);
        let (low, high) = first
            .clone()
            .fold((u64::MAX, 0), |(low, high), word| (low.min(*word), high.max(*word)));
        let bits = usize::BITS - count.saturating_sub(1).leading_zeros();
        let spread = 64 - high.saturating_sub(low).leading_zeros();
        if spread + bits > 64 {
            self.wide.extend(first.zip(0..).map(|(word, at)| (*word, at)));
            self.wide.sort_unstable();
            return;
        }
        let keys = first.zip(0u64..).map(|(word, at)| (word - low) << bits | at);
        self.order.extend(keys);
        radix_sort(&mut self.order, &mut self.spare, bits, spread + bits);
        let mask = (1u64 << bits) - 1;
        for key in &mut self.order {
            *key &= mask;
        }
    }
}

/// Bits that one pass of the radix sort looks at.
const DIGIT: u32 = 8;

/// Sorts numbers by their bits from `low` to `high`, least significant digit first (LSD radix sort); what
/// is below `low` stays in the order it has.
fn radix_sort(keys: &mut Vec<u64>, spare: &mut Vec<u64>, low: u32, high: u32) {
    if keys.len() < 256 {
        keys.sort_unstable();
        return;
    }
    spare.clear();
    spare.resize(keys.len(), 0);
    let mut shift = low;
    while shift < high {
        let mut ends = [0u32; 1 << DIGIT];
        let digit = |key: u64| (key >> shift) as usize & ((1 << DIGIT) - 1);
        for key in keys.iter() {
            ends[digit(*key)] += 1;
        }
        let mut sum = 0;
        for end in &mut ends {
            sum += std::mem::replace(end, sum);
        }
        for key in keys.iter() {
            let place = &mut ends[digit(*key)];
            spare[*place as usize] = *key;
            *place += 1;
        }
        std::mem::swap(keys, spare);
        shift += DIGIT;
    }
}

/// Rows of `layout` with ranks, unpacked to encoded rows.
pub(crate) fn unpack_all(packing: &Packing, rows: &[u64]) -> Vec<Vec<u8>> {
    let mut chunks = Chunks::default();
    let mut buffer = Vec::new();
    for row in rows.chunks_exact(packing.layout.words) {
        chunks.push(&packing.unpack(row, &mut buffer));
    }
    chunks.full
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_word_goes_where_the_splitters_say(
            mut words in prop::collection::vec(any::<u64>(), 0..200),
            scale in 0u32..64,
            probes in prop::collection::vec(any::<u64>(), 50),
        ) {
            words.iter_mut().for_each(|word| *word >>= scale);
            words.sort_unstable();
            words.dedup();
            let splitters = WordSplitters::new(words.clone());
            let near = words.iter().flat_map(|word| [word.wrapping_sub(1), *word, word.saturating_add(1)]);
            for probe in near.chain(probes.iter().flat_map(|probe| [*probe, probe >> scale])) {
                let expected = words.iter().filter(|splitter| **splitter <= probe).count();
                prop_assert_eq!(splitters.partition(probe), expected);
            }
        }

        #[test]
        fn radix_sort_sorts_by_the_bits_it_is_told(
            mut keys in prop::collection::vec(any::<u64>(), 0..1000),
            bits in 1u32..64,
        ) {
            keys.iter_mut().for_each(|key| *key >>= 64 - bits);
            let mut expected = keys.clone();
            expected.sort_unstable();
            radix_sort(&mut keys, &mut Vec::new(), 0, bits);
            prop_assert_eq!(keys, expected);
        }
    }
}
