//! distil.

pub mod decimal;
pub mod digest;
