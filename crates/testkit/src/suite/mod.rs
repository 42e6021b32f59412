//! The conformance suite: cases that every backend passes, exactly.
//!
//! A case is files and a plan. The oracle says what must come of them; some cases say it again, by
//! hand. A subject runs the case over several stretches (sizes of reads, threads, memory, order of
//! files), and must give the same every time, byte for byte.

mod arrow;
mod backends;
mod case;
mod cases;
mod check;
mod compare;
mod mark;
mod needs;
mod subject;

pub use arrow::{Table, read_parquet};
pub use backends::{ALL, Configuration, NATIVE, NEEDS, PANDAS, SAIL, SPARK, support_table};
pub use case::{Case, Expect, case};
pub use cases::{cases, groups};
pub use check::{Judged, check_over, conformance, judge};
pub use mark::Mark;
pub use needs::needs;
pub use subject::{Files, Output, QuarantineLine, Stretch, Subject};
