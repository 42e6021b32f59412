//! What was read.

use distil_plan::{InputReport, Report, format_bytes, format_count};

use super::html::{Html, details};
use super::table::{Table, number, text};
use super::text::counted;

/// The section, where inputs were found.
pub(super) fn section(report: &Report) -> Html {
    if report.inputs.is_empty() {
        return Html::default();
    }
    let headings =
        [text("path"), text("shape"), number("size"), number("records"), number("quarantined")];
    let mut table = Table::new(headings, 30, 8_000);
    for input in &report.inputs {
        // What was found, but not read, has no shape yet.
        let read = |text: String| if input.shape.is_empty() { "–".to_owned() } else { text };
        let (size, shape) = (read(format_bytes(input.bytes)), read(shape(input)));
        let (records, bad) =
            (read(format_count(input.records)), read(format_count(input.quarantined)));
        let row = [(&*input.path, 120), (&*shape, 40), (&*size, 20), (&*records, 30), (&*bad, 30)];
        if !table.row(row) {
            break;
        }
    }
    let all = report.inputs.len() as u64;
    let bytes = report.inputs.iter().fold(0_u64, |sum, input| sum.saturating_add(input.bytes));
    let mut heading = Html::default();
    heading.text(&counted(all, "input"), 40);
    if bytes > 0 {
        heading.around(", ", &format_bytes(bytes), 40, "");
    }
    details(heading, table.finish(all, "inputs"))
}

/// How a file was read.
fn shape(input: &InputReport) -> String {
    match input.compression.as_str() {
        "" | "none" => input.shape.clone(),
        compression => format!("{}, {compression}", input.shape),
    }
}
