//! Warnings, and what to do about them.

use distil_plan::{Hint, Report};

use crate::configuration::{BackendOptions, JobOptions};
use crate::files::bad_records_beside;

use super::html::{Html, Pieces};
use super::table::and_more;

/// Most bytes of all warnings, and most of them.
const WARNINGS: usize = 5_000;
const MOST_WARNINGS: usize = 20;
/// Most bytes of the advice on one error or warning.
const ADVICE: usize = 2_000;

/// A line for each warning. Those about types are the last, with the ways on.
pub(super) fn warnings(report: &Report) -> Html {
    let mut lines = Pieces::within(WARNINGS);
    let plain = report.warnings.iter().map(|text| (text, &[][..]));
    let noted = report.type_notes.iter().map(|note| (&note.text, note.hints.as_slice()));
    for (text, advice) in plain.chain(noted).take(MOST_WARNINGS) {
        let mut line = Html::default();
        line.markup("<div style=\"margin:4px 0\"><span aria-hidden=\"true\">⚠ </span><strong>warning:</strong> ");
        line.text(text, 400);
        line.append(hints(advice, report));
        line.markup("</div>\n");
        if !lines.push(line) {
            break;
        }
    }
    let all = (report.warnings.len() + report.type_notes.len()) as u64;
    let left = all - lines.taken();
    let mut html = lines.into_html();
    html.append(and_more(left, "warnings"));
    html
}

/// Advice as a list. A hint whose text begins with `and` belongs to the one before it.
pub(super) fn hints(hints: &[Hint], report: &Report) -> Html {
    let mut items = Pieces::within(ADVICE);
    for together in hints.chunk_by(|_, next| next.text.starts_with("and ")).take(10) {
        let mut item = Html::default();
        item.markup("<li>");
        for (at, hint) in together.iter().take(4).enumerate() {
            item.markup(if at > 0 { ", " } else { "" });
            item.append(spelled(hint, report));
        }
        item.markup("</li>\n");
        if !items.push(item) {
            break;
        }
    }
    let mut html = Html::default();
    if items.taken() > 0 {
        html.markup("<ul aria-label=\"what to do\" style=\"margin:2px 0;padding-left:20px;list-style:'→ '\">\n");
        html.append(items.into_html());
        html.markup("</ul>\n");
    }
    html
}

/// A hint as a configuration spells it, since a page does not know who asked.
fn spelled(hint: &Hint, report: &Report) -> Html {
    let mut html = Html::default();
    html.text(&hint.text, 300);
    let Some(option) = &hint.option else { return html };
    let options = JobOptions::OPTIONS.iter().chain(BackendOptions::OPTIONS);
    let declared = options.into_iter().find(|declared| declared.name == option);
    let placeholder = declared.and_then(|declared| declared.value);
    let value = match (option.as_str(), &hint.value) {
        ("quarantine", _) => Some(bad_records_beside(&report.output.path)),
        (_, Some(value)) => Some(value.clone()),
        (_, None) => placeholder.map(str::to_owned),
    };
    let shown = match value {
        Some(value) if value.is_empty() => format!("{option} = \"\""),
        Some(value) => format!("{option} = {value}"),
        None => option.clone(),
    };
    html.around(
        ": <code style=\"background:transparent;color:inherit;font-weight:bold\">",
        &shown,
        200,
        "</code>",
    );
    html
}
