//! The dictionaries of all workers, joined column by column.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use distil_json::{Dictionary, PackedLayout};
use distil_kernel::rows::{JoinedColumn, PackedTable};
use distil_plan::{Result, Schema};

use crate::threads;

/// Joins the dictionaries of the workers on at most `threads` threads.
///
/// # Errors
/// An environment error if no thread can be started.
pub(crate) fn packed_table(
    layout: &Arc<PackedLayout>,
    workers: &[Vec<Dictionary>],
    schema: &Schema,
    threads: usize,
) -> Result<PackedTable> {
    let next = AtomicUsize::new(0);
    let joined: Mutex<Vec<(usize, JoinedColumn)>> = Mutex::new(Vec::new());
    let join = || {
        loop {
            let column = next.fetch_add(1, Ordering::Relaxed);
            if column >= layout.texts {
                return;
            }
            let of_column = PackedTable::join(workers, column);
            joined.lock().unwrap_or_else(PoisonError::into_inner).push((column, of_column));
        }
    };
    std::thread::scope(|scope| {
        threads::start(scope, (0..threads.min(layout.texts).max(1)).map(|_| join)).map(drop)
    })?;
    let mut joined = joined.into_inner().unwrap_or_else(PoisonError::into_inner);
    joined.sort_by_key(|(column, _)| *column);
    let joined = joined.into_iter().map(|(_, of_column)| of_column).collect();
    PackedTable::new(Arc::clone(layout), workers, joined, schema)
}
