//! Declared types, hints, extra members (2.2).

use distil_plan::ExtraMembers;

use crate::oracle::FailureKind;
use crate::suite::{Case, case};

/// A declared type, values that fit it, and values that do not.
const FITS: &[(&str, &[&str], &[&str])] = &[
    ("boolean", &["true", "false", "null"], &["1", "0", "\"yes\"", "[]"]),
    (
        "int8",
        &["127", "-128", "1.0", "1e2", "-0.0", "1270e-1"],
        &["128", "-129", "1.5", "\"x\"", "1e3", "true"],
    ),
    ("int16", &["32767", "-32768"], &["32768", "-32769"]),
    ("int32", &["2147483647", "-2147483648"], &["2147483648", "-2147483649"]),
    (
        "int64",
        &["9223372036854775807", "-9223372036854775808", "9.223372036854775807e18"],
        &["9223372036854775808", "1e19", "1e-1", "1e400", "1e-400"],
    ),
    (
        "decimal(5,2)",
        &["999.99", "-999.99", "1e2", "0.010", "0", "1.5000"],
        &["1000", "0.001", "999.995", "\"x\""],
    ),
    ("decimal(38,0)", &["99999999999999999999999999999999999999", "1e37"], &["1e38", "0.5"]),
    ("decimal(38,38)", &["0.99999999999999999999999999999999999999", "1e-38"], &["1", "1e-39"]),
    (
        "float32",
        &["0.1", "3.4028235e38", "3.40282356e38", "16777217", "-1e-50"],
        &["3.5e38", "\"x\""],
    ),
    (
        "float64",
        &[
            "0.1",
            "9007199254740993",
            "1.7976931348623157e308",
            "5e-324",
            "2e-324",
            "-1e-400",
            "0.1000000000000000055",
        ],
        &["1.8e308", "1e400", "null1", "false"],
    ),
    (
        "timestamp(ms)",
        &[
            "\"2019-04-23T17:25:43Z\"",
            "\"2019-04-23t19:25:43.1110000+02:00\"",
            "\"2019-04-23 17:25:43.1-00:00\"",
            "\"0001-01-01T00:00:00z\"",
            "\"9999-12-31T23:59:59.999Z\"",
        ],
        &[
            "\"2019-04-23T17:25:43.1111Z\"",
            "\"2019-04-23T17:25:60Z\"",
            "\"2019-02-30T17:25:00Z\"",
            "\"0001-01-01T00:00:00+00:01\"",
            "\"9999-12-31T23:59:59-00:01\"",
            "\"2019-04-23T17:25:43\"",
            "\"2019-04-23T17:25:43.Z\"",
            "\"2019-04-23T17:25:43+24:00\"",
            "\"2019-04-23T17:25Z\"",
            "1556040343",
            "\"২০১৯-04-23T17:25:43Z\"",
            "\"2019-04-23T17:25:43+200\"",
        ],
    ),
    (
        "timestamp(us)",
        &["\"2019-04-23T17:25:43.111111Z\"", "\"2019-04-23T17:25:43.111111000000Z\""],
        &["\"2019-04-23T17:25:43.1111111Z\""],
    ),
    (
        "timestamp(ns)",
        &[
            "\"2019-04-23T17:25:43.111111111Z\"",
            "\"1677-09-21T00:12:43.145224192Z\"",
            "\"2262-04-11T23:47:16.854775807Z\"",
        ],
        &[
            "\"1677-09-21T00:12:43.145224191Z\"",
            "\"2262-04-11T23:47:16.854775808Z\"",
            "\"2019-04-23T17:25:43.1111111111Z\"",
        ],
    ),
    (
        "epoch(s)",
        &["0", "-1", "1556040343", "1.556040343e9", "253402300799", "-62135596800"],
        &["0.0005", "253402300800", "-62135596801", "\"x\"", "1e30"],
    ),
    ("epoch(ms)", &["1556040343111", "-1"], &["253402300800000", "0.1"]),
    ("epoch(us)", &["1556040343111111"], &["253402300800000000"]),
    (
        "epoch(ns)",
        &["1556040343111111111", "9223372036854775807", "-9223372036854775808"],
        &["9223372036854775808"],
    ),
    (
        "date",
        &["\"2024-02-29\"", "\"0001-01-01\"", "\"9999-12-31\"", "\"1969-12-31\""],
        &[
            "\"2023-02-29\"",
            "\"0000-01-01\"",
            "\"2024-2-29\"",
            "\"2024-02-29T\"",
            "20240229",
            "\"2024-13-01\"",
            "\"2024-00-01\"",
        ],
    ),
    (
        "binary",
        &["\"\"", "\"AA==\"", "\"+/8=\"", "\"AAEC\""],
        &["\"AA\"", "\"AB==\"", "\"_w==\"", "\"A A=\"", "\"AAE\"", "\"====\"", "1"],
    ),
    ("string", &["\"\"", "\"1\"", "\"\\u0000\""], &["1.10", "1e2", "[]", "{}"]),
    (
        "json",
        &[
            "1.50",
            "\"a\"",
            "[1,null]",
            "{\"b\":1,\"a\":null}",
            "true",
            "null",
            "123456789012345678901234567890.5",
        ],
        &[],
    ),
    ("list<int8>", &["[]", "[1,null,2]", "null"], &["[200]", "1", "{}", "[[1]]"]),
    ("list<list<date>>", &["[[\"2024-02-29\"],[],null]"], &["[[\"x\"]]", "[\"2024-02-29\"]"]),
    (
        "struct<a: int8, b: struct<c: string>>",
        &["{}", "{\"a\":1}", "{\"b\":{\"c\":\"x\"},\"a\":null}", "{\"b\":{}}", "{\"z\":null}"],
        &["{\"a\":\"\"}", "{\"b\":1}", "[]", "{\"b\":{\"c\":[]}}"],
    ),
    ("list<struct<a: epoch(ms)>>", &["[{\"a\":5},{},null]"], &["[{\"a\":\"x\"}]"]),
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (data_type, good, bad) in FITS {
        let bad: Vec<&str> = bad.iter().copied().filter(|b| *b != "null1").collect();
        let words = data_type.replace(|c: char| !c.is_ascii_alphanumeric(), " ");
        let name = words.split_whitespace().collect::<Vec<_>>().join("_");
        let values: Vec<&str> = good.iter().chain(&bad).copied().collect();
        cases.push(
            case(format!("declared_{name}")).declare(&format!("c {data_type}")).values(&values),
        );
        cases.push(case(format!("hinted_{name}")).hint("c", data_type).values(&values));
        if data_type.parse::<distil_plan::Type>().unwrap().is_scalar() {
            cases.push(
                case(format!("key_of_{name}"))
                    .hint("c", data_type)
                    .key("c")
                    .values(&values)
                    .values(good),
            );
            cases.push(
                case(format!("order_of_{name}"))
                    .hint("c", data_type)
                    .lines(
                        &good
                            .iter()
                            .map(|v| format!("{{\"k\":1,\"c\":{v}}}"))
                            .collect::<Vec<_>>()
                            .iter()
                            .map(String::as_str)
                            .collect::<Vec<_>>(),
                    )
                    .key("k")
                    .order("c desc")
                    .dropped(),
            );
        }
    }
    cases.extend(hand());
    for (name, extra) in [
        ("error", ExtraMembers::Error),
        ("ignore", ExtraMembers::Ignore),
        ("keep", ExtraMembers::Keep),
    ] {
        cases.push(
            case(format!("extra_members_{name}"))
                .declare("k int64, s struct<a: int64>, l list<struct<a: int64>>")
                .extra(extra)
                .key("k")
                .dropped()
                .lines(&[
                    "{\"k\":1,\"x\":1}",
                    "{\"k\":1,\"x\":2}",
                    "{\"k\":2,\"s\":{\"a\":1,\"b\":[{}],\"n\":null},\"y\":{\"z\":null}}",
                    "{\"k\":3,\"l\":[{\"a\":1},{\"a\":2,\"b\":3,\"c\":4}]}",
                    "{\"k\":4,\"x\":null}",
                    "{\"k\":5,\"x\":{\"d\":1,\"d\":2}}",
                    "{\"k\":6,\"_extra\":{\"x\":1}}",
                    "{\"k\":\"z\",\"x\":1}",
                ]),
        );
    }
    cases
}

