//! The types of an earlier output, for a plan that is to keep them.

use std::path::PathBuf;

use distil_plan::{ColumnPath, Error, Field, Hint, Result, Schema, Type, without_secrets};
use distil_storage::Storage;

use crate::frame::{PlanStep, Source};

/// The columns of an output: a Parquet file, or a directory of them.
///
/// # Errors
/// An input error if there is none, or its files have different columns.
pub(crate) fn schema_of(storage: &dyn Storage, output: &str) -> Result<Schema> {
    let path = PathBuf::from(without_secrets(output).unwrap_or_else(|| output.to_owned()));
    if storage.metadata(&path)?.is_none() {
        return Err(Error::input("there is no such output to take the types of")
            .at(output, None)
            .help(Hint::new("leave the option out of the first run, which makes the output")));
    }
    let found = Source::Parquet(vec![path]).schema(storage, &PlanStep::default())?;
    found.ok_or_else(|| Error::bug("Parquet has no schema"))
}

/// A hint for every column of a schema that is no struct, so that structs may have new members, unless
/// `given` hints say something of it. What no value ever said is left to inference.
pub(crate) fn hints_of(schema: &Schema, given: &[(ColumnPath, Type)]) -> Vec<(ColumnPath, Type)> {
    let mut hints = Vec::new();
    for field in &schema.fields {
        add(field, ColumnPath::name(&field.name), given, &mut hints);
    }
    hints
}

fn add(
    field: &Field,
    path: ColumnPath,
    given: &[(ColumnPath, Type)],
    hints: &mut Vec<(ColumnPath, Type)>,
) {
    if field.unknown || given.iter().any(|(hint, _)| path.steps() == hint.steps()) {
        return;
    }
    match &field.data_type {
        Type::Struct(members) => {
            for member in members {
                add(member, path.child(&member.name), given, hints);
            }
        }
        _ if given.iter().any(|(hint, _)| hint.steps().starts_with(path.steps())) => {}
        data_type => hints.push((path, data_type.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structs_stay_open_and_given_hints_are_stronger() {
        let mut schema = Schema::parse(
            "a int64, s struct<b: string, c: struct<d: json>>, l list<struct<x: int64>>, u string, \
             h float64",
        )
        .unwrap();
        schema.fields[3].unknown = true;
        let given =
            [(ColumnPath::name("h"), Type::String), (ColumnPath::name("s").child("c"), Type::Json)];
        let hints: Vec<String> =
            hints_of(&schema, &given).iter().map(|(path, t)| format!("{path}={t}")).collect();
        assert_eq!(hints, ["a=int64", "s.b=string", "l=list<struct<x: int64>>"]);
    }
}
