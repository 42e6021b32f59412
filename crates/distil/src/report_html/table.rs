//! Tables with as many rows as there is room for.

use distil_plan::format_count;

use super::html::{Html, Pieces};
/// One column of a table.
pub(crate) struct Heading {
    /// Its name.
    pub(crate) name: &'static str,
    /// Whether its cells are numbers, which stand under each other by their last digit.
    pub(crate) is_number: bool,
}

/// A column of texts.
pub(crate) const fn text(name: &'static str) -> Heading {
    Heading { name, is_number: false }
}

/// A column of numbers.
pub(crate) const fn number(name: &'static str) -> Heading {
    Heading { name, is_number: true }
}

/// Opens a table; [`CLOSED`] closes it. Notebooks have a style of their own for tables, which is undone.
pub(crate) const OPENED: &str = "<div style=\"overflow-x:auto;margin-bottom:6px\"><table style=\"border-collapse:collapse;\
     margin:0;table-layout:auto;font-size:12px;color:inherit;overflow-wrap:normal\">\n";
/// Closes a table.
pub(crate) const CLOSED: &str = "</table></div>\n";
/// Opens the head of a column.
pub(crate) const HEAD: &str = "<th scope=\"col\" style=\"text-align:left;padding:2px 14px 2px 0\">";
/// Opens the head of a row.
pub(crate) const ROW_HEAD: &str = "<th scope=\"row\" style=\"text-align:left;padding:2px 14px 2px 0;font-weight:normal;opacity:.75\">";
/// Opens a cell.
pub(crate) const CELL: &str = "<td style=\"text-align:left;padding:2px 14px 2px 0\">";
const NUMBER_HEAD: &str = "<th scope=\"col\" style=\"text-align:right;padding:2px 14px 2px 0\">";
const NUMBER_CELL: &str = "<td style=\"text-align:right;padding:2px 14px 2px 0\">";

/// A table of texts.
pub(crate) struct Table<const COLUMNS: usize> {
    headings: [Heading; COLUMNS],
    rows: Pieces,
    most: u64,
}

impl<const COLUMNS: usize> Table<COLUMNS> {
    /// An empty table for at most `most` rows, in at most `room` bytes.
    pub(crate) fn new(headings: [Heading; COLUMNS], most: u64, room: usize) -> Self {
        Self { headings, rows: Pieces::within(room), most }
    }

    /// Adds a row: for each column a text and the most characters of it. `false` if the table is full.
    pub(crate) fn row(&mut self, cells: [(&str, usize); COLUMNS]) -> bool {
        if self.rows.taken() >= self.most {
            return false;
        }
        let mut row = Html::default();
        row.markup("<tr>");
        for (heading, (cell, most)) in self.headings.iter().zip(cells) {
            let open = if heading.is_number { NUMBER_CELL } else { CELL };
            row.around(open, cell, most, "</td>");
        }
        row.markup("</tr>\n");
        self.rows.push(row)
    }

    /// The table, and under it how many of `all` things it does not show.
    pub(crate) fn finish(self, all: u64, things: &'static str) -> Html {
        let left = all.saturating_sub(self.rows.taken());
        let mut html = Html::default();
        html.markup(OPENED);
        html.markup("<thead><tr>");
        for heading in &self.headings {
            let open = if heading.is_number { NUMBER_HEAD } else { HEAD };
            html.around(open, heading.name, 40, "</th>");
        }
        html.markup("</tr></thead>\n<tbody>\n");
        html.append(self.rows.into_html());
        html.markup("</tbody>");
        html.markup(CLOSED);
        html.append(and_more(left, things));
        html
    }
}

/// How much is left out, if something is.
pub(crate) fn and_more(left: u64, things: &'static str) -> Html {
    let mut html = Html::default();
    if left > 0 {
        html.markup("<div style=\"opacity:.75\">and ");
        html.text(&format_count(left), 30);
        html.markup(" more ");
        html.markup(things);
        html.markup("</div>\n");
    }
    html
}
