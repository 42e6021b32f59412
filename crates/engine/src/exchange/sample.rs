//! Splitters, and a layout of rows, from all over the input.
//!
//! A sample of the first records would be useless for inputs in the order of time, so pieces are read
//! from the beginnings of many files and from the middle of large ones. Where only a beginning can be
//! had (a pipe, a compressed stream), it has to do: partitions that turn out too large are split later.

use std::sync::Arc;

use distil_json::{PackedLayout, Sampler};
use distil_kernel::splitters::Splitters;
use distil_plan::{Input, InputCompression, InputFormat, Result};
use distil_storage::{InputStream, Kind};

use super::sample_rows::sample_rows;
use crate::decode::{EXPECTED, Inputs, Opened, known};

/// Pieces read in all.
const PIECES: u64 = 256;
/// The same where each is a request to a store, which costs as much as reading hundreds of kilobytes.
const REQUESTED_PIECES: u64 = 64;
/// Bytes of a piece.
const PIECE: usize = 16 << 10;
/// Bytes of a piece that stands for a whole stream.
const STREAM_PIECE: usize = 1 << 20;
/// Records that are taken of a piece at least. They are parsed by one thread while all others wait: all
/// records of all pieces took a tenth of the time of a run over 350 MB.
const RECORDS: u64 = 64;
/// Records of the sample that a partition should have, so that partitions are about alike.
const RECORDS_A_PARTITION: u64 = 32;
/// Bytes of rows that a partition should have: they fit a core's cache.
const PARTITION: u64 = 1 << 20;
/// Most partitions.
const MOST_PARTITIONS: u64 = 4096;
/// What compressed JSON is taken to grow by.
const GROWTH: u64 = 8;

/// What a sample of the input shows.
pub(crate) struct Sample {
    pub(crate) splitters: Splitters,
    /// What most records are like, if they are alike, and whether their rows can be packed.
    pub(crate) layout: Option<Arc<PackedLayout>>,
    /// Streams that had to be begun.
    pub(crate) opened: Vec<Option<Opened>>,
}

/// How many pieces are read of the inputs of a run.
pub(super) fn most_pieces(inputs: &Inputs<'_>) -> u64 {
    let is_in_a_store = |input: &Input| input.version != 0;
    if inputs.plan.inputs.iter().any(is_in_a_store) { REQUESTED_PIECES } else { PIECES }
}

/// How many pieces each of some parts gets, by their bytes, carried over from part to part.
pub(super) struct Pieces {
    known: u64,
    due: u64,
}

impl Pieces {
    /// The pieces of parts of `known` bytes in all.
    pub(super) fn of(known: u64) -> Self {
        Self { known: known.max(1), due: 0 }
    }

    /// Those of the next part out of `pieces` of all.
    pub(super) fn next(&mut self, bytes: u64, pieces: u64) -> u64 {
        let share = bytes * pieces + self.due;
        self.due = share % self.known;
        share / self.known
    }
}

/// Samples the inputs of a run; rows are only packed if that is asked for.
pub(crate) fn sample(inputs: &Inputs<'_>, pack: bool) -> Result<Sample> {
    let known: u64 = inputs.plan.inputs.iter().filter_map(|input| input.bytes).sum();
    let known_partitions = (known / PARTITION).min(MOST_PARTITIONS);
    let most = (known_partitions * RECORDS_A_PARTITION / most_pieces(inputs)).max(RECORDS) as usize;
    if inputs.plan.plan.format == InputFormat::Parquet {
        let (keys, bytes) = sample_rows(inputs, Pieces::of(known), most)?;
        let splitters = Splitters::new(keys, partitions(inputs, bytes));
        return Ok(Sample { splitters, layout: None, opened: Vec::new() });
    }
    sample_records(inputs, pack, Pieces::of(known), most)
}

/// Partitions for about `bytes` of rows: one for each thread at least, or small inputs would keep one
/// thread busy only.
fn partitions(inputs: &Inputs<'_>, bytes: u64) -> usize {
    let most = MOST_PARTITIONS.min(inputs.options.shares().partitions());
    ((bytes / PARTITION).clamp(1, most) as usize).max(inputs.options.threads)
}

