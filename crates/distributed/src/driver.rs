//! The driver of a job: tasks, what they say, and what becomes of it.

use std::sync::Arc;
use std::time::Instant;

use distil_json::PackedLayout;
use distil_kernel::conflicts::conflicts;
use distil_kernel::decode::SliceDecoder;
use distil_kernel::encode::Encoder;
use distil_kernel::partial::{Finished, Partial};
use distil_kernel::reduce_partition::{SHOWN, Tally};
use distil_kernel::slice::{Slice, split};
use distil_kernel::splitters::Splitters;
use distil_kernel::wire::{read_bad_records, read_message};
use distil_output::excerpt::located;
use distil_output::footer::Footer;
use distil_output::quarantine::{Quarantine, ReadTotals, SetAside};
use distil_output::row_group_writer::RowGroupWriter;
use distil_plan::{
    Backend, Duplicates, Error, Input, Layout, Location, Need, NodeReport, Phase, Plan,
    RecordCounts, Report, Request, ResolvedPlan, Result, Schema, StageReport, Support, Watch,
    hides, scheme,
};
use distil_storage::Storage;

use crate::attempts::Attempts;
use crate::cluster::{Cluster, Tasks};
use crate::job::{Job, Output};
use crate::payload::{Kind, Payload, of_stream};
use crate::sizes::{Sizes, deal};
use crate::write_account::WriteAccount;

/// Bytes of rows that a task holds while it decodes.
const BOUND: u64 = 64 << 20;

/// Recognises compression and shape of an input.
pub type Sniff = dyn Fn(&dyn Storage, &Plan, &mut Input) -> Result<()> + Send + Sync;
/// Where the partitions of a plan's rows end, and what its records are like, from a sample of all inputs.
pub type SampleInputs =
    dyn Fn(&ResolvedPlan, Watch<'_>) -> Result<(Splitters, Option<PackedLayout>)> + Send + Sync;

/// A cluster as a backend.
pub struct Distributed {
    storage: Arc<dyn Storage>,
    cluster: Box<dyn Cluster>,
    sniff: Box<Sniff>,
    sample_inputs: Box<SampleInputs>,
    /// Bytes of input for a task; without them they follow from the input and the cluster.
    task_bytes: Option<u64>,
}

impl Distributed {
    /// A backend whose tasks run on this cluster, and see what `storage` sees.
    pub fn new(
        storage: Arc<dyn Storage>,
        cluster: Box<dyn Cluster>,
        sniff: Box<Sniff>,
        sample_inputs: Box<SampleInputs>,
    ) -> Self {
        Self { storage, cluster, sniff, sample_inputs, task_bytes: None }
    }

    /// The same, with about this many bytes of input for each task.
    #[must_use]
    pub fn with_task_bytes(mut self, bytes: u64) -> Self {
        self.task_bytes = Some(bytes);
        self
    }
}

/// What every cluster supports.
pub fn supports(need: &Need) -> Support {
    match need {
        Need::Parquet => Support::Could("its tasks read JSON"),
        Need::OpaquePath => Support::Could("it tells its tasks names as text"),
        _ => Support::Yes,
    }
}

impl Backend for Distributed {
    fn name(&self) -> &str {
        self.cluster.name()
    }

    fn check(&self) -> Result<String> {
        Ok(self.cluster.check()?.version)
    }

    fn supports(&self, need: &Need) -> Result<Support> {
        Ok(supports(need))
    }

    fn run(&self, request: &Request<'_>) -> Result<Report> {
        let engine = self.cluster.check()?;
        let run = Run { backend: self, storage: &self.storage, request };
        let done = run.run();
        self.cluster.forget();
        let mut report = done?;
        report.engine = Some(engine);
        Ok(report)
    }
}

/// One plan on the cluster.
struct Run<'a> {
    backend: &'a Distributed,
    storage: &'a Arc<dyn Storage>,
    request: &'a Request<'a>,
}

/// What all tasks that decode came to.
struct Decoded {
    finished: Finished,
    set_aside: SetAside,
}

