//! The commit in a store of objects, killed and failed at every single call, by the native engine.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use distil::{
    Choice, Code, Configuration, Dedup, Error, Fault, Layout, Mode, Report, Session, Sink, Stores,
};
use distil_storage::{Memory, MemoryObjects};

/// What is published beside the output.
const QUARANTINE: &str = "mem://lake/bad.ndjson";

/// A run that writes what it is told to, with three records and a bad one.
#[derive(Clone)]
struct Scenario {
    output: &'static str,
    layout: Layout,
    mode: Mode,
    quarantines: bool,
}

const FILE: Scenario = Scenario {
    output: "mem://lake/out.parquet",
    layout: Layout::File,
    mode: Mode::Error,
    quarantines: true,
};
const REPLACED: Scenario = Scenario { mode: Mode::Overwrite, ..FILE };
const DIRECTORY: Scenario = Scenario {
    output: "mem://lake/out",
    layout: Layout::Dir,
    mode: Mode::Error,
    quarantines: true,
};

impl Scenario {
    fn run(&self, store: &MemoryObjects, version: i64) -> Result<Report, Error> {
        let disk = Memory::new();
        disk.put_dir(std::env::temp_dir());
        let records: Vec<String> =
            (0..3).map(|id| format!("{{\"id\":{id},\"version\":{version}}}")).collect();
        disk.put("/in.ndjson", format!("{}\n[]\n", records.join("\n")));
        let stores = Stores::on(Arc::new(disk)).with("mem", Arc::new(store.clone()));
        let session =
            Session::open_on(stores, &Configuration::default(), &Choice::default()).unwrap();
        let mut options = distil::ReadOptions::new();
        if self.quarantines {
            options = options.quarantine(QUARANTINE);
        }
        let mut sink = Sink::new(self.output);
        sink.layout = self.layout;
        sink.mode = self.mode;
        sink.row_group_rows = 1;
        sink.max_file_rows = (self.layout == Layout::Dir).then_some(1);
        session.read_json_with("/in.ndjson", options).drop_duplicates(Dedup::on(["id"])).write(sink)
    }

    /// What a whole run leaves in an empty store.
    fn whole(&self, version: i64) -> BTreeMap<PathBuf, Vec<u8>> {
        let store = MemoryObjects::new();
        self.run(&store, version).unwrap();
        assert_eq!(store.uploads(), Vec::<PathBuf>::new());
        store.objects()
    }
}

/// What a reader of the output finds.
fn seen(objects: &BTreeMap<PathBuf, Vec<u8>>, output: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    let of_output = objects.iter().filter(|(path, _)| path.starts_with(output));
    of_output.map(|(path, content)| (path.clone(), content.clone())).collect()
}

/// The first parts of a directory, in order, as many as there are; of a file all or nothing.
fn is_beginning(found: &BTreeMap<PathBuf, Vec<u8>>, whole: &BTreeMap<PathBuf, Vec<u8>>) -> bool {
    found.iter().zip(whole).all(|(found, whole)| found == whole)
}

#[test]
fn a_run_that_is_killed_at_any_call_leaves_the_old_output_or_the_new_one() {
    for scenario in [FILE, REPLACED, DIRECTORY] {
        let is_replaced = scenario.mode == Mode::Overwrite;
        let (old, new) = (scenario.whole(1), scenario.whole(2));
        let before = || {
            let store = MemoryObjects::new();
            if is_replaced {
                scenario.run(&store, 1).unwrap();
            }
            store.other_process()
        };
        let counting = before();
        scenario.run(&counting, 2).unwrap();
        let calls = counting.calls();
        assert!(calls >= 8, "{calls}");
        for n in 1..=calls {
            let killed = before();
            killed.crash_after(n);
            scenario.run(&killed, 2).unwrap_err();
            let (found, new) =
                (seen(&killed.objects(), scenario.output), seen(&new, scenario.output));
            let old = seen(&old, scenario.output);
            let is_old = if is_replaced { found == old } else { found.is_empty() };
            let is_part = scenario.layout == Layout::Dir && is_beginning(&found, &new);
            assert!(is_old || found == new || is_part, "killed at call {n}");

            // The next run to the output clears away, whatever stage the dead one came to.
            let next = killed.other_process();
            let again = Scenario { mode: Mode::Overwrite, ..scenario.clone() };
            match again.run(&next, 2) {
                Ok(_) => {
                    assert_eq!(seen(&next.objects(), scenario.output), new, "after call {n}");
                    assert_eq!(next.uploads(), Vec::<PathBuf>::new(), "after call {n}");
                }
                // Parts of a directory are not replaced: whoever removes them can go on.
                Err(error) => {
                    assert_eq!((error.fault, is_part), (Fault::Exists, true), "{error}");
                    for path in found.keys() {
                        distil_storage::Storage::remove_file(&next, path).unwrap();
                    }
                    again.run(&next, 2).unwrap();
                    assert_eq!(next.uploads(), Vec::<PathBuf>::new(), "after call {n}");
                }
            }
        }
    }
}

