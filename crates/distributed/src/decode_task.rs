//! A task that decodes: its slices to rows by group, facts, accounts and bad records.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use distil_kernel::decode::{PackedRun, Run, RunSink, SliceDecoder};
use distil_kernel::reduce::Policy;
use distil_kernel::wire::{PackedBatch, bad_record_batch, row_batches, write_message};
use distil_plan::{Cancel, Error, Fault, Result};
use distil_storage::{Limits, Storage, within};

use crate::job::Job;
use crate::payload::{Kind, Payload, of_packed, to_stream};
use crate::slice_file::decode_slice;

/// Bytes of rows of a group that are handed on together.
const PAYLOAD: usize = 4 << 20;
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
        let Job { plan, paths, splitters, layout, tasks, bound, .. } = self.job;
        let slices = tasks.get(task).ok_or_else(|| Error::bug("there is no such task"))?;
        let limits = Limits { cancel: self.cancel.clone(), memory: ON_THE_WAY, temp_dir: None };
        let storage = &*within(self.storage, &limits);
        let mut decoder = SliceDecoder::new(plan, splitters, layout.as_ref(), *bound)?;
        let mut groups = Groups {
            job: self.job,
            policy: Policy::of(&plan.plan),
            open: BTreeMap::new(),
            packed: layout.as_ref().map(|layout| (0, PackedBatch::new(layout))),
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
        let partial = decoder.finish(&mut groups)?;
        groups.finish()?;
        for parts in partial.bad.chunks(BAD_RECORDS) {
            let bytes = to_stream(&[bad_record_batch(parts)?])?;
            hand_on(Payload { kind: Kind::BadRecords, group: 0, bytes })?;
        }
        hand_on(Payload { kind: Kind::Message, group: 0, bytes: write_message(&partial) })
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
    /// Packed rows of one group, and which.
    packed: Option<(u32, PackedBatch)>,
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

    fn packed(&mut self, run: PackedRun<'_>) -> Result<()> {
        let group = self.job.group(run.partition);
        if self.packed.as_ref().is_some_and(|(open, _)| *open != group) {
            self.hand_on_packed()?;
        }
        let mut rows: Vec<u64> = Vec::new();
        let mut buffers = run.rows.iter().peekable();
        while let Some(buffer) = buffers.next() {
            rows.extend_from_slice(buffer);
            if rows.len() * 8 < PAYLOAD && buffers.peek().is_some() {
                continue;
            }
            if let Some((open, batch)) = &mut self.packed {
                *open = group;
                batch.push(run.layout, run.partition, &rows, run.dictionaries);
                if batch.bytes() >= PAYLOAD {
                    self.hand_on_packed()?;
                }
            }
            rows.clear();
        }
        Ok(())
    }
}

impl Groups<'_, '_> {
    fn hand_on_packed(&mut self) -> Result<()> {
        let Some((group, batch)) = &mut self.packed else { return Ok(()) };
        if batch.bytes() == 0 {
            return Ok(());
        }
        (self.hand_on)(Payload { kind: Kind::Rows, group: *group, bytes: of_packed(batch) })
    }

    fn finish(&mut self) -> Result<()> {
        self.hand_on_packed()?;
        for (group, (_, batches)) in std::mem::take(&mut self.open) {
            if !batches.is_empty() {
                let bytes = to_stream(&batches)?;
                (self.hand_on)(Payload { kind: Kind::Rows, group, bytes })?;
            }
        }
        Ok(())
    }
}
