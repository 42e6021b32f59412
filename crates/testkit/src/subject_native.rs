//! The native backend under the suite, on the file system in memory.

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use distil_engine::{EngineOptions, Native};
use distil_job::run::{Job, run};
use distil_plan::{Backend, Error, Layout, Location, Plan};
use distil_storage::{Memory, Storage};

use crate::subject_local::NativeScan;
use crate::suite::{Files, Output, QuarantineLine, Stretch, Subject, read_parquet};

/// The native backend.
#[derive(Debug, Default)]
pub struct NativeSubject;

impl Subject for NativeSubject {
    fn name(&self) -> &str {
        "native"
    }

    fn run(&self, files: &Files, plan: &Plan, stretch: &Stretch) -> Result<Output, Box<Error>> {
        run_with(files, plan, options(stretch))
    }
}

/// The native backend where even a few rows are more than the memory holds.
#[derive(Debug)]
pub struct SpillingSubject {
    /// Bytes of rows that a thread holds.
    pub row_bytes: u64,
}

impl Subject for SpillingSubject {
    fn name(&self) -> &str {
        "native, spilling"
    }

    fn run(&self, files: &Files, plan: &Plan, stretch: &Stretch) -> Result<Output, Box<Error>> {
        run_with(files, plan, EngineOptions { row_bytes: self.row_bytes, ..options(stretch) })
    }
}

fn options(stretch: &Stretch) -> EngineOptions {
    let budget = stretch.memory.map_or(256 << 20, |memory| memory.max(EngineOptions::MIN_MEMORY));
    EngineOptions { read_chunk: stretch.read_chunk, ..EngineOptions::new(stretch.threads, budget) }
}

fn run_with(files: &Files, plan: &Plan, options: EngineOptions) -> Result<Output, Box<Error>> {
    run_on(files, plan, |storage| Box::new(Native::new(storage, options)))
}

/// Runs a plan on a backend over the file system in memory, which a failed run must leave as it was.
///
/// # Errors
/// The error of the run.
pub fn run_on(
    files: &Files,
    plan: &Plan,
    backend: impl FnOnce(Arc<dyn Storage>) -> Box<dyn Backend>,
) -> Result<Output, Box<Error>> {
    let memory = Memory::new();
    memory.put_dir("in");
    for (name, content) in files {
        memory.put(Path::new("in").join(name), content);
    }
    let before = memory.files();
    let mut plan = plan.clone();
    plan.sources = vec!["in".into()];
    let storage: Arc<dyn Storage> = Arc::new(memory.clone());
    let backend = backend(Arc::clone(&storage));
    let scan = NativeScan(Arc::clone(&storage));
    let job = Job::new(Arc::clone(&storage), plan.clone(), &*backend);
    let job = Job { scan: Some(&scan), ..job };
    let (report, result) = run(&job);
    if let Err(error) = result {
        assert!(memory.files() == before, "a failed run left files behind");
        return Err(Box::new(error));
    }
    let outputs: Files = match plan.sink.layout {
        Layout::File => vec![(plan.sink.path.to_string(), memory.get(&plan.sink.path).unwrap())],
        Layout::Dir => memory
            .names(&plan.sink.path)
            .into_iter()
            .filter(|name| name.ends_with(".parquet") && !name.starts_with(['.', '_']))
            .map(|name| {
                let content = memory.get(plan.sink.path.join(&name)).unwrap();
                (name, content)
            })
            .collect(),
    };
    let mut beside_files = Files::new();
    let mut beside = |path: &Option<Location>| {
        let path = path.as_ref()?;
        let content = memory.get(path)?;
        beside_files.push((path.to_string(), content.clone()));
        Some(content)
    };
    let quarantine = beside(&plan.quarantine.path);
    let dropped = beside(&plan.dropped);
    Ok(Output {
        table: read_parquet(outputs.iter().map(|(_, content)| content.as_slice())),
        dropped: dropped.map(|content| read_parquet([content.as_slice()])),
        quarantine: quarantine_lines(&quarantine.unwrap_or_default()),
        report,
        files: outputs,
        beside: beside_files,
    })
}

/// The lines of a quarantine file, every member checked.
pub fn quarantine_lines(content: &[u8]) -> Vec<QuarantineLine> {
    let text = std::str::from_utf8(content).unwrap();
    let mut lines = text.lines();
    if let Some(heading) = lines.next() {
        assert!(heading.starts_with("{\"quarantine\":1,\"plan\":{"), "{heading}");
    }
    lines
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let string = |name: &str| line[name].as_str().map(str::to_owned);
            assert!(string("detail").is_some_and(|detail| !detail.is_empty()), "{line}");
            let known = [
                "file",
                "offset",
                "length",
                "reason",
                "detail",
                "stamp",
                "added",
                "raw",
                "raw_base64",
            ];
            let members = line.as_object().unwrap();
            assert!(members.keys().all(|name| known.contains(&name.as_str())), "{line}");
            let encoded = string("raw_base64").map(|text| STANDARD.decode(text).unwrap());
            QuarantineLine {
                file: string("file").unwrap(),
                offset: line["offset"].as_u64().unwrap(),
                length: line["length"].as_u64().unwrap(),
                reason: string("reason").unwrap(),
                in_base64: encoded.is_some(),
                raw: encoded.or(string("raw").map(String::into_bytes)),
            }
        })
        .collect()
}
