//! Columns that say where records lie.

use distil_plan::ColumnPath;

use crate::oracle::FailureKind;
use crate::suite::{Case, case};

fn placed(name: &str, files: &[(&str, &str)]) -> Case {
    let case = case(name).with(|plan| plan.origin = true);
    files.iter().fold(case, |case, (name, content)| case.file(name, content))
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        placed(
            "records_say_where_they_lie",
            &[("a.json", "{\"a\":1}\n\n{\"a\":2}\n"), ("b.json", "[{\"a\":1}]")],
        )
        .types("a int64, _file string, _position int64")
        .gives(&[
            "{\"_file\":\"in/a.json\",\"_position\":0,\"a\":1}",
            "{\"_file\":\"in/b.json\",\"_position\":1,\"a\":1}",
            "{\"_file\":\"in/a.json\",\"_position\":9,\"a\":2}",
        ]),
        placed(
            "of_equal_records_the_first_place_stays",
            &[("a.json", "{\"k\":1}\n{\"k\":2}\n"), ("b.json", "{\"k\":2}\n{\"k\":1}\n{\"k\":3}\n")],
        )
        .key("*")
        .gives(&[
            "{\"_file\":\"in/a.json\",\"_position\":0,\"k\":1}",
            "{\"_file\":\"in/a.json\",\"_position\":8,\"k\":2}",
            "{\"_file\":\"in/b.json\",\"_position\":16,\"k\":3}",
        ])
        .duplicates(2, 0),
        placed(
            "the_last_file_wins_where_the_order_says_so",
            &[
                ("2024.json", "{\"k\":1,\"v\":9}\n{\"k\":2,\"v\":1}\n"),
                ("2025.json", "{\"k\":1,\"v\":3}\n{\"k\":1,\"v\":2}\n"),
            ],
        )
        .key("k")
        .order("_file desc, _position desc")
        .gives(&[
            "{\"_file\":\"in/2025.json\",\"_position\":14,\"k\":1,\"v\":2}",
            "{\"_file\":\"in/2024.json\",\"_position\":14,\"k\":2,\"v\":1}",
        ])
        .duplicates(0, 2),
        placed(
            "each_record_that_lost_has_its_place",
            &[
                ("a.json", "{\"k\":1,\"v\":1}\n{\"k\":1,\"v\":2}\n{\"k\":1,\"v\":1}\n"),
                ("b.json", "{\"k\":1,\"v\":2}\n{\"k\":1,\"v\":1}\n{\"k\":1,\"v\":2}\n"),
            ],
        )
        .key("k")
        .dropped()
        .gives(&["{\"_file\":\"in/a.json\",\"_position\":0,\"k\":1,\"v\":1}"])
        .duplicates(2, 3),
        placed(
            "a_record_that_says_that_it_lies_elsewhere",
            &[(
                "a.json",
                "{\"a\":1,\"_file\":\"x\"}\n{\"_file\":null,\"a\":2}\n{\"_position\":41,\"a\":3}\n{\"_file\":\"in/a.json\",\"a\":4}\n{\"_position\":{},\"a\":5}",
            )],
        )
        .bad(&[("name_clash", 0, 19), ("name_clash", 92, 22)])
        .gives(&[
            "{\"_file\":\"in/a.json\",\"_position\":20,\"a\":2}",
            "{\"_file\":\"in/a.json\",\"_position\":41,\"a\":3}",
            "{\"_file\":\"in/a.json\",\"_position\":64,\"a\":4}",
        ]),
        placed("a_declared_schema_need_not_have_places", &[("a.json", " {\"a\":1}")])
            .declare("a int64")
            .types("a int64, _file string, _position int64")
            .gives(&["{\"_file\":\"in/a.json\",\"_position\":1,\"a\":1}"]),
        placed("places_of_records_in_values", &[("a.json", "{\"r\":[{\"a\":1},{\"a\":2}],\"n\":1}")])
            .with(|plan| plan.records = Some("/r".parse().unwrap()))
            .with(|plan| plan.add.push("n=/n".parse().unwrap()))
            .gives(&[
                "{\"_file\":\"in/a.json\",\"_position\":6,\"a\":1,\"n\":1}",
                "{\"_file\":\"in/a.json\",\"_position\":14,\"a\":2,\"n\":1}",
            ]),
        placed("places_are_chosen_as_other_columns_are", &[("a.json", "{\"a\":1,\"b\":2}")])
            .with(|plan| plan.columns = Some(ColumnPath::parse_list("_position, a").unwrap()))
            .types("_position int64, a int64")
            .gives(&["{\"_position\":0,\"a\":1}"]),
        placed("a_place_is_no_key", &[("a.json", "{\"a\":1}")])
            .key("a, _file")
            .fails(FailureKind::Plan, "the key column _file says where a record lies"),
        placed("a_place_is_not_declared", &[("a.json", "{\"a\":1}")])
            .hint("_position", "string")
            .fails(FailureKind::Plan, "the column _position says where a record lies"),
    ]
}