fn hand() -> Vec<Case> {
    vec![
        case("a_column_of_its_declared_schema_is_there_without_any_record")
            .declare("k int64, v list<string>, d decimal(10,2)")
            .file("a.json", "")
            .with(|plan| plan.allow_empty = true)
            .key("k")
            .types("k int64, v list<string>, d decimal(10,2)")
            .gives(&[]),
        case("a_hinted_column_is_there_behind_those_that_records_have")
            .hint("z", "date")
            .hint("s.y", "int8")
            .lines(&["{\"k\":1,\"s\":{\"x\":true}}"])
            .types("k int64, s struct<x: boolean, y: int8>, z date"),
        case("a_hint_inside_an_object_makes_its_column_a_struct")
            .hint("s.ts", "timestamp(us)")
            .lines(&[
                "{\"s\":{\"ts\":\"2019-04-23T17:25:43Z\",\"v\":1}}",
                "{\"s\":5}",
                "{\"s\":{\"ts\":5}}",
                "{\"s\":{}}",
                "{\"s\":{\"w\":[]}}",
            ])
            .types("s struct<ts: timestamp(us, UTC), v: int64, w: list<string>>")
            .bad(&[("bad_value", 42, 7), ("bad_value", 50, 14)]),
        case("a_hinted_struct_can_have_extra_members")
            .hint("s", "struct<a: int64>")
            .extra(ExtraMembers::Keep)
            .lines(&["{\"s\":{\"a\":1,\"b\":2},\"t\":3}", "{\"_extra\":1}"])
            .types("s struct<a: int64>, t int64, _extra json"),
        case("extra_members_in_lists_are_refused_where_no_column_could_keep_them")
            .hint("l", "list<struct<a: int64>>")
            .extra(ExtraMembers::Keep)
            .lines(&["{\"l\":[{\"a\":1,\"b\":2}]}", "{\"l\":[{\"a\":1,\"b\":null}]}"])
            .bad(&[("extra_member", 0, 21)]),
        case("extra_members_of_an_open_schema_are_columns")
            .extra(ExtraMembers::Keep)
            .lines(&["{\"a\":1,\"_extra\":2}"])
            .types("a int64, _extra int64"),
        case("declaring_the_column_of_extra_members_is_refused")
            .declare("a int64, _extra json")
            .extra(ExtraMembers::Keep)
            .lines(&["{\"a\":1}"])
            .fails(FailureKind::Plan, "_extra"),
        case("a_declared_key_of_json_is_refused")
            .declare("a json")
            .key("a")
            .lines(&["{\"a\":1}"])
            .fails(FailureKind::NoScalar, "a"),
        case("declared_json_compares_as_values")
            .declare("k int64, v json")
            .key("k")
            .lines(&["{\"k\":1,\"v\":10}", "{\"k\":1,\"v\":9}", "{\"k\":1,\"v\":9.0}"])
            .gives(&["{\"k\":1,\"v\":\"9\"}"])
            .duplicates(1, 1),
        case("declared_values_are_identical_by_what_they_became")
            .declare("k int64, t timestamp(ms), f float32, b binary")
            .key("k")
            .lines(&[
                "{\"k\":1,\"t\":\"2019-04-23T17:25:43Z\",\"f\":0.1,\"b\":\"AA==\"}",
                "{\"k\":1.0,\"t\":\"2019-04-23T19:25:43.000+02:00\",\"f\":0.10000000001,\"b\":\"AA==\"}",
            ])
            .duplicates(1, 0),
        case("declared_columns_stand_in_their_order")
            .declare("b string, a int64")
            .lines(&["{\"a\":1,\"b\":\"x\"}", "{\"b\":null,\"a\":null}"])
            .types("b string, a int64"),
        case("rounded_values_of_bad_records_do_not_count")
            .declare("k int64, f float64")
            .key("k")
            .lines(&["{\"k\":null,\"f\":9007199254740993}", "{\"k\":1,\"f\":9007199254740993}"]),
    ]
}
