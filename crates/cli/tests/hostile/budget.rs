//! The budget of memory, held by data of every kind that once went over it.
//!
//! `DISTIL_BUDGETS` set to `all` takes the sizes and budgets of the table in `docs/reliability.md`.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};

use crate::context::Context;
use crate::support::Choices;

/// Data, its plan, and how many records it has in `make test`, and in all; none where it is too large for `make test`.
struct Set {
    name: &'static str,
    records: [u64; 2],
    record: fn(u64, &mut Choices, &mut String),
    flags: &'static [&'static str],
}

const SETS: [Set; 11] = [
    Set {
        name: "small records",
        records: [1_500_000, 5_000_000],
        record: small,
        flags: &["--key", "ts", "--order-by", "id,data"],
    },
    Set {
        name: "small records, a key of two columns",
        records: [1_000_000, 5_000_000],
        record: small,
        flags: &["--key", "id,ts"],
    },
    Set {
        name: GENERATED,
        records: [0, 50_000_000],
        record: |_, _, _| {},
        flags: &["--key", "ts", "--order-by", "id,data", "--records", "/records"],
    },
    Set {
        name: "UUIDs",
        records: [400_000, 1_000_000],
        record: |at, choices, line| {
            let mut uuid = || {
                let (a, b) = (choices.below(u64::MAX), choices.below(u64::MAX));
                format!("{:08x}-{:04x}-4{:03x}-{:016x}", a >> 32, a >> 16 & 0xffff, a & 0xfff, b)
            };
            write!(line, "{{\"id\":\"{}\",\"v\":{at},\"w\":\"{}\"}}", uuid(), uuid()).unwrap();
        },
        flags: &["--key", "id"],
    },
    Set {
        name: "100 members",
        records: [50_000, 200_000],
        record: |at, choices, line| {
            write!(line, "{{\"id\":{}", at * 7_919 % 199_999).unwrap();
            for n in 0..33 {
                write!(
                    line,
                    ",\"i{n}\":{},\"s{n}\":\"v{}\"",
                    choices.below(1 << 20),
                    choices.below(1000)
                )
                .unwrap();
                write!(line, ",\"f{n}\":{}.{:03}", choices.below(1000), choices.below(1000))
                    .unwrap();
            }
            line.push('}');
        },
        flags: &["--key", "id"],
    },
    Set {
        name: "1,000 columns of integers",
        records: [5_000, 20_000],
        record: |at, choices, line| wide(at, choices, line, 1_000),
        flags: &["--key", "id"],
    },
    Set {
        name: "1,000 columns, three of them in a record",
        records: [10_000, 50_000],
        record: |at, choices, line| {
            write!(line, "{{\"id\":{at},\"c{}\":{at}", at % 990).unwrap();
            write!(line, ",\"d{}\":{at}}}", choices.below(5)).unwrap();
        },
        flags: &["--key", "id"],
    },
    Set {
        name: "601 leaves in a column",
        records: [300, 3_000],
        record: |at, choices, line| {
            write!(line, "{{\"id\":{at},\"o\":{{\"x\":{at}").unwrap();
            for n in 0..200 {
                let (a, b) = (choices.below(1 << 20), choices.below(1000));
                write!(line, ",\"m{n}\":{{\"a\":{a},\"b\":\"v{b}\",\"c\":[{b},{a}]}}").unwrap();
            }
            line.push_str("}}");
        },
        flags: &["--key", "id"],
    },
    Set {
        name: "100 KB each",
        records: [1_500, 20_000],
        record: |at, choices, line| {
            write!(line, "{{\"k\":{},\"b\":\"", at * 7_919 % 19_999).unwrap();
            for _ in 0..10_000 {
                let letters = choices.below(u64::MAX);
                line.extend((0..10).map(|n| char::from(b'a' + (letters >> (6 * n) & 15) as u8)));
            }
            line.push_str("\"}");
        },
        flags: &["--key", "k"],
    },
    Set {
        name: "one key",
        records: [1_000_000, 5_000_000],
        record: of_one_key,
        flags: &["--key", "k"],
    },
    Set {
        name: "one key, its losers kept",
        records: [1_000_000, 5_000_000],
        record: of_one_key,
        flags: &["--key", "k", "--dropped", "dropped.parquet"],
    },
];

fn small(at: u64, _: &mut Choices, line: &mut String) {
    let (id, data, ts) = (at % 99_991, at % 977, at * 7_919 % 4_999_999);
    write!(line, "{{\"id\":\"{id:05}\",\"data\":\"{data:03}\",\"ts\":{ts}}}").unwrap();
}

/// Written by `distil generate`: a twentieth more of them, in 1,000 documents.
const GENERATED: &str = "52.5 million small records in documents";

