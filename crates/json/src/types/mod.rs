//! What is known of columns: facts that join, the tree of fields, the columns that rows are sorted by.

pub(crate) mod facts;
pub(crate) mod fields;
mod fields_message;
mod notes;
pub(crate) mod sort_column;
pub(crate) mod text_order;
pub(crate) mod why;
