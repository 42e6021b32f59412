//! `distil emr` against a server that plays EMR by a script, with the real command and the real client of AWS: that of
//! boto3, or the command `aws` that `DISTIL_TEST_AWS` names. Whatever happens, nothing is left running.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests end at the first surprise, and look at files as a user does"
)]

mod account;
mod bootstrap;
#[path = "../cli/context.rs"]
#[allow(dead_code, reason = "shared with the other binaries of tests, which use all of it")]
mod context;
mod failures;
mod fake;
mod lives;
mod moto;
mod plans;
