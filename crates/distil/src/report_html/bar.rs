//! Bars of parts that make a whole, with labels that say the same without their colours.

use distil_plan::{Report, format_count};

use super::html::Html;
use super::is_committed;
use super::text::counted;

/// A part of a bar.
pub(super) struct Part {
    /// What it is.
    pub(super) label: String,
    /// How much it is, for people.
    pub(super) amount: String,
    /// How much it is of the whole.
    pub(super) share: f64,
    /// Its colours, as a background.
    pub(super) background: &'static str,
}

/// Backgrounds that differ in their patterns too, and are seen on white and on black.
const BACKGROUNDS: [&str; 4] = [
    "#2f8f5b",
    "#8a94a6",
    "repeating-linear-gradient(45deg,#d99a1c 0 4px,#a8730b 4px 8px)",
    "repeating-linear-gradient(90deg,#d93025 0 3px,#8f1d15 3px 6px)",
];

/// The bar of what became of the records. Without one where a run did not come so far as to have an account of all of
/// them.
pub(super) fn section(report: &Report) -> Html {
    let mut html = Html::default();
    let records = &report.records;
    if records.read == 0 {
        return html;
    }
    let parts = [
        (if is_committed(report) { "kept" } else { "would be kept" }, records.written),
        ("identical", records.duplicates.identical),
        ("conflicting", records.duplicates.conflicting),
        ("quarantined", records.quarantined.records),
    ];
    let all = parts.iter().fold(0_u64, |sum, (_, count)| sum.saturating_add(*count));
    let lead = format!("read {}", format_count(records.read));
    if all != records.read {
        html.around("<div style=\"margin:6px 0\">", &counted(records.read, "record"), 40, " read");
        html.around(", ", &format_count(records.quarantined.records), 40, " of them bad</div>\n");
        return html;
    }
    let parts = parts.iter().zip(BACKGROUNDS).map(|((label, count), background)| Part {
        label: (*label).to_owned(),
        amount: format_count(*count),
        share: *count as f64 / records.read as f64,
        background,
    });
    html.append(bar(&(lead + " = "), &parts.collect::<Vec<_>>()));
    html
}

/// A bar and its legend.
pub(super) fn bar(lead: &str, parts: &[Part]) -> Html {
    let mut html = Html::default();
    html.markup(
        "<div role=\"img\" style=\"display:flex;height:14px;margin:8px 0 2px;border-radius:3px;overflow:hidden;\
         background:rgba(128,128,128,.25)\" aria-label=\"",
    );
    html.text(lead, 80);
    for (at, part) in parts.iter().enumerate() {
        html.markup(if at > 0 { ", " } else { "" });
        html.text(&format!("{} {}", part.label, part.amount), 50);
    }
    html.markup("\">");
    for part in parts.iter().filter(|part| part.share > 0.0) {
        let width = format!("{:.3}", part.share.min(1.0) * 100.0);
        // What is there is seen, however little it is.
        html.around("<span style=\"min-width:3px;width:", &width, 12, "%;background:");
        html.markup(part.background);
        html.markup("\"></span>");
    }
    html.markup("</div>\n<div>");
    html.text(lead, 80);
    for part in parts {
        html.markup(
            "<span style=\"white-space:nowrap;margin-right:12px\"><span aria-hidden=\"true\" \
             style=\"display:inline-block;width:10px;height:10px;border-radius:2px;background:",
        );
        html.markup(part.background);
        html.markup("\"></span> ");
        html.text(&format!("{} {}", part.label, part.amount), 50);
        html.markup("</span> ");
    }
    html.markup("</div>\n");
    html
}
