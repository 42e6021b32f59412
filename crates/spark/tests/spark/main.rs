//! The backend `spark` on real servers: Apache Spark and Sail, which the tests start and stop.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod conformance;
mod equal;
mod errors;
mod lowering;
mod report;
mod servers;
