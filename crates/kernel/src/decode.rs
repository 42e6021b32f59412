//! Slices to runs of rows, facts, accounts and bad records.

use std::collections::BTreeMap;
use std::sync::Arc;

use distil_json::{Decoder, Dictionary, EncodedRow, FrameSlice, Framer, PackedLayout, Seen, Sink};
use distil_plan::{
    BadPart, Cancel, Error, InputCompression, InputFormat, Reason, ResolvedPlan, Result, Shape,
};

use crate::frame_window::{FrameWindow, Framed};
use crate::packed_partitions::PackedPartitions;
use crate::partial::{Account, JobId, Partial};
use crate::partitioned_rows::PartitionedRows;
use crate::reduce::Policy;
use crate::rows::{Row, RowBuffers, SINGLE};
use crate::slice::Slice;
use crate::splitters::Splitters;

/// Encoded rows of one partition, in any order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The partition.
    pub partition: u32,
    /// Buffers of encoded rows; see [`crate::rows::places`].
    pub rows: Vec<Vec<u8>>,
}

/// Packed rows of one partition, in any order.
#[derive(Clone, Copy, Debug)]
pub struct PackedRun<'a> {
    /// The partition.
    pub partition: u32,
    /// Buffers of whole rows.
    pub rows: &'a [Vec<u64>],
    /// Where the values of a row are.
    pub layout: &'a PackedLayout,
    /// The strings behind the codes of the rows.
    pub dictionaries: &'a [Dictionary],
}

impl PackedRun<'_> {
    /// The same rows, encoded.
    pub fn unpacked(&self) -> Run {
        let text = |column: usize, code| self.dictionaries[column].get(code);
        let (mut buffers, mut bytes) = (RowBuffers::default(), Vec::new());
        for row in self.rows.iter().flat_map(|rows| rows.chunks_exact(self.layout.words)) {
            let key_length = self.layout.unpack(row, text, &mut bytes);
            let value_bytes = self.layout.value_bytes(row, text);
            let (counts, origin) = (SINGLE, None);
            buffers.push(&Row { bytes: &bytes, key_length, value_bytes, counts, origin });
        }
        Run { partition: self.partition, rows: buffers.full }
    }
}

/// Takes the rows of slices: what the budget does not hold, and in the end all others.
pub trait RunSink {
    /// Keeps encoded rows.
    ///
    /// # Errors
    /// Whatever keeps them from being kept; decoding stops.
    fn run(&mut self, run: Run) -> Result<()>;

    /// Keeps packed rows.
    ///
    /// # Errors
    /// Whatever keeps them from being kept; decoding stops.
    fn packed(&mut self, rows: PackedRun<'_>) -> Result<()> {
        self.run(rows.unpacked())
    }
}

/// Keeps runs in memory.
impl RunSink for Vec<Run> {
    fn run(&mut self, run: Run) -> Result<()> {
        self.push(run);
        Ok(())
    }
}

/// Whether a slice needs more of its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// The bytes that follow, or [`SliceDecoder::end`] if there are none.
    More,
    /// Nothing: its last record is complete.
    Nothing,
}

/// Decodes slices, one after another: [`SliceDecoder::begin`] one, [`SliceDecoder::push`] its bytes,
/// decompressed, from [`Slice::read_from`] on, until it wants no more, and [`SliceDecoder::end`] it.
///
/// It holds the frame at hand, what was pushed last, and rows up to its bound.
pub struct SliceDecoder<'a> {
    plan: &'a ResolvedPlan,
    splitters: &'a Splitters,
    decoder: Decoder,
    scatter: Scatter<'a>,
    open: Option<OpenSlice>,
    accounts: BTreeMap<Slice, Account>,
}

/// The share of the bound that the strings of packed rows may have.
const DICTIONARIES: u64 = 4;

