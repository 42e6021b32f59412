//! What a plan allows to be mended (1.10).

use distil_plan::ExtraMembers;

use crate::oracle::FailureKind;
use crate::suite::{Case, case};

/// All that there is.
const ALL: &str = "nan,surrogates,duplicate-members";

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("nan_and_infinities_are_null")
            .repair("nan")
            .lines(&[
                "{\"k\":1,\"m\":NaN}",
                "{\"k\":2,\"m\":[-Infinity, +inf ,nan,Inf]}",
                "{\"k\":3,\"m\":{\"x\":INFINITY,\"NaN\":\"NaN\"}}",
                "{\"k\":4,\"m\":nano}",
                "{NaN:1}",
                "{\"k\":5,\"m\":--inf}",
            ])
            .key("k")
            .bad(&[("invalid_json", 94, 16), ("invalid_json", 111, 7), ("invalid_json", 119, 17)]),
        case("nothing_is_mended_that_is_not_named")
            .repair("surrogates")
            .lines(&["{\"k\":NaN}", "{\"k\":1,\"k\":2}", "{\"k\":1,\"m\":\"\\ud800\"}"])
            .bad(&[("invalid_json", 0, 9), ("duplicate_member", 10, 13)]),
        case("half_a_pair_becomes_the_replacement_character")
            .repair("surrogates")
            .lines(&[
                "{\"k\":1,\"s\":\"a\\ud83d\"}",
                "{\"k\":2,\"s\":\"\\udc00\\ud83d\\ude00\\ud83d\\ud83d\\uDE00\"}",
                "{\"k\":3,\"s\":\"\\\\ud83d\",\"\\ud800\":1}",
                "{\"k\":4,\"s\":\"\\ud83\"}",
            ])
            .key("k")
            .bad(&[("invalid_json", 106, 19)]),
        case("the_last_of_two_members_stays_at_its_place")
            .repair("duplicate-members")
            .lines(&[
                "{\"a\":1,\"b\":2,\"a\":3}",
                "{\"c\":{\"x\":1,\"x\":{\"y\":1,\"\\u0079\":2}},\"a\":0}",
                "{\"c\":[{\"x\":1,\"x\":2}],\"c\":{\"x\":{\"y\":5,\"y\":6}},\"c\":null}",
            ])
            .gives(&["{\"a\":0,\"c\":{\"x\":{\"y\":2}}}", "{\"a\":3,\"b\":2}", "{}"]),
        case("names_that_are_mended_may_become_one")
            .repair("surrogates,duplicate-members")
            .lines(&["{\"\\ud800\":1,\"\\udfff\":2}"])
            .gives(&["{\"\u{fffd}\":2}"]),
        case("names_that_became_one_are_two_members")
            .repair("surrogates")
            .lines(&["{\"\\ud800\":1,\"\\udfff\":2}", "{\"a\":1}"])
            .bad(&[("duplicate_member", 0, 23)]),
        case("nothing_is_mended_in_a_key_or_an_order")
            .repair(ALL)
            .lines(&[
                "{\"k\":{\"x\":1},\"o\":1,\"v\":NaN}",
                "{\"k\":{\"x\":NaN},\"o\":1}",
                "{\"k\":{\"x\":\"\\ud800\"},\"o\":1}",
                "{\"k\":{\"x\":1,\"x\":1},\"o\":1}",
                "{\"k\":1,\"k\":{\"x\":1},\"o\":1}",
                "{\"k\":{\"x\":1,\"y\":NaN},\"o\":1}",
                "{\"k\":{\"x\":1},\"o\":-Infinity}",
                "{\"k\":NaN,\"o\":1}",
                "{\"k\":{\"x\":1},\"o\":[NaN]}",
            ])
            .key("k.x")
            .order("o desc"),
        case("the_first_reason_of_the_mended_record_holds")
            .repair(ALL)
            .lines(&[
                "{\"k\":NaN,\"v\":1,}",
                "[NaN]",
                "NaN",
                "{\"k\":NaN,\"e\":1}",
                "{\"k\":1,\"v\":\"\\ud800\"}",
                "{\"v\":1,\"v\":2}",
                "{\"k\":1,\"v\":\"x\",\"v\":2}",
            ])
            .declare("k int64, v int64")
            .key("k")
            .bad(&[
                ("invalid_json", 0, 16),
                ("not_an_object", 17, 5),
                ("not_an_object", 23, 3),
                ("repaired_key", 27, 15),
                ("bad_value", 43, 20),
                ("null_key", 64, 13),
            ]),
        case("extra_members_are_mended_too")
            .repair(ALL)
            .declare("k int64")
            .with(|plan| plan.extra_members = ExtraMembers::Keep)
            .lines(&["{\"k\":1,\"e\":{\"a\":NaN,\"b\":1,\"b\":[\"\\udc00\"]}}"]),
        case("mended_records_lie_in_any_shape")
            .repair(ALL)
            .file("a.json", "[{\"k\":1,\"v\":NaN},\n{\"k\":2,\"v\":1,\"v\":2}]")
            .file("b.json", "{\"records\":[{\"k\":3,\"v\":\"\\ud800\"},{\"k\":4,\"v\":inf}]}")
            .file("c.json", "{\"k\":5,\n\"v\":-inf}{\"k\":6,\"k\":6}")
            .key("k"),
        case("text_beside_an_array_is_not_mended")
            .repair(ALL)
            .file("a.json", "{\"records\":[{\"k\":1}],\"x\":NaN}")
            .bad(&[("broken_range", 25, 4)]),
        case("bytes_that_are_not_utf_8_stay_bad_in_a_member_that_is_left_out")
            .repair(ALL)
            .file("a.json", b"{\"k\":1,\"v\":\"\xff\",\"v\":NaN}\n{\"k\":2,\"v\":1}\n")
            .bad(&[("invalid_json", 0, 23)]),
        case("a_key_that_is_the_whole_record_has_no_repairs")
            .repair("nan")
            .lines(&["{\"a\":NaN}"])
            .key("*")
            .fails(FailureKind::Plan, "whole record"),
        case("many_records_that_are_mended_among_others_that_look_alike")
            .repair(ALL)
            .key("k")
            .file(
                "a.json",
                (0..600)
                    .map(|n| match n % 7 {
                        3 => format!("{{\"k\":{n},\"v\":NaN,\"t\":\"x\"}}\n"),
                        5 => format!("{{\"k\":{n},\"v\":1,\"v\":{n},\"t\":\"\\ud800\"}}\n"),
                        _ => format!("{{\"k\":{n},\"v\":{n},\"t\":\"x{n}\"}}\n"),
                    })
                    .collect::<String>(),
            ),
    ]
}
