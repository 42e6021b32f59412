//! Runs whose data lies in stores of objects: on real servers, before which a proxy breaks what a network breaks.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests end at the first surprise, and look at files as a user does"
)]

#[path = "../cli/context.rs"]
#[allow(dead_code, reason = "shared with the other binary of tests, which uses all of it")]
mod context;
mod faults;
mod hdfs;
mod lake;
mod messages;
mod places;
mod publishing;
mod web;
