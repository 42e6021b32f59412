//! What Spark reports of its stages while it works.

use std::collections::BTreeMap;
use std::time::Instant;

use distil_plan::StageReport;
use spark_connect_proto::execute_plan_response::ExecutionProgress;

/// The stages of one query. Spark tells no times, so they are those between the first and the last
/// news of a stage, as exact as news come (`spark.connect.progress.reportInterval`). It forgets the
/// stages of a query as it ends: one that ends before the first news has none, and of any other the
/// last news may miss what was read since.
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

#[cfg(test)]
mod tests {
    use super::*;
    use spark_connect_proto::execute_plan_response::execution_progress::StageInfo;

    fn stage(stage_id: i64, num_tasks: i64, input_bytes_read: i64, done: bool) -> StageInfo {
        StageInfo { stage_id, num_tasks, input_bytes_read, done, ..StageInfo::default() }
    }

    #[test]
    fn stages_are_what_was_told_of_them_last() {
        let mut stages = Stages::default();
        assert_eq!((stages.bytes(), stages.reports().len()), (0, 0));
        for news in [
            vec![stage(3, 2, 0, false)],
            vec![stage(3, 2, 70, false), stage(4, 5, 0, false)],
            // A task of the first stage is tried again.
            vec![stage(3, 3, 20, false), stage(4, 5, -1, false)],
            vec![stage(3, 3, 90, true), stage(4, 5, 1, false)],
        ] {
            stages.see(&ExecutionProgress { stages: news, ..ExecutionProgress::default() });
        }
        assert_eq!(stages.bytes(), 91);
        let reports = stages.reports();
        let told: Vec<_> = reports.iter().map(|report| (&*report.name, report.bytes)).collect();
        assert_eq!(told, [("spark stage 3, 3 tasks", 90), ("spark stage 4, 5 tasks", 1)]);
        assert!(reports[0].seconds >= 0.0);
    }

    #[test]
    fn the_time_of_a_stage_ends_when_it_is_done() {
        let mut stages = Stages::default();
        let mut see = |done| {
            let news = vec![stage(1, 1, 0, done)];
            stages.see(&ExecutionProgress { stages: news, ..ExecutionProgress::default() });
            stages.reports()[0].seconds
        };
        see(false);
        let at_its_end = see(true);
        assert_eq!([see(true), see(false)], [at_its_end; 2]);
    }
}
