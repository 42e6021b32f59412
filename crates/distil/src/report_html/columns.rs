//! The columns of the output, and why they have their types where that is not plain.

use distil_plan::{ColumnPath, Report, SchemaColumn, Type};

use super::html::{Html, details};
use super::table::{Table, text};
use super::text::counted;

/// Most columns that are shown, and most bytes of them.
const MOST: u64 = 100;
const ROOM: usize = 9_000;

/// The section, where the schema is known.
pub(super) fn section(report: &Report) -> Html {
    if report.schema.is_empty() {
        return Html::default();
    }
    let all = report.schema.len() as u64;
    let mut heading = Html::default();
    heading.text(&counted(all, "column"), 40);
    let mut table = Table::new([text("name"), text("type"), text("why")], MOST, ROOM);
    for column in &report.schema {
        let data_type = column.data_type.to_string();
        if !table.row([(&column.name, 80), (&data_type, 160), (&why(column, report), 300)]) {
            break;
        }
    }
    details(heading, table.finish(all, "columns"))
}

/// Why a column has its type, as far as the report says it.
fn why(column: &SchemaColumn, report: &Report) -> String {
    if column.unknown {
        return "no value says what its type is".to_owned();
    }
    let path = ColumnPath::name(&column.name).to_string();
    for note in &report.type_notes {
        let Some(rest) = note.text.strip_prefix(&path) else { continue };
        if let Some(rest) = rest.strip_prefix(" is ") {
            return rest.to_owned();
        }
        // The note is about something within it.
        if rest.starts_with(['.', ',', '[']) {
            return note.text.clone();
        }
    }
    match column.data_type {
        Type::Json | Type::JsonText => "any JSON value, as its text".to_owned(),
        _ => String::new(),
    }
}
