//! Backends on a real disk: folders with inputs, and runs over them.
#![allow(
    clippy::disallowed_methods,
    reason = "a test makes its inputs, and looks past the storage"
)]

use std::path::PathBuf;
use std::sync::Arc;

use distil_engine::{EngineOptions, Native, infer, survey};
use distil_job::admit::{Scan, Scanned};
use distil_job::run::{Job, run};
use distil_plan::{
    Backend, Cancel, ColumnPath, Dedup, NoEvents, OrderBy, Plan, Report, ResolvedPlan, Result,
    Sink, Watch,
};
use distil_storage::{Local, Storage};
use tempfile::TempDir;

/// The disk.
pub fn storage() -> Arc<dyn Storage> {
    Arc::new(Local)
}

fn options() -> EngineOptions {
    EngineOptions::new(2, 256 << 20)
}

/// The native backend.
pub fn native() -> Native {
    Native::new(storage(), options())
}

/// The native engine as a scan.
pub struct NativeScan;

impl Scan for NativeScan {
    fn scan(&self, plan: &ResolvedPlan, watch: Watch<'_>) -> Result<Scanned> {
        let found = infer(&storage(), &options(), plan, watch)?;
        Ok(Scanned {
            schema: found.schema,
            type_notes: found.type_notes,
            inputs: found.inputs,
            tally: found.tally,
            readings: found.readings,
        })
    }

    fn null_text_columns(&self, plan: &ResolvedPlan, watch: Watch<'_>) -> Result<Vec<ColumnPath>> {
        survey(&storage(), &options(), plan, watch).map(|found| found.null_text_columns)
    }
}

/// A folder with inputs in `in`.
pub struct Folder(pub TempDir);

impl Folder {
    /// A new one with these inputs.
    pub fn new(files: &[(&str, &[u8])]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(folder.path("in")).unwrap();
        for (name, content) in files {
            std::fs::write(folder.path("in").join(name), content).unwrap();
        }
        folder
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The same as text.
    pub fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// A plan from `in` to `name`.
    pub fn plan(&self, name: &str) -> Plan {
        let mut plan = Plan::new(vec![self.text("in")], Sink::new(self.text(name)));
        plan.digest = true;
        plan
    }

    /// Everything in the folder, hidden names too, but for the inputs.
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "in")
            .collect();
        names.sort();
        names
    }
}

/// Runs a plan.
pub fn run_on(plan: &Plan, backend: &dyn Backend) -> (Report, Result<()>) {
    run_until(plan, backend, &Cancel::new())
}

/// Runs a plan that somebody may cancel.
pub fn run_until(plan: &Plan, backend: &dyn Backend, cancel: &Cancel) -> (Report, Result<()>) {
    run(&Job {
        scan: Some(&NativeScan),
        watch: Watch { events: &NoEvents, cancel },
        ..Job::new(storage(), plan.clone(), backend)
    })
}

/// A key (`*` is the whole record) and an order.
pub fn dedup(key: &str, order: &str) -> Option<Dedup> {
    let mut dedup = match key {
        "*" => Dedup::on_record(),
        columns => Dedup::on_columns(ColumnPath::parse_list(columns).unwrap()),
    };
    if !order.is_empty() {
        dedup.order_by = OrderBy::parse_list(order).unwrap();
    }
    Some(dedup)
}
