//! Values in another spelling than their declared type has, and strings that stand for null (2.2).

use distil_plan::NullText;

use crate::oracle::FailureKind;
use crate::suite::{Case, case};

/// A declared type, values of other spellings that it takes, and values that it does not.
const SPELLINGS: &[(&str, &[&str], &[&str])] = &[
    (
        "int8",
        &["\"10\"", "\"-0\"", "\"1.0\"", "\"1e2\"", "\"\\u0031\""],
        &[
            "\" 10\"", "\"10 \"", "\"0x0A\"", "\"+1\"", "\"01\"", "\"1_0\"", "\"\"", "\"128\"",
            "\"1.5\"", "\"-\"",
        ],
    ),
    (
        "int64",
        &["\"9223372036854775807\"", "\"1E3\""],
        &["\"9223372036854775808\"", "\"1,234\"", "\"\\\"1\\\"\""],
    ),
    (
        "decimal(5,2)",
        &["\"1.10\"", "\"-999.99\"", "\"1e2\""],
        &["\"0.001\"", "\"1,5\"", "\".5\"", "\"5.\""],
    ),
    (
        "float32",
        &["\"0.1\"", "\"16777217\""],
        &["\"3.5e38\"", "\"NaN\"", "\"Infinity\"", "\"-inf\""],
    ),
    (
        "float64",
        &["\"0.1\"", "\"9007199254740993\"", "\"1e-400\""],
        &["\"1e400\"", "\"nan\"", "\"1e\"", "\"1e1000000001\"", "true"],
    ),
    (
        "json(text)",
        &[
            "\"{\\\"a\\\":[1,null]}\"",
            "\" 1.50 \"",
            "\"\\\"x\\\"\"",
            "\"null\"",
            "\"\\tnull \"",
            "{\"b\":1}",
            "[2]",
            "true",
        ],
        &["\"\"", "\"x\"", "\"1 2\"", "\"{\\\"a\\\":1,\\\"a\\\":2}\"", "\"[\"", "\"NaN\""],
    ),
    (
        "boolean",
        &["\"true\"", "\"false\"", "\"\\u0074rue\""],
        &["\"True\"", "\"1\"", "\"yes\"", "\" true\"", "\"\""],
    ),
    (
        "string",
        &[
            "10",
            "-1",
            "0",
            "1.5",
            "0.000001",
            "1e-7",
            "1e21",
            "true",
            "false",
            "123456789012345678901234567890",
        ],
        &["1.10", "1e2", "1E21", "-0", "1.0", "10e20", "[]", "{}"],
    ),
    (
        "timestamp(ms)",
        &[
            "\"2024-01-01 00:00:00.5 UTC\"",
            "\"2024-10-27T02:10:00.000+0100\"",
            "\"2024-10-27T02:10:00 +01:00\"",
            "\"2024-10-27 02:10:00+01\"",
            "\"2024-10-27 02:10:00 -0130\"",
            "\"2024-10-27t02:10:00.1230000+0000\"",
        ],
        &[
            "\"2024-10-27T02:10:00\"",
            "\"2024-10-27T02:10:00UTC\"",
            "\"2024-10-27T02:10:00 utc\"",
            "\"2024-10-27T02:10:00 Z\"",
            "\"2024-10-27T02:10:00  +0100\"",
            "\"2024-10-27T02:10:00+2400\"",
            "\"2024-10-27T02:10:00+0160\"",
            "\"2024-10-27T02:10:00+010\"",
            "\"2024-10-27T02:10:00+1\"",
            "\"2024-10-27T02:10:00 CET\"",
            "\"2024-10-27T02:10:00.1234 UTC\"",
            "\"0001-01-01T00:00:00+0001\"",
            "\" 2024-10-27T02:10:00+0100\"",
        ],
    ),
    (
        "epoch(s)",
        &[
            "1703363853.035",
            "-0.5",
            "\"1703363853\"",
            "\"1703363853.035\"",
            "\"-1\"",
            "1703363853035e-3",
        ],
        &[
            "1703363853.0355",
            "\"1703363853.0355\"",
            "\" 1\"",
            "\"2023-12-23\"",
            "\"253402300800\"",
            "\"\"",
        ],
    ),
    ("epoch(ms)", &["\"1703363853035\"", "\"1e3\""], &["1703363853.5", "\"0.5\""]),
    ("epoch(us)", &["\"1703363853035001\""], &["0.1"]),
    ("epoch(ns)", &["\"-1\""], &["\"9223372036854775808\""]),
    ("date", &[], &["20240229", "\"2024-02-29T00:00:00Z\"", "\"29.02.2024\""]),
    ("binary", &[], &["1", "true"]),
    ("list<int8>", &["[\"1\",2,null]"], &["[\"x\"]", "\"1\"", "\"[1]\""]),
    ("list<list<string>>", &["[[1,true,\"x\"]]"], &["[[1.10]]", "[1]"]),
    (
        "struct<a: int8, b: struct<c: string>>",
        &["{\"a\":\"1\",\"b\":{\"c\":1}}"],
        &["{\"a\":\"x\"}", "\"{}\""],
    ),
    ("list<struct<a: epoch(ms)>>", &["[{\"a\":\"5\"},{\"a\":6}]"], &["[{\"a\":\"x\"}]"]),
];

