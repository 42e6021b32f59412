//! Names and texts (1.3, 2.4, 2.5), and spellings that say the same.

use crate::suite::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    let name = |what: &str, json: &str| {
        case(format!("a_name_with_{what}"))
            .lines(&[
                &format!("{{\"k\":1,\"{json}\":2,\"s\":{{\"{json}\":\"x\"}}}}"),
                &format!("{{\"{json}\":1,\"k\":1}}"),
            ])
            .key("k")
            .dropped()
            .duplicates(0, 1)
    };
    vec![
        name("a_dot", "a.b"),
        name("a_comma", "a,b"),
        name("blanks", " a b "),
        name("nothing_in_it", ""),
        name("a_nul", "a\\u0000b"),
        name("right_to_left_text", "שלום"),
        name("a_direction_override", "\\u202eabc"),
        name("an_emoji", "😀"),
        name("a_combining_mark", "e\u{301}"),
        name("a_quote_and_a_backslash", "a\\\"b\\\\c"),
        name("a_line_feed", "a\\nb"),
        name("a_star", "*"),
        name("brackets", "list<a: b>(c)"),
        name("a_slash", "a/b"),
        case("composed_and_decomposed_names_are_two_columns")
            .lines(&["{\"\u{e9}\":1,\"e\u{301}\":2}"])
            .types("\u{e9} int64, e\u{301} int64"),
        case("names_order_by_their_bytes_in_the_tie_break")
            .lines(&[
                "{\"k\":1,\"\u{10000}\":1,\"\u{ffff}\":2}",
                "{\"k\":1,\"\u{10000}\":2,\"\u{ffff}\":1}",
                "{\"k\":2,\"b\":1,\"B\":2,\"aa\":1}",
                "{\"k\":2,\"b\":2,\"B\":1,\"aa\":2}",
            ])
            .key("k")
            .dropped()
            .gives(&["{\"k\":1,\"\u{ffff}\":1,\"\u{10000}\":2}", "{\"B\":1,\"aa\":2,\"b\":2,\"k\":2}"]),
        case("strings_order_by_their_bytes")
            .values(&["\"\u{10000}\"", "\"\u{ffff}\"", "\"\"", "\"a\"", "\"\\u0000\"", "\"a\\u0000\"", "\"B\"", "\"ab\"", "\"\u{7f}\"", "\"é\""])
            .key("c"),
        case("strings_that_begin_alike_order_as_keys")
            .values(&["\"aaaaaaaaaaaaaaaaaaaaaaaab\"", "\"aaaaaaaaaaaaaaaaaaaaaaaa\"", "\"aaaaaaaaaaaaaaaaaaaaaaaa\\u0000\"", "\"aaaaaaaaaaaaaaaaaaaaaaaa\\u0000\\u0000\"", "\"aaaaaaaaaaaaaaaaaaaaaaaa\\u0001\""])
            .key("c"),
        case("every_escape")
            .values(&["\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\u001F\\u007f\\u00E9\\uD83D\\uDE00\\uFFFF\"", "1"])
            .types("c json"),
        case("canonical_text_of_numbers")
            .values(&[
                "\"\"", "1e20", "1e21", "12e20", "12e21", "0.000001", "0.0000001", "1.50", "-0.0", "100e-2",
                "1e999999999", "-1e-999999999", "123456789012345678901234567890.0123456789", "0.1e1", "1E+2",
            ])
            .key("*"),
        case("members_order_and_white_space_and_escapes_change_nothing")
            .file("a.json", "{\"k\":1,\"s\":{\"a\":[1,2.50],\"b\":\"é/\"},\"n\":null}\n{\"k\":2,\"s\":{\"a\":[],\"b\":\"\\t\"}}\n")
            .key("k")
            .same_bytes_as(&[(
                "a.json",
                " [ {\n\"\\u006b\" :\t1.0 , \"s\":{\"a\":[ 1e0 , 25e-1 ],\"b\":\"\\u00e9\\/\"} ,\"n\":null},\r\n{ \"s\":{\"b\":\"\\u0009\",\"a\":[ ]} , \"k\":2}]",
            )])
            .with(|plan| {
                // The order of columns is part of the output; the declared one is fixed.
                plan.schema.declared = Some(
                    distil_plan::Schema::parse(
                        "k int64, s struct<a: list<float64>, b: string>, n string",
                    )
                    .unwrap(),
                );
            }),
        case("copies_in_other_files_change_nothing")
            .file("a.json", "{\"k\":1,\"v\":1}\n{\"k\":2,\"v\":2}\n")
            .key("k")
            .same_bytes_as(&[
                ("a.json", "{\"k\":1,\"v\":1}\n{\"k\":2,\"v\":2}\n{\"k\":1,\"v\":1}\n"),
                ("b.json", "[{\"v\":2,\"k\":2},{\"v\":1.0,\"k\":1}]"),
                ("c.json", "[{\"k\":2,\"v\":2}]"),
            ])
            .hint("v", "int64"),
        case("an_exponent_changes_nothing")
            .file("a.json", "{\"k\":1,\"v\":1.0e0}\n{\"k\":2,\"v\":20E-1}\n")
            .key("k")
            .same_bytes_as(&[("a.json", "{\"k\":1,\"v\":1}\n{\"k\":2,\"v\":2}\n")])
            .hint("v", "int64"),
        case("a_missing_member_and_a_null_give_the_same_bytes")
            .file("a.json", "{\"k\":1,\"v\":true}\n{\"k\":2}\n")
            .key("k")
            .same_bytes_as(&[("a.json", "{\"k\":1,\"v\":true}\n{\"k\":2,\"v\":null}\n")]),
    ]
}
