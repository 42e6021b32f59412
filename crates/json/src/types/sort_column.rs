//! The columns that decide between records.

use distil_plan::{Code, ColumnPath, Dedup, Direction, Error, Keep, Key};

/// A key or order column: a part of the row of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortColumn {
    /// The column.
    pub path: ColumnPath,
    /// Whether it belongs to the key, else to the order.
    pub key: bool,
    /// Whether its values are reversed.
    pub reversed: bool,
    /// Its direction, as the plan says it.
    pub direction: Direction,
    /// Whether it may decide as text that spells something else.
    pub as_text: bool,
}

impl SortColumn {
    /// The sort columns of a plan, the key first, and whether the rest is reversed.
    pub fn of(dedup: Option<&Dedup>) -> (Vec<Self>, bool) {
        let Some(Dedup { key: Key::Columns(columns), order_by, keep, .. }) = dedup else {
            return (Vec::new(), false);
        };
        let last = *keep == Keep::Last;
        let key = columns.iter().map(|path| Self {
            path: path.clone(),
            key: true,
            reversed: false,
            direction: Direction::Asc,
            as_text: false,
        });
        let order = order_by.iter().map(|order| Self {
            path: order.column.clone(),
            key: false,
            reversed: (order.direction == Direction::Desc) != last,
            direction: order.direction,
            as_text: order.as_text,
        });
        (key.chain(order).collect(), last)
    }

    pub(crate) fn name(&self) -> &'static str {
        if self.key { "key" } else { "order" }
    }

    /// The refusal of a column that is not one of scalars.
    pub(crate) fn not_scalar(&self) -> Error {
        Error::usage(format!(
            "the {} column {} holds lists, objects or mixed values",
            self.name(),
            self.path
        ))
        .coded(Code::NotScalar)
        .help(
            "choose a column of one scalar type: `distil schema --why` says why each has its type",
        )
    }
}
