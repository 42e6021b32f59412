//! One file a command.

pub(crate) mod audit;
pub(crate) mod backends;
pub(crate) mod completions;
pub(crate) mod emr;
pub(crate) mod generate;
pub(crate) mod inspect;
pub(crate) mod plan;
pub(crate) mod replay;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod trust;
