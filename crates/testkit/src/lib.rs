//! What judges every backend: a naive oracle, generators, and the conformance suite.
//!
//! Nothing here is used outside tests. The oracle follows `docs/semantics.md` alone and shares no
//! parsing, number or ordering code with what it judges.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    reason = "only tests run this crate, and a test fails by panicking"
)]

pub mod bucket;
pub mod disk;
pub mod documentation;
pub mod foreign;
pub mod generate;
pub mod oracle;
pub mod proxy;
mod python;
pub mod reliability;
pub mod servers;
mod signature;
pub mod sliced;
pub mod subject_distributed;
pub mod subject_local;
pub mod subject_native;
pub mod suite;
mod wire;

pub use python::python;
