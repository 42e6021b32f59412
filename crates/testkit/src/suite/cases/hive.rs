//! Columns that directories give.

use crate::oracle::FailureKind;
use crate::suite::{Case, case};

fn hive(name: &str, files: &[(&str, &str)]) -> Case {
    let case = case(name).with(|plan| plan.hive = true);
    files.iter().fold(case, |case, (name, content)| case.file(name, content))
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        hive(
            "directories_give_columns",
            &[
                ("y=2024/m=05/a.json", "{\"a\":1}\n{\"a\":2}\n"),
                ("y=2025/m=01/a.json", "[{\"a\":3}]"),
            ],
        )
        .types("y string, m string, a int64")
        .gives(&[
            "{\"a\":1,\"m\":\"05\",\"y\":\"2024\"}",
            "{\"a\":2,\"m\":\"05\",\"y\":\"2024\"}",
            "{\"a\":3,\"m\":\"01\",\"y\":\"2025\"}",
        ]),
        hive("without_the_word_directories_give_none", &[("y=2024/a.json", "{\"a\":1}")])
            .with(|plan| plan.hive = false)
            .gives(&["{\"a\":1}"]),
        hive(
            "directories_give_a_key_and_the_null_of_one",
            &[
                ("k=a%2Fb/1.json", "{\"a\":1}{\"a\":2}"),
                ("k=__HIVE_DEFAULT_PARTITION__/2.json", "{\"a\":3}"),
                ("k=a%2fb/3.json", "{\"records\":[{\"a\":0}]}"),
                ("4.json", "[{\"a\":4,\"k\":\"x\"}]"),
            ],
        )
        .key("k")
        .fails(FailureKind::File, "looks like a document"),
        hive(
            "directories_give_a_key",
            &[
                ("k=a%2Fb/1.json", "[{\"a\":1},{\"a\":2}]"),
                ("k=__HIVE_DEFAULT_PARTITION__/2.json", "[{\"a\":3}]"),
                ("k=a%2fb/3.json", "{\"records\":[{\"a\":0}]}"),
                ("4.json", "[{\"a\":4,\"k\":\"x\"}]"),
            ],
        )
        .key("k")
        .bad(&[("null_key", 1, 7)])
        .gives(&["{\"a\":0,\"k\":\"a/b\"}", "{\"a\":4,\"k\":\"x\"}"]),
        hive("a_directory_gives_a_declared_type", &[("d=2024-05-01/a.json", "{\"a\":1}")])
            .hint("d", "date")
            .types("d date, a int64")
            .gives(&["{\"a\":1,\"d\":\"2024-05-01\"}"]),
        hive(
            "a_record_with_the_column_of_its_directory",
            &[("a=1/x.json", "{\"a\":\"1\",\"b\":1}\n{\"a\":null,\"b\":2}\n{\"a\":1,\"b\":3}\n")],
        )
        .bad(&[("name_clash", 33, 13)])
        .gives(&["{\"a\":\"1\",\"b\":1}", "{\"a\":\"1\",\"b\":2}"]),
        hive(
            "lines_stay_lines_where_directories_give_columns",
            &[("d=1/x.json", "{\"a\":\n\r\n  {\"a\":2} \n{\"a\":3} {}\n7\n{ }\n")],
        )
        .shape("lines")
        .bad(&[("invalid_json", 0, 5), ("invalid_json", 19, 10), ("not_an_object", 30, 1)])
        .gives(&["{\"a\":2,\"d\":\"1\"}", "{\"d\":\"1\"}"]),
        hive(
            "records_in_values_get_columns_of_directories",
            &[(
                "d=1/x.json",
                "{\"n\":1,\"r\":[{\"a\":1},{\"a\":2}]}\n{\"n\":2,\"r\":[{\"a\":3}]}\n",
            )],
        )
        .with(|plan| plan.records = Some("/r".parse().unwrap()))
        .with(|plan| plan.add.push("n=/n".parse().unwrap()))
        .gives(&[
            "{\"a\":1,\"d\":\"1\",\"n\":1}",
            "{\"a\":2,\"d\":\"1\",\"n\":1}",
            "{\"a\":3,\"d\":\"1\",\"n\":2}",
        ]),
        hive("two_directories_for_one_column", &[("d=1/d=2/x.json", "{\"a\":1}")])
            .fails(FailureKind::File, "two directories of the path give the column d"),
    ]
}
