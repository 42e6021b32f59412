//! The stages of whole runs on the file system in memory, in ns a record of one core: what the report
//! of a run says of each. `cargo bench -p distil-engine -- RECORDS` takes another number of records.

#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]
#![allow(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use distil_datagen::{Parameters, Shape, generate};
use distil_engine::{Native, Options};
use distil_job::run::{Job, run};
use distil_plan::{Cancel, ColumnPath, Dedup, Mode, NoEvents, OrderBy, Plan, Sink, StageReport};
use distil_storage::{Memory, Storage};

const RUNS: usize = 5;
const RECORDS: u64 = 1_050_000;
const FILES: u64 = 20;

fn main() {
    // Cargo adds `--bench`.
    let records = std::env::args().find_map(|word| word.parse().ok()).unwrap_or(RECORDS);
    for shape in [Shape::Document, Shape::Lines] {
        let storage = Memory::new();
        let parameters = Parameters {
            files: FILES,
            records: records / FILES * 20 / 21,
            duplicates: records / FILES / 21,
            spread: 50,
            shape,
            ..Parameters::default()
        };
        storage.create_dir(Path::new("in")).unwrap();
        generate(&storage, Path::new("in/data"), &parameters, 2, &|_| {}).unwrap();
        for threads in [1, 2] {
            let count = parameters.total_records();
            print!("{shape:8} {threads} thread{}", if threads == 1 { " " } else { "s" });
            for (name, nanoseconds) in medians(&storage, threads, count) {
                print!("  {name} {nanoseconds:.0}");
            }
            println!("  ns a record, of {count}");
        }
    }
}

/// For every stage the median over the runs of the processor time that it took for a record; the
/// first run warms up.
fn medians(storage: &Memory, threads: usize, records: u64) -> Vec<(String, f64)> {
    let mut seen: BTreeMap<usize, Vec<StageReport>> = BTreeMap::new();
    for _ in 0..=RUNS {
        for (place, stage) in stages(storage, threads).into_iter().enumerate() {
            seen.entry(place).or_default().push(stage);
        }
    }
    seen.into_values()
        .map(|runs| {
            let name = runs[0].name.clone();
            let mut seconds: Vec<f64> = runs[1..].iter().map(|stage| stage.cpu_seconds).collect();
            seconds.sort_by(f64::total_cmp);
            (name, seconds[seconds.len() / 2] * 1e9 / records as f64)
        })
        .collect()
}

fn stages(storage: &Memory, threads: usize) -> Vec<StageReport> {
    let mut plan = Plan::new(vec!["in/data".into()], Sink::new("out.parquet"));
    plan.sink.mode = Mode::Overwrite;
    plan.dedup = Some(Dedup {
        order_by: OrderBy::parse_list("id, data").unwrap(),
        ..Dedup::on_columns(ColumnPath::parse_list("ts").unwrap())
    });
    let shared: Arc<dyn Storage> = Arc::new(storage.clone());
    let backend = Native::new(Arc::clone(&shared), Options::new(threads, 4 << 30));
    let job = Job {
        storage: Arc::clone(&shared),
        plan,
        backend: &backend,
        scan: None,
        events: &NoEvents,
        cancel: &Cancel::new(),
        temp_dir: None,
        report_path: None,
    };
    let (report, result) = run(&job);
    result.unwrap();
    report.stages
}