fn wide(at: u64, choices: &mut Choices, line: &mut String, columns: u64) {
    write!(line, "{{\"id\":{at}").unwrap();
    for n in 1..columns {
        write!(line, ",\"c{n}\":{}", choices.below(1 << 30)).unwrap();
    }
    line.push('}');
}

fn of_one_key(at: u64, choices: &mut Choices, line: &mut String) {
    let (n, t) = (choices.below(1 << 30), at % 1000);
    write!(line, "{{\"k\":1,\"n\":{n},\"t\":\"t{t}\"}}").unwrap();
}

impl Set {
    /// Writes its records to the directory `in`.
    fn write(&self, context: &Context, records: u64) {
        if self.name == GENERATED {
            let (each, more) = (records / 1_000, records / 20_000);
            let (each, more) = (each.to_string(), more.to_string());
            let flags = ["generate", "in", "-q", "--files", "1000", "--spread", "50%"];
            context.out(&[&flags[..], &["--records", &each, "--duplicates", &more]].concat());
            return;
        }
        std::fs::create_dir(context.path("in")).unwrap();
        let mut file = BufWriter::new(File::create(context.path("in/a.ndjson")).unwrap());
        let (mut choices, mut line) = (Choices(1), String::new());
        for at in 0..records {
            line.clear();
            (self.record)(at, &mut choices, &mut line);
            line.push('\n');
            file.write_all(line.as_bytes()).unwrap();
        }
        file.flush().unwrap();
    }
}

/// The rows of the main job are packed within the least budget, too: 16 bytes each. If but a few of their strings had no
/// room in the dictionaries, the rows with them would take four times as much, and the run five times as long.
#[test]
fn the_rows_of_the_main_job_are_packed_within_the_least_budget() {
    let context = Context::new();
    let records = 2_000_000;
    context.out(&["generate", "in", "-q", "--files", "4", "--records", "500000"]);
    let flags = ["run", "in", "-o", "out.parquet", "--key", "ts", "--order-by", "id,data", "-q"];
    let more = ["--threads", "2", "--memory", "64MiB", "--report", "r.json"];
    context.out(&[&flags[..], &more].concat());
    let report = std::fs::read(context.path("r.json")).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
    let spilled = report["resources"]["spilled_bytes"].as_u64().unwrap();
    assert!(spilled > 0 && spilled < records * 20, "{spilled}");
}

/// A peak that a budget allows: the rows are 1.1 times it at most, and the process is there, too.
fn allowed(mebibytes: u64) -> u64 {
    mebibytes * (1 << 20) / 10 * 11 + 64_000_000
}

/// Peaks stay within the budget, and no budget changes a byte, with 64 open files.
#[test]
fn the_budget_holds_for_data_of_every_kind() {
    let all = std::env::var("DISTIL_BUDGETS").is_ok_and(|wanted| wanted == "all");
    let budgets: &[u64] = if all { &[64, 96, 128, 192, 256, 512] } else { &[64, 512] };
    let mut table = String::new();
    let mut over = Vec::new();
    for set in SETS {
        let records = set.records[usize::from(all)];
        if records == 0 {
            continue;
        }
        let context = Context::new();
        set.write(&context, records);
        write!(table, "| {} |", set.name).unwrap();
        let mut digests = Vec::new();
        for budget in budgets {
            let memory = format!("{budget}MiB");
            let flags = ["in", "-o", "out.parquet", "--mode", "overwrite", "--report", "r.json"];
            let more = ["--threads", "2", "--memory", &memory, "-q"];
            let arguments = [&["run"], &flags[..], &more[..], set.flags].concat();
            context.through(&["prlimit", "--nofile=64"], &arguments).succeeds();
            let report: serde_json::Value = serde_json::from_str(&context.read("r.json")).unwrap();
            let peak = report["resources"]["peak_memory_bytes"].as_u64().unwrap();
            let seconds = report["resources"]["seconds"].as_f64().unwrap();
            write!(table, " {} ({seconds:.1} s) |", peak >> 20).unwrap();
            if peak > allowed(*budget) {
                over.push(format!("{}: {} MiB at {memory}", set.name, peak >> 20));
            }
            let mut digest = std::fs::read(context.path("out.parquet")).unwrap();
            digest.extend(std::fs::read(context.path("dropped.parquet")).unwrap_or_default());
            digests.push(digest);
        }
        table.push('\n');
        assert!(digests.windows(2).all(|pair| pair[0] == pair[1]), "{}", set.name);
    }
    eprintln!("{table}");
    assert!(over.is_empty(), "{}\n{table}", over.join("\n"));
}
