//! The frame around any backend: discover, resolve, run, commit, report; and what reads an output
//! back: head, digest, verify.

pub mod commit;
pub mod discover;
pub mod footer;
mod marker;
pub mod places;
pub mod quarantine;
mod read;
pub mod resolve;
mod resources;
pub mod run;
mod runs;
pub mod stage;
mod target;
mod warnings;
