//! What is seen of stages: which tasks took long, and whether that is the data.

use std::collections::HashMap;

use serde::Serialize;

use crate::application::{Application, Outcome, Task};
use crate::text::share;

/// A stage, as far as it ran.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct StageUse {
    /// Its id.
    pub stage: u64,
    /// The attempt.
    pub attempt: u64,
    /// What it is called.
    pub name: String,
    /// Tasks that it has.
    pub tasks: u64,
    /// Attempts of tasks that failed.
    pub failed: u64,
    /// Attempts of tasks that were ended by Spark.
    pub killed: u64,
    /// Speculative attempts of tasks.
    pub speculative: u64,
    /// Seconds after the start of the application at which it was submitted.
    pub begin_seconds: f64,
    /// Seconds from its submission to its end.
    pub seconds: f64,
    /// Seconds of the median of its tasks, without the first on each core of an executor, which are slow on a cold one.
    pub median_seconds: f64,
    /// Seconds of the longest of these, and of first ones that read far more than others.
    pub longest_seconds: f64,
    /// How many times as long as the median the longest took; 0 where there are too few tasks.
    pub skew: f64,
    /// Bytes that the median task read.
    pub median_bytes: u64,
    /// Bytes that the longest task read.
    pub longest_bytes: u64,
    /// The node of the longest task.
    pub longest_node: String,
    /// Tasks that took more than 1.5 times as long as three quarters of the others, and ended in the last tenth of the
    /// stage.
    pub stragglers: u64,
    /// Share of the time of the tasks in which Java computed; less where tasks wait, or compute outside of Java.
    pub cpu_share: f64,
    /// Share of the time of the tasks in which garbage was collected.
    pub gc_share: f64,
    /// Bytes of input.
    pub input_bytes: u64,
    /// Bytes of the shuffle that were read.
    pub shuffle_read_bytes: u64,
    /// Bytes of the shuffle that were written.
    pub shuffle_write_bytes: u64,
    /// Bytes that were spilled to disk.
    pub spilled_bytes: u64,
}

/// The tasks that each executor ran first, one for each of its cores, as places in [`Application::tasks`].
fn cold(application: &Application, cpus: u64) -> Vec<bool> {
    let mut by_executor: HashMap<u32, Vec<usize>> = HashMap::new();
    for (at, task) in application.tasks.iter().enumerate() {
        by_executor.entry(task.executor).or_default().push(at);
    }
    let mut is_cold = vec![false; application.tasks.len()];
    for (executor, mut tasks) in by_executor {
        let cores = application.executors[executor as usize].cores / cpus;
        let first = usize::try_from(cores.max(1)).unwrap_or(usize::MAX);
        tasks.sort_unstable_by_key(|at| (application.tasks[*at].launched, *at));
        for at in tasks.into_iter().take(first) {
            is_cold[at] = true;
        }
    }
    is_cold
}

/// The middle of sorted values.
fn median<T: Copy + Default>(sorted: &[T]) -> T {
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

fn length(task: &Task) -> i64 {
    task.finished - task.launched
}

/// All stages that had a task, in the order in which they were submitted.
pub(crate) fn stages(
    application: &Application,
    begin: i64,
    cpus: u64,
    max_skew: f64,
) -> Vec<StageUse> {
    let is_cold = cold(application, cpus);
    let mut by_stage: Vec<Vec<usize>> = vec![Vec::new(); application.stages.len()];
    for (at, task) in application.tasks.iter().enumerate() {
        by_stage[task.stage as usize].push(at);
    }
    let mut uses: Vec<StageUse> = application
        .stages
        .iter()
        .zip(&by_stage)
        .filter(|(_, tasks)| !tasks.is_empty())
        .map(|(stage, tasks)| {
            let all = || tasks.iter().map(|at| &application.tasks[*at]);
            let from = stage.submitted.or_else(|| all().map(|task| task.launched).min());
            let from = from.unwrap_or(begin);
            let to = stage.completed.or_else(|| all().map(|task| task.finished).max());
            let to = to.unwrap_or(from).max(from);
            let sums = &stage.sums;
            let run = sums.run_ms as f64;
            let mut used = StageUse {
                stage: stage.id,
                attempt: stage.attempt,
                name: stage.name.clone(),
                tasks: stage.size.max(1),
                failed: sums.failed,
                killed: sums.killed,
                speculative: sums.speculative,
                begin_seconds: (from - begin).max(0) as f64 / 1000.0,
                seconds: (to - from) as f64 / 1000.0,
                cpu_share: share(sums.cpu_ns as f64 / 1e6, run),
                gc_share: share(sums.gc_ms as f64, run),
                input_bytes: sums.input,
                shuffle_read_bytes: sums.shuffle_read,
                shuffle_write_bytes: sums.shuffle_write,
                spilled_bytes: sums.spilled_disk,
                ..StageUse::default()
            };
            let done: Vec<usize> = tasks
                .iter()
                .copied()
                .filter(|at| application.tasks[*at].outcome == Outcome::Done)
                .collect();
            lengths(application, &done, &is_cold, max_skew, to, &mut used);
            used
        })
        .collect();
    uses.sort_by(|a, b| {
        a.begin_seconds
            .total_cmp(&b.begin_seconds)
            .then((a.stage, a.attempt).cmp(&(b.stage, b.attempt)))
    });
    uses
}

/// Fills in what the lengths of the tasks that are done come to.
fn lengths(
    application: &Application,
    done: &[usize],
    is_cold: &[bool],
    max_skew: f64,
    end: i64,
    used: &mut StageUse,
) {
    let task = |at: usize| &application.tasks[at];
    let mut bytes: Vec<u64> = done.iter().map(|at| task(*at).bytes).collect();
    bytes.sort_unstable();
    used.median_bytes = median(&bytes);
    let mut warm: Vec<i64> =
        done.iter().filter(|at| !is_cold[**at]).map(|at| length(task(*at))).collect();
    warm.sort_unstable();
    // Where all are first ones, their lengths say nothing of each other.
    let middle = median(&warm);
    used.median_seconds = middle as f64 / 1000.0;
    let reads_more = |task: &Task| {
        used.median_bytes > 0 && task.bytes as f64 >= max_skew * used.median_bytes as f64
    };
    let counted = done.iter().filter(|at| !is_cold[**at] || reads_more(task(**at)));
    if let Some(longest) = counted.max_by_key(|at| length(task(**at))).map(|at| task(*at)) {
        used.longest_bytes = longest.bytes;
        used.longest_seconds = length(longest) as f64 / 1000.0;
        used.longest_node.clone_from(&application.executors[longest.executor as usize].host);
        used.skew = share(length(longest) as f64, middle as f64);
    }
    let three_quarters = warm.get(warm.len() * 3 / 4).copied().unwrap_or(0) as f64;
    let last_tenth = end as f64 - used.seconds * 100.0;
    let straggles = |at: &&usize| {
        let task = task(**at);
        !is_cold[**at]
            && length(task) as f64 > 1.5 * three_quarters
            && task.finished as f64 >= last_tenth
    };
    used.stragglers = done.iter().filter(straggles).count() as u64;
}