#[test]
fn a_run_that_fails_at_any_call_changes_nothing_and_leaves_nothing() {
    for scenario in [FILE, REPLACED, DIRECTORY] {
        let before = || {
            let store = MemoryObjects::new();
            if scenario.mode == Mode::Overwrite {
                scenario.run(&store, 1).unwrap();
            }
            store.other_process()
        };
        let counting = before();
        scenario.run(&counting, 2).unwrap();
        for n in 1..=counting.calls() {
            let failing = before();
            let old = seen(&failing.objects(), scenario.output);
            failing.fail_at(n);
            let result = scenario.run(&failing, 2);
            let found = seen(&failing.objects(), scenario.output);
            match result {
                Ok(_) => assert_eq!(found, seen(&scenario.whole(2), scenario.output)),
                Err(error) => {
                    assert_eq!(error.fault, Fault::Environment, "call {n}: {error}");
                    assert_eq!(found, old, "call {n}");
                    if scenario.mode == Mode::Error {
                        assert!(failing.objects().is_empty(), "call {n}");
                    }
                }
            }
            // A failure to abort is the one thing that may leave an upload.
            assert!(failing.uploads().len() <= 1, "call {n}: {:?}", failing.uploads());
        }
    }
}

#[test]
fn of_two_runs_the_second_one_to_publish_changes_nothing() {
    for scenario in [FILE, REPLACED, DIRECTORY] {
        let store = MemoryObjects::new();
        if scenario.mode == Mode::Overwrite {
            scenario.run(&store, 1).unwrap();
        }
        // The other run publishes while this one is about to.
        let other = store.other_process();
        let racing = Racing { inner: store.other_process(), other, scenario: scenario.clone() };
        let stores = Stores::on(Arc::new(disk_with("/in.ndjson"))).with("mem", Arc::new(racing));
        let session =
            Session::open_on(stores, &Configuration::default(), &Choice::default()).unwrap();
        let mut sink = Sink::new(scenario.output);
        (sink.layout, sink.mode) = (scenario.layout, scenario.mode);
        let error = session
            .read_json("/in.ndjson")
            .drop_duplicates(Dedup::on(["id"]))
            .write(sink)
            .unwrap_err();
        assert_eq!(error.code, Code::Exists, "{error}");
        assert_eq!(
            seen(&store.objects(), scenario.output),
            seen(&scenario.whole(3), scenario.output)
        );
        assert_eq!(store.uploads(), Vec::<PathBuf>::new());
    }
}

fn disk_with(path: &str) -> Memory {
    let disk = Memory::new();
    disk.put_dir(std::env::temp_dir());
    disk.put(path, "{\"id\":1}\n");
    disk
}

/// A store in which another run publishes just before this one completes its first object.
struct Racing {
    inner: MemoryObjects,
    other: MemoryObjects,
    scenario: Scenario,
}

mod racing {
    use super::{Path, PathBuf, Racing};
    use distil_storage::{
        Condition, InputFile, Metadata, Objects, OutputFile, Storage, Unfinished,
    };

    type Result<T> = distil_plan::Result<T>;

    impl Storage for Racing {
        fn metadata(&self, path: &Path) -> Result<Option<Metadata>> {
            self.inner.metadata(path)
        }

        fn list(&self, directory: &Path) -> Result<Vec<PathBuf>> {
            self.inner.list(directory)
        }

        fn open(&self, path: &Path) -> Result<Box<dyn InputFile>> {
            self.inner.open(path)
        }

        fn create_new(&self, path: &Path) -> Result<Box<dyn OutputFile>> {
            self.inner.create_new(path)
        }

        fn remove_file(&self, path: &Path) -> Result<()> {
            self.inner.remove_file(path)
        }

        fn canonical(&self, path: &Path) -> Result<PathBuf> {
            self.inner.canonical(path)
        }

        fn objects(&self, _: &Path) -> Option<&dyn Objects> {
            Some(self)
        }
    }

    impl Objects for Racing {
        fn complete(&self, path: &Path, condition: Condition) -> Result<()> {
            if self.other.calls() == 0 {
                self.scenario.run(&self.other, 3).unwrap();
            }
            self.inner.complete(path, condition)
        }

        fn synced(&self, path: &Path) -> Option<u64> {
            self.inner.synced(path)
        }

        fn synced_below(&self, directory: &Path) -> Vec<PathBuf> {
            self.inner.synced_below(directory)
        }

        fn abort(&self, paths: &[&Path]) -> Result<()> {
            self.inner.abort(paths)
        }

        fn hand_over(&self, path: &Path) -> Result<Vec<u8>> {
            self.inner.hand_over(path)
        }

        fn take_over(&self, path: &Path, upload: &[u8]) -> Result<()> {
            self.inner.take_over(path, upload)
        }

        fn unfinished(&self, path: &Path) -> Result<Vec<Unfinished>> {
            self.inner.unfinished(path)
        }

        fn abort_unfinished(&self, unfinished: &Unfinished) -> Result<()> {
            self.inner.abort_unfinished(unfinished)
        }
    }
}
