//! A resolved plan as Spark SQL: what is read, with which options, and one query over it.

use distil_plan::{Error, InputCompression, Key, ResolvedPlan, Result, Schema, Shape};

use crate::order::Order;
use crate::text::{identifier, literal};
use crate::types::{Reading, quoted_numbers, read_struct, travelling};

/// Settings that queries run with, so that those of the server decide nothing.
pub const SETTINGS: [(&str, &str); 6] = [
    ("spark.sql.session.timeZone", "UTC"),
    ("spark.sql.caseSensitive", "true"),
    ("spark.sql.ansi.enabled", "true"),
    ("spark.sql.variable.substitute", "false"),
    ("spark.sql.files.ignoreCorruptFiles", "false"),
    ("spark.sql.files.ignoreMissingFiles", "false"),
];

/// Options that results are written with; they are read once, by distil.
pub const WRITER_OPTIONS: [(&str, &str); 1] = [("compression", "snappy")];

/// The rows of a key that are wanted.
pub(crate) const NTH: &str = "n";
/// Records that equal the survivor in every column, itself included.
pub(crate) const COPIES: &str = "copies";
/// Records of the key.
pub(crate) const TOTAL: &str = "total";

/// A plan in the words of Spark.
pub(crate) struct Lowered {
    /// What is read, as text.
    pub(crate) views: Vec<View>,
    /// The query over the views: rows in no order.
    pub(crate) rows: String,
    /// The order of the output, as terms of `ORDER BY`.
    pub(crate) order: String,
    /// Columns `o0`, `o1` ... at the end of every row, by which the rows are ordered.
    pub(crate) order_columns: usize,
    /// A query for the records of every input, by the name of its link.
    pub(crate) count: String,
}

impl Lowered {
    /// The rows, in order.
    pub(crate) fn query(&self) -> String {
        format!("{}\nORDER BY {}", self.rows, self.order)
    }
}

/// The rows of a key that are wanted besides its survivor.
#[derive(Clone, Copy)]
pub(crate) enum Losers {
    None,
    /// The first that differs, which is shown in the report.
    First,
    /// All that differ.
    All,
}

/// Inputs that are read alike.
pub(crate) struct View {
    /// Its name.
    pub(crate) name: String,
    /// Options of the `text` reader.
    pub(crate) options: Vec<(&'static str, &'static str)>,
    /// Numbers of the inputs.
    pub(crate) inputs: Vec<usize>,
    /// What their names must end with for Spark to decompress them.
    pub(crate) suffix: &'static str,
    shape: Shape,
}

/// The plan in the words of Spark, with views `PREFIX_0`, `PREFIX_1` ...; `is_quoted` is for a server that can't be trusted
/// with numbers.
///
/// # Errors
/// A bug for a plan that was not resolved.
pub(crate) fn lower(
    plan: &ResolvedPlan,
    prefix: &str,
    losers: Losers,
    is_quoted: bool,
) -> Result<Lowered> {
    let Some(schema) = &plan.schema else {
        return Err(Error::bug("a plan without a schema came to the backend spark"));
    };
    let views = views(plan, prefix)?;
    let declares = plan.plan.schema.declared.is_some() || !plan.plan.schema.hints.is_empty();
    let reading = Reading { is_declared: declares, is_quoted };
    let dedup = plan.plan.dedup.as_ref();
    let by = Order::of(dedup, schema);
    let from: Vec<String> = views.iter().map(|view| records(view, schema, reading)).collect();
    let records = from.join("\nUNION ALL\n");
    let columns: Vec<String> = (0..schema.fields.len()).map(|at| format!("c{at}")).collect();
    let columns = columns.join(", ");
    let (order_list, order) = order_columns(&by);
    let order_columns = by.output.len() + usize::from(!by.key.is_empty());
    let rows = match dedup.map(|dedup| &dedup.key) {
        None => format!(
            "SELECT {columns}, 1 AS {NTH}, 1 AS {COPIES}, 1 AS {TOTAL}, {order_list}\nFROM (\n\
             {records}\n)"
        ),
        Some(Key::Record) => format!(
            "SELECT {columns}, 1 AS {NTH}, {COPIES}, {COPIES} AS {TOTAL}, {order_list}\nFROM (\n\
             SELECT {columns}, count(*) AS {COPIES}\nFROM (\n{records}\n)\nGROUP BY {columns}\n)"
        ),
        Some(Key::Columns(_)) => {
            let key = by.key.join(", ");
            let rest: Vec<String> = by.rest.iter().map(|term| term.sql()).collect();
            // A constant orders nothing: the key is all there is.
            let rest = if rest.is_empty() { "1".to_owned() } else { rest.join(", ") };
            let window = format!("PARTITION BY {key} ORDER BY {rest}");
            let wanted = match losers {
                Losers::None => format!("{NTH} = 1"),
                Losers::First => format!("{NTH} = 1 OR {NTH} = {COPIES} + 1"),
                Losers::All => format!("{NTH} = 1 OR {NTH} > {COPIES}"),
            };
            format!(
                "SELECT {columns}, {NTH}, {COPIES}, {TOTAL}, {order_list}\nFROM (\n\
                 SELECT *, sum(CASE WHEN d = 1 THEN 1 ELSE 0 END) OVER (PARTITION BY {key}) AS {COPIES}, \
                 count(*) OVER (PARTITION BY {key}) AS {TOTAL}\nFROM (\n\
                 SELECT *, row_number() OVER ({window}) AS {NTH}, \
                 dense_rank() OVER ({window}) AS d\nFROM (\n{records}\n)\n)\n)\n\
                 WHERE {wanted}"
            )
        }
    };
    let counts: Vec<String> = views
        .iter()
        .map(|view| {
            let frames = frames(view, &[], reading, ", input_file_name() AS name");
            format!("SELECT name FROM ({frames})")
        })
        .collect();
    let counts = counts.join("\nUNION ALL\n");
    let count = format!("SELECT name, count(*) AS records FROM (\n{counts}\n) GROUP BY name");
    Ok(Lowered { views, rows, order, order_columns, count })
}

