//! Which record survives (3), and the accounts (4).

use distil_plan::OnConflict;

use crate::oracle::FailureKind;
use crate::suite::{Case, case};

const EXAMPLE: &str = r#"{"records": [
  {"id": "10101", "data": "ABC", "ts": "2019-04-23T17:25:43.111Z"},
  {"id": "10102", "data": "XYZ", "ts": "2019-04-23T18:20:32.876Z"},
  {"id": "10102", "data": "XYZ", "ts": "2019-04-23T18:20:32.876Z"},
  {"id": "10102", "data": "DEF", "ts": "2019-04-23T18:20:32.876Z"},
  {"id": "1111", "data": "XYZ", "ts": "2019-04-23T18:20:32.876Z"}
]}"#;

const ABC: &str = r#"{"data":"ABC","id":"10101","ts":"2019-04-23T17:25:43.111Z"}"#;
const DEF: &str = r#"{"data":"DEF","id":"10102","ts":"2019-04-23T18:20:32.876Z"}"#;
const XYZ: &str = r#"{"data":"XYZ","id":"1111","ts":"2019-04-23T18:20:32.876Z"}"#;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        case("worked_example_key_ts")
            .file("a.json", EXAMPLE)
            .key("ts")
            .order("id, data")
            .dropped()
            .types("id string, data string, ts timestamp(ms, UTC)")
            .gives(&[ABC, DEF])
            .duplicates(0, 3),
        case("worked_example_key_id_ts")
            .file("a.json", EXAMPLE)
            .key("id, ts")
            .dropped()
            .gives(&[ABC, DEF, XYZ])
            .duplicates(0, 2),
        case("a_tie_is_never_broken_by_file_names")
            .file("a.json", "{\"k\":1,\"v\":\"z\"}")
            .file("b.json", "{\"k\":1,\"v\":\"a\"}")
            .file("c.json", "{\"k\":1,\"v\":\"m\"}")
            .key("k")
            .dropped()
            .gives(&["{\"k\":1,\"v\":\"a\"}"])
            .duplicates(0, 2),
        case("a_tie_under_keep_last_takes_the_largest")
            .file("a.json", "{\"k\":1,\"v\":\"z\"}")
            .file("b.json", "{\"k\":1,\"v\":\"a\"}")
            .key("k")
            .keep_last()
            .gives(&["{\"k\":1,\"v\":\"z\"}"]),
        case("a_null_never_wins_under_keep_last")
            .lines(&["{\"k\":1,\"v\":null}", "{\"k\":1,\"v\":5}", "{\"k\":1}"])
            .key("k")
            .order("v")
            .keep_last()
            .dropped()
            .gives(&["{\"k\":1,\"v\":5}"])
            .duplicates(0, 2),
        case("a_null_never_wins_in_the_tie_break_at_any_level")
            .lines(&[
                "{\"k\":1,\"s\":{\"a\":1}}",
                "{\"k\":1,\"s\":{\"a\":1,\"b\":0}}",
                "{\"k\":1,\"s\":{}}",
                "{\"k\":1}",
                "{\"k\":2,\"s\":{\"a\":null,\"b\":9}}",
                "{\"k\":2,\"s\":{\"a\":0}}",
            ])
            .key("k")
            .keep_last()
            .dropped()
            .gives(&["{\"k\":1,\"s\":{\"a\":1,\"b\":0}}", "{\"k\":2,\"s\":{\"a\":0}}"]),
        case("nine_and_ten_compare_as_numbers_beside_an_unrelated_string")
            .lines(&["{\"k\":1,\"v\":10}", "{\"k\":1,\"v\":9}", "{\"k\":2,\"v\":\"x\"}"])
            .key("k")
            .types("k int64, v json")
            .gives(&["{\"k\":1,\"v\":\"9\"}", "{\"k\":2,\"v\":\"\\\"x\\\"\"}"]),
        case("zero_and_negative_zero_are_one_key")
            .lines(&["{\"k\":0.0}", "{\"k\":-0.0}", "{\"k\":0}", "{\"k\":-0}", "{\"k\":-0e5}"])
            .key("k")
            .gives(&["{\"k\":0}"])
            .duplicates(4, 0),
        case("numbers_are_one_key_by_value")
            .lines(&["{\"k\":1}", "{\"k\":1.0}", "{\"k\":10e-1}", "{\"k\":0.1E+1}", "{\"k\":2.5}"])
            .key("k")
            .types("k float64")
            .gives(&["{\"k\":1}", "{\"k\":2.5}"])
            .duplicates(3, 0),
        case("instants_with_and_without_fraction_fail_with_the_hint")
            .lines(&["{\"ts\":\"2019-04-23T17:25:43Z\"}", "{\"ts\":\"2019-04-23T17:25:43.111Z\"}"])
            .key("ts")
            .fails(FailureKind::MisleadingText, "types = \"ts=timestamp("),
        case("mixed_instants_in_an_order_column_fail_too")
            .lines(&[
                "{\"k\":1,\"ts\":\"2019-04-23T17:25:43+00:00\"}",
                "{\"k\":1,\"ts\":\"2019-04-23T17:25:43Z\"}",
                "{\"k\":1,\"ts\":null}",
                "{\"k\":1,\"ts\":\"never\"}",
                "{\"k\":1,\"ts\":\"soon\"}",
            ])
            .key("k")
            .order("ts desc")
            .fails(FailureKind::MisleadingText, "types = \"ts=timestamp("),
        case("instants_whose_offsets_differ_are_of_two_forms")
            .lines(&[
                "{\"k\":1,\"ts\":\"2024-10-27T02:10:00.000+0100\"}",
                "{\"k\":1,\"ts\":\"2024-10-27T02:30:00.000+0200\"}",
            ])
            .key("k")
            .order("ts desc")
            .fails(FailureKind::MisleadingText, "types = \"ts=timestamp(us)"),
        case("days_before_years_do_not_order_like_time")
            .lines(&[
                "{\"k\":1,\"ts\":\"01-05-2024 08:31:27\"}",
                "{\"k\":1,\"ts\":\"30-04-2024 17:04:01\"}",
            ])
            .key("k")
            .order("ts desc")
            .fails(
                FailureKind::MisleadingText,
                "types = \"ts=timestamp(us, '%d-%m-%Y %H:%M:%S', 'UTC')\"",
            ),
        case("digits_of_two_lengths_do_not_order_like_numbers")
            .lines(&["{\"k\":1,\"v\":\"9\"}", "{\"k\":1,\"v\":\"10\"}", "{\"k\":2,\"v\":\"x\"}"])
            .key("k")
            .order("v desc")
            .fails(FailureKind::MisleadingText, "types = \"v=int64\""),
        case("digits_of_two_lengths_ascend_as_text")
            .lines(&["{\"k\":1,\"v\":\"9\"}", "{\"k\":1,\"v\":\"10\"}"])
            .key("k")
            .order("v")
            .gives(&["{\"k\":1,\"v\":\"10\"}"]),
        case("digits_of_two_lengths_do_not_descend_as_the_last")
            .lines(&["{\"k\":1,\"v\":\"9\"}", "{\"k\":1,\"v\":\"10\"}"])
            .key("k")
            .order("v")
            .keep_last()
            .fails(FailureKind::MisleadingText, "types = \"v=int64\""),
        case("numbers_with_a_point_do_not_ascend_as_text")
            .lines(&["{\"k\":1,\"v\":\"9.5\"}", "{\"k\":1,\"v\":\"10.5\"}"])
            .key("k")
            .order("v")
            .fails(FailureKind::MisleadingText, "types = \"v=float64\""),
        case("digits_of_one_length_order_like_numbers")
            .lines(&["{\"k\":1,\"v\":\"09\"}", "{\"k\":1,\"v\":\"10\"}", "{\"k\":2,\"v\":\"x\"}"])
            .key("k")
            .order("v desc")
            .gives(&["{\"k\":1,\"v\":\"10\"}", "{\"k\":2,\"v\":\"x\"}"]),
        case("versions_of_two_lengths_do_not_order_like_versions")
            .lines(&["{\"k\":1,\"v\":\"v1.9.0\"}", "{\"k\":1,\"v\":\"v1.10.0\"}"])
            .key("k")
            .order("v desc")
            .fails(FailureKind::MisleadingText, "order_by = \"v as text desc\""),
        case("numbers_that_are_less_than_half_are_text")
            .lines(&[
                "{\"k\":1,\"v\":\"9\"}",
                "{\"k\":1,\"v\":\"10\"}",
                "{\"k\":1,\"v\":\"x\"}",
                "{\"k\":1,\"v\":\"y\"}",
                "{\"k\":1,\"v\":\"z\"}",
            ])
            .key("k")
            .order("v")
            .gives(&["{\"k\":1,\"v\":\"10\"}"]),
        case("digits_order_as_text_by_consent")
            .lines(&["{\"k\":1,\"v\":\"9\"}", "{\"k\":1,\"v\":\"10\"}"])
            .key("k")
            .order("v as text desc")
            .gives(&["{\"k\":1,\"v\":\"9\"}"]),
        case("the_consent_changes_nothing_on_numbers")
            .lines(&["{\"k\":1,\"v\":9}", "{\"k\":1,\"v\":10}"])
            .key("k")
            .order("v as text desc")
            .gives(&["{\"k\":1,\"v\":10}"]),
        case("digits_in_a_key_are_text")
            .lines(&["{\"v\":\"9\"}", "{\"v\":\"10\"}"])
            .key("v")
            .types("v string"),
        case("mixed_instants_that_are_less_than_half_are_text")
            .lines(&[
                "{\"ts\":\"2019-04-23T17:25:43Z\"}",
                "{\"ts\":\"2019-04-23T17:25:43.111Z\"}",
                "{\"ts\":\"a\"}",
                "{\"ts\":\"b\"}",
                "{\"ts\":\"c\"}",
            ])
            .key("ts")
            .types("ts string"),
        case("mixed_instants_with_the_hint_are_instants")
            .lines(&[
                "{\"ts\":\"2019-04-23T17:25:43Z\",\"v\":2}",
                "{\"ts\":\"2019-04-23T17:25:43.000Z\",\"v\":1}",
                "{\"ts\":\"2019-04-23 19:25:43+02:00\",\"v\":3}",
            ])
            .key("ts")
            .hint("ts", "timestamp(us)")
            .gives(&["{\"ts\":\"2019-04-23T17:25:43.000000Z\",\"v\":1}"]),
        case("mixed_instants_declared_as_string_are_text")
            .lines(&["{\"ts\":\"2019-04-23T17:25:43Z\"}", "{\"ts\":\"2019-04-23T17:25:43.111Z\"}"])
            .key("ts")
            .hint("ts", "string")
            .types("ts string"),
        case("mixed_instants_elsewhere_are_text")
            .lines(&[
                "{\"k\":1,\"ts\":\"2019-04-23T17:25:43Z\"}",
                "{\"k\":1,\"ts\":\"2019-04-23T17:25:43.111Z\"}",
            ])
            .key("k")
            .types("k int64, ts string"),
        case("a_key_that_nobody_has_fails_with_the_nearest_names")
            .lines(&["{\"index\":1,\"ts\":1}", "{\"index\":2,\"ts\":2}"])
            .key("idnex")
            .fails(FailureKind::MissingColumn, "index"),
        case("an_order_column_that_nobody_has_fails")
            .lines(&["{\"index\":1,\"data\":1}"])
            .key("index")
            .order("dat")
            .fails(FailureKind::MissingColumn, "data"),
        case("a_path_whose_literal_name_exists_fails_and_says_how_to_quote")
            .lines(&["{\"a.b\":1}", "{\"a.b\":2}"])
            .key("a.b")
            .fails(FailureKind::MissingColumn, "\"a.b\""),
        case("a_quoted_path_is_one_name")
            .lines(&["{\"a.b\":1,\"v\":2}", "{\"a.b\":1,\"v\":1}"])
            .key("\"a.b\"")
            .gives(&["{\"a.b\":1,\"v\":1}"]),
        case("composite_and_nested_keys")
            .lines(&[
                "{\"a\":{\"x\":2,\"y\":1},\"b\":1}",
                "{\"a\":{\"x\":1,\"y\":9},\"b\":2}",
                "{\"a\":{\"x\":1,\"y\":3},\"b\":2}",
                "{\"b\":1,\"a\":{\"x\":1,\"y\":5}}",
                "{\"b\":1,\"a\":{\"x\":1}}",
            ])
            .key("a.x, b")
            .dropped()
            .gives(&[
                "{\"a\":{\"x\":1,\"y\":5},\"b\":1}",
                "{\"a\":{\"x\":1,\"y\":3},\"b\":2}",
                "{\"a\":{\"x\":2,\"y\":1},\"b\":1}",
            ]),
        case("an_order_inside_a_struct_is_turned_alone")
            .lines(&[
                "{\"k\":1,\"s\":{\"a\":1,\"b\":1}}",
                "{\"k\":1,\"s\":{\"a\":1,\"b\":2}}",
                "{\"k\":1,\"s\":{\"a\":0,\"b\":2}}",
            ])
            .key("k")
            .order("s.b desc")
            .dropped()
            .gives(&["{\"k\":1,\"s\":{\"a\":0,\"b\":2}}"]),
        case("key_star_is_the_whole_record")
            .lines(&[
                "{\"a\":1,\"b\":[1,null]}",
                "{\"b\":[1,null],\"a\":1}",
                "{\"a\":1,\"b\":[1]}",
                "{\"a\":1,\"b\":null}",
                "{\"a\":1}",
                "{\"b\":[]}",
            ])
            .key("*")
            .gives(&["{\"a\":1,\"b\":[1]}", "{\"a\":1,\"b\":[1,null]}", "{\"a\":1}", "{\"b\":[]}"])
            .duplicates(2, 0),
        case("without_a_key_every_record_is_written_in_the_order_of_star")
            .lines(&["{\"b\":2}", "{\"b\":1}", "{\"a\":3}", "{\"b\":1}", "{\"a\":3,\"b\":null}"])
            .gives(&["{\"a\":3}", "{\"a\":3}", "{\"b\":1}", "{\"b\":1}", "{\"b\":2}"]),
        case("null_keys_as_values_equal_each_other_and_come_last")
            .lines(&[
                "{\"k\":null,\"v\":2}",
                "{\"v\":1}",
                "{\"k\":1,\"v\":3}",
                "{\"k\":\"\",\"v\":3}",
            ])
            .key("k")
            .null_keys()
            .hint("k", "json")
            .fails(FailureKind::NoScalar, "k"),
        case("null_keys_as_values_of_a_composite_key")
            .lines(&[
                "{\"a\":null,\"b\":1,\"v\":2}",
                "{\"b\":1,\"v\":1}",
                "{\"a\":1,\"b\":null,\"v\":0}",
                "{\"a\":1,\"v\":3}",
                "{\"v\":7}",
                "{\"a\":1,\"b\":0}",
            ])
            .key("a, b")
            .null_keys()
            .dropped()
            .gives(&["{\"a\":1,\"b\":0}", "{\"a\":1,\"v\":0}", "{\"b\":1,\"v\":1}", "{\"v\":7}"]),
        case("null_keys_are_bad_records_otherwise")
            .lines(&[
                "{\"a\":1,\"b\":1}",
                "{\"a\":1}",
                "{\"a\":null,\"b\":1}",
                "{\"a\":{},\"b\":1}",
            ])
            .key("a, b")
            .fails(FailureKind::NoScalar, "a"),
        case("a_record_whose_nested_key_is_not_an_object_has_a_null_key")
            .lines(&["{\"a\":{\"x\":1}}", "{\"a\":5}", "{\"a\":[{\"x\":1}]}", "{\"a\":{}}", "{}"])
            .key("a.x")
            .types("a struct<x: int64>")
            .gives(&["{\"a\":{\"x\":1}}"])
            .bad(&[
                ("null_key", 14, 7),
                ("null_key", 22, 15),
                ("null_key", 38, 8),
                ("null_key", 47, 2),
            ]),
        case("a_key_that_is_null_in_every_record_leaves_no_row")
            .lines(&["{\"k\":null,\"v\":1}", "{\"k\":null}", "{\"v\":2}"])
            .key("k")
            .fails(FailureKind::NoRow, "null"),
        case("a_list_as_key_is_refused")
            .lines(&["{\"k\":[1]}"])
            .key("k")
            .fails(FailureKind::NoScalar, "k"),
        case("a_struct_as_order_is_refused")
            .lines(&["{\"k\":1,\"o\":{\"a\":1}}"])
            .key("k")
            .order("o")
            .fails(FailureKind::NoScalar, "o"),
        case("mixed_kinds_as_key_are_refused")
            .lines(&["{\"k\":1}", "{\"k\":\"1\"}"])
            .key("k")
            .fails(FailureKind::NoScalar, "k"),
        case("conflicts_can_be_an_error")
            .lines(&["{\"k\":1,\"v\":1}", "{\"k\":1,\"v\":2}"])
            .key("k")
            .with(|plan| plan.dedup.as_mut().unwrap().on_conflict = OnConflict::Error)
            .fails(FailureKind::Conflicts, ""),
        case("identical_duplicates_are_no_conflict")
            .lines(&["{\"k\":1,\"v\":1.0}", "{\"v\":1,\"k\":1}", "{\"v\":1,\"k\":1,\"w\":null}"])
            .key("k")
            .with(|plan| plan.dedup.as_mut().unwrap().on_conflict = OnConflict::Error)
            .duplicates(2, 0),
        case("conflicts_can_warn")
            .lines(&["{\"k\":1,\"v\":1}", "{\"k\":1,\"v\":2}"])
            .key("k")
            .with(|plan| plan.dedup.as_mut().unwrap().on_conflict = OnConflict::Warn)
            .duplicates(0, 1),
        ten_of_twelve_conflicts(),
    ];
    for (order, last, kept) in
        [("v", false, 1), ("v asc", true, 3), ("v desc", false, 3), ("v desc", true, 1)]
    {
        let kept = format!("{{\"k\":0,\"v\":{kept},\"w\":{}}}", if last { 9 } else { 8 });
        let name = format!(
            "order_{}_keep_{}",
            order.replace(' ', "_"),
            if last { "last" } else { "first" }
        );
        let mut case = case(name)
            .lines(&[
                "{\"k\":0,\"v\":2,\"w\":7}",
                "{\"k\":0,\"v\":3,\"w\":9}",
                "{\"k\":0,\"v\":1,\"w\":8}",
                "{\"k\":0,\"v\":3,\"w\":8}",
                "{\"k\":0,\"v\":1,\"w\":9}",
                "{\"k\":0,\"w\":0}",
                "{\"k\":0}",
            ])
            .key("k")
            .order(order)
            .dropped()
            .gives(&[&kept]);
        if last {
            case = case.keep_last();
        }
        cases.push(case);
    }
    cases
}

/// The report shows ten conflicting keys, the dropped file all of them, copies included.
fn ten_of_twelve_conflicts() -> Case {
    let lines: Vec<String> = (0..12)
        .rev()
        .flat_map(|k| {
            ["{\"k\":K,\"v\":2}", "{\"k\":K,\"v\":0}", "{\"k\":K,\"v\":2}", "{\"k\":K,\"v\":1}"]
                .map(|line| line.replace('K', &k.to_string()))
        })
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    case("ten_of_twelve_conflicting_keys_are_shown_and_every_loser_is_dropped")
        .lines(&lines)
        .key("k")
        .dropped()
        .duplicates(0, 36)
}
