//! Data as people have it: what a run makes of it, and what it says.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests end at the first surprise, and look at files as a user does"
)]

#[allow(dead_code, reason = "shared with the tests of the command line")]
#[path = "../cli/context.rs"]
mod context;
mod files;
mod places;
mod schema_from;
mod text_order;
mod types;
mod values;
