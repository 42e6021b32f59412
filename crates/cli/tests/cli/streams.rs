//! Streams that are closed or full, signals, and progress where there is no terminal.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use insta::assert_snapshot;
use rustix::process::{Pid, Signal, kill_process};

use crate::context::{Context, STANDSTILL, end_of, wait_for};

/// A reader that is gone before anything is written.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

fn full() -> Stdio {
    OpenOptions::new().write(true).open("/dev/full").unwrap().into()
}

#[test]
fn a_reader_that_has_enough_is_no_error() {
    let context = Context::with_example();
    context.out(&["run", "-q", "in.json", "-o", "o.parquet", "--key", "ts", "--order-by", "id"]);
    for arguments in [
        &["head", "o.parquet"][..],
        &["schema", "in.json"],
        &["verify", "o.parquet"],
        &["digest", "o.parquet"],
        &["completions", "bash"],
        &["--help"],
        &["plan", "in.json", "-o", "x.parquet", "--key", "ts"],
    ] {
        let output = context.command(arguments).stdout(closed()).output().unwrap();
        assert_eq!(context.told(&output), "exit: 0\n", "{arguments:?}");
        let output = context.command(arguments).stdout(full()).output().unwrap();
        assert_eq!(
            context.told(&output),
            "exit: 3\n--- stderr\nerror: standard output: cannot write: No space left on device\n",
            "{arguments:?}"
        );
    }
}

#[test]
fn a_report_that_does_not_arrive_fails_after_the_commit() {
    let context = Context::with_example();
    let flags = ["run", "-q", "in.json", "--key", "ts", "--order-by", "id", "--report", "-", "-o"];
    for (stdout, name) in [(closed(), "a.parquet"), (full(), "b.parquet")] {
        let output =
            context.command(&[&flags[..], &[name]].concat()).stdout(stdout).output().unwrap();
        assert_eq!(output.status.code(), Some(4), "{}", context.told(&output));
        assert_eq!(context.out(&["head", name]).lines().count(), 2);
    }
}

#[test]
fn nobody_listening_on_standard_error_changes_nothing() {
    let context = Context::with_example();
    let flags = ["run", "in.json", "-o", "o.parquet", "--key", "ts", "-v", "--progress", "always"];
    let status = context.command(&flags).stderr(closed()).status().unwrap();
    assert_eq!(status.code(), Some(0));
    let status = context.command(&flags).stderr(closed()).status().unwrap();
    assert_eq!(status.code(), Some(5));
    let status = context.command(&["run", "--nope"]).stderr(closed()).status().unwrap();
    assert_eq!(status.code(), Some(2));
}

/// Starts a run that reads from its standard input, and waits until it stages.
fn started(context: &Context) -> Child {
    let child = context
        .command(&["run", "-", "-o", "out.parquet", "--key", "ts"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let staging = context.path(".out.parquet.distil-staging");
    wait_for("the staging directory beside the output", || staging.exists());
    child
}

/// Signals a run whose input does not end by itself. What it said, once it ended.
fn signalled(context: &Context, signal: Signal) -> String {
    let mut child = started(context);
    let mut input = child.stdin.take().unwrap();
    // Ends when the run has gone.
    let feeder = std::thread::spawn(move || {
        let mut ts = 0;
        while writeln!(input, "{{\"ts\":{ts}}}").is_ok() {
            ts += 1;
        }
    });
    kill_process(Pid::from_child(&child), signal).unwrap();
    let told = context.told(&end_of(child));
    feeder.join().unwrap();
    told
}

#[test]
fn an_interrupted_run_leaves_nothing_behind() {
    let context = Context::new();
    assert_snapshot!(signalled(&context, Signal::INT), @"
    exit: 130
    --- stderr
    error: interrupted
      output: nothing was written; the output is as it was before
    ");
    assert!(context.names().is_empty(), "{:?}", context.names());
}

#[test]
fn a_terminated_run_leaves_nothing_behind() {
    let context = Context::new();
    assert_snapshot!(signalled(&context, Signal::TERM), @"
    exit: 143
    --- stderr
    error: asked to end
      output: nothing was written; the output is as it was before
    ");
    assert!(context.names().is_empty(), "{:?}", context.names());
}

#[test]
fn no_terminal_sees_no_colour_and_no_bar() {
    let context = Context::with_example();
    let flags = ["run", "in.json", "-o", "o.parquet", "--key", "ts", "--progress", "always", "-v"];
    let told = context.run(&flags);
    assert!(told.starts_with("exit: 0\n"), "{told}");
    assert!(!told.contains(['\u{1b}', '\r']), "{told}");
    let told = context.run(&flags);
    assert!(!told.contains('\u{1b}'), "{told}");
}

#[test]
fn a_long_run_tells_where_it_is_where_there_is_no_terminal() {
    let context = Context::new();
    let flags = ["run", "-", "-o", "o.parquet", "--key", "ts", "--progress", "always"];
    let mut child =
        context.command(&flags).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let seen = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&seen);
    let feeder = std::thread::spawn(move || {
        let begun = Instant::now();
        let mut ts = 0;
        // Should nothing be told, the run ends, and the test fails.
        while !stop.load(Ordering::Relaxed) && begun.elapsed() < STANDSTILL {
            for _ in 0..1_000 {
                ts += 1;
                writeln!(input, "{{\"ts\":{ts}}}").unwrap();
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    });
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert!(line.starts_with("reading: ") && line.contains(" records, "), "{line}");
    seen.store(true, Ordering::Relaxed);
    feeder.join().unwrap();
    stderr.read_to_string(&mut line).unwrap();
    assert!(child.wait().unwrap().success(), "{line}");
}

#[test]
fn a_run_that_waits_for_a_silent_pipe_ends_on_the_first_signal() {
    let context = Context::new();
    let mut child = started(&context);
    // Would the run wait for the pipe, it would never end: the writer is there until it did.
    let silent = child.stdin.take().unwrap();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let output = end_of(child);
    drop(silent);
    assert_eq!(output.status.code(), Some(130));
    assert!(context.names().is_empty(), "{:?}", context.names());
}
