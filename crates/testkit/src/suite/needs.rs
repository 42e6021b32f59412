//! What cases ask of a backend.

use std::collections::BTreeMap;

use distil_plan::{Field, Input, Need, Plan, ResolvedPlan, Schema, Shape, Type};
use serde_json::value::RawValue;

use super::case::Case;
use crate::oracle::frames::{decompress, records};
use crate::oracle::{self, Failure, Outcome};

/// Everything that a case asks for, given what the oracle says of it: what the plan asks for with the
/// inputs and the schema as the oracle found them, and what only the records show.
///
/// Of a run that fails this is less than all: its shapes and its schema are not known.
pub fn needs(case: &Case, outcome: &Result<Outcome, Failure>) -> Vec<Need> {
    let schema = columns(case, outcome);
    let mut needs = Vec::new();
    if outcome.as_ref().is_ok_and(|outcome| !outcome.bad.is_empty()) {
        needs.push(Need::BadRecords);
    }
    if outcome.as_ref().is_ok_and(|outcome| !outcome.readings.is_empty()) {
        needs.push(Need::Respelled);
    }
    if has_exponents(case, &schema) {
        needs.push(Need::Exponents);
    }
    let shape = |path: &str| -> Option<Shape> {
        let inputs = &outcome.as_ref().ok()?.inputs;
        inputs.iter().find(|input| input.path == path).map(|input| input.shape.parse().unwrap())
    };
    let inputs = case.placed().into_iter().map(|(path, content)| Input {
        bytes: Some(content.len() as u64),
        version: 0,
        compression: Some(decompress(&content).0),
        shape: shape(&path),
        path: path.into(),
    });
    // A plan that can't be meant asks for nothing that is told.
    let checked = case.plan.clone().check().unwrap_or_else(|_| case.plan.clone());
    let plan = ResolvedPlan {
        plan: checked,
        inputs: inputs.collect(),
        schema: Some(Schema { fields: schema }),
        admitted: true,
    };
    needs.extend(plan.needs());
    needs
}

/// All columns that are read, written or not; none where the run does not get as far.
fn columns(case: &Case, outcome: &Result<Outcome, Failure>) -> Vec<Field> {
    let all = match &case.plan.columns {
        None => outcome.clone(),
        Some(_) => oracle::run(&Plan { columns: None, ..case.plan.clone() }, &case.placed()),
    };
    all.map_or(Vec::new(), |all| all.schema)
}

/// Whether a number of a column of integers or decimals is spelled with an exponent in any record.
fn has_exponents(case: &Case, columns: &[Field]) -> bool {
    case.files.iter().any(|(_, bytes)| {
        let Ok(plan) = case.plan.clone().check() else { return false };
        let Ok(framed) = records(bytes, &plan) else { return false };
        framed.frames.iter().any(|&(offset, length)| {
            std::str::from_utf8(&framed.content[offset..offset + length])
                .is_ok_and(|record| is_spelled_with_exponent(record, columns))
        })
    })
}

fn is_spelled_with_exponent(object: &str, members: &[Field]) -> bool {
    let Ok(values) = serde_json::from_str::<BTreeMap<String, &RawValue>>(object) else {
        return false;
    };
    members.iter().any(|member| {
        values.get(&member.name).is_some_and(|value| is_value_so(value.get(), &member.data_type))
    })
}

fn is_value_so(value: &str, data_type: &Type) -> bool {
    match data_type {
        Type::List(element) => serde_json::from_str::<Vec<&RawValue>>(value)
            .is_ok_and(|values| values.iter().any(|value| is_value_so(value.get(), element))),
        Type::Struct(members) => is_spelled_with_exponent(value, members),
        Type::Int8
        | Type::Int16
        | Type::Int32
        | Type::Int64
        // A number in a column of instants was hinted to count from the epoch.
        | Type::Epoch(_)
        | Type::Timestamp(_)
        | Type::Decimal { .. } => {
            value.starts_with(|c: char| c == '-' || c.is_ascii_digit())
                && value.contains(['e', 'E'])
        }
        _ => false,
    }
}
