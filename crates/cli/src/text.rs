//! Phrases that several commands print.

use indicatif::HumanCount;

/// A number of things, as in `1 file` and `2,000 files`.
pub(crate) fn counted(number: u64, thing: &str) -> String {
    format!("{} {thing}{}", HumanCount(number), if number == 1 { "" } else { "s" })
}
