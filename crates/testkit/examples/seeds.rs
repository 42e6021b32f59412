//! Writes what fuzzing begins with: the files of the suite, as each target reads them.
//!
//! `seeds DIRECTORY` fills `DIRECTORY/TARGET`; the targets, and what their first bytes mean, are in
//! `fuzz/fuzz_targets`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a tool for tests, which writes where it is told to"
)]

use std::path::{Path, PathBuf};

use distil_testkit::suite::cases;

/// Larger files would be cut by the fuzzer, and slow it down.
const LARGEST: usize = 2_000;

/// Values for the columns of the usual record of `paths`, most of which do not fit there.
const ODD: [&str; 14] = [
    "null",
    "\"2019-04-23T17:25:43.110Z\"",
    "\"2019-04-23T17:25:43Z\"",
    "\"2019-02-30T00:00:00.000Z\"",
    "\"\\u0041\"",
    "\"\u{e9}\"",
    "-0",
    "9223372036854775807",
    "12345678901234567890",
    "1e2",
    "0.1000000000000000055",
    "[1]",
    "{\"x\":null}",
    "tru",
];

struct Seeds {
    root: PathBuf,
    written: usize,
}

impl Seeds {
    fn add(&mut self, target: &str, parts: &[&[u8]]) {
        let directory = self.root.join(target);
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join(format!("seed-{:04}", self.written)), parts.concat())
            .unwrap();
        self.written += 1;
    }
}

fn main() {
    let root = std::env::args().nth(1).expect("the directory of the corpus");
    let mut seeds = Seeds { root: Path::new(&root).to_owned(), written: 0 };
    let files = cases().into_iter().flat_map(|case| case.files);
    for (at, (_, content)) in files.filter(|(_, content)| content.len() < LARGEST).enumerate() {
        let turn = [at as u8];
        seeds.add("bytes", &[&[0], &content]);
        seeds.add("borders", &[&[3, 2], &content]);
        seeds.add("spill", &[&turn, &[5], &content]);
        // Files of one column: its values, one a line.
        let text = String::from_utf8_lossy(&content);
        let values: Option<Vec<&str>> = text
            .lines()
            .map(|line| line.strip_prefix("{\"c\":").and_then(|line| line.strip_suffix('}')))
            .collect();
        if let Some(values) = values.filter(|values| !values.is_empty()) {
            let values = values.join("\n");
            seeds.add("values", &[&turn, values.replace('"', "").as_bytes()]);
            seeds.add("values", &[&[0], values.as_bytes()]);
            seeds.add("order", &[&turn, values.as_bytes()]);
        }
    }
    for column in 0..6 {
        for turn in 0..5u8 {
            for half in ODD.chunks(ODD.len() / 2) {
                let lines: String = half.iter().map(|value| format!("{column}{value}\n")).collect();
                seeds.add("paths", &[&[turn], lines.as_bytes()]);
            }
        }
    }
    // No change, a change of the length of the footer and of a byte of it, and footers.
    for how in 0..4u8 {
        seeds.add("parquet", &[&[how]]);
        seeds.add("parquet", &[&[how], &[4, 0, 1, 200, 1, 0x19]]);
    }
    let schema = b"\x15\x02\x19\x2c\x48\x01s\x15\x02\x00\x15\x02\x25\x02\x18\x01x\x00";
    seeds.add("parquet", &[&[0x80], schema, b"\x16\x00\x19\x0c\x00"]);
    seeds.add("parquet", &[&[0xc0], b"PAR1", schema, b"\x16\x00\x19\x0c\x00\x17\x00\x00\x00PAR1"]);
    // Choices of the generator: bytes that look random.
    for seed in 1..=16u64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let bytes: Vec<u8> = (0..LARGEST)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state as u8
            })
            .collect();
        seeds.add("pipeline", &[&bytes]);
    }
}
