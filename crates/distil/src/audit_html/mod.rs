//! The audit of an application as a page for people.
//!
//! As in reports, every style stands in its element, texts of the record pass [`Html::text`] alone, and lists end with
//! how many more there are. Graphs are SVG of shapes without text, so that they may be stretched to any width.

mod graph;
mod tables;
mod verdict;

use distil_cluster::Audit;

use crate::report_html::html::Html;
use crate::report_html::{Kind, page};

/// An audit as a page that needs nothing beside it, and runs and fetches nothing, in the light or dark colours that the
/// reader prefers: the verdict, core use over time, a timeline by node, findings, nodes and stages.
pub fn audit_page(audit: &Audit) -> String {
    let mut title = Html::default();
    title.around("", name(audit), 80, " · ");
    title.markup(if audit.verdict.passed { "passed" } else { "failed" });
    let mut html = Html::default();
    html.markup(
        "<div style=\"text-align:left;font:13px/1.5 system-ui,sans-serif;color:inherit;background:transparent;\
         overflow-wrap:anywhere\">\n",
    );
    for section in [
        verdict::headline,
        verdict::section,
        graph::cores,
        graph::nodes,
        verdict::findings,
        tables::nodes,
        tables::stages,
        tables::executors,
        tables::asked,
    ] {
        html.append(section(audit));
    }
    html.markup("</div>\n");
    page(Kind::Audit, title, &html.into_string())
}

/// What an application is called.
fn name(audit: &Audit) -> &str {
    let about = &audit.application;
    match (about.name.as_str(), about.id.as_str()) {
        ("", "") => "an application",
        ("", id) => id,
        (name, _) => name,
    }
}

/// A heading of a section.
fn heading(text: &'static str) -> Html {
    let mut html = Html::default();
    html.markup("<h2 style=\"font-size:14px;margin:18px 0 4px\">");
    html.markup(text);
    html.markup("</h2>\n");
    html
}

/// A share, as in `71%`.
fn percent(share: f64) -> String {
    format!("{:.0}%", share * 100.0)
}
