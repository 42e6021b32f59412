//! What Spark can't do for a plan, by name.

use std::path::Path;

use distil_plan::{Error, Field, InputCompression, ResolvedPlan, Result, Schema, Shape, Type};

use crate::server::Limits;

/// The largest file that is read as one text: below the 2 GiB of a Java array, in the two bytes a
/// character that some of it takes.
const WHOLE: u64 = 512 << 20;

/// The deepest type: the SQL of one nests as deep, and planners take exponentially long over it.
const DEEPEST: usize = 10;

/// The most columns without members below them: a query names each many times.
const WIDEST: usize = 500;

/// Refuses a plan that the server can't honour.
///
/// # Errors
/// A usage error that names everything that it can't keep.
pub(crate) fn refuse(plan: &ResolvedPlan, limits: &Limits) -> Result<()> {
    let mut missing: Vec<String> = Vec::new();
    let mut add = |what: String| {
        if !missing.contains(&what) {
            missing.push(what);
        }
    };
    for input in &plan.inputs {
        if input.compression == Some(InputCompression::Zstd) {
            add("reading zstd".to_owned());
        }
        match &input.shape {
            Some(Shape::Concatenated) => add("reading files of the shape concatenated".to_owned()),
            Some(Shape::Lines) | None => {}
            Some(_) if input.bytes.is_some_and(|bytes| bytes > WHOLE) => add(format!(
                "reading a document of more than {} MiB, which one task of Spark holds as a whole ({})",
                WHOLE >> 20,
                input.display()
            )),
            Some(_) => {}
        }
    }
    let schema = plan.schema.as_ref().map_or(&[][..], |schema: &Schema| &schema.fields);
    let documents = plan.inputs.iter().filter_map(|input| match &input.shape {
        Some(Shape::Document(steps)) => Some(steps.as_slice()),
        _ => None,
    });
    let in_paths = documents.flatten().any(|step| step.is_empty());
    if !limits.has_empty_names && (in_paths || any(schema, &|field| field.name.is_empty())) {
        add("a member without a name".to_owned());
    }
    if any(schema, &|field| is_type(&field.data_type, &|t| *t == Type::Json)) {
        add(
            "columns of the type json, whose values Spark neither orders nor spells as the contract \
             does"
                .to_owned(),
        );
    }
    if schema.iter().any(|field| depth(&field.data_type) > DEEPEST) {
        add(format!("lists and structs of more than {DEEPEST} levels"));
    }
    if schema.iter().map(|field| field.data_type.leaf_count()).sum::<usize>() > WIDEST {
        add(format!("more than {WIDEST} columns"));
    }
    if plan.plan.assume_valid && !limits.is_strict {
        add("assume_valid: this server reads bad records as nulls, in silence".to_owned());
    }
    if plan.plan.sink.max_file_bytes.is_some() {
        add("a limit of the bytes of a file (`max_file_bytes`)".to_owned());
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::usage(format!(
        "the backend spark can't do what the plan asks for: {}",
        missing.join(", ")
    ))
    .help("use --backend native"))
}

/// Refuses a place whose name Spark would take for a pattern or a URL.
///
/// # Errors
/// A usage error.
pub(crate) fn refuse_place(path: &Path) -> Result<String> {
    let odd = |c: char| "{}[]*?\\:%#,".contains(c) || c.is_control();
    match path.to_str() {
        Some(text) if !text.contains(odd) => Ok(text.to_owned()),
        _ => Err(Error::usage("Spark would take this name for a pattern or a URL")
            .at(path.to_string_lossy(), None)
            .help("choose a directory with a plain name for what lies between: --temp-dir DIR")),
    }
}

/// Whether any column or member, at any depth, is such a one.
fn any(fields: &[Field], is: &dyn Fn(&Field) -> bool) -> bool {
    fields.iter().any(|field| is(field) || inside(&field.data_type, is))
}

fn inside(data_type: &Type, is: &dyn Fn(&Field) -> bool) -> bool {
    match data_type {
        Type::List(element) => inside(element, is),
        Type::Struct(fields) => any(fields, is),
        _ => false,
    }
}

fn depth(data_type: &Type) -> usize {
    match data_type {
        Type::List(element) => 1 + depth(element),
        Type::Struct(fields) => {
            1 + fields.iter().map(|field| depth(&field.data_type)).max().unwrap_or(0)
        }
        _ => 0,
    }
}

/// Whether a type, or that of its elements, is such a one; members are columns of their own.
fn is_type(data_type: &Type, is: &dyn Fn(&Type) -> bool) -> bool {
    match data_type {
        Type::List(element) => is_type(element, is),
        other => is(other),
    }
}
