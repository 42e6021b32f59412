//! The frame around any backend: discover, resolve, admit, refuse, run, publish, report.

pub mod admit;
mod conclude;
pub mod discover;
mod first_seen;
mod glob;
pub mod locate;
mod passed_over;
pub mod places;
pub mod publish;
mod refuse;
pub mod resolve;
pub mod resources;
pub mod run;
pub mod settle;
