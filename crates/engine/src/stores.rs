//! A run whose data lies in stores: what is on its way takes memory, and waiting hears a wish to stop.

use std::sync::Arc;

use distil_plan::{Cancel, Need, ResolvedPlan};
use distil_storage::{Limits, Storage, within};

use crate::{EngineOptions, budget};

/// The storage of one run.
pub(crate) fn of_run(
    storage: &Arc<dyn Storage>,
    options: &EngineOptions,
    plan: &ResolvedPlan,
    cancel: &Cancel,
) -> Arc<dyn Storage> {
    if !plan.needs().contains(&Need::Stores) {
        return Arc::clone(storage);
    }
    let memory = budget::on_the_way(options.memory);
    within(storage, &Limits { cancel: cancel.clone(), memory, temp_dir: None })
}
