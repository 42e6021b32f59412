//! The rules of `Storage`, each held against the disk and against the twin in memory.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may, and they look behind the storage's back"
)]

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use distil_plan::{Error, Fault};
use distil_storage::{Disk, Kind, Local, Memory, Storage};

macro_rules! on_both {
    ($($rule:ident)*) => {
        mod local {
            $(#[test] fn $rule() {
                let directory = tempfile::tempdir().unwrap();
                super::$rule(&super::Local, directory.path());
            })*
        }
        mod memory {
            $(#[test] fn $rule() {
                let memory = super::Memory::new();
                memory.put_dir("/work");
                super::$rule(&memory, super::Path::new("/work"));
            })*
        }
    };
}

on_both! {
    a_file_reads_back_what_was_written_at_any_offset
    creating_what_exists_fails_and_keeps_it
    nothing_is_created_in_a_missing_directory_or_below_a_file
    metadata_tells_files_from_directories_and_from_nothing
    a_stamp_changes_with_the_content_and_only_then
    names_are_listed_in_byte_order
    only_directories_are_listed_and_synced
    only_files_are_opened
    a_rename_replaces_a_file_and_keeps_identity
    a_rename_never_replaces_a_directory_that_holds_something
    a_rename_to_a_new_name_refuses_a_taken_one
    an_exchange_swaps_files_and_directories
    an_exchange_needs_both_names
    asking_whether_names_can_be_exchanged_leaves_no_trace
    removing_nothing_is_no_error
    a_file_and_a_directory_are_removed_each_in_its_way
    a_lock_excludes_others_until_it_is_dropped
    the_lock_of_a_removed_file_says_nothing_about_its_successor
    at_most_one_holds_a_lock_that_comes_and_goes
    an_open_file_outlives_its_name
    a_place_has_one_canonical_path
}

fn write(storage: &dyn Disk, path: &Path, content: &[u8]) {
    let mut file = storage.create_new(path).unwrap();
    file.write_all(content).unwrap();
    file.sync().unwrap();
}

fn read(storage: &dyn Disk, path: &Path) -> Vec<u8> {
    let file = storage.open(path).unwrap();
    let mut content = vec![0; 1000];
    let count = file.read_at(0, &mut content).unwrap();
    content.truncate(count);
    content
}

fn names(storage: &dyn Disk, directory: &Path) -> Vec<String> {
    storage.list(directory).unwrap().iter().map(|name| name.display().to_string()).collect()
}

/// The error of a call that must fail, told relative to the directory of the test.
#[track_caller]
fn error<T>(result: Result<T, Error>, directory: &Path) -> String {
    let error = result.err().unwrap();
    assert_eq!(error.fault, Fault::Environment, "{error}");
    error.to_string().replace(directory.to_str().unwrap(), "D")
}

#[track_caller]
fn exists<T>(result: Result<T, Error>, directory: &Path) -> String {
    let error = result.err().unwrap();
    assert_eq!(error.fault, Fault::Exists, "{error}");
    error.to_string().replace(directory.to_str().unwrap(), "D")
}

fn a_file_reads_back_what_was_written_at_any_offset(storage: &dyn Disk, directory: &Path) {
    let path = directory.join("a");
    let mut output = storage.create_new(&path).unwrap();
    output.write_all(b"hello ").unwrap();
    output.sync().unwrap();
    output.write_all(b"").unwrap();
    output.write_all(b"world").unwrap();
    drop(output);
    let input = storage.open(&path).unwrap();
    assert!(!input.is_stream());
    assert_eq!(input.stamp().size, 11);
    for offset in 0..14 {
        for length in 0..14 {
            let mut buffer = vec![0; length];
            let count = input.read_at(offset as u64, &mut buffer).unwrap();
            let start = offset.min(11);
            assert_eq!(&buffer[..count], &b"hello world"[start..11.min(start + length)]);
        }
    }
}

fn creating_what_exists_fails_and_keeps_it(storage: &dyn Disk, directory: &Path) {
    let (file, sub) = (directory.join("a"), directory.join("d"));
    write(storage, &file, b"kept");
    storage.create_dir(&sub).unwrap();
    let again = "cannot create: it exists already";
    assert_eq!(exists(storage.create_new(&file), directory), format!("D/a: {again}"));
    assert_eq!(exists(storage.create_new(&sub), directory), format!("D/d: {again}"));
    let again = "cannot create the directory: it exists already";
    assert_eq!(exists(storage.create_dir(&file), directory), format!("D/a: {again}"));
    assert_eq!(exists(storage.create_dir(&sub), directory), format!("D/d: {again}"));
    assert_eq!(read(storage, &file), b"kept");
}

