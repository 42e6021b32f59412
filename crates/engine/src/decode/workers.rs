//! The first stage: all inputs to rows and facts, on all threads.
//!
//! A worker takes the next input, frames it and decodes its slices itself; once no input is left for
//! others, it hands slices over to them. So a thousand small files and one large one keep all threads
//! busy alike. Of Parquet it finds out the row groups, which all workers take.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use distil_json::{Decoder, Dictionary, EncodedRow, FrameSlice, Frames, PackedLayout, Seen, Sink};
use distil_kernel::arrow::BatchDecoder;
use distil_kernel::frame_window::Framed;
use distil_output::excerpt::located;
use distil_output::quarantine::{Quarantine, ReadTotals};
use distil_plan::{
    BadPart, Input, InputCompression, InputFormat, InputReport, Reason, ResolvedPlan, Result, Watch,
};
use distil_storage::{Known, Storage};

use super::parquet::{self, RowGroup};
use super::slices::SliceReader;
use super::source::Source;
use crate::work_queue::{Next, WorkQueue};
use crate::{EngineOptions, budget, threads};

/// Slices that may wait for a worker; each is about as large as what is read at once.
const WAITING: usize = 8;

/// Inputs, or places in one, that are said to be read soon: a store answers late, and many are small.
pub(crate) const EXPECTED: usize = 64;

/// What decoding needs of the run.
pub(crate) struct Inputs<'a> {
    pub(crate) storage: &'a Arc<dyn Storage>,
    pub(crate) plan: &'a ResolvedPlan,
    pub(crate) options: &'a EngineOptions,
    pub(crate) quarantine: &'a Quarantine,
    pub(crate) watch: Watch<'a>,
    /// Whether values of inferred columns are counted by what they are.
    pub(crate) surveys: bool,
}

impl Inputs<'_> {
    /// Opens an input.
    ///
    /// # Errors
    /// As [`Source::open`].
    pub(crate) fn source(&self, input: &Input) -> Result<Source> {
        let limit = budget::window(self.options.memory, self.options.threads);
        let known = input.bytes.map(|_| known(input));
        Source::open(self.storage, &input.path, known, limit, self.watch.cancel)
    }

    /// Says that at least this much of an input will be read soon.
    pub(crate) fn expect(&self, input: &Input, length: u64) {
        self.storage.expect(&input.path, known(input), length);
    }
}

/// What is known of an input.
pub(crate) fn known(input: &Input) -> Known {
    Known { bytes: input.bytes, version: input.version }
}

/// Receives the rows of one worker.
pub(crate) trait RowSink: Send {
    /// An accepted record.
    ///
    /// # Errors
    /// Whatever keeps it from being kept.
    fn row(&mut self, row: &EncodedRow<'_>) -> Result<()>;

    /// Accepted records as packed rows, and the dictionaries of their codes.
    ///
    /// # Errors
    /// As [`RowSink::row`].
    fn packed(&mut self, rows: &[u64], dictionaries: &[Dictionary]) -> Result<()>;
}

/// What decoding found, besides the rows.
pub(crate) struct Decoded {
    pub(crate) seen: Seen,
    /// For each worker the dictionaries of the rows that it packed.
    pub(crate) dictionaries: Vec<Vec<Dictionary>>,
    pub(crate) inputs: Vec<InputReport>,
    /// Records found, bad ones included.
    pub(crate) read: u64,
    /// Bytes after decompression.
    pub(crate) bytes: u64,
}

impl Decoded {
    /// What was read, for shares and estimates.
    pub(crate) fn totals(&self) -> ReadTotals {
        let records = self.inputs.iter().map(|input| input.records).collect();
        ReadTotals { bytes: self.bytes, records }
    }
}

/// An opened stream and what was read of it already.
pub(crate) type Opened = (Source, Vec<u8>);

/// A slice on its way to another worker.
struct Handed {
    input: usize,
    offset: u64,
    bytes: Vec<u8>,
    frames: Frames,
}

/// What is to be done.
#[derive(Default)]
struct Tasks {
    inputs: usize,
    next_input: usize,
    /// The first input that was not said to be read soon.
    not_expected: usize,
    waiting: VecDeque<Handed>,
    row_groups: VecDeque<RowGroup>,
    /// Memory of slices that were handed over: the system would have to clear new memory for each.
    spare: Vec<Vec<u8>>,
    /// Workers that open or frame an input and may still hand parts of it over.
    framing: usize,
    opened: Vec<Option<Opened>>,
    reports: Vec<InputReport>,
}

struct Shared<'a> {
    inputs: &'a Inputs<'a>,
    layout: Option<&'a Arc<PackedLayout>>,
    queue: WorkQueue<Tasks>,
    records: Vec<AtomicU64>,
    bytes: AtomicU64,
}

