//! `distil head`, `distil digest` and `distil verify`

use distil::{Result, printable};

use crate::arguments::{HeadArguments, OutputArgument, VerifyArguments};
use crate::console;
use crate::text::counted;

/// Prints rows as JSON lines.
pub(crate) fn head(arguments: &HeadArguments) -> Result<()> {
    let head = distil::head(&arguments.output.output, arguments.rows)?;
    let text: String = head.rows.iter().map(|row| row.0.clone() + "\n").collect();
    console::write_out(&console::json_for_stdout(&text))
}

/// Prints the digest.
pub(crate) fn digest(arguments: &OutputArgument) -> Result<()> {
    let (digest, _) = distil::digest(&arguments.output)?;
    console::write_out(&format!("{digest}\n"))
}

/// Prints what was checked.
pub(crate) fn verify(arguments: &VerifyArguments, quiet: bool) -> Result<()> {
    let verified = distil::verify(&arguments.output.output, arguments.reference.as_deref())?;
    if quiet {
        return Ok(());
    }
    let mut text = format!("verified: {}, {}\n", counted(verified.rows, "row"), verified.digest);
    for check in &verified.checks {
        text.push_str(&format!("  {}\n", printable(check)));
    }
    console::write_out(&text)
}
