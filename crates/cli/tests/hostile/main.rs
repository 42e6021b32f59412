//! What a hostile machine does to a run: disks that fill up, processes that are killed, files that
//! change, limits that are small. Every message is checked for what it must say, and must not.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "tests end at the first surprise, and look at files as a user does"
)]

mod budget;
#[path = "../cli/context.rs"]
#[allow(dead_code, reason = "shared with the other binary of tests, which uses all of it")]
mod context;
mod disks;
mod endings;
mod files;
mod limits;
mod places;
mod shared;
mod sizes;
mod support;
mod terminal;