/// A form of instants, texts of that form, and texts that are not.
const FORMATS: &[(&str, &[&str], &[&str])] = &[
    (
        "timestamp(ms, '%d-%m-%Y %H:%M:%S', 'UTC')",
        &["30-04-2024 17:04:01", "01-05-2024 08:31:27", "1-5-2024  8:31:27"],
        &[
            "2024-05-01T08:31:27Z",
            "31-04-2024 00:00:00",
            "01-05-2024 24:00:00",
            "01-05-2024 08:31",
            "01-05-2024 08:31:27 ",
        ],
    ),
    (
        "timestamp(ms, '%a %b %d %H:%M:%S %z %Y')",
        &[
            "Fri Mar 01 10:00:00 +0000 2024",
            "Wed Aug 27 13:08:45 +0000 2008",
            "thu dec 5 09:00:00 +01:00 2019",
        ],
        &[
            "Fri Mar 02 10:00:00 +0000 2024",
            "Fri Mar 01 10:00:00 2024",
            "Frid Mar 01 10:00:00 +0000 2024",
        ],
    ),
    (
        "timestamp(us, '%d.%m.%Y %H:%M', 'Europe/Berlin')",
        &[
            "27.10.2024 01:59",
            "27.10.2024 03:00",
            "31.03.2024 01:59",
            "31.03.2024 03:00",
            "1.7.1900 0:00",
        ],
        &["27.10.2024 02:00", "27.10.2024 02:59", "31.03.2024 02:00", "31.03.2024 02:59"],
    ),
    (
        "timestamp(ns, '%m/%d/%y %I:%M:%S%.f %p', 'America/New_York')",
        &[
            "07/04/24 12:00:00.123456789 AM",
            "7/4/24 12:00:00 pm",
            "12/31/69 11:59:59.5 PM",
            "1/1/68 1:00:00 am",
        ],
        &[
            "07/04/24 13:00:00 PM",
            "07/04/24 0:00:00 AM",
            "07/04/2024 1:00:00 AM",
            "07/04/24 1:00:00. AM",
            "7/4/24 1:00:00 XM",
        ],
    ),
    (
        "timestamp(ms, '%Y/%j''%H%M%S%f', 'Asia/Kolkata')",
        &["2024/366'235959000", "2024/1'0000001", "2023/365'0000000000"],
        &["2023/366'0000000", "2024/0'0000000", "2024/1'000000", "2024/1'0000000001"],
    ),
    (
        "timestamp(ms, '%FT%TZ%Z')",
        &["2024-05-01T08:31:27ZUTC", "2024-05-01T08:31:27ZGMT"],
        &["2024-05-01T08:31:27ZCET", "1"],
    ),
];

fn nulls(text: &str) -> NullText {
    text.parse().unwrap()
}

