//! Names, directories and permissions.

use std::path::{Path, PathBuf};

use distil_hdfs::Hdfs;
use distil_plan::Fault;
use distil_storage::{Disk, Storage};
use hdfs_native::acl::AclEntry;

use crate::{Fixture, failed};

#[test]
fn a_name_is_given_once() {
    let Some(it) = Fixture::new("exists") else { return };
    let path = it.at("file");
    let open = it.hdfs.create_new(&path).unwrap();
    for hdfs in [&it.hdfs, &it.other()] {
        assert_eq!(failed(hdfs.create_new(&path)).fault, Fault::Exists);
        assert_eq!(failed(hdfs.create_dir(&path)).fault, Fault::Exists);
    }
    drop(open);
    assert_eq!(failed(it.hdfs.create_new(&path)).fault, Fault::Exists);
    it.hdfs.create_private_dir(&it.at("directory")).unwrap();
    for create in [Hdfs::create_dir, Hdfs::create_private_dir] {
        assert_eq!(failed(create(&it.hdfs, &it.at("directory"))).fault, Fault::Exists);
    }
    assert_eq!(failed(it.hdfs.create_new(&it.at("directory"))).fault, Fault::Exists);
    assert_eq!(failed(it.hdfs.create_dir(Path::new(&it.url))).fault, Fault::Exists);
    assert_eq!(it.names(), ["directory", "file"].map(PathBuf::from));
    let created: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| usize::from(it.other().create_dir(&it.at("raced")).is_ok())))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(created, 1);
    assert_eq!(it.names(), ["directory", "file", "raced"].map(PathBuf::from));
    let status = it.runtime.block_on(it.raw().get_file_info(&it.raw_path("directory"))).unwrap();
    assert_eq!(status.permission & 0o777, 0o700);
}

#[test]
fn what_is_not_there_or_is_something_else_is_told_with_its_path() {
    let Some(it) = Fixture::new("missing") else { return };
    let (gone, file) = (it.at("gone"), it.write("file", b"x"));
    for path in [&gone, &gone.join("below"), &file.join("below")] {
        assert!(it.hdfs.metadata(path).unwrap().is_none(), "{path:?}");
        it.hdfs.remove_file(path).unwrap();
        it.hdfs.remove_dir_all(path).unwrap();
        for error in [
            failed(it.hdfs.open(path)),
            failed(it.hdfs.list(path)),
            failed(it.hdfs.canonical(path)),
            failed(it.hdfs.rename(path, &it.at("new"))),
            failed(it.hdfs.rename_new(path, &it.at("new"))),
            failed(it.hdfs.create_new(&path.join("x"))),
            failed(it.hdfs.create_dir(&path.join("x"))),
            failed(it.hdfs.lock(&path.join("x"))),
        ] {
            assert_eq!(error.fault, Fault::Environment, "{error}");
            let text = error.to_string();
            assert!(text.starts_with(path.to_str().unwrap()), "{text}");
            assert!(text.ends_with("no such file or directory"), "{text}");
        }
    }
    for error in [
        failed(it.hdfs.list(&file)),
        failed(it.hdfs.remove_dir_all(&file)),
        failed(it.hdfs.remove_file(&it.directory)),
        failed(it.hdfs.open(&it.directory)),
        failed(it.hdfs.lock(&it.directory)),
        failed(it.hdfs.lock(&file)),
        failed(it.hdfs.link(&file, &gone)),
        failed(it.hdfs.exchange(&file, &it.directory)),
    ] {
        eprintln!("{error:#}");
        assert_eq!(error.fault, Fault::Environment, "{error}");
    }
    assert!(!it.hdfs.can_exchange(&it.directory).unwrap());
    it.hdfs.sync_dir(&it.directory).unwrap();
    it.hdfs.remove_file(&file).unwrap();
    assert!(it.names().is_empty());
    let odd = it.write("a b%20é#?.json", b"odd");
    assert_eq!(it.names(), [PathBuf::from("a b%20é#?.json")]);
    assert_eq!(it.read(&odd), b"odd");
    assert_eq!(it.hdfs.canonical(&it.at("./x/../a b%20é#?.json/")).unwrap(), odd);
}

#[test]
fn many_names_are_listed() {
    let Some(it) = Fixture::new("list") else { return };
    // A name node gives 1000 at a time.
    let raw = it.raw();
    it.runtime.block_on(async {
        for number in 0..1_203 {
            raw.mkdirs(&it.raw_path(&format!("d{number}")), 0o755, true).await.unwrap();
        }
    });
    let mut expected: Vec<PathBuf> = (0..1_203).map(|n| PathBuf::from(format!("d{n}"))).collect();
    expected.sort();
    assert_eq!(it.names(), expected);
}

