//! One byte of a valid file is changed, lost or added, and the run is judged by the oracle.
//!
//! `DISTIL_MUTATIONS` is how many (5,000); `DISTIL_SEED` another seed than the one that CI always
//! takes. A case that hangs ends the process with its name.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use distil_testkit::reliability::MUTATIONS;
use distil_testkit::subject_native::NativeSubject;
use distil_testkit::suite::{Case, Stretch, case, check_over};

/// Members of every kind, spellings that are rare, and keys that meet.
const RECORDS: [&str; 8] = [
    r#"{"k":1,"id":"10101","ts":"2019-04-23T17:25:43.111Z","n":-12.5e-1,"o":{"a":[1,null,{"b":true}],"c":""}}"#,
    r#"{"k":2,"id":"\u00e9\"\\\/\ud83d\ude00","ts":"2019-04-23T18:20:32.876Z","n":9007199254740993,"o":null}"#,
    r#"{ "k" : 1 , "id":"10101", "ts":"2019-04-23T17:25:43.111Z","n":0, "o":{} }"#,
    r#"{"id":"é]}","\u006b":3,"ts":"2024-02-29T23:59:59.999Z","n":1e400,"o":{"c":"x","a":[]}}"#,
    r#"{"k":2,"ts":"0001-01-01T00:00:00.000Z","id":"","n":null,"late":[[],[false]]}"#,
    r#"{"k":18446744073709551616,"id":"10102","ts":"9999-12-31T23:59:59.000Z","n":-0.0}"#,
    r#"{"k":3,"id":"a,b","ts":"1969-12-31T23:59:59.999Z","n":123456789012345678901234567890.5}"#,
    r#"{"k":4,"id":"z","ts":"2019-04-23T18:20:32.876Z","n":5e-324,"o":{"c":"\t\u0000"}}"#,
];

/// After this a case of some milliseconds counts as one that never ends.
const STANDSTILL: Duration = Duration::from_secs(600);

/// A case that runs.
#[derive(Clone, Copy)]
struct Begun {
    number: u64,
    at: Instant,
}

/// Valid files of every shape and compression.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    let lines = RECORDS.map(|record| format!("{record}\n")).concat().into_bytes();
    let array = format!("[{}]", RECORDS.join(",\n")).into_bytes();
    let document = format!("{{\"v\":[1,{{\"records\":[]}}],\"records\":{},\"w\":\"x\"}}", {
        String::from_utf8_lossy(&array)
    })
    .into_bytes();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&lines).unwrap();
    let two_frames = [
        zstd::encode_all(&document[..200], 3).unwrap(),
        zstd::encode_all(&document[200..], 3).unwrap(),
    ];
    vec![
        ("concatenated", RECORDS.join("\n ").replacen(',', ",\n", 1).into_bytes()),
        ("gzip", gzip.finish().unwrap()),
        ("zstd", two_frames.concat()),
        ("lines", lines),
        ("array", array),
        ("document", document),
    ]
}

/// A small generator (`SplitMix64`), so that a case is a number.
struct Choices(u64);

impl Choices {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}

/// The case of a number, and how it is stretched.
fn mutated(files: &[(&str, Vec<u8>)], seed: u64, number: u64) -> (Case, Vec<Stretch>) {
    let mut choices = Choices(seed.wrapping_mul(1 << 40).wrapping_add(number));
    let (shape, content) = &files[choices.below(files.len())];
    let mut content = content.clone();
    let at = choices.below(content.len());
    let marks = b"{}[]\":,\\ \n\r\t0-+.eEuntf\0\xff";
    let byte = match choices.below(2) {
        0 => marks[choices.below(marks.len())],
        _ => choices.below(256) as u8,
    };
    let how = match choices.below(4) {
        0 => {
            content.insert(at, byte);
            "added"
        }
        1 => {
            content.remove(at);
            "removed"
        }
        2 => {
            content[at] ^= 1 << choices.below(8);
            "flipped"
        }
        _ => {
            content[at] = byte;
            "replaced"
        }
    };
    let case = case(format!("mutation {number} of seed {seed}: {shape}, byte {at} {how}"))
        .file("a.json", content)
        .file("b.json", format!("{}\n", RECORDS[1]));
    let case = match choices.below(4) {
        0 => case.key("*"),
        1 => case.key("k").null_keys().dropped(),
        2 => case.key("id,ts").keep_last(),
        _ => case.key("k").order("id desc").strict(),
    };
    let other = Stretch {
        read_chunk: 1 + choices.below(40),
        threads: 1 + choices.below(3),
        memory: Some(0),
        rotate_names: 0,
    };
    (case, vec![Stretch::plain(), other])
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

#[test]
fn one_byte_changed_is_told_exactly_and_never_hangs_or_crashes() {
    let (count, seed) = (number("DISTIL_MUTATIONS", MUTATIONS), number("DISTIL_SEED", 1));
    let files = files();
    let next = AtomicU64::new(0);
    let failed = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let running: Vec<Mutex<Option<Begun>>> = (0..threads).map(|_| Mutex::new(None)).collect();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| watch(&running, &done, &files, seed));
        let workers: Vec<_> = running
            .iter()
            .map(|now| {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= count || failed.lock().unwrap().len() >= 5 {
                            break;
                        }
                        let begun = Begun { number, at: Instant::now() };
                        *now.lock().unwrap() = Some(begun);
                        let (case, stretches) = mutated(&files, seed, number);
                        if let Err(problem) = check_over(&case, &NativeSubject, &stretches) {
                            failed.lock().unwrap().push(problem);
                        }
                    }
                    *now.lock().unwrap() = None;
                })
            })
            .collect();
        let ended: Vec<_> = workers.into_iter().map(|worker| worker.join()).collect();
        done.store(true, Ordering::Relaxed);
        assert!(ended.iter().all(Result::is_ok), "a judge panicked");
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

/// Ends the process when a case hangs: a thread that hangs can't be ended.
fn watch(
    running: &[Mutex<Option<Begun>>],
    done: &AtomicBool,
    files: &[(&str, Vec<u8>)],
    seed: u64,
) {
    while !done.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(100));
        for now in running {
            if let Some(Begun { number, at }) = *now.lock().unwrap()
                && at.elapsed() > STANDSTILL
            {
                let name = mutated(files, seed, number).0.name;
                eprintln!("{name} hangs: it has not ended within {STANDSTILL:?}");
                std::process::abort();
            }
        }
    }
}
