//! Rows that are kept: read once, in their order, and gone when nobody wants them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::{RecordBatch, RecordBatchReader};
use distil::configuration::BackendOptions;
use distil::{
    Cancel, Choice, Code, Configuration, Dedup, Events, Fault, MaxQuarantined, Phase, Plan, Rows,
    Session, Sink, Stores,
};
use distil_storage::{Memory, Storage};
use tempfile::TempDir;

/// A folder of inputs, and the one for temporary files.
struct Folder {
    files: TempDir,
    scratch: TempDir,
}

impl Folder {
    fn new() -> Self {
        Self { files: tempfile::tempdir().unwrap(), scratch: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        let mut file = Stores::default().create_new(&self.path(name)).unwrap();
        file.write_all(content.as_bytes()).unwrap();
        self.path(name)
    }

    fn session(&self) -> Session {
        let mut options = BackendOptions::default();
        options.temp_dir = Some(self.scratch.path().to_owned());
        let choice = Choice { options, ..Choice::default() };
        Session::open(&Configuration::default(), &choice).unwrap()
    }

    /// Names in the folder for temporary files.
    fn scratch(&self) -> usize {
        Stores::default().list(self.scratch.path()).unwrap().len()
    }
}

/// Counts the runs that begin.
#[derive(Default)]
struct Runs(AtomicU64);

impl Events for Runs {
    fn begin(&self, phase: Phase, _: Option<u64>) {
        if phase == Phase::Commit {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn advance(&self, _: u64, _: u64) {}
}

/// Keys that come in another order than the rows as wholes do.
fn records(count: u64) -> String {
    (0..count)
        .map(|n| format!("{{\"a\":{},\"k\":{n}}}\n{{\"a\":-1,\"k\":{n}}}\n", count - n))
        .collect()
}

fn all(rows: impl IntoIterator<Item = distil::Result<RecordBatch>>) -> Vec<RecordBatch> {
    rows.into_iter().collect::<distil::Result<_>>().unwrap()
}

#[test]
fn a_cached_frame_reads_its_source_once_and_keeps_the_order() {
    let folder = Folder::new();
    let runs = Arc::new(Runs::default());
    let session = folder.session().watched(runs.clone(), Cancel::new());
    let input = folder.write("in.ndjson", &records(3));
    let frame = session.read_json(input.as_path());
    let frame = frame.drop_duplicates(Dedup::on(["k"]).order_by(["a desc"]));
    let expected = frame.collect().unwrap();
    let schema = frame.schema().unwrap();
    assert!(!frame.is_cached());
    let before = runs.0.load(Ordering::Relaxed);
    let cached = frame.cache().unwrap();
    assert_eq!(runs.0.load(Ordering::Relaxed), before + 1);
    assert!(cached.is_cached() && cached.clone().select(["a"]).is_cached());
    Stores::default().remove_file(&input).unwrap();
    assert!(frame.count().is_err());
    let before = runs.0.load(Ordering::Relaxed);
    assert_eq!(cached.count().unwrap(), 3);
    assert_eq!(cached.schema().unwrap(), schema);
    assert_eq!(cached.collect().unwrap(), expected);
    assert_eq!(cached.head(1).unwrap().rows[0].0, r#"{"a":3,"k":0}"#);
    assert_eq!(cached.cache().unwrap().collect().unwrap(), expected);
    assert_eq!(runs.0.load(Ordering::Relaxed), before, "nothing of this runs");
    // The report of a run on cached rows calls them by their source.
    let report = cached.write_parquet(folder.path("out.parquet")).unwrap();
    let origin = format!("cached rows of read_json {}", input.display());
    assert_eq!((report.records.read, report.inputs[0].path.as_str()), (3, origin.as_str()));
    assert_eq!(cached.cache_report().unwrap().records.duplicates.conflicting, 3);
    // It is sorted by the key still, although the plan that wrote it knew of none.
    let written = session.head(&folder.path("out.parquet"), 9).unwrap().rows;
    let rows: Vec<&str> = written.iter().map(|row| row.0.as_str()).collect();
    assert_eq!(rows, [r#"{"a":3,"k":0}"#, r#"{"a":2,"k":1}"#, r#"{"a":1,"k":2}"#]);
}

#[test]
fn steps_follow_a_cache_as_they_follow_a_source() {
    let folder = Folder::new();
    let input = folder.write("in.ndjson", &records(5));
    let cached = folder.session().read_json(input.as_path()).cache().unwrap();
    assert_eq!(cached.count().unwrap(), 10);
    let one = cached.drop_duplicates(Dedup::on(["k"]).order_by(["a"])).rename([("k", "key")]);
    let again = one.cache().unwrap();
    assert_eq!((one.count().unwrap(), again.count().unwrap()), (5, 5));
    assert_eq!(again.select(["key"]).collect().unwrap()[0].num_columns(), 1);
}

#[test]
fn the_file_goes_with_the_last_that_reads_it() {
    let folder = Folder::new();
    let input = folder.write("in.ndjson", &records(2));
    let cached = folder.session().read_json(input.as_path()).cache().unwrap();
    assert_eq!(folder.scratch(), 1);
    let (twin, step) = (cached.clone(), cached.clone().select(["k"]));
    drop(cached);
    assert_eq!(twin.count().unwrap(), 4);
    drop(twin);
    let rows = step.cache().unwrap().stream().unwrap();
    assert_eq!(folder.scratch(), 2);
    drop(step);
    assert_eq!(folder.scratch(), 1);
    assert_eq!(all(rows).iter().map(RecordBatch::num_rows).sum::<usize>(), 4);
    assert_eq!(folder.scratch(), 0);
}

#[test]
fn a_stream_is_what_is_collected_and_leaves_nothing() {
    fn can_go_anywhere<T: Send + 'static>(rows: T) -> T {
        rows
    }
    let folder = Folder::new();
    let input = folder.write("in.ndjson", &records(20_000));
    let frame = folder.session().read_json(input.as_path());
    let frame = frame.drop_duplicates(Dedup::on(["k"]));
    let collected = frame.collect().unwrap();
    assert!(collected.len() > 2, "it takes several batches");
    let rows: Rows = can_go_anywhere(frame.stream().unwrap());
    assert_eq!((rows.num_rows(), rows.schema()), (20_000, &collected[0].schema()));
    assert_eq!(all(rows), collected);
    let reader = frame.stream().unwrap().into_reader();
    assert_eq!(RecordBatchReader::schema(&reader), collected[0].schema());
    assert_eq!(reader.map(Result::unwrap).collect::<Vec<_>>(), collected);
    // One that is dropped early is gone as well.
    let mut rows = frame.stream().unwrap();
    rows.next().unwrap().unwrap();
    assert_eq!(folder.scratch(), 1);
    drop(rows);
    assert_eq!(folder.scratch(), 0);
}

#[test]
fn kept_rows_lie_in_the_storage_of_the_session() {
    let memory = Memory::new();
    memory.put("in/a.ndjson", b"{\"k\":1}\n{\"k\":1}\n");
    let open = || {
        let stores = Stores::on(Arc::new(memory.clone()));
        let mut options = BackendOptions::default();
        options.temp_dir = Some("in".into());
        let choice = Choice { options, ..Choice::default() };
        Session::open_on(stores, &Configuration::default(), &choice).unwrap()
    };
    let cached = open().read_json("in/a.ndjson").drop_duplicates(Dedup::on(["k"])).cache().unwrap();
    assert_eq!(memory.names("in").len(), 2);
    assert_eq!(cached.count().unwrap(), 1);
    drop(cached);
    assert_eq!(memory.names("in"), ["a.ndjson"]);
}

#[test]
fn rows_without_columns_are_an_error_and_leave_nothing() {
    let folder = Folder::new();
    let input = folder.write("in.ndjson", "");
    let mut plan = Plan::new(vec![input.to_str().unwrap().to_owned()], Sink::new(""));
    plan.allow_empty = true;
    let frame = folder.session().frame(plan);
    assert_eq!(frame.cache().err().unwrap().code, Code::NoRecords);
    assert_eq!(frame.stream().err().unwrap().code, Code::NoRecords);
    assert_eq!(frame.count().unwrap(), 0);
    assert_eq!(folder.scratch(), 0);
}

#[test]
fn bad_records_are_set_aside_by_what_keeps_rows_and_not_by_questions() {
    let folder = Folder::new();
    let input = folder.write("in.ndjson", "{\"k\":1}\n{\"k\":}\n{\"k\":2}\n");
    let bad = folder.path("bad.ndjson");
    let mut plan = Plan::new(vec![input.to_str().unwrap().to_owned()], Sink::new(""));
    plan.quarantine.path = Some(bad.as_path().into());
    let frame = folder.session().frame(plan.clone());
    let is_there = |path: &Path| Stores::default().metadata(path).unwrap().is_some();
    assert_eq!(frame.count().unwrap(), 2);
    assert_eq!(frame.head(1).unwrap().total, 2);
    assert_eq!(frame.collect().unwrap()[0].num_rows(), 2);
    assert!(!is_there(&bad));
    let cached = frame.cache().unwrap();
    assert!(is_there(&bad));
    assert_eq!(cached.cache_report().unwrap().records.quarantined.records, 1);
    // A file that exists is not replaced; a frame that is cached does not write it again.
    let error = frame.cache().err().unwrap();
    assert_eq!(error.fault, Fault::Exists);
    assert_eq!(error.hints[0].text, "move the file away, or name another");
    cached.write_parquet(folder.path("out.parquet")).unwrap();
    // The limit holds for questions, too.
    plan.quarantine.max = Some(MaxQuarantined::Count(0));
    assert_eq!(folder.session().frame(plan).count().unwrap_err().fault, Fault::Input);
}