#[test]
fn renames_replace_files_or_nothing() {
    let Some(it) = Fixture::new("rename") else { return };
    let (a, b) = (it.write("a", b"a"), it.write("b", b"bb"));
    let error = failed(it.hdfs.rename_new(&a, &b));
    assert_eq!(error.fault, Fault::Exists, "{error}");
    it.hdfs.rename(&a, &b).unwrap();
    assert_eq!(it.read(&b), b"a");
    it.hdfs.rename_new(&b, &it.at("c")).unwrap();
    assert_eq!(it.names(), [PathBuf::from("c")]);
    it.hdfs.create_dir(&it.at("d")).unwrap();
    it.write("d/inside", b"x");
    let error = failed(it.hdfs.rename(&it.at("c"), &it.at("d")));
    assert_eq!(error.fault, Fault::Environment, "{error}");
    it.hdfs.create_dir(&it.at("empty")).unwrap();
    for to in ["empty", "c"] {
        assert_eq!(failed(it.hdfs.rename_new(&it.at("d"), &it.at(to))).fault, Fault::Exists);
    }
    it.hdfs.rename_new(&it.at("d"), &it.at("e")).unwrap();
    assert_eq!(it.read(&it.at("e/inside")), b"x");
    it.hdfs.remove_dir_all(&it.at("e")).unwrap();
    assert_eq!(it.names(), ["c", "empty"].map(PathBuf::from));
    let error = failed(it.hdfs.rename(&it.at("c"), Path::new("hdfs://127.0.0.1:1/c")));
    assert!(error.to_string().contains("another file system"), "{error}");
}

#[test]
fn access_is_copied_or_less() {
    let Some(it) = Fixture::new("access") else { return };
    let raw = it.raw();
    let (from, to) = (it.write("from", b"x"), it.write("to", b"y"));
    let path = it.raw_path("to");
    it.runtime.block_on(async {
        raw.set_owner(&it.raw_path("from"), Some("alice"), Some("staff")).await.unwrap();
        raw.set_permission(&it.raw_path("from"), 0o664).await.unwrap();
    });
    it.hdfs.copy_access(&from, &to).unwrap();
    let found = it.runtime.block_on(raw.get_file_info(&path)).unwrap();
    let access = (found.owner.as_str(), found.group.as_str(), found.permission & 0o777);
    assert_eq!(access, ("alice", "staff", 0o664));
    let shared = it.hdfs.metadata(&to).unwrap().unwrap();
    assert!(!shared.is_own && shared.is_shared);
    // With a list, the permissions of the group are only the most that it allows.
    it.runtime.block_on(async {
        let list = [
            AclEntry::new("user", "access", "rw-", None),
            AclEntry::new("user", "access", "rwx", Some("bob".to_owned())),
            AclEntry::new("group", "access", "r--", None),
            AclEntry::new("mask", "access", "rwx", None),
            AclEntry::new("other", "access", "---", None),
        ];
        raw.set_acl(&it.raw_path("from"), list.to_vec()).await.unwrap();
    });
    it.hdfs.copy_access(&from, &to).unwrap();
    let (a, b) = it.runtime.block_on(async {
        let of = async |name| raw.get_acl_status(&it.raw_path(name)).await.unwrap();
        (of("from").await, of("to").await)
    });
    assert_eq!((&a.entries, a.permission), (&b.entries, b.permission));
    assert_eq!(b.entries.len(), 2);
    // What had a list and is to have none has none.
    let plain = it.write("plain", b"z");
    it.hdfs.copy_access(&plain, &to).unwrap();
    let found = it.runtime.block_on(raw.get_acl_status(&path)).unwrap();
    assert!(found.entries.is_empty() && found.permission & 0o777 == 0o644);
    // Directories: their files get what all files of the first have.
    for name in ["d1", "d2"] {
        it.hdfs.create_dir(&it.at(name)).unwrap();
        for file in ["p", "q"] {
            it.write(&format!("{name}/{file}"), b"x");
        }
    }
    it.runtime.block_on(async {
        raw.set_permission(&it.raw_path("d1"), 0o750).await.unwrap();
        raw.set_permission(&it.raw_path("d1/p"), 0o664).await.unwrap();
        raw.set_permission(&it.raw_path("d1/q"), 0o640).await.unwrap();
    });
    it.hdfs.copy_access(&it.at("d1"), &it.at("d2")).unwrap();
    for (name, expected) in [("d2", 0o750), ("d2/p", 0o640), ("d2/q", 0o640)] {
        let found = it.runtime.block_on(raw.get_file_info(&it.raw_path(name))).unwrap();
        assert_eq!(found.permission & 0o777, expected, "{name}");
    }
}
