//! Where records begin and end in a stream, and the text around them.

pub(crate) mod added;
pub(crate) mod bitmaps;
pub(crate) mod envelope;
pub(crate) mod first_bytes;
pub(crate) mod framer;
pub(crate) mod list;
pub(crate) mod path_framer;
pub(crate) mod path_walk;
pub(crate) mod syntax;