/// Rows on their way to their partitions, and bad records.
struct Scatter<'a> {
    rows: PartitionedRows<'a>,
    packed: Option<PackedPartitions>,
    bound: u64,
    bad: Vec<BadPart>,
}

struct OpenSlice {
    slice: Slice,
    window: FrameWindow,
    /// Pending bytes of the window from which on another look pays.
    enough: usize,
    /// Offset of the first byte that is framed.
    first: u64,
    /// Offset of the next byte that is pushed.
    position: u64,
    /// Whether the end of the line before the slice is still to come.
    skipping: bool,
    done: bool,
    account: Account,
}

impl<'a> SliceDecoder<'a> {
    /// A decoder for slices of a plan that holds about `bound` bytes of rows. Records that look like those
    /// of `layout` are decoded faster.
    ///
    /// # Errors
    /// A usage error if the plan can't be decoded.
    pub fn new(
        plan: &'a ResolvedPlan,
        splitters: &'a Splitters,
        layout: Option<&PackedLayout>,
        bound: u64,
    ) -> Result<Self> {
        if plan.plan.format != InputFormat::Json {
            return Err(Error::usage("slices are of JSON records, and the plan reads Parquet"));
        }
        if !plan.plan.is_settled() {
            return Err(Error::bug("null texts came to a slice without their columns"));
        }
        let policy = Policy::of(&plan.plan);
        let layout = layout.map(|layout| {
            let mut layout = layout.clone();
            // Losers that are wanted are encoded rows.
            layout.packs &= policy == Policy::Keep && splitters.words_of(&layout).is_some();
            Arc::new(layout)
        });
        let packing = layout.as_ref().filter(|layout| layout.packs);
        let packed = packing.map(|layout| PackedPartitions::new(splitters, layout, bound / 4));
        let decoder = Decoder::new(&plan.plan)?.of_inputs(plan)?;
        Ok(Self {
            plan,
            splitters,
            decoder: decoder.expecting(layout.as_ref(), bound / DICTIONARIES),
            scatter: Scatter {
                rows: PartitionedRows::new(splitters, policy),
                packed,
                bound,
                bad: Vec::new(),
            },
            open: None,
            accounts: BTreeMap::new(),
        })
    }

    /// Begins a slice of an input that was compressed so; its bytes are pushed decompressed.
    ///
    /// # Errors
    /// A bug if the plan has no such slice, or another is not ended.
    pub fn begin(&mut self, slice: Slice, compression: InputCompression) -> Result<()> {
        let input = self
            .plan
            .inputs
            .get(slice.input as usize)
            .filter(|_| self.open.is_none() && !self.accounts.contains_key(&slice))
            .ok_or_else(|| Error::bug(format!("{slice:?} is begun twice, or unknown")))?;
        let shape = input.shape.as_ref().unwrap_or(&self.plan.plan.shape);
        if (slice.begin > 0 || slice.end.is_some()) && *shape != Shape::Lines {
            return Err(Error::bug(format!("{slice:?} is part of an input that is not lines")));
        }
        self.open = Some(OpenSlice {
            slice,
            window: window(self.plan, slice, Framer::of(&self.plan.plan, shape)),
            enough: 0,
            first: 0,
            position: slice.read_from(),
            skipping: slice.begin > 0,
            done: false,
            account: Account { compression: compression.to_string(), ..Account::default() },
        });
        Ok(())
    }

