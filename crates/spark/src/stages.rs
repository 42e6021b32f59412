//! What Spark tells of its stages while it works.

use std::collections::BTreeMap;
use std::time::Instant;

use distil_plan::StageReport;
use spark_connect_proto::execute_plan_response::ExecutionProgress;

/// The stages of one query. Spark tells no times, so they are those between the first and the last
/// news of a stage, as exact as news come (`spark.connect.progress.reportInterval`).
#[derive(Default)]
pub(crate) struct Stages(BTreeMap<i64, Seen>);

struct Seen {
    first: Instant,
    last: Instant,
    bytes: u64,
    tasks: i64,
    is_done: bool,
}

impl Stages {
    pub(crate) fn see(&mut self, progress: &ExecutionProgress) {
        let now = Instant::now();
        for stage in &progress.stages {
            let seen = self.0.entry(stage.stage_id).or_insert(Seen {
                first: now,
                last: now,
                bytes: 0,
                tasks: 0,
                is_done: false,
            });
            if !seen.is_done {
                seen.last = now;
            }
            // A task that is tried again counts anew.
            seen.bytes = seen.bytes.max(u64::try_from(stage.input_bytes_read).unwrap_or(0));
            seen.tasks = seen.tasks.max(stage.num_tasks);
            seen.is_done |= stage.done;
        }
    }

    /// Bytes of the input that were read.
    pub(crate) fn bytes(&self) -> u64 {
        self.0.values().map(|seen| seen.bytes).sum()
    }

    pub(crate) fn reports(&self) -> Vec<StageReport> {
        let report = |(id, seen): (&i64, &Seen)| StageReport {
            name: format!("spark stage {id}, {} tasks", seen.tasks),
            seconds: (seen.last - seen.first).as_secs_f64(),
            bytes: seen.bytes,
            ..StageReport::default()
        };
        self.0.iter().map(report).collect()
    }
}
