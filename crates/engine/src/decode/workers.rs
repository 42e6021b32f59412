//! The first stage: all inputs to rows and facts, on all threads.
//!
//! A worker takes the next input, frames it and decodes its slices itself; once no input is left for
//! others, it hands slices over to them. So a thousand small files and one large one keep all threads
//! busy alike.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use distil_json::{Decoder, Dictionary, FrameSlice, PackedLayout, Seen, Separator, Sink};
use distil_kernel::frame_window::Framed;
use distil_output::quarantine::Quarantine;
use distil_plan::{BadPart, Error, Input, InputReport, Reason, ResolvedPlan, Result, Shape, Watch};
use distil_storage::Storage;

use super::slices::SliceReader;
use super::source::Source;
use crate::EngineOptions;
use crate::threads;

/// Slices that may wait for a worker; each is about as large as what is read at once.
const WAITING: usize = 8;

/// What decoding needs of the run.
pub(crate) struct Inputs<'a> {
    pub(crate) storage: &'a Arc<dyn Storage>,
    pub(crate) plan: &'a ResolvedPlan,
    pub(crate) options: &'a EngineOptions,
    pub(crate) quarantine: &'a Quarantine,
    pub(crate) watch: Watch<'a>,
}

/// Receives the rows of one worker.
pub(crate) trait RowSink: Send {
    /// An accepted record.
    ///
    /// # Errors
    /// Whatever keeps it from being kept.
    fn row(&mut self, row: &[u8], key_length: usize, value_bytes: u32) -> Result<()>;

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

/// An opened stream and what was read of it already.
pub(crate) type Opened = (Source, Vec<u8>);

/// A slice on its way to another worker.
struct Handed {
    input: usize,
    offset: u64,
    bytes: Vec<u8>,
    separator: Separator,
}

#[derive(Default)]
struct Queue {
    next_input: usize,
    waiting: VecDeque<Handed>,
    /// Memory of slices that were handed over: the system would have to clear new memory for each.
    spare: Vec<Vec<u8>>,
    /// Workers without work.
    idle: usize,
    /// Workers that frame an input and may still hand slices over.
    framing: usize,
    opened: Vec<Option<Opened>>,
    reports: Vec<InputReport>,
}

struct Shared<'a> {
    inputs: &'a Inputs<'a>,
    layout: Option<&'a Arc<PackedLayout>>,
    queue: Mutex<Queue>,
    changed: Condvar,
    stop: AtomicBool,
    records: Vec<AtomicU64>,
    bytes: AtomicU64,
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
        queue: Mutex::new(Queue {
            opened,
            reports: vec![InputReport::default(); count],
            ..Queue::default()
        }),
        changed: Condvar::new(),
        stop: AtomicBool::new(false),
        records: (0..count).map(|_| AtomicU64::new(0)).collect(),
        bytes: AtomicU64::new(0),
    };
    let results: Vec<(Option<Found>, Result<()>)> = std::thread::scope(|scope| {
        let shared = &shared;
        let work = sinks.iter_mut().map(|sink| move || work(shared, sink));
        let handles = match threads::start(scope, work) {
            Ok(handles) => handles,
            Err(error) => return vec![(None, Err(error))],
        };
        handles
            .into_iter()
            .map(|handle| handle.join().unwrap_or_else(|_| (None, Err(died()))))
            .collect()
    });
    let mut seen: Option<Seen> = None;
    let mut failed = None;
    let mut dictionaries = Vec::new();
    for (found, result) in results {
        let (found, of_worker) = found.unzip();
        dictionaries.push(of_worker.unwrap_or_default());
        match (&mut seen, found) {
            (Some(seen), Some(found)) => seen.join(&found),
            (none, found) => *none = found,
        }
        if let Err(error) = result {
            failed.get_or_insert(error);
        }
    }
    let seen = match seen {
        Some(seen) => seen,
        None => Decoder::new(&inputs.plan.plan)?.finish().0,
    };
    if let Some(error) = failed {
        return Err(inputs.quarantine.prefer_missing_key(error, &seen));
    }
    let queue = shared.queue.into_inner().unwrap_or_else(PoisonError::into_inner);
    let records = shared.records.iter().map(|count| count.load(Ordering::Relaxed));
    let reports: Vec<InputReport> = queue
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
    Ok(Decoded {
        seen,
        dictionaries,
        read: reports.iter().map(|report| report.records).sum(),
        inputs: reports,
        bytes: shared.bytes.into_inner(),
    })
}

fn died() -> Error {
    Error::bug("a thread of the engine died")
}

type Found = (Seen, Vec<Dictionary>);

fn work<S: RowSink>(shared: &Shared<'_>, sink: &mut S) -> (Option<Found>, Result<()>) {
    let texts = shared.layout.map_or(1, |layout| layout.texts);
    let dictionary_bytes = shared.inputs.options.shares().dictionary(texts);
    let mut decoder = match Decoder::new(&shared.inputs.plan.plan) {
        Ok(decoder) => decoder.expecting(shared.layout, dictionary_bytes),
        Err(error) => return (None, Err(error)),
    };
    let result = Worker { shared, decoder: &mut decoder, sink }.run();
    if result.is_err() {
        shared.stop.store(true, Ordering::Relaxed);
        shared.changed.notify_all();
    }
    (Some(decoder.finish()), result)
}

