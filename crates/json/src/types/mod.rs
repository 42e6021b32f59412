//! What is known of columns: facts that join, the tree of fields, the columns that rows are sorted by.

pub(crate) mod facts;
pub(crate) mod fields;
mod fields_message;
mod missing;
mod notes;
mod null_text;
mod readings;
pub(crate) mod sort_column;
pub(crate) mod spelled;
pub(crate) mod survey;
pub(crate) mod text_order;
pub(crate) mod why;