fn named(kind: &str, data_type: &str) -> String {
    let words = data_type.replace(|c: char| !c.is_ascii_alphanumeric(), " ");
    format!("{kind}_{}", words.split_whitespace().collect::<Vec<_>>().join("_"))
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let quoted: Vec<(&str, Vec<String>, Vec<String>)> = FORMATS
        .iter()
        .map(|(data_type, good, bad)| {
            let quote = |texts: &[&str]| texts.iter().map(|text| format!("\"{text}\"")).collect();
            (*data_type, quote(good), quote(bad))
        })
        .collect();
    let plain = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let spelled =
        SPELLINGS.iter().map(|(data_type, good, bad)| (*data_type, plain(good), plain(bad)));
    for (data_type, good, bad) in spelled.chain(quoted) {
        let all: Vec<&str> = good.iter().chain(&bad).map(String::as_str).collect();
        let good: Vec<&str> = good.iter().map(String::as_str).collect();
        let column = format!("c {data_type}");
        cases.push(case(named("spelled_as", data_type)).declare(&column).values(&all));
        let strict = case(named("strictly", data_type)).hint("c", data_type).values(&all);
        cases.push(strict.with(|plan| plan.strict_types = true));
        if data_type.parse::<distil_plan::Type>().unwrap().is_scalar() && !good.is_empty() {
            let key = case(named("key_spelled_as", data_type)).hint("c", data_type).key("c");
            cases.push(key.values(&all).values(&good));
            let lines: Vec<String> =
                good.iter().map(|value| format!("{{\"k\":1,\"c\":{value}}}")).collect();
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let order = case(named("order_spelled_as", data_type)).hint("c", data_type);
            cases.push(order.lines(&lines).key("k").order("c desc").dropped());
        }
    }
    cases.extend(hand());
    cases
}

