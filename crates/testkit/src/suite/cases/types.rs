//! Inference (2.1), row by row.

use crate::oracle::FailureKind;
use crate::suite::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    let column = |name: &str, data_type: &str, values: &[&str]| {
        case(name).values(values).types(&format!("c {data_type}"))
    };
    let ts = |texts: &[&str]| texts.iter().map(|t| format!("\"{t}\"")).collect::<Vec<_>>();
    let strings = |name: &str, data_type: &str, texts: &[&str]| {
        let texts = ts(texts);
        column(name, data_type, &texts.iter().map(String::as_str).collect::<Vec<_>>())
    };
    vec![
        column(
            "integers_of_64_bits_are_int64",
            "int64",
            &["9223372036854775807", "-9223372036854775808", "-0", "null"],
        ),
        column(
            "an_integer_of_2_to_the_63_is_a_decimal",
            "decimal(38,0)",
            &["9223372036854775808", "-9223372036854775809", "1"],
        ),
        column(
            "integers_beyond_64_bits_keep_every_digit",
            "decimal(38,0)",
            &["18446744073709551615", "18446744073709551616", "18446744073709551617"],
        ),
        column(
            "an_integer_of_38_digits_is_a_decimal",
            "decimal(38,0)",
            &["99999999999999999999999999999999999999", "-99999999999999999999999999999999999999"],
        ),
        column(
            "an_integer_of_39_digits_is_json",
            "json",
            &["100000000000000000000000000000000000000", "1"],
        ),
        column(
            "numbers_with_a_fraction_are_float64",
            "float64",
            &["1", "0.5", "-1e22", "5e-324", "1.7976931348623157e308", "-0.0"],
        ),
        column("a_number_beyond_the_largest_double_is_json", "json", &["1e400", "1.5"]),
        column("a_number_below_the_smallest_double_is_json", "json", &["1e-400", "1.5"]),
        column(
            "a_number_that_a_double_would_round_is_a_decimal",
            "decimal(38,36)",
            &["0.1000000000000000055511151231257827", "1.5"],
        ),
        column(
            "two_to_the_53_and_its_neighbours_are_integers",
            "int64",
            &["9007199254740991", "9007199254740992", "9007199254740993"],
        ),
        column(
            "two_to_the_53_plus_1_beside_a_fraction_is_a_decimal",
            "decimal(38,3)",
            &["9007199254740993", "0.5"],
        ),
        column(
            "two_to_the_53_beside_a_fraction_is_float64",
            "float64",
            &["9007199254740992", "9007199254740991", "0.5"],
        ),
        column(
            "a_large_double_whose_shortest_text_is_another_number_is_a_decimal",
            "decimal(38,3)",
            &["1152921504606846976", "0.5"],
        ),
        column("a_whole_number_with_a_fraction_is_float64", "float64", &["1.0", "2"]),
        column("booleans", "boolean", &["true", "false", "null"]),
        strings(
            "timestamps_without_fraction_are_milliseconds",
            "timestamp(ms, UTC)",
            &["2019-04-23T17:25:43Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"],
        ),
        strings(
            "timestamps_with_3_digits_are_milliseconds",
            "timestamp(ms, UTC)",
            &["2019-04-23T17:25:43.111Z", "1969-12-31T23:59:59.999Z", "0001-01-01T00:00:00.000Z"],
        ),
        strings(
            "timestamps_with_6_digits_are_microseconds",
            "timestamp(us, UTC)",
            &["2019-04-23T17:25:43.111000Z", "9999-12-31T23:59:59.999999Z"],
        ),
        strings("timestamps_with_9_digits_are_text", "string", &["2019-04-23T17:25:43.111000000Z"]),
        strings("timestamps_with_an_offset_are_text", "string", &["2019-04-23T17:25:43+00:00"]),
        strings("timestamps_in_lower_case_are_text", "string", &["2019-04-23t17:25:43z"]),
        strings("second_60_is_text", "string", &["2019-04-23T17:25:43Z", "2016-12-31T23:59:60Z"]),
        strings("hour_24_is_text", "string", &["2019-04-23T24:00:00Z"]),
        strings(
            "the_30th_of_february_is_text",
            "string",
            &["2019-02-30T00:00:00Z", "2019-04-23T17:25:43Z"],
        ),
        strings(
            "the_29th_of_february_is_real_in_leap_years",
            "timestamp(ms, UTC)",
            &["2000-02-29T00:00:00Z", "2024-02-29T00:00:00Z"],
        ),
        strings("the_29th_of_february_1900_is_text", "string", &["1900-02-29T00:00:00Z"]),
        strings("year_0_is_text", "string", &["0000-01-01T00:00:00Z"]),
        strings("year_10000_is_text", "string", &["10000-01-01T00:00:00Z"]),
        strings("bengali_digits_are_text", "string", &["২০১৯-০৪-২৩T১৭:২৫:৪৩Z"]),
        strings("timestamps_with_a_blank_around_are_text", "string", &[" 2019-04-23T17:25:43Z"]),
        strings(
            "strings_of_digits_stay_strings",
            "string",
            &["30", "0", "1.5", "true", "null", ""],
        ),
        column(
            "timestamps_beside_another_string_are_text",
            "string",
            &["\"2019-04-23T17:25:43Z\"", "\"x\""],
        ),
        column(
            "structs",
            "struct<a: int64, b: list<string>, c: struct<d: boolean>>",
            &["{\"a\":1,\"b\":[\"x\",null]}", "{\"c\":{\"d\":true}}", "{}", "null"],
        ),
        column(
            "lists_of_lists",
            "list<list<float64>>",
            &["[[1,2.5],[],null]", "[]", "[null]", "null"],
        ),
        column(
            "a_struct_inside_a_list",
            "list<struct<a: int64, b: string>>",
            &["[{\"a\":1},{\"b\":\"x\"},null,{}]", "[]"],
        ),
        column(
            "a_list_inside_a_struct_inside_a_list",
            "list<struct<a: list<boolean>>>",
            &["[{\"a\":[true,null]},{\"a\":[]}]", "[]"],
        ),
        column(
            "only_empty_lists_are_lists_of_strings",
            "list<string>",
            &["[]", "[null]", "[null,null]", "null"],
        ),
        column("lists_of_empty_lists", "list<list<string>>", &["[[]]", "[]"]),
        column("only_nulls_are_a_string", "string", &["null", "null"]),
        column("empty_objects_are_json", "json", &["{}", "{}", "null"]),
        column(
            "an_object_whose_only_member_is_null_is_a_struct",
            "struct<a: string>",
            &["{\"a\":null}", "{}"],
        ),
        column(
            "mixed_kinds_are_json",
            "json",
            &[
                "1",
                "\"1\"",
                "true",
                "[1,{\"b\":null,\"a\":1.50}]",
                "{\"x\":null,\"a\":\"\\u0009\"}",
                "null",
            ],
        ),
        column("a_number_beside_a_boolean_is_json", "json", &["1", "true"]),
        column(
            "lists_with_mixed_elements_are_lists_of_json",
            "list<json>",
            &["[1,\"a\"]", "[null,[]]"],
        ),
        column("objects_beside_lists_are_json", "json", &["{\"a\":1}", "[1]"]),
        column(
            "the_even_one_of_two_shortest_texts_is_a_double",
            "float64",
            &["2.0135095591208582e15", "-2013509559120858.8"],
        ),
        column(
            "the_odd_one_of_two_shortest_texts_is_a_decimal",
            "decimal(38,3)",
            &["2.0135095591208583e15"],
        ),
        column(
            "the_scale_of_a_decimal_holds_the_digits_of_all",
            "decimal(38,18)",
            &["0.10000000000000001", "12345678901234567890", "1.5000000000000000000000", "1e19"],
        ),
        column(
            "digits_that_no_decimal_holds_together_are_json",
            "json",
            &["0.10000000000000001", "123456789012345678901"],
        ),
        column(
            "37_digits_after_the_point_are_json",
            "json",
            &["0.1000000000000000000000000000000000001"],
        ),
        column(
            "decimals_in_lists",
            "list<struct<x: decimal(38,18)>>",
            &["[{\"x\":0.10000000000000001}]", "[{\"x\":2},{\"x\":null}]"],
        ),
        case("decimals_are_a_key_and_an_order")
            .lines(&[
                "{\"k\":0.10000000000000001,\"t\":0.20000000000000001}",
                "{\"k\":0.10000000000000001,\"t\":0.3}",
                "{\"k\":0.1,\"t\":21}",
            ])
            .key("k")
            .order("t desc")
            .types("k decimal(38,18), t decimal(38,18)")
            .gives(&["{\"k\":0.1,\"t\":21}", "{\"k\":0.10000000000000001,\"t\":0.3}"]),
        case("columns_stand_in_the_order_of_their_first_appearance")
            .lines(&["{\"b\":1,\"d\":null}", "{\"c\":{\"z\":1},\"a\":true}"])
            .lines(&["{\"a\":false,\"e\":0.5,\"c\":{\"y\":2,\"z\":1}}"])
            .types("b int64, d string, c struct<z: int64, y: int64>, a boolean, e float64"),
        case("a_bad_record_makes_no_column")
            .lines(&["{\"x\":1,\"k\":null}", "{\"k\":1}"])
            .key("k")
            .types("k int64"),
        first_seen_last(),
        one_string_among_numbers(),
        members("an_object_of_1000_members_is_a_struct", 1000),
        members("an_object_of_1001_members_is_json", 1001).types("c json"),
        spread_members(),
        nested("a_column_at_level_32_can_be_a_scalar", 32),
        nested("a_list_at_level_33_is_json", 33),
        nested("a_record_of_1024_levels_is_read", 1023),
        nested("a_record_of_1025_levels_is_too_deep", 1024)
            .lines(&["{\"c\":1}"])
            .bad(&[("too_deep", 0, 2055)]),
        nested_objects("an_object_at_level_32_is_a_struct", 32),
        nested_objects("an_object_at_level_33_is_json", 33),
        case("more_than_10000_columns_fail")
            .lines(&[&object(10_001)])
            .fails(FailureKind::TooManyColumns, "10000"),
        case("too_many_columns_name_the_path_with_the_most_members")
            .lines(&[&wide_structs(10, 950, 1000)])
            .fails(FailureKind::TooManyColumns, "widest"),
        case("exactly_10000_columns_are_written").lines(&[&wide_structs(10, 900, 1000)]),
        case("names_that_differ_in_case_are_two_columns_with_a_warning")
            .lines(&["{\"id\":1,\"Id\":\"a\",\"k\":1}", "{\"ID\":2.5,\"k\":1}"])
            .key("k")
            .types("id int64, Id string, k int64, ID float64"),
    ]
}

