//! A task that writes: the rows of its groups, reduced, to parts that nobody sees yet.

use std::collections::BTreeMap;
use std::sync::Arc;

use distil_kernel::encode::{Encoder, RowGroupEncoder};
use distil_kernel::reduce::Policy;
use distil_kernel::reduce_partition::{SHOWN, Tally, reduce_partition};
use distil_kernel::row_groups::{Cut, ROW_GROUP_BYTES, RowGroupCutter, Wanted};
use distil_kernel::wire::read_rows;
use distil_output::footer::Footer;
use distil_output::row_group_writer::{RowGroupWriter, Totals};
use distil_plan::{Cancel, Error, Layout, Result};
use distil_storage::Storage;

use crate::attempts::{DROPPED, OUTPUT};
use crate::job::{Job, Output};
use crate::payload::{Kind, Payload, of_stream};
use crate::write_account::WriteAccount;

/// Runs a task that writes the rows of some groups; `attempt` is a name that no other attempt has. Hands on an account
/// for each group.
///
/// # Errors
/// An environment error when writing fails, or a payload is not one of rows; that of the cancelled task.
pub fn write(
    storage: &Arc<dyn Storage>,
    job: &[u8],
    attempt: &str,
    payloads: Vec<Payload>,
    cancel: &Cancel,
) -> Result<Vec<Payload>> {
    let job = Job::of_bytes(job)?;
    let mut groups: BTreeMap<u32, Vec<Payload>> = BTreeMap::new();
    for payload in payloads {
        groups.entry(payload.group).or_default().push(payload);
    }
    let Some(output) = &job.output else {
        return Err(Error::bug("a task that writes was not told where"));
    };
    let mut accounts = Vec::new();
    for (group, payloads) in groups {
        let task = Task { storage: &**storage, job: &job, output, cancel };
        let account = task.run(group, format!("{group:05}-{attempt}"), payloads)?;
        accounts.push(Payload { kind: Kind::Written, group, bytes: account.to_bytes() });
    }
    Ok(accounts)
}

struct Task<'a> {
    storage: &'a dyn Storage,
    job: &'a Job,
    output: &'a Output,
    cancel: &'a Cancel,
}

impl Task<'_> {
    fn run(&self, group: u32, attempt: String, payloads: Vec<Payload>) -> Result<WriteAccount> {
        let Output { schema, attempts } = self.output;
        let plan = &self.job.plan.plan;
        let directory = attempts.join(&attempt);
        let disk = self.storage.disk(&directory)?;
        disk.create_dir(&directory)?;
        let written = plan.columns.as_ref().map_or_else(|| schema.clone(), |c| schema.project(c));
        let encoder = Encoder::new(&self.job.plan, schema)?;
        let sink = &plan.sink;
        let output = |wanted, most_rows, footer, name: &str, layout| {
            let path = directory.join(name);
            Written {
                writer: RowGroupWriter::new(self.storage, &encoder, footer, &path, sink, layout),
                cutter: RowGroupCutter::new(wanted, encoder.leaves(), most_rows, ROW_GROUP_BYTES),
                encoder: RowGroupEncoder::new(&encoder, wanted),
            }
        };
        let kept = Footer::of(plan, written);
        let dropped = kept.of_dropped();
        if sink.layout == Layout::Dir {
            let path = directory.join(OUTPUT);
            self.storage.disk(&path)?.create_dir(&path)?;
        }
        let most_rows = sink.row_group_rows.min(sink.max_file_rows.unwrap_or(u64::MAX));
        let mut outputs = vec![output(Wanted::Kept, most_rows, kept, OUTPUT, sink.layout)];
        if plan.dropped.is_some() {
            let most_rows = sink.row_group_rows;
            outputs.push(output(Wanted::Dropped, most_rows, dropped, DROPPED, Layout::File));
        }
        let (mut tally, mut conflicts, mut spare) = (Tally::default(), Vec::new(), Vec::new());
        for (_, buffers) in by_partition(payloads)? {
            self.cancel.check()?;
            let reduced = reduce_partition(buffers, Policy::of(plan), &mut spare)?;
            tally.add(reduced.counts);
            let room = SHOWN - conflicts.len();
            conflicts.extend(reduced.conflicts.into_iter().take(room));
            for rows in reduced.rows.into_iter().map(Arc::new) {
                for output in &mut outputs {
                    let cuts = output.cutter.push(&rows)?;
                    output.take(cuts, self.cancel)?;
                }
            }
        }
        let mut totals = Totals::default();
        for (at, output) in outputs.iter_mut().enumerate() {
            let cuts = output.cutter.finish();
            output.take(cuts, self.cancel)?;
            let of_output = output.writer.finish()?;
            if at == 0 {
                totals = of_output;
            }
        }
        Ok(WriteAccount { group, attempt, totals, tally, conflicts })
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

/// The buffers of rows of each partition, in order.
fn by_partition(payloads: Vec<Payload>) -> Result<BTreeMap<u32, Vec<Vec<u8>>>> {
    let mut partitions: BTreeMap<u32, Vec<Vec<u8>>> = BTreeMap::new();
    for payload in payloads {
        if payload.kind != Kind::Rows {
            return Err(Error::bug("a task that writes got something else than rows"));
        }
        for batch in of_stream(&payload.bytes)? {
            for run in read_rows(&batch)? {
                partitions.entry(run.partition).or_default().extend(run.rows);
            }
        }
    }
    Ok(partitions)
}
