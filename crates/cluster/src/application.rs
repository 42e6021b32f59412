//! What is known of an application, whatever it was read from.

use std::collections::HashMap;

use distil_plan::{Error, Result};

use crate::event::TaskMetrics;

/// Limits on what one application has here. A task takes 48 bytes.
const TASKS: usize = 5_000_000;
const EXECUTORS: usize = 100_000;
const STAGES: usize = 100_000;

/// Milliseconds since 1970.
pub(crate) type Millis = i64;

/// Properties of Spark that advice is about; of all others nothing is kept, as they may hold secrets.
const PROPERTIES: [&str; 10] = [
    "spark.master",
    "spark.submit.deployMode",
    "spark.executor.instances",
    "spark.executor.cores",
    "spark.executor.memory",
    "spark.cores.max",
    "spark.task.cpus",
    "spark.dynamicAllocation.enabled",
    "spark.dynamicAllocation.maxExecutors",
    "spark.sql.shuffle.partitions",
];

/// An application of Spark, as far as it is recorded.
#[derive(Clone, Debug, Default)]
pub struct Application {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The attempt, in the cluster mode of YARN.
    pub attempt: Option<String>,
    /// The version of Spark.
    pub version: String,
    /// When it started.
    pub started: Option<i64>,
    /// When it ended; `None` while it runs, or where its end was not recorded.
    pub ended: Option<i64>,
    /// The last instant that anything is known of.
    pub last: i64,
    /// The host of the driver.
    pub driver: Option<String>,
    /// The host of the application master, where it is not the driver.
    pub master: Option<String>,
    /// Executors, in the order in which they came.
    pub executors: Vec<Executor>,
    /// Attempts of stages, in the order in which they were submitted.
    pub stages: Vec<Stage>,
    /// Tasks that ended, and those that were running in the end.
    pub tasks: Vec<Task>,
    /// Jobs that failed.
    pub failed_jobs: u64,
    /// What is known of its properties.
    pub properties: HashMap<String, String>,
    /// What the record lacks, a clause each.
    pub gaps: Vec<String>,
    pub(crate) executor_numbers: HashMap<String, u32>,
    pub(crate) stage_numbers: HashMap<(u64, u64), u32>,
}

/// An executor.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Executor {
    /// Its id.
    pub id: String,
    /// The node that it ran on.
    pub host: String,
    /// Cores; 0 if unknown.
    pub cores: u64,
    /// When it came.
    pub added: Option<i64>,
    /// When it went.
    pub removed: Option<i64>,
    /// Why it went.
    pub reason: Option<String>,
    /// What its tasks used.
    pub sums: Sums,
}

/// One attempt of a stage.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stage {
    /// Its id.
    pub id: u64,
    /// The attempt.
    pub attempt: u64,
    /// What it is called, by the place in the program.
    pub name: String,
    /// Tasks that it has.
    pub size: u64,
    /// When it was submitted.
    pub submitted: Option<i64>,
    /// When it was over.
    pub completed: Option<i64>,
    /// Whether it failed.
    pub failed: bool,
    /// What its tasks used.
    pub sums: Sums,
}

/// A task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// Its executor, as a place in [`Application::executors`].
    pub executor: u32,
    /// Its stage, as a place in [`Application::stages`].
    pub stage: u32,
    /// When it was launched.
    pub launched: i64,
    /// When it ended, or was last known to run.
    pub finished: i64,
    /// What it read: input and shuffle.
    pub bytes: u64,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did what it had to.
    Done,
    /// It failed.
    Failed,
    /// It was ended, since another attempt was faster, or nobody needed it any more.
    Killed,
    /// It was running when the record ends.
    Running,
}

/// What tasks used, added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Tasks.
    pub tasks: u64,
    /// Of these, failed.
    pub failed: u64,
    /// Ended by Spark.
    pub killed: u64,
    /// Speculative.
    pub speculative: u64,
    /// Milliseconds from launch to end.
    pub busy_ms: u64,
    /// Milliseconds in the executor.
    pub run_ms: u64,
    /// Nanoseconds of the processor, of the threads of Java.
    pub cpu_ns: u64,
    /// Milliseconds in which garbage was collected.
    pub gc_ms: u64,
    /// Milliseconds in which other executors were waited for.
    pub wait_ms: u64,
    /// Bytes of input.
    pub input: u64,
    /// Bytes of the shuffle that were read.
    pub shuffle_read: u64,
    /// Bytes of the shuffle that were written.
    pub shuffle_write: u64,
    /// Bytes that were in memory before they were spilled.
    pub spilled_memory: u64,
    /// Bytes on disk that were spilled to.
    pub spilled_disk: u64,
}

impl Sums {
    /// Adds what others used.
    pub(crate) fn add(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.tasks, other.tasks),
            (&mut self.failed, other.failed),
            (&mut self.killed, other.killed),
            (&mut self.speculative, other.speculative),
            (&mut self.busy_ms, other.busy_ms),
            (&mut self.run_ms, other.run_ms),
            (&mut self.cpu_ns, other.cpu_ns),
            (&mut self.gc_ms, other.gc_ms),
            (&mut self.wait_ms, other.wait_ms),
            (&mut self.input, other.input),
            (&mut self.shuffle_read, other.shuffle_read),
            (&mut self.shuffle_write, other.shuffle_write),
            (&mut self.spilled_memory, other.spilled_memory),
            (&mut self.spilled_disk, other.spilled_disk),
        ] {
            *sum = sum.saturating_add(more);
        }
    }
}

