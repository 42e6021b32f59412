//! The report of a run for people, as HTML: in a notebook, and as a page of its own.
//!
//! Viewers of notebooks take out style sheets and scripts, so that every style stands in its element; text and
//! background are those of the viewer, which may be dark. Texts of the data pass [`html::Html::text`] alone, which
//! escapes and cuts them, and every section has a share of [`LARGEST`], so that neither the data nor a hostile file
//! decides what the page is or how large it gets.

mod advice;
mod bar;
mod columns;
mod conflicts;
mod headline;
pub(crate) mod html;
mod inputs;
mod mended;
mod page;
mod quarantined;
pub(crate) mod table;
#[cfg(test)]
mod tests;
pub(crate) mod text;
mod time;

use distil_plan::{Code, Report, Status};

use self::html::Html;
pub use self::page::report_page;
pub(crate) use self::page::{Kind, is_page, is_report_page, page};

/// The most bytes of a report as HTML, whatever it holds: outputs of notebooks are kept with them, and sent again and
/// again. The shares of the sections add up to less, unless nearly every character has to be escaped.
const LARGEST: usize = 50_000;

/// What closes a report, and the note on what it left out, in bytes.
const CLOSING: usize = 300;

/// A report as one `<div>` for notebooks: no style sheet, no script, at most 760 pixels wide, in the colours of the
/// viewer. It is shorter than 50 kB: lists end with how many more there are, and long texts are cut in the middle.
pub fn report_html(report: &Report) -> String {
    let mut html = Html::default();
    html.markup(
        "<div style=\"max-width:760px;text-align:left;font:13px/1.5 system-ui,sans-serif;color:inherit;\
         background:transparent;overflow-wrap:anywhere\">\n",
    );
    let mut left_out = 0;
    for section in [
        headline::section,
        headline::error,
        bar::section,
        advice::warnings,
        conflicts::section,
        quarantined::section,
        mended::section,
        columns::section,
        inputs::section,
        time::section,
    ] {
        let section = section(report);
        if html.len() + section.len() + CLOSING > LARGEST {
            left_out += 1;
        } else {
            html.append(section);
        }
    }
    html.append(table::and_more(left_out, "sections, which are too large to be shown"));
    html.markup("</div>\n");
    html.into_string()
}

/// Whether the output is in place: after a run that was done, and where only what follows that failed.
fn is_committed(report: &Report) -> bool {
    let after = report.error.as_ref().is_some_and(|failed| failed.error.code == Code::AfterCommit);
    report.status == Status::Done || after
}
