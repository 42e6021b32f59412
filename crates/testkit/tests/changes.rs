//! Files that change while they are read, on a real disk.
//!
//! A change is made in the middle: within the call that tells of the first bytes of a file that takes
//! many of them, on the thread that reads.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and changes files past the storage"
)]

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use distil_job::run::{Job, run};
use distil_plan::{Cancel, Events, Fault, Phase, Watch};
use distil_testkit::disk::{Folder, native, storage};

type Change = fn(&Path);

/// Changes a file, once, when some of it was read.
struct Changes {
    path: PathBuf,
    size: u64,
    change: Mutex<Option<Change>>,
}

impl Events for Changes {
    fn begin(&self, _: Phase, _: Option<u64>) {}

    fn advance(&self, bytes: u64, _: u64) {
        if bytes > 0
            && let Some(change) = self.change.lock().unwrap().take()
        {
            assert!(bytes < self.size, "all was read at once");
            change(&self.path);
        }
    }
}

/// Runs over a file that changes while it is read; returns what the run said of it.
fn while_it_is_read(change: Change) -> String {
    let records = "{\"a\":\"0123456789012345678901234567890123456789\"}\n".repeat(100_000);
    let folder = Folder::new(&[("a.json", records.as_bytes())]);
    let path = folder.path("in/a.json");
    let events = Changes {
        path: path.clone(),
        size: records.len() as u64,
        change: Mutex::new(Some(change)),
    };
    let (_, result) = run(&Job {
        watch: Watch { events: &events, cancel: &Cancel::new() },
        ..Job::new(storage(), folder.plan("o.parquet"), &native())
    });
    let error = result.unwrap_err();
    assert!(events.change.lock().unwrap().is_none(), "nothing was changed");
    assert_eq!(error.fault, Fault::Input);
    assert!(error.hints[0].text.starts_with("wait until nothing writes"), "{:?}", error.hints);
    assert!(error.output.as_deref().unwrap().contains("as it was before"));
    assert_eq!(folder.names(), Vec::<String>::new(), "something was left behind");
    error.to_string().replace(path.to_str().unwrap(), "a.json")
}

#[test]
fn a_file_that_grows_while_it_is_read_fails_the_run() {
    let told = while_it_is_read(|path| {
        OpenOptions::new().append(true).open(path).unwrap().write_all(b"{\"a\":2}\n").unwrap();
    });
    assert_eq!(told, "a.json: the file grew from 4900000 to 4900008 bytes while it was read");
}

#[test]
fn a_file_that_shrinks_while_it_is_read_fails_the_run() {
    let told = while_it_is_read(|path| {
        let file = OpenOptions::new().write(true).open(path).unwrap();
        file.set_len(4_899_902).unwrap();
    });
    assert_eq!(told, "a.json: the file shrank from 4900000 to 4899902 bytes while it was read");
}

#[test]
fn a_file_that_is_replaced_while_it_is_read_fails_the_run() {
    let told = while_it_is_read(|path| {
        let other = path.with_file_name(".other");
        std::fs::copy(path, &other).unwrap();
        std::fs::rename(other, path).unwrap();
    });
    assert_eq!(told, "a.json: the file was replaced while it was read");
}
