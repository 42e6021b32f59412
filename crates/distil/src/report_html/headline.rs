//! What a run came to, on one line, and why it failed.

use distil_plan::{Code, Error, Place, Report, Status, format_bytes};

use super::advice::hints;
use super::html::{Html, Pieces};
use super::is_committed;
use super::table::and_more;
use super::text::{counted, duration, name_of};

/// Most bytes of the lines about what was found.
const DETAILS: usize = 3_000;

const QUIET: &str = "<div style=\"opacity:.75\">";
const CODE: &str = "<code style=\"background:transparent;color:inherit\">";

/// The line, and the places that were written to.
pub(super) fn section(report: &Report) -> Html {
    let mut html = Html::default();
    html.markup("<div style=\"font-size:14px\">");
    let path = &report.output.path;
    html.around("<strong><bdi>", name_of(path), 120, "</bdi></strong>");
    for fact in facts(report) {
        html.around(" · ", &fact, 60, "");
    }
    html.markup(" · ");
    html.markup(badge(report.status));
    html.markup("</div>\n");
    html.append(places(report));
    html
}

/// What the line says between the name and the status.
fn facts(report: &Report) -> Vec<String> {
    let mut facts = Vec::new();
    if is_committed(report) {
        facts.push(counted(report.records.written, "row"));
        facts.push(format_bytes(report.output.bytes));
    }
    facts.push(duration(report.resources.seconds));
    facts.push(report.backend.clone());
    facts
}

/// The status, as a word on a colour of its own.
fn badge(status: Status) -> &'static str {
    match status {
        Status::Done => {
            "<span style=\"background:#1f7a3d;color:#fff;border-radius:3px;padding:1px 6px\">✓ done</span>"
        }
        Status::Failed => {
            "<span style=\"background:#b3261e;color:#fff;border-radius:3px;padding:1px 6px\">✗ failed</span>"
        }
        Status::DryRun => {
            "<span style=\"background:#57606a;color:#fff;border-radius:3px;padding:1px 6px\">dry run</span>"
        }
        Status::Empty => {
            "<span style=\"background:#57606a;color:#fff;border-radius:3px;padding:1px 6px\">no records</span>"
        }
    }
}

/// Where the rows are, and what lies beside them.
fn places(report: &Report) -> Html {
    let output = &report.output;
    let mut html = Html::default();
    match report.status {
        Status::DryRun => {
            html.markup(QUIET);
            html.markup("a dry run: the output was not written</div>\n");
        }
        Status::Empty => {
            html.markup(QUIET);
            html.markup("nothing was written; an earlier output is as it was</div>\n");
        }
        Status::Done | Status::Failed => {}
    }
    if !is_committed(report) {
        return html;
    }
    html.markup(QUIET);
    if output.path != name_of(&output.path) {
        html.around("<bdi>", &output.path, 200, "</bdi>: ");
    }
    let groups = counted(output.row_groups, "row group");
    html.text(&format!("{}, {groups}", counted(output.files, "file")), 80);
    if let Some(digest) = &output.digest {
        html.around(", digest ", digest, 80, "");
    }
    html.markup("</div>\n");
    if let Some(path) = &output.dropped {
        html.around("<div style=\"opacity:.75\">dropped: <bdi>", path, 200, "</bdi>: ");
        html.text(&counted(report.records.duplicates.conflicting, "row"), 40);
        html.markup("</div>\n");
    }
    html
}

/// Why the run failed, with all that there is to do about it.
pub(super) fn error(report: &Report) -> Html {
    let mut html = Html::default();
    let Some(failed) = &report.error else { return html };
    let error = &failed.error;
    html.markup(
        "<div role=\"alert\" style=\"border-left:4px solid #d93025;background:rgba(217,48,37,.1);\
         margin:8px 0;padding:6px 10px\">\n<div><strong>error:</strong> ",
    );
    html.append(place(error.place.as_deref()));
    html.text(&error.what, 500);
    html.markup("</div>\n");
    // The rows that conflict stand in a table of their own.
    if error.code != Code::Conflicts || report.conflicts.is_empty() {
        html.append(details(error));
    }
    if let Some(output) = &error.output {
        html.around("<div><strong>output:</strong> ", output, 300, "</div>\n");
    }
    html.append(hints(&error.hints, report));
    html.markup("</div>\n");
    html
}

fn place(place: Option<&Place>) -> Html {
    let mut html = Html::default();
    let Some(place) = place else { return html };
    html.around(CODE, &place.path, 150, "</code>");
    match (place.line, place.offset) {
        (Some(line), Some(offset)) => {
            html.text(&format!(" line {line}, byte {offset}"), 80);
        }
        (None, Some(offset)) => html.text(&format!(" at byte {offset}"), 80),
        (_, None) => {}
    }
    html.markup(": ");
    html
}

/// What was found, a line each.
fn details(error: &Error) -> Html {
    let mut lines = Pieces::within(DETAILS);
    for detail in error.details.iter().take(20) {
        let mut line = Html::default();
        // A mark stands under the byte that is meant.
        let open = match detail.starts_with(' ') {
            true => "<div style=\"white-space:pre\">",
            false => "<div style=\"white-space:pre-wrap\">",
        };
        line.around(open, detail, 300, "</div>\n");
        if !lines.push(line) {
            break;
        }
    }
    let left = error.details.len() as u64 - lines.taken();
    let mut html = Html::default();
    if lines.taken() > 0 {
        html.markup("<div style=\"overflow-x:auto;margin:4px 0;font:12px/1.4 monospace\">\n");
        html.append(lines.into_html());
        html.markup("</div>\n");
    }
    html.append(and_more(left, "lines"));
    html
}
