//! Parquet of others, in every codec: its rows come exactly. With flipped bytes it is an error of the file, or rows,
//! whatever a reader makes of it.
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
use distil_output::reader::PartFile;
use distil_plan::{Fault, SchemaSpec};
use distil_storage::Memory;
use distil_testkit::foreign::{COMPRESSIONS, copied, one_column, output, read};

#[test]
fn a_flipped_byte_is_the_fault_of_the_file() {
    let flips: usize =
        std::env::var("DISTIL_FLIPS").map_or(60, |text| text.parse().expect("a number"));
    let mut found = 0;
    for compression in COMPRESSIONS {
        let whole = output(compression, 3_000);
        let schema = schema_of(&whole);
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

/// The schema that the footer of an output tells.
fn schema_of(output: &[u8]) -> SchemaSpec {
    let part = PartFile::open(&holding(output), Path::new("f")).unwrap();
    let footer = part.footer().unwrap().unwrap();
    SchemaSpec { declared: Some(footer.schema), ..SchemaSpec::default() }
}

#[test]
fn rows_come_exactly_from_every_codec() {
    let [first, others @ ..] = COMPRESSIONS;
    let expected = output(first, 3_000);
    let schema = schema_of(&expected);
    let digest = |content: &[u8]| digest_output(&holding(content), Path::new("f")).unwrap();
    let copy = copied(&expected, &schema).unwrap();
    for compression in others {
        let found = output(compression, 3_000);
        assert_ne!(found, expected, "{compression}");
        assert!(read(&found, &schema).is_empty(), "{compression}");
        assert_eq!(digest(&found), digest(&expected), "{compression}");
        assert!(copied(&found, &schema).unwrap() == copy, "{compression}");
    }
}

#[test]
fn a_codec_that_the_library_lacks_is_named() {
    let mut content = output("snappy", 100);
    // The path of a column ends its list of names, and its codec follows: snappy is 1, LZO is 3.
    let path = [0x18, 1, b'k', 0x15, 2];
    let at = content.windows(path.len()).position(|bytes| bytes == path).unwrap();
    content[at + 4] = 6;
    let errors = read(&content, &schema_of(&output("snappy", 100)));
    assert_eq!(errors.len(), 4, "{errors:?}");
    for error in errors {
        assert_eq!(error.fault, Fault::Input, "{error:?}");
        assert_eq!(error.what, "its column k is compressed by LZO, which can't be read");
        assert_eq!(error.hints.len(), 1, "{error:?}");
    }
}

/// A footer in the compact protocol of Thrift, with its length and mark.
fn foreign(footer: &[u8]) -> Vec<u8> {
    let length = u32::try_from(footer.len()).unwrap().to_le_bytes();
    [&b"PAR1"[..], footer, &length, b"PAR1"].concat()
}

/// A number as Thrift writes it.
fn number(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// A schema of groups in each other, of this repetition; without the column inside, it claims a child that it lacks.
fn nested(levels: usize, repetition: u8, whole: bool) -> Vec<u8> {
    let group = [0x35, repetition << 1, 0x18, 1, b'a', 0x15, 2, 0];
    let column = [0x15, 2, 0x25, 2, 0x18, 1, b'x', 0];
    let root = [0x48, 1, b's', 0x15, 2, 0];
    let mut footer =
        [&[0x15, 2, 0x19, 0xfc][..], &number(levels + 1 + usize::from(whole))].concat();
    footer.extend_from_slice(&root);
    (0..levels).for_each(|_| footer.extend_from_slice(&group));
    footer.extend_from_slice(if whole { &column } else { &[] });
    footer.extend_from_slice(&[0x16, 0, 0x19, 0x0c, 0]);
    foreign(&footer)
}

#[test]
fn a_schema_that_nests_deep_is_the_fault_of_the_file() {
    let schema = one_column();
    for repetition in [0, 1, 2] {
        assert!(PartFile::open(&holding(&nested(20, repetition, true)), Path::new("f")).is_ok());
        for levels in [150, 2_000, 200_000] {
            for whole in [true, false] {
                let errors = read(&nested(levels, repetition, whole), &schema);
                assert_eq!(errors.len(), 4, "{levels} levels: {errors:?}");
                for error in errors {
                    assert_eq!(error.fault, Fault::Input, "{levels} levels: {error:?}");
                    assert!(error.what.contains("100 levels"), "{levels} levels: {error:?}");
                }
            }
        }
    }
}

fn holding(content: &[u8]) -> Memory {
    let memory = Memory::new();
    memory.put("f", content);
    memory
}

/// A list that claims more than any memory holds is not given room first.
#[test]
fn a_list_that_claims_too_much_is_the_fault_of_the_file() {
    let schema = one_column();
    let begin =
        [0x15, 2, 0x19, 0x2c, 0x48, 1, b's', 0x15, 2, 0, 0x15, 2, 0x25, 2, 0x18, 1, b'x', 0];
    for claimed in [1 << 16, 1 << 24, (1 << 31) - 1, (1 << 32) - 1, 1 << 62] {
        let many = [&[0xfc][..], &number(claimed)].concat();
        let groups = [&begin[..], &[0x16, 0, 0x19], &many, &[0]].concat();
        let columns = [&begin[..], &[0x16, 0, 0x19, 0x1c, 0x19], &many, &[0]].concat();
        let pairs = [&begin[..], &[0x16, 0, 0x19, 0x0c, 0x19], &many, &[0]].concat();
        let elements = [&[0x15, 2, 0x19][..], &many, &begin[4..], &[0]].concat();
        let name = [&[0x15, 2, 0x19, 0x1c, 0x48][..], &number(claimed), &[0]].concat();
        for footer in [groups, columns, pairs, elements, name] {
            let errors = read(&foreign(&footer), &schema);
            assert_eq!(errors.len(), 4, "{claimed}: {errors:?}");
            for error in errors {
                assert_eq!(error.fault, Fault::Input, "{claimed}: {error:?}");
            }
        }
    }
}
