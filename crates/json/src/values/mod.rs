//! Values of JSON: exact numbers, instants, the encoding whose bytes order as values do, the digest.

pub(crate) mod calendar;
pub mod decimal;
pub mod digest;
pub mod encoding;
pub(crate) mod instant_text;
pub(crate) mod short;
pub(crate) mod spelled;
pub(crate) mod time;
