//! Schemas: what was declared, and what an output has.

use serde::{Deserialize, Serialize};

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
        for (at, field) in fields.iter().enumerate() {
            if fields[..at].iter().any(|earlier| earlier.name == field.name) {
                let name = ColumnPath::name(&field.name);
                return Err(Error::usage(format!("the column {name} is declared twice")));
            }
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
        Self { fields: project(&self.fields, None, columns) }
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
    /// Folds hints into a declared schema and checks that hints do not contradict each other.
    ///
    /// # Errors
    /// A usage error for a hint given twice, a hint below another hint, or a hint for a column that
    /// the declared schema does not have.
    pub fn normalise(&mut self) -> Result<()> {
        for (at, (path, _)) in self.hints.iter().enumerate() {
            for (other, _) in &self.hints[..at] {
                if other == path {
                    return Err(Error::usage(format!("the type of {path} is given twice")));
                }
                if other.is_prefix_of(path) || path.is_prefix_of(other) {
                    return Err(Error::usage(format!(
                        "the types of {other} and {path} are given, but one lies inside the other"
                    )));
                }
            }
        }
        if let Some(schema) = &mut self.declared {
            for (path, data_type) in self.hints.drain(..) {
                replace(&mut schema.fields, path.steps(), &data_type).ok_or_else(|| {
                    Error::usage(format!("the declared schema has no column {path}"))
                })?;
            }
        }
        Ok(())
    }
}

fn project(fields: &[Field], above: Option<&ColumnPath>, columns: &[ColumnPath]) -> Vec<Field> {
    let mut chosen: Vec<(usize, Field)> = Vec::new();
    for field in fields {
        let path =
            above.map_or_else(|| ColumnPath::name(&field.name), |path| path.child(&field.name));
        let mut field = field.clone();
        if let Some(at) = columns.iter().position(|column| column.is_prefix_of(&path)) {
            chosen.push((at, field));
        } else if let Some(at) = columns.iter().position(|column| path.is_prefix_of(column))
            && let Type::Struct(inner) = &field.data_type
        {
            field.data_type = Type::Struct(project(inner, Some(&path), columns));
            chosen.push((at, field));
        }
    }
    chosen.sort_by_key(|(at, _)| *at);
    chosen.into_iter().map(|(_, field)| field).collect()
}

fn replace(fields: &mut [Field], steps: &[String], data_type: &Type) -> Option<()> {
    let (first, rest) = steps.split_first()?;
    let field = fields.iter_mut().find(|f| &f.name == first)?;
    if rest.is_empty() {
        field.data_type = data_type.clone();
        return Some(());
    }
    match &mut field.data_type {
        Type::Struct(inner) => replace(inner, rest, data_type),
        _ => None,
    }
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
