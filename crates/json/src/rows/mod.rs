//! Records to encoded rows, and these to Arrow columns.

pub(crate) mod declared;
pub(crate) mod extra;
pub(crate) mod form;
pub(crate) mod json_text;
pub(crate) mod parts;
pub(crate) mod places;
pub(crate) mod reader;
pub(crate) mod record;
mod respelled;
pub(crate) mod sink;
pub(crate) mod tally;
pub(crate) mod value;
pub(crate) mod value_text;
