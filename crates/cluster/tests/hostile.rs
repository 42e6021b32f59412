//! Logs that are cut, foreign or hostile: no panic, no more memory than their tasks need, and errors that say what to do.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests may, and they look at the disk past the storage"
)]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use distil_cluster::{Application, Source, Thresholds, audit};
use distil_plan::{Code, Error};
use distil_storage::{Local, Memory};

const SKEWED: &[u8] = include_bytes!(
    "fixtures/skewed/eventlog_v2_application_1795574059731_0001/events_1_application_1795574059731_0001.zstd"
);

fn read(log: &[u8]) -> Result<Application, Error> {
    let memory = Memory::new();
    memory.put("log", log);
    Source::EventLog("log".into(), None).read(&memory)
}

/// Whatever is read is audited, and what is said of it is JSON.
fn audited(log: &[u8]) -> Option<String> {
    let application = read(log).ok()?;
    let audit = audit(&application, None, &Thresholds::default());
    let text = serde_json::to_string(&audit).unwrap();
    assert!(!text.contains("null"), "no number is infinite: {text}");
    Some(audit.verdict.reason)
}

#[test]
fn a_log_cut_at_any_byte_is_read_as_far_as_it_goes() {
    // Compressed, and plain around each end of a line and between.
    for cut in (0..200).chain((200..SKEWED.len()).step_by(17)) {
        if let Err(error) = read(&SKEWED[..cut]) {
            assert_eq!(error.code, Code::Input, "cut at {cut}: {error}");
        }
    }
    let plain = zstd::decode_all(SKEWED).unwrap();
    let ends = plain.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at);
    let cuts =
        ends.flat_map(|end| end.saturating_sub(1)..end + 2).chain((0..plain.len()).step_by(9973));
    let mut tasks = 0;
    for cut in cuts {
        let Ok(application) = read(&plain[..cut]) else { continue };
        assert!(application.gaps.len() <= 1, "{:?}", application.gaps);
        tasks = tasks.max(application.tasks.len());
    }
    assert_eq!(tasks, 26);
    let half = read(&plain[..plain.len() / 2]).unwrap();
    assert_eq!(half.gaps, ["its last line is cut"]);
    assert_eq!(half.ended, None);
}

#[test]
fn numbers_and_texts_of_any_kind_are_no_harm() {
    let plain = String::from_utf8(zstd::decode_all(SKEWED).unwrap()).unwrap();
    let hostile = [
        "-1",
        "1e308",
        "-9223372036854775808",
        "18446744073709551615",
        "null",
        "\"x\"",
        "[]",
        "{}",
    ];
    for name in [
        "Timestamp",
        "Launch Time",
        "Finish Time",
        "Total Cores",
        "Submission Time",
        "Completion Time",
        "Number of Tasks",
        "Executor Run Time",
        "Executor CPU Time",
        "Bytes Read",
        "Stage ID",
        "Task ID",
        "Executor ID",
        "Host",
    ] {
        for value in hostile {
            let mut log = String::new();
            for (number, line) in plain.lines().enumerate() {
                let member = format!("\"{name}\":");
                // In every second line, so that others are there to be compared.
                match line.find(&member).filter(|_| number % 2 == 0) {
                    Some(at) => {
                        let begin = at + member.len();
                        let end = line[begin..].find([',', '}']).unwrap() + begin;
                        log.extend([&line[..begin], value, &line[end..], "\n"]);
                    }
                    None => log.extend([line, "\n"]),
                }
            }
            assert!(audited(log.as_bytes()).is_some(), "{name} {value}");
        }
    }
}

#[test]
fn what_is_no_event_log_is_named() {
    let what = |log: &[u8]| {
        let error = read(log).unwrap_err();
        assert_eq!(error.code, Code::Input);
        assert!(error.hints[0].text.contains("spark.eventLog.enabled=true"), "{error:#}");
        error.to_string()
    };
    assert_eq!(what(b""), "log: the event log is empty: Spark has not written to it yet");
    for foreign in [
        &b"{\"a\":1}\n[2]\n"[..],
        b"{\"Event\":\"click\"}\n",
        b"PAR1\x15\x04",
        b"\n\n<html>",
        b"{\"Event\":{\"Event\":1}}",
    ] {
        assert_eq!(what(foreign), "log: this is no event log of Spark");
    }
    let deep =
        [b"{\"Event\":\"SparkListenerTaskEnd\",\"x\":".to_vec(), vec![b'['; 1_000_000]].concat();
    assert_eq!(what(&deep), "log: this is no event log of Spark");
    // Beside events, lines of others are counted.
    let mixed = "{\"Event\":\"SparkListenerLogStart\",\"Spark Version\":\"4.3.0\"}\nnoise\n{\"Event\":\"mine\"}\n";
    assert_eq!(read(mixed.as_bytes()).unwrap().gaps, ["1 of its lines are no events"]);
    assert_eq!(audited(mixed.as_bytes()).unwrap(), "no task ran");
    let missing = Source::EventLog("nothing".into(), None).read(&Memory::new()).unwrap_err();
    assert_eq!(
        (missing.code, missing.to_string().as_str()),
        (Code::NotFound, "nothing: there is no such event log")
    );
}