impl Shared<'_> {
    /// Says which of the inputs from this one on will be read soon.
    fn expect_from(&self, ordinal: usize) {
        let (inputs, threads) = (&self.inputs.plan.inputs, self.inputs.options.threads);
        let (mut bytes, most) = (0, budget::expected(self.inputs.options.memory));
        // Each thread will want one soon, however large they are.
        let soon = inputs[ordinal.min(inputs.len())..].iter().take(EXPECTED).enumerate();
        let soon = soon.take_while(|(ahead, input)| {
            let is_soon = *ahead < threads || bytes < most;
            bytes += input.bytes.unwrap_or_default();
            is_soon
        });
        let end = ordinal + soon.count();
        let begin = self.queue.look(|tasks| {
            let begin = tasks.not_expected.clamp(ordinal, end);
            tasks.not_expected = tasks.not_expected.max(end);
            begin
        });
        inputs[begin..end].iter().for_each(|input| self.inputs.expect(input, u64::MAX));
    }
}

/// Decodes all inputs into the sinks, one for each worker; records that fit `layout` are expected;
/// `opened` are inputs that were begun to be read.
///
/// # Errors
/// The first error of any worker.
pub(crate) fn decode<S: RowSink>(
    inputs: &Inputs<'_>,
    sinks: &mut [S],
    layout: Option<&Arc<PackedLayout>>,
    opened: Vec<Option<Opened>>,
) -> Result<Decoded> {
    let count = inputs.plan.inputs.len();
    let shared = Shared {
        inputs,
        layout,
        queue: WorkQueue::new(Tasks {
            inputs: count,
            opened,
            reports: vec![InputReport::default(); count],
            ..Tasks::default()
        }),
        records: (0..count).map(|_| AtomicU64::new(0)).collect(),
        bytes: AtomicU64::new(0),
    };
    if inputs.plan.plan.format == InputFormat::Json {
        shared.expect_from(0);
    }
    let found: Vec<Result<Found>> = std::thread::scope(|scope| {
        let shared = &shared;
        let work = sinks.iter_mut().map(|sink| move || work(shared, sink));
        let handles = threads::start(scope, work)?;
        // A thread that died has said so to the queue.
        Ok(handles.into_iter().filter_map(|handle| handle.join().ok()).collect())
    })?;
    let mut seen = Decoder::new(&inputs.plan.plan)?.finish().0;
    let mut dictionaries = Vec::new();
    for of_worker in found {
        let (of_worker, packed) = of_worker?;
        seen.join(&of_worker);
        dictionaries.push(packed);
    }
    let (tasks, result) = shared.queue.finish();
    result.map_err(|error| {
        let error = inputs.quarantine.prefer_missing_key(error, &seen);
        let Inputs { storage, plan, watch, .. } = inputs;
        located(error, storage.as_ref(), &plan.inputs, watch.cancel)
    })?;
    let records = shared.records.iter().map(|count| count.load(Ordering::Relaxed));
    let reports: Vec<InputReport> = tasks
        .reports
        .into_iter()
        .zip(records)
        .enumerate()
        .map(|(ordinal, (report, records))| InputReport {
            records,
            quarantined: inputs.quarantine.counts_for(ordinal),
            ..report
        })
        .collect();
    inputs.plan.check_inputs(&reports)?;
    Ok(Decoded {
        seen,
        dictionaries,
        read: reports.iter().map(|report| report.records).sum(),
        inputs: reports,
        bytes: shared.bytes.into_inner(),
    })
}

/// What a worker saw, and the dictionaries of the rows that it packed.
type Found = (Seen, Vec<Dictionary>);

fn work<S: RowSink>(shared: &Shared<'_>, sink: &mut S) -> Result<Found> {
    let dictionary_bytes = shared.inputs.options.shares().dictionaries();
    let decoder = Decoder::new(&shared.inputs.plan.plan)?.of_inputs(shared.inputs.plan)?;
    let decoder = decoder.expecting(shared.layout, dictionary_bytes);
    let decoder = match shared.inputs.surveys {
        true => decoder.surveying(&shared.inputs.plan.plan),
        false => decoder,
    };
    let decoder = decoder.stopped_by(shared.inputs.watch.cancel);
    let batches = match shared.inputs.plan.plan.format {
        InputFormat::Json => None,
        InputFormat::Parquet => Some(BatchDecoder::new(&shared.inputs.plan.plan)?),
    };
    let mut worker = Worker { shared, decoder, batches, sink };
    shared.queue.work(Tasks::next, |task| worker.task(task));
    let (mut seen, dictionaries) = worker.decoder.finish();
    if let Some(batches) = worker.batches {
        seen.join(&batches.finish());
    }
    Ok((seen, dictionaries))
}

