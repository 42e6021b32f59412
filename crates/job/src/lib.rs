//! The frame around any backend: discover, resolve, admit, refuse, run, publish, report.

pub mod admit;
pub mod discover;
mod glob;
pub mod outcome;
pub mod places;
pub mod publish;
mod refuse;
pub mod resolve;
mod resources;
pub mod run;
mod warnings;
