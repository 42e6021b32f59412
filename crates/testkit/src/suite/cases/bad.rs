//! Bad records (1.3, 1.6, 1.7), and what they do to a run (4).

use distil_plan::MaxQuarantined;

use crate::oracle::FailureKind;
use crate::suite::{Case, case};

/// Frames that are not JSON, each a word and a text.
const INVALID: &[(&str, &str)] = &[
    ("not_a_number", "{\"a\":NaN}"),
    ("infinity", "{\"a\":-Infinity}"),
    ("single_quotes", "{'a':1}"),
    ("a_bare_name", "{a:1}"),
    ("a_comment", "{\"a\":1/* x */}"),
    ("a_line_comment", "{\"a\":1}//"),
    ("a_trailing_comma", "{\"a\":1,}"),
    ("a_leading_comma", "{,\"a\":1}"),
    ("a_trailing_comma_in_a_list", "{\"a\":[1,]}"),
    ("a_missing_comma", "{\"a\":1 \"b\":2}"),
    ("a_missing_colon", "{\"a\" 1}"),
    ("a_missing_value", "{\"a\":}"),
    ("a_number_as_name", "{1:1}"),
    ("a_leading_zero", "{\"a\":01}"),
    ("a_negative_leading_zero", "{\"a\":-01}"),
    ("a_plus", "{\"a\":+1}"),
    ("a_minus_alone", "{\"a\":-}"),
    ("a_point_alone", "{\"a\":.5}"),
    ("a_point_at_the_end", "{\"a\":1.}"),
    ("an_empty_exponent", "{\"a\":1e}"),
    ("an_empty_signed_exponent", "{\"a\":1e+}"),
    ("a_hexadecimal", "{\"a\":0x1}"),
    ("an_underscore", "{\"a\":1_000}"),
    ("a_cut_literal", "{\"a\":tru}"),
    ("a_long_literal", "{\"a\":nulll}"),
    ("an_upper_case_literal", "{\"a\":True}"),
    ("a_lone_high_surrogate", "{\"a\":\"\\ud800\"}"),
    ("a_lone_low_surrogate", "{\"a\":\"\\udc00\"}"),
    ("two_high_surrogates", "{\"a\":\"\\ud800\\ud800\"}"),
    ("a_lone_surrogate_in_a_name", "{\"\\udfff\":1}"),
    ("an_unknown_escape", "{\"a\":\"\\x\"}"),
    ("a_short_unicode_escape", "{\"a\":\"\\u12\"}"),
    ("an_upper_case_escape", "{\"a\":\"\\N\"}"),
    ("a_raw_tab", "{\"a\":\"\t\"}"),
    ("a_raw_nul", "{\"a\":\"\0\"}"),
    ("a_raw_delete_is_fine", "{\"a\":\"\u{7f}\"}"),
    ("an_open_string", "{\"a\":\"}"),
    ("an_open_object", "{\"a\":1"),
    ("a_bracket_too_many", "{\"a\":1}}"),
    ("brackets_that_cross", "{\"a\":[1}]"),
    ("two_values", "{\"a\":1}{\"a\":2}"),
    ("an_exponent_out_of_bounds", "{\"a\":1e1000000000}"),
    ("an_exponent_far_out_of_bounds", "{\"a\":1e-99999999999999999999999}"),
    ("a_zero_with_any_exponent_is_fine", "{\"a\":0e99999999999999999999999}"),
    ("the_largest_exponent_is_fine", "{\"a\":1e999999999}"),
    ("a_full_width_digit", "{\"a\":１}"),
    ("a_no_break_space", "{\"a\":\u{a0}1}"),
    ("a_form_feed", "{\"a\":\u{c}1}"),
    ("an_array", "[{\"a\":1}]"),
    ("a_string", "\"a\""),
    ("a_number", "-1.5e3"),
    ("a_null", "null"),
];