enum Task {
    Slice(Handed),
    RowGroup(RowGroup),
    Input(usize, Option<Opened>),
}

impl Tasks {
    /// Slices first: they hold memory.
    fn next(&mut self) -> Next<Task> {
        if let Some(handed) = self.waiting.pop_front() {
            return Next::Do(Task::Slice(handed));
        }
        if let Some(row_group) = self.row_groups.pop_front() {
            return Next::Do(Task::RowGroup(row_group));
        }
        if self.next_input < self.inputs {
            let ordinal = self.next_input;
            self.next_input += 1;
            self.framing += 1;
            let opened = self.opened.get_mut(ordinal).and_then(Option::take);
            return Next::Do(Task::Input(ordinal, opened));
        }
        if self.framing == 0 { Next::Done } else { Next::Wait }
    }
}

struct Worker<'a, S> {
    shared: &'a Shared<'a>,
    decoder: Decoder,
    /// What decodes rows, if the plan reads them.
    batches: Option<BatchDecoder>,
    sink: &'a mut S,
}

impl<S: RowSink> Worker<'_, S> {
    fn task(&mut self, task: Task) -> Result<()> {
        match task {
            Task::Slice(handed) => {
                self.decode(handed.input, handed.offset, &handed.bytes, &handed.frames)?;
                // What a large record needed is given back.
                if handed.bytes.capacity() <= 2 * self.shared.inputs.options.read_chunk {
                    self.shared.queue.look(|tasks| tasks.spare.push(handed.bytes));
                }
                Ok(())
            }
            Task::RowGroup(row_group) => self.row_group(&row_group),
            Task::Input(ordinal, opened) => {
                let done = match self.batches {
                    None => self.input(ordinal, opened),
                    Some(_) => self.open_rows(ordinal),
                };
                self.shared.queue.change(|tasks| tasks.framing -= 1);
                done
            }
        }
    }

    /// Frames one input.
    fn input(&mut self, ordinal: usize, opened: Option<Opened>) -> Result<()> {
        let inputs = self.shared.inputs;
        let input: &Input = &inputs.plan.inputs[ordinal];
        if inputs.quarantine.is_past_the_last(ordinal, 0) {
            return Ok(());
        }
        self.shared.expect_from(ordinal + 1);
        let opened = match opened {
            Some(opened) => opened,
            None => (inputs.source(input)?, Vec::new()),
        };
        let mut reader = SliceReader::new(inputs, ordinal, opened);
        let mut shown = 0;
        loop {
            inputs.watch.cancel.check()?;
            if inputs.quarantine.is_past_the_last(ordinal, reader.framer().offset()) {
                return Ok(());
            }
            let piece = reader.next()?;
            let position = reader.stream().position();
            inputs.watch.events.advance(position - shown, 0);
            shown = position;
            match piece {
                Framed::Slice { start, end, offset, frames } => {
                    let bytes = &reader.bytes()[start..end];
                    if let Some(frames) = self.hand_over(ordinal, offset, bytes, frames) {
                        self.decode(ordinal, offset, bytes, &frames)?;
                    }
                }
                Framed::Bad(part) => {
                    if part.reason != Reason::BrokenRange {
                        self.shared.records[ordinal].fetch_add(1, Ordering::Relaxed);
                    }
                    inputs.quarantine.add(part)?;
                }
                Framed::More | Framed::Done => break,
            }
            if self.shared.queue.is_stopped() {
                return Ok(());
            }
        }
        self.shared.bytes.fetch_add(reader.framer().offset(), Ordering::Relaxed);
        let report = InputReport {
            path: input.display(),
            bytes: match reader.stream().broken() {
                // Behind a break nothing is read, but the file was used up all the same.
                Some(_) => reader.stream().size().unwrap_or(shown),
                None => shown,
            },
            shape: reader.framer().shape().to_string(),
            compression: reader.stream().compression().to_string(),
            ignored_members: reader.framer().ignored_members().to_vec(),
            without_records: reader.framer().passed_over().without,
            holes: reader.framer().passed_over().holes,
            ..InputReport::default()
        };
        self.shared.queue.look(|tasks| tasks.reports[ordinal] = report);
        Ok(())
    }

    /// Opens an input of Parquet, whose row groups are then tasks.
    fn open_rows(&mut self, ordinal: usize) -> Result<()> {
        let inputs = self.shared.inputs;
        if inputs.quarantine.is_past_the_last(ordinal, 0) {
            return Ok(());
        }
        inputs.watch.cancel.check()?;
        let input = &inputs.plan.inputs[ordinal];
        let part = parquet::open(inputs.storage.as_ref(), &inputs.plan.plan, input)?;
        let bytes = part.bytes();
        self.shared.bytes.fetch_add(bytes, Ordering::Relaxed);
        inputs.watch.events.advance(bytes, 0);
        let report = InputReport {
            path: input.display(),
            bytes,
            shape: "parquet".to_owned(),
            compression: InputCompression::None.to_string(),
            ..InputReport::default()
        };
        self.shared.queue.change(|tasks| {
            tasks.reports[ordinal] = report;
            tasks.row_groups.extend(parquet::row_groups(ordinal, part));
        });
        Ok(())
    }

    fn row_group(&mut self, row_group: &RowGroup) -> Result<()> {
        let RowGroup { input, part, group, first_row } = row_group;
        let Some(decoder) = &mut self.batches else { return Ok(()) };
        let inputs = self.shared.inputs;
        let mut sink = Divert { sink: self.sink, quarantine: inputs.quarantine };
        let mut row = *first_row;
        for batch in part.group_batches(*group)? {
            inputs.watch.cancel.check()?;
            let is_over = inputs.quarantine.is_past_the_last(*input, row);
            if is_over || self.shared.queue.is_stopped() {
                return Ok(());
            }
            let batch = batch?;
            decoder
                .decode(*input, row, &batch, &mut sink)
                .map_err(|error| error.at(part.path().to_string_lossy(), None))?;
            let rows = batch.num_rows() as u64;
            row += rows;
            self.shared.records[*input].fetch_add(rows, Ordering::Relaxed);
            inputs.watch.events.advance(0, rows);
        }
        part.check_unchanged(inputs.storage.as_ref())
    }

    /// Gives a slice to the workers that have no input of their own any more. They find a slice or two
    /// when they come back: those that had to wait until this one looked again were idle for a
    /// quarter of the time.
    fn hand_over(&self, input: usize, offset: u64, bytes: &[u8], frames: Frames) -> Option<Frames> {
        let threads = self.shared.inputs.options.threads;
        let spare = self.shared.queue.look(|tasks| {
            let helpers = match tasks.next_input < tasks.inputs {
                true => 0,
                false => threads.saturating_sub(tasks.framing),
            };
            let is_wanted = tasks.waiting.len() < WAITING.min(helpers * 2);
            is_wanted.then(|| tasks.spare.pop().unwrap_or_default())
        });
        let Some(mut copy) = spare else { return Some(frames) };
        copy.clear();
        copy.extend_from_slice(bytes);
        let handed = Handed { input, offset, bytes: copy, frames };
        self.shared.queue.give(|tasks| tasks.waiting.push_back(handed));
        None
    }

    fn decode(&mut self, input: usize, offset: u64, bytes: &[u8], frames: &Frames) -> Result<()> {
        let slice = FrameSlice { input, offset, bytes, frames };
        if self.shared.inputs.quarantine.is_past_the_last(input, offset) {
            return Ok(());
        }
        let mut sink = Divert { sink: self.sink, quarantine: self.shared.inputs.quarantine };
        let records = self.decoder.decode(&slice, &mut sink)?;
        self.shared.records[input].fetch_add(records, Ordering::Relaxed);
        self.shared.inputs.watch.events.advance(0, records);
        Ok(())
    }
}

/// Rows one way, bad records another.
struct Divert<'a, S> {
    sink: &'a mut S,
    quarantine: &'a Quarantine,
}

impl<S: RowSink> Sink for Divert<'_, S> {
    fn row(&mut self, row: &EncodedRow<'_>) -> Result<()> {
        self.sink.row(row)
    }

    fn packed(&mut self, rows: &[u64], dictionaries: &[Dictionary]) -> Result<()> {
        self.sink.packed(rows, dictionaries)
    }

    fn bad(&mut self, part: BadPart) -> Result<()> {
        self.quarantine.add(part)
    }
}
