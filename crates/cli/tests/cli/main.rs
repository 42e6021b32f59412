//! The command line as a user meets it: exit status, standard output and standard error.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests end at the first surprise, and look at files as a user does"
)]

mod audit;
mod backends;
mod context;
mod errors;
mod inputs;
mod outputs;
mod pages;
mod paths;
mod recipes;
mod runs;
mod streams;
