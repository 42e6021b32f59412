//! A task that writes: the rows of its groups, reduced, to parts that nobody sees yet.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use distil_json::Dictionary;
use distil_kernel::decode::Run;
use distil_kernel::encode::{Encoder, RowGroupEncoder};
use distil_kernel::reduce::Policy;
use distil_kernel::reduce_partition::{SHOWN, Scratch, Tally, reduce_all};
use distil_kernel::row_groups::{Cut, ROW_GROUP_BYTES, RowGroupCutter, Wanted};
use distil_kernel::rows::PackedTable;
use distil_kernel::wire::{PartitionRows, read_packed, read_rows};
use distil_output::footer::Footer;
use distil_output::row_group_writer::{RowGroupWriter, Totals};
use distil_plan::{Cancel, Error, Layout, Result};
use distil_storage::Storage;

use crate::attempt::Attempt;
use crate::group_rows::{GroupRows, Rows};
use crate::job::{Job, Output};
use crate::payload::{Kind, Payload, of_stream, packed};
use crate::write_account::WriteAccount;

/// Bytes of rows of a group that are in memory until all of them have come.
const HELD: u64 = 256 << 20;

/// Bytes of the strings of packed rows of a group, tables included: rows with others are encoded.
const DICTIONARIES: u64 = 64 << 20;
/// Bytes of packed rows that wait for the end of their row group: as many as the largest have in the main job.
const PACKED: u64 = 64 << 20;

/// The rows of a group, and the strings of those that are packed.
struct Group {
    rows: GroupRows,
    dictionaries: Vec<Dictionary>,
}

/// A task that writes the rows of some groups.
pub struct Writing {
    storage: Arc<dyn Storage>,
    job: Job,
    attempt: String,
    temp_dir: PathBuf,
    cancel: Cancel,
    groups: BTreeMap<u32, Group>,
    passed_on: Vec<Payload>,
}

impl Writing {
    /// A task without rows. `attempt` is a name that no other attempt has; rows that the memory does not hold go to
    /// files without a name in `temp_dir`.
    ///
    /// # Errors
    /// An environment error if the job is of another version.
    pub fn begin(
        storage: Arc<dyn Storage>,
        job: &[u8],
        attempt: &str,
        temp_dir: &Path,
        cancel: &Cancel,
    ) -> Result<Self> {
        Ok(Self {
            storage,
            job: Job::of_bytes(job)?,
            attempt: attempt.to_owned(),
            temp_dir: temp_dir.to_owned(),
            cancel: cancel.clone(),
            groups: BTreeMap::new(),
            passed_on: Vec::new(),
        })
    }

    /// Takes what tasks that decode handed on. What is no rows is handed on as it is.
    ///
    /// # Errors
    /// An environment error if these are no rows of distil, or can't be written to a temporary file.
    pub fn push(&mut self, payload: Payload) -> Result<()> {
        self.cancel.check()?;
        if payload.kind != Kind::Rows {
            self.passed_on.push(payload);
            return Ok(());
        }
        let layout = self.job.layout.as_ref();
        let new = || Group {
            rows: GroupRows::new(HELD, &self.temp_dir),
            dictionaries: layout.map_or_else(Vec::new, |layout| {
                (0..layout.texts).map(|_| Dictionary::new(DICTIONARIES)).collect()
            }),
        };
        let group = self.groups.entry(payload.group).or_insert_with(new);
        if let Some(bytes) = packed(&payload.bytes) {
            let layout = layout.ok_or_else(|| Error::bug("rows are packed without a layout"))?;
            for (partition, rows) in read_packed(bytes, layout, &mut group.dictionaries)? {
                group.rows.push(partition, rows)?;
            }
            return Ok(());
        }
        for batch in of_stream(&payload.bytes)? {
            for Run { partition, rows } in read_rows(&batch)? {
                group.rows.push(partition, PartitionRows::Encoded(rows))?;
            }
        }
        Ok(())
    }

    /// Writes all rows, and hands on an account for each group.
    ///
    /// # Errors
    /// An environment error when writing fails; that of the cancelled task.
    pub fn finish(self) -> Result<Vec<Payload>> {
        let Some(output) = &self.job.output else {
            return Err(Error::bug("a task that writes was not told where"));
        };
        let mut handed_on = self.passed_on;
        for (group, rows) in self.groups {
            let task =
                Task { storage: &*self.storage, job: &self.job, output, cancel: &self.cancel };
            let account = task.run(group, &format!("{group:05}-{}", self.attempt), rows)?;
            handed_on.push(Payload { kind: Kind::Written, group, bytes: account.to_bytes() });
        }
        Ok(handed_on)
    }
}

