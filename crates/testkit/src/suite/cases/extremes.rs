//! What hostile input adds to the rules that the other groups walk through: cut streams, texts in other
//! encodings, keys of every kind, numbers and objects that are very long.

use std::io::Write;

use crate::oracle::FailureKind;
use crate::suite::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    let one = |name: &str, content: &[u8]| case(name).file("a.json", content);
    let mut cases = vec![
        one("a_file_of_blanks_only", b" \r\n\t\n  ")
            .file("b.json", "{\"a\":1}")
            .gives(&["{\"a\":1}"]),
        one("a_byte_order_mark_and_nothing_else", b"\xef\xbb\xbf")
            .file("b.json", "{\"a\":1}")
            .gives(&["{\"a\":1}"]),
        one("two_byte_order_marks", b"\xef\xbb\xbf\xef\xbb\xbf{\"a\":1}\n{\"a\":2}\n")
            .gives(&["{\"a\":2}"]),
        one("utf_16_of_big_end_by_its_mark", b"\xfe\xff\0{\0}").fails(FailureKind::File, "UTF-16"),
        one("utf_16_of_big_end_by_its_zeros", b"\0{\0\"\0a\0\"").fails(FailureKind::File, "UTF-16"),
        one("utf_32_of_big_end_by_its_zeros", b"\0\0\0{\0\0\0}").fails(FailureKind::File, "UTF-32"),
        one("utf_32_of_little_end_by_its_mark", b"\xff\xfe\0\0{\0\0\0")
            .fails(FailureKind::File, "UTF"),
        one("utf_16_inside_gzip", &gzip(b"{\0\"\0a\0\"\0")).fails(FailureKind::File, "UTF-16"),
        one("trailing_bytes_behind_a_document", b"{\"records\":[{\"a\":1}]} x")
            .fails(FailureKind::File, "shape = "),
        one("a_nul_behind_a_document", b"{\"records\":[{\"a\":1}]}\0")
            .fails(FailureKind::File, "shape = "),
        one("an_empty_list_of_records", b"{\"records\":[]}").fails(FailureKind::NoRecord, ""),
        one(
            "records_behind_100_kilobytes_of_siblings",
            format!(
                "{{\"x\":\"{}\",\"y\":[{}0],\"r\\u0065cords\":[{{\"a\":1}}]}}",
                "\\\"]}".repeat(25_000),
                "{\"records\":[[]]},".repeat(2_000)
            )
            .as_bytes(),
        )
        .gives(&["{\"a\":1}"]),
        one("a_key_that_is_not_utf_8", b"{\"k\":\"a\"}\n{\"k\":\"a\xff\"}\n{\"k\":\"b\"}\n")
            .key("k")
            .gives(&["{\"k\":\"a\"}", "{\"k\":\"b\"}"])
            .bad(&[("invalid_json", 10, 10)]),
        one("a_payload_that_is_not_utf_8", b"{\"k\":1,\"p\":\"\xc3\x28\"}\n{\"k\":2}\n")
            .key("k")
            .gives(&["{\"k\":2}"])
            .bad(&[("invalid_json", 0, 16)]),
        case("keys_that_are_missing_null_or_empty")
            .lines(&["{\"k\":\"\"}", "{\"x\":1}", "{\"k\":null}", "{\"k\":\"\",\"x\":2}", "{}"])
            .key("k")
            .order("x desc")
            .gives(&["{\"k\":\"\",\"x\":2}"]),
        case("keys_of_booleans")
            .lines(&["{\"k\":true}", "{\"k\":false}", "{\"k\":true}"])
            .key("k")
            .gives(&["{\"k\":false}", "{\"k\":true}"])
            .duplicates(1, 0),
        case("an_object_as_key_is_refused")
            .lines(&["{\"k\":{\"a\":1}}"])
            .key("k")
            .fails(FailureKind::NoScalar, "k"),
        case("timestamps_without_zone_are_text")
            .values(&["\"2019-04-23T17:25:43\"", "\"2019-04-23T17:25:43.111\""])
            .types("c string"),
        case("timestamps_of_mixed_form_are_text")
            .values(&["\"2019-04-23T17:25:43Z\"", "\"2019-04-23T17:25:43.111Z\""])
            .types("c string"),
        case("timestamps_beside_year_10000_keep_their_text")
            .values(&["\"9999-12-31T23:59:59Z\"", "\"10000-01-01T00:00:00Z\""])
            .types("c string"),
        digits("an_integer_of_400_digits_is_kept", 400),
        digits("an_integer_of_100000_digits_is_kept", 100_000),
        decimals("ten_thousand_decimals_are_kept_exactly", 10_000),
        one(
            "a_million_levels_in_a_record",
            format!(
                "{{\"a\":1}}\n{{\"a\":{}{}}}\n{{\"a\":2}}\n",
                "[".repeat(1_000_000),
                "]".repeat(1_000_000)
            )
            .as_bytes(),
        )
        .gives(&["{\"a\":1}", "{\"a\":2}"])
        .bad(&[("too_deep", 8, 2_000_006)]),
        case("an_object_of_20000_members_is_json")
            .lines(&[&format!("{{\"c\":{}}}", object(20_000)), "{\"c\":{\"m00000\":5}}"])
            .types("c json"),
        case("names_of_control_characters")
            .lines(&["{\"k\":1,\"\\u001b[2J\":1,\"\\u0000\":2,\"\\u007f\":3,\"\\u0085\":4}"])
            .key("k"),
        case("names_that_are_empty_or_blank_are_columns")
            .lines(&["{\"\":1,\" \":2,\"\\t\":3,\"\\u00a0\":4}"])
            .key("*"),
        one("a_gzip_file_of_its_first_bytes_alone", &gzip(b"{\"a\":1}\n")[..5])
            .file("b.json", "{\"a\":1}")
            .gives(&["{\"a\":1}"])
            .bad(&[("broken_range", 0, 0)]),
        one(
            "several_gzip_members_of_which_the_last_is_cut",
            &[&gzip(b"{\"a\":1}\n")[..], &gzip(b"{\"a\":2}\n")[..14]].concat(),
        )
        .gives(&["{\"a\":1}"]),
    ];
    // The content is told block by block: small ones, so that something comes out before the cut.
    let frame = zstd(b"{\"a\":1}\n{\"a\":2}\n");
    for (name, end) in [
        ("a_zstd_file_cut_in_its_magic", 3),
        ("a_zstd_file_cut_in_its_header", 5),
        ("a_zstd_file_cut_inside_a_frame", frame.len() - 6),
        ("a_zstd_file_cut_in_its_checksum", frame.len() - 2),
    ] {
        let file = [&zstd(b"{\"a\":0}\n")[..], &frame[..end]].concat();
        cases.push(case(name).file("a.json.zst", file).file("b.json", "{\"a\":9}"));
    }
    cases
}

