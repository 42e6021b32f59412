//! Packed rows: a few words a record, with strings as codes of a dictionary.

pub(crate) mod dictionary;
pub(crate) mod layout;
mod layout_message;
pub(crate) mod packer;
pub(crate) mod ranks;
pub(crate) mod template;
