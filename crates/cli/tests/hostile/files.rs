//! Sources that can't be read, are no files, or change while they are read.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Stdio;

use crate::context::Context;
use crate::support::{NOBODY, Told, may_change_user};

const RUN: [&str; 4] = ["-o", "out.parquet", "--key", "ts"];
const UNTOUCHED: &str = "nothing was written; the output is as it was before";

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// A directory where anyone may write, with the binary in it, which may lie where only root can go.
fn for_anyone() -> Context {
    let context = Context::with_example();
    mode(&context.path(""), 0o777);
    std::fs::copy(env!("CARGO_BIN_EXE_distil"), context.path("distil")).unwrap();
    context
}

fn as_nobody(context: &Context, arguments: &[&str]) -> Told {
    let mut command = std::process::Command::new(NOBODY[0]);
    command.args(&NOBODY[1..]).arg("./distil").args(arguments).current_dir(context.path(""));
    Told::of(&command.stdin(Stdio::null()).output().unwrap())
}

#[test]
fn a_file_that_may_not_be_read_is_named() {
    if !may_change_user() {
        return;
    }
    let context = for_anyone();
    context.write("secret.json", "{}");
    mode(&context.path("secret.json"), 0o600);
    let told = as_nobody(&context, &[&["run", "in.json", "secret.json"], &RUN[..]].concat());
    told.fails(
        3,
        &["secret.json: cannot open: Permission denied", UNTOUCHED, "help: check the permissions"],
    );
    assert!(!context.path("out.parquet").exists());
    as_nobody(&context, &[&["run", "-q", "in.json"], &RUN[..]].concat()).succeeds();
}

#[test]
fn a_directory_that_may_not_be_listed_or_searched_is_named() {
    if !may_change_user() {
        return;
    }
    let context = for_anyone();
    context.write("d/closed/a.json", "{\"ts\":1}");
    for bits in [0o000, 0o300] {
        mode(&context.path("d/closed"), bits);
        let told = as_nobody(&context, &[&["run", "d"], &RUN[..]].concat());
        told.fails(3, &["d/closed: cannot list: Permission denied", UNTOUCHED, "help: "]);
    }
    mode(&context.path("d/closed"), 0o444);
    let told = as_nobody(&context, &[&["run", "d"], &RUN[..]].concat());
    told.fails(3, &["d/closed/a.json: cannot look at: Permission denied", UNTOUCHED, "help: "]);
}

#[test]
fn a_directory_that_may_not_be_written_takes_no_output() {
    if !may_change_user() {
        return;
    }
    let context = for_anyone();
    std::fs::create_dir(context.path("closed")).unwrap();
    let flags = ["run", "in.json", "-o", "closed/out.parquet", "--key", "ts"];
    as_nobody(&context, &flags).fails(3, &["closed/", "Permission denied", UNTOUCHED, "help: "]);
    let temporary = ["run", "in.json", "-o", "out.parquet", "--key", "ts", "--temp-dir", "closed"];
    as_nobody(&context, &temporary)
        .fails(3, &["closed/", "Permission denied", UNTOUCHED, "help: "]);
    let report =
        ["run", "in.json", "-o", "out.parquet", "--key", "ts", "--report", "closed/r.json"];
    let told = as_nobody(&context, &report);
    told.fails(
        4,
        &["closed/", "Permission denied", "the output is committed, but there is no report"],
    );
    assert!(context.path("out.parquet").exists());
    assert_eq!(context.names(), ["closed", "distil", "in.json", "out.parquet"]);
}

#[test]
fn names_that_are_no_text_are_read_and_shown() {
    let context = Context::new();
    context.write("d/a.json", "{\"ts\":1}");
    let name = context.path("d").join(OsStr::from_bytes(b"b\xff\x1b[31m.json"));
    File::create(&name).unwrap().write_all(b"{\"ts\":2}\n7\n").unwrap();
    let told = context.distil(&[&["d"], &RUN[..]].concat());
    told.fails(
        1,
        &["1 bad record", "d/b\u{fffd}\\u{1b}[31m.json line 2, byte 9: not_an_object", UNTOUCHED],
    );
    context
        .distil(&[&["d", "--quarantine", "q.ndjson", "--report", "r.json"], &RUN[..]].concat())
        .succeeds();
    assert_eq!(context.out(&["head", "out.parquet"]), "{\"ts\":1}\n{\"ts\":2}\n");
    assert!(context.read("q.ndjson").contains("\"offset\":9"));
}