/// Integers of so many digits, equal but for the last one.
fn digits(name: &str, digits: usize) -> Case {
    let long = "7".repeat(digits - 1);
    case(name)
        .values(&[&format!("{long}8"), &format!("{long}7"), &format!("-{long}7"), "1"])
        .types("c json")
}

/// Decimals with 1 to 40 digits around the point, some with an exponent; each is another record.
fn decimals(name: &str, count: u64) -> Case {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |n: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % n
    };
    let lines: Vec<String> = (0..count)
        .map(|at| {
            let run = |n: u64, below: &mut dyn FnMut(u64) -> u64| -> String {
                (0..n).map(|_| char::from(b'0' + below(10) as u8)).collect()
            };
            let sign = ["", "-"][below(2) as usize];
            let lead = 1 + below(9);
            let (before, behind) = (below(20), 1 + below(20));
            let whole = run(before, &mut below);
            let fraction = run(behind, &mut below);
            let exponent = match below(4) {
                0 => format!("e{}", below(700) as i64 - 350),
                _ => String::new(),
            };
            format!("{{\"at\":{at},\"d\":{sign}{lead}{whole}.{fraction}{exponent}}}")
        })
        .collect();
    case(name)
        .lines(&lines.iter().map(String::as_str).collect::<Vec<_>>())
        .key("at")
        .types("at int64, d json")
}

fn object(members: usize) -> String {
    let members: Vec<String> = (0..members).map(|i| format!("\"m{i:05}\":{i}")).collect();
    format!("{{{}}}", members.join(","))
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn zstd(content: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}