/// The order of the output as columns, and as terms over these.
fn order_columns(order: &Order) -> (String, String) {
    let mut columns = Vec::new();
    let mut terms = Vec::new();
    for (at, term) in order.output.iter().enumerate() {
        columns.push(format!("{} AS o{at}", term.expression));
        terms.push(format!("o{at} ASC NULLS LAST"));
    }
    // Of a whole record there is one row, or they are all alike.
    if !order.key.is_empty() {
        let at = columns.len();
        columns.push(format!("{NTH} AS o{at}"));
        terms.push(format!("o{at} ASC NULLS LAST"));
    }
    (columns.join(", "), terms.join(", "))
}

/// Inputs of one shape and compression, in the order of their first ones.
fn views(plan: &ResolvedPlan, prefix: &str) -> Result<Vec<View>> {
    let mut groups: Vec<((Shape, InputCompression), Vec<usize>)> = Vec::new();
    for (at, input) in plan.inputs.iter().enumerate() {
        let (Some(shape), Some(compression)) = (&input.shape, input.compression) else {
            return Err(Error::bug("an input that nobody looked at came to the backend spark"));
        };
        let group = (shape.clone(), compression);
        match groups.iter_mut().find(|(known, _)| *known == group) {
            Some((_, inputs)) => inputs.push(at),
            None => groups.push((group, vec![at])),
        }
    }
    let views = groups.into_iter().enumerate().map(|(at, ((shape, compression), inputs))| View {
        name: format!("{prefix}_{at}"),
        options: match shape {
            Shape::Lines => vec![("lineSep", "\n")],
            _ => vec![("wholetext", "true")],
        },
        inputs,
        suffix: if compression == InputCompression::Gzip { ".txt.gz" } else { ".txt" },
        shape,
    });
    Ok(views.collect())
}

/// The records of a view as columns `c0`, `c1` ...
fn records(view: &View, schema: &Schema, reading: Reading) -> String {
    let columns: Vec<String> = schema
        .fields
        .iter()
        .enumerate()
        .map(|(at, field)| {
            let value = format!("r.{}", identifier(&field.name));
            format!("{} AS c{at}", travelling(&value, &field.data_type, reading, 0))
        })
        .collect();
    let columns = columns.join(",\n  ");
    let frames = frames(view, &schema.fields, reading, "");
    // A text that the parser gives up is null here, and missing in the count of the records.
    format!("SELECT {columns}\nFROM ({frames})\nWHERE r IS NOT NULL")
}

/// The records of a view as structs `r`, and what else is wanted of each.
fn frames(view: &View, fields: &[distil_plan::Field], reading: Reading, beside: &str) -> String {
    let record = match fields {
        // Any member will do: only the count matters.
        [] => "STRUCT<`_`: STRING>".to_owned(),
        fields => read_struct(fields, reading),
    };
    let (parsed, schema) = match &view.shape {
        Shape::Document(steps) => {
            let mut schema = format!("ARRAY<{record}>");
            let mut path = String::new();
            for step in steps.iter().rev() {
                schema = format!("STRUCT<{}: {schema}>", identifier(step));
                path.insert_str(0, &format!(".{}", identifier(step)));
            }
            (format!("from_json(t, SCHEMA, map('mode', 'FAILFAST')){path}"), schema)
        }
        Shape::Array => {
            let schema = format!("ARRAY<{record}>");
            ("from_json(t, SCHEMA, map('mode', 'FAILFAST'))".to_owned(), schema)
        }
        // A generator, as above: an engine may not push it into every use of a column.
        _ => ("array(from_json(t, SCHEMA, map('mode', 'FAILFAST')))".to_owned(), record),
    };
    let parsed = parsed.replacen("SCHEMA", &literal(&schema), 1);
    let blank = match view.shape {
        Shape::Lines => " WHERE btrim(t, ' \\t\\r') <> ''",
        _ => "",
    };
    // The mark at the start of a file is no part of its text.
    let text =
        "CASE WHEN substring(value, 1, 1) = '\u{feff}' THEN substring(value, 2) ELSE value END";
    let mut from = format!("SELECT {text} AS t FROM {}", view.name);
    if reading.is_quoted {
        from = format!("SELECT {} AS t FROM ({from}){blank}", quoted_numbers("t"));
        from = format!("SELECT substring(t, 1, length(t) - 4) AS t FROM ({from})");
        return format!("SELECT explode({parsed}) AS r{beside} FROM ({from})");
    }
    format!("SELECT explode({parsed}) AS r{beside} FROM ({from}){blank}")
}
