//! Sets of records that meet.

use proptest::prelude::*;

use super::values::{Flavour, Json, flavours, member, names, unique};

/// A column of generated records.
pub type Column = (String, Flavour);

/// Records, and the columns that they were made of.
#[derive(Clone, Debug)]
pub struct Records {
    /// The columns; every record has some of them.
    pub columns: Vec<Column>,
    /// The records, each an object.
    pub rows: Vec<Json>,
}

/// Up to 24 records of up to five columns, some of them copied with or without a change.
pub fn records() -> impl Strategy<Value = Records> {
    let first = prop_oneof![3 => Just(Flavour::Small), 2 => flavours()];
    let columns = (first, proptest::collection::vec((names(), flavours()), 0..5));
    columns.prop_flat_map(|(first, others)| {
        let mut columns = vec![("k".to_owned(), first)];
        columns.extend(others);
        let columns = unique(columns);
        let row = columns
            .iter()
            .map(|(name, flavour)| member(name, flavour))
            .collect::<Vec<_>>()
            .prop_map(|members| members.into_iter().flatten().collect::<Vec<_>>());
        let copies = proptest::collection::vec((any::<prop::sample::Index>(), 0usize..6), 0..12);
        let rows = proptest::collection::vec(row, 0..24);
        (Just(columns), rows, copies).prop_map(|(columns, mut rows, copies)| {
            for (index, turn) in copies {
                if rows.is_empty() {
                    break;
                }
                let mut copy = rows[index.index(rows.len())].clone();
                if !copy.is_empty() {
                    // Members in another order say the same.
                    let by = turn % copy.len();
                    copy.rotate_left(by);
                }
                rows.push(copy);
            }
            Records { columns, rows: rows.into_iter().map(Json::Object).collect() }
        })
    })
}
