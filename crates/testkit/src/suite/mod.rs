//! The conformance suite: cases that every backend passes, exactly.
//!
//! A case is files and a plan. The oracle says what must come of them; some cases say it again, by
//! hand. A subject runs the case over several stretches (sizes of reads, threads, memory, order of
//! files), and must give the same every time, byte for byte.

mod arrow;
mod case;
mod cases;
mod check;
mod compare;
mod subject;

pub use arrow::{Table, read_parquet};
pub use case::{Case, Expect, case};
pub use cases::{cases, groups};
pub use check::{check, check_over, conformance};
pub use subject::{Files, Mark, Output, QuarantineLine, Standing, Stretch, Subject};
