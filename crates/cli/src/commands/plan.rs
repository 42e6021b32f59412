//! `distil plan`

use distil::{Error, Plan, Result, Stores};

use crate::arguments::PlanArguments;
use crate::console;

/// Prints the plan that the flags mean.
pub(crate) fn run(arguments: &PlanArguments) -> Result<()> {
    let configuration = arguments.configuration.read()?;
    print(&arguments.options(&configuration)?.plan(&Stores::default())?)
}

fn print(plan: &Plan) -> Result<()> {
    let text = serde_json::to_string_pretty(plan)
        .map_err(|e| Error::bug(format!("the plan has no JSON form: {e}")))?;
    console::write_out(&console::json_for_stdout(&(text + "\n")))
}
