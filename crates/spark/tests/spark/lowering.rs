//! The SQL of plans, as it is sent.

use distil_plan::{
    Dedup, Input, InputCompression, Keep, NullKeys, OrderBy, Plan, ResolvedPlan, Schema, Shape,
    Sink,
};
use distil_spark::explain;
use distil_testkit::disk::dedup;

fn resolved(schema: &str, shapes: &[&str], change: impl FnOnce(&mut Plan)) -> ResolvedPlan {
    let mut plan = Plan::new(vec!["in".into()], Sink::new("out.parquet"));
    change(&mut plan);
    let inputs = shapes.iter().enumerate().map(|(at, shape)| Input {
        path: format!("in/{at}.json").into(),
        bytes: Some(100),
        version: 0,
        compression: Some(if shape.ends_with(" gzip") {
            InputCompression::Gzip
        } else {
            InputCompression::None
        }),
        shape: Some(shape.trim_end_matches(" gzip").parse::<Shape>().unwrap()),
    });
    ResolvedPlan {
        inputs: inputs.collect(),
        schema: Some(Schema::parse(schema).unwrap()),
        admitted: true,
        plan,
    }
}

#[test]
fn the_plan_of_the_program_that_distil_grew_out_of() {
    let plan =
        resolved("id string, data string, ts timestamp(ms)", &["/records", "/records"], |plan| {
            plan.dedup = dedup("ts", "id, data");
        });
    insta::assert_snapshot!(explain(&plan, true).unwrap());
}

#[test]
fn every_type_order_and_shape() {
    let schema = "b boolean, i int64, d decimal(20,3), f float64, t timestamp(us), e epoch(s), \
                  day date, x binary, l list<struct<z: string, a: list<int64>>>, \
                  s struct<q: float64, p: struct<it's: timestamp(ns)>>";
    let plan = resolved(schema, &["lines", "array gzip", "/a/b"], |plan| {
        plan.schema.declared = Some(Schema::parse(schema).unwrap());
        plan.dropped = Some("dropped.parquet".into());
        plan.dedup = Some(Dedup {
            keep: Keep::Last,
            null_keys: NullKeys::Value,
            order_by: OrderBy::parse_list("e desc, f").unwrap(),
            ..dedup("i, s.p.\"it's\"", "").unwrap()
        });
    });
    insta::assert_snapshot!(explain(&plan, true).unwrap());
}

#[test]
fn the_whole_record_as_key_and_no_key_at_all() {
    let whole = resolved("id string, n int64, l list<float64>", &["lines"], |plan| {
        plan.dedup = dedup("*", "");
    });
    let none = resolved("id string, n int64", &["lines"], |_| {});
    insta::assert_snapshot!(format!(
        "{}\n{}",
        explain(&whole, true).unwrap(),
        explain(&none, true).unwrap()
    ));
}

#[test]
fn numbers_in_quotes_for_a_server_that_rounds_them() {
    let plan = resolved("n int64, d decimal(38,0), f float64", &["lines", "/records"], |plan| {
        plan.dedup = dedup("n", "f desc");
    });
    insta::assert_snapshot!(explain(&plan, false).unwrap());
}
