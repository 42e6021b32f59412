//! What is written, and how (5): projection, layouts, row groups, blooms.

use distil_plan::{ColumnPath, Compression, Layout, Plan};

use crate::oracle::FailureKind;
use crate::suite::{Case, case};

fn columns(list: &str) -> impl FnOnce(&mut Plan) {
    let columns = ColumnPath::parse_list(list).unwrap();
    move |plan| plan.columns = Some(columns)
}

/// A thousand records, half of them duplicates, of every type.
fn many(name: &str) -> Case {
    let lines: Vec<String> = (0..1000)
        .map(|i| {
            let k = i * 37 % 500;
            format!(
                "{{\"k\":{k},\"s\":\"{}\",\"f\":{}.5,\"b\":{},\"l\":[{i},null],\"o\":{{\"x\":{},\"y\":\"{k}\"}},\"m\":{},\"ts\":\"2019-04-23T17:25:43.{:03}Z\"}}",
                "x".repeat(k % 13),
                i % 11,
                i % 2 == 0,
                if i % 3 == 0 { "null".into() } else { i.to_string() },
                if i % 5 == 0 { "\"t\"".into() } else { k.to_string() },
                k % 1000
            )
        })
        .collect();
    case(name).lines(&lines.iter().map(String::as_str).collect::<Vec<_>>()).key("k").dropped()
}

pub(super) fn cases() -> Vec<Case> {
    let nested = || {
        case("")
            .lines(&[
                "{\"k\":1,\"s\":{\"x\":1,\"y\":2,\"t\":{\"u\":3,\"v\":4}},\"w\":9}",
                "{\"k\":1,\"s\":{\"x\":1,\"y\":2,\"t\":{\"u\":3,\"v\":4}},\"w\":8}",
                "{\"k\":2,\"s\":{}}",
                "{\"k\":3,\"w\":null}",
            ])
            .key("k")
            .dropped()
    };
    let named = |name: &str, case: Case| Case { name: name.into(), ..case };
    let mut cases = vec![
        named("columns_are_chosen_after_the_survivors", nested().with(columns("s, k")))
            .types("s struct<x: int64, y: int64, t: struct<u: int64, v: int64>>, k int64")
            .duplicates(0, 1),
        named("columns_inside_a_struct_keep_the_struct", nested().with(columns("s.t.v, k, s.x")))
            .types("s struct<t: struct<v: int64>, x: int64>, k int64"),
        case("a_chosen_column_inside_mixed_kinds_is_not_there")
            .lines(&["{\"k\":{\"d\":1},\"id\":1}", "{\"k\":0,\"id\":2}"])
            .with(columns("id, k.d"))
            .fails(FailureKind::MissingColumn, "k"),
        case("a_chosen_column_that_only_bad_records_have_is_not_there")
            .hint("s.a", "int64")
            .lines(&["{\"s\":{\"a\":\"x\",\"b\":1}}", "{\"s\":{\"a\":1}}"])
            .with(columns("s.b"))
            .fails(FailureKind::MissingColumn, "s"),
        named("the_key_need_not_be_written", nested().with(columns("w"))).gives(&[
            "{\"w\":8}",
            "{}",
            "{}",
        ]),
        named("a_chosen_column_that_nobody_has_fails", nested().with(columns("k, ss")))
            .fails(FailureKind::MissingColumn, "ss"),
        named(
            "a_bloom_column_that_nobody_has_fails",
            nested().with(|plan| plan.sink.bloom = ColumnPath::parse_list("kk").unwrap()),
        )
        .fails(FailureKind::MissingColumn, "kk"),
        named(
            "bloom_filters_change_no_row",
            nested().with(|plan| plan.sink.bloom = ColumnPath::parse_list("k, s.x").unwrap()),
        ),
        many("many_rows_in_one_row_group"),
        many("many_rows_in_small_row_groups").with(|plan| plan.sink.row_group_rows = 7),
        many("many_rows_in_files_of_some_rows").with(|plan| {
            plan.sink.path = "out".into();
            plan.sink.layout = Layout::Dir;
            plan.sink.row_group_rows = 50;
            plan.sink.max_file_rows = Some(120);
        }),
        many("many_rows_in_files_of_some_bytes").with(|plan| {
            plan.sink.path = "out".into();
            plan.sink.layout = Layout::Dir;
            plan.sink.row_group_rows = 20;
            plan.sink.max_file_bytes = Some(4_000);
        }),
        many("many_rows_without_a_key").with(|plan| {
            plan.dedup = None;
            plan.dropped = None;
        }),
        many("many_rows_by_the_whole_record").key("*"),
        many("many_rows_by_text").key("s").order("f desc, b"),
        many("many_rows_by_instants_and_last").key("ts").order("o.x").keep_last(),
        spilling(),
        hot_key(),
    ];
    for compression in ["zstd", "zstd:9", "snappy", "lz4", "none"] {
        let level: Compression = compression.parse().unwrap();
        let name = format!("pages_in_{}", compression.replace(':', "_"));
        cases.push(many(&name).with(|plan| plan.sink.compression = level));
    }
    cases
}

/// More rows than the least memory holds: about 30 MB, of which 16 MiB are for rows, whatever the threads.
fn spilling() -> Case {
    let lines: String = (0..60_000)
        .map(|i| {
            let k = i * 7919 % 50_021;
            format!("{{\"k\":{k},\"v\":{i},\"pad\":\"{}{k}\"}}\n", "p".repeat(450))
        })
        .collect();
    case("more_rows_than_the_memory_holds").file("a.json", lines).key("k").order("v desc")
}

/// One key for nearly all records, and a long common prefix.
fn hot_key() -> Case {
    let prefix = "https://example.org/a/rather/long/prefix/";
    let lines: String = (0..20_000)
        .map(|i| {
            let key = if i % 10 == 0 { i } else { 7 };
            format!("{{\"url\":\"{prefix}{key}\",\"v\":{}}}\n", i * 31 % 20_011)
        })
        .collect();
    case("one_hot_key_behind_a_long_prefix").file("a.json", lines).key("url").dropped()
}
