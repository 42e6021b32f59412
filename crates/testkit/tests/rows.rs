//! Rows read from Parquet come to what the records that they were come to: generated cases, byte for byte.
//!
//! `DISTIL_CASES` is how many (400).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::cell::Cell;
use std::path::Path;

use distil_output::reader::PartFile;
use distil_plan::{
    Error, ExtraMembers, InputFormat, Layout, NullText, Plan, Repairs, Schema, SchemaSpec, Shape,
};
use distil_storage::Memory;
use distil_testkit::generate::twins;
use distil_testkit::subject_native::{NativeSubject, SpillingSubject};
use distil_testkit::suite::{Case, Files, Output, Stretch, Subject};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// All records of a case as rows, in several files of small row groups.
fn rows_of(case: &Case, group_rows: u64, file_rows: u64) -> Result<Output, Box<Error>> {
    let mut plan = Plan { dedup: None, columns: None, dropped: None, ..case.plan.clone() };
    plan.sink.layout = Layout::Dir;
    plan.sink.path = "rows".into();
    plan.sink.row_group_rows = group_rows;
    plan.sink.max_file_rows = Some(file_rows);
    plan.sink.max_file_bytes = None;
    plan.sink.bloom = Vec::new();
    NativeSubject.run(&case.files, &plan, &Stretch::plain())
}

fn schema_of(files: &Files) -> Schema {
    let memory = Memory::new();
    memory.put("file", &files[0].1);
    PartFile::open(&memory, Path::new("file")).unwrap().footer().unwrap().unwrap().schema
}

/// The plan of a case, to read its rows.
fn reading_rows(plan: &Plan, schema: Schema) -> Plan {
    Plan {
        format: InputFormat::Parquet,
        shape: Shape::Auto,
        records: None,
        add: Vec::new(),
        repair: Repairs::default(),
        null_text: NullText::default(),
        strict_types: false,
        hive: false,
        origin: false,
        schema: SchemaSpec { declared: Some(schema), ..SchemaSpec::default() },
        extra_members: ExtraMembers::Error,
        ..plan.clone()
    }
}

/// What lies beside the output, without the plans, which name the files that were read.
fn beside(output: &Output) -> Vec<(&String, &[u8])> {
    let without_plan = |bytes: &'_ [u8]| match bytes.starts_with(b"{\"quarantine\":") {
        true => bytes.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1),
        false => 0,
    };
    output.beside.iter().map(|(name, bytes)| (name, &bytes[without_plan(bytes)..])).collect()
}

fn same(found: &Output, expected: &Output) -> Result<(), TestCaseError> {
    prop_assert!(found.files == expected.files, "the bytes of the output differ");
    prop_assert!(beside(found) == beside(expected), "the bytes beside the output differ");
    let (found, expected) = (&found.report, &expected.report);
    prop_assert_eq!(found.records.read, expected.records.read);
    prop_assert_eq!(&found.records.duplicates, &expected.records.duplicates);
    prop_assert_eq!(&found.conflicts, &expected.conflicts);
    Ok(())
}

#[test]
fn rows_come_to_what_their_records_come_to() {
    let cases = std::env::var("DISTIL_CASES").map_or(400, |text| text.parse().expect("a number"));
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[3; 32]);
    let compared = Cell::new(0u32);
    let strategy = (twins(), 1u64..6, 1u64..12, 2usize..5);
    let result = TestRunner::new_with_rng(config, rng).run(
        &strategy,
        |((case, _), group_rows, file_rows, threads)| {
            let plain = Stretch::plain();
            let tight = Stretch { threads, memory: Some(0), ..plain.clone() };
            let Ok(expected) = NativeSubject.run(&case.files, &case.plan, &plain) else {
                return Ok(());
            };
            let bad = &expected.report.records.quarantined;
            if bad.records + bad.ranges > 0 {
                return Ok(());
            }
            let rows = rows_of(&case, group_rows, file_rows.max(group_rows)).unwrap();
            let plan = reading_rows(&case.plan, schema_of(&rows.files));
            for stretch in [&plain, &tight] {
                let found = NativeSubject.run(&rows.files, &plan, stretch);
                same(
                    &found.map_err(|error| TestCaseError::fail(format!("{error:?}")))?,
                    &expected,
                )?;
            }
            let spilling = SpillingSubject { row_bytes: 150 };
            same(&spilling.run(&rows.files, &plan, &tight).unwrap(), &expected)?;
            compared.set(compared.get() + 1);
            Ok(())
        },
    );
    if let Err(error) = result {
        panic!("{error}");
    }
    assert!(compared.get() * 3 > cases, "only {} cases were compared", compared.get());
}
