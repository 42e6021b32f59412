//! What a run leaves behind, written and read back: parts with their footers, the quarantine, and what reads
//! an output again: head, digest, verify.

mod claims;
pub mod digest;
pub mod excerpt;
pub mod expected;
pub mod footer;
mod guard;
pub mod head;
pub mod own;
pub mod parts;
pub mod quarantine;
mod read_whole;
pub mod reader;
mod reference;
pub mod row_group_writer;
pub mod verify;
