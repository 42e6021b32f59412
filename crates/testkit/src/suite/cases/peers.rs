//! What went wrong in other systems, as cases: named after what it was about.

use crate::suite::{Case, case};

fn lines(name: &str, records: impl Iterator<Item = String>) -> Case {
    let records: Vec<String> = records.collect();
    case(name).lines(&records.iter().map(String::as_str).collect::<Vec<_>>())
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        lines(
            "peer_a_key_first_seen_at_row_101_is_not_dropped",
            (0..1000).map(|i| match i {
                0..100 => format!("{{\"i\":{i}}}"),
                _ => format!("{{\"i\":{i},\"late\":{i}}}"),
            }),
        )
        .types("i int64, late int64"),
        case("peer_files_that_lack_a_column")
            .lines(&["{\"a\":1,\"b\":2}"])
            .lines(&["{\"a\":3}"])
            .lines(&["{\"b\":4,\"c\":5}"])
            .key("*"),
        case("peer_a_list_of_nulls_in_one_file_and_of_strings_in_another")
            .lines(&["{\"l\":[null]}", "{\"l\":[]}"])
            .lines(&["{\"l\":[\"x\"]}"])
            .types("l list<string>"),
        case("peer_an_empty_list_first_decides_nothing")
            .lines(&["{\"l\":[]}"])
            .lines(&["{\"l\":[{\"a\":1}]}"])
            .types("l list<struct<a: int64>>"),
        case("peer_structs_with_other_members_in_each_file")
            .lines(&["{\"s\":{\"a\":1,\"n\":{\"x\":1}}}"])
            .lines(&["{\"s\":{\"b\":\"t\",\"n\":{\"y\":[]}}}"])
            .types("s struct<a: int64, n: struct<x: int64, y: list<string>>, b: string>"),
        case("peer_image_and_image_are_two_columns")
            .lines(&["{\"Image\":1,\"image\":\"a\",\"s\":{\"Image\":1,\"image\":2}}"])
            .types("Image int64, image string, s struct<Image: int64, image: int64>"),
        case("peer_ids_of_digits_stay_text")
            .lines(&["{\"id\":\"30\"}", "{\"id\":\"007\"}"])
            .key("id")
            .types("id string")
            .gives(&["{\"id\":\"007\"}", "{\"id\":\"30\"}"]),
        case("peer_integers_from_2_to_the_63")
            .lines(&[
                "{\"id\":9223372036854775808}",
                "{\"id\":9223372036854775809}",
                "{\"id\":9223372036854775807}",
            ])
            .key("id")
            .types("id decimal(38,0)"),
        lines(
            "peer_the_200th_member_changes_no_type_and_rounds_nothing",
            (0..250).map(|i| format!("{{\"s\":{{\"m{i}\":{}}}}}", 9_007_199_254_740_993u64 + i)),
        ),
        case("peer_integers_of_128_bits_are_not_cut")
            .lines(&["{\"n\":170141183460469231731687303715884105727}", "{\"n\":1}"])
            .types("n json"),
        case("peer_digits_are_not_lost_to_a_double")
            .lines(&["{\"n\":123456789012345678}", "{\"n\":0.1}"])
            .types("n decimal(38,3)"),
        case("peer_ids_of_18_digits_are_not_changed")
            .lines(&["{\"id\":999999999999999999}", "{\"id\":999999999999999998}"])
            .key("id")
            .gives(&["{\"id\":999999999999999998}", "{\"id\":999999999999999999}"]),
        case("peer_a_byte_order_mark_is_no_part_of_the_first_name")
            .file("a.json", "\u{feff}{\"id\":1}\n")
            .key("id")
            .types("id int64"),
        case("peer_the_rest_of_a_file_behind_a_nan_is_kept")
            .lines(&["{\"a\":1}", "{\"a\":NaN}", "{\"a\":2}", "{\"a\":3}"])
            .gives(&["{\"a\":1}", "{\"a\":2}", "{\"a\":3}"]),
        case("peer_garbage_behind_a_value_is_no_value")
            .lines(&["{\"a\":1} garbage", "{\"a\":2}]", "{\"a\":3},", "{\"a\":4}"])
            .gives(&["{\"a\":4}"]),
        case("peer_a_bad_line_leaves_no_row_of_nulls")
            .lines(&["{\"a\":1}", "{\"a\":", "{\"a\":2}"])
            .gives(&["{\"a\":1}", "{\"a\":2}"]),
        case("peer_only_the_first_value_of_a_file_is_not_enough")
            .file("a.json", "{\n\"a\":1}\n{\n\"a\":2}\n{\n\"a\":3}")
            .gives(&["{\"a\":1}", "{\"a\":2}", "{\"a\":3}"]),
        lines(
            "peer_one_large_array_is_read_whole",
            std::iter::once(format!(
                "[{}]",
                (0..3000)
                    .map(|i| format!("{{\"i\":{i},\"pad\":\"{}\"}}", "x".repeat(90)))
                    .collect::<Vec<_>>()
                    .join(",")
            )),
        )
        .key("i"),
        case("peer_a_large_member_beside_the_records")
            .file(
                "a.json",
                format!("{{\"trace\":\"{}\",\"records\":[{{\"a\":1}}]}}", "t".repeat(200_000)),
            )
            .gives(&["{\"a\":1}"]),
        case("peer_the_survivor_is_one_record_and_no_mix")
            .lines(&[
                "{\"k\":1,\"a\":null,\"b\":2}",
                "{\"k\":1,\"a\":1,\"b\":null}",
                "{\"k\":1,\"c\":3}",
            ])
            .key("k")
            .dropped()
            .gives(&["{\"a\":1,\"k\":1}"]),
        case("peer_dedup_on_a_struct_field_works")
            .lines(&[
                "{\"s\":{\"id\":1},\"v\":2}",
                "{\"s\":{\"id\":1},\"v\":1}",
                "{\"s\":{\"id\":0},\"v\":3}",
            ])
            .key("s.id")
            .gives(&["{\"s\":{\"id\":0},\"v\":3}", "{\"s\":{\"id\":1},\"v\":1}"]),
        case("peer_the_order_decides_and_not_the_position")
            .lines(&[
                "{\"k\":1,\"o\":3,\"a\":0}",
                "{\"k\":1,\"o\":1,\"a\":9}",
                "{\"k\":1,\"o\":2,\"a\":5}",
            ])
            .key("k")
            .order("o")
            .gives(&["{\"a\":9,\"k\":1,\"o\":1}"]),
        case("peer_the_order_of_key_columns_decides_no_survivor")
            .lines(&[
                "{\"a\":1,\"b\":2,\"v\":2}",
                "{\"a\":1,\"b\":2,\"v\":1}",
                "{\"a\":2,\"b\":1,\"v\":1}",
            ])
            .key("b, a")
            .gives(&["{\"a\":2,\"b\":1,\"v\":1}", "{\"a\":1,\"b\":2,\"v\":1}"]),
        case("peer_an_integer_beyond_64_bits_breaks_no_parse")
            .lines(&["{\"a\":184467440737095516150,\"b\":1}", "{\"a\":1,\"b\":2}"])
            .types("a decimal(38,0), b int64"),
        case("peer_a_second_value_of_a_member_is_not_chosen_in_silence")
            .lines(&["{\"a\":1,\"a\":2}", "{\"a\":3}"])
            .gives(&["{\"a\":3}"]),
        case("peer_bad_utf_8_is_not_replaced")
            .file("a.json", b"{\"a\":\"\xff\"}\n{\"a\":\"\xef\xbf\xbd\"}\n")
            .gives(&["{\"a\":\"\u{fffd}\"}"]),
    ]
}
