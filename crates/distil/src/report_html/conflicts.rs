//! The first conflicts: what was kept and what was dropped, under each other.

use std::collections::BTreeMap;

use distil_plan::{Conflict, Report, format_count};
use serde_json::value::RawValue;

use super::html::{Html, Pieces, details};
use super::table::{CELL, CLOSED, HEAD, OPENED, ROW_HEAD, and_more};
use super::text::difference;

/// Most columns that are shown; those that differ are taken first.
const MOST_COLUMNS: usize = 8;
/// Most characters of a value, and of the name of a column.
const MOST_VALUE: usize = 40;
/// Most bytes of all rows.
const ROWS: usize = 16_000;

/// A row by column; a value is its JSON text, so that `"1"` and `1` differ.
type Row = BTreeMap<String, Box<RawValue>>;

/// The section, where there are conflicts.
pub(super) fn section(report: &Report) -> Html {
    let conflicts: Vec<(Row, Row)> = report.conflicts.iter().take(10).filter_map(rows).collect();
    if conflicts.is_empty() {
        return Html::default();
    }
    let all = report.records.duplicates.conflicting;
    let (shown, table) = table(report, &conflicts);
    let mut heading = Html::default();
    heading.around("", &format_count(all), 30, " conflicting: ");
    heading.around("the first ", &format_count(shown), 30, "");
    details(heading, table)
}

fn rows(conflict: &Conflict) -> Option<(Row, Row)> {
    let row = |text: &str| serde_json::from_str::<Row>(text).ok();
    Some((row(&conflict.kept.0)?, row(&conflict.dropped.0)?))
}

/// How many conflicts are shown, and these.
fn table(report: &Report, conflicts: &[(Row, Row)]) -> (u64, Html) {
    let (columns, left) = chosen(report, conflicts);
    let mut pairs = Pieces::within(ROWS);
    for conflict in conflicts {
        if !pairs.push(pair(conflict, &columns)) {
            break;
        }
    }
    let shown = pairs.taken();
    let mut html = Html::default();
    html.markup(OPENED);
    html.markup("<thead><tr><td></td>");
    for column in &columns {
        html.around(HEAD, column, MOST_VALUE, "</th>");
    }
    html.markup("</tr></thead>\n");
    html.append(pairs.into_html());
    html.markup(CLOSED);
    html.append(and_more(left, "columns"));
    html.markup("<div style=\"opacity:.75\">≠ marks what differs; the order of the plan decides which is kept</div>\n");
    (shown, html)
}

/// A kept row and the dropped one under it, as a group of their own.
fn pair((kept, dropped): &(Row, Row), columns: &[&str]) -> Html {
    let cells = columns.iter().map(|column| {
        let (kept, dropped) = (value(kept, column), value(dropped, column));
        let differ = kept != dropped;
        let (kept, dropped) = match differ {
            true => difference(kept, dropped, MOST_VALUE),
            false => (kept.to_owned(), dropped.to_owned()),
        };
        (kept, dropped, differ)
    });
    let cells: Vec<(String, String, bool)> = cells.collect();
    let mut html = Html::default();
    html.markup("<tbody style=\"border-top:1px solid rgba(128,128,128,.4)\">\n");
    html.append(row("kept", cells.iter().map(|(kept, _, differ)| (kept, *differ))));
    html.append(row("dropped", cells.iter().map(|(_, dropped, differ)| (dropped, *differ))));
    html.markup("</tbody>\n");
    html
}

fn row<'a>(name: &'static str, cells: impl Iterator<Item = (&'a String, bool)>) -> Html {
    let mut html = Html::default();
    // Values under each other are compared best on one line each.
    html.markup("<tr style=\"white-space:nowrap\">");
    html.around(ROW_HEAD, name, 10, "</th>");
    for (cell, differs) in cells {
        html.markup(CELL);
        if differs {
            html.around("<strong style=\"background:#d99a1c4d\">≠ ", cell, MOST_VALUE, "</strong>");
        } else {
            html.text(cell, MOST_VALUE);
        }
        html.markup("</td>");
    }
    html.markup("</tr>\n");
    html
}

/// A member that is not there is null, as it is in the output.
fn value<'a>(row: &'a Row, column: &str) -> &'a str {
    row.get(column).map_or("null", |value| value.get())
}

/// The columns that are shown, in the order of the schema, and how many are not.
fn chosen<'a>(report: &'a Report, conflicts: &'a [(Row, Row)]) -> (Vec<&'a str>, u64) {
    let mut columns: Vec<&str> = report.schema.iter().map(|column| column.name.as_str()).collect();
    // A plan may leave columns out of its output that decide what is kept.
    let known: std::collections::BTreeSet<&str> = columns.iter().copied().collect();
    let mut others: Vec<&str> = conflicts
        .iter()
        .flat_map(|(kept, dropped)| kept.keys().chain(dropped.keys()))
        .map(String::as_str)
        .filter(|name| !known.contains(name))
        .collect();
    others.sort_unstable();
    others.dedup();
    columns.extend(others);
    let differs = |name: &str| {
        conflicts.iter().any(|(kept, dropped)| value(kept, name) != value(dropped, name))
    };
    let mut by_interest: Vec<(bool, usize)> =
        columns.iter().enumerate().map(|(at, name)| (!differs(name), at)).collect();
    // The first column, often that of the key, says which conflict it is.
    if let Some(first) = by_interest.first_mut() {
        first.0 = false;
    }
    by_interest.sort_unstable();
    let mut taken: Vec<usize> = by_interest.iter().take(MOST_COLUMNS).map(|(_, at)| *at).collect();
    taken.sort_unstable();
    let left = columns.len() - taken.len();
    (taken.into_iter().filter_map(|at| columns.get(at).copied()).collect(), left as u64)
}
