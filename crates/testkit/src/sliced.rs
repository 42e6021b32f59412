//! A backend made of the public kernels alone: inputs cut into slices, decoded in tasks apart, carried
//! outside of the process, combined in some order, finished. It must give what the native engine gives.

use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use distil_job::admit::sniff;
use distil_json::digest::Digest;
use distil_json::{MessageReader, MessageWriter, Sampler};
use distil_kernel::conflicts::conflicts;
use distil_kernel::decode::{Run, SliceDecoder, Wants};
use distil_kernel::encode::{Encoder, RowGroupEncoder};
use distil_kernel::partial::{Finished, Partial};
use distil_kernel::reduce::Policy;
use distil_kernel::reduce_partition::{SHOWN, Scratch, Tally, reduce_all};
use distil_kernel::row_groups::{ROW_GROUP_BYTES, RowGroupCutter, Wanted};
use distil_kernel::slice::{Slice, split};
use distil_kernel::splitters::Splitters;
use distil_kernel::wire::{
    bad_record_batch, read_bad_records, read_message, read_rows, row_batches, write_message,
};
use distil_output::footer::Footer;
use distil_output::quarantine::{Quarantine, ReadTotals};
use distil_output::row_group_writer::RowGroupWriter;
use distil_plan::{
    Backend, Duplicates, Error, Layout, Need, RecordCounts, Report, Request, ResolvedPlan, Result,
    Support,
};
use distil_storage::{InputStream, Storage};
use serde::{Deserialize, Serialize};

/// How the work is cut. None of it may change a result.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// Bytes of a slice of lines.
    pub slice_bytes: u64,
    /// Tasks that the slices are dealt out to.
    pub tasks: usize,
    /// Key ranges.
    pub partitions: usize,
    /// Bytes of rows that a task holds.
    pub bound: u64,
    /// Bytes pushed at once.
    pub pushed: usize,
    /// What the dealing and the order of combining follow from.
    pub seed: u64,
}

/// What a task decodes, and is sent as one text.
#[derive(Debug, Serialize, Deserialize)]
pub struct Task {
    plan: ResolvedPlan,
    splitters: Vec<u8>,
    /// Input, begin, end.
    slices: Vec<(u32, u64, Option<u64>)>,
    bound: u64,
    pushed: usize,
    /// Why a compressed input ends early, by ordinal.
    broken: Vec<Option<String>>,
}

/// What a task sends back.
#[derive(Debug, Default)]
pub struct Sent {
    /// Facts and accounts.
    pub message: Vec<u8>,
    /// Batches of rows, as an Arrow stream.
    pub rows: Vec<u8>,
    /// Batches of bad records, as an Arrow stream.
    pub bad: Vec<u8>,
}

/// Runs a task somewhere, over the decompressed inputs.
pub type RunTask = dyn Fn(&Task, &[Vec<u8>]) -> Result<Sent> + Send + Sync;

/// The kernels as a backend.
pub struct Sliced {
    /// Where the files are.
    pub storage: Arc<dyn Storage>,
    /// How the work is cut.
    pub cut: Cut,
    /// What runs a task.
    pub run_task: Arc<RunTask>,
}

impl Task {
    /// Decodes the slices of the task.
    ///
    /// # Errors
    /// Those of the kernels.
    pub fn run(&self, inputs: &[Vec<u8>]) -> Result<Sent> {
        let mut message = MessageReader::new(&self.splitters);
        let splitters = Splitters::read(&mut message)?;
        message.finish()?;
        let layout = layout(&self.plan, inputs)?;
        let mut decoder = SliceDecoder::new(&self.plan, &splitters, layout.as_ref(), self.bound)?;
        let mut handed: Vec<Run> = Vec::new();
        for (input, begin, end) in &self.slices {
            let slice = Slice { input: *input, begin: *begin, end: *end };
            let ordinal = *input as usize;
            let compression = self.plan.inputs[ordinal].compression.unwrap_or_default();
            decoder.begin(slice, compression)?;
            let from = usize::try_from(slice.read_from()).unwrap();
            let mut left = &inputs[ordinal][from.min(inputs[ordinal].len())..];
            let mut wants = Wants::More;
            while wants == Wants::More && !left.is_empty() {
                let (now, later) = left.split_at(self.pushed.clamp(1, left.len()));
                wants = decoder.push(now, &mut handed)?;
                left = later;
            }
            let broken = self.broken[ordinal].as_deref().filter(|_| wants == Wants::More);
            decoder.end(broken, &mut handed)?;
        }
        let mut partial = decoder.finish(&mut handed)?;
        partial.runs = handed;
        let policy = Policy::of(&self.plan.plan);
        Ok(Sent {
            message: write_message(&partial),
            rows: to_stream(&row_batches(&partial.runs, policy, 300)?),
            bad: to_stream(&[bad_record_batch(&partial.bad)?]),
        })
    }
}

