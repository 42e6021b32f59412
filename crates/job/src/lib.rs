//! The frame around any backend: discover, resolve, admit, run, commit, report; and what reads an output
//! back: head, digest, verify.

pub mod admit;
mod columns;
pub mod commit;
pub mod digest;
pub mod discover;
pub mod footer;
mod glob;
pub mod head;
mod json_text;
mod marker;
mod order;
pub mod outcome;
pub mod parquet_reader;
pub mod places;
pub mod quarantine;
mod read;
pub mod records;
mod reference;
pub mod resolve;
mod resources;
pub mod run;
mod runs;
pub mod stage;
mod target;
pub mod verify;
mod warnings;
