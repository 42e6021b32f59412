//! Disks that are full, or that nobody may write to, in a private view of mounts.

use std::process::Output;

use crate::context::Context;
use crate::support::{Told, may_mount};

const UNTOUCHED: &str = "nothing was written; the output is as it was before";

/// What the run in a script said, and the names that the script listed after it.
fn run_and_names(output: &Output) -> (Told, Vec<String>) {
    let told = Told::of(output);
    let names = told.stdout.lines().map(str::to_owned).collect();
    (told, names)
}

/// Mounts a small disk on `small`, runs distil, and lists what is left there.
fn on_a_small_disk(context: &Context, size: &str, run: &str) -> (Told, Vec<String>) {
    std::fs::create_dir_all(context.path("small")).unwrap();
    run_and_names(&context.with_mounts(&format!(
        "mount -t tmpfs -o size={size} none small
         {run} && status=0 || status=$?
         ls -A small
         exit $status"
    )))
}

#[test]
fn an_output_disk_that_fills_up_leaves_nothing_and_says_so() {
    if !may_mount() {
        return;
    }
    let context = Context::new();
    context.generate("data", 200_000, 1);
    let run = "\"$distil\" run data -o small/out.parquet --key ts --order-by id,data";
    let (told, names) = on_a_small_disk(&context, "600k", run);
    told.fails(3, &["small/", "No space left on device", UNTOUCHED, "help: free some space there"]);
    assert!(names.is_empty(), "{names:?}");
    let (told, names) = on_a_small_disk(&context, "64m", run);
    told.succeeds();
    assert_eq!(names, ["out.parquet"]);
}

#[test]
fn a_full_disk_keeps_the_old_output() {
    if !may_mount() {
        return;
    }
    let context = Context::new();
    context.generate("data", 200_000, 1);
    context.write("old.json", "{\"ts\":1}");
    let run = "\"$distil\" run -q old.json -o small/out.parquet --key ts
        \"$distil\" run data -o small/out.parquet --key ts --mode overwrite --order-by id,data || status=$?
        \"$distil\" head small/out.parquet > head
        test ${status:-0} = 0 || (exit $status)";
    let (told, names) = on_a_small_disk(&context, "600k", run);
    told.fails(3, &["small/", "No space left on device", UNTOUCHED]);
    assert_eq!(context.read("head"), "{\"ts\":1}\n");
    assert_eq!(names, ["out.parquet"]);
}

#[test]
fn a_quarantine_that_fills_its_disk_fails_the_run() {
    if !may_mount() {
        return;
    }
    let context = Context::new();
    let bad = format!("[\"{}\"]\n", "x".repeat(200));
    context.write("in.json", format!("{{\"ts\":1}}\n{}", bad.repeat(20_000)));
    let run = "\"$distil\" run in.json -o out.parquet --key ts --quarantine small/q.ndjson";
    let (told, names) = on_a_small_disk(&context, "1m", run);
    told.fails(3, &["small/", "No space left on device", UNTOUCHED, "help: free some space"]);
    assert!(names.is_empty(), "{names:?}");
    assert_eq!(context.names(), ["in.json", "small"]);
}

#[test]
fn a_report_that_fills_its_disk_fails_after_the_commit() {
    if !may_mount() {
        return;
    }
    let context = Context::with_example();
    let run = "head -c 65536 /dev/zero > small/other || true
        \"$distil\" run in.json -o out.parquet --key ts --order-by id --report small/r.json";
    let (told, names) = on_a_small_disk(&context, "64k", run);
    told.fails(4, &["small/", "No space left", "the output is committed, but there is no report"]);
    assert_eq!(names, ["other"]);
    assert_eq!(context.names(), ["in.json", "out.parquet", "small"]);
}

#[test]
fn a_temporary_directory_that_fills_up_fails_the_run_and_is_left_empty() {
    if !may_mount() {
        return;
    }
    let context = Context::new();
    context.generate("data", 1_000_000, 1);
    let run = "\"$distil\" run data -o out.parquet --key ts --order-by id,data --memory 64MiB \
               --temp-dir small";
    let (told, names) = on_a_small_disk(&context, "2m", run);
    told.fails(3, &["small/", "No space left on device", UNTOUCHED, "--temp-dir"]);
    assert!(names.is_empty(), "{names:?}");
    assert_eq!(context.names(), ["data", "data.answer.json", "small"]);
}

#[test]
fn a_read_only_mount_takes_no_output_and_gives_its_input() {
    if !may_mount() {
        return;
    }
    let context = Context::with_example();
    context.write("locked/a.json", "{\"ts\":1}");
    let script = |run: &str| {
        format!(
            "mount --bind locked locked; mount -o remount,ro,bind locked; exec \"$distil\" {run}"
        )
    };
    for run in [
        "run in.json -o locked/out.parquet --key ts",
        "run in.json -o out.parquet --key ts --quarantine locked/q.ndjson",
        "run in.json -o out.parquet --key ts --temp-dir locked",
    ] {
        let told = Told::of(&context.with_mounts(&script(run)));
        told.fails(
            3,
            &[
                "locked",
                "Read-only file system",
                UNTOUCHED,
                "help: choose another output: the file system is mounted read-only",
            ],
        );
        assert_eq!(context.names(), ["in.json", "locked"], "{run}");
    }
    Told::of(&context.with_mounts(&script("run -q locked -o out.parquet --key ts"))).succeeds();
    assert_eq!(context.out(&["head", "out.parquet"]), "{\"ts\":1}\n");
}