struct Task<'a> {
    storage: &'a dyn Storage,
    job: &'a Job,
    output: &'a Output,
    cancel: &'a Cancel,
}

impl Task<'_> {
    fn run(&self, group: u32, name: &str, rows: Group) -> Result<WriteAccount> {
        let (place, sink) = (&self.output.place, &self.job.plan.plan.sink);
        let attempt = Attempt::create(self.storage, place, (group, name), sink)?;
        let done = self.write(&attempt, rows).and_then(|account| {
            let uploads = attempt.hand_over()?;
            Ok(WriteAccount { group, attempt: name.to_owned(), uploads, ..account })
        });
        if done.is_err() {
            attempt.abandon();
        }
        done
    }

    /// Writes the rows of one group. Who wrote them, and where, is not in the account yet.
    fn write(&self, attempt: &Attempt<'_>, group: Group) -> Result<WriteAccount> {
        let (schema, plan) = (&self.output.schema, &self.job.plan.plan);
        let Group { mut rows, dictionaries } = group;
        let written = plan.columns.as_ref().map_or_else(|| schema.clone(), |c| schema.project(c));
        let encoder = Encoder::new(&self.job.plan, schema)?;
        let sink = &plan.sink;
        let output = |wanted, most_rows, footer, path: &Path, layout| {
            let writer = RowGroupWriter::new(self.storage, &encoder, footer, path, sink, layout);
            Written {
                writer: writer.named(attempt.names),
                cutter: RowGroupCutter::new(wanted, encoder.leaves(), most_rows, ROW_GROUP_BYTES)
                    .keeping_packed(if encoder.takes_packed() { PACKED } else { 0 }),
                encoder: RowGroupEncoder::new(&encoder, wanted),
            }
        };
        let kept = Footer::of(plan, written);
        let dropped = kept.of_dropped();
        let most_rows = sink.row_group_rows.min(sink.max_file_rows.unwrap_or(u64::MAX));
        let mut outputs = vec![output(Wanted::Kept, most_rows, kept, &attempt.output, sink.layout)];
        if plan.dropped.is_some() {
            let most_rows = sink.row_group_rows;
            outputs.push(output(
                Wanted::Dropped,
                most_rows,
                dropped,
                &attempt.dropped,
                Layout::File,
            ));
        }
        let table = match self.job.layout.as_ref().filter(|layout| layout.packs) {
            Some(layout) => {
                let layout = Arc::new(layout.clone());
                Some(Arc::new(PackedTable::of(layout, &[dictionaries], schema)?))
            }
            None => None,
        };
        let (mut tally, mut conflicts) = (Tally::default(), Vec::new());
        let mut scratch = Scratch::default();
        for partition in rows.partitions() {
            self.cancel.check()?;
            let Rows { encoded, packed } = rows.take(partition)?;
            scratch.packed.clear();
            if let Some(table) = &table {
                packed.into_iter().for_each(|buffer| scratch.packed.empty(table, 0, buffer));
            }
            let reduced = reduce_all(encoded, table.as_ref(), Policy::of(plan), &mut scratch)?;
            tally.add(reduced.counts);
            let room = SHOWN - conflicts.len();
            conflicts.extend(reduced.conflicts.into_iter().take(room));
            for reduced in reduced.rows.into_iter().map(Arc::new) {
                for output in &mut outputs {
                    let cuts = output.cutter.push(&reduced)?;
                    output.take(cuts, self.cancel)?;
                }
            }
        }
        let spilled_bytes = rows.spilled_bytes();
        let mut totals = Totals::default();
        for (at, output) in outputs.iter_mut().enumerate() {
            let cuts = output.cutter.finish();
            output.take(cuts, self.cancel)?;
            let of_output = output.writer.finish()?;
            if at == 0 {
                totals = of_output;
            }
        }
        Ok(WriteAccount { totals, tally, conflicts, spilled_bytes, ..WriteAccount::default() })
    }
}

/// One output of a task on its way to its files.
struct Written<'a> {
    cutter: RowGroupCutter,
    encoder: RowGroupEncoder<'a>,
    writer: RowGroupWriter<'a>,
}

impl Written<'_> {
    fn take(&mut self, cuts: Vec<Cut>, cancel: &Cancel) -> Result<()> {
        for cut in cuts {
            cancel.check()?;
            if let Some(row_group) = self.encoder.push(cut)? {
                self.writer.push(row_group)?;
            }
        }
        Ok(())
    }
}
