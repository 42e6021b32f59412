//! The frame around any backend: discover, resolve, admit, refuse, run, publish, report.

pub mod admit;
pub mod commit;
pub mod discover;
mod glob;
pub mod outcome;
pub mod places;
mod refuse;
pub mod resolve;
mod resources;
pub mod run;
pub mod stage;
mod target;
mod warnings;
