//! A run whose data lies in stores: they wait for others, and take memory for what is on its way.

use std::sync::Arc;

use distil_plan::{Cancel, Need, ResolvedPlan};
use distil_storage::{Limits, Storage, within};

use crate::{EngineOptions, budget};

/// The storage of one run, and what is left of its memory for rows.
pub(crate) fn of_run(
    storage: &Arc<dyn Storage>,
    options: &EngineOptions,
    plan: &ResolvedPlan,
    cancel: &Cancel,
) -> (Arc<dyn Storage>, EngineOptions) {
    if !plan.needs().contains(&Need::Stores) {
        return (Arc::clone(storage), *options);
    }
    let memory = budget::on_the_way(options.memory);
    let storage = within(storage, &Limits { cancel: cancel.clone(), memory, temp_dir: None });
    let row_bytes = budget::rows_beside_stores(options.row_bytes);
    (storage, EngineOptions { row_bytes, ..*options })
}
