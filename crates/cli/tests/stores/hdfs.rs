//! Commands on files of HDFS: `make test-hdfs` runs one for them. Without it they say so and pass.

use std::path::Path;

use crate::context::Context;

/// Where a test's files lie: a directory of its own.
#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
fn directory(name: &str) -> Option<String> {
    let Ok(url) = std::env::var("DISTIL_HDFS") else {
        eprintln!("{name}: skipped, as DISTIL_HDFS names no HDFS");
        return None;
    };
    Some(format!("{url}/{name}-{}", std::process::id()))
}

#[test]
fn every_command_gives_what_it_gives_on_files_on_hdfs() {
    let Some(hdfs) = directory("commands") else { return };
    let context = Context::new();
    let out = |arguments: String| {
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        context.out(&arguments)
    };
    let read = |name: &str| std::fs::read(context.path(name)).unwrap();
    let flags = "--key ts --order-by id,data";
    for place in ["here", &hdfs] {
        out(format!("generate {place} --files 5 --records 20000 --duplicates 2000"));
    }
    out(format!("run here -o out.parquet {flags} --report r.json"));
    // From HDFS to a disk, from a disk to HDFS, and both; directories and globs.
    out(format!("run {hdfs} -o from.parquet {flags}"));
    assert!(read("from.parquet") == read("out.parquet"));
    let (output, report) = (format!("{hdfs}-out.parquet"), format!("{hdfs}-r.json"));
    out(format!("run {hdfs}/records-*.json -o {output} {flags} --report {report}"));
    assert_eq!(out(format!("digest {output}")), out("digest out.parquet".to_owned()));
    out(format!("verify {output} {report}"));
    out(format!("verify {output} here.answer.json"));
    assert_eq!(out(format!("head {output}")), out("head out.parquet".to_owned()));
    assert_eq!(out(format!("schema {hdfs}")), out("schema here".to_owned()));
    out(format!("run here -o {hdfs}-to/ {flags} --row-group-rows 10000 --max-file-rows 10000"));
    out(format!("run here -o to/ {flags} --row-group-rows 10000 --max-file-rows 10000"));
    assert_eq!(out(format!("digest {hdfs}-to")), out("digest to".to_owned()));
}

#[test]
fn an_output_is_replaced_as_on_a_disk_on_hdfs() {
    let Some(hdfs) = directory("replaced") else { return };
    let context = Context::new();
    context.write("a.ndjson", "{\"id\":1,\"v\":1}\n[]\n{\"id\":1,\"v\":2}\n");
    let run = |more: &[&str]| {
        let output = format!("{hdfs}.parquet");
        let quarantine = format!("{hdfs}-q.ndjson");
        let dropped = format!("{hdfs}-d.parquet");
        let beside = ["--quarantine", &quarantine, "--dropped", &dropped];
        let arguments = [&["run", "a.ndjson", "-o", &output, "--key", "id"], &beside[..], more];
        context.run(&arguments.concat())
    };
    assert!(run(&[]).starts_with("exit: 0"));
    let again = run(&[]);
    assert!(again.starts_with("exit: 5"), "{again}");
    assert!(run(&["--mode", "overwrite"]).starts_with("exit: 0"));
    let head = context.out(&["head", &format!("{hdfs}-d.parquet")]);
    assert_eq!(head, "{\"id\":1,\"v\":2}\n");
    // A quarantine elsewhere could not appear with the output.
    let output = format!("{hdfs}-other.parquet");
    let apart =
        context.run(&["run", "a.ndjson", "-o", &output, "--key", "id", "--quarantine", "q.ndjson"]);
    assert!(apart.starts_with("exit: 2") && apart.contains("another store"), "{apart}");
    assert!(!Path::new(&context.path("q.ndjson")).exists());
}
