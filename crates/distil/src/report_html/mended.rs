//! Values that were read otherwise than they stand.

use distil_plan::{Report, format_count};

use super::html::{Html, details};
use super::table::{Table, number, text};
/// The section, where something was mended, converted, made null, rounded or left out.
pub(super) fn section(report: &Report) -> Html {
    let mut lines: Vec<(&str, u64, String, String)> = Vec::new();
    for found in &report.repaired {
        let first = format!("{} at byte {}", found.path, found.offset);
        lines.push(("repaired", found.count, found.repair.to_string(), first));
    }
    for reading in &report.readings {
        let kinds = [("converted", &reading.converted), ("made null", &reading.nulled)];
        for (kind, found) in kinds {
            let Some(found) = found else { continue };
            let first = format!("{} at byte {}", found.file, found.offset);
            let key = if reading.key { " (of the key)" } else { "" };
            lines.push((kind, found.count, format!("{}{key}", reading.column), first));
        }
    }
    let records = &report.records;
    for (kind, count, what) in [
        ("rounded", records.rounded, "values of a declared float"),
        ("ignored", records.ignored_members, "members outside the declared schema"),
    ] {
        if count > 0 {
            lines.push((kind, count, what.to_owned(), String::new()));
        }
    }
    if lines.is_empty() {
        return Html::default();
    }
    let headings = [text("what was done"), number("values"), text("of"), text("first at")];
    let mut table = Table::new(headings, 20, 2_500);
    for (kind, count, what, first) in &lines {
        if !table.row([(kind, 20), (&format_count(*count), 30), (what, 80), (first, 100)]) {
            break;
        }
    }
    let total = lines.iter().fold(0_u64, |sum, (_, count, _, _)| sum.saturating_add(*count));
    let mut heading = Html::default();
    heading.around("", &format_count(total), 30, " read otherwise than they stand");
    details(heading, table.finish(lines.len() as u64, "lines"))
}
