//! A report as a page of its own, and how that is told from other pages.

use distil_plan::{DISTIL_VERSION, FORMAT_VERSION, Report, Status};

use super::html::Html;
use super::report_html;
use super::text::name_of;

/// How every page of ours begins, up to the version of distil.
const BEGINNING: &str = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
     <meta name=\"generator\" content=\"distil ";
/// What a page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The report of a run.
    Report,
    /// The audit of an application on a cluster.
    Audit,
}

impl Kind {
    /// What follows the version of distil, up to that of the format.
    fn mark(self) -> &'static str {
        match self {
            Self::Report => ", report ",
            Self::Audit => ", audit ",
        }
    }
}

/// What follows the version of the format.
const MARKED: &str = "\">\n";
/// How every page of ours ends.
const END: &str = "</main>\n</body>\n</html>\n";

/// A report as a page that needs nothing beside it, and runs and fetches nothing: around what
/// [`report_html`] gives, in the light or dark colours that the reader prefers.
pub fn report_page(report: &Report) -> String {
    let mut title = Html::default();
    title.around("", name_of(&report.output.path), 80, " · ");
    title.markup(match report.status {
        Status::Done => "done",
        Status::Failed => "failed",
        Status::DryRun => "dry run",
        Status::Empty => "no records",
    });
    page(Kind::Report, title, &report_html(report))
}

/// A page around what it shows.
pub(crate) fn page(kind: Kind, title: Html, shown: &str) -> String {
    let mut page = Html::default();
    page.markup(BEGINNING);
    page.text(DISTIL_VERSION, 40);
    page.markup(kind.mark());
    page.text(&FORMAT_VERSION.to_string(), 12);
    page.markup(MARKED);
    page.markup(
        "<meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src &#39;none&#39;; style-src \
         &#39;unsafe-inline&#39;\">\n",
    );
    page.markup("<title>");
    page.append(title);
    page.markup(
        " · distil</title>\n</head>\n<body style=\"margin:24px 16px;color-scheme:light dark\">\n",
    );
    page.markup(match kind {
        Kind::Report => "<main style=\"max-width:760px;margin:0 auto\">\n",
        Kind::Audit => "<main style=\"max-width:1000px;margin:0 auto\">\n",
    });
    format!("{}{shown}{END}", page.into_string())
}

/// Whether a text is a page that [`report_page`] made, of this version or another.
pub(crate) fn is_report_page(text: &str) -> bool {
    is_page(Kind::Report, text)
}

/// Whether a text is a page of this kind.
pub(crate) fn is_page(kind: Kind, text: &str) -> bool {
    let marked = || {
        let (distil, rest) = text.strip_prefix(BEGINNING)?.split_once(kind.mark())?;
        let (format, _) = rest.split_once(MARKED)?;
        Some((distil, format))
    };
    let is_version = |text: &str| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+');
        text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(is_part)
    };
    text.ends_with(END)
        && marked().is_some_and(|(distil, format)| {
            is_version(distil) && !format.is_empty() && format.bytes().all(|b| b.is_ascii_digit())
        })
}