    /// Takes the next bytes of the slice. Runs that are over the bound go to `runs`.
    ///
    /// # Errors
    /// An input error if the input can't be read as the plan says, with its place; whatever `runs` says.
    pub fn push(&mut self, bytes: &[u8], runs: &mut dyn RunSink) -> Result<Wants> {
        let open = self.open.as_mut().ok_or_else(no_slice)?;
        let mut bytes = bytes;
        let mut at = open.position;
        open.position += bytes.len() as u64;
        if open.done {
            return Ok(Wants::Nothing);
        }
        if open.skipping {
            let Some(end) = memchr::memchr(b'\n', bytes) else { return Ok(Wants::More) };
            bytes = &bytes[end + 1..];
            at += end as u64 + 1;
            open.skipping = false;
            open.first = at;
            let framer = Framer::lines_from(&self.plan.plan, at);
            open.window = window(self.plan, open.slice, framer);
            if open.slice.end.is_some_and(|end| at >= end) {
                open.done = true;
                return Ok(Wants::Nothing);
            }
        }
        let mut last = false;
        if let Some(end) = open.slice.end {
            // The last line is the one with the last byte of the slice.
            let from = usize::try_from(end.saturating_sub(at + 1)).unwrap_or(usize::MAX);
            if let Some(rest) = bytes.get(from..)
                && let Some(line_end) = memchr::memchr(b'\n', rest)
            {
                bytes = &bytes[..from + line_end + 1];
                last = true;
            }
        }
        let room = open.window.room(open.window.pending() + bytes.len(), bytes.len());
        let taken = room.len().min(bytes.len());
        room[..taken].copy_from_slice(&bytes[..taken]);
        open.window.filled(taken);
        if last {
            open.window.end(None);
        }
        if last || open.window.pending() >= open.enough {
            self.take_frames(runs)?;
        }
        Ok(if last { Wants::Nothing } else { Wants::More })
    }

    /// Ends the slice: its input has no more bytes, or it wants none. `broken` says why the bytes end
    /// early, where they do (a compressed stream is cut).
    ///
    /// # Errors
    /// As [`SliceDecoder::push`].
    pub fn end(&mut self, broken: Option<&str>, runs: &mut dyn RunSink) -> Result<()> {
        let open = self.open.as_mut().ok_or_else(no_slice)?;
        if open.skipping {
            // The input ends within the line before: no line begins in the slice.
            open.done = true;
        }
        if !open.done {
            open.window.end(broken);
            self.take_frames(runs)?;
        }
        let Some(mut open) = self.open.take() else { return Ok(()) };
        let framer = open.window.framer();
        open.account.bytes = framer.offset() - open.first;
        open.account.shape = framer.shape().to_string();
        open.account.ignored_members = framer.ignored_members().to_vec();
        open.account.passed_over = framer.passed_over();
        self.accounts.insert(open.slice, open.account);
        Ok(())
    }

    /// Takes the frames that are complete.
    fn take_frames(&mut self, runs: &mut dyn RunSink) -> Result<()> {
        let Self { decoder, scatter, open, .. } = self;
        let open = open.as_mut().ok_or_else(no_slice)?;
        let input = open.slice.input as usize;
        loop {
            let before = scatter.bad.len();
            match open.window.advance()? {
                Framed::Slice { start, end, offset, frames } => {
                    let bytes = &open.window.bytes()[start..end];
                    let slice = FrameSlice { input, offset, bytes, frames: &frames };
                    open.account.records += decoder.decode(&slice, scatter)?;
                }
                Framed::Bad(part) => {
                    open.account.records += u64::from(part.reason != Reason::BrokenRange);
                    scatter.bad(part)?;
                }
                Framed::More => break,
                Framed::Done => {
                    open.done = true;
                    break;
                }
            }
            open.account.count_bad(&scatter.bad[before..]);
            if scatter.bytes() > scatter.bound {
                scatter.free_memory(decoder.dictionaries(), runs)?;
            }
        }
        // Doubling keeps the cost of a long record linear.
        open.enough = open.window.pending() * 2;
        Ok(())
    }