struct Worker<'a, S> {
    shared: &'a Shared<'a>,
    decoder: &'a mut Decoder,
    sink: &'a mut S,
}

enum Job {
    Slice(Handed),
    Input(usize, Option<Opened>),
}

impl<S: RowSink> Worker<'_, S> {
    fn run(&mut self) -> Result<()> {
        while let Some(job) = self.next_job() {
            match job {
                Job::Slice(handed) => {
                    self.decode(handed.input, handed.offset, &handed.bytes, handed.separator)?;
                    // What a large record needed is given back.
                    if handed.bytes.capacity() <= 2 * self.shared.inputs.options.read_chunk {
                        self.queue().spare.push(handed.bytes);
                    }
                }
                Job::Input(ordinal, opened) => {
                    let done = self.input(ordinal, opened);
                    let mut queue = self.queue();
                    queue.framing -= 1;
                    // Waking nobody is a system call all the same.
                    if queue.idle > 0 {
                        self.shared.changed.notify_all();
                    }
                    drop(queue);
                    done?;
                }
            }
        }
        Ok(())
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Slices first: they hold memory.
    fn next_job(&self) -> Option<Job> {
        let mut queue = self.queue();
        loop {
            if self.shared.stop.load(Ordering::Relaxed) {
                return None;
            }
            if let Some(handed) = queue.waiting.pop_front() {
                return Some(Job::Slice(handed));
            }
            if queue.next_input < self.shared.inputs.plan.inputs.len() {
                let ordinal = queue.next_input;
                queue.next_input += 1;
                queue.framing += 1;
                let opened = queue.opened.get_mut(ordinal).and_then(Option::take);
                return Some(Job::Input(ordinal, opened));
            }
            if queue.framing == 0 {
                self.shared.changed.notify_all();
                return None;
            }
            queue.idle += 1;
            queue = self.shared.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
            queue.idle -= 1;
        }
    }

    /// Frames one input.
    fn input(&mut self, ordinal: usize, opened: Option<Opened>) -> Result<()> {
        let inputs = self.shared.inputs;
        let plan = &inputs.plan.plan;
        let input: &Input = &inputs.plan.inputs[ordinal];
        if inputs.quarantine.is_past_the_last(ordinal, 0) {
            return Ok(());
        }
        let opened = match opened {
            Some(opened) => opened,
            None => {
                let is_pipe = input.bytes.is_none();
                let source =
                    Source::open(inputs.storage, &input.path, is_pipe, inputs.watch.cancel)?;
                (source, Vec::new())
            }
        };
        let shape: &Shape = input.shape.as_ref().unwrap_or(&plan.shape);
        let chunk = inputs.options.read_chunk.max(1);
        let mut reader = SliceReader::new(
            inputs.storage.as_ref(),
            ordinal,
            input,
            shape,
            plan.max_record,
            chunk,
            opened,
        );
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
                Framed::Slice { start, end, offset, separator } => {
                    let bytes = &reader.bytes()[start..end];
                    if !self.hand_over(ordinal, offset, bytes, separator) {
                        self.decode(ordinal, offset, bytes, separator)?;
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
            if self.shared.stop.load(Ordering::Relaxed) {
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
            ..InputReport::default()
        };
        if let Some(place) = self.queue().reports.get_mut(ordinal) {
            *place = report;
        }
        Ok(())
    }

    /// Gives a slice to the workers that have no input of their own any more. They find a slice or two
    /// when they come back: those that had to wait until this one looked again were idle for a
    /// quarter of the time.
    fn hand_over(&self, input: usize, offset: u64, bytes: &[u8], separator: Separator) -> bool {
        let mut queue = self.queue();
        let inputs = &self.shared.inputs;
        let helpers = match queue.next_input < inputs.plan.inputs.len() {
            true => 0,
            false => inputs.options.threads.saturating_sub(queue.framing),
        };
        if queue.waiting.len() >= WAITING.min(helpers * 2) {
            return false;
        }
        let mut copy = queue.spare.pop().unwrap_or_default();
        drop(queue);
        copy.clear();
        copy.extend_from_slice(bytes);
        self.queue().waiting.push_back(Handed { input, offset, bytes: copy, separator });
        self.shared.changed.notify_one();
        true
    }

    fn decode(
        &mut self,
        input: usize,
        offset: u64,
        bytes: &[u8],
        separator: Separator,
    ) -> Result<()> {
        let slice = FrameSlice { input, offset, bytes, separator };
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
    fn row(&mut self, row: &[u8], key_length: usize, value_bytes: u32) -> Result<()> {
        self.sink.row(row, key_length, value_bytes)
    }

    fn packed(&mut self, rows: &[u64], dictionaries: &[Dictionary]) -> Result<()> {
        self.sink.packed(rows, dictionaries)
    }

    fn bad(&mut self, part: BadPart) -> Result<()> {
        self.quarantine.add(part)
    }
}
