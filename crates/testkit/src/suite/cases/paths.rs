//! Records within values, and what they get of the text around them.

use super::frames::{cut, gzip};
use crate::oracle::FailureKind;
use crate::suite::{Case, case};

fn at(name: &str, path: &str, text: &str) -> Case {
    let path = path.parse().unwrap();
    case(name).file("a.json", text).with(|plan| plan.records = Some(path))
}

fn add(case: Case, added: &str) -> Case {
    let added = added.parse().unwrap();
    case.with(|plan| plan.add.push(added))
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = found();
    cases.extend(not_found());
    cases.extend(broken());
    cases.extend(added());
    cases
}

fn found() -> Vec<Case> {
    let one_and_two: &[&str] = &["{\"a\":1}", "{\"a\":2}"];
    vec![
        at(
            "records_in_pages_on_lines",
            "/r",
            "{\"r\":[{\"a\":1}],\"n\":1}\n{\"n\":2,\"r\":[{\"a\":2}]}\n",
        )
        .gives(one_and_two),
        at("records_in_pages_one_after_another", "/r", "{\"r\":\n[{\"a\":1}]}{\"r\":[{\"a\":2}]}")
            .gives(one_and_two),
        at(
            "records_deeper_in_pages",
            "/d/r",
            "{\"d\":{\"x\":{\"r\":1},\"r\":[{\"a\":1},{\"a\":2}]}}",
        )
        .gives(one_and_two),
        at("records_in_an_array_on_each_line", "/*", "[{\"a\":1}]\n[]\n[{\"a\":2}]\n")
            .gives(one_and_two),
        at("records_in_a_map", "/{k}", "{\"y\":{\"a\":2},\"x\":{\"a\":1}}")
            .key("k")
            .gives(&["{\"a\":1,\"k\":\"x\"}", "{\"a\":2,\"k\":\"y\"}"]),
        at(
            "records_in_lists_of_a_map",
            "/{k}/r",
            "{\"x\":{\"r\":[{\"a\":1}]},\"y\":{\"r\":[{\"a\":2}]}}",
        )
        .key("k")
        .gives(&["{\"a\":1,\"k\":\"x\"}", "{\"a\":2,\"k\":\"y\"}"]),
        at("the_name_of_a_map_may_have_escapes", "/{k}", "{\"\\u00e9\\\"\":{\"a\":1}}")
            .gives(&["{\"a\":1,\"k\":\"é\\\"\"}"]),
        at("a_name_of_a_map_twice_makes_two_records", "/{k}", "{\"x\":{\"a\":1},\"x\":{\"a\":2}}")
            .gives(&["{\"a\":1,\"k\":\"x\"}", "{\"a\":2,\"k\":\"x\"}"]),
        at("one_record_where_the_path_ends", "/r", "{\"r\":{\"a\":1}}\n{\"r\":{\"a\":2}}\n")
            .gives(one_and_two),
        at("the_empty_path_is_the_value", "", "[{\"a\":1},{\"a\":2}]").gives(one_and_two),
        at(
            "an_element_by_its_index",
            "/1/r",
            "[{\"r\":[{\"a\":7}]},{\"r\":[{\"a\":1},{\"a\":2}]}]",
        )
        .gives(one_and_two),
        at(
            "digits_are_a_name_of_an_object",
            "/1",
            "{\"0\":[{\"a\":7}],\"1\":[{\"a\":1},{\"a\":2}]}",
        )
        .gives(one_and_two),
        at(
            "names_with_marks_of_a_path",
            "/~2/~3x}/a~1b",
            "{\"*\":{\"{x}\":{\"a/b\":[{\"a\":1},{\"a\":2}]}}}",
        )
        .gives(one_and_two),
        at("an_escaped_name_on_the_way", "/r", "{\"\\u0072\":[{\"a\":1},{\"a\":2}]}")
            .gives(one_and_two),
        at("holes_in_lists_of_records", "/r", "{\"r\":[null,{\"a\":1},null,{\"a\":2}]}")
            .gives(one_and_two),
        at("a_list_in_a_list_is_no_record", "/*", "[[{\"a\":1}],{\"a\":2}]").bad(&[(
            "not_an_object",
            1,
            9,
        )]),
        case("pages_in_gzip_and_plain")
            .file("a.json.gz", gzip(b"{\"r\":[{\"a\":1}]}\n{\"r\":[]}\n"))
            .file("b.json", "{\"r\":[{\"a\":2}]}")
            .with(|plan| plan.records = Some("/r".parse().unwrap()))
            .gives(one_and_two),
    ]
}

