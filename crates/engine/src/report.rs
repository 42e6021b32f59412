//! What the stages found, put into the report.

use std::time::Instant;

use distil_json::digest::Digest;
use distil_output::quarantine::SetAside;
use distil_plan::{Duplicates, Error, Plan, RecordCounts, Report, Result, Schema, StageReport};

use crate::decode::Decoded;
use crate::write::Written;

/// Fills the report of a run that wrote the columns of `schema`.
///
/// # Errors
/// A bug if more or fewer rows were encoded than survive.
pub(crate) fn fill(
    report: &mut Report,
    plan: &Plan,
    decoded: Decoded,
    set_aside: SetAside,
    written: Written,
    schema: &Schema,
) -> Result<()> {
    let Written { totals, tally, conflicts, spilled_bytes } = written;
    report.resources.spilled_bytes += spilled_bytes;
    if totals.rows != tally.written {
        return Err(Error::bug(format!(
            "{} rows survive, but {} were encoded",
            tally.written, totals.rows
        )));
    }
    report.records = RecordCounts {
        read: decoded.read,
        accepted: decoded.read - set_aside.counts.records,
        written: tally.written,
        duplicates: Duplicates { identical: tally.identical, conflicting: tally.conflicting },
        quarantined: set_aside.counts,
        ignored_members: decoded.seen.tally.ignored_members,
        rounded: decoded.seen.tally.rounded,
        converted: decoded.seen.tally.converted,
        nulled: decoded.seen.tally.nulled,
    };
    report.repaired = decoded.seen.repaired(&decoded.inputs);
    report.reasons = set_aside.reasons;
    report.set_aside = set_aside.first;
    report.warnings.extend(set_aside.losses);
    report.readings = decoded.seen.readings(&decoded.inputs);
    let type_notes = decoded.seen.type_notes();
    report.inputs = decoded.inputs;
    report.conflicts = conflicts;
    report.set_schema(schema);
    report.type_notes = type_notes;
    report.output.files = totals.files;
    report.output.bytes = totals.bytes;
    report.output.row_groups = totals.row_groups;
    report.output.digest = plan.digest.then(|| Digest(totals.digest).to_string());
    Ok(())
}

/// Time of the stages: of the clock, and of the processors.
pub(crate) struct Clock {
    wall: Instant,
    cpu: f64,
}

impl Clock {
    /// The time now.
    pub(crate) fn start() -> Self {
        Self { wall: Instant::now(), cpu: cpu_seconds() }
    }

    /// The time since the last lap, as that of a stage.
    pub(crate) fn lap(&mut self, name: &str, bytes: u64, rows: u64) -> StageReport {
        let now = Self::start();
        let stage = StageReport {
            name: name.to_owned(),
            seconds: now.wall.duration_since(self.wall).as_secs_f64(),
            cpu_seconds: now.cpu - self.cpu,
            bytes,
            rows,
        };
        *self = now;
        stage
    }
}

fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
