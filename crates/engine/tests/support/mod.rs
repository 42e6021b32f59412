//! Runs on the in-memory file system.

use std::sync::Arc;

use distil_engine::{Native, Options};
use distil_job::run::Job;
use distil_plan::{Cancel, NoEvents, Plan, Report};
use distil_storage::{Memory, Storage};

/// Runs a plan that succeeds.
pub fn run(storage: &Memory, plan: Plan, options: Options) -> Report {
    let storage: Arc<dyn Storage> = Arc::new(storage.clone());
    let backend = Native::new(Arc::clone(&storage), options);
    let cancel = Cancel::new();
    let job = Job {
        storage,
        plan,
        backend: &backend,
        scan: None,
        events: &NoEvents,
        cancel: &cancel,
        temp_dir: None,
        report_path: None,
    };
    let (report, result) = distil_job::run::run(&job);
    result.unwrap();
    report
}
