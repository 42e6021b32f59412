//! Where records lie, as columns that are no part of what they say (1.12).

use std::cmp::Ordering;

use distil_plan::{ColumnPath, Direction, Field, Plan};

use super::compare::compare;
use super::digest::digest;
use super::infer;
use super::json::{Value, parse};

/// The columns.
pub(super) const PLACE: [&str; 2] = ["_file", "_position"];

/// The members of a record that lies there, if the plan wants them.
pub(super) fn members(plan: &Plan, path: &str, offset: usize) -> Vec<(String, Value)> {
    if !plan.origin {
        return Vec::new();
    }
    let position = parse(offset.to_string().as_bytes()).map(|parsed| parsed.value);
    let values = [Value::String(path.to_owned()), position.unwrap_or(Value::Null)];
    PLACE.map(str::to_owned).into_iter().zip(values).collect()
}

/// Whether a plan has a column for where records lie.
pub(super) fn is_place(plan: &Plan, path: &ColumnPath) -> bool {
    plan.origin && matches!(path.steps(), [name] if PLACE.contains(&name.as_str()))
}

/// A record with its place.
pub(super) fn with_place(record: Value, place: Vec<(String, Value)>) -> Value {
    let Value::Object(mut members) = record else { return record };
    members.extend(place);
    Value::Object(members)
}

/// The record without its place.
pub(super) fn without_place(record: &Value) -> Value {
    let Value::Object(members) = record else { return record.clone() };
    let members = members.iter().filter(|(name, _)| !PLACE.contains(&name.as_str()));
    Value::Object(members.cloned().collect())
}

/// Compares records, and where they are equal their places.
pub(super) fn compare_placed(plan: &Plan, a: &Value, b: &Value, direction: Direction) -> Ordering {
    if !plan.origin {
        return compare(a, b, direction);
    }
    let place = |name| {
        let path = ColumnPath::name(name);
        compare(infer::at(a, &path), infer::at(b, &path), Direction::Asc)
    };
    let order = compare(&without_place(a), &without_place(b), direction);
    order.then_with(|| place(PLACE[0])).then_with(|| place(PLACE[1]))
}

/// Whether two records of one key are the same: in what decides the order, and in what they say.
pub(super) fn is_same(plan: &Plan, a: &Value, b: &Value) -> bool {
    if !plan.origin {
        return compare(a, b, Direction::Asc).is_eq();
    }
    let order = plan.dedup.iter().flat_map(|dedup| &dedup.order_by);
    let mut pairs = order.map(|by| (infer::at(a, &by.column), infer::at(b, &by.column)));
    pairs.all(|(a, b)| compare(a, b, Direction::Asc).is_eq())
        && compare(&without_place(a), &without_place(b), Direction::Asc).is_eq()
}

/// The digest of rows without their places.
pub(super) fn digest_without_places(schema: &[Field], rows: &[Vec<Value>]) -> String {
    let wanted: Vec<usize> =
        (0..schema.len()).filter(|at| !PLACE.contains(&schema[*at].name.as_str())).collect();
    let names: Vec<String> = wanted.iter().map(|at| schema[*at].name.clone()).collect();
    let row = |row: &Vec<Value>| wanted.iter().map(|at| row[*at].clone()).collect();
    digest(&names, &rows.iter().map(row).collect::<Vec<Vec<Value>>>())
}
