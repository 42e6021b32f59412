//! Test data with a known answer.
//!
//! A data set is a pure function of its [`Parameters`]: every record follows from the seed and its
//! place by counting and hashing, in any order, on any number of threads, in constant memory. So
//! does the right output of the job, whose digests are written beside the data: they are computed
//! from the parameters, not from the files, and share no code with the engines that they judge,
//! but for the digest itself.

mod answer;
mod calendar;
mod parameters;
mod permutation;
mod records;
#[cfg(test)]
mod tests;
mod text;
mod write;

pub use answer::{Answer, Duplicates, KeyAnswer};
pub use parameters::{Parameters, Shape};
pub use write::{answer_path, generate};
