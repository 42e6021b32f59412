//! Did every node of a cluster work? What Spark and the cluster recorded of an application, joined and judged.
//!
//! [`Source`] says where an application is recorded: an event log, or the REST of a History Server or a driver. What it
//! is read to, whatever it was, is an [`Application`]. [`Cluster`] is what the cluster itself says: which nodes there
//! are. [`audit`] is a function of the two and of [`Thresholds`]; its [`Audit`] is plain data, for each face to show.
//!
//! Everything is read through a `Storage`, URLs as well. Nothing here prints, and nothing of what is read is trusted:
//! texts are cut, numbers clamped, sizes limited.

mod application;
mod audit;
mod codec;
mod event;
mod event_log;
mod findings;
mod history;
mod lines;
mod nodes;
mod rest;
mod source;
mod stages;
mod text;
mod thresholds;
mod timeline;
mod value;
mod zip;

pub use application::{Application, Executor, Outcome, Stage, Sums, Task};
pub use audit::{
    About, Audit, ClusterUse, ExecutorUse, Finding, NodeUse, Times, Used, Verdict, audit,
};
pub use nodes::{Cluster, ClusterNode};
pub use source::Source;
pub use stages::StageUse;
pub use thresholds::{ExpectedNodes, Thresholds};
pub use timeline::{NodeLine, Timeline};