fn not_found() -> Vec<Case> {
    vec![
        at(
            "values_without_records_are_passed_over",
            "/r",
            "{\"e\":1}\n{\"r\":null}\n{\"r\":[{\"a\":1}]}\nnull\n",
        )
        .gives(&["{\"a\":1}"]),
        at("no_value_has_records", "/r", "{\"e\":[{\"a\":1}]}\n{\"e\":[]}\n")
            .fails(FailureKind::NoRecords, "/r"),
        at("a_text_where_the_records_should_be", "/r", "{\"r\":\"x\"}\n{\"r\":[{\"a\":1}]}\n")
            .bad(&[("not_an_object", 5, 3)]),
        at("a_value_that_is_a_number", "/r", "7\n{\"r\":[{\"a\":1}]}\n").bad(&[(
            "not_an_object",
            0,
            1,
        )]),
        at("a_table_under_a_path", "/r", "\n id,v\n1,2\n2,3\n").fails(FailureKind::File, "CSV"),
        at("a_table_that_is_read_by_lines_under_a_path", "/r", "1,2\n{\"r\":[{\"a\":1}]}\n")
            .shape("lines")
            .bad(&[("not_an_object", 0, 1), ("broken_range", 1, 2)])
            .gives(&["{\"a\":1}"]),
        at("javascript_under_a_path", "/r", "window.x = {\"r\":[{\"a\":1}]}")
            .fails(FailureKind::File, "JavaScript"),
        at("a_name_on_the_path_twice", "/r", "{\"r\":[{\"a\":1}],\"r\":[]}")
            .fails(FailureKind::File, "occurs twice"),
    ]
}

fn broken() -> Vec<Case> {
    vec![
        at("a_broken_page_ends_with_its_line", "/r", "{\"r\":[{\"a\":1},]}\n{\"r\":[{\"a\":2}]}\n")
            .gives(&["{\"a\":1}", "{\"a\":2}"])
            .bad(&[("broken_range", 14, 2)]),
        at("more_behind_a_page_of_a_line", "/r", "{\"r\":[{\"a\":1}]} {}\n{\"r\":[{\"a\":2}]}\n")
            .bad(&[("broken_range", 16, 2)]),
        at("a_broken_page_ends_with_the_file", "/r", "{\"r\":\n[{\"a\":1},]}{\"r\":[{\"a\":2}]}\n")
            .gives(&["{\"a\":1}"])
            .bad(&[("broken_range", 15, 18)]),
        at("a_page_cut_in_a_record", "/r", "{\"r\":[{\"a\":1},{\"a\"").bad(&[(
            "broken_range",
            14,
            4,
        )]),
        at("a_page_cut_beside_its_records", "/r", "{\"r\":[{\"a\":1}],\"n\":tr").bad(&[(
            "broken_range",
            19,
            2,
        )]),
        at("bad_records_of_pages_leave_the_others", "/r", "{\"r\":[{\"a\":1,},{\"a\":2},tru]}\n")
            .gives(&["{\"a\":2}"])
            .bad(&[("invalid_json", 6, 8), ("invalid_json", 23, 3)]),
        at("a_record_of_a_page_is_too_large", "/r", "{\"r\":[{\"a\":12345},{\"a\":2}]}")
            .with(|plan| plan.max_record = 8)
            .bad(&[("too_large", 6, 11)]),
    ]
}

