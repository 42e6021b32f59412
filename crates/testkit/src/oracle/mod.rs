//! A naive implementation of `docs/semantics.md`: whole files in memory, one value at a time, short
//! and slow, and independent of everything that it judges. Section numbers are those of the text.

mod admission;
pub mod compare;
pub mod digest;
mod format;
pub mod frames;
mod hive;
pub mod infer;
pub mod json;
mod paths;
mod place;
mod respelled;
pub mod run;
mod spelled;
mod taken;
pub mod text;
pub mod time;
pub mod types;

pub use run::{Bad, Counts, Failure, FailureKind, InputCounts, Outcome, Warning, run};
