//! The stages of whole runs on the file system in memory, in ns a record of one core. Decoding and
//! encoding are what the report of a run says, but what decoding the same records costs alone is taken
//! from the first and leaves the exchange: reading, framing, and scattering to partitions. The rows of the
//! same records are then read from Parquet.
//! `cargo bench -p distil-engine -- RECORDS` takes another number of records.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark fails by panicking")]
#![allow(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use distil_datagen::{Parameters, Shape, generate};
use distil_engine::{EngineOptions, Native};
use distil_job::run::{Job, run};
use distil_json::{Decoder, Dictionary, EncodedRow, FrameSlice, Frames, Sampler};
use distil_plan::{
    BadPart, ColumnPath, Dedup, InputFormat, Mode, OrderBy, Plan, Result, Schema, Sink, StageReport,
};
use distil_storage::{Memory, Storage};

const RUNS: usize = 5;
const RECORDS: u64 = 1_050_000;
const FILES: u64 = 20;

fn main() {
    // Without `--bench`, which Cargo adds to benchmarks, this is a test that they still run.
    let benches = std::env::args().any(|word| word == "--bench");
    // So nextest asks for the tests that there are.
    if std::env::args().any(|word| word == "--list") {
        if !std::env::args().any(|word| word == "--ignored") {
            println!("stages: test");
        }
        return;
    }
    let records = if benches { RECORDS } else { RECORDS / 50 };
    let records = std::env::args().find_map(|word| word.parse().ok()).unwrap_or(records);
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
        storage.put_dir("in");
        generate(&storage, Path::new("in/data"), &parameters, 2, &|_| {}).unwrap();
        let count = parameters.total_records();
        let decode = median(|| decoded(&storage, shape), RUNS) * 1e9 / count as f64;
        for threads in [1, 2] {
            print!("{shape:8} {threads} thread{}", if threads == 1 { " " } else { "s" });
            let stages = medians(&storage, &plan(), threads, count);
            let (first, encode) = (stages["decode"], stages["encode"]);
            let exchange = first - decode;
            print!("  decode {decode:.0}  exchange {exchange:.0}  encode {encode:.0}");
            println!("  ns a record, of {count}");
        }
        if shape == Shape::Lines {
            rows(&storage, count);
        }
    }
}

/// The same stages for the rows of the records, read from Parquet.
fn rows(storage: &Memory, count: u64) {
    let mut all = Plan { dedup: None, ..plan() };
    all.sink.path = "rows.parquet".into();
    all.sink.row_group_rows = 1 << 17;
    stages(storage, &all, 2);
    let mut rows = Plan { sources: vec!["rows.parquet".into()], ..plan() };
    rows.format = InputFormat::Parquet;
    rows.schema.declared = Some(Schema::parse("id string, data string, ts timestamp(ms)").unwrap());
    for threads in [1, 2] {
        let stages = medians(storage, &rows, threads, count);
        let (decode, encode) = (stages["decode"], stages["encode"]);
        print!("parquet  {threads} thread{}", if threads == 1 { " " } else { "s" });
        print!("  decode and exchange {decode:.0}  encode {encode:.0}");
        println!("  ns a record, of {count}");
    }
}

/// For every stage the median over the runs of the processor time that it took for a record; the
/// first run warms up.
fn medians(storage: &Memory, plan: &Plan, threads: usize, records: u64) -> BTreeMap<String, f64> {
    let mut seen: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for _ in 0..=RUNS {
        for stage in stages(storage, plan, threads) {
            seen.entry(stage.name).or_default().push(stage.cpu_seconds);
        }
    }
    seen.into_iter()
        .map(|(name, seconds)| {
            let mut seconds = seconds.into_iter();
            let median = median(|| seconds.next().unwrap(), RUNS);
            (name, median * 1e9 / records as f64)
        })
        .collect()
}

/// The median of `runs` calls, after one that warms up.
fn median(mut seconds: impl FnMut() -> f64, runs: usize) -> f64 {
    seconds();
    let mut all: Vec<f64> = (0..runs).map(|_| seconds()).collect();
    all.sort_by(f64::total_cmp);
    all[runs / 2]
}

/// Seconds to decode all records, each file as one slice.
fn decoded(storage: &Memory, shape: Shape) -> f64 {
    let plan = plan();
    let files: Vec<Vec<u8>> = storage
        .names("in/data")
        .iter()
        .map(|name| storage.get(format!("in/data/{name}")).unwrap())
        .collect();
    let mut sampler = Sampler::new(&plan).unwrap();
    sampler.sample(0, &files[0], 1000).unwrap();
    let layout = sampler.finish(&plan).1.map(Arc::new);
    let begin = Instant::now();
    let mut decoder = Decoder::new(&plan).unwrap().expecting(layout.as_ref(), 1 << 30);
    for (input, file) in files.iter().enumerate() {
        let (start, end, frames) = match shape {
            Shape::Lines => (0, file.len(), Frames::Lines),
            _ => {
                let start = file.iter().position(|byte| *byte == b'[').unwrap() + 1;
                let end = file.iter().rposition(|byte| *byte == b']').unwrap();
                (start, end, Frames::Blanks)
            }
        };
        let slice =
            FrameSlice { input, offset: start as u64, bytes: &file[start..end], frames: &frames };
        decoder.decode(&slice, &mut Nowhere).unwrap();
    }
    begin.elapsed().as_secs_f64()
}

/// Looks at rows and keeps none.
struct Nowhere;

impl distil_json::Sink for Nowhere {
    fn row(&mut self, row: &EncodedRow<'_>) -> Result<()> {
        let row = row.bytes;
        black_box(row);
        Ok(())
    }

    fn packed(&mut self, rows: &[u64], _: &[Dictionary]) -> Result<()> {
        black_box(rows);
        Ok(())
    }

    fn bad(&mut self, part: BadPart) -> Result<()> {
        panic!("the benchmark has a bad record: {part:?}")
    }
}

fn plan() -> Plan {
    let mut plan = Plan::new(vec!["in/data".into()], Sink::new("out.parquet"));
    plan.sink.mode = Mode::Overwrite;
    plan.dedup = Some(Dedup {
        order_by: OrderBy::parse_list("id, data").unwrap(),
        ..Dedup::on_columns(ColumnPath::parse_list("ts").unwrap())
    });
    plan
}

fn stages(storage: &Memory, plan: &Plan, threads: usize) -> Vec<StageReport> {
    let shared: Arc<dyn Storage> = Arc::new(storage.clone());
    let backend = Native::new(Arc::clone(&shared), EngineOptions::new(threads, 4 << 30));
    let job = Job::new(Arc::clone(&shared), plan.clone(), &backend);
    let (report, result) = run(&job);
    result.unwrap();
    report.stages
}