fn nothing_is_created_in_a_missing_directory_or_below_a_file(storage: &dyn Disk, directory: &Path) {
    write(storage, &directory.join("file"), b"");
    let missing = "No such file or directory";
    for (parent, why) in [("gone", missing), ("file", "Not a directory")] {
        let path = directory.join(parent).join("x");
        let told = |doing: &str| format!("D/{parent}/x: cannot {doing}: {why}");
        assert_eq!(error(storage.create_new(&path), directory), told("create"));
        assert_eq!(error(storage.create_dir(&path), directory), told("create the directory"));
        assert_eq!(error(storage.lock(&path), directory), told("lock"));
    }
    assert_eq!(names(storage, directory), ["file"]);
}

fn metadata_tells_files_from_directories_and_from_nothing(storage: &dyn Disk, directory: &Path) {
    write(storage, &directory.join("a"), b"123");
    let file = storage.metadata(&directory.join("a")).unwrap().unwrap();
    assert_eq!((file.kind, file.stamp.size, file.is_link), (Kind::File, 3, false));
    let found = storage.metadata(directory).unwrap().unwrap();
    assert_eq!((found.kind, found.is_link), (Kind::Directory, false));
    assert_eq!(storage.metadata(&directory.join("b")).unwrap(), None);
    assert_eq!(storage.metadata(&directory.join("a/below")).unwrap(), None);
    assert_eq!(storage.metadata(&directory.join("b/below")).unwrap(), None);
}

fn a_stamp_changes_with_the_content_and_only_then(storage: &dyn Disk, directory: &Path) {
    let path = directory.join("a");
    let mut output = storage.create_new(&path).unwrap();
    let input = storage.open(&path).unwrap();
    let stamp = || storage.metadata(&path).unwrap().unwrap().stamp;
    let before = input.stamp();
    assert_eq!(before, stamp());
    output.write_all(b"x").unwrap();
    let after = stamp();
    assert_ne!(before, after);
    output.sync().unwrap();
    drop(output);
    assert_eq!(stamp(), after);
    assert_eq!(input.stamp(), before);
    assert_eq!(input.stamp_now().unwrap(), after);
}

fn names_are_listed_in_byte_order(storage: &dyn Disk, directory: &Path) {
    for name in ["b", "é", "B", "a.b", "a", "a-b", "_", "10", "9", ".hidden"] {
        write(storage, &directory.join(name), b"");
    }
    let sorted = [".hidden", "10", "9", "B", "_", "a", "a-b", "a.b", "b", "é"];
    assert_eq!(names(storage, directory), sorted);
}

fn only_directories_are_listed_and_synced(storage: &dyn Disk, directory: &Path) {
    write(storage, &directory.join("file"), b"");
    for (name, why) in [("gone", "No such file or directory"), ("file", "Not a directory")] {
        let path = directory.join(name);
        let told = |doing: &str| format!("D/{name}: cannot {doing}: {why}");
        assert_eq!(error(storage.list(&path), directory), told("list"));
        assert_eq!(error(storage.sync_dir(&path), directory), told("sync the directory"));
    }
    storage.sync_dir(directory).unwrap();
}

fn only_files_are_opened(storage: &dyn Disk, directory: &Path) {
    storage.create_dir(&directory.join("d")).unwrap();
    let open = |name: &str| error(storage.open(&directory.join(name)), directory);
    assert_eq!(open("d"), "D/d: cannot open: Is a directory");
    assert_eq!(open("gone"), "D/gone: cannot open: No such file or directory");
}

fn a_rename_replaces_a_file_and_keeps_identity(storage: &dyn Disk, directory: &Path) {
    let (a, b, c) = (directory.join("a"), directory.join("b"), directory.join("d/c"));
    write(storage, &a, b"new");
    write(storage, &b, b"old");
    storage.create_dir(&directory.join("d")).unwrap();
    let stamp = storage.metadata(&a).unwrap().unwrap().stamp;
    storage.rename(&a, &b).unwrap();
    storage.rename(&b, &c).unwrap();
    storage.rename(&c, &c).unwrap();
    assert_eq!(storage.metadata(&c).unwrap().unwrap().stamp, stamp);
    assert_eq!(read(storage, &c), b"new");
    assert_eq!(names(storage, directory), ["d"]);
    let told = "D/a: cannot rename to D/b: No such file or directory";
    assert_eq!(error(storage.rename(&a, &b), directory), told);
}

