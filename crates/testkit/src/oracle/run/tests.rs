use distil_plan::{Dedup, OrderBy, QuarantineSpec, Schema, Sink};

use super::*;

const EXAMPLE: &str = r#"{"records": [
  {"id": "10101", "data": "ABC", "ts": "2019-04-23T17:25:43.111Z"},
  {"id": "10102", "data": "XYZ", "ts": "2019-04-23T18:20:32.876Z"},
  {"id": "10102", "data": "XYZ", "ts": "2019-04-23T18:20:32.876Z"},
  {"id": "10102", "data": "DEF", "ts": "2019-04-23T18:20:32.876Z"},
  {"id": "1111", "data": "XYZ", "ts": "2019-04-23T18:20:32.876Z"}
]}"#;

fn plan(key: &str) -> Plan {
    let mut plan = Plan::new(vec!["in".into()], Sink::new("out.parquet"));
    plan.dedup = match key {
        "" => None,
        "*" => Some(Dedup::on_record()),
        _ => Some(Dedup::on_columns(ColumnPath::parse_list(key).unwrap())),
    };
    plan
}

fn with_quarantine(mut plan: Plan) -> Plan {
    plan.quarantine = QuarantineSpec { path: Some("q.ndjson".into()), max: None };
    plan
}

fn ordered(key: &str, order: &str, keep: Keep) -> Plan {
    let mut plan = plan(key);
    let dedup = plan.dedup.as_mut().unwrap();
    dedup.order_by = OrderBy::parse_list(order).unwrap();
    dedup.keep = keep;
    plan
}

fn over(plan: &Plan, content: &str) -> Result<Outcome, FailureKind> {
    run(plan, &[("in/a.json".into(), content.into())]).map_err(|f| f.kind)
}

/// Rows as canonical text.
fn rows(outcome: &Outcome) -> Vec<String> {
    let names = outcome.schema.iter().map(|f| f.name.clone());
    let row = |row: &Vec<Value>| {
        let members = names.clone().zip(row.iter().cloned()).collect();
        row_image(&outcome.schema, &Value::Object(members))
    };
    outcome.rows.iter().map(row).collect()
}

fn types(outcome: &Outcome) -> String {
    let text = |f: &Field| format!("{} {}", f.name, f.data_type);
    outcome.schema.iter().map(text).collect::<Vec<_>>().join(", ")
}

#[test]
fn the_worked_example_gives_its_two_rows_by_ts() {
    let outcome = over(&ordered("ts", "id, data", Keep::First), EXAMPLE).unwrap();
    assert_eq!(types(&outcome), "id string, data string, ts timestamp(ms, UTC)");
    assert_eq!(
        rows(&outcome),
        [
            r#"{"data":"ABC","id":"10101","ts":"2019-04-23T17:25:43.111Z"}"#,
            r#"{"data":"DEF","id":"10102","ts":"2019-04-23T18:20:32.876Z"}"#,
        ]
    );
    let counts = outcome.counts;
    assert_eq!((counts.read, counts.accepted, counts.written), (5, 5, 2));
    assert_eq!((counts.duplicates.identical, counts.duplicates.conflicting), (0, 3));
    assert_eq!(outcome.conflicts.len(), 1);
    assert_eq!(
        outcome.conflicts[0].1,
        r#"{"data":"XYZ","id":"10102","ts":"2019-04-23T18:20:32.876Z"}"#
    );
    assert_eq!(outcome.inputs[0].shape, "document:/records");
}

#[test]
fn the_worked_example_gives_its_three_rows_by_id_and_ts() {
    let outcome = over(&plan("id, ts"), EXAMPLE).unwrap();
    let text = rows(&outcome);
    assert_eq!(text.len(), 3);
    assert!(text[1].contains("DEF") && text[2].contains("1111"));
    assert_eq!(outcome.counts.duplicates.conflicting, 2);
}

#[test]
fn null_never_wins_and_last_reverses_the_whole_order() {
    let text = "{\"k\":1,\"v\":null}\n{\"k\":1,\"v\":2}\n{\"k\":1,\"v\":3}\n{\"k\":0}";
    let survivors = |order: &str, keep| rows(&over(&ordered("k", order, keep), text).unwrap());
    assert_eq!(survivors("v", Keep::First), ["{\"k\":0}", "{\"k\":1,\"v\":2}"]);
    assert_eq!(survivors("v", Keep::Last), ["{\"k\":0}", "{\"k\":1,\"v\":3}"]);
    assert_eq!(survivors("v desc", Keep::First), ["{\"k\":0}", "{\"k\":1,\"v\":3}"]);
    assert_eq!(survivors("v desc", Keep::Last), ["{\"k\":0}", "{\"k\":1,\"v\":2}"]);
}