fn layout(plan: &ResolvedPlan, inputs: &[Vec<u8>]) -> Result<Option<distil_json::PackedLayout>> {
    let mut sampler = Sampler::new(&plan.plan)?.of_inputs(plan)?;
    let mut pieces = inputs.iter().map(|input| &input[..input.len().min(4_000)]).enumerate();
    pieces.try_for_each(|(input, piece)| sampler.sample(input, piece, 20))?;
    Ok(sampler.finish(&plan.plan).1)
}

fn to_stream(batches: &[RecordBatch]) -> Vec<u8> {
    let mut out = Vec::new();
    if let Some(first) = batches.first() {
        let mut writer = StreamWriter::try_new(&mut out, first.schema_ref()).unwrap();
        batches.iter().for_each(|batch| writer.write(batch).unwrap());
        writer.finish().unwrap();
    }
    out
}

fn of_stream(bytes: &[u8]) -> Vec<RecordBatch> {
    if bytes.is_empty() {
        return Vec::new();
    }
    StreamReader::try_new(bytes, None).unwrap().map(|batch| batch.unwrap()).collect()
}

/// Numbers that look random and are the same in every run: Marsaglia's xorshift.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most.max(1) as u64) as usize
    }
}

impl Sliced {
    /// Everything up to the partials of all tasks, which came in by their wire form.
    ///
    /// # Errors
    /// Those of the kernels.
    pub fn partials(
        &self,
        plan: &ResolvedPlan,
    ) -> Result<(ResolvedPlan, Splitters, Vec<Slice>, Vec<Partial>)> {
        let mut plan = plan.clone();
        let (mut contents, mut broken) = (Vec::new(), Vec::new());
        for input in &mut plan.inputs {
            sniff(&*self.storage, &plan.plan, input)?;
            let mut stream = InputStream::open(&*self.storage, &input.path)?;
            let (mut content, mut window) = (Vec::new(), vec![0; 1 << 16]);
            loop {
                let count = stream.read(&mut window)?;
                content.extend_from_slice(&window[..count]);
                if count == 0 {
                    break;
                }
            }
            broken.push(stream.broken().map(str::to_owned));
            contents.push(content);
        }
        let mut sampler = Sampler::new(&plan.plan)?.of_inputs(&plan)?;
        let mut whole = contents.iter().enumerate();
        whole.try_for_each(|(input, content)| sampler.sample(input, content, 50))?;
        let splitters = Splitters::new(sampler.finish(&plan.plan).0, self.cut.partitions);
        let slices = split(&plan, self.cut.slice_bytes);
        let mut dice = Dice(self.cut.seed | 1);
        let mut tasks = vec![Vec::new(); self.cut.tasks.max(1)];
        for slice in &slices {
            let task = dice.below(tasks.len());
            tasks[task].push((slice.input, slice.begin, slice.end));
        }
        let mut message = MessageWriter::default();
        splitters.write(&mut message);
        let written = message.finish();
        let mut partials = Vec::new();
        for slices in tasks {
            let task = Task {
                plan: plan.clone(),
                splitters: written.clone(),
                slices,
                bound: self.cut.bound,
                pushed: self.cut.pushed,
                broken: broken.clone(),
            };
            let sent = (self.run_task)(&task, &contents)?;
            let mut partial = read_message(&plan, &splitters, &sent.message)?;
            for batch in of_stream(&sent.rows) {
                partial.runs.extend(read_rows(&batch)?);
            }
            for batch in of_stream(&sent.bad) {
                partial.bad.extend(read_bad_records(&batch)?);
            }
            partials.push(partial);
        }
        Ok((plan, splitters, slices, partials))
    }

    /// One partial of all, combined pair by pair in some order.
    fn combined(&self, mut partials: Vec<Partial>) -> Result<Partial> {
        let mut dice = Dice(self.cut.seed.rotate_left(17) | 1);
        while partials.len() > 1 {
            let one = partials.swap_remove(dice.below(partials.len()));
            let other = partials.swap_remove(dice.below(partials.len()));
            partials.push(one.combine(other)?);
        }
        partials.pop().ok_or_else(|| Error::bug("there is no task"))
    }
}

impl Backend for Sliced {
    fn name(&self) -> &str {
        "native"
    }

    fn supports(&self, _: &Need) -> Result<Support> {
        Ok(Support::Yes)
    }