fn a_rename_never_replaces_a_directory_that_holds_something(storage: &dyn Disk, directory: &Path) {
    let (file, one, two) = (directory.join("a"), directory.join("one"), directory.join("two"));
    write(storage, &file, b"kept");
    for sub in [&one, &two] {
        storage.create_dir(sub).unwrap();
        write(storage, &sub.join("x"), b"kept");
    }
    let told = "D/a: cannot rename to D/one: Is a directory";
    assert_eq!(error(storage.rename(&file, &one), directory), told);
    storage.rename(&two, &one).unwrap_err();
    storage.rename(&one, &file).unwrap_err();
    let told = "D/one: cannot rename to D/one/sub: Invalid argument";
    assert_eq!(error(storage.rename(&one, &one.join("sub")), directory), told);
    assert_eq!(names(storage, directory), ["a", "one", "two"]);
    assert_eq!(names(storage, &one), ["x"]);
}

fn a_rename_to_a_new_name_refuses_a_taken_one(storage: &dyn Disk, directory: &Path) {
    let (a, b, d) = (directory.join("a"), directory.join("b"), directory.join("d"));
    write(storage, &a, b"1");
    write(storage, &b, b"2");
    storage.create_dir(&d).unwrap();
    for taken in ["a", "b", "d"] {
        let told = format!("D/{taken}: cannot create: it exists already");
        assert_eq!(exists(storage.rename_new(&a, &directory.join(taken)), directory), told);
        assert_eq!(exists(storage.rename_new(&d, &directory.join(taken)), directory), told);
    }
    storage.rename_new(&a, &directory.join("c")).unwrap();
    storage.rename_new(&d, &directory.join("e")).unwrap();
    assert_eq!(names(storage, directory), ["b", "c", "e"]);
    assert_eq!(read(storage, &directory.join("c")), b"1");
    let told = "D/a: cannot rename to D/f: No such file or directory";
    assert_eq!(error(storage.rename_new(&a, &directory.join("f")), directory), told);
}

fn an_exchange_swaps_files_and_directories(storage: &dyn Disk, directory: &Path) {
    assert!(storage.can_exchange(directory).unwrap());
    let (a, d) = (directory.join("a"), directory.join("d"));
    write(storage, &a, b"file");
    storage.create_dir(&d).unwrap();
    write(storage, &d.join("x"), b"inside");
    storage.exchange(&a, &d).unwrap();
    assert_eq!(read(storage, &d), b"file");
    assert_eq!(read(storage, &a.join("x")), b"inside");
    storage.exchange(&a, &a.join("x")).unwrap_err();
}

fn an_exchange_needs_both_names(storage: &dyn Disk, directory: &Path) {
    let (a, b) = (directory.join("a"), directory.join("b"));
    write(storage, &a, b"");
    let told = "D/a: cannot exchange with D/b: No such file or directory";
    assert_eq!(error(storage.exchange(&a, &b), directory), told);
    let told = "D/b: cannot exchange with D/a: No such file or directory";
    assert_eq!(error(storage.exchange(&b, &a), directory), told);
    assert_eq!(names(storage, directory), ["a"]);
}

fn asking_whether_names_can_be_exchanged_leaves_no_trace(storage: &dyn Disk, directory: &Path) {
    for _ in 0..3 {
        assert!(storage.can_exchange(directory).unwrap());
    }
    assert_eq!(names(storage, directory), [""; 0]);
    let told = "D/gone: cannot write to the directory: No such file or directory";
    assert_eq!(error(storage.can_exchange(&directory.join("gone")), directory), told);
}

fn removing_nothing_is_no_error(storage: &dyn Disk, directory: &Path) {
    write(storage, &directory.join("a"), b"");
    for name in ["gone", "gone/below", "a/below"] {
        storage.remove_file(&directory.join(name)).unwrap();
        storage.remove_dir_all(&directory.join(name)).unwrap();
    }
    assert_eq!(names(storage, directory), ["a"]);
}