impl Run<'_> {
    fn run(&self) -> Result<Report> {
        let mut report = Report::new(self.backend.name());
        let mut job = self.job()?;
        let all: u64 = job.plan.inputs.iter().filter_map(|input| input.bytes).sum();
        tracing::info!(
            tasks = job.tasks.len(),
            groups = job.groups,
            partitions = job.splitters.partitions(),
            "the job is cut into tasks"
        );
        let (watch, began) = (self.request.watch, Instant::now());
        watch.events.begin(Phase::Decode, Some(all));
        let attempts = Attempts::create(&**self.storage, self.request.staging)?;
        let place = &attempts.place;
        let declared = self.declared(&job)?;
        if let Some(schema) = &declared {
            job.output = Some(Output { schema: schema.clone(), place: place.clone() });
        }
        let mut handed = self.stage(&job, all, &mut report, &|tasks| match &declared {
            Some(_) => self.backend.cluster.decode_and_write(tasks, watch),
            None => self.backend.cluster.decode(tasks, watch),
        })?;
        let mut written: Vec<Payload> =
            handed.extract_if(.., |payload| payload.kind == Kind::Written).collect();
        let Decoded { finished, set_aside } = self.decoded(&job, handed)?;
        let schema = finished.schema.clone();
        finished.seen.require_chosen(&job.plan.plan, &schema)?;
        let read: u64 = finished.inputs.iter().map(|input| input.bytes).sum();

        if let Some(declared) = &declared {
            if *declared != schema {
                return Err(Error::bug("records changed the schema that was declared"));
            }
            self.publish(&job, &schema, &attempts, written, &mut report)?;
            report.stages.push(stage("decode and write", began, read, finished.read));
        } else {
            report.stages.push(stage("decode", began, read, finished.read));
            let began = Instant::now();
            watch.events.begin(Phase::Encode, Some(finished.accepted));
            job.output = Some(Output { schema: schema.clone(), place: place.clone() });
            written = self.stage(&job, finished.accepted, &mut report, &|tasks| {
                self.backend.cluster.write(tasks, watch)
            })?;
            self.publish(&job, &schema, &attempts, written, &mut report)?;
            report.stages.push(stage("write", began, report.output.bytes, report.records.written));
        }
        fill(finished, set_aside, &mut report);
        Ok(report)
    }

    /// Runs tasks, and returns what all of them handed on, without what they used.
    fn stage(
        &self,
        job: &Job,
        units: u64,
        report: &mut Report,
        run: &dyn Fn(&Tasks<'_>) -> Result<Vec<Payload>>,
    ) -> Result<Vec<Payload>> {
        if job.tasks.is_empty() {
            return Ok(Vec::new());
        }
        let bytes = job.to_bytes()?;
        let tasks = Tasks { job: &bytes, decoding: job.tasks.len(), groups: job.groups, units };
        let cancel = self.request.watch.cancel;
        let mut payloads = without_errors(run(&tasks)?)
            .map_err(|error| located(error, &**self.storage, &job.plan.inputs, cancel))?;
        for used in payloads.extract_if(.., |payload| payload.kind == Kind::Used) {
            add_node(&used.bytes, &mut report.resources.nodes)?;
        }
        Ok(payloads)
    }

    /// The schema of all records, where the plan declares it.
    fn declared(&self, job: &Job) -> Result<Option<Schema>> {
        if job.plan.plan.schema.declared.is_none() {
            return Ok(None);
        }
        let nothing =
            SliceDecoder::new(&job.plan, &job.splitters, None, 0)?.finish(&mut Vec::new())?;
        nothing.seen.schema().map(Some)
    }

    /// Cuts the inputs into tasks.
    fn job(&self) -> Result<Job> {
        let mut plan = self.request.plan.clone();
        let all: u64 = plan.inputs.iter().filter_map(|input| input.bytes).sum();
        let sizes = Sizes::of(all, self.backend.cluster.at_once(), self.backend.task_bytes);
        for input in &mut plan.inputs {
            if hides(&input.display()) {
                return Err(Error::usage(
                    "a link with secrets is known to this process alone, not to the tasks of a cluster",
                )
                .at(input.display(), None)
                .help("copy it to a file that all nodes see"));
            }
            match input.bytes {
                None => {
                    return Err(Error::usage(
                        "a stream can be read by this process alone, not by the tasks of a cluster",
                    )
                    .at(input.display(), None)
                    .help("save it to a file that all nodes see"));
                }
                // Whether it can be cut. What is wrong with it the task finds out that reads it.
                Some(size) if size > sizes.task => {
                    let mut known = input.clone();
                    if (self.backend.sniff)(&**self.storage, &plan.plan, &mut known).is_ok() {
                        *input = known;
                    }
                }
                Some(_) => {}
            }
        }
        let paths = plan.inputs.iter().map(|input| self.absolute(input)).collect::<Result<_>>()?;
        let (splitters, layout) = (self.backend.sample_inputs)(&plan, self.request.watch)?;
        // One file is written by one task; and so are all records that lost.
        let is_one = plan.plan.sink.layout == Layout::File || plan.plan.dropped.is_some();
        let most = splitters.partitions() as u64;
        let groups = if is_one { 1 } else { all.div_ceil(sizes.group).clamp(1, most) };
        let tasks = deal(&plan, split(&plan, sizes.task), sizes.task);
        Ok(Job {
            plan,
            paths,
            splitters,
            layout,
            tasks,
            groups: groups as u32,
            bound: BOUND,
            output: None,
        })
    }

    /// Where an input is for a process with another working directory.
    fn absolute(&self, input: &Input) -> Result<Location> {
        // A name with links in it may mean the same on every node, and what it leads to here may not.
        if scheme(&input.path).is_some() || input.path.is_absolute() {
            return Ok(input.path.clone());
        }
        Ok(self.storage.canonical(&input.path)?.into())
    }

    /// Joins what tasks said of their slices.
    fn decoded(&self, job: &Job, payloads: Vec<Payload>) -> Result<Decoded> {
        let Request { staging, watch, .. } = *self.request;
        let quarantine = Quarantine::new(
            &job.plan,
            Arc::clone(self.storage),
            staging.quarantine.clone(),
            staging.scratch.clone(),
        )
        .stopped_by(watch.cancel);
        let mut all: Option<Partial> = None;
        let mut bad = Vec::new();
        for payload in payloads {
            watch.cancel.check()?;
            match payload.kind {
                Kind::Message => {
                    let partial = read_message(&job.plan, &job.splitters, &payload.bytes)?;
                    all = Some(match all {
                        Some(others) => others.combine(partial)?,
                        None => partial,
                    });
                }
                Kind::BadRecords => {
                    for batch in of_stream(&payload.bytes)? {
                        bad.push(read_bad_records(&batch)?);
                    }
                }
                Kind::Error | Kind::Rows | Kind::Written | Kind::Used => {
                    return Err(Error::bug("a task that decodes handed on something else"));
                }
            }
        }
        let slices: Vec<Slice> = job.tasks.iter().flatten().copied().collect();
        let partial = match all {
            Some(partial) => partial,
            // There is nothing to read.
            None => {
                SliceDecoder::new(&job.plan, &job.splitters, None, 0)?.finish(&mut Vec::new())?
            }
        };
        let prefer_missing_key = |error| quarantine.prefer_missing_key(error, &partial.seen);
        // In the order of the inputs, as each task has its own: how many are too many, the same ones decide every time.
        bad.sort_by_key(|parts| parts.first().map(|part| (part.input, part.offset)));
        for part in bad.into_iter().flatten() {
            quarantine.add(part).map_err(prefer_missing_key)?;
        }
        let mut totals = ReadTotals { bytes: 0, records: vec![0; job.plan.inputs.len()] };
        for (slice, account) in &partial.accounts {
            totals.bytes += account.bytes;
            totals.records[slice.input as usize] += account.records;
        }
        let read: u64 = totals.records.iter().sum();
        let set_aside = quarantine.finish(&totals).map_err(prefer_missing_key)?;
        let counts = set_aside.counts;
        // What is wrong with the schema may be for want of records; what else is wrong is not.
        let without_schema = partial.seen.schema().err();
        let finished = partial.finish(&job.plan, &slices).map_err(|error| {
            match without_schema == Some(error.clone()) {
                true => Quarantine::explain(error, read, &counts),
                false => error,
            }
        })?;
        Ok(Decoded { finished, set_aside })
    }

    /// Chooses one attempt of each group, and makes the staged output of them.
    fn publish(
        &self,
        job: &Job,
        schema: &Schema,
        attempts: &Attempts<'_>,
        payloads: Vec<Payload>,
        report: &mut Report,
    ) -> Result<()> {
        let mut accounts = Vec::new();
        for payload in payloads {
            if payload.kind != Kind::Written {
                return Err(Error::bug("a task that writes handed on something else"));
            }
            accounts.push(WriteAccount::of_bytes(&payload.bytes)?);
        }
        let (chosen, others) = Attempts::choose(accounts);
        let plan = &job.plan.plan;
        let columns = plan.columns.as_ref();
        let written = columns.map_or_else(|| schema.clone(), |columns| schema.project(columns));
        let files = attempts.publish(&chosen, &others, plan.sink.layout, || {
            let (storage, sink) = (&**self.storage, &plan.sink);
            let encoder = Encoder::new(&job.plan, schema)?;
            let finish = |footer, path, layout| {
                RowGroupWriter::new(storage, &encoder, footer, path, sink, layout).finish()
            };
            let (staging, kept) = (self.request.staging, Footer::of(plan, written.clone()));
            if let Some(path) = &staging.dropped {
                finish(kept.of_dropped(), path, Layout::File)?;
            }
            Ok(finish(kept, &staging.output, sink.layout)?.files)
        })?;
        let (mut tally, mut shown, mut digest) = (Tally::default(), Vec::new(), 0u128);
        report.output.files = files;
        for account in chosen {
            tally.add(account.tally);
            let room = SHOWN - shown.len();
            shown.extend(account.conflicts.into_iter().take(room));
            report.output.bytes += account.totals.bytes;
            report.output.row_groups += account.totals.row_groups;
            report.resources.spilled_bytes += account.spilled_bytes;
            digest = digest.wrapping_add(account.totals.digest);
            if account.totals.rows != account.tally.written {
                return Err(Error::bug("a task wrote more or fewer rows than survive"));
            }
        }
        report.output.digest = plan.digest.then(|| distil_json::digest::Digest(digest).to_string());
        report.conflicts = conflicts(&job.plan, schema, &shown)?;
        report.set_schema(&written);
        report.records.written = tally.written;
        report.records.duplicates =
            Duplicates { identical: tally.identical, conflicting: tally.conflicting };
        Ok(())
    }
}

