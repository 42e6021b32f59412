//! Schemas: what was declared, and what an output has.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::path::overlap;
use crate::types::parse_columns;
use crate::{ColumnPath, Error, Result, Type};

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Field {
    /// Its name, any JSON string.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub data_type: Type,
    /// Whether no value was ever seen that says what the type is (only nulls, or only empty lists).
    /// Where it is declared so, it holds until a value is seen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unknown: bool,
}

impl Field {
    /// A column whose type is known.
    pub fn new(name: impl Into<String>, data_type: Type) -> Self {
        Self { name: name.into(), data_type, unknown: false }
    }
}

/// The columns of an output, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Schema {
    /// The columns, in order; names are unique at every level.
    pub fields: Vec<Field>,
}

impl Schema {
    /// A schema of the given columns.
    ///
    /// # Errors
    /// A usage error that names a column that stands there twice.
    pub fn new(fields: Vec<Field>) -> Result<Self> {
        let mut names = HashSet::new();
        if let Some(twice) = fields.iter().find(|field| !names.insert(field.name.as_str())) {
            let name = ColumnPath::name(&twice.name);
            return Err(Error::usage(format!("the column {name} is declared twice")));
        }
        Ok(Self { fields })
    }

    /// Reads the text form: `id string, ts timestamp(ms)`, or the JSON form: a list of
    /// `{"name": ..., "type": ...}`.
    ///
    /// # Errors
    /// A usage error that shows the place.
    pub fn parse(text: &str) -> Result<Self> {
        if text.trim_start().starts_with('[') {
            let fields: Vec<Field> = serde_json::from_str(text)
                .map_err(|e| Error::usage(format!("cannot read the schema: {e}")))?;
            return Self::new(fields);
        }
        parse_columns(text)
    }

    /// The chosen columns, in the order of the choice; a column inside a struct keeps the struct
    /// around it. Paths that the schema does not have are left out.
    #[must_use]
    pub fn project(&self, columns: &[ColumnPath]) -> Self {
        let columns = columns.iter().enumerate().map(|(at, path)| (at, path.steps())).collect();
        Self { fields: project(&self.fields, columns) }
    }

    /// The columns by their paths, for whoever looks up many.
    pub fn index(&self) -> ColumnIndex<'_> {
        let mut types = HashMap::new();
        index(&self.fields, &[], &mut types);
        ColumnIndex { types }
    }

    /// The type at a path through structs.
    pub fn find(&self, path: &ColumnPath) -> Option<&Type> {
        let mut fields = &self.fields;
        let mut found = None;
        for step in path.steps() {
            let field = fields.iter().find(|f| &f.name == step)?;
            found = Some(&field.data_type);
            fields = match &field.data_type {
                Type::Struct(inner) => inner,
                _ => const { &Vec::new() },
            };
        }
        found
    }
}

/// The columns of a schema by their paths, members of structs among them.
pub struct ColumnIndex<'a> {
    types: HashMap<Vec<&'a str>, &'a Type>,
}

impl<'a> ColumnIndex<'a> {
    /// As [`Schema::find`].
    pub fn find(&self, path: &ColumnPath) -> Option<&'a Type> {
        let steps: Vec<&str> = path.steps().iter().map(String::as_str).collect();
        self.types.get(&steps).copied()
    }
}

fn index<'a>(fields: &'a [Field], above: &[&'a str], types: &mut HashMap<Vec<&'a str>, &'a Type>) {
    for field in fields {
        let path: Vec<&str> = above.iter().copied().chain([field.name.as_str()]).collect();
        if let Type::Struct(inner) = &field.data_type {
            index(inner, &path, types);
        }
        types.insert(path, &field.data_type);
    }
}

/// Where the schema of a plan comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchemaSpec {
    /// All columns, when the schema is declared in full; otherwise it is inferred from all the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<Schema>,
    /// Types of single columns; the rest is inferred.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<(ColumnPath, Type)>,
}

impl SchemaSpec {
    /// The schema of what was read so, with the types that values are read as where they are given: an
    /// `epoch(s)` that was declared is an `epoch(s)`, and not the timestamp that is written.
    #[must_use]
    pub fn as_read(&self, mut schema: Schema) -> Schema {
        let declared = self.declared.iter().flat_map(|schema| &schema.fields);
        let declared: HashMap<&str, &Type> =
            declared.map(|field| (field.name.as_str(), &field.data_type)).collect();
        for field in &mut schema.fields {
            if let Some(data_type) = declared.get(field.name.as_str()) {
                field.data_type = (*data_type).clone();
            }
        }
        // A column that no record has is not there.
        let _ = retype(&mut schema.fields, self.hints.iter().map(|(path, t)| (path, t)), 0);
        schema
    }

