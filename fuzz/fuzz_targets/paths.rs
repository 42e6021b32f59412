//! Records that look alike are packed, others take the general path: records of one form and whatever the
//! fuzzer makes of them, packed, encoded (wanted losers are never packed), and as the independent parser
//! of the oracle reads them. All three must agree, the first two byte by byte.
#![no_main]

use std::io::Write;

use distil_testkit::subject_native::NativeSubject;
use distil_testkit::suite::{Case, Stretch, Subject, case, check_over};
use flate2::write::GzEncoder;
use libfuzzer_sys::fuzz_target;

/// Values of the usual record, an instant, an integer, and one of every other class.
const NAMES: [&str; 6] = ["ts", "n", "id", "x", "ok", "data"];
const USUAL: [[&str; 6]; 3] = [
    [r#""2019-04-23T17:25:43.111Z""#, "7", r#""10101""#, "1.5", "true", r#""ABC""#],
    [r#""2019-04-23T17:25:43.112Z""#, "-8", r#""10102""#, "-0.25", "false", r#""""#],
    [
        r#""2019-04-23T17:25:43.111Z""#,
        "7",
        r#""10102""#,
        "1e300",
        "true",
        r#""a text of more than twenty""#,
    ],
];

/// The sample that chooses the layout reads so much of a compressed file: it sees usual records alone.
const SAMPLED: usize = 16 << 10;

fn line(values: &[&[u8]; 6]) -> Vec<u8> {
    let members = NAMES
        .iter()
        .zip(values)
        .map(|(name, value)| [b"\"", name.as_bytes(), b"\":", value].concat());
    [b"{", &members.collect::<Vec<_>>().join(&b","[..])[..], b"}\n"].concat()
}

/// Lines of the fuzzer: a digit puts what follows into the usual record as the value of a column, anything
/// else is a record as it is.
fn content(data: &[u8]) -> Vec<u8> {
    let usual = |at: usize| USUAL[at % 3].map(str::as_bytes);
    let mut content: Vec<u8> = (0..6).flat_map(|at| line(&usual(at))).collect();
    content.resize(content.len() + SAMPLED, b'\n');
    for (at, text) in data.split(|byte| *byte == b'\n').take(12).enumerate() {
        let mut values = usual(at);
        match text.split_first() {
            Some((digit @ b'0'..=b'5', value)) => {
                values[usize::from(digit - b'0')] = value;
                content.extend(line(&values));
                content.extend(line(&usual(at)));
            }
            _ => content.extend([text, b"\n"].concat()),
        }
    }
    content
}

fn check(case: &Case) {
    if let Err(problem) = check_over(case, &NativeSubject, &[Stretch::plain()]) {
        panic!("{problem}");
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((&first, lines)) = data.split_first() else { return };
    let mut gzip = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&content(lines)).unwrap();
    let case = case("paths").file("a.json", gzip.finish().unwrap()).shape("lines");
    let case = match first % 5 {
        0 => case.key("ts").order("id"),
        1 => case.key("ts"),
        2 => case.key("n,ts").order("x desc").keep_last(),
        3 => case.key("n").order("data desc,ok"),
        _ => case.key("ts,id").keep_last(),
    };
    check(&case);
    let encoded = case.clone().dropped();
    check(&encoded);
    let files = |case: &Case| {
        NativeSubject.run(&case.files, &case.plan, &Stretch::plain()).map(|output| output.files)
    };
    if let (Ok(packed), Ok(encoded)) = (files(&case), files(&encoded)) {
        assert!(packed == encoded, "packed rows give other bytes\n{case:?}");
    }
});
