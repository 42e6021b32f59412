//! Reading and writing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use distil_hdfs::Hdfs;
use distil_plan::{Cancel, Fault};
use distil_storage::{Disk, Kind, Storage, check_unchanged};

use crate::{Fixture, failed, pattern, read_all};

#[test]
fn what_is_written_is_read_in_order_and_here_and_there() {
    let Some(it) = Fixture::new("read") else { return };
    // Blocks have 1 MiB.
    let expected = pattern(41 * (1 << 20) + 12_345);
    let path = it.at("data");
    let mut file = it.hdfs.create_new(&path).unwrap();
    for piece in expected.chunks(777_777) {
        file.write_all(piece).unwrap();
    }
    file.sync().unwrap();
    drop(file);
    let found = it.hdfs.metadata(&path).unwrap().unwrap();
    assert_eq!((found.kind, found.stamp.size), (Kind::File, expected.len() as u64));
    assert!(found.is_own && !found.is_shared && !found.is_link);
    let input = it.hdfs.open(&path).unwrap();
    assert!(!input.is_stream() && input.stamp() == found.stamp);
    for step in [4096, 100_003, 20 << 20] {
        assert!(read_all(&*it.hdfs.open(&path).unwrap(), step) == expected, "{step}");
    }
    std::thread::scope(|scope| {
        for thread in 0..4_usize {
            let (input, expected) = (&*input, &expected);
            scope.spawn(move || {
                for at in 0..20_usize {
                    let offset = (at * 7_919 + thread * 104_729) * 1_031 % expected.len();
                    let mut buffer = vec![0; 300_000];
                    let count = input.read_at(offset as u64, &mut buffer).unwrap();
                    assert!(count > 0 && buffer[..count] == expected[offset..offset + count]);
                }
            });
        }
    });
    let mut buffer = [0; 10];
    let size = expected.len() as u64;
    assert_eq!(input.read_at(size - 3, &mut buffer).unwrap(), 3);
    assert_eq!(buffer[..3], expected[expected.len() - 3..]);
    assert_eq!(input.read_at(size, &mut buffer).unwrap(), 0);
    assert_eq!(input.read_at(u64::MAX, &mut buffer).unwrap(), 0);
    assert_eq!(input.read_at(0, &mut []).unwrap(), 0);
    check_unchanged(&it.hdfs, &path, &*input).unwrap();
}

#[test]
fn a_synced_file_goes_on_and_a_dropped_one_can_be_read() {
    let Some(it) = Fixture::new("write") else { return };
    let path = it.at("appended");
    let expected = pattern(2_500_000);
    let mut file = it.hdfs.create_new(&path).unwrap();
    file.write_all(&expected[..100]).unwrap();
    file.sync().unwrap();
    file.sync().unwrap();
    assert_eq!(it.read(&path), &expected[..100]);
    file.write_all(&expected[100..1_200_000]).unwrap();
    file.sync().unwrap();
    file.write_all(&expected[1_200_000..]).unwrap();
    file.sync().unwrap();
    assert!(it.read(&path) == expected);
    let path = it.at("dropped");
    let mut file = it.hdfs.create_new(&path).unwrap();
    file.write_all(b"not synced").unwrap();
    drop(file);
    assert_eq!(it.read(&path), b"not synced");
    let path = it.write("empty", b"");
    assert_eq!(it.read(&path), b"");
    it.hdfs.create_new(&it.at("untouched")).unwrap();
    assert_eq!(it.read(&it.at("untouched")), b"");
    assert_eq!(it.names(), ["appended", "dropped", "empty", "untouched"].map(PathBuf::from));
}

#[test]
fn a_file_that_changes_while_it_is_read_is_told() {
    let Some(it) = Fixture::new("change") else { return };
    let path = it.write("file", &pattern(3 << 20));
    let input = it.hdfs.open(&path).unwrap();
    let mut buffer = [0; 10];
    assert_eq!(input.read_at(0, &mut buffer).unwrap(), 10);
    it.hdfs.remove_file(&path).unwrap();
    let told = failed(input.stamp_now());
    assert!(told.to_string().ends_with("no such file or directory"), "{told}");
    it.write("file", &pattern((3 << 20) + 1));
    assert_eq!(failed(check_unchanged(&it.hdfs, &path, &*input)).fault, Fault::Input);
    // Its blocks are gone as soon as the data node hears of it, some seconds later.
    let error = loop {
        match input.read_at(2 << 20, &mut buffer) {
            Ok(_) => std::thread::sleep(Duration::from_millis(500)),
            Err(error) => break error,
        }
    };
    assert_eq!(error.fault, Fault::Input, "{error}");
}

#[test]
fn a_run_that_is_to_stop_moves_no_data_and_cleans_up() {
    let Some(it) = Fixture::new("cancel") else { return };
    let path = it.write("file", &pattern(1 << 20));
    let input = it.hdfs.open(&path).unwrap();
    let lock = it.hdfs.lock(&it.at(".lock")).unwrap().unwrap();
    let mut output = it.hdfs.create_new(&it.at("output")).unwrap();
    output.write_all(b"x").unwrap();
    it.cancel.interrupt();
    let mut buffer = [0; 10];
    for error in [
        failed(input.read_at(0, &mut buffer)),
        failed(it.hdfs.open(&path)),
        failed(output.write_all(b"y")),
        failed(output.sync()),
    ] {
        assert!(matches!(error.fault, Fault::Interrupted | Fault::Environment), "{error}");
    }
    drop(output);
    it.hdfs.remove_file(&it.at("output")).unwrap();
    it.hdfs.remove_file(&it.at(".lock")).unwrap();
    drop(lock);
    assert_eq!(it.names(), [PathBuf::from("file")]);
    it.hdfs.remove_dir_all(&it.directory).unwrap();
    let frozen = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("hdfs://{}/x", frozen.local_addr().unwrap());
    let cancel = Cancel::new();
    let hdfs = Hdfs::new(Arc::clone(&it.runtime), cancel.clone());
    let error = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(500));
            cancel.terminate();
        });
        failed(hdfs.metadata(Path::new(&silent)))
    });
    assert_eq!(error.fault, Fault::Terminated);
}