    /// Ends decoding: what all slices came to, without runs, as all rows that are left go to `runs`.
    ///
    /// # Errors
    /// A bug if a slice is not ended; whatever `runs` says.
    pub fn finish(mut self, runs: &mut dyn RunSink) -> Result<Partial> {
        if self.open.is_some() {
            return Err(Error::bug("a slice is not ended"));
        }
        self.scatter.reduce_packed(self.decoder.dictionaries())?;
        self.scatter.hand_out_packed(self.decoder.dictionaries(), runs)?;
        let Scatter { mut rows, mut bad, .. } = self.scatter;
        hand_out(rows.take_runs(u64::MAX)?, runs)?;
        let (seen, _): (Seen, _) = self.decoder.finish();
        bad.sort_by_key(|part| (part.input, part.offset));
        let job = JobId::of(self.plan, self.splitters)?;
        Ok(Partial { job, accounts: self.accounts, seen, runs: Vec::new(), bad })
    }
}

fn window(plan: &ResolvedPlan, slice: Slice, framer: Framer) -> FrameWindow {
    let input = slice.input as usize;
    let path = plan.inputs.get(input).map_or_else(String::new, |input| input.display());
    FrameWindow::new(input, path, framer, Vec::new())
}

fn no_slice() -> Error {
    Error::bug("no slice is begun")
}

impl Scatter<'_> {
    /// Bytes of memory that all rows take.
    fn bytes(&self) -> u64 {
        self.rows.bytes() + self.packed.as_ref().map_or(0, PackedPartitions::bytes)
    }

    /// Reduces all partitions; hands them out if that freed less than half of the bound.
    fn free_memory(&mut self, dictionaries: &[Dictionary], sink: &mut dyn RunSink) -> Result<()> {
        self.reduce_packed(dictionaries)?;
        let runs = self.rows.take_runs(self.bound / 4)?;
        let encoded: u64 = runs.iter().flatten().map(RowBuffers::capacity).sum();
        if encoded + self.bytes() > self.bound / 2 {
            self.hand_out_packed(dictionaries, sink)?;
            return hand_out(runs, sink);
        }
        for (partition, runs) in runs.into_iter().enumerate() {
            self.rows.put_back(partition, runs);
        }
        Ok(())
    }

    fn reduce_packed(&mut self, dictionaries: &[Dictionary]) -> Result<()> {
        match &mut self.packed {
            Some(packed) => packed.reduce(dictionaries, &mut self.rows, &Cancel::new()),
            None => Ok(()),
        }
    }

    /// Hands out the packed rows of all partitions.
    fn hand_out_packed(
        &mut self,
        dictionaries: &[Dictionary],
        sink: &mut dyn RunSink,
    ) -> Result<()> {
        let Some(packed) = &mut self.packed else { return Ok(()) };
        let layout = Arc::clone(packed.layout());
        packed.take_away(|partitions| {
            for (partition, buffers) in partitions.iter_mut().enumerate() {
                let rows = std::mem::take(buffers).into_buffers();
                if rows.is_empty() {
                    continue;
                }
                let (partition, rows) = (partition as u32, rows.as_slice());
                sink.packed(PackedRun { partition, rows, layout: &layout, dictionaries })?;
            }
            Ok(())
        })
    }
}

/// Hands out the runs of all partitions.
fn hand_out(runs: Vec<Vec<RowBuffers>>, sink: &mut dyn RunSink) -> Result<()> {
    for (partition, runs) in runs.into_iter().enumerate() {
        for run in runs {
            sink.run(Run { partition: partition as u32, rows: run.full })?;
        }
    }
    Ok(())
}

impl Sink for Scatter<'_> {
    fn row(&mut self, row: &EncodedRow<'_>) -> Result<()> {
        self.rows.push(&Row::of(row));
        Ok(())
    }

    fn packed(&mut self, rows: &[u64], dictionaries: &[Dictionary]) -> Result<()> {
        let Some(packed) = &mut self.packed else {
            return Err(Error::bug("rows are packed without a layout"));
        };
        packed.push(rows, dictionaries, &mut self.rows);
        Ok(())
    }

    fn bad(&mut self, part: BadPart) -> Result<()> {
        self.bad.push(part);
        Ok(())
    }
}