fn hand() -> Vec<Case> {
    vec![
        case("numbers_in_strings_are_ordered_as_numbers")
            .hint("v", "int64")
            .lines(&["{\"k\":\"a\",\"v\":\"9\"}", "{\"k\":\"a\",\"v\":\"10\"}", "{\"k\":\"a\",\"v\":8}"])
            .key("k")
            .order("v desc")
            .gives(&["{\"k\":\"a\",\"v\":10}"]),
        case("a_number_and_its_text_are_one_key")
            .hint("id", "string")
            .lines(&["{\"id\":101}", "{\"id\":\"102\"}", "{\"id\":102}", "{\"id\":1.10}"])
            .key("id")
            .gives(&["{\"id\":\"101\"}", "{\"id\":\"102\"}"])
            .duplicates(1, 0)
            .bad(&[("bad_value", 35, 11)]),
        case("a_value_that_is_respelled_in_a_bad_record_does_not_count")
            .declare("k int64, v int64")
            .key("k")
            .lines(&["{\"k\":null,\"v\":\"1\"}", "{\"k\":\"1\",\"v\":\"x\"}", "{\"k\":\"2\",\"v\":\"2\"}"]),
        case("strings_of_one_column_stand_for_null")
            .with(|plan| plan.null_text = nulls("price=NA|-"))
            .lines(&["{\"price\":1,\"q\":\"NA\"}", "{\"price\":\"NA\"}", "{\"price\":\"\\u002d\",\"q\":\"-\"}"])
            .types("price int64, q string"),
        case("a_key_that_stands_for_null_is_null")
            .with(|plan| plan.null_text = nulls("k=NA"))
            .key("k")
            .lines(&["{\"k\":1}", "{\"k\":\"NA\"}", "{\"k\":null}"])
            .bad(&[("null_key", 8, 10), ("null_key", 19, 10)]),
        case("a_null_key_that_is_a_value_may_be_spelled")
            .with(|plan| plan.null_text = nulls("k=NA"))
            .key("k")
            .null_keys()
            .lines(&["{\"k\":1}", "{\"k\":\"NA\",\"v\":1}", "{\"k\":null,\"v\":1}", "{\"v\":1}"])
            .duplicates(2, 0),
        case("strings_that_stand_for_null_come_before_conversions")
            .with(|plan| plan.null_text = nulls("0,s=7"))
            .declare("n int8, s string, b binary, l list<int8>, m list<string>, j json, t struct<n: int8>")
            .lines(&[
                "{\"n\":\"0\",\"s\":\"0\",\"b\":\"0\",\"l\":[\"0\",\"1\",0],\"m\":[\"0\"],\"j\":\"0\",\"t\":{\"n\":\"0\"}}",
                "{\"s\":\"7\",\"n\":\"7\",\"l\":\"0\",\"t\":\"0\",\"m\":\"0\",\"j\":[\"0\"]}",
                "{\"s\":7}",
            ]),
        case("an_inferred_column_with_other_strings_is_untouched_without_its_name")
            .with(|plan| plan.null_text = nulls("NA"))
            .hint("n", "int64")
            .lines(&["{\"n\":\"NA\",\"country\":\"NA\"}", "{\"n\":1,\"country\":\"DE\"}"])
            .types("n int64, country string"),
        case("texts_without_a_column_stand_for_null_where_all_other_values_are_no_strings")
            .with(|plan| plan.null_text = nulls("NA|-"))
            .lines(&[
                "{\"n\":1,\"c\":\"NA\",\"d\":\"DE\",\"s\":{\"b\":true},\"l\":[\"NA\",1],\"o\":{\"x\":1}}",
                "{\"n\":\"NA\",\"c\":\"-\",\"d\":\"NA\",\"s\":{\"b\":\"-\"},\"l\":[2],\"o\":\"NA\"}",
            ])
            .types("n int64, c string, d string, s struct<b: boolean>, l list<json>, o struct<x: int64>"),
        case("a_key_that_stands_for_null_without_its_name_is_null")
            .with(|plan| plan.null_text = nulls("NA"))
            .key("k")
            .lines(&["{\"k\":1,\"v\":\"NA\"}", "{\"k\":\"NA\"}", "{\"k\":2,\"v\":2}"])
            .bad(&[("null_key", 17, 10)]),
        case("bad_records_say_nothing_of_the_columns_of_null_texts")
            .with(|plan| plan.null_text = nulls("NA"))
            .lines(&["{\"n\":\"NA\"}", "{\"n\":\"x\"", "{\"n\":1}"])
            .types("n int64")
            .bad(&[("invalid_json", 11, 8)]),
        case("members_of_what_ends_as_json_never_stand_for_null")
            .with(|plan| plan.null_text = nulls("NA"))
            .lines(&["{\"j\":{\"n\":\"NA\"}}", "{\"j\":{\"n\":1}}", "{\"j\":5}"])
            .types("j json"),
        case("elements_of_a_declared_list_stand_for_null_by_its_name")
            .with(|plan| plan.null_text = nulls("l=NA,i=NA"))
            .hint("l", "list<list<string>>")
            .lines(&["{\"l\":[[\"NA\",\"x\"],\"NA\"],\"i\":[\"NA\"]}", "{\"l\":\"NA\",\"i\":\"NA\"}"])
            .types("l list<list<string>>, i list<string>"),
        case("a_string_that_stands_for_null_inside_an_object_makes_it_a_struct")
            .with(|plan| plan.null_text = nulls("s.p=NA"))
            .lines(&["{\"s\":{\"p\":\"NA\",\"q\":1}}", "{\"s\":{\"p\":1}}", "{\"s\":5}", "{\"s\":{}}"])
            .types("s struct<p: int64, q: int64>")
            .bad(&[("bad_value", 37, 7)]),
        case("a_column_of_null_texts_that_nobody_has_fails_with_the_nearest_names")
            .with(|plan| plan.null_text = nulls("prise=NA"))
            .lines(&["{\"price\":\"NA\"}"])
            .fails(FailureKind::MissingColumn, "price"),
        case("a_column_of_null_texts_outside_the_declared_schema_is_refused")
            .with(|plan| plan.null_text = nulls("prise=NA"))
            .declare("price int64")
            .lines(&["{\"price\":\"NA\"}"])
            .fails(FailureKind::MissingColumn, "prise"),
        case("extra_members_never_stand_for_null")
            .with(|plan| plan.null_text = nulls("NA"))
            .declare("n int64")
            .lines(&["{\"n\":\"NA\",\"x\":\"NA\"}", "{\"n\":1}"])
            .bad(&[("extra_member", 0, 19)]),
    ]
}