fn sample_records(
    inputs: &Inputs<'_>,
    pack: bool,
    mut pieces: Pieces,
    most: usize,
) -> Result<Sample> {
    let plan = &inputs.plan.plan;
    let mut sampler = Sampler::new(plan)?.of_inputs(inputs.plan)?;
    let mut opened: Vec<Option<Opened>> = Vec::new();
    let mut bytes = 0;
    // Counted twice: those that a store has are asked for before they are wanted.
    let most_pieces = most_pieces(inputs);
    let mut ahead = Pieces::of(pieces.known);
    let mut expected = inputs
        .plan
        .inputs
        .iter()
        .filter(move |input| input.bytes.is_some_and(|size| ahead.next(size, most_pieces) > 0));
    expected.by_ref().take(EXPECTED).for_each(|input| inputs.expect(input, PIECE as u64));
    for (ordinal, input) in inputs.plan.inputs.iter().enumerate() {
        inputs.watch.cancel.check()?;
        let Some(size) = input.bytes else {
            // A pipe can't be read twice: what is read here is kept.
            let mut stream = inputs.source(input)?;
            let mut prefix = vec![0; STREAM_PIECE];
            let count = stream.read(&mut prefix)?;
            prefix.truncate(count);
            sampler.sample(ordinal, &prefix, usize::MAX)?;
            opened.resize_with(ordinal + 1, || None);
            opened[ordinal] = Some((stream, prefix));
            // Its size is unknown: enough partitions for a large one cost little.
            bytes += 256 * PARTITION;
            continue;
        };
        let pieces = pieces.next(size, most_pieces);
        if pieces == 0 && ordinal > 0 {
            bytes += size;
            continue;
        }
        if pieces > 0
            && let Some(input) = expected.next()
        {
            inputs.expect(input, PIECE as u64);
        }
        let compression = sample_file(inputs, ordinal, size, pieces.max(1), most, &mut sampler)?;
        bytes += if compression == InputCompression::None { size } else { size * GROWTH };
    }
    let partitions = partitions(inputs, bytes);
    let (keys, layout) = sampler.finish(plan);
    let whole = Splitters::new(keys.clone(), partitions);
    // Packed rows are told apart by the first column of the key alone, and so are all others then: equal
    // keys must meet. That is no use where the first column has few values.
    let first = keys.into_iter().map(|mut key| {
        key.truncate(PackedLayout::first_part(&key).len());
        key
    });
    let by_first = Splitters::new(first.collect(), partitions);
    let fine = by_first.partitions() * 2 >= whole.partitions();
    let layout = layout.map(|mut layout| {
        layout.packs &= pack && fine && by_first.words_of(&layout).is_some();
        Arc::new(layout)
    });
    let packs = layout.as_ref().is_some_and(|layout| layout.packs);
    let splitters = if packs { by_first } else { whole };
    Ok(Sample { splitters, layout, opened })
}

fn sample_file(
    inputs: &Inputs<'_>,
    ordinal: usize,
    size: u64,
    pieces: u64,
    most: usize,
    sampler: &mut Sampler,
) -> Result<InputCompression> {
    let input = &inputs.plan.inputs[ordinal];
    let path = &input.path;
    // What a store told of an object need not be asked again.
    if input.version == 0 {
        let metadata = inputs.storage.metadata(path)?;
        if metadata.is_none_or(|metadata| metadata.kind != Kind::File) {
            return Ok(InputCompression::None);
        }
    }
    let mut window = vec![0; PIECE];
    let mut stream = InputStream::open_known(inputs.storage.as_ref(), path, known(input))?;
    let count = stream.read(&mut window)?;
    sampler.sample(ordinal, &window[..count], most)?;
    let compression = stream.compression();
    // Pieces of a short file would be the same bytes again and again.
    let pieces = pieces.min(size.div_ceil(PIECE as u64));
    if compression != InputCompression::None || pieces < 2 {
        return Ok(compression);
    }
    drop(stream);
    let file = inputs.storage.open_known(path, known(input))?;
    let place = |piece: u64| size / pieces * piece;
    (1..pieces).take(EXPECTED).for_each(|piece| file.will_read(place(piece), PIECE));
    for piece in 1..pieces {
        if piece + (EXPECTED as u64) < pieces {
            file.will_read(place(piece + EXPECTED as u64), PIECE);
        }
        let count = file.read_at(place(piece), &mut window)?;
        sampler.sample(ordinal, &window[..count], most)?;
    }
    Ok(compression)
}
