//! Compression, shapes and frames (1.2 to 1.5).

use std::io::Write;

use crate::generate::{bzip2, lz4, xz};
use crate::oracle::FailureKind;
use crate::suite::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    let one = |name: &str, content: &str| case(name).file("a.json", content);
    let mut cases = vec![
        one("a_byte_order_mark_at_the_start_is_skipped", "\u{feff}{\"a\":1}\n{\"a\":2}\n")
            .gives(&["{\"a\":1}", "{\"a\":2}"]),
        one("a_byte_order_mark_before_a_document_is_skipped", "\u{feff} {\"records\":[{\"a\":1}]}")
            .gives(&["{\"a\":1}"]),
        one("a_byte_order_mark_in_the_middle_is_bad", "{\"a\":1}\n\u{feff}{\"a\":2}\n{\"a\":3}\n")
            .bad(&[("invalid_json", 8, 10)]),
        one("a_byte_order_mark_between_concatenated_values", "{\"a\":1}\u{feff}{\"a\":2}")
            .shape("concatenated")
            .bad(&[("invalid_json", 7, 3)]),
        one("a_truncated_document", "{\"x\":1,\"records\":[{\"a\":1},{\"a\":2").bad(&[(
            "broken_range",
            26,
            6,
        )]),
        one("a_document_that_ends_behind_a_comma", "{\"records\":[{\"a\":1}, ").bad(&[(
            "broken_range",
            21,
            0,
        )]),
        one("a_document_that_ends_behind_its_array", "{\"records\":[{\"a\":1}]").bad(&[(
            "broken_range",
            20,
            0,
        )]),
        one("a_truncated_array", "[{\"a\":1},{\"a\":\"}]").bad(&[("broken_range", 9, 8)]),
        one("truncated_lines", "{\"a\":1}\n{\"a\":2").bad(&[("invalid_json", 8, 6)]),
        one("truncated_concatenated_values", "{\"a\":1}{\"a\":2").shape("concatenated").bad(&[(
            "broken_range",
            7,
            6,
        )]),
        one("a_trailing_comma_in_an_array", "[{\"a\":1},]").bad(&[("broken_range", 9, 1)]),
        one("a_trailing_comma_in_a_record", "[{\"a\":1,},{\"a\":2}]").bad(&[(
            "invalid_json",
            1,
            8,
        )]),
        one("a_trailing_comma_behind_the_array", "{\"records\":[{\"a\":1}],}").bad(&[(
            "broken_range",
            21,
            1,
        )]),
        one("a_missing_comma_in_an_array", "[{\"a\":1} {\"a\":2},{\"a\":3}]").bad(&[(
            "broken_range",
            9,
            16,
        )]),
        one("a_record_with_brackets_that_do_not_match", "[{\"a\":[1}},{\"a\":2}]").bad(&[(
            "invalid_json",
            1,
            9,
        )]),
        one("a_bracket_inside_a_string_does_not_count", "[{\"a\":\"]}[{\\\"\\\\\"},{\"a\":\"x\"}]")
            .types("a string"),
        one("another_array_behind_an_array", "[{\"a\":1}]\n[{\"a\":2}]")
            .fails(FailureKind::File, "not one array"),
        one("an_array_of_names_and_an_array_on_each_line", "[\"a\"]\n[1]\n[2]\n")
            .fails(FailureKind::File, "not one array"),
        one("text_behind_an_array", "[{\"a\":1}] \n{\"a\":2}").bad(&[("broken_range", 11, 7)]),
        one("two_documents_are_refused", "{\"records\":[{\"a\":1}]}\n{\"records\":[{\"a\":2}]}")
            .fails(FailureKind::File, "shape = \"lines\""),
        one("two_documents_name_the_other_shape", "{\"records\":[]} {\"records\":[]}")
            .fails(FailureKind::File, "shape = \"concatenated\""),
        one(
            "documents_can_be_read_as_lines",
            "{\"records\":[{\"a\":1}]}\n{\"records\":[{\"a\":2}]}",
        )
        .shape("lines")
        .types("records list<struct<a: int64>>"),
        one("records_missing", "{\"rows\":[{\"a\":1}]}")
            .shape("/records")
            .fails(FailureKind::NoRecords, "/records"),
        one("records_twice", "{\"records\":[{\"a\":1}],\"records\":[{\"a\":2}]}")
            .fails(FailureKind::File, ""),
        one("records_twice_by_an_escape", "{\"records\":[{\"a\":1}],\"r\\u0065cords\":1}")
            .fails(FailureKind::File, ""),
        one("records_that_are_one_object", "{\"records\":{\"a\":1}}")
            .shape("/records")
            .gives(&["{\"a\":1}"]),
        one("records_that_are_null", "{\"records\":null}")
            .shape("/records")
            .fails(FailureKind::NoRecords, ""),
        one("a_document_that_is_an_array", "[{\"a\":1}]")
            .shape("/records")
            .fails(FailureKind::NoRecords, ""),
        one("an_array_that_is_an_object", "{\"a\":1}").shape("array").fails(FailureKind::File, ""),
        one("an_empty_document", "").shape("/records").fails(FailureKind::NoRecord, ""),
        one(
            "members_beside_the_array",
            "{\"v\":[1,{\"records\":[]}],\"records\":[{\"a\":1}],\"w\":{},\"v\":2}",
        )
        .gives(&["{\"a\":1}"]),
        one("an_array_at_a_longer_path", "{\"n\":0,\"a/b\":{\"x\":1,\"~c\":[{\"k\":1}],\"y\":2}}")
            .shape("/a~1b/~0c")
            .gives(&["{\"k\":1}"]),
        one("a_second_member_on_the_way", "{\"a\":{\"b\":[]},\"a\":{}}")
            .shape("/a/b")
            .fails(FailureKind::File, ""),
        one("invalid_text_before_the_array", "{\"x\":01,\"records\":[{\"a\":1}]}")
            .shape("/records")
            .declare("a int64")
            .bad(&[("broken_range", 5, 23)]),
        one("invalid_text_behind_the_array", "{\"records\":[{\"a\":1}],\"x\":tru}").bad(&[(
            "broken_range",
            25,
            4,
        )]),
        one("an_escape_in_the_name_of_the_array", "{\"r\\u0065c\\u006frds\":[{\"a\":1}]}")
            .gives(&["{\"a\":1}"]),
        one("a_first_object_that_breaks_is_lines", "{\"a\":1,}\n{\"a\":2}\n").bad(&[(
            "invalid_json",
            0,
            8,
        )]),
        one("an_object_over_lines_is_concatenated", "{\"a\":\n1}\n{\"a\":2}{\"a\":3}").gives(&[
            "{\"a\":1}",
            "{\"a\":2}",
            "{\"a\":3}",
        ]),
        one("two_objects_on_a_line_are_one_bad_record", "{\"a\":1} {\"a\":2}\n{\"a\":3}\n")
            .bad(&[("invalid_json", 0, 15)]),
        one("a_comma_between_concatenated_values", "{\"a\":\n1},{\"a\":2}").bad(&[(
            "broken_range",
            8,
            8,
        )]),
        one("concatenated_values_of_every_kind", "{\"a\":1}\"x\"[1]tru{\"a\":2}-1\"y\"\nnull")
            .shape("concatenated")
            .bad(&[
                ("not_an_object", 7, 3),
                ("not_an_object", 10, 3),
                ("invalid_json", 13, 3),
                ("not_an_object", 23, 2),
                ("not_an_object", 25, 3),
                ("not_an_object", 29, 4),
            ]),
        one("arrays_of_values_of_every_kind", "[1, {\"a\":1}, \"x,]\", [[]], tru:e, null ]").bad(
            &[
                ("not_an_object", 1, 1),
                ("not_an_object", 13, 5),
                ("not_an_object", 20, 4),
                ("invalid_json", 26, 5),
                ("not_an_object", 33, 4),
            ],
        ),
        one("carriage_returns_and_blank_lines", "\r\n {\"a\":1}\t\r\n\r\n   \n{\"a\":2}\r\n\n")
            .gives(&["{\"a\":1}", "{\"a\":2}"]),
        one("a_carriage_return_alone_ends_no_line", "{\"a\":1}\r{\"a\":2}\n{\"a\":3}").bad(&[(
            "invalid_json",
            0,
            15,
        )]),
        one("white_space_that_is_not_json", "{\"a\":1}\u{a0}\n{\"a\":2}\u{b}\n{\"a\":3}\n")
            .bad(&[("invalid_json", 0, 9), ("invalid_json", 10, 8)]),
        case("an_empty_file_beside_another")
            .file("a.json", "")
            .file("b.json", " \n\t\r\n")
            .file("c.json", "{\"a\":1}")
            .file("d.json", "[]")
            .gives(&["{\"a\":1}"]),
        case("only_empty_files_have_no_column").file("a.json", "").fails(FailureKind::NoRecord, ""),
        case("every_file_has_its_own_shape")
            .file("a.json", "[{\"a\":1}]")
            .file("b.json", "{\"a\":2}\n{\"a\":3}")
            .file("c.json", "{\"a\"\n:4}{\"a\":5}")
            .key("a")
            .gives(&["{\"a\":1}", "{\"a\":2}", "{\"a\":3}", "{\"a\":4}", "{\"a\":5}"]),
        case("arrays_and_documents_go_together")
            .file("a.json", "[{\"a\":1}]")
            .file("b.json", "{\"records\":[{\"a\":2}]}")
            .key("a")
            .gives(&["{\"a\":1}", "{\"a\":2}"]),
        case("one_record_with_a_list_of_records_is_not_read_in_another_way_than_its_neighbours")
            .file("a.json", "{\"p\":1,\"records\":[{\"k\":1}]}\n{\"p\":2,\"records\":[]}\n")
            .file("b.json", "{\"p\":3,\"records\":[{\"k\":1}]}\n")
            .fails(FailureKind::File, "shape = \"lines\""),
        case("compressed_and_plain_files")
            .file("a.json", gzip(b"[{\"a\":1},{\"a\":2}]"))
            .file("b.json", zstd(b"{\"a\":1}\n{\"a\":3}\n"))
            .file("c.json.gz", "{\"a\":4}\n")
            .key("a")
            .duplicates(1, 0),
        case("gzip_members_one_after_another")
            .file("a.json.gz", [gzip(b"{\"a\":1}\n{\"a\""), gzip(b""), gzip(b":2}\n")].concat())
            .gives(&["{\"a\":1}", "{\"a\":2}"]),
        case("zstd_frames_one_after_another_with_skippable_ones")
            .file(
                "a.json.zst",
                [&b"\x5a\x2a\x4d\x18\x02\0\0\0xx"[..], &zstd(b"[{\"a\":1},"), &zstd(b"{\"a\":2}]")]
                    .concat(),
            )
            .gives(&["{\"a\":1}", "{\"a\":2}"]),
        case("bzip2_xz_and_lz4_by_content_whatever_the_name")
            .file("a.json", bzip2(b"{\"a\":1}\n{\"a\":2}\n"))
            .file("b.json", xz(b"[{\"a\":3}]"))
            .file("c.json", lz4(b"[{\"a\":4}]"))
            .gives(&["{\"a\":1}", "{\"a\":2}", "{\"a\":3}", "{\"a\":4}"]),
        case("bzip2_streams_one_after_another")
            .file("a.json.bz2", [bzip2(b"{\"a\":1}\n{\"a\""), bzip2(b""), bzip2(b":2}\n")].concat())
            .gives(&["{\"a\":1}", "{\"a\":2}"]),
        case("xz_streams_one_after_another_with_zeros_between")
            .file(
                "a.json.xz",
                [xz(b"{\"a\":1}\n{\"a\""), vec![0; 8], xz(b":2}\n"), vec![0; 4]].concat(),
            )
            .gives(&["{\"a\":1}", "{\"a\":2}"]),
        case("lz4_frames_one_after_another_with_skippable_ones")
            .file(
                "a.json.lz4",
                [
                    &lz4(b"{\"a\":1}\n{\"a\"")[..],
                    &b"\x5a\x2a\x4d\x18\x02\0\0\0xx"[..],
                    &lz4(b":2}\n"),
                ]
                .concat(),
            )
            .gives(&["{\"a\":1}", "{\"a\":2}"]),
        case("a_bzip2_file_without_its_end")
            .file("a.json.bz2", [bzip2(b"{\"a\":1}\n"), cut(bzip2(b"{\"a\":2}\n"), 4)].concat())
            .bad(&[("broken_range", 16, 0)]),
        case("an_xz_file_without_its_end")
            .file("a.json.xz", [xz(b"{\"a\":1}\n"), cut(xz(b"{\"a\":2}\n{"), 12)].concat())
            .bad(&[("broken_range", 16, 1)]),
        case("an_lz4_file_without_its_end")
            .file("a.json.lz4", [lz4(b"{\"a\":1}\n"), cut(lz4(b"{\"a\":2}\n{"), 4)].concat())
            .bad(&[("broken_range", 16, 1)]),
        case("junk_behind_bzip2_xz_and_lz4")
            .file("a.json.bz2", [bzip2(b"{\"a\":1}\n"), b"junk".to_vec()].concat())
            .file("b.json.xz", [xz(b"{\"a\":2}\n"), vec![0; 3]].concat())
            .file("c.json.lz4", [lz4(b"{\"a\":3}\n"), gzip(b"{\"a\":4}\n")].concat())
            .bad(&[("broken_range", 8, 0), ("broken_range", 8, 0), ("broken_range", 8, 0)]),
        case("a_gzip_file_without_its_end")
            .file("a.json.gz", cut(gzip(b"{\"a\":1}\n{\"a\":2}\n{\"a\":"), 8))
            .bad(&[("broken_range", 16, 5)]),
        case("a_gzip_file_cut_at_the_end_of_a_line")
            .file("a.json.gz", cut(gzip(b"{\"a\":1}\n{\"a\":2}\n"), 8))
            .bad(&[("broken_range", 16, 0)]),
        case("a_gzip_file_with_a_wrong_checksum")
            .file("a.json.gz", flip(gzip(b"[{\"a\":1},{\"a\":2}]"), 8))
            .bad(&[("broken_range", 17, 0)]),
        case("a_second_array_of_records_without_its_colon")
            .file("a.json", "{\"records\":[{\"a\":1}],\"r\\u0065cords\"},{")
            .gives(&["{\"a\":1}"])
            .bad(&[("broken_range", 35, 3)]),
        // Its decoder gives a byte and the error at once.
        case("a_gzip_stream_that_breaks_with_its_last_byte").file(
            "a.json.gz",
            b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x8b\xae\x56\x4a\x54\xb2\x32\xac\xd5\x01\xd3\xff\xff\xff\
              \xff\xff\xff\xff\x01\x46\xb5\xb1\0\x62\xad\x77\xc7\x11\0\0\0",
        ),
        case("a_gzip_array_cut_in_a_record")
            .file("a.json.gz", cut(gzip(b"[{\"a\":1},{\"a\":2},{\"a\""), 8))
            .bad(&[("broken_range", 17, 4)]),
        case("a_gzip_document_cut_before_its_array")
            .file("a.json.gz", cut(gzip(b"{\"x\":1,"), 8))
            .shape("/records")
            .declare("a int64")
            .bad(&[("broken_range", 7, 0)]),
        case("junk_behind_a_gzip_member")
            .file("a.json.gz", [gzip(b"{\"a\":1}\n"), b"junk".to_vec()].concat())
            .bad(&[("broken_range", 8, 0)]),
        case("utf_16_by_its_mark")
            .file("a.json", b"\xff\xfe{\0\"\0a\0\"\0:\x001\0}\0")
            .fails(FailureKind::File, "UTF-16"),
        case("utf_16_by_its_zeros")
            .file("a.json", b"{\0\"\0a\0\"\0:\x001\0}\0")
            .fails(FailureKind::File, "UTF-16"),
        case("utf_32_by_its_mark")
            .file("a.json", b"\0\0\xfe\xff\0\0\0{\0\0\0}")
            .fails(FailureKind::File, "UTF-32"),
        case("files_of_a_directory_are_told_by_name_or_by_how_they_begin")
            .file("a.json", "{\"a\":1}")
            .file("b.JSONL.gz", gzip(b"{\"a\":2}"))
            .file("c", "\u{feff}\n {\"a\":3}")
            .file("d.gz", gzip(b"[{\"a\":4}]"))
            .file("e.txt", "")
            .file("f.txt", " \n")
            .file("README", "not a record, not {one}\n")
            .gives(&["{\"a\":1}", "{\"a\":2}", "{\"a\":3}", "{\"a\":4}"]),
        case("a_file_that_only_its_name_says_is_json_is_read")
            .file("a.json", "nothing\n")
            .file("b.json", "{\"a\":1}")
            .gives(&["{\"a\":1}"])
            .bad(&[("invalid_json", 0, 7)]),
        case("a_file_with_a_line_of_json_is_not_passed_over")
            .file("a.json", "{\"a\":1}")
            .file("b.log", "started\n{\"a\":2}\n")
            .fails(FailureKind::File, "b.log"),
        case("a_file_that_cannot_be_looked_into_is_not_passed_over")
            .file("a.json", "{\"a\":1}")
            .file("b.gz", &gzip(b"{\"a\":2}")[..10])
            .fails(FailureKind::File, "b.gz"),
        case("all_files_are_read_if_the_plan_says_so")
            .file("a.json", "{\"a\":1}")
            .file("b.log", "started\n{\"a\":2}\n")
            .with(|plan| plan.all_files = true)
            .gives(&["{\"a\":1}", "{\"a\":2}"])
            .bad(&[("invalid_json", 0, 7)]),
        case("no_record_at_all_is_an_error")
            .file("a.json", "")
            .file("b.json", "[]")
            .declare("a int64")
            .fails(FailureKind::NoRecord, "holds 2 files, and no record"),
        case("no_record_at_all_is_an_output_of_the_declared_columns_where_that_is_allowed")
            .file("a.json", "")
            .declare("a int64")
            .with(|plan| plan.allow_empty = true)
            .types("a int64")
            .gives(&[]),
        one("parquet_is_named", "PAR1\x15\x04").fails(FailureKind::File, "Parquet"),
        one("parquet_is_named_whatever_the_shape", "PAR1\x15\x04")
            .shape("lines")
            .fails(FailureKind::File, "Parquet"),
        one("a_zip_archive_is_named", "PK\x03\x04\x14\0").fails(FailureKind::File, "zip"),
        one("an_sqlite_database_is_named", "SQLite format 3\0\x10")
            .fails(FailureKind::File, "SQLite"),
        one("a_text_that_begins_as_the_name_of_a_format_is_a_text", "SQLite form\n{\"a\":1}\n")
            .bad(&[("invalid_json", 0, 11)]),
        one("a_table_is_named", "id,name\n1,\"a, b\"\n2,c\n").fails(FailureKind::File, "CSV"),
        one("a_table_between_tabs_is_named", "id\tname\n1\ta\n").fails(FailureKind::File, "TSV"),
        one("a_table_with_an_explicit_shape_is_bad_lines", "id,name\n1,a\n")
            .file("b.json", "{\"a\":1}")
            .shape("lines")
            .bad(&[("invalid_json", 0, 7), ("invalid_json", 8, 3)]),
        one("one_line_of_json_makes_lines_of_a_text", "id,name\n1,a\n{\"a\":1}\n")
            .bad(&[("invalid_json", 0, 7), ("invalid_json", 8, 3)]),
        one("lines_of_which_some_have_more_fields_are_no_table", "a,b\nc,d,e\n")
            .file("b.json", "{\"a\":1}")
            .bad(&[("invalid_json", 0, 3), ("invalid_json", 4, 5)]),
        one("html_is_named", "\n<!DOCTYPE html>\n<p>{}</p>\n").fails(FailureKind::File, "HTML"),
        one("xml_is_named", "<?xml version=\"1.0\"?>\n<a/>\n").fails(FailureKind::File, "XML"),
        one("a_script_around_an_array_is_named", "window.a.b = [\n  {\n    \"a\": 1\n  }\n]\n")
            .fails(FailureKind::File, "JavaScript"),
        one("a_script_around_lines_is_named", "const x = [\n{\"a\":1},\n{\"a\":2}\n];\n")
            .fails(FailureKind::File, "JavaScript"),
        one("record_separators_are_named", "\x1e{\"a\":1}\n\x1e{\"a\":2}\n")
            .fails(FailureKind::File, "RFC 7464"),
        one("text_before_records_is_named", "2024-01-01 INFO {\"a\":1,\"b\":2}\n")
            .fails(FailureKind::File, "text before their JSON"),
        one(
            "text_in_brackets_before_records_is_named",
            "[app] {\"a\":1}\nStarting up\n[app] {\"a\":2}\n",
        )
        .fails(FailureKind::File, "text before their JSON"),
        one("text_in_brackets_before_a_record_among_records", "[app] {\"a\":1}\n{\"a\":2}\n")
            .gives(&["{\"a\":2}"])
            .bad(&[("invalid_json", 0, 13)]),
        one("an_array_that_is_no_text_in_brackets", "[ 1, 2]\n")
            .file("b.json", "{\"a\":1}")
            .bad(&[("not_an_object", 2, 1), ("not_an_object", 5, 1)]),
        one("an_array_of_scalars_before_a_record", "[1,2, {\"a\":1}]")
            .gives(&["{\"a\":1}"])
            .bad(&[("not_an_object", 1, 1), ("not_an_object", 3, 1)]),
        one("objects_that_adjoin_are_concatenated", "{\"a\":1}{\"a\":2}\n{\"a\":3}{\"a\":4}")
            .gives(&["{\"a\":1}", "{\"a\":2}", "{\"a\":3}", "{\"a\":4}"]),
        one("objects_with_a_blank_between_are_a_line", "{\"a\":1} {\"a\":2}\n{\"a\":3}\n")
            .gives(&["{\"a\":3}"])
            .bad(&[("invalid_json", 0, 15)]),
        one("a_large_object_that_adjoins_another", "{\"a\":11111111}{\"a\":2}")
            .with(|plan| plan.max_record = 8)
            .gives(&["{\"a\":2}"])
            .bad(&[("too_large", 0, 14)]),
        case("an_error_of_one_file_fails_the_run")
            .file("a.json", "{\"a\":1}")
            .file("b.json", "{\"records\":[]} x")
            .fails(FailureKind::File, "b.json"),
        counted("an_array_of_1001_records", 1_001, "[", ",", "]"),
        counted(
            "a_document_of_20000_records",
            20_000,
            "{\"v\":1,\"records\":[",
            ",\n",
            "],\"w\":2}",
        ),
        counted("20000_lines", 20_000, "", "\n", "\n"),
        counted("5000_concatenated_records", 5_000, "{\n\"i\":-1}", "", ""),
    ];
    let text = "{\"u\":null,\"records\":[{\"k\":\"a]\\\\\",\"v\":[1,{\"x\":\"}\"}]},{\"k\":\"\\\"\",\"v\":2.5}, 7],\"z\":\"é\",\"y\":{\"n\":[-1.5e3,true]}}";
    // Every way to lose the end of a document; the first twelve bytes decide what it is.
    for end in 1..text.len() {
        if let Some(cut) = text.get(..end) {
            cases.push(
                case(format!("a_document_cut_at_byte_{end}"))
                    .file("a.json", cut)
                    .file("b.json", "{\"k\":\"b\"}"),
            );
        }
    }
    cases
}

fn counted(name: &str, count: usize, open: &str, between: &str, close: &str) -> Case {
    let records: Vec<String> = (0..count)
        .map(|i| format!("{{\"i\":{},\"k\":\"{:05}\",\"v\":[{i}]}}", i % 7, i * 7919 % (count / 2)))
        .collect();
    let text = format!("{open}{}{close}", records.join(between));
    case(name).file("a.json", text).key("k").null_keys().dropped()
}

pub(super) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn zstd(content: &[u8]) -> Vec<u8> {
    zstd::encode_all(content, 3).unwrap()
}

pub(super) fn cut(mut content: Vec<u8>, bytes: usize) -> Vec<u8> {
    content.truncate(content.len() - bytes);
    content
}

fn flip(mut content: Vec<u8>, from_end: usize) -> Vec<u8> {
    let at = content.len() - from_end;
    content[at] ^= 1;
    content
}
