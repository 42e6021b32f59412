//! A run whose work is done in tasks, by processes of a cluster: what its driver does, and what each task does.
//!
//! The driver cuts the inputs into tasks ([`Distributed`]); each decodes its slices and reduces their rows ([`decode`]),
//! the cluster moves these to the task of their partitions, which reduces them and writes parts ([`Writing`]). The driver
//! joins facts and accounts, chooses one attempt of each part, and gives them their names. Through it pass slices, facts,
//! accounts, bad records and the first conflicts, never a row. What schedules the tasks implements [`Cluster`].

mod attempt;
mod attempts;
mod cluster;
mod decode_task;
mod driver;
mod group_rows;
mod job;
mod payload;
mod sizes;
mod slice_file;
mod write_account;
mod write_task;

pub use cluster::{Cluster, Tasks};
pub use decode_task::decode;
pub use driver::{Distributed, SampleInputs, Sniff, supports};
pub use payload::{Kind, Payload};
pub use write_task::Writing;