fn object(members: usize) -> String {
    let members: Vec<String> = (0..members).map(|i| format!("\"m{i:04}\":{i}")).collect();
    format!("{{{}}}", members.join(","))
}

/// Structs of many members, one of them wider.
fn wide_structs(count: usize, members: usize, most: usize) -> String {
    let narrow: String = (0..count).map(|i| format!("\"s{i}\":{},", object(members))).collect();
    format!("{{{narrow}\"widest\":{}}}", object(most))
}

fn members(name: &str, count: usize) -> Case {
    case(name).values(&["{\"m0000\":5}", &object(count)])
}

/// No object has many members, but the column has.
fn spread_members() -> Case {
    let values: Vec<String> = (0..1001).map(|i| format!("{{\"m{i}\":9007199254740993}}")).collect();
    case("a_column_of_1001_members_in_small_objects_is_json_and_rounds_nothing")
        .values(&values.iter().map(String::as_str).collect::<Vec<_>>())
        .types("c json")
}

fn first_seen_last() -> Case {
    let mut lines: Vec<String> = (0..2000).map(|i| format!("{{\"k\":{i}}}")).collect();
    lines.push("{\"k\":-1,\"late\":0.5}".into());
    case("a_column_first_seen_in_the_last_record_is_there")
        .lines(&lines.iter().map(String::as_str).collect::<Vec<_>>())
        .key("k")
        .types("k int64, late float64")
}

fn one_string_among_numbers() -> Case {
    let mut values: Vec<String> = (0..99_999).map(|i| (i * 7 % 1000).to_string()).collect();
    values.push("\"7\"".into());
    case("a_number_in_99999_records_and_a_string_in_one_is_json")
        .values(&values.iter().map(String::as_str).collect::<Vec<_>>())
        .types("c json")
}

fn nested(name: &str, levels: usize) -> Case {
    let value = format!("{}1{}", "[".repeat(levels - 1), "]".repeat(levels - 1));
    let value = if levels >= 1023 { format!("[{}]", &value) } else { value };
    case(name).values(&[&value])
}

fn nested_objects(name: &str, levels: usize) -> Case {
    let value = format!("{}{{}}{}", "{\"a\":".repeat(levels - 1), "}".repeat(levels - 1));
    let full = format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
    case(name).values(&[&value, &full])
}