#[test]
fn links_loops_and_the_same_file_by_two_paths() {
    let context = Context::new();
    context.write("d/a.json", "{\"ts\":1}\n");
    context.write("d/sub/b.json", "{\"ts\":2}\n");
    context.write("far/c.json", "{\"ts\":3}\n");
    symlink(context.path("far"), context.path("d/far")).unwrap();
    symlink("..", context.path("d/sub/up")).unwrap();
    symlink("a.json", context.path("d/z.json")).unwrap();
    std::fs::hard_link(context.path("d/a.json"), context.path("d/hard.json")).unwrap();
    symlink("nowhere", context.path("d/dangling.json")).unwrap();
    let told =
        context.distil(&[&["d", "d/a.json", "d/sub", "--report", "r.json"], &RUN[..]].concat());
    told.succeeds();
    assert!(
        told.stderr.contains("warning: the link d/dangling.json leads nowhere"),
        "{}",
        told.stderr
    );
    let report: serde_json::Value = serde_json::from_str(&context.read("r.json")).unwrap();
    let paths: Vec<&str> =
        report["inputs"].as_array().unwrap().iter().map(|i| i["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["d/a.json", "d/far/c.json", "d/sub/b.json"]);
    assert_eq!(report["records"]["read"], 3);
}

#[test]
fn a_loop_of_links_is_an_error_that_says_so() {
    let context = Context::new();
    symlink("b", context.path("a")).unwrap();
    symlink("a", context.path("b")).unwrap();
    let told = context.distil(&[&["a"], &RUN[..]].concat());
    told.fails(
        3,
        &[
            "a: cannot look at: Too many levels of symbolic links",
            UNTOUCHED,
            "help: look at the symbolic links there",
        ],
    );
}

/// 38 directories, each with two links to the next: 2^37 ways lead to the last, and who took them all
/// would never come to an end.
#[test]
fn many_ways_to_one_directory_take_no_time() {
    let context = Context::new();
    for level in 0..37 {
        let directory = context.path("d").join(format!("l{level}"));
        std::fs::create_dir_all(&directory).unwrap();
        for link in ["x", "y"] {
            symlink(format!("../l{}", level + 1), directory.join(link)).unwrap();
        }
    }
    context.write("d/l37/a.json", "{\"ts\":1}\n");
    let globs = ["d/**/*.json", "d/l0/**/y/a.json", "{d/**/a,x}.json"];
    for (source, last) in [("d", "x")].into_iter().chain(globs.into_iter().zip(["x", "y", "x"])) {
        let flags = [source, "--report", "r.json", "--mode", "overwrite"];
        context.distil(&[&flags, &RUN[..]].concat()).succeeds();
        let report: serde_json::Value = serde_json::from_str(&context.read("r.json")).unwrap();
        let path = format!("d/l0/{}{last}/a.json", "x/".repeat(36));
        assert_eq!(report["inputs"][0]["path"], path.as_str(), "{source}");
        assert_eq!(report["inputs"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn what_is_no_file_is_read_when_it_can_be_and_refused_when_not() {
    let context = Context::new();
    context.write("d/a.json", "{\"ts\":1}\n");
    let _listener = UnixListener::bind(context.path("d/socket")).unwrap();
    assert!(
        std::process::Command::new("mkfifo")
            .arg(context.path("d/fifo"))
            .status()
            .unwrap()
            .success()
    );
    let told = context.distil(&[&["d/socket"], &RUN[..]].concat());
    told.fails(1, &["d/socket: a socket or a block device can't be read as JSON", UNTOUCHED]);
    // From a directory neither is read: nobody writes to the pipe, and the run would wait for ever.
    context.distil(&[&["d", "--mode", "overwrite"], &RUN[..]].concat()).succeeds();
    assert_eq!(context.out(&["head", "out.parquet"]), "{\"ts\":1}\n");
    let fifo = context.path("d/fifo");
    let writer = std::thread::spawn(move || {
        OpenOptions::new().write(true).open(fifo).unwrap().write_all(b"[{\"ts\":2}]").unwrap();
    });
    context.distil(&[&["d/fifo", "d/a.json", "--mode", "overwrite"], &RUN[..]].concat()).succeeds();
    writer.join().unwrap();
    assert_eq!(context.out(&["head", "out.parquet"]), "{\"ts\":1}\n{\"ts\":2}\n");
    let told = context.distil(&[&["/dev/null", "--mode", "overwrite"], &RUN[..]].concat());
    told.fails(1, &["error: ", UNTOUCHED]);
    context
        .distil(&[&["/dev/null", "d/a.json", "--mode", "overwrite"], &RUN[..]].concat())
        .succeeds();
}
