//! The backend `spark-submit`: each run is an application of Spark, which is started by the command `spark-submit`.
//!
//! The frame around the run stays here: inputs are listed, the output is locked, staged and committed by this process. The
//! application gets one order, which is the request of the backend as a file, and leaves its answer, a report or an error,
//! beside it ([`fulfil`]); a driver on a node of YARN also leaves there how far it is. So a run that is stopped or killed is cleaned up as any other.

mod answer;
mod check;
mod failure;
mod options;
mod order;
mod progress;
mod run;
mod uploads;
mod yarn;

use std::sync::{Arc, OnceLock};

use distil_plan::{Backend, Need, Report, Request, Result, Support};
use distil_storage::Storage;

pub use answer::fulfil;
pub use options::{DeployMode, SubmitOptions};

use check::{Checked, check};

/// The name of the engine.
const NAME: &str = "spark-submit";

/// Spark by `spark-submit`.
pub struct Submit {
    storage: Arc<dyn Storage>,
    options: SubmitOptions,
    /// What was found, once it was asked.
    checked: OnceLock<Checked>,
}

impl Submit {
    /// A backend with these options; nothing is started yet.
    ///
    /// # Errors
    /// A usage error for what Spark or this backend does not support.
    pub fn new(storage: Arc<dyn Storage>, options: SubmitOptions) -> Result<Self> {
        options.check()?;
        Ok(Self { storage, options, checked: OnceLock::new() })
    }

    /// The versions and the application. They are asked for once: every question is a Java machine that starts.
    fn checked(&self) -> Result<&Checked> {
        if let Some(checked) = self.checked.get() {
            return Ok(checked);
        }
        let checked = check(&self.options)?;
        Ok(self.checked.get_or_init(|| checked))
    }
}

impl Backend for Submit {
    fn name(&self) -> &str {
        NAME
    }

    fn check(&self) -> Result<String> {
        Ok(self.checked()?.version.clone())
    }

    fn supports(&self, need: &Need) -> Result<Support> {
        Ok(distil_distributed::supports(need))
    }

    fn run(&self, request: &Request<'_>) -> Result<Report> {
        run::run(&*self.storage, &self.options, self.checked()?, request)
    }
}
