//! The order of the contract (`docs/semantics.md` 3.2, 3.3) as terms of `ORDER BY`.
//!
//! Engines order structs by the place of their members and put nulls first inside lists and
//! structs. Here structs are taken apart, members in order of their names, and elements of lists go
//! beside a flag that says whether they are null.

use distil_plan::{Dedup, Direction, Field, Keep, Key, Schema, Type};

/// One term: an expression over the columns `c0`, `c1` ..., nulls last in both directions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) expression: String,
    pub(crate) is_descending: bool,
}

impl Term {
    fn new(expression: String, is_descending: bool) -> Self {
        Self { expression, is_descending }
    }

    /// As `ORDER BY` takes it.
    pub(crate) fn sql(&self) -> String {
        let direction = if self.is_descending { "DESC" } else { "ASC" };
        format!("{} {direction} NULLS LAST", self.expression)
    }
}

/// The columns of a key, and the order of the records of one key.
pub(crate) struct Order {
    /// The expressions of the key; `None` if it is the whole record, or if there is none.
    pub(crate) key: Vec<String>,
    /// The order of the output.
    pub(crate) output: Vec<Term>,
    /// The order of the records of one key, which covers every column.
    pub(crate) rest: Vec<Term>,
}

impl Order {
    pub(crate) fn of(dedup: Option<&Dedup>, schema: &Schema) -> Self {
        let mut names: Vec<usize> = (0..schema.fields.len()).collect();
        names.sort_by(|a, b| schema.fields[*a].name.cmp(&schema.fields[*b].name));
        let all = |except: &[&str], descending: bool| -> Vec<Term> {
            let columns = names.iter().filter(|at| !except.contains(&&*schema.fields[**at].name));
            columns
                .flat_map(|at| terms(&format!("c{at}"), &schema.fields[*at].data_type, descending))
                .collect()
        };
        let Some(Dedup { key: Key::Columns(key), order_by, keep, .. }) = dedup else {
            return Self { key: Vec::new(), output: all(&[], false), rest: Vec::new() };
        };
        let reversed = *keep == Keep::Last;
        let key_columns: Vec<String> =
            key.iter().map(|path| column(path.steps(), &schema.fields)).collect();
        let mut rest: Vec<Term> = order_by
            .iter()
            .map(|order| {
                let descending = (order.direction == Direction::Desc) != reversed;
                Term::new(column(order.column.steps(), &schema.fields), descending)
            })
            .collect();
        let named = key.iter().chain(order_by.iter().map(|order| &order.column));
        let named: Vec<&str> =
            named.filter(|path| path.steps().len() == 1).map(|path| path.top()).collect();
        rest.extend(all(&named, reversed));
        Self {
            output: key_columns.iter().map(|column| Term::new(column.clone(), false)).collect(),
            key: key_columns,
            rest,
        }
    }
}

/// The expression of a path through structs.
fn column(steps: &[String], fields: &[Field]) -> String {
    let mut expression = String::new();
    let mut fields = fields;
    for (depth, step) in steps.iter().enumerate() {
        let at = fields.iter().position(|field| field.name == *step).unwrap_or_default();
        expression.push_str(&if depth == 0 { format!("c{at}") } else { format!(".f{at}") });
        fields = match fields.get(at).map(|field| &field.data_type) {
            Some(Type::Struct(inner)) => inner,
            _ => &[],
        };
    }
    expression
}

/// Members with their places, in order of their names.
fn by_name(fields: &[Field]) -> Vec<(usize, &Field)> {
    let mut members: Vec<(usize, &Field)> = fields.iter().enumerate().collect();
    members.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
    members
}

fn terms(expression: &str, data_type: &Type, descending: bool) -> Vec<Term> {
    match data_type {
        Type::Struct(fields) => {
            let is_null = Term::new(format!("({expression} IS NULL)"), false);
            let members = by_name(fields).into_iter().flat_map(|(at, field)| {
                terms(&format!("{expression}.f{at}"), &field.data_type, descending)
            });
            std::iter::once(is_null).chain(members).collect()
        }
        Type::List(element) => {
            let list = elements(expression, element, descending, 0);
            vec![Term::new(list, descending)]
        }
        _ => vec![Term::new(expression.to_owned(), descending)],
    }
}

/// A list whose elements compare as the contract says.
fn elements(list: &str, element: &Type, descending: bool, depth: usize) -> String {
    let variable = format!("y{depth}");
    let body = flagged(&variable, element, descending, depth + 1);
    format!("transform({list}, {variable} -> {body})")
}

/// A value beside a flag that puts null last, in a struct, where engines put it first.
fn flagged(value: &str, data_type: &Type, descending: bool, depth: usize) -> String {
    let flag = if descending { "IS NOT NULL" } else { "IS NULL" };
    let inner = match data_type {
        Type::Struct(fields) => by_name(fields)
            .into_iter()
            .map(|(at, field)| {
                let member =
                    flagged(&format!("{value}.f{at}"), &field.data_type, descending, depth);
                format!(", 'f{at}', {member}")
            })
            .collect(),
        Type::List(element) => format!(", 'v', {}", elements(value, element, descending, depth)),
        _ => format!(", 'v', {value}"),
    };
    format!("named_struct('n', {value} {flag}{inner})")
}
