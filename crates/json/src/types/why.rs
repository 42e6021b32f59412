//! Why each column has its type.

use distil_plan::{ColumnPath, Type};

use crate::types::facts::{Position, Verdict, fact};
use crate::types::fields::{Declared, FieldId, Fields, ROOT};

/// Why a column has its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// The column.
    pub path: ColumnPath,
    /// Its type.
    pub data_type: Type,
    /// What forced it.
    pub because: String,
    /// The first record that did, where there is one.
    pub position: Option<Position>,
}

impl Fields {
    /// Why each column has its type: its path, its type, and the first record that forced it.
    pub(crate) fn reasons(&self) -> Vec<Why> {
        let mut reasons = Vec::new();
        self.collect_reasons(ROOT, None, &mut reasons);
        reasons
    }

    fn collect_reasons(&self, id: FieldId, path: Option<&ColumnPath>, reasons: &mut Vec<Why>) {
        for child in self.columns_in(id) {
            let field = self.get(child);
            let path =
                path.map_or_else(|| ColumnPath::name(&field.name), |path| path.child(&field.name));
            let (data_type, _) = self.data_type(child);
            let (because, position) = self.because(child, &data_type);
            let nests = matches!(data_type, Type::Struct(_));
            reasons.push(Why { path: path.clone(), data_type, because, position });
            if nests {
                self.collect_reasons(child, Some(&path), reasons);
            }
        }
    }

    fn because(&self, id: FieldId, data_type: &Type) -> (String, Option<Position>) {
        let field = self.get(id);
        let facts = &field.facts;
        if field.declared != Declared::Open {
            return ("declared".to_owned(), None);
        }
        let kinds = [
            (fact::BOOLEAN, "booleans"),
            (fact::NUMBERS, "numbers"),
            (fact::STRINGS, "strings"),
            (fact::LIST, "lists"),
            (fact::OBJECT, "objects"),
        ];
        let present: Vec<_> = kinds.iter().filter(|(mask, _)| facts.bits & mask != 0).collect();
        let at = |mask| facts.position(mask);
        if present.len() > 1 {
            let mut firsts: Vec<_> =
                present.iter().map(|(mask, name)| (at(*mask), *name)).collect();
            firsts.sort();
            let names: Vec<_> = firsts.iter().map(|(_, name)| *name).collect();
            return (
                format!("{} in one column", names.join(" and ")),
                firsts.get(1).and_then(|f| f.0),
            );
        }
        let (because, mask) = match (data_type, facts.verdict()) {
            (_, Verdict::Unknown) => ("only nulls", fact::NULL),
            (Type::Boolean, _) => ("booleans", fact::BOOLEAN),
            (Type::Int64, _) => ("integers within 64 bits", fact::INTEGER),
            (Type::Decimal { .. }, _) if facts.bits & fact::FRACTION != 0 => {
                ("a number that a double would round", fact::INEXACT)
            }
            (Type::Decimal { .. }, _) => ("an integer beyond 64 bits", fact::BIG),
            (Type::Float64, _) => ("a number with a fraction or an exponent", fact::FRACTION),
            (Type::Timestamp(_), _) => ("instants of one form", fact::STRINGS),
            (Type::String, _) if facts.bits & fact::TEXT != 0 => {
                ("a string that is no instant of the fixed form", fact::TEXT)
            }
            (Type::String, _) => ("instants of more than one form", fact::STRINGS),
            (Type::List(_), _) => ("lists", fact::LIST),
            (Type::Struct(_), _) => ("objects", fact::OBJECT),
            (Type::Json, Verdict::Struct | Verdict::List) if !self.nests(id) => {
                ("nesting deeper than 32 levels", fact::LIST | fact::OBJECT)
            }
            (Type::Json, Verdict::Struct) => ("more than 1,000 member names", fact::OBJECT),
            (Type::Json, _) if facts.bits & fact::NUMBERS == 0 => {
                ("only empty objects", fact::OBJECT)
            }
            (Type::Json, _) if facts.bits & fact::FRACTION != 0 => {
                ("a number that a double would round, and decimals do not hold all", fact::INEXACT)
            }
            (Type::Json, _) => ("an integer of more than 38 digits", fact::HUGE),
            _ => ("declared", 0),
        };
        (because.to_owned(), at(mask))
    }
}
