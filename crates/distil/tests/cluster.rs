//! Runs in tasks whose inputs and outputs lie in a store of objects: each task is a process of its own there.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use distil::configuration::BackendOptions;
use distil::{
    Choice, Configuration, Dedup, Error, Layout, ReadOptions, Report, Session, Sink, Stores,
};
use distil_storage::{Memory, MemoryObjects, Storage};
use distil_testkit::subject_distributed::Together;
use distil_testkit::suite::read_parquet;

/// Bytes of input for a task: every object has several.
const TASK_BYTES: u64 = 400;

fn stores(store: &MemoryObjects) -> Stores {
    let disk = Memory::new();
    disk.put_dir(std::env::temp_dir());
    Stores::on(Arc::new(disk)).with("mem", Arc::new(store.clone()))
}

/// A store with records of which every third is there twice, some with another value, and a bad one.
fn filled() -> MemoryObjects {
    let store = MemoryObjects::new();
    for file in 0..3 {
        let mut text = String::new();
        for id in 0..60 {
            let id = file * 40 + id;
            text.push_str(&format!(
                "{{\"id\":{id},\"at\":\"{}\"}}\n",
                if id % 7 == 0 { file } else { 9 }
            ));
        }
        if file == 1 {
            text.push_str("[\n");
        }
        store.put(format!("mem://lake/in/{file}.ndjson"), text);
    }
    store
}

fn write(session: &Session, layout: Layout, max_file_rows: Option<u64>) -> Result<Report, Error> {
    let mut sink = Sink::new(match layout {
        Layout::File => "mem://lake/out.parquet",
        Layout::Dir => "mem://lake/out",
    });
    (sink.layout, sink.max_file_rows) = (layout, max_file_rows);
    let options = ReadOptions::new().quarantine("mem://lake/bad.ndjson");
    let mut dedup = Dedup::on(["id"]);
    if layout == Layout::File {
        dedup = dedup.dropped("mem://lake/dropped.parquet");
    }
    session.read_json_with("mem://lake/in", options).drop_duplicates(dedup).write(sink)
}

fn on_tasks(
    store: &MemoryObjects,
    seen: impl Fn() -> MemoryObjects + Send + Sync + 'static,
) -> Session {
    let cluster = Together::new(move || -> Arc<dyn Storage> { Arc::new(stores(&seen())) });
    let options = BackendOptions::default();
    Session::on_cluster(stores(store), Box::new(cluster), &options, Some(TASK_BYTES)).unwrap()
}

fn native(store: &MemoryObjects) -> Session {
    Session::open_on(stores(store), &Configuration::default(), &Choice::default()).unwrap()
}

fn outputs(store: &MemoryObjects) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut objects = store.objects();
    objects.retain(|path, _| !path.starts_with("mem://lake/in"));
    objects
}

#[test]
fn one_object_has_the_bytes_of_the_native_engine() {
    let (ours, theirs) = (filled(), filled());
    let other = ours.clone();
    let report =
        write(&on_tasks(&ours, move || other.other_process()), Layout::File, None).unwrap();
    let expected = write(&native(&theirs), Layout::File, None).unwrap();
    assert_eq!((&report.records, &report.conflicts), (&expected.records, &expected.conflicts));
    assert!(outputs(&ours) == outputs(&theirs));
    assert_eq!((outputs(&ours).len(), ours.uploads()), (3, Vec::<PathBuf>::new()));
}

#[test]
fn a_directory_of_objects_has_the_rows_in_the_order_of_their_names() {
    for max_file_rows in [None, Some(5)] {
        let (ours, theirs) = (filled(), filled());
        let other = ours.clone();
        let session = on_tasks(&ours, move || other.other_process());
        let report = write(&session, Layout::Dir, max_file_rows).unwrap();
        let expected = write(&native(&theirs), Layout::Dir, max_file_rows).unwrap();
        assert_eq!(report.records, expected.records);
        assert_eq!(report.output.digest, expected.output.digest);
        assert!(report.output.files > 1, "{}", report.output.files);
        assert_eq!(ours.uploads(), Vec::<PathBuf>::new());
        // In the order of the names, as all readers have them.
        let rows = |store: &MemoryObjects| {
            let mut objects = outputs(store);
            objects.retain(|path, _| path.starts_with("mem://lake/out"));
            assert_eq!(
                objects.len() as u64,
                if std::ptr::eq(store, &ours) { &report } else { &expected }.output.files
            );
            read_parquet(objects.values().map(Vec::as_slice)).rows
        };
        assert!(rows(&ours) == rows(&theirs));
    }
}

#[test]
fn a_run_whose_task_dies_at_any_call_changes_nothing_and_the_next_run_clears_up() {
    let calls = Arc::new(AtomicU64::new(0));
    for nth in 1.. {
        let store = filled();
        let (other, begun) = (store.clone(), Arc::clone(&calls));
        begun.store(0, Ordering::Relaxed);
        // The nth process that the cluster starts dies when it has changed something twice.
        let session = on_tasks(&store, move || {
            let process = other.other_process();
            if begun.fetch_add(1, Ordering::Relaxed) == nth {
                process.crash_after(2);
            }
            process
        });
        let done = write(&session, Layout::Dir, None);
        if calls.load(Ordering::Relaxed) <= nth {
            assert!(nth > 10, "{nth}");
            break;
        }
        match done {
            // Tasks that decode change nothing.
            Ok(_) => assert_eq!(store.uploads(), Vec::<PathBuf>::new()),
            Err(_) => {
                assert!(outputs(&store).is_empty(), "after {nth}");
                let other = store.clone();
                write(&on_tasks(&store, move || other.other_process()), Layout::Dir, None).unwrap();
                assert_eq!(store.uploads(), Vec::<PathBuf>::new(), "after {nth}");
            }
        }
    }
}
