//! Other processes, and other users.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use distil_hdfs::Hdfs;
use distil_plan::{Cancel, Code};
use distil_storage::{Disk, Storage};

use crate::{Fixture, failed, runtime};

/// Another process, which does what `child` says below.
pub(crate) fn spawn(task: &str, directory: &Path, user: Option<&str>) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "processes::child", "--ignored", "--nocapture"])
        .env("DISTIL_HDFS_TASK", task)
        .env("DISTIL_HDFS_DIRECTORY", directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    if let Some(user) = user {
        command.env("HADOOP_USER_NAME", user);
    }
    command.spawn().unwrap()
}

/// Waits until a child says something.
pub(crate) fn hear(child: &mut Child, word: &str) {
    let output = child.stdout.take().unwrap();
    let mut lines = BufReader::new(output);
    let mut line = String::new();
    while lines.read_line(&mut line).unwrap() > 0 {
        if line.contains(word) {
            child.stdout = Some(lines.into_inner());
            return;
        }
        line.clear();
    }
    panic!("the child did not say {word}");
}

#[test]
#[ignore = "not a test: what other processes do"]
#[allow(clippy::print_stdout)]
fn child() {
    let (Ok(task), Ok(directory)) =
        (std::env::var("DISTIL_HDFS_TASK"), std::env::var("DISTIL_HDFS_DIRECTORY"))
    else {
        return;
    };
    let directory = PathBuf::from(directory);
    let hdfs = Hdfs::new(runtime(), Cancel::new());
    match task.as_str() {
        "hold" => {
            let _lock = hdfs.lock(&directory.join(".lock")).unwrap().unwrap();
            println!("\nheld");
            std::io::stdin().read_line(&mut String::new()).unwrap();
            let done = hdfs.rename(&directory.join("staged"), &directory.join("output"));
            println!("\ndone: {:?}", done.map_err(|error| error.to_string()));
        }
        "denied" => {
            assert!(!hdfs.metadata(&directory).unwrap().unwrap().is_own);
            for error in [
                failed(hdfs.create_new(&directory.join("new"))),
                failed(hdfs.create_dir(&directory.join("new"))),
                failed(hdfs.remove_dir_all(&directory)),
                failed(hdfs.list(&directory.join("private"))),
                failed(hdfs.metadata(&directory.join("private/x"))),
                failed(hdfs.open(&directory.join("secret"))),
                failed(hdfs.rename(&directory.join("file"), &directory.join("x"))),
                failed(hdfs.lock(&directory.join(".lock"))),
            ] {
                println!("{error:#}");
                assert_eq!(error.code, Code::PermissionDenied, "{error:#}");
            }
            println!("\nall denied");
        }
        _ => panic!("{task}"),
    }
}

#[test]
fn another_user_is_denied() {
    let Some(it) = Fixture::new("denied") else { return };
    it.hdfs.create_private_dir(&it.at("private")).unwrap();
    it.write("file", b"x");
    it.write(".lock", b"");
    it.write("secret", b"x");
    let raw = it.raw();
    it.runtime.block_on(raw.set_permission(&it.raw_path("secret"), 0o600)).unwrap();
    let mut child = spawn("denied", &it.directory, Some("bob"));
    hear(&mut child, "all denied");
    assert!(child.wait().unwrap().success());
}
