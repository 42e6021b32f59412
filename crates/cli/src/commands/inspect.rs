//! `distil head`, `distil digest` and `distil verify`

use distil::{Check, Result, Session, printable};

use crate::arguments::{HeadArguments, OutputArgument, VerifyArguments};
use crate::console;
use crate::text::counted;

/// Prints rows as JSON lines.
pub(crate) fn head(arguments: &HeadArguments) -> Result<()> {
    let head = Session::native().head(&arguments.output.output, arguments.rows)?;
    let text: String = head.rows.iter().map(|row| row.0.clone() + "\n").collect();
    console::write_out(&console::json_for_stdout(&text))
}

/// Prints the digest.
pub(crate) fn digest(arguments: &OutputArgument) -> Result<()> {
    let (digest, _) = Session::native().digest(&arguments.output)?;
    console::write_out(&format!("{digest}\n"))
}

/// Prints what was checked.
pub(crate) fn verify(arguments: &VerifyArguments, quiet: bool) -> Result<()> {
    let verified =
        Session::native().verify(&arguments.output.output, arguments.reference.as_deref())?;
    if quiet {
        return Ok(());
    }
    let head = if verified.is_complete() { "verified" } else { "partly verified" };
    let mut text = format!("{head}: {}, {}\n", counted(verified.rows, "row"), verified.digest);
    for Check { aspect, done, how } in &verified.checks {
        let not = if *done { "" } else { "NOT checked: " };
        text.push_str(&format!("  {:<8} {not}{}\n", aspect.name(), printable(how)));
    }
    console::write_out(&text)
}
