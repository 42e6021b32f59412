//! The side of the application.

use std::path::Path;

use distil_plan::{Backend, DISTIL_VERSION, Error, Request, Result, Watch};
use distil_storage::Storage;

use crate::order::{Answer, Order, answer_path, read, write};
use crate::progress::telling;
use crate::uploads::{abort, hand_over};

/// What YARN says of an application that could not read its order, or not write its answer: the status is that of
/// `application.py`.
pub(crate) const NOT_SEEN: &str = "exited with status 66";

/// Does what an order says on a backend of this process, and writes the answer beside it: an error of the run is one.
/// Returns the exit status that the application should end with.
///
/// With `scratch`, an empty directory of this machine, the command is on another one: it is told by a file how far the work
/// is, and when it is gone the work ends.
///
/// # Errors
/// An environment error if the order can't be read, or the answer not be written.
pub fn fulfil(
    storage: &dyn Storage,
    backend: &dyn Backend,
    watch: Watch<'_>,
    order: &Path,
    scratch: Option<&Path>,
) -> Result<u8> {
    let Some(Order { distil, plan, mut staging }) = read(storage, order)? else {
        return Err(Error::environment("there is no such order").at(order.to_string_lossy(), None));
    };
    let done = if distil == DISTIL_VERSION {
        if let Some(scratch) = scratch {
            scratch.clone_into(&mut staging.scratch);
        }
        let run =
            |watch: Watch<'_>| backend.run(&Request { plan: &plan, staging: &staging, watch });
        match scratch {
            Some(_) => telling(storage, order, watch, run),
            None => run(watch),
        }
    } else {
        let what = format!(
            "the application is distil {DISTIL_VERSION}, and the command is distil {distil}"
        );
        Err(Error::environment(what).help("install the same version of both"))
    };
    let done = done.and_then(|report| Ok((report, hand_over(storage, &staging)?)));
    let (answer, status) = match done {
        Ok((report, uploads)) => (Answer::Done { report: Box::new(report), uploads }, 0),
        Err(error) => {
            abort(storage, &staging);
            let status = error.fault.exit_status();
            (Answer::Error(Box::new(error)), status)
        }
    };
    write(storage, &answer_path(order), &answer)?;
    Ok(status)
}
