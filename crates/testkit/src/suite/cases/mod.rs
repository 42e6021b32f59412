//! The cases that were written by hand, by what they are about.

mod bad;
mod declared;
mod frames;
mod names;
mod output;
mod peers;
mod survivors;
mod types;

use super::case::Case;

/// All cases.
pub fn cases() -> Vec<Case> {
    let groups = [
        survivors::cases(),
        types::cases(),
        declared::cases(),
        frames::cases(),
        bad::cases(),
        names::cases(),
        output::cases(),
        peers::cases(),
    ];
    groups.into_iter().flatten().collect()
}
