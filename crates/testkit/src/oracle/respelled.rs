//! Values that are read otherwise than they stand (2.6, 2.7): where, and in which columns texts stand for null.

use std::collections::BTreeMap;

use distil_plan::{ColumnPath, ColumnReading, Field, Plan, Respelled, Type};

use super::admission::Admission;
use super::infer;
use super::json::Value;
use super::place;
use super::run::{Failure, framed};
use super::types::{EXTRA, Notes, Want};

/// The plan with the inferred columns named in which texts stand for null that it gives without a column (2.7):
/// all of their other values in accepted records are no strings, and there are some.
pub(super) fn settled(mut plan: Plan, files: &[(String, Vec<u8>)]) -> Result<Plan, Failure> {
    if plan.is_settled() {
        return Ok(plan);
    }
    let admission = Admission::of(&plan);
    let (want, extra_column) = (&admission.want, admission.extra_column());
    let mut records = Vec::new();
    for (path, bytes) in files {
        let framed = framed(path, bytes, &plan)?;
        for (at, &(offset, length)) in framed.frames.iter().enumerate() {
            let raw = &framed.content[offset..offset + length];
            let place = place::members(&plan, path, offset);
            let admitted = admission.admit(raw, framed.added(at), &place);
            records.extend(admitted.record.filter(|_| admitted.reason.is_none()));
        }
    }
    let records: Vec<&Value> = records.iter().collect();
    let mut schema = infer::schema(&records, want);
    schema.retain(|field| !extra_column || field.name != EXTRA);
    let mut paths = Vec::new();
    inferred_paths(&schema, want, &[], &mut paths);
    let texts = plan.null_text.everywhere.clone();
    paths.retain(|path| {
        let values: Vec<&Value> = records.iter().map(|record| infer::at(record, path)).collect();
        let is_text =
            |value: &&&Value| matches!(value, Value::String(text) if texts.contains(text));
        let count = values.iter().filter(is_text).count();
        let strings = values.iter().filter(|value| matches!(value, Value::String(_))).count();
        let others = values.iter().filter(|value| !matches!(value, Value::String(_) | Value::Null));
        count > 0 && count == strings && others.count() > 0
    });
    plan.settle(paths);
    Ok(plan)
}

/// The paths of columns of which the plan says nothing.
fn inferred_paths(fields: &[Field], want: &Want, above: &[String], paths: &mut Vec<ColumnPath>) {
    for field in fields {
        let steps = [above, std::slice::from_ref(&field.name)].concat();
        let Ok(path) = ColumnPath::new(steps.clone()) else { continue };
        if infer::declared(want, &path).is_none() {
            paths.push(path);
        }
        if let Type::Struct(members) = &field.data_type {
            inferred_paths(members, want, &steps, paths);
        }
    }
}

/// By the path of a column: what was converted, and what was nulled.
pub(super) type Readings = BTreeMap<Vec<String>, [Option<Respelled>; 2]>;

/// Counts what was respelled in the record that begins at a place; records come in order.
pub(super) fn count_respelled(readings: &mut Readings, notes: &Notes, (file, offset): (&str, u64)) {
    for (paths, which) in [(&notes.converted, 0), (&notes.nulled, 1)] {
        for path in paths {
            let found = &mut readings.entry(path.clone()).or_default()[which];
            let first = || Respelled { count: 0, file: file.to_owned(), offset };
            found.get_or_insert_with(first).count += 1;
        }
    }
}

/// Readings of the key first, then as the columns stand in the schema.
pub(super) fn in_order(
    readings: Readings,
    key: &[ColumnPath],
    schema: &[Field],
) -> Vec<ColumnReading> {
    fn walk(path: &[String], data_type: &Type, paths: &mut Vec<Vec<String>>) {
        match data_type {
            Type::List(element) => walk(path, element, paths),
            Type::Struct(fields) => {
                for field in fields {
                    let path = [path, std::slice::from_ref(&field.name)].concat();
                    paths.push(path.clone());
                    walk(&path, &field.data_type, paths);
                }
            }
            _ => {}
        }
    }
    let mut paths = Vec::new();
    walk(&[], &Type::Struct(schema.to_vec()), &mut paths);
    let mut readings: Vec<(bool, usize, ColumnReading)> = readings
        .into_iter()
        .map(|(path, [converted, nulled])| {
            let at = paths.iter().position(|known| *known == path).unwrap();
            let column = ColumnPath::new(path).unwrap();
            let key = key.contains(&column);
            (!key, at, ColumnReading { column, key, converted, nulled })
        })
        .collect();
    readings.sort_by_key(|(is_other, at, _)| (*is_other, *at));
    readings.into_iter().map(|(.., reading)| reading).collect()
}