/// Fills in what only decoding knew.
fn fill(finished: Finished, set_aside: SetAside, report: &mut Report) {
    let seen = &finished.seen;
    report.records = RecordCounts {
        read: finished.read,
        accepted: finished.accepted,
        quarantined: set_aside.counts,
        ignored_members: seen.tally.ignored_members,
        rounded: seen.tally.rounded,
        converted: seen.tally.converted,
        nulled: seen.tally.nulled,
        ..report.records
    };
    report.repaired = seen.repaired(&finished.inputs);
    report.reasons = set_aside.reasons;
    report.set_aside = set_aside.first;
    report.warnings.extend(set_aside.losses);
    report.readings = seen.readings(&finished.inputs);
    report.type_notes = seen.type_notes();
    report.inputs = finished.inputs;
}

/// The payloads of tasks that all succeeded.
///
/// # Errors
/// Of several errors the one that the first task had.
fn without_errors(payloads: Vec<Payload>) -> Result<Vec<Payload>> {
    let errors = payloads.iter().filter(|payload| payload.kind == Kind::Error);
    let Some(first) = errors.min_by_key(|payload| payload.group) else { return Ok(payloads) };
    Err(serde_json::from_slice(&first.bytes).unwrap_or_else(|cause| {
        Error::environment(format!("a task failed, and its reason can't be read: {cause}"))
    }))
}

/// Adds what a task used to the line of its node.
fn add_node(told: &[u8], nodes: &mut Vec<NodeReport>) -> Result<()> {
    let used: NodeReport = serde_json::from_slice(told).map_err(|cause| {
        Error::environment(format!("a task says nothing readable of what it used: {cause}"))
    })?;
    match nodes.binary_search_by(|node| node.host.cmp(&used.host)) {
        Err(at) => nodes.insert(at, used),
        Ok(at) => {
            let node = &mut nodes[at];
            node.tasks += used.tasks;
            node.seconds += used.seconds;
            node.cpu_seconds += used.cpu_seconds;
            node.peak_memory_bytes = node.peak_memory_bytes.max(used.peak_memory_bytes);
        }
    }
    Ok(())
}

fn stage(name: &str, began: Instant, bytes: u64, rows: u64) -> StageReport {
    let seconds = began.elapsed().as_secs_f64();
    StageReport { name: name.to_owned(), seconds, bytes, rows, ..StageReport::default() }
}
