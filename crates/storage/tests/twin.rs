//! What the twin in memory knows of crashes: tests of crashes are only as good as it is.

#![expect(clippy::unwrap_used, reason = "tests may")]

use std::path::Path;

use distil_plan::{Code, Fault, Result};
use distil_storage::{Disk, Failure, Memory, Storage, Survive};

const BOTH: [Survive; 2] = [Survive::Synced, Survive::Names];

fn create(storage: &dyn Disk, path: &str, content: &[u8], sync: bool) -> Result<()> {
    let mut file = storage.create_new(Path::new(path))?;
    file.write_all(content)?;
    if sync { file.sync() } else { Ok(()) }
}

fn rename(storage: &dyn Disk, from: &str, to: &str) -> Result<()> {
    storage.rename(Path::new(from), Path::new(to))
}

fn sync_dir(storage: &dyn Disk, directory: &str) -> Result<()> {
    storage.sync_dir(Path::new(directory))
}

/// Replaces `/a` as it should be done.
fn replace(storage: &dyn Disk, sync_file: bool, sync_directory: bool) -> Result<()> {
    create(storage, "/.new", b"new content", sync_file)?;
    rename(storage, "/.new", "/a")?;
    if sync_directory { sync_dir(storage, "/") } else { Ok(()) }
}

/// What `/a` may hold after a crash at any call of `replace`, or after its end.
fn outcomes(sync_file: bool, sync_directory: bool) -> (Vec<String>, Vec<String>) {
    let (mut during, mut at_end) = (Vec::new(), Vec::new());
    for n in 1.. {
        let memory = Memory::new();
        memory.put("/a", "old");
        memory.crash_after(n);
        let done = replace(&memory, sync_file, sync_directory).is_ok();
        let next = BOTH.map(|survive| memory.after_power_loss(survive));
        let found = next.into_iter().chain([memory.after_kill()]);
        let found = found.map(|m| String::from_utf8(m.get("/a").unwrap()).unwrap());
        if done {
            at_end.extend(found);
            break;
        }
        during.extend(found);
    }
    for found in [&mut during, &mut at_end] {
        found.sort();
        found.dedup();
    }
    (during, at_end)
}

#[test]
fn a_careful_replacement_is_whole_at_every_crash_and_durable_at_its_end() {
    assert_eq!(
        outcomes(true, true),
        (vec!["new content".to_owned(), "old".to_owned()], vec!["new content".to_owned()])
    );
}

#[test]
fn a_replacement_without_a_sync_of_the_file_is_caught() {
    let (during, at_end) = outcomes(false, true);
    assert_eq!(during, ["", "new content", "old"]);
    assert_eq!(at_end, ["", "new content"]);
}

#[test]
fn a_replacement_without_a_sync_of_the_directory_is_caught() {
    let (during, at_end) = outcomes(true, false);
    assert_eq!(during, ["old"]);
    assert_eq!(at_end, ["new content", "old"]);
}

#[test]
fn a_kill_keeps_what_was_written_and_a_loss_of_power_what_was_synced() {
    let memory = Memory::new();
    let mut file = memory.create_new(Path::new("/a")).unwrap();
    file.write_all(b"synced").unwrap();
    file.sync().unwrap();
    file.write_all(b" and not").unwrap();
    assert_eq!(memory.after_kill().get("/a").unwrap(), b"synced and not");
    assert_eq!(memory.after_power_loss(Survive::Names).get("/a").unwrap(), b"synced");
    assert_eq!(memory.after_power_loss(Survive::Synced).get("/a"), None);
    // Unsynced bytes are no safer for a kill in between.
    let twice = memory.after_kill().after_power_loss(Survive::Names);
    assert_eq!(twice.get("/a").unwrap(), b"synced");
    sync_dir(&memory, "/").unwrap();
    assert_eq!(memory.after_power_loss(Survive::Synced).get("/a").unwrap(), b"synced");
}