/// The same for bytes that are not UTF-8.
const NOT_UTF_8: &[(&str, &[u8])] = &[
    ("a_byte_alone", b"{\"a\":\"\xff\"}"),
    ("latin_1", b"{\"a\":\"caf\xe9\"}"),
    ("an_overlong_nul", b"{\"a\":\"\xc0\x80\"}"),
    ("an_overlong_slash", b"{\"a\":\"\xe0\x80\xaf\"}"),
    ("an_encoded_surrogate", b"{\"a\":\"\xed\xa0\x80\"}"),
    ("beyond_unicode", b"{\"a\":\"\xf4\x90\x80\x80\"}"),
    ("a_cut_character", b"{\"a\":\"\xe2\x82\"}"),
    ("in_a_name", b"{\"\xff\":1}"),
    ("outside_a_string", b"{\"a\":\xff}"),
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = hand();
    for (name, text) in INVALID {
        // The neighbours are kept, whatever lies between them.
        cases.push(case(format!("bad_line_{name}")).lines(&["{\"a\":1}", text, "{\"a\":2}"]));
        cases.push(
            case(format!("bad_element_{name}"))
                .file("a.json", format!("[{{\"a\":1}},{text},{{\"a\":2}}]"))
                .declare("a json"),
        );
        cases.push(
            case(format!("bad_member_beside_{name}"))
                .file("a.json", format!("{{\"x\":{text},\"records\":[{{\"a\":1}}],\"y\":{text}}}"))
                .shape("/records")
                .declare("a json"),
        );
    }
    for (name, text) in NOT_UTF_8 {
        let content = [b"{\"a\":1}\n", *text, b"\n{\"a\":2}\n"].concat();
        cases.push(case(format!("not_utf_8_{name}")).file("a.json", content));
        let content = [b"[{\"a\":1},", *text, b",{\"a\":2}]"].concat();
        cases.push(case(format!("not_utf_8_in_an_array_{name}")).file("a.json", content));
    }
    cases
}