#[test]
fn bad_records_have_the_first_reason_that_holds() {
    let mut plan = with_quarantine(plan("k"));
    plan.max_record = 40;
    plan.schema.declared = Some(Schema::parse("k int64, t date").unwrap());
    let text = [
        format!("{{\"k\":{}}}", "[".repeat(40)),
        "{\"k\":1,}".into(),
        "[1]".into(),
        "{\"k\":null,\"k\":1,\"x\":1,\"t\":0}".into(),
        "{\"k\":null,\"x\":1,\"t\":0}".into(),
        "{\"k\":null,\"t\":0}".into(),
        "{\"k\":null,\"x\":null}".into(),
        "{\"k\":1,\"t\":\"2020-01-01\"}".into(),
    ];
    let outcome = over(&plan, &text.join("\n")).unwrap();
    let reasons: Vec<&str> = outcome.bad.iter().map(|b| b.reason.name()).collect();
    assert_eq!(
        reasons,
        [
            "too_large",
            "invalid_json",
            "not_an_object",
            "duplicate_member",
            "extra_member",
            "bad_value",
            "null_key"
        ]
    );
    assert_eq!((outcome.bad[1].offset, outcome.bad[1].length), (47, 8));
    assert_eq!(outcome.bad[1].raw.as_deref(), Some(&b"{\"k\":1,}"[..]));
    assert_eq!(outcome.counts.read, 8);
    plan.quarantine.max = Some(MaxQuarantined::Count(6));
    assert_eq!(over(&plan, &text.join("\n")), Err(FailureKind::TooManyBad));
    plan.quarantine = QuarantineSpec::default();
    assert_eq!(over(&plan, &text.join("\n")), Err(FailureKind::Bad));
}

#[test]
fn mixed_instants_fail_only_where_they_order() {
    let text = "{\"ts\":\"2019-04-23T17:25:43Z\",\"k\":1}\n\
                {\"ts\":\"2019-04-23T17:25:43.111Z\",\"k\":2}\n{\"ts\":\"x\",\"k\":3}";
    assert_eq!(over(&plan("ts"), text), Err(FailureKind::MisleadingText));
    assert_eq!(over(&ordered("k", "ts", Keep::First), text), Err(FailureKind::MisleadingText));
    assert!(over(&plan("k"), text).is_ok());
    assert!(over(&plan("*"), text).is_ok());
    let more_text = format!("{text}\n{{\"ts\":\"y\",\"k\":4}}\n{{\"ts\":\"z\",\"k\":4}}");
    assert!(over(&plan("ts"), &more_text).is_ok());
}

#[test]
fn failures_have_their_kind() {
    let fails = |plan: &Plan, text: &str| over(plan, text).unwrap_err();
    assert_eq!(fails(&plan("k"), "{\"a\":1}"), FailureKind::MissingColumn);
    assert_eq!(fails(&plan("k"), "{\"k\":null}"), FailureKind::Bad);
    assert_eq!(fails(&plan("k"), "{\"k\":[1]}"), FailureKind::NoScalar);
    assert_eq!(fails(&plan("k"), "{\"k\":1}\n{\"k\":\"1\"}"), FailureKind::NoScalar);
    assert_eq!(fails(&plan("k"), ""), FailureKind::NoRecord);
    assert_eq!(fails(&plan(""), ""), FailureKind::NoRecord);
    assert_eq!(fails(&plan(""), "{}"), FailureKind::NoColumn);
    assert_eq!(fails(&with_quarantine(plan("")), "1"), FailureKind::NoRow);
    assert_eq!(fails(&plan(""), "{\"a\":1} {\"records\":1}"), FailureKind::Bad);
    assert_eq!(fails(&plan(""), "{\"records\":[]}\n{\"records\":[]}"), FailureKind::File);
}

#[test]
fn key_star_sees_numbers_by_value_and_nulls_as_missing() {
    let text = "{\"a\":0.0}\n{\"a\":-0.0,\"b\":null}\n{\"b\":{\"c\":null}}\n{\"b\":{}}\n{\"a\":0}";
    let outcome = over(&plan("*"), text).unwrap();
    assert_eq!(rows(&outcome), ["{\"a\":0}", "{\"b\":{}}"]);
    assert_eq!(outcome.counts.duplicates.identical, 3);
    let all = over(&plan(""), text).unwrap();
    assert_eq!(all.rows.len(), 5);
}

#[test]
fn projection_comes_after_the_choice_and_dropped_rows_follow_it() {
    let mut plan = plan("k");
    plan.columns = Some(ColumnPath::parse_list("s.y, k, s.x").unwrap());
    plan.dropped = Some("dropped.parquet".into());
    let text = "{\"k\":1,\"s\":{\"x\":1,\"y\":2,\"z\":3},\"w\":9}\n{\"k\":1,\"s\":{\"x\":1,\"y\":2,\"z\":3},\"w\":8}";
    let outcome = over(&plan, text).unwrap();
    assert_eq!(types(&outcome), "s struct<y: int64, x: int64>, k int64");
    assert_eq!(outcome.rows, outcome.dropped);
    assert_eq!(outcome.counts.duplicates.conflicting, 1);
    assert_eq!(
        outcome.conflicts[0],
        (
            "{\"k\":1,\"s\":{\"x\":1,\"y\":2,\"z\":3},\"w\":8}".into(),
            "{\"k\":1,\"s\":{\"x\":1,\"y\":2,\"z\":3},\"w\":9}".into()
        )
    );
}