    fn run(&self, request: &Request<'_>) -> Result<Report> {
        let (plan, _, slices, partials) = self.partials(request.plan)?;
        let partial = self.combined(partials)?;
        let quarantine = Quarantine::new(
            &plan,
            Arc::clone(&self.storage),
            request.staging.quarantine.clone(),
            request.staging.scratch.clone(),
        )
        .stopped_by(request.watch.cancel);
        let prefer_missing_key = |error| quarantine.prefer_missing_key(error, &partial.seen);
        let read: u64 = partial.accounts.values().map(|account| account.records).sum();
        for part in &partial.bad {
            quarantine.add(part.clone()).map_err(prefer_missing_key)?;
        }
        let mut totals = ReadTotals { bytes: 0, records: vec![0; plan.inputs.len()] };
        for (slice, account) in &partial.accounts {
            totals.bytes += account.bytes;
            totals.records[slice.input as usize] += account.records;
        }
        let set_aside = quarantine.finish(&totals).map_err(prefer_missing_key)?;
        let quarantined = set_aside.counts;
        let accepted = read - quarantined.records;
        let finished = partial
            .finish(&plan, &slices)
            .map_err(|error| Quarantine::explain(error, read, &quarantined))?;
        assert_eq!((finished.read, finished.accepted), (read, accepted));
        let mut report = Report::new("native");
        let tally = write(&*self.storage, &plan, request, &finished, &mut report)?;
        report.records = RecordCounts {
            read,
            accepted,
            written: tally.written,
            duplicates: Duplicates { identical: tally.identical, conflicting: tally.conflicting },
            quarantined,
            ignored_members: finished.seen.tally.ignored_members,
            rounded: finished.seen.tally.rounded,
            converted: finished.seen.tally.converted,
            nulled: finished.seen.tally.nulled,
        };
        report.repaired = finished.seen.repaired(&finished.inputs);
        report.reasons = set_aside.reasons;
        report.warnings = set_aside.losses;
        report.readings = finished.seen.readings(&finished.inputs);
        report.inputs = finished.inputs;
        Ok(report)
    }
}

/// Reduces all partitions and writes the output.
fn write(
    storage: &dyn Storage,
    plan: &ResolvedPlan,
    request: &Request<'_>,
    finished: &Finished,
    report: &mut Report,
) -> Result<Tally> {
    let resolved = plan;
    let ResolvedPlan { plan, .. } = resolved;
    let sink = &plan.sink;
    let schema = &finished.schema;
    let columns = plan.columns.as_deref();
    let written = columns.map_or_else(|| schema.clone(), |columns| schema.project(columns));
    let encoder = Encoder::new(resolved, schema)?;
    let footer = Footer::of(plan, written.clone());
    let mut outputs = Vec::new();
    let most_rows = sink.row_group_rows.min(sink.max_file_rows.unwrap_or(u64::MAX));
    let mut output = |wanted, most_rows, footer, path: &Path, layout| {
        let writer = RowGroupWriter::new(storage, &encoder, footer, path, sink, layout);
        let cutter = RowGroupCutter::new(wanted, encoder.leaves(), most_rows, ROW_GROUP_BYTES);
        outputs.push((cutter, RowGroupEncoder::new(&encoder, wanted), writer));
    };
    output(Wanted::Kept, most_rows, footer.clone(), &request.staging.output, sink.layout);
    if let Some(path) = &request.staging.dropped {
        output(Wanted::Dropped, sink.row_group_rows, footer.of_dropped(), path, Layout::File);
    }
    let (mut tally, mut shown) = (Tally::default(), Vec::new());
    for buffers in finished.partitions.clone() {
        let reduced = reduce_all(buffers, None, Policy::of(plan), &mut Scratch::default())?;
        tally.add(reduced.counts);
        shown.extend(reduced.conflicts);
        for rows in reduced.rows.into_iter().map(Arc::new) {
            for (cutter, encoder, writer) in &mut outputs {
                for cut in cutter.push(&rows)? {
                    if let Some(row_group) = encoder.push(cut)? {
                        writer.push(row_group)?;
                    }
                }
            }
        }
    }
    shown.truncate(SHOWN);
    for (at, (cutter, encoder, writer)) in outputs.iter_mut().enumerate() {
        for cut in cutter.finish() {
            if let Some(row_group) = encoder.push(cut)? {
                writer.push(row_group)?;
            }
        }
        let totals = writer.finish()?;
        if at == 0 {
            report.output.files = totals.files;
            report.output.bytes = totals.bytes;
            report.output.row_groups = totals.row_groups;
            report.output.digest = plan.digest.then(|| Digest(totals.digest).to_string());
        }
    }
    report.conflicts = conflicts(resolved, schema, &shown)?;
    report.set_schema(&written);
    Ok(tally)
}