#[test]
fn in_a_directory_an_application_is_chosen_by_its_id() {
    let memory = Memory::new();
    for directory in [
        "logs",
        "logs/eventlog_v2_application_1_0001_2",
        "logs/eventlog_v2_application_1_0001_10",
        "none",
    ] {
        memory.put_dir(directory);
    }
    let log = |id: &str| {
        format!(
            "{{\"Event\":\"SparkListenerApplicationStart\",\"App ID\":\"{id}\",\"Timestamp\":1}}\n"
        )
    };
    memory.put("logs/app-1-0000.inprogress", log("app-1-0000"));
    memory.put("logs/.app-1-0000.crc", "x");
    memory.put("logs/app-1-00001.zstd", log("app-1-00001"));
    memory
        .put("logs/eventlog_v2_application_1_0001_2/events_1_application_1_0001_2", log("second"));
    for part in 1..12 {
        let name =
            format!("logs/eventlog_v2_application_1_0001_10/events_{part}_application_1_0001_10");
        memory.put(&name, log(&format!("part {part}")));
    }
    let found = |id: Option<&str>| {
        Source::EventLog("logs".into(), id.map(str::to_owned)).read(&memory).map(|found| found.id)
    };
    assert_eq!(found(Some("app-1-0000")).unwrap(), "app-1-0000");
    // The last attempt, and of its files the last.
    assert_eq!(found(Some("application_1_0001")).unwrap(), "part 11");
    let error = found(None).unwrap_err();
    assert_eq!(error.to_string(), "logs: there are 4 event logs here");
    assert_eq!(error.details[0], "application_1_0001_2");
    assert_eq!(found(Some("app-2-0000")).unwrap_err().code, Code::NotFound);
    let none = Source::EventLog("none".into(), None).read(&memory).unwrap_err();
    assert_eq!(none.to_string(), "none: there is no event log");
    memory.put(
        "logs/eventlog_v2_application_1_0001_10/events_7_application_1_0001_10.compact",
        log("compact"),
    );
    let compacted =
        Source::EventLog("logs".into(), Some("application_1_0001".into())).read(&memory).unwrap();
    assert_eq!(
        compacted.gaps,
        ["a History Server compacted it, and left out tasks of jobs that were over"]
    );
}

/// A log of this many tasks on three executors of four cores, with what Spark writes beside them.
fn generate(path: &Path, tasks: u64) {
    let file = std::fs::File::create(path).unwrap();
    let mut log = zstd::Encoder::new(file, 1).unwrap();
    let mut text = String::new();
    for line in zstd::decode_all(SKEWED).unwrap().split_inclusive(|byte| *byte == b'\n') {
        let line = std::str::from_utf8(line).unwrap();
        if line.contains("SparkListenerTask") || line.contains("ApplicationEnd") {
            continue;
        }
        text.push_str(line);
    }
    let accumulables: Vec<String> = (0..24)
        .map(|id| format!("{{\"ID\":{id},\"Name\":\"internal.metrics.executorRunTime\",\"Update\":\"{id}\",\"Value\":\"12{id}\",\"Internal\":true,\"Count Failed Values\":true}}"))
        .collect();
    let accumulables = accumulables.join(",");
    for task in 0..tasks {
        let (executor, begin) = (task % 3 + 1, 1_795_574_200_000 + task / 12 * 10);
        let node = executor;
        for (event, end) in [("Start", 0), ("End", begin + 1000)] {
            let accumulables = if end > 0 { &accumulables } else { "" };
            writeln!(
                text,
                "{{\"Event\":\"SparkListenerTask{event}\",\"Stage ID\":0,\"Stage Attempt ID\":0,\"Task Type\":\"ShuffleMapTask\",\
                 \"Task End Reason\":{{\"Reason\":\"Success\"}},\"Task Info\":{{\"Task ID\":{task},\"Index\":{task},\"Attempt\":0,\
                 \"Partition ID\":{task},\"Launch Time\":{begin},\"Executor ID\":\"{executor}\",\"Host\":\"node{node}\",\
                 \"Locality\":\"PROCESS_LOCAL\",\"Speculative\":false,\"Getting Result Time\":0,\"Finish Time\":{end},\
                 \"Failed\":false,\"Killed\":false,\"Accumulables\":[{accumulables}]}},\"Task Metrics\":{{\"Executor Run Time\":900,\
                 \"Executor CPU Time\":800000000,\"JVM GC Time\":10,\"Memory Bytes Spilled\":0,\"Disk Bytes Spilled\":0,\
                 \"Input Metrics\":{{\"Bytes Read\":1000,\"Records Read\":10}}}}}}"
            )
            .unwrap();
        }
        if text.len() > 1 << 20 {
            log.write_all(text.as_bytes()).unwrap();
            text.clear();
        }
    }
    log.write_all(text.as_bytes()).unwrap();
    log.finish().unwrap().sync_all().unwrap();
}

/// The most memory that this process had, in bytes.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() << 10
}

/// It runs alone where tests have a process each; where they share one, the others need little.
#[test]
#[cfg(target_os = "linux")]
fn a_hundred_thousand_tasks_fit_in_200_mb() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app-1-0000.zstd");
    generate(&path, 100_000);
    let application = Source::EventLog(path, None).read(&Local).unwrap();
    let audit = audit(&application, None, &Thresholds::default());
    assert_eq!(audit.nodes.iter().map(|node| node.used.tasks).sum::<u64>(), 100_000);
    assert_eq!(audit.stages[0].longest_seconds, 1.0);
    assert!(peak_memory() < 200 << 20, "{} MiB", peak_memory() >> 20);
}
