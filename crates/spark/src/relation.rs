//! The rows of a plan as a query that others go on with: the survivors alone, in no order, with the types and names that
//! Spark has for them.

use std::collections::BTreeSet;
use std::path::Path;

use distil_output::expected::ExpectedOutput;
use distil_plan::{
    EpochUnit, Error, Field, InputCompression, OnConflict, ResolvedPlan, Result, TimeUnit, Type,
};

use crate::lower::{Losers, NTH, lower};
use crate::refuse::refuse_finer;
use crate::session::{Query, TextView};
use crate::text::literal;
use crate::url;

/// A query whose columns stand for those of a plan, one by one.
pub struct Relation {
    /// The query, over the inputs themselves.
    pub query: Query,
    /// The names of its columns.
    pub names: Vec<String>,
    /// A name that another one beside it equals but for case, if there is one: a session that folds case can't tell them
    /// apart.
    pub folded: Option<String>,
}

/// The rows that a resolved plan would write. Views have names that begin with `prefix`; `is_exact` is as for
/// [`explain`](crate::explain).
///
/// # Errors
/// A usage error for what a query can't do: what the plan wants besides the rows, types that Spark does not have, names
/// of inputs that Spark would skip or take for patterns.
pub fn relation(plan: &ResolvedPlan, prefix: &str, is_exact: bool) -> Result<Relation> {
    let Some(schema) = &plan.schema else {
        return Err(Error::bug("a plan without a schema came to the backend spark"));
    };
    refuse_sides(plan)?;
    let expected = ExpectedOutput::of(plan, schema);
    let written = &expected.written().fields;
    written.iter().try_for_each(|field| refuse_finer(&field.name, &field.data_type))?;
    let lowered = lower(plan, prefix, Losers::None, !is_exact)?;
    let mut columns = Vec::new();
    for (at, field) in written.iter().enumerate() {
        let found = schema.fields.iter().enumerate().find(|(_, read)| read.name == field.name);
        let (place, read) = found.ok_or_else(|| Error::bug("a chosen column is not there"))?;
        let value = typed(&format!("c{place}"), &read.data_type, &field.data_type, 0)?;
        columns.push(format!("{value} AS d{at}"));
    }
    let columns = columns.join(",\n  ");
    let sql = format!("SELECT {columns}\nFROM (\n{}\n)\nWHERE {NTH} = 1", lowered.rows);
    let views = lowered.views.iter().map(|view| {
        let inputs = view.inputs.iter().map(|at| &plan.inputs[*at]);
        let urls = inputs.map(|input| {
            let path = std::path::absolute(&input.path)
                .map_err(|cause| Error::io("find", input.display(), &cause))?;
            plain(&path, input.compression.unwrap_or_default())
        });
        let urls = urls.collect::<Result<_>>()?;
        Ok(TextView { name: view.name.clone(), urls, options: view.options.clone() })
    });
    Ok(Relation {
        query: Query { views: views.collect::<Result<_>>()?, sql },
        names: written.iter().map(|field| field.name.clone()).collect(),
        folded: folded(&schema.fields),
    })
}

/// Refuses what a plan wants besides its rows: nobody would see to it when Spark runs the query.
fn refuse_sides(plan: &ResolvedPlan) -> Result<()> {
    let plan = &plan.plan;
    let on_conflict = plan.dedup.as_ref().map(|dedup| dedup.on_conflict).unwrap_or_default();
    let wanted = [
        ("dropped", plan.dropped.is_some()),
        ("quarantine", plan.quarantine.path.is_some()),
        ("assume_valid", plan.assume_valid),
        ("on_conflict", on_conflict != OnConflict::Keep),
    ];
    match wanted.iter().find(|(_, is_wanted)| *is_wanted) {
        Some((option, _)) => Err(Error::usage(format!(
            "a frame of Spark is read when Spark likes, so nobody would see to {option}"
        ))
        .help("write the rows with distil, and read the output with Spark")),
        None => Ok(()),
    }
}

/// The URL of an input that Spark reads by its own name.
fn plain(path: &Path, compression: InputCompression) -> Result<String> {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    // Spark goes by the endings of names, not by contents.
    let codec = [".gz", ".bz2", ".deflate", ".lz4", ".snappy", ".zst", ".zstd", ".xz"]
        .into_iter()
        .find(|ending| name.to_lowercase().ends_with(ending));
    let wanted = (compression == InputCompression::Gzip).then_some(".gz");
    let is_hidden = name.starts_with(['.', '_']) || name.ends_with("._COPYING_");
    if is_hidden || codec != wanted || !name.ends_with(codec.unwrap_or_default()) {
        return Err(Error::usage(
            "Spark goes by the name of this file, and would skip it or unpack it otherwise than distil",
        )
        .at(path.to_string_lossy(), None)
        .help("give it another name, or write the rows with distil and read the output with Spark"));
    }
    url(path)
}

/// A value as it travelled (see [`crate::types`]) as one of the type of Spark, with the members of `to` alone.
fn typed(value: &str, from: &Type, to: &Type, depth: usize) -> Result<String> {
    Ok(match (from, to) {
        (_, Type::Int8) => format!("CAST({value} AS TINYINT)"),
        (_, Type::Int16) => format!("CAST({value} AS SMALLINT)"),
        (_, Type::Int32) => format!("CAST({value} AS INT)"),
        (Type::Timestamp(TimeUnit::Millis), _)
        | (Type::Epoch(EpochUnit::Seconds | EpochUnit::Millis), _) => {
            format!("timestamp_millis({value})")
        }
        (Type::Timestamp(TimeUnit::Micros), _) | (Type::Epoch(EpochUnit::Micros), _) => {
            format!("timestamp_micros({value})")
        }
        (_, Type::Date) => format!("date_from_unix_date(CAST({value} AS INT))"),
        (_, Type::Binary) => format!("unhex({value})"),
        (Type::List(from), Type::List(to)) => {
            let variable = format!("z{depth}");
            let body = typed(&variable, from, to, depth + 1)?;
            if body == variable {
                return Ok(value.to_owned());
            }
            format!("transform({value}, {variable} -> {body})")
        }
        (Type::Struct(from), Type::Struct(to)) => {
            let members = to.iter().map(|field| {
                let found = from.iter().enumerate().find(|(_, read)| read.name == field.name);
                let (at, read) = found.ok_or_else(|| Error::bug("a chosen member is not there"))?;
                let member =
                    typed(&format!("{value}.f{at}"), &read.data_type, &field.data_type, depth)?;
                Ok(format!("{}, {member}", literal(&field.name)))
            });
            let members = members.collect::<Result<Vec<_>>>()?.join(", ");
            format!("CASE WHEN {value} IS NULL THEN NULL ELSE named_struct({members}) END")
        }
        _ => value.to_owned(),
    })
}

/// A name that differs from another in the same place in case alone.
fn folded(fields: &[Field]) -> Option<String> {
    let mut seen = BTreeSet::new();
    let twice = fields.iter().find(|field| !seen.insert(field.name.to_lowercase()));
    twice
        .map(|field| field.name.clone())
        .or_else(|| fields.iter().find_map(|field| folded(members(&field.data_type))))
}

fn members(data_type: &Type) -> &[Field] {
    match data_type {
        Type::Struct(fields) => fields,
        Type::List(element) => members(element),
        _ => &[],
    }
}
