//! Bytes of one record to a tape of its values.

pub(crate) mod flaw;
pub(crate) mod repair;
pub(crate) mod scan;
pub(crate) mod tape;