fn hand() -> Vec<Case> {
    let three = ["{\"a\":1}", "1", "2", "{\"a\":2}", "3"];
    let deep =
        |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1));
    vec![
        case("duplicate_members")
            .lines(&[
                "{\"a\":1,\"a\":1}",
                "{\"a\":1,\"b\":{\"c\":1,\"d\":[{\"e\":1,\"e\":2}]}}",
                "{\"a\":1,\"\\u0061\":2}",
                "{\"a\":{\"a\":{\"a\":1}}}",
                "{\"\":1,\"\":2}",
            ])
            .bad(&[
                ("duplicate_member", 0, 13),
                ("duplicate_member", 14, 39),
                ("duplicate_member", 54, 18),
                ("duplicate_member", 93, 11),
            ]),
        case("duplicate_members_in_ignored_members")
            .declare("a int64")
            .extra(distil_plan::ExtraMembers::Ignore)
            .lines(&[
                "{\"a\":1,\"x\":[{\"y\":1,\"y\":1}]}",
                "{\"a\":2,\"x\":1,\"x\":1}",
                "{\"a\":3}",
            ])
            .bad(&[("duplicate_member", 0, 27), ("duplicate_member", 28, 19)]),
        case("a_number_under_an_escaped_name_is_the_same_column")
            .lines(&["{\"id\":1}", "{\"\\u0069d\":2}", "{\"\\u0069\\u0064\":1}"])
            .key("id")
            .gives(&["{\"id\":1}", "{\"id\":2}"])
            .duplicates(1, 0),
        case("the_first_reason_holds")
            .with(|plan| plan.max_record = 60)
            .declare("k int64, t date")
            .key("k")
            .lines(&[
                &format!("{{\"k\":{}}}", "[".repeat(60)),
                "{\"k\":null,\"k\":1,\"x\":1,\"t\":0",
                "[{\"k\":1,\"k\":1}]",
                "{\"k\":null,\"k\":1,\"x\":1,\"t\":0}",
                "{\"k\":null,\"x\":1,\"t\":0}",
                "{\"k\":null,\"t\":0}",
                "{\"k\":null,\"x\":null}",
                "{\"k\":1,\"t\":\"2020-01-01\"}",
            ]),
        case("a_record_of_the_largest_size_and_one_byte_more")
            .with(|plan| plan.max_record = 12)
            .lines(&[
                "{\"a\":\"12345\"}",
                "{\"a\":\"1234\"}",
                " {\"a\":\"1234\"} ",
                "{\"a\":\"1234\"  ",
            ])
            .bad(&[("too_large", 0, 13), ("invalid_json", 42, 11)]),
        case("too_deep_and_invalid_by_what_comes_first").lines(&[
            "{\"a\":0}",
            &deep(1025),
            &format!("{{\"a\":x,\"b\":{}}}", "[".repeat(2000)),
            &format!("{{\"b\":{},\"a\":x}}", "[".repeat(2000)),
            &deep(1024),
            &"[".repeat(100_000),
            &"{\"a\":".repeat(100_000),
        ]),
        case("deep_members_beside_the_array")
            .file(
                "a.json",
                format!(
                    "{{\"x\":{}{},\"records\":[{{\"a\":1}}]}}",
                    "[".repeat(1023),
                    "]".repeat(1023)
                ),
            )
            .file(
                "b.json",
                format!(
                    "{{\"records\":[{{\"a\":2}}],\"x\":{}{}}}",
                    "[".repeat(1024),
                    "]".repeat(1024)
                ),
            )
            .bad(&[("broken_range", 25 + 1023, 1026)]),
        case("bad_records_stop_a_run_without_quarantine")
            .lines(&three)
            .strict()
            .fails(FailureKind::Bad, "not_an_object"),
        case("bad_records_name_the_file_and_the_way_on")
            .lines(&three)
            .strict()
            .fails(FailureKind::Bad, "quarantine = "),
        case("twelve_bad_records_stop_a_run")
            .lines(&["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "{\"a\":1}"])
            .strict()
            .fails(FailureKind::Bad, "000.json"),
        case("a_bad_range_stops_a_run")
            .file("a.json", "[{\"a\":1}")
            .strict()
            .fails(FailureKind::Bad, "broken_range"),
        case("as_many_bad_records_as_are_allowed")
            .lines(&three)
            .with(|plan| plan.quarantine.max = Some(MaxQuarantined::Count(3)))
            .gives(&["{\"a\":1}", "{\"a\":2}"]),
        case("more_bad_records_than_are_allowed")
            .lines(&three)
            .with(|plan| plan.quarantine.max = Some(MaxQuarantined::Count(2)))
            .fails(FailureKind::TooManyBad, ""),
        case("a_share_of_bad_records_that_is_allowed")
            .lines(&three)
            .with(|plan| plan.quarantine.max = Some(MaxQuarantined::Percent(60.0)))
            .gives(&["{\"a\":1}", "{\"a\":2}"]),
        case("a_share_of_bad_records_that_is_too_large")
            .lines(&three)
            .with(|plan| plan.quarantine.max = Some(MaxQuarantined::Percent(59.9)))
            .fails(FailureKind::TooManyBad, ""),
        // One part of four records, but half of the bytes.
        case("a_share_counts_the_bytes_of_a_range")
            .file(
                "a.json",
                "[{\"a\":1},{\"a\":2},{\"a\":3},{\"a\":4} damage of thirty-two bytes in all",
            )
            .with(|plan| plan.quarantine.max = Some(MaxQuarantined::Percent(49.9)))
            .fails(FailureKind::TooManyBad, "bytes read"),
        case("a_share_counts_the_bytes_of_a_range_that_is_allowed")
            .file(
                "a.json",
                "[{\"a\":1},{\"a\":2},{\"a\":3},{\"a\":4} damage of thirty-two bytes in all",
            )
            .with(|plan| plan.quarantine.max = Some(MaxQuarantined::Percent(50.0)))
            .gives(&["{\"a\":1}", "{\"a\":2}", "{\"a\":3}", "{\"a\":4}"]),
        case("no_row_left_although_records_were_read")
            .lines(&["1", "{\"a\":1,\"a\":2}"])
            .fails(FailureKind::NoRow, ""),
        case("no_row_left_under_a_declared_schema")
            .declare("a int64")
            .lines(&["{\"a\":\"x\"}"])
            .fails(FailureKind::NoRow, ""),
        case("bad_parts_of_several_files_stand_in_order")
            .file("b.json", "[1,{\"a\":1},2")
            .file("a.json", "{\"a\":2}\nx\n[]\n")
            .file("c.json", b"{\"a\":3}\n\xff\n")
            .bad(&[
                ("invalid_json", 8, 1),
                ("not_an_object", 10, 2),
                ("not_an_object", 1, 1),
                ("not_an_object", 11, 1),
                ("broken_range", 12, 0),
                ("invalid_json", 8, 1),
            ]),
        case("a_bad_record_of_more_than_a_mebibyte_is_told_without_its_bytes").lines(&[
            "{\"a\":1}",
            &format!("{{\"a\":\"{}\"", "x".repeat((1 << 20) - 7)),
            &format!("{{\"a\":\"{}\"", "x".repeat((1 << 20) - 6)),
        ]),
    ]
}