/// A task, as an event or an answer tells of it.
pub(crate) struct Seen<'a> {
    pub(crate) stage: (u64, u64),
    pub(crate) executor: &'a str,
    pub(crate) host: &'a str,
    pub(crate) launched: Option<Millis>,
    pub(crate) finished: Option<Millis>,
    pub(crate) outcome: Outcome,
    pub(crate) speculative: bool,
    pub(crate) metrics: TaskMetrics,
}

/// The host of `HOST:PORT`.
pub(crate) fn host_of(host_port: &str) -> &str {
    let is_port = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match host_port.rsplit_once(':') {
        Some((host, port)) if is_port(port) => host,
        _ => host_port,
    }
}

fn too_many(things: &str, most: usize) -> Error {
    Error::input(format!("the application has more than {most} {things}, which is too large"))
}

impl Application {
    /// Moves the last instant that anything is known of.
    pub(crate) fn see(&mut self, time: Option<Millis>) {
        self.last = self.last.max(time.unwrap_or(0));
    }

    /// Keeps a property, if advice is about it.
    pub(crate) fn property(&mut self, name: &str, value: &str) {
        if PROPERTIES.contains(&name) {
            self.properties.insert(name.to_owned(), value.chars().take(200).collect());
        }
    }

    /// The executor of this id.
    ///
    /// # Errors
    /// An input error if there are too many.
    pub(crate) fn executor(&mut self, id: &str) -> Result<&mut Executor> {
        let number = self.executor_number(id)?;
        Ok(&mut self.executors[number as usize])
    }

    fn executor_number(&mut self, id: &str) -> Result<u32> {
        if let Some(number) = self.executor_numbers.get(id) {
            return Ok(*number);
        }
        if self.executors.len() == EXECUTORS {
            return Err(too_many("executors", EXECUTORS));
        }
        let number = self.executors.len() as u32;
        self.executors.push(Executor { id: id.to_owned(), ..Executor::default() });
        self.executor_numbers.insert(id.to_owned(), number);
        Ok(number)
    }

    /// The attempt of a stage.
    ///
    /// # Errors
    /// An input error if there are too many.
    pub(crate) fn stage(&mut self, id: (u64, u64)) -> Result<&mut Stage> {
        let number = self.stage_number(id)?;
        Ok(&mut self.stages[number as usize])
    }

    fn stage_number(&mut self, id: (u64, u64)) -> Result<u32> {
        if let Some(number) = self.stage_numbers.get(&id) {
            return Ok(*number);
        }
        if self.stages.len() == STAGES {
            return Err(too_many("stages", STAGES));
        }
        let number = self.stages.len() as u32;
        self.stages.push(Stage { id: id.0, attempt: id.1, ..Stage::default() });
        self.stage_numbers.insert(id, number);
        Ok(number)
    }

    /// Adds a task.
    ///
    /// # Errors
    /// An input error if there are too many.
    pub(crate) fn task(&mut self, seen: &Seen<'_>) -> Result<()> {
        // Without its begin nothing can be said of it.
        let Some(launched) = seen.launched else { return Ok(()) };
        if self.tasks.len() == TASKS {
            return Err(too_many("tasks", TASKS));
        }
        let finished = seen.finished.unwrap_or(launched).max(launched);
        self.see(Some(finished));
        let metrics = &seen.metrics;
        let read = metrics.shuffle_read.as_ref();
        let shuffle_read =
            read.map_or(0, |read| read.remote.count().saturating_add(read.local.count()));
        let input = metrics.input.as_ref().map_or(0, |input| input.bytes.count());
        let sums = Sums {
            tasks: 1,
            failed: u64::from(seen.outcome == Outcome::Failed),
            killed: u64::from(seen.outcome == Outcome::Killed),
            speculative: u64::from(seen.speculative),
            busy_ms: (finished - launched).unsigned_abs(),
            run_ms: metrics.run_ms.count(),
            cpu_ns: metrics.cpu_ns.count(),
            gc_ms: metrics.gc_ms.count(),
            wait_ms: read.map_or(0, |read| read.wait_ms.count()),
            input,
            shuffle_read,
            shuffle_write: metrics.shuffle_write.as_ref().map_or(0, |write| write.bytes.count()),
            spilled_memory: metrics.spilled_memory.count(),
            spilled_disk: metrics.spilled_disk.count(),
        };
        let executor = self.executor_number(seen.executor)?;
        let known = &mut self.executors[executor as usize];
        if known.host.is_empty() {
            seen.host.clone_into(&mut known.host);
        }
        known.sums.add(&sums);
        let stage = self.stage_number(seen.stage)?;
        self.stages[stage as usize].sums.add(&sums);
        self.tasks.push(Task {
            executor,
            stage,
            launched,
            finished,
            bytes: input.saturating_add(shuffle_read),
            outcome: seen.outcome,
        });
        Ok(())
    }
}