#[test]
fn a_rename_between_directories_is_durable_in_each_on_its_own() {
    let moved = |synced: &[&str]| {
        let memory = Memory::new();
        memory.put("/one/a", "x");
        memory.put_dir("/two");
        rename(&memory, "/one/a", "/two/a").unwrap();
        for directory in synced {
            sync_dir(&memory, directory).unwrap();
        }
        let next = memory.after_power_loss(Survive::Synced);
        next.files().into_keys().map(|path| path.display().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(moved(&[]), ["/one/a"]);
    assert_eq!(moved(&["/one"]), [""; 0]);
    assert_eq!(moved(&["/two"]), ["/one/a", "/two/a"]);
    assert_eq!(moved(&["/one", "/two"]), ["/two/a"]);
}

#[test]
fn what_is_in_a_directory_is_only_as_durable_as_its_own_name() {
    let memory = Memory::new();
    memory.create_dir(Path::new("/d")).unwrap();
    create(&memory, "/d/a", b"x", true).unwrap();
    sync_dir(&memory, "/d").unwrap();
    assert_eq!(memory.after_power_loss(Survive::Synced).names("/"), [""; 0]);
    sync_dir(&memory, "/").unwrap();
    assert_eq!(memory.after_power_loss(Survive::Synced).get("/d/a").unwrap(), b"x");
}

#[test]
fn a_removal_rolls_back_until_its_directory_is_synced() {
    let memory = Memory::new();
    memory.put("/d/a", "x");
    memory.put("/b", "y");
    memory.remove_file(Path::new("/b")).unwrap();
    memory.remove_dir_all(Path::new("/d")).unwrap();
    assert_eq!(memory.files().len(), 0);
    assert_eq!(memory.after_power_loss(Survive::Names).files().len(), 0);
    assert_eq!(memory.after_power_loss(Survive::Synced).files().len(), 2);
    sync_dir(&memory, "/").unwrap();
    assert_eq!(memory.after_power_loss(Survive::Synced).files().len(), 0);
}

#[test]
fn a_directory_is_removed_name_by_name() {
    let left = |n| {
        let memory = Memory::new();
        memory.put("/d/a", "");
        memory.put("/d/e/b", "");
        memory.crash_after(n);
        let _ = memory.remove_dir_all(Path::new("/d"));
        memory.after_kill().files().len()
    };
    assert_eq!([left(1), left(2), left(3), left(4), left(5)], [2, 1, 0, 0, 0]);
}

#[test]
fn after_a_crash_nothing_works_and_the_next_process_is_free() {
    let memory = Memory::new();
    memory.put("/a", "x");
    let input = memory.open(Path::new("/a")).unwrap();
    let lock = memory.lock(Path::new("/lock")).unwrap();
    assert_eq!(memory.calls(), 1);
    memory.crash_after(2);
    let error = create(&memory, "/b", b"", true).unwrap_err();
    assert_eq!(error.to_string(), "/b: cannot create: crashed");
    assert_eq!(error.fault, Fault::Environment);
    memory.metadata(Path::new("/a")).unwrap_err();
    memory.open(Path::new("/a")).err().unwrap();
    memory.list(Path::new("/")).unwrap_err();
    memory.remove_file(Path::new("/gone")).unwrap_err();
    input.read_at(0, &mut [0]).unwrap_err();
    assert_eq!(memory.calls(), 2);
    let next = memory.after_kill();
    assert_eq!((next.calls(), next.names("/")), (0, vec!["a".to_owned(), "lock".to_owned()]));
    assert!(next.lock(Path::new("/lock")).unwrap().is_some());
    drop(lock);
}

#[test]
fn a_write_that_crashes_or_fails_leaves_half() {
    let crashed = Memory::new();
    crashed.crash_after(2);
    create(&crashed, "/a", b"123456", true).unwrap_err();
    assert_eq!(crashed.after_kill().get("/a").unwrap(), b"123");
    let full = Memory::new();
    full.fail_at(2, Failure::NoSpace);
    let mut file = full.create_new(Path::new("/a")).unwrap();
    let error = file.write_all(b"123456").unwrap_err();
    assert_eq!(error.to_string(), "/a: cannot write: No space left on device");
    assert_eq!((error.code, error.hints.len()), (Code::NoSpace, 2));
    assert_eq!(full.get("/a").unwrap(), b"123");
    // Only that call fails.
    file.write_all(b"7").unwrap();
    assert_eq!(full.get("/a").unwrap(), b"1237");
}

#[test]
fn a_failed_sync_makes_the_file_useless() {
    let memory = Memory::new();
    memory.fail_at(3, Failure::Io);
    let mut file = memory.create_new(Path::new("/a")).unwrap();
    file.write_all(b"x").unwrap();
    let error = file.sync().unwrap_err();
    assert_eq!(error.to_string(), "/a: cannot sync: Input/output error");
    for error in [file.sync().unwrap_err(), file.write_all(b"y").unwrap_err()] {
        let told = "/a: cannot go on after a failed sync: its content may be lost";
        assert_eq!(error.to_string(), told);
    }
    assert_eq!(memory.after_power_loss(Survive::Names).get("/a").unwrap(), b"");
}

#[test]
fn only_calls_that_change_something_count() {
    let memory = Memory::new();
    memory.put("/a", "x");
    memory.metadata(Path::new("/a")).unwrap();
    memory.list(Path::new("/")).unwrap();
    memory.remove_file(Path::new("/gone")).unwrap();
    memory.create_new(Path::new("/a")).err().unwrap();
    memory.lock(Path::new("/a")).unwrap();
    memory.can_exchange(Path::new("/")).unwrap();
    assert_eq!(memory.calls(), 0);
    replace(&memory, true, true).unwrap();
    assert_eq!(memory.calls(), 5);
}

#[test]
fn overwriting_in_place_keeps_the_inode_and_changes_the_stamp() {
    let memory = Memory::new();
    memory.put("/a", "x");
    let input = memory.open(Path::new("/a")).unwrap();
    memory.put("/a", "y");
    let (then, now) = (input.stamp(), input.stamp_now().unwrap());
    assert_eq!((then.inode, then.size), (now.inode, now.size));
    assert_ne!(then.modified, now.modified);
}

#[test]
fn a_file_system_without_exchange_can_be_had() {
    let memory = Memory::new();
    memory.put("/a", "x");
    memory.put("/b", "y");
    memory.forbid_exchange();
    assert!(!memory.can_exchange(Path::new("/")).unwrap());
    memory.exchange(Path::new("/a"), Path::new("/b")).unwrap_err();
    assert_eq!(memory.get("/a").unwrap(), b"x");
    assert!(!memory.after_kill().can_exchange(Path::new("/")).unwrap());
}
