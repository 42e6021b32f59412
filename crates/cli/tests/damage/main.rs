//! Bad records and ranges as people meet them: what is said of them, and what advice may be followed.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests end at the first surprise, and look at files as a user does"
)]
#![allow(dead_code, reason = "the context of the other tests of the command does more")]

#[path = "../cli/context.rs"]
mod context;
mod messages;
mod ranges;
mod repairs;
mod replay;
