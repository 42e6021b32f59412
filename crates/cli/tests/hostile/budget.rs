//! The budget of memory, held by data of every kind that once went over it.
//!
//! `DISTIL_BUDGETS` set to `all` takes the sizes and budgets of the table in `docs/reliability.md`.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};

use crate::context::Context;
use crate::support::Choices;

/// Data, its plan, and how many records it has in `make test`, and in all.
struct Set {
    name: &'static str,
    records: [u64; 2],
    record: fn(u64, &mut Choices, &mut String),
    flags: &'static [&'static str],
}

const SETS: [Set; 7] = [
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

fn of_one_key(at: u64, choices: &mut Choices, line: &mut String) {
    let (n, t) = (choices.below(1 << 30), at % 1000);
    write!(line, "{{\"k\":1,\"n\":{n},\"t\":\"t{t}\"}}").unwrap();
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
        let context = Context::new();
        let mut file = BufWriter::new(File::create(context.path("in.ndjson")).unwrap());
        let (mut choices, mut line) = (Choices(1), String::new());
        for at in 0..set.records[usize::from(all)] {
            line.clear();
            (set.record)(at, &mut choices, &mut line);
            line.push('\n');
            file.write_all(line.as_bytes()).unwrap();
        }
        file.flush().unwrap();
        drop(file);
        write!(table, "| {} |", set.name).unwrap();
        let mut digests = Vec::new();
        for budget in budgets {
            let memory = format!("{budget}MiB");
            let flags =
                ["in.ndjson", "-o", "out.parquet", "--mode", "overwrite", "--report", "r.json"];
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
