//! Runs on the in-memory file system.

use std::sync::Arc;

use distil_engine::{EngineOptions, Native};
use distil_job::run::Job;
use distil_plan::{Error, Plan, Report, Result};
use distil_storage::{Memory, Storage};

/// Runs a plan that succeeds.
pub fn run(storage: &Memory, plan: Plan, options: EngineOptions) -> Report {
    let (report, result) = attempt(storage, plan, options);
    result.unwrap();
    report
}

/// Runs a plan that fails.
#[allow(dead_code, reason = "not every test that has this module lets a run fail")]
pub fn fails(storage: &Memory, plan: Plan, options: EngineOptions) -> Error {
    attempt(storage, plan, options).1.unwrap_err()
}

fn attempt(storage: &Memory, plan: Plan, options: EngineOptions) -> (Report, Result<()>) {
    let storage: Arc<dyn Storage> = Arc::new(storage.clone());
    let backend = Native::new(Arc::clone(&storage), options);
    let job = Job::new(storage, plan, &backend);
    distil_job::run::run(&job)
}