fn added() -> Vec<Case> {
    vec![
        add(
            at(
                "a_member_of_the_page",
                "/r",
                "{\"n\":1,\"r\":[{\"a\":1}]}\n{\"r\":[{\"a\":2}],\"n\":2}\n",
            ),
            "p=/n",
        )
        .gives(&["{\"a\":1,\"p\":1}", "{\"a\":2,\"p\":2}"])
        .types("p int64, a int64"),
        add(
            at(
                "a_member_deeper_in_the_page",
                "/r",
                "{\"r\":[{\"a\":1}],\"m\":{\"n\":[1],\"o\":{\"n\":2}}}",
            ),
            "p=/m/o/n",
        )
        .gives(&["{\"a\":1,\"p\":2}"]),
        add(
            at(
                "a_member_of_each_group",
                "/{g}/r",
                "{\"x\":{\"r\":[{\"a\":1}],\"o\":true},\"y\":{\"r\":[{\"a\":2}]}}",
            ),
            "o=/{g}/o",
        )
        .gives(&["{\"a\":1,\"g\":\"x\",\"o\":true}", "{\"a\":2,\"g\":\"y\"}"]),
        add(
            at(
                "an_added_member_that_is_not_there",
                "/r",
                "{\"n\":1,\"r\":[{\"a\":1}]}\n{\"r\":[{\"a\":2}]}",
            ),
            "n=/n",
        )
        .gives(&["{\"a\":1,\"n\":1}", "{\"a\":2}"]),
        add(at("an_added_member_twice", "/r", "{\"n\":1,\"r\":[{\"a\":1}],\"n\":1}"), "n=/n")
            .fails(FailureKind::File, "occurs twice"),
        add(
            at("an_added_member_behind_in_a_long_page", "/r", "{\"r\":[{\"a\":1}],\"n\":1}"),
            "n=/n",
        )
        .with(|plan| plan.max_record = 10)
        .fails(FailureKind::File, "comes after records"),
        add(
            at("an_added_member_before_in_a_long_page", "/r", "{\"n\":1,\"r\":[{\"a\":1}]}"),
            "n=/n",
        )
        .with(|plan| plan.max_record = 10)
        .gives(&["{\"a\":1,\"n\":1}"]),
        add(
            at(
                "a_record_with_another_value_of_its_own",
                "/r",
                "{\"a\":7,\"r\":[{\"a\":1},{\"a\":7,\"b\":1},{\"a\":null},{\"b\":2}]}",
            ),
            "a=/a",
        )
        .bad(&[("name_clash", 12, 7)])
        .gives(&["{\"a\":7,\"b\":1}", "{\"a\":7,\"b\":2}", "{\"a\":7}"]),
        at(
            "a_record_with_the_name_of_its_map",
            "/{a}",
            "{\"x\":{\"a\":\"x\"},\"y\":{\"a\":\"z\"},\"z\":{\"a\":\"z\",\"a\":1}}",
        )
        .bad(&[("name_clash", 19, 9), ("duplicate_member", 33, 15)])
        .gives(&["{\"a\":\"x\"}"]),
        add(
            case("a_page_of_a_stream_that_is_cut_gives_its_whole_records")
                .file("a.json.gz", cut(gzip(b"{\"n\":1,\"r\":[{\n\"a\":1}]}\n{\"n\":1,\"r\":[{\"a\":2},{\"a\" :\r\n"), 8))
                .with(|plan| plan.records = Some("/r".parse().unwrap())),
            "n=/n",
        )
        .bad(&[("broken_range", 43, 8)])
        .gives(&["{\"a\":1,\"n\":1}", "{\"a\":2,\"n\":1}"]),
        add(at("an_empty_record_gets_members", "/r", "{\"n\":1,\"r\":[{ },{\"a\":2}]}"), "n=/n")
            .gives(&["{\"a\":2,\"n\":1}", "{\"n\":1}"]),
    ]
}
