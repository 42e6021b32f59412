//! The frame around any backend: discover, resolve, run, commit, report; and what reads an output
//! back: head, digest, verify.

pub mod discover;
pub mod footer;
pub mod places;
pub mod quarantine;
pub mod resolve;
mod runs;
