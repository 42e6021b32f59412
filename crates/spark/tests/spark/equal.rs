//! One data set on every engine: equal digests, which are those of its known answer.
//!
//! `DISTIL_SPARK_FILES` and `DISTIL_SPARK_RECORDS` (of each file) make it larger; the times are printed.

use std::path::Path;
use std::time::Instant;

use distil_datagen::{Parameters, answer_path, generate};
use distil_external::External;
use distil_output::verify::verify;
use distil_plan::{Backend, Plan, Sink};
use distil_testkit::disk::{Folder, dedup, native, run_on, storage};

use super::servers::{backend, shared};

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

#[test]
fn native_pandas_spark_and_sail_give_the_rows_of_the_known_answer() {
    let parameters = Parameters {
        files: number("DISTIL_SPARK_FILES", 12),
        records: number("DISTIL_SPARK_RECORDS", 2_000),
        duplicates: number("DISTIL_SPARK_RECORDS", 2_000) / 20,
        spread: 50,
        ..Parameters::default()
    };
    let folder = Folder::new(&[]);
    let data = folder.path("data");
    generate(&*storage(), &data, &parameters, 2, &|_| ()).unwrap();
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv/bin/python");
    let python = std::env::var_os("DISTIL_TEST_PYTHON").map_or(venv, Into::into);
    let mut engines: Vec<(&str, Box<dyn Backend>)> =
        vec![("native", Box::new(native())), ("pandas", Box::new(External::pandas(&python)))];
    for name in ["spark", "sail"] {
        if let Some(url) = shared(name) {
            engines.push((name, Box::new(backend(url))));
        }
    }
    let mut reports = Vec::new();
    for (name, engine) in &engines {
        let mut plan = Plan::new(
            vec![folder.text("data")],
            Sink::new(folder.text(&format!("{name}.parquet"))),
        );
        plan.digest = true;
        plan.dedup = dedup("ts", "id, data");
        let began = Instant::now();
        let (report, result) = run_on(&plan, &**engine);
        result.unwrap_or_else(|error| panic!("{name}: {error} {:?}", error.details));
        let stages =
            report.stages.iter().map(|stage| format!("{} {:.1} s", stage.name, stage.seconds));
        let stages = stages.collect::<Vec<_>>().join(", ");
        println!(
            "{name}: {} records, {:.1} s ({stages})",
            report.records.read,
            began.elapsed().as_secs_f64()
        );
        let reference = answer_path(&data).unwrap();
        verify(&*storage(), &plan.sink.path, Some(&reference)).unwrap();
        reports.push((*name, report));
    }
    let (_, native) = &reports[0];
    for (name, report) in &reports[1..] {
        assert_eq!(native.records, report.records, "{name}");
        assert_eq!(native.conflicts, report.conflicts, "{name}");
        assert_eq!(native.schema, report.schema, "{name}");
        assert_eq!(native.inputs, report.inputs, "{name}");
        assert_eq!(native.output.digest, report.output.digest, "{name}");
    }
}
