//! Clusters of Amazon EMR for jobs of distil: the request that creates one, its price, its steps, and its end.
//!
//! No cluster is left running by accident. What is created ends after its last step unless it is kept; is ended after
//! every error and every wish to stop; and ends by itself at a limit that is set on its primary node. What can't be ended
//! is an error with a code of its own.

mod answers;
mod client;
mod command;
mod control;
mod follow;
mod job;
mod money;
mod options;
mod prices;
mod receipt;
mod request;
mod status;
mod submit;
mod up;

pub use command::{create_cluster, pasted};
pub use control::{Emr, Watch};
pub use job::plan_text;
pub use money::Dollars;
pub use options::Options;
pub use prices::{Estimate, Price, estimate};
pub use receipt::{Line, Receipt};
pub use request::{BOOTSTRAP, Places, run_job_flow};
pub use status::Running;
pub use up::{FIRST_JOB, New, Outcome};
