//! The side of the application.

use std::path::Path;

use distil_plan::{Backend, DISTIL_VERSION, Error, Request, Result, Watch};
use distil_storage::Storage;

use crate::order::{Answer, Order, answer_path, read, write};

/// Does what an order says on a backend of this process, and writes the answer beside it: an error of the run is one.
/// Returns the exit status that the application should end with.
///
/// # Errors
/// An environment error if the order can't be read, or the answer not be written.
pub fn fulfil(
    storage: &dyn Storage,
    backend: &dyn Backend,
    watch: Watch<'_>,
    order: &Path,
) -> Result<u8> {
    let Some(Order { distil, plan, staging }) = read(storage, order)? else {
        return Err(Error::environment("there is no such order").at(order.to_string_lossy(), None));
    };
    let done = if distil == DISTIL_VERSION {
        backend.run(&Request { plan: &plan, staging: &staging, watch })
    } else {
        let what = format!(
            "the application is distil {DISTIL_VERSION}, and the command is distil {distil}"
        );
        Err(Error::environment(what).help("install the same version of both"))
    };
    let (answer, status) = match done {
        Ok(report) => (Answer::Report(Box::new(report)), 0),
        Err(error) => {
            let status = error.fault.exit_status();
            (Answer::Error(Box::new(error)), status)
        }
    };
    write(storage, &answer_path(order), &answer)?;
    Ok(status)
}
