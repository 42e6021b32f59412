//! What the tests of this crate share: a folder, a native scan, runs on two backends.
#![allow(dead_code, reason = "every test file uses some of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use distil_engine::{Native, Options as NativeOptions, infer};
use distil_external::{External, Options};
use distil_job::admit::{Scan, Scanned, Watch};
use distil_job::run::{Job, run};
use distil_plan::{
    Backend, Cancel, ColumnPath, Dedup, NoEvents, OrderBy, Plan, Report, ResolvedPlan, Result, Sink,
};
use distil_storage::{Local, Storage};
use tempfile::TempDir;

pub fn storage() -> Arc<dyn Storage> {
    Arc::new(Local)
}

fn options() -> NativeOptions {
    NativeOptions::new(2, 256 << 20)
}

/// The native engine as a scan.
pub struct NativeScan;

impl Scan for NativeScan {
    fn scan(&self, plan: &ResolvedPlan, watch: &Watch<'_>) -> Result<Scanned> {
        let found = infer(&storage(), &options(), plan, watch.events, watch.cancel)?;
        Ok(Scanned {
            schema: found.schema,
            inputs: found.inputs,
            ignored_members: found.ignored_members,
            rounded: found.rounded,
        })
    }
}

/// The Python that the tests run. On a developer's machine without one they say so and fail: a
/// backend that nobody ran is not known to work.
pub fn python() -> PathBuf {
    let named = std::env::var_os("DISTIL_TEST_PYTHON").map(PathBuf::from);
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv/bin/python");
    named.or_else(|| venv.exists().then_some(venv)).expect(
        "these tests need a Python with pandas and pyarrow: name it in DISTIL_TEST_PYTHON, or \
         python3 -m venv .venv && .venv/bin/python -m pip install pandas pyarrow",
    )
}

pub fn pandas() -> External {
    External::pandas(storage(), &python())
}

/// A backend that is a program written in a test.
pub fn child(program: &str, arguments: &[&str]) -> External {
    impatient(program, arguments, Duration::from_secs(20))
}

/// The same, stopped after so long a silence.
pub fn impatient(program: &str, arguments: &[&str], silence: Duration) -> External {
    let options = Options {
        arguments: arguments.iter().map(Into::into).collect(),
        silence,
        start: Duration::from_secs(20),
        grace: Duration::from_millis(300),
        ..Options::new(program)
    };
    External::new("child", storage(), options)
}

pub fn native() -> Native {
    Native::new(storage(), options())
}

/// A folder with inputs in `in`.
pub struct Folder(pub TempDir);

impl Folder {
    pub fn new(files: &[(&str, &[u8])]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(folder.path("in")).unwrap();
        for (name, content) in files {
            #[allow(clippy::disallowed_methods, reason = "a test makes its inputs")]
            std::fs::write(folder.path("in").join(name), content).unwrap();
        }
        folder
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

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

pub fn run_on(plan: &Plan, backend: &dyn Backend) -> (Report, Result<()>) {
    run_until(plan, backend, &Cancel::new())
}

pub fn run_until(plan: &Plan, backend: &dyn Backend, cancel: &Cancel) -> (Report, Result<()>) {
    run(&Job {
        storage: storage(),
        plan: plan.clone(),
        backend,
        scan: Some(&NativeScan),
        events: &NoEvents,
        cancel,
        temp_dir: None,
        report_path: None,
    })
}

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
