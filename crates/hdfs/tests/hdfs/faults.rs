//! What can be wrong with a cluster.

use std::path::Path;
use std::process::{Command, Stdio};

use distil_hdfs::Hdfs;
use distil_plan::{Cancel, Code, Fault};
use distil_storage::Storage;

use crate::{CALM, Fixture, failed, pattern, runtime};

#[test]
fn a_name_node_that_is_not_there_is_told_with_advice() {
    let Some(it) = Fixture::new("unreachable") else { return };
    let hdfs = Hdfs::new(runtime(), Cancel::new());
    for (url, words) in [
        ("hdfs://127.0.0.1:1/x", "the name node can't be reached: Connection refused"),
        ("hdfs://no-such-host.invalid:8020/x", "the name node can't be reached"),
    ] {
        let error = failed(hdfs.metadata(Path::new(url)));
        eprintln!("{error:#}");
        assert_eq!(error.fault, Fault::Environment);
        assert!(error.to_string().contains(words) && error.hints.len() > 1, "{error:#}");
    }
    if std::env::var_os("HADOOP_CONF_DIR").is_some() {
        assert!(!it.hdfs.list(Path::new("hdfs:///")).unwrap().is_empty());
        let url = std::env::var("DISTIL_HDFS").unwrap();
        assert_eq!(hdfs.canonical(Path::new("hdfs:///")).unwrap(), Path::new(&format!("{url}/")));
    }
}

/// A tool of Hadoop, as its administrator runs it.
fn admin(class: &str, arguments: &[&str]) -> bool {
    let (Ok(lib), Ok(conf)) = (std::env::var("DISTIL_HDFS_LIB"), std::env::var("HADOOP_CONF_DIR"))
    else {
        return false;
    };
    let done = Command::new("java")
        .args(["-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp", &format!("{conf}:{lib}/*")])
        .arg(format!("org.apache.hadoop.{class}"))
        .args(arguments)
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(done.success(), "{class} {arguments:?}");
    true
}

#[test]
fn quotas_are_told_as_space_that_is_missing() {
    let Some(it) = Fixture::new("quota") else { return };
    let directory = &it.directory.to_str().unwrap()[it.url.len()..];
    if !admin("hdfs.tools.DFSAdmin", &["-setSpaceQuota", "3m", directory]) {
        eprintln!("skipped, as DISTIL_HDFS_LIB names no jars");
        return;
    }
    let mut file = it.hdfs.create_new(&it.at("large")).unwrap();
    let error = failed(file.write_all(&pattern(8 << 20)).and_then(|()| file.sync()));
    eprintln!("{error:#}");
    assert_eq!(error.code, Code::NoSpace);
    assert_eq!(failed(file.write_all(b"x")).fault, Fault::Environment);
    assert_eq!(failed(file.sync()).fault, Fault::Environment);
    drop(file);
    it.hdfs.remove_file(&it.at("large")).unwrap();
    assert!(admin("hdfs.tools.DFSAdmin", &["-setQuota", "1", directory]));
    let error = failed(it.hdfs.create_new(&it.at("one more")));
    eprintln!("{error:#}");
    assert_eq!(error.code, Code::NoSpace);
}

#[test]
fn safe_mode_is_told() {
    let _all = CALM.write().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(it) = Fixture::uncalm("safe") else { return };
    let path = it.write("file", b"x");
    if !admin("hdfs.tools.DFSAdmin", &["-safemode", "enter"]) {
        eprintln!("skipped, as DISTIL_HDFS_LIB names no jars");
        return;
    }
    let read = it.read(&path);
    let errors = [failed(it.hdfs.create_new(&it.at("new"))), failed(it.hdfs.remove_file(&path))];
    assert!(admin("hdfs.tools.DFSAdmin", &["-safemode", "leave"]));
    assert_eq!(read, b"x");
    for error in errors {
        eprintln!("{error:#}");
        assert!(format!("{error:#}").contains("safemode wait"), "{error:#}");
    }
}

#[test]
#[ignore = "ends the data node for good: DISTIL_HDFS_DATA_NODE is the number of its process"]
fn data_nodes_that_are_gone_are_told() {
    let (Some(it), Ok(process)) = (Fixture::new("gone"), std::env::var("DISTIL_HDFS_DATA_NODE"))
    else {
        return;
    };
    let path = it.write("file", b"x");
    assert!(Command::new("kill").args(["-9", &process]).status().unwrap().success());
    let input = it.hdfs.open(&path).unwrap();
    let mut file = it.hdfs.create_new(&it.at("new")).unwrap();
    for error in [
        failed(input.read_at(0, &mut [0; 10])),
        failed(file.write_all(b"x").and_then(|()| file.sync())),
    ] {
        eprintln!("{error:#}");
        assert!(error.to_string().contains("the data nodes failed"), "{error}");
    }
}