fn a_file_and_a_directory_are_removed_each_in_its_way(storage: &dyn Disk, directory: &Path) {
    let (a, d) = (directory.join("a"), directory.join("d"));
    write(storage, &a, b"");
    storage.create_dir(&d).unwrap();
    storage.create_dir(&d.join("e")).unwrap();
    for name in ["x", "e/y", "e/z"] {
        write(storage, &d.join(name), b"");
    }
    assert_eq!(error(storage.remove_file(&d), directory), "D/d: cannot remove: Is a directory");
    let told = "D/a: cannot remove the directory: Not a directory";
    assert_eq!(error(storage.remove_dir_all(&a), directory), told);
    assert_eq!(names(storage, directory), ["a", "d"]);
    storage.remove_file(&a).unwrap();
    storage.remove_dir_all(&d).unwrap();
    assert_eq!(names(storage, directory), [""; 0]);
}

fn a_lock_excludes_others_until_it_is_dropped(storage: &dyn Disk, directory: &Path) {
    let path = directory.join("lock");
    let held = storage.lock(&path).unwrap().unwrap();
    assert!(storage.lock(&path).unwrap().is_none());
    let other = storage.lock(&directory.join("other")).unwrap();
    assert!(other.is_some());
    drop(held);
    assert!(storage.lock(&path).unwrap().is_some());
    assert_eq!(names(storage, directory), ["lock", "other"]);
    storage.create_dir(&directory.join("d")).unwrap();
    let told = "D/d: cannot lock: Is a directory";
    assert_eq!(error(storage.lock(&directory.join("d")), directory), told);
}

fn the_lock_of_a_removed_file_says_nothing_about_its_successor(
    storage: &dyn Disk,
    directory: &Path,
) {
    let path = directory.join("lock");
    let old = storage.lock(&path).unwrap().unwrap();
    storage.remove_file(&path).unwrap();
    let new = storage.lock(&path).unwrap().unwrap();
    drop(old);
    assert!(storage.lock(&path).unwrap().is_none());
    drop(new);
}

fn at_most_one_holds_a_lock_that_comes_and_goes(storage: &dyn Disk, directory: &Path) {
    let path = directory.join("lock");
    let (busy, taken) = (AtomicBool::new(false), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while taken.load(Ordering::SeqCst) < 500 {
                    let Some(lock) = storage.lock(&path).unwrap() else {
                        std::thread::yield_now();
                        continue;
                    };
                    assert!(!busy.swap(true, Ordering::SeqCst), "two hold the lock");
                    std::thread::yield_now();
                    busy.store(false, Ordering::SeqCst);
                    taken.fetch_add(1, Ordering::SeqCst);
                    storage.remove_file(&path).unwrap();
                    drop(lock);
                }
            });
        }
    });
    assert_eq!(names(storage, directory), [""; 0]);
}

fn an_open_file_outlives_its_name(storage: &dyn Disk, directory: &Path) {
    let path = directory.join("a");
    write(storage, &path, b"still");
    let input = storage.open(&path).unwrap();
    storage.remove_file(&path).unwrap();
    write(storage, &path, b"other");
    let mut buffer = [0; 5];
    assert_eq!(input.read_at(0, &mut buffer).unwrap(), 5);
    assert_eq!(&buffer, b"still");
    assert_ne!(storage.metadata(&path).unwrap().unwrap().stamp.inode, input.stamp().inode);
}

fn a_place_has_one_canonical_path(storage: &dyn Disk, directory: &Path) {
    storage.create_dir(&directory.join("d")).unwrap();
    write(storage, &directory.join("d/a"), b"");
    let canonical = storage.canonical(directory).unwrap();
    assert!(canonical.is_absolute());
    assert_eq!(storage.canonical(&directory.join("d/../d/./a")).unwrap(), canonical.join("d/a"));
    let told = "D/gone: cannot resolve: No such file or directory";
    assert_eq!(error(storage.canonical(&directory.join("gone")), directory), told);
}

