//! The tasks of a cluster under the suite, on a cluster in this process that does what real ones do: it tries again
//! what was done already, loses what an attempt was doing, and gives nothing in order.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use distil_distributed::{Cluster, Distributed, Kind, Payload, Tasks, Writing, decode};
use distil_engine::{EngineOptions, sample_inputs};
use distil_job::admit::sniff;
use distil_plan::{EngineReport, Error, Layout, Plan, Result, Watch};
use distil_storage::Storage;

use crate::subject_native::run_on;
use crate::suite::{Files, Output, Stretch, Subject};

/// What a new process sees.
type Seen = dyn Fn() -> Arc<dyn Storage> + Send + Sync;

/// A cluster in this process.
pub struct Together {
    seen: Box<Seen>,
    kept: Mutex<Vec<Payload>>,
}

impl Together {
    /// A cluster of which each task sees what `seen` makes for it.
    pub fn new(seen: impl Fn() -> Arc<dyn Storage> + Send + Sync + 'static) -> Self {
        Self { seen: Box::new(seen), kept: Mutex::default() }
    }
}

impl Cluster for Together {
    fn name(&self) -> &str {
        "native"
    }

    fn check(&self) -> Result<EngineReport> {
        Ok(EngineReport { version: "together".to_owned(), application: None })
    }

    fn at_once(&self) -> usize {
        3
    }

    fn decode(&self, tasks: &Tasks<'_>, watch: Watch<'_>) -> Result<Vec<Payload>> {
        let mut all = Vec::new();
        for task in (0..tasks.decoding).rev() {
            if task % 2 == 1 {
                // An executor that dies once its task has handed on something.
                let mut lost = |_| Err(Error::environment("the executor died"));
                let died = decode(&(self.seen)(), tasks.job, task, watch.cancel, &mut lost);
                assert!(died.is_err(), "every task hands on something");
            }
            let mut handed = Vec::new();
            let mut hand_on = |payload| {
                handed.push(payload);
                Ok(())
            };
            decode(&(self.seen)(), tasks.job, task, watch.cancel, &mut hand_on)?;
            all.append(&mut handed);
        }
        let (rows, told) = all.into_iter().partition(|payload| payload.kind == Kind::Rows);
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = rows;
        Ok(told)
    }

    fn write(&self, tasks: &Tasks<'_>, watch: Watch<'_>) -> Result<Vec<Payload>> {
        let mut groups: BTreeMap<u32, Vec<Payload>> = BTreeMap::new();
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for payload in kept.iter().rev() {
            groups.entry(payload.group).or_default().push(payload.clone());
        }
        let mut written = Vec::new();
        for payloads in groups.into_values().rev() {
            // A speculative attempt that ends, too.
            for attempt in ["second", "first"] {
                let temp_dir = std::env::temp_dir();
                let mut writing =
                    Writing::begin((self.seen)(), tasks.job, attempt, &temp_dir, watch.cancel)?;
                payloads.iter().try_for_each(|payload| writing.push(payload.clone()))?;
                written.extend(writing.finish()?);
            }
        }
        Ok(written)
    }

    fn decode_and_write(&self, tasks: &Tasks<'_>, watch: Watch<'_>) -> Result<Vec<Payload>> {
        let mut told = self.decode(tasks, watch)?;
        told.extend(self.write(tasks, watch)?);
        Ok(told)
    }

    fn forget(&self) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// The tasks of a cluster under the suite.
pub struct DistributedSubject;

impl Subject for DistributedSubject {
    fn name(&self) -> &str {
        "distributed"
    }

    fn run(&self, files: &Files, plan: &Plan, stretch: &Stretch) -> Result<Output, Box<Error>> {
        let bytes = files.iter().map(|(_, content)| content.len() as u64).sum::<u64>();
        // A directory is cut where the rows of a task end: one of one task has the layout of the engine.
        let task_bytes = match plan.sink.layout {
            Layout::File => [1, 7, 40, 200][(bytes % 4) as usize].max(bytes / 50),
            Layout::Dir => 1 << 20,
        };
        let options = EngineOptions::new(stretch.threads, 1 << 30);
        run_on(files, plan, |storage| {
            let (seen, of_tasks) = (Arc::clone(&storage), Arc::clone(&storage));
            let cluster = Box::new(Together::new(move || Arc::clone(&of_tasks)));
            let keys =
                move |plan: &_, watch: Watch<'_>| sample_inputs(&seen, &options, plan, watch);
            let distributed = Distributed::new(storage, cluster, Box::new(sniff), Box::new(keys));
            Box::new(distributed.with_task_bytes(task_bytes))
        })
    }
}
