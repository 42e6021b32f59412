//! What the rows of a plan are made of.

use std::sync::Arc;

use distil_plan::{Input, ResolvedPlan};

use crate::types::sort_column::SortColumn;

/// The parts of the rows of a plan, and what goes beside them.
#[derive(Clone, Debug)]
pub struct RowForm {
    /// The columns that are parts of their own.
    pub sort_columns: Vec<SortColumn>,
    /// Whether the rest is reversed.
    pub rest_reversed: bool,
    /// The paths of the inputs, if rows say where they lie.
    pub files: Option<Arc<[String]>>,
}

impl RowForm {
    /// The form of the rows of a plan.
    pub fn of(plan: &ResolvedPlan) -> Self {
        let (sort_columns, rest_reversed) = SortColumn::of(plan.plan.dedup.as_ref());
        let files = || plan.inputs.iter().map(Input::display).collect();
        Self { sort_columns, rest_reversed, files: plan.plan.origin.then(files) }
    }
}
