//! Outputs where none should be.

use std::os::unix::fs::symlink;

use crate::context::Context;

const UNTOUCHED: &str = "nothing was written; the output is as it was before";

#[test]
fn nothing_that_a_run_writes_lies_in_a_source_or_is_one() {
    let context = Context::new();
    context.write("d/a.json", "{\"ts\":1}\n");
    let source = context.read("d/a.json");
    for flags in [
        &["d", "-o", "d/out.parquet"][..],
        &["d", "-o", "out.parquet", "--quarantine", "d/q.ndjson"],
        &["d", "-o", "out.parquet", "--dropped", "d/dropped.parquet"],
        &["d", "-o", "out.parquet", "--report", "d/r.json"],
        &["d", "-o", "out.parquet", "--temp-dir", "d"],
        &["d/*.{json,parquet}", "-o", "d/out.parquet", "--layout", "file"],
        &["d/a.json", "-o", "out.parquet", "--quarantine", "d/a.json", "--mode", "overwrite"],
        &["d/a.json", "-o", "d", "--layout", "dir", "--mode", "overwrite"],
        &["d/a.json", "-o", "out.parquet", "--quarantine", "out.parquet"],
    ] {
        let told = context.distil(&[flags, &["--key", "ts"]].concat());
        let code = told.code.unwrap();
        assert!([2, 5].contains(&code), "{flags:?}: {code} {}", told.stderr);
        told.fails(code, &["  output: "]);
        assert_eq!(context.read("d/a.json"), source, "{flags:?}");
        assert_eq!(context.names(), ["d"], "{flags:?}");
        assert_eq!(crate::support::all_names(&context.path("d")), ["a.json"], "{flags:?}");
    }
    // A name of Parquet makes no Parquet of records.
    context.write("in.parquet", &source);
    let flags = ["in.parquet", "-o", "in.parquet", "--mode", "overwrite", "--key", "ts"];
    let told = context.distil(&flags);
    told.fails(2, &["  output: "]);
    assert_eq!(context.read("in.parquet"), source);
}

#[test]
fn a_link_in_a_source_cannot_hide_that_the_output_is_there() {
    let context = Context::new();
    context.write("d/a.json", "{\"ts\":1}\n");
    symlink("d", context.path("alias")).unwrap();
    let told = context.distil(&["d", "-o", "alias/out.parquet", "--key", "ts"]);
    told.fails(2, &["lies inside the source d", UNTOUCHED, "help: choose a place outside"]);
    let told = context.distil(&["alias", "-o", "d/out.parquet", "--key", "ts"]);
    told.fails(2, &["lies inside the source alias", UNTOUCHED]);
}

#[test]
fn an_output_that_is_a_directory_a_link_or_no_file_is_refused() {
    let context = Context::with_example();
    context.write("full.parquet/mine", "mine");
    context.write("target.parquet", "mine");
    symlink("target.parquet", context.path("link.parquet")).unwrap();
    symlink("nowhere", context.path("dangling.parquet")).unwrap();
    let before = context.names();
    for (output, why) in [
        ("full.parquet", "there is a directory"),
        ("link.parquet", "the output is a link"),
        ("dangling.parquet", "the output is a link that leads nowhere"),
        ("/dev/null", "/dev/null: "),
    ] {
        let flags =
            ["in.json", "-o", output, "--key", "ts", "--layout", "file", "--mode", "overwrite"];
        context.distil(&flags).fails(2, &[why]);
    }
    assert_eq!(context.read("target.parquet"), "mine");
    assert_eq!(context.read("full.parquet/mine"), "mine");
    assert_eq!(context.names(), before);
}

#[test]
fn a_directory_of_somebody_else_is_never_replaced() {
    let context = Context::with_example();
    context.write("out/mine", "mine");
    let flags = ["in.json", "-o", "out", "--key", "ts", "--layout", "dir", "--mode", "overwrite"];
    context.distil(&flags).fails(5, &["holds mine, which distil did not write"]);
    assert_eq!(context.read("out/mine"), "mine");
    let flags = ["in.json", "-o", "new", "--key", "ts", "--layout", "dir", "--mode", "overwrite"];
    context.distil(&flags).succeeds();
    context.write("new/mine", "mine");
    context.distil(&flags).fails(5, &["holds mine, which distil did not write"]);
    std::fs::remove_file(context.path("new/mine")).unwrap();
    context.distil(&flags).succeeds();
}

#[test]
fn a_temporary_directory_that_is_missing_or_a_file_is_refused() {
    let context = Context::with_example();
    for place in ["none", "in.json"] {
        let told =
            context.distil(&["in.json", "-o", "o.parquet", "--key", "ts", "--temp-dir", place]);
        told.fails(2, &["the temporary directory is not a directory", UNTOUCHED, "mkdir -p"]);
    }
    assert_eq!(context.names(), ["in.json"]);
}
