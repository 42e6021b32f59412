use super::*;
use crate::Compression;
use crate::{OrderBy, Schema};

fn plan() -> Plan {
    Plan::new(vec!["in".into()], Sink::new("out.parquet"))
}

#[test]
fn a_plan_survives_json() {
    let mut plan = plan();
    plan.shape = "/result/items".parse().unwrap();
    plan.dedup = Some(Dedup {
        order_by: OrderBy::parse_list("id, \"a,b\" desc").unwrap(),
        ..Dedup::on_columns(vec!["ts".parse().unwrap()])
    });
    plan.quarantine.max = Some("0.1%".parse().unwrap());
    let text = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
    assert!(serde_json::from_str::<Plan>(&text.replace("max_record", "max_records")).is_err());
}

#[test]
fn the_layout_follows_the_name() {
    assert_eq!(Sink::new("a.PARQUET").layout, Layout::File);
    assert_eq!(Sink::new("a.pq").layout, Layout::File);
    assert_eq!(Sink::new("b/a.Parq").layout, Layout::File);
    assert_eq!(Sink::new("a.parquet/").layout, Layout::Dir);
    assert_eq!(Sink::new("a.2024").layout, Layout::Dir);
    assert_eq!(Sink::new("a").layout, Layout::Dir);
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let with = |dedup: Dedup| Plan { dedup: Some(dedup), ..plan() }.check();
    let path = |text: &str| text.parse::<ColumnPath>().unwrap();
    assert!(with(Dedup::on_columns(vec![])).is_err());
    assert!(with(Dedup::on_columns(vec![path("a"), path("a")])).is_err());
    assert!(with(Dedup::on_columns(vec![path("a"), path("a.b")])).is_err());
    let order = OrderBy::parse_list("a").unwrap();
    let harmless = with(Dedup { order_by: order.clone(), ..Dedup::on_columns(vec![path("a")]) });
    assert!(harmless.unwrap().dedup.unwrap().order_by.is_empty());
    let twice = OrderBy::parse_list("b, b desc").unwrap();
    assert!(with(Dedup { order_by: twice, ..Dedup::on_columns(vec![path("a")]) }).is_err());
    assert!(with(Dedup { order_by: order, ..Dedup::on_record() }).is_err());
    assert!(Plan { version: 2, ..plan() }.check().is_err());
    assert!(Plan { columns: Some(vec![]), ..plan() }.check().is_err());
    assert!(plan().check().is_ok());
    let rows = Plan { format: InputFormat::Parquet, ..plan() };
    assert!(rows.clone().check().is_err(), "its columns are not declared");
    let schema = SchemaSpec { declared: Some(Schema::default()), ..SchemaSpec::default() };
    let rows = Plan { schema, ..rows };
    assert!(Plan { shape: Shape::Lines, ..rows.clone() }.check().is_err());
    assert!(Plan { extra_members: ExtraMembers::Keep, ..rows.clone() }.check().is_err());
    assert!(rows.check().is_ok());
}

#[test]
fn shapes_and_limits_read_as_written() {
    assert_eq!(
        "/a~1b/c~0d".parse::<Shape>().unwrap(),
        Shape::Document(vec!["a/b".into(), "c~d".into()])
    );
    assert_eq!("document:/a~1b".parse::<Shape>().unwrap().to_string(), "document:/a~1b");
    assert!("json".parse::<Shape>().is_err());
    assert_eq!("12".parse::<MaxQuarantined>().unwrap(), MaxQuarantined::Count(12));
    assert!("101%".parse::<MaxQuarantined>().is_err());
    assert_eq!("zstd".parse::<Compression>().unwrap().to_string(), "zstd:3");
    assert!("zstd:23".parse::<Compression>().is_err());
}
