//! Folders that are shared with other users: what they created is neither trusted nor removed, and what a run
//! writes is not open to them.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Stdio;

use rustix::process::Signal;

use crate::context::{Context, end_of, wait_for};
use crate::support::{Told, all_names, may_change_user, send};

const RUN: [&str; 5] = ["in.ndjson", "-o", "out.parquet", "--key", "id"];

fn with(more: &[&'static str]) -> Vec<&'static str> {
    [&RUN[..], more].concat()
}

fn mode(path: &Path) -> u32 {
    std::fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A folder with an input, like `/tmp`: all users may create files, and only their owners may remove them.
fn shared() -> Context {
    let context = Context::new();
    context.write("in.ndjson", "{\"id\":1}\n");
    set_mode(&context.path(""), 0o1777);
    context
}

/// Has somebody else run a script in the folder.
fn somebody(context: &Context, script: &str) {
    let mut command = std::process::Command::new("setpriv");
    command.args(["--reuid", "1002", "--regid", "1002", "--clear-groups", "sh", "-euc", script]);
    assert!(command.current_dir(context.path("")).status().unwrap().success());
}

#[test]
fn marks_and_staging_of_somebody_else_are_neither_believed_nor_removed() {
    if !may_change_user() {
        return;
    }
    let context = shared();
    context.write("q.ndjson", "precious");
    somebody(
        &context,
        "mkdir -m 777 .q.ndjson.distil-staging; touch .q.ndjson.distil-staging/fresh",
    );
    // The mark says that the quarantine belongs to no output, so that it may be removed.
    context.distil(&with(&["--quarantine", "q.ndjson"])).fails(5, &["q.ndjson", "exists already"]);
    assert_eq!(context.read("q.ndjson"), "precious");
    assert!(context.path(".q.ndjson.distil-staging/fresh").exists());
    // A staging directory of somebody else is not emptied, be it for what is in it.
    somebody(
        &context,
        "mkdir -m 777 .out.parquet.distil-staging; echo theirs > .out.parquet.distil-staging/x",
    );
    let told = context.distil(&with(&[]));
    told.fails(3, &[".out.parquet.distil-staging", "somebody else made it", "nothing was written"]);
    assert_eq!(context.read(".out.parquet.distil-staging/x"), "theirs\n");
    // Nor is one for temporary files, which has a name that can be known.
    let elsewhere = shared();
    let temp = ["--temp-dir", "."];
    let hidden = |context: &Context| {
        context.all_names().into_iter().find(|name| name.starts_with(".distil-"))
    };
    let mut child = elsewhere.command(&[&["run", "-"], &RUN[1..], &temp].concat());
    let mut child = child.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for("the temporary files", || hidden(&elsewhere).is_some());
    let name = hidden(&elsewhere).unwrap();
    drop(child.stdin.take());
    end_of(child);
    somebody(&elsewhere, &format!("mkdir {name}"));
    elsewhere.distil(&with(&temp)).fails(3, &[&name, "somebody else made it"]);
    assert!(elsewhere.path(&name).exists());
}

#[test]
fn a_mark_in_a_directory_that_others_may_write_to_says_nothing() {
    let context = shared();
    context.write("q.ndjson", "precious");
    std::fs::create_dir(context.path(".q.ndjson.distil-staging")).unwrap();
    context.write(".q.ndjson.distil-staging/fresh", "");
    for (open, code) in [(0o777, 5), (0o770, 5), (0o700, 0)] {
        set_mode(&context.path(".q.ndjson.distil-staging"), open);
        // Made by a dead run of this user alone, it says that the file belongs to no output.
        assert_eq!(
            context.distil(&with(&["--quarantine", "q.ndjson"])).code,
            Some(code),
            "{open:o}"
        );
    }
}

#[test]
fn a_link_in_the_place_of_staging_or_a_lock_is_not_followed() {
    let context = shared();
    context.write("theirs/x", "precious");
    let link = |name: &str, to: &str| {
        std::os::unix::fs::symlink(to, context.path(name)).unwrap();
    };
    link(".out.parquet.distil-lock", "theirs/x");
    assert_eq!(context.distil(&with(&[])).code, Some(3));
    std::fs::remove_file(context.path(".out.parquet.distil-lock")).unwrap();
    link(".out.parquet.distil-staging", "theirs");
    context.distil(&with(&[]));
    assert_eq!(context.read("theirs/x"), "precious");
}

#[test]
fn staging_is_private_while_a_run_is_at_work() {
    let context = shared();
    let mut child = context.command(&[&["run", "-"], &RUN[1..]].concat());
    let mut child = child.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let staging = context.path(".out.parquet.distil-staging");
    wait_for("the staging directory", || staging.join("scratch").exists());
    assert_eq!((mode(&staging), mode(&staging.join("scratch"))), (0o700, 0o700));
    drop(child.stdin.take());
    send(&child, Signal::TERM);
    end_of(child);
}

#[test]
fn an_output_keeps_the_permissions_of_the_one_that_it_replaces() {
    let context = shared();
    let directory = ["in.ndjson", "-o", "rows", "--key", "id"];
    let again = |flags: &[&'static str]| {
        context.distil(&[flags, &["--mode", "overwrite"]].concat()).succeeds();
    };
    context.distil(&RUN).succeeds();
    context.distil(&directory).succeeds();
    let part = context.path("rows/part-00000.parquet");
    for (file, folder, of_part) in
        [(0o600, 0o700, 0o600), (0o640, 0o750, 0o604), (0o664, 0o775, 0o664)]
    {
        set_mode(&context.path("out.parquet"), file);
        set_mode(&context.path("rows"), folder);
        set_mode(&part, of_part);
        again(&RUN);
        again(&directory);
        assert_eq!(mode(&context.path("out.parquet")), file);
        assert_eq!((mode(&context.path("rows")), mode(&part)), (folder, of_part));
    }
    // A new one is as open as the user's mask allows.
    let made = context.scene(
        &["sh", "-c", "umask 027; exec \"$@\"", "sh"],
        &["run", "in.ndjson", "-o", "new.parquet", "--key", "id"],
    );
    let mut made = made;
    assert!(made.output().unwrap().status.success());
    assert_eq!(mode(&context.path("new.parquet")), 0o640);
    // Root gives what it replaces back to its owner.
    if may_change_user() {
        let path = context.path("out.parquet");
        std::os::unix::fs::chown(&path, Some(1002), Some(1002)).unwrap();
        set_mode(&path, 0o600);
        again(&RUN);
        let found = std::fs::metadata(&path).unwrap();
        assert_eq!((found.uid(), found.gid(), mode(&path)), (1002, 1002, 0o600));
    }
}

/// What is written beside the output holds records, or names of files, as well.
#[test]
fn every_file_that_a_run_replaces_keeps_its_permissions() {
    let context = shared();
    context.write("in.ndjson", "{\"id\":1}\n{\"id\":1,\"v\":2}\nbad\n");
    let flags = with(&["--quarantine", "q.ndjson", "--dropped", "d.ndjson", "--report", "r.json"]);
    context.distil(&flags).succeeds();
    let files = ["out.parquet", "q.ndjson", "d.ndjson", "r.json"];
    for permissions in [0o600, 0o640, 0o604, 0o400] {
        files.iter().for_each(|file| set_mode(&context.path(file), permissions));
        context.distil(&[&flags[..], &["--mode", "overwrite"]].concat()).succeeds();
        let found = files.map(|file| mode(&context.path(file)));
        assert_eq!(found, [permissions; 4]);
    }
    // A run that fails replaces its report, too.
    context.distil(&with(&["--mode", "overwrite", "--report", "r.json"])).fails(1, &["bad record"]);
    assert!(context.read("r.json").contains("\"failed\""));
    assert_eq!(mode(&context.path("r.json")), 0o400);
}

#[test]
fn a_report_replaces_a_report_and_nothing_else() {
    let context = shared();
    context.write("notes.json", "{\"distil\":\"what I think of it\"}");
    context.distil(&with(&["--report", "notes.json"])).fails(5, &["notes.json", "not a report"]);
    assert!(context.read("notes.json").contains("what I think"));
    assert!(!context.path("out.parquet").exists());
    context.distil(&with(&["--report", "r.json"])).succeeds();
    context
        .distil(&["in.ndjson", "-o", "b.parquet", "--key", "id", "--report", "r.json"])
        .succeeds();
    context.distil(&with(&["--mode", "overwrite", "--report", "notes.json"])).succeeds();
    assert!(context.read("notes.json").contains("\"status\": \"done\""));
}

#[test]
fn an_output_may_have_any_name_that_a_file_may_have() {
    let context = shared();
    for (stem, ending) in [("n", ".parquet"), ("n", ""), ("é", ".parquet"), ("日", "")] {
        for bytes in [230, 237, 240, 246, 255] {
            let count = (bytes - ending.len()) / stem.len();
            let name = stem.repeat(count) + ending;
            let told =
                context.distil(&["in.ndjson", "-o", &name, "--key", "id", "--quarantine", "q"]);
            told.succeeds();
            let again = [
                "in.ndjson",
                "-o",
                &name,
                "--key",
                "id",
                "--quarantine",
                "q",
                "--mode",
                "overwrite",
            ];
            context.distil(&again).succeeds();
            let hidden: Vec<String> =
                context.all_names().into_iter().filter(|name| name.starts_with('.')).collect();
            assert_eq!(hidden, Vec::<String>::new(), "{name}");
            std::fs::remove_file(context.path("q")).unwrap();
        }
    }
    let long = "n".repeat(256);
    let told = context.distil(&["in.ndjson", "-o", &long, "--key", "id"]);
    told.fails(3, &["File name too long"]);
}

#[test]
fn every_file_that_a_run_writes_may_have_a_long_name() {
    let context = shared();
    context.write("in.ndjson", "{\"id\":1}\n{\"id\":1,\"v\":2}\nbad\n");
    for bytes in [230, 241, 255] {
        let [q, d, r, out, t] = ["q", "d", "r", "o", "t"].map(|letter| letter.repeat(bytes));
        let mut flags = vec!["in.ndjson", "-o", &out, "--key", "id", "--temp-dir", &t];
        flags.extend(["--quarantine", &q, "--dropped", &d, "--report", &r]);
        std::fs::create_dir(context.path(&t)).unwrap();
        context.distil(&flags).succeeds();
        flags.extend(["--mode", "overwrite"]);
        context.distil(&flags).succeeds();
        let names = context.all_names();
        assert!(names.iter().all(|name| !name.starts_with('.')), "{names:?}");
        assert_eq!(all_names(&context.path(&t)), Vec::<String>::new());
    }
    // A path that is as long as a path may be, and one that is longer.
    let folder = format!("{}/", "p".repeat(200)).repeat(15);
    std::fs::create_dir_all(context.path(&folder)).unwrap();
    let long = format!("{folder}out.parquet");
    context.distil(&["in.ndjson", "-o", &long, "--key", "id", "--quarantine", "q"]).succeeds();
    let longer = format!("{}out.parquet", folder.repeat(2));
    let told = context.distil(&["in.ndjson", "-o", &longer, "--key", "id", "--quarantine", "q2"]);
    told.fails(3, &["File name too long"]);
}

/// 40 GB within a small compressed file, wherever they are: no command waits for their end.
#[test]
fn every_command_stops_within_whatever_is_long() {
    let context = Context::new();
    let packed = |content: &[u8]| zstd::encode_all(content, 1).unwrap();
    for (what, begin, piece) in [
        ("a string", "{\"id\":1,\"s\":\"", "s"),
        ("blanks in a record", "{\"id\":1,", " "),
        ("digits", "{\"id\":1", "1"),
        ("a list", "{\"id\":1,\"l\":[0", ",0"),
        ("brackets", "{\"id\":1,\"l\":", "["),
        ("what is no JSON", "{\"id\":1,\"l\":", "\u{1}"),
        ("blank lines", "{\"id\":1}\n", "\n"),
        ("a sibling of the records", "{\"s\":\"", "s"),
        ("siblings of the records", "{\"s\":0", ",\"s\":0"),
        ("blanks in an array", "[{\"id\":1},", " "),
    ] {
        let piece = packed(piece.repeat((20 << 20) / piece.len()).as_bytes());
        let mut content = packed(begin.as_bytes());
        (0..2_000).for_each(|_| content.extend_from_slice(&piece));
        context.write("in.ndjson", content);
        for arguments in [
            &["run", "in.ndjson", "-o", "out.parquet", "--key", "id"][..],
            &["schema", "in.ndjson"],
        ] {
            let mut command = context.command(arguments);
            let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            wait_for("the command to be within it", || ticks(&child) > 20);
            send(&child, Signal::TERM);
            let told = Told::of(&end_of(child));
            assert_eq!(told.code, Some(143), "{what}, {arguments:?}: {told:?}");
            assert_eq!(context.names(), ["in.ndjson"], "{what}, {arguments:?}");
        }
    }
}

/// The time that a child has worked, in ticks of its clock; many if it ended.
fn ticks(child: &std::process::Child) -> u64 {
    let Ok(text) = std::fs::read_to_string(format!("/proc/{}/stat", child.id())) else {
        return u64::MAX;
    };
    let (_, fields) = text.rsplit_once(") ").unwrap();
    let fields: Vec<&str> = fields.split(' ').collect();
    if fields[0] == "Z" { u64::MAX } else { fields[11].parse().unwrap() }
}

/// A little of a compressed file may be much of one record: the run stops within it all the same.
#[test]
fn a_run_stops_within_a_long_record() {
    let context = Context::new();
    let packed = |content: &[u8]| {
        use std::io::Write as _;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    };
    // A string of 40 GB, which takes minutes to read to its end.
    let piece = packed(&vec![b'a'; 20 << 20]);
    let mut content = packed(b"{\"id\":1,\"s\":\"");
    (0..2_000).for_each(|_| content.extend_from_slice(&piece));
    content.extend(packed(b"\"}\n"));
    context.write("in.ndjson", content);
    let mut command =
        context.command(&[&["run"], &RUN[..], &["--quarantine", "q.ndjson"]].concat());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for("the run to begin", || context.path(".out.parquet.distil-staging/scratch").exists());
    send(&child, Signal::TERM);
    let output = end_of(child);
    Told::of(&output).fails(143, &["asked to end"]);
    assert_eq!(context.names(), ["in.ndjson"]);
}
