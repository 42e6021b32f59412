//! The cases that were written by hand, by what they are about.

mod bad;
mod declared;
mod extremes;
mod frames;
mod hive;
mod names;
mod output;
mod paths;
mod peers;
mod places;
mod repairs;
mod respelled;
mod survivors;
mod types;

use super::case::Case;

/// Cases by what they are about; names are unique over all of them.
pub fn groups() -> Vec<(&'static str, Vec<Case>)> {
    vec![
        ("survivors", survivors::cases()),
        ("types", types::cases()),
        ("declared", declared::cases()),
        ("respelled", respelled::cases()),
        ("frames", frames::cases()),
        ("paths", paths::cases()),
        ("hive", hive::cases()),
        ("places", places::cases()),
        ("bad", bad::cases()),
        ("repairs", repairs::cases()),
        ("names", names::cases()),
        ("output", output::cases()),
        ("peers", peers::cases()),
        ("extremes", extremes::cases()),
    ]
}

/// All cases.
pub fn cases() -> Vec<Case> {
    groups().into_iter().flat_map(|(_, cases)| cases).collect()
}