#[test]
fn an_empty_path_is_the_current_directory() {
    let (empty, here) = (Path::new(""), Path::new("."));
    assert_eq!(Local.list(empty).unwrap(), Local.list(here).unwrap());
    assert_eq!(Local.metadata(empty).unwrap(), Local.metadata(here).unwrap());
    assert_eq!(Local.canonical(empty).unwrap(), Local.canonical(here).unwrap());
    let memory = Memory::new();
    memory.put("a", "");
    assert_eq!(memory.list(empty).unwrap(), [PathBuf::from("a")]);
    assert_eq!(memory.metadata(empty).unwrap().unwrap().kind, Kind::Directory);
    memory.sync_dir(empty).unwrap();
}

#[test]
fn links_are_followed_to_read_but_never_to_remove() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    std::fs::create_dir(at("real")).unwrap();
    std::fs::write(at("real/x"), "kept").unwrap();
    symlink(at("real"), at("to_directory")).unwrap();
    symlink(at("real/x"), at("to_file")).unwrap();
    symlink(at("gone"), at("dangling")).unwrap();
    symlink(at("loop"), at("loop")).unwrap();

    let link = Local.metadata(&at("to_file")).unwrap().unwrap();
    let file = Local.metadata(&at("real/x")).unwrap().unwrap();
    assert_eq!((link.kind, link.stamp, link.is_link), (Kind::File, file.stamp, true));
    assert_eq!(Local.metadata(&at("to_directory")).unwrap().unwrap().kind, Kind::Directory);
    assert_eq!(Local.metadata(&at("dangling")).unwrap(), None);
    assert_eq!(read(&Local, &at("to_directory/x")), b"kept");
    assert_eq!(Local.canonical(&at("to_file")).unwrap(), Local.canonical(&at("real/x")).unwrap());

    for result in [
        Local.metadata(&at("loop")).err().unwrap(),
        Local.open(&at("loop")).err().unwrap(),
        Local.canonical(&at("loop")).err().unwrap(),
        Local.lock(&at("to_file")).err().unwrap(),
    ] {
        assert!(result.to_string().ends_with("Too many levels of symbolic links"), "{result}");
        assert_eq!(result.hints.len(), 1);
    }

    std::fs::create_dir(at("holder")).unwrap();
    symlink(at("real"), at("holder/link")).unwrap();
    Local.remove_dir_all(&at("holder")).unwrap();
    for name in ["to_file", "dangling", "loop"] {
        Local.remove_file(&at(name)).unwrap();
    }
    Local.remove_dir_all(&at("to_directory")).unwrap();
    assert_eq!(names(&Local, directory.path()), ["real"]);
    assert_eq!(read(&Local, &at("real/x")), b"kept");
}

#[test]
fn probes_that_a_killed_process_left_are_removed_and_those_of_living_ones_are_not() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    for name in [".distil-probe-1-0", ".distil-probe-2-7", ".distil-other"] {
        std::fs::write(path(name), "").unwrap();
    }
    let living = Local.lock(&path(".distil-probe-1-0")).unwrap();
    assert!(living.is_some());
    assert!(Local.can_exchange(directory.path()).unwrap());
    assert_eq!(names(&Local, directory.path()), [".distil-other", ".distil-probe-1-0"]);
    drop(living);
    assert!(Local.can_exchange(directory.path()).unwrap());
    assert_eq!(names(&Local, directory.path()), [".distil-other"]);
}

#[test]
fn a_stream_is_read_once_and_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0)
        .unwrap();
    assert_eq!(Local.metadata(&path).unwrap().unwrap().kind, Kind::Stream);
    let writer = std::thread::spawn({
        let path = path.clone();
        move || std::fs::write(path, "hello")
    });
    let input = Local.open(&path).unwrap();
    assert!(input.is_stream());
    let mut buffer = [0; 3];
    assert_eq!(input.read_at(0, &mut buffer).unwrap(), 3);
    assert_eq!(input.read_at(0, &mut buffer).unwrap_err().fault, Fault::Bug);
    assert_eq!(input.read_at(3, &mut buffer).unwrap(), 2);
    assert_eq!(&buffer[..2], b"lo");
    assert_eq!(input.read_at(5, &mut buffer).unwrap(), 0);
    writer.join().unwrap().unwrap();
}

#[test]
fn a_socket_is_no_input() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    assert_eq!(Local.metadata(&path).unwrap().unwrap().kind, Kind::Other);
    let told = "D/socket: cannot open: it is not a file, a pipe or a character device";
    assert_eq!(error(Local.open(&path), directory.path()), told);
}
