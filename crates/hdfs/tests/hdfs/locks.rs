//! Locks.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use distil_hdfs::Hdfs;
use distil_storage::{Disk, Lock, Storage};

use crate::processes::{hear, spawn};
use crate::{Fixture, failed};

#[test]
fn a_lock_is_held_by_one() {
    let Some(it) = Fixture::new("lock") else { return };
    let path = it.at(".lock");
    let other = it.other();
    let lock = it.hdfs.lock(&path).unwrap().unwrap();
    assert!(it.hdfs.lock(&path).unwrap().is_none());
    assert!(it.hdfs.clone().lock(&path).unwrap().is_none());
    assert!(other.lock(&path).unwrap().is_none());
    // Whoever holds it may change what lies beside it.
    it.write("file", b"x");
    it.hdfs.rename(&it.at("file"), &it.at("file2")).unwrap();
    drop(lock);
    assert_eq!(it.names(), [".lock", "file2"].map(PathBuf::from));
    let lock = other.lock(&path).unwrap().unwrap();
    assert!(it.hdfs.lock(&path).unwrap().is_none());
    // Its holder removes it.
    other.remove_file(&path).unwrap();
    drop(lock);
    let lock = it.hdfs.lock(&path).unwrap().unwrap();
    assert!(other.lock(&path).unwrap().is_none());
    drop(lock);
    for _ in 0..5 {
        let held: Vec<Box<dyn Lock>> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..8).map(|_| scope.spawn(|| it.other().lock(&path).unwrap())).collect();
            threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(held.len(), 1);
    }
}

#[test]
fn nothing_changes_beside_a_lock_that_was_lost() {
    let Some(it) = Fixture::new("lost") else { return };
    let path = it.at(".lock");
    let staged = it.write("staged", b"ours");
    let lock = it.hdfs.lock(&path).unwrap().unwrap();
    // As another run does that takes it over.
    it.other().remove_file(&path).unwrap();
    let taken = it.other().lock(&path).unwrap().unwrap();
    for error in [
        failed(it.hdfs.rename(&staged, &it.at("output"))),
        failed(it.hdfs.rename_new(&staged, &it.at("output"))),
        failed(it.hdfs.create_new(&it.at("new"))),
        failed(it.hdfs.create_dir(&it.at("new"))),
        failed(it.hdfs.remove_file(&path)),
        failed(it.hdfs.remove_dir_all(&it.directory.join("staged"))),
    ] {
        let text = error.to_string();
        assert!(text.contains("lock") && text.contains("lost") || text.contains("file"), "{text}");
    }
    drop(lock);
    assert!(it.hdfs.lock(&path).unwrap().is_none());
    drop(taken);
    assert_eq!(it.names(), [".lock", "staged"].map(PathBuf::from));
}

/// Waits until somebody gets a lock that another process had.
fn take_over(hdfs: &Hdfs, path: &Path) -> Box<dyn Lock> {
    loop {
        if let Some(lock) = hdfs.lock(path).unwrap() {
            return lock;
        }
        std::thread::sleep(Duration::from_secs(1));
    }
}

#[test]
#[ignore = "takes more than a minute"]
fn the_lock_of_a_killed_process_ends_a_minute_later() {
    let Some(it) = Fixture::new("killed") else { return };
    let path = it.at(".lock");
    let mut child = spawn("hold", &it.directory, None);
    hear(&mut child, "held");
    assert!(it.hdfs.lock(&path).unwrap().is_none());
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(it.hdfs.lock(&path).unwrap().is_none());
    take_over(&it.hdfs, &path);
}

#[test]
#[ignore = "takes more than a minute"]
fn a_lock_is_renewed_and_one_that_was_slept_away_publishes_nothing() {
    let Some(it) = Fixture::new("slept") else { return };
    let path = it.at(".lock");
    it.write("staged", b"x");
    let mut child = spawn("hold", &it.directory, None);
    hear(&mut child, "held");
    std::thread::sleep(Duration::from_secs(100));
    assert!(it.hdfs.lock(&path).unwrap().is_none(), "it was not renewed");
    let signal = |name: &str| {
        let id = child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    };
    signal("-STOP");
    let lock = take_over(&it.hdfs, &path);
    signal("-CONT");
    // Its renewals do not bring it back.
    std::thread::sleep(Duration::from_secs(3));
    drop(child.stdin.take());
    hear(&mut child, "done: Err(");
    child.wait().unwrap();
    drop(lock);
    assert_eq!(it.names(), [".lock", "staged"].map(PathBuf::from));
}