    /// Folds hints into a declared schema and checks that hints do not contradict each other.
    ///
    /// # Errors
    /// A usage error for a hint given twice, a hint below another hint, or a hint for a column that
    /// the declared schema does not have.
    pub fn normalise(&mut self) -> Result<()> {
        let paths: Vec<&ColumnPath> = self.hints.iter().map(|(path, _)| path).collect();
        if let Some((at, other)) = overlap(&paths) {
            let (path, other) = (paths[at], paths[other]);
            return Err(Error::usage(if other == path {
                format!("the type of {path} is given twice")
            } else {
                format!("the types of {other} and {path} are given, but one lies inside the other")
            }));
        }
        if let Some(schema) = &mut self.declared {
            let hints = std::mem::take(&mut self.hints);
            if let Some(path) =
                retype(&mut schema.fields, hints.iter().map(|(path, t)| (path, t)), 0)
            {
                return Err(Error::usage(format!("the declared schema has no column {path}")));
            }
        }
        Ok(())
    }
}

/// `columns` are paths below where the fields stand, each with its place in the choice.
fn project(fields: &[Field], columns: Vec<(usize, &[String])>) -> Vec<Field> {
    let mut by_name: HashMap<&str, Vec<(usize, &[String])>> = HashMap::new();
    for (at, steps) in columns {
        if let Some((first, rest)) = steps.split_first() {
            by_name.entry(first).or_default().push((at, rest));
        }
    }
    let mut chosen: Vec<(usize, Field)> = Vec::new();
    for field in fields {
        let Some(columns) = by_name.remove(field.name.as_str()) else { continue };
        let Some(first) = columns.iter().map(|(at, _)| *at).min() else { continue };
        let mut field = field.clone();
        let whole = columns.iter().filter(|(_, rest)| rest.is_empty()).map(|(at, _)| *at).min();
        match (whole, &mut field.data_type) {
            (Some(at), _) => chosen.push((at, field)),
            (None, Type::Struct(inner)) => {
                *inner = project(inner, columns);
                chosen.push((first, field));
            }
            (None, _) => {}
        }
    }
    chosen.sort_by_key(|(at, _)| *at);
    chosen.into_iter().map(|(_, field)| field).collect()
}

/// Gives columns other types; `depth` steps of each path lead here. Returns the first path that leads to no
/// column.
fn retype<'a>(
    fields: &mut [Field],
    types: impl Iterator<Item = (&'a ColumnPath, &'a Type)>,
    depth: usize,
) -> Option<&'a ColumnPath> {
    let mut by_name: BTreeMap<&str, Vec<(&ColumnPath, &Type)>> = BTreeMap::new();
    for (path, data_type) in types {
        by_name.entry(&path.steps()[depth]).or_default().push((path, data_type));
    }
    let mut missing = None;
    for field in fields {
        let Some(types) = by_name.remove(field.name.as_str()) else { continue };
        let (here, below): (Vec<_>, Vec<_>) =
            types.into_iter().partition(|(path, _)| path.steps().len() == depth + 1);
        if let Some((_, data_type)) = here.last() {
            field.data_type = (*data_type).clone();
        } else if let Type::Struct(inner) = &mut field.data_type {
            let below: &mut dyn Iterator<Item = _> = &mut below.into_iter();
            missing = missing.or(retype(inner, below, depth + 1));
        } else {
            missing = missing.or(below.first().map(|(path, _)| *path));
        }
    }
    missing.or_else(|| by_name.into_values().flatten().next().map(|(path, _)| path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_say_the_same() {
        let text = Schema::parse("id string, \"a b\" list<int64>, ts timestamp(ms)").unwrap();
        let json = serde_json::to_string(&text).unwrap();
        assert_eq!(Schema::parse(&json).unwrap(), text);
        assert_eq!(text.find(&"\"a b\"".parse().unwrap()).unwrap().to_string(), "list<int64>");
        assert!(Schema::parse("id string, id int64").is_err());
    }

    #[test]
    fn hints_join_a_declared_schema_and_must_not_overlap() {
        let mut spec = SchemaSpec {
            declared: Some(Schema::parse("a struct<b: string>").unwrap()),
            hints: vec![("a.b".parse().unwrap(), Type::Date)],
        };
        spec.normalise().unwrap();
        assert_eq!(spec.declared.unwrap(), Schema::parse("a struct<b: date>").unwrap());
        let mut spec = SchemaSpec {
            declared: None,
            hints: vec![("a".parse().unwrap(), Type::Json), ("a.b".parse().unwrap(), Type::Date)],
        };
        assert!(spec.normalise().is_err());
    }
}
