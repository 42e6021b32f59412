//! Parquet with flipped bytes: whatever a reader makes of it, it is an error of the file, or rows.
//!
//! `DISTIL_FLIPS` is how many bytes are flipped of each file (60).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::path::Path;

use distil_output::digest::digest_output;
use distil_output::head::head;
use distil_output::reader::PartFile;
use distil_output::verify::verify;
use distil_plan::{
    ColumnPath, Dedup, Error, Fault, InputFormat, Plan, SchemaSpec, Sink, TimeUnit, Type,
};
use distil_storage::Memory;
use distil_testkit::subject_native::NativeSubject;
use distil_testkit::suite::{Stretch, Subject};

/// Records of all kinds of columns, enough for dictionaries and several pages.
fn records() -> Vec<u8> {
    let mut text = String::new();
    for n in 0..3_000 {
        text.push_str(&format!(
            "{{\"k\":{n},\"f\":{}.5,\"s\":\"{}\",\"u\":\"unique {n}\",\"b\":{},\"l\":[{n},null],\
             \"o\":{{\"x\":\"{}\",\"y\":[{{\"z\":{n}}}]}},\"t\":\"2020-01-01T00:00:{:02}Z\",\"j\":[1,\"a\"],\
             \"d\":12345678901234567890123}}\n",
            n % 17,
            n % 7,
            n % 2 == 0,
            n % 5,
            n % 60
        ));
    }
    text.into_bytes()
}

fn output(compression: &str) -> Vec<u8> {
    let mut plan = Plan::new(vec!["in".into()], Sink::new("out.parquet"));
    plan.dedup = Some(Dedup::on_columns(vec![ColumnPath::name("k")]));
    plan.digest = true;
    plan.schema.hints = vec![(ColumnPath::name("t"), Type::Timestamp(TimeUnit::Millis))];
    plan.sink.compression = compression.parse().unwrap();
    plan.sink.row_group_rows = 1_500;
    plan.sink.bloom = vec![ColumnPath::name("u")];
    let files = vec![("a.ndjson".to_owned(), records())];
    NativeSubject.run(&files, &plan, &Stretch::plain()).unwrap().files.remove(0).1
}

/// What reads a file, by every way there is.
fn read(content: &[u8], schema: &SchemaSpec) -> Vec<Error> {
    let memory = Memory::new();
    let path = Path::new("f.parquet");
    memory.put(path, content);
    let mut errors = Vec::new();
    errors.extend(head(&memory, path, 10).err());
    errors.extend(digest_output(&memory, path).err());
    errors.extend(verify(&memory, path, None).err());
    let mut plan = Plan::new(vec!["in".into()], Sink::new("out.parquet"));
    plan.format = InputFormat::Parquet;
    plan.schema = schema.clone();
    let files = vec![("f.parquet".to_owned(), content.to_vec())];
    errors.extend(NativeSubject.run(&files, &plan, &Stretch::plain()).err().map(|error| *error));
    errors
}

#[test]
fn a_flipped_byte_is_the_fault_of_the_file() {
    let flips: usize =
        std::env::var("DISTIL_FLIPS").map_or(60, |text| text.parse().expect("a number"));
    let mut found = 0;
    for compression in ["zstd", "snappy", "lz4", "none"] {
        let whole = output(compression);
        let memory = Memory::new();
        memory.put("f", &whole);
        let footer = PartFile::open(&memory, Path::new("f")).unwrap().footer().unwrap().unwrap();
        let schema = SchemaSpec { declared: Some(footer.schema), ..SchemaSpec::default() };
        assert!(read(&whole, &schema).is_empty());
        // Flips everywhere, most of them in the footer: its lengths and offsets are believed first.
        let footer_at = whole.len()
            - 8
            - u32::from_le_bytes(whole[whole.len() - 8..][..4].try_into().unwrap()) as usize;
        let (data, tail) = (footer_at, whole.len() - footer_at);
        for flip in 0..flips {
            let at = match flip % 2 {
                0 => flip * data / flips,
                _ => footer_at + flip * tail / flips,
            };
            let mut broken = whole.clone();
            broken[at] ^= 1 << (flip % 8);
            for error in read(&broken, &schema) {
                found += 1;
                assert_eq!(error.fault, Fault::Input, "{compression}, byte {at}: {error:?}");
                assert!(!error.what.contains(".rs"), "{compression}, byte {at}: {error:?}");
            }
        }
        for length in (0..whole.len()).step_by(whole.len() / 20) {
            for error in read(&whole[..length], &schema) {
                assert_eq!(error.fault, Fault::Input, "{compression}, cut at {length}: {error:?}");
            }
        }
    }
    assert!(found > flips, "only {found} readings found something broken");
}
