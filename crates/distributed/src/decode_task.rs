//! A task that decodes: its slices to rows by group, facts, accounts and bad records.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use distil_json::{PackedLayout, Sampler};
use distil_kernel::decode::{Run, RunSink, SliceDecoder};
use distil_kernel::reduce::Policy;
use distil_kernel::slice::Slice;
use distil_kernel::wire::{bad_record_batch, row_batches, write_message};
use distil_plan::{Cancel, Error, Fault, Result};
use distil_storage::{InputStream, Limits, Storage, within};

use crate::job::Job;
use crate::payload::{Kind, Payload, to_stream};
use crate::slice_file::decode_slice;

/// Bytes of rows of a group that are handed on together.
const PAYLOAD: usize = 4 << 20;
/// Bytes of the first slice that are looked at for what records are like.
const SAMPLE: usize = 64 << 10;
/// Records of them.
const RECORDS: usize = 200;
/// Bad records that are handed on together.
const BAD_RECORDS: usize = 1000;
/// Memory on its way from stores.
const ON_THE_WAY: u64 = 64 << 20;

/// Runs one of the tasks of a job that decode, and hands on what it comes to. An error that another attempt would
/// have as well is handed on, too.
///
/// # Errors
/// One that another attempt may not have: of the environment; whatever `hand_on` says; that of the cancelled task.
pub fn decode(
    storage: &Arc<dyn Storage>,
    job: &[u8],
    task: usize,
    cancel: &Cancel,
    hand_on: &mut dyn FnMut(Payload) -> Result<()>,
) -> Result<()> {
    let done = Job::of_bytes(job)
        .and_then(|job| Task { storage, job: &job, cancel }.run(task, &mut *hand_on));
    match done {
        Err(error) if error.fault == Fault::Input => {
            let told = serde_json::to_vec(&error)
                .map_err(|cause| Error::bug(format!("an error has no JSON form: {cause}")))?;
            hand_on(Payload { kind: Kind::Error, group: task as u32, bytes: told })
        }
        done => done,
    }
}

struct Task<'a> {
    storage: &'a Arc<dyn Storage>,
    job: &'a Job,
    cancel: &'a Cancel,
}

impl Task<'_> {
    fn run(&self, task: usize, hand_on: &mut dyn FnMut(Payload) -> Result<()>) -> Result<()> {
        let Job { plan, paths, splitters, tasks, bound, .. } = self.job;
        let slices = tasks.get(task).ok_or_else(|| Error::bug("there is no such task"))?;
        let limits = Limits { cancel: self.cancel.clone(), memory: ON_THE_WAY, temp_dir: None };
        let storage = &*within(self.storage, &limits);
        let layout = match slices.first() {
            Some(slice) => self.layout(storage, *slice)?,
            None => None,
        };
        let mut decoder = SliceDecoder::new(plan, splitters, layout.as_ref(), *bound)?;
        let mut groups = Groups {
            job: self.job,
            policy: Policy::of(&plan.plan),
            open: BTreeMap::new(),
            hand_on,
        };
        for slice in slices {
            let at = slice.input as usize;
            let (Some(input), Some(path)) = (plan.inputs.get(at), paths.get(at)) else {
                return Err(Error::bug("a slice is of no input"));
            };
            decode_slice(storage, (input, path), *slice, &mut decoder, &mut groups, self.cancel)
                .map_err(|error| as_named(error, path, input.display()))?;
        }
        let mut partial = decoder.finish()?;
        for run in std::mem::take(&mut partial.runs) {
            groups.run(run)?;
        }
        groups.finish()?;
        for parts in partial.bad.chunks(BAD_RECORDS) {
            let bytes = to_stream(&[bad_record_batch(parts)?])?;
            hand_on(Payload { kind: Kind::BadRecords, group: 0, bytes })?;
        }
        hand_on(Payload { kind: Kind::Message, group: 0, bytes: write_message(&partial) })
    }

    /// What the records at the beginning of a slice are like.
    fn layout(&self, storage: &dyn Storage, slice: Slice) -> Result<Option<PackedLayout>> {
        let Job { plan, paths, .. } = self.job;
        let at = slice.input as usize;
        let Some(path) = paths.get(at) else { return Ok(None) };
        let mut piece = vec![0; SAMPLE];
        let count = match slice.begin {
            0 => InputStream::open(storage, path)?.read(&mut piece)?,
            begin => storage.open(path)?.read_at(begin, &mut piece)?,
        };
        let mut sampler = Sampler::new(&plan.plan)?.of_inputs(plan)?;
        sampler.sample(at, &piece[..count], RECORDS)?;
        Ok(sampler.finish(&plan.plan).1)
    }
}

/// The error with the name that the user gave the file.
fn as_named(mut error: Error, path: &Path, name: String) -> Error {
    if let Some(place) = error.place.as_mut().filter(|place| Path::new(&place.path) == path) {
        place.path = name;
        return error;
    }
    error.at(name, None)
}

/// Rows that wait for more of their group.
struct Groups<'a, 'h> {
    job: &'a Job,
    policy: Policy,
    open: BTreeMap<u32, (usize, Vec<RecordBatch>)>,
    hand_on: &'h mut dyn FnMut(Payload) -> Result<()>,
}

impl RunSink for Groups<'_, '_> {
    fn run(&mut self, run: Run) -> Result<()> {
        let group = self.job.group(run.partition);
        for batch in row_batches(&[run], self.policy, PAYLOAD)? {
            let (bytes, batches) = self.open.entry(group).or_default();
            *bytes += batch.get_array_memory_size();
            batches.push(batch);
            if *bytes >= PAYLOAD {
                let batches = std::mem::take(batches);
                *bytes = 0;
                let bytes = to_stream(&batches)?;
                (self.hand_on)(Payload { kind: Kind::Rows, group, bytes })?;
            }
        }
        Ok(())
    }
}

impl Groups<'_, '_> {
    fn finish(&mut self) -> Result<()> {
        for (group, (_, batches)) in std::mem::take(&mut self.open) {
            if !batches.is_empty() {
                let bytes = to_stream(&batches)?;
                (self.hand_on)(Payload { kind: Kind::Rows, group, bytes })?;
            }
        }
        Ok(())
    }
}
