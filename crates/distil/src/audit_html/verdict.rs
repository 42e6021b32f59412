//! What an application is, whether it passed, and what was found.

use distil_cluster::{Audit, Finding};

use super::{heading, name};
use crate::report_html::html::{Html, Pieces};
use crate::report_html::table::and_more;
use crate::report_html::text::duration;

/// Most findings, and bytes of them.
const FINDINGS: usize = 100;
const ROOM: usize = 60_000;

/// The application and its verdict, on one line.
pub(super) fn headline(audit: &Audit) -> Html {
    let about = &audit.application;
    let mut html = Html::default();
    html.markup("<h1 style=\"font-size:16px;font-weight:normal;margin:0\">");
    html.around("<strong><bdi>", name(audit), 120, "</bdi></strong>");
    let modes = [about.master.as_deref(), about.deploy_mode.as_deref()];
    let spark = (!about.spark.is_empty()).then(|| format!("Spark {}", about.spark));
    let mode: Vec<&str> = modes.into_iter().flatten().collect();
    let mode = (!mode.is_empty()).then(|| mode.join(", "));
    for fact in [spark, mode, Some(duration(audit.times.run))].into_iter().flatten() {
        html.around(" · ", &fact, 80, "");
    }
    html.markup(match audit.verdict.passed {
        true => {
            " · <span style=\"background:#1f7a3d;color:#fff;border-radius:3px;padding:1px 6px\">✓ passed</span>"
        }
        false => {
            " · <span style=\"background:#b3261e;color:#fff;border-radius:3px;padding:1px 6px\">✗ failed</span>"
        }
    });
    html.markup("</h1>\n<div style=\"opacity:.75\">");
    html.around("<bdi>", &about.id, 120, "</bdi>");
    let attempt = about.attempt.as_ref().map(|attempt| format!("attempt {attempt}"));
    let started = about.started.as_ref().map(|at| format!("started {at}"));
    let ended = (!about.ended).then(|| "not ended".to_owned());
    let driver = about.driver.as_ref().map(|host| format!("driver on {host}"));
    let master =
        about.application_master.as_ref().map(|host| format!("application master on {host}"));
    for fact in [attempt, started, ended, driver, master].into_iter().flatten() {
        html.around(" · ", &fact, 120, "");
    }
    html.markup("</div>\n");
    html
}

/// The reason of the verdict, and what to change.
pub(super) fn section(audit: &Audit) -> Html {
    let mut html = Html::default();
    html.markup(match audit.verdict.passed {
        true => {
            "<div style=\"border-left:4px solid #2f8f5b;background:rgba(47,143,91,.1);margin:10px 0;padding:6px 10px\">"
        }
        false => {
            "<div role=\"alert\" style=\"border-left:4px solid #d93025;background:rgba(217,48,37,.1);margin:10px 0;\
             padding:6px 10px\">"
        }
    });
    html.text(&audit.verdict.reason, 600);
    if let Some(change) = &audit.verdict.change {
        html.around("<div><strong>change:</strong> ", change, 400, "</div>");
    }
    html.markup("</div>\n");
    html
}

/// What was found besides the reason.
pub(super) fn findings(audit: &Audit) -> Html {
    let mut html = Html::default();
    let others = audit.findings.iter().skip(usize::from(!audit.verdict.passed));
    let others: Vec<&Finding> = others.collect();
    if others.is_empty() {
        return html;
    }
    let mut lines = Pieces::within(ROOM);
    for finding in others.iter().take(FINDINGS) {
        let mut line = Html::default();
        line.markup(match finding.fails {
            true => "<li style=\"margin:2px 0\"><strong style=\"color:#d93025\">✗</strong> ",
            false => "<li style=\"margin:2px 0\">",
        });
        line.text(&finding.sentence, 600);
        if let Some(change) = &finding.change {
            line.around("<div style=\"opacity:.75\">", change, 400, "</div>");
        }
        line.markup("</li>\n");
        if !lines.push(line) {
            break;
        }
    }
    let left = others.len() as u64 - lines.taken();
    html.append(heading("what was found"));
    html.markup("<ul style=\"margin:0;padding-left:18px\">\n");
    html.append(lines.into_html());
    html.markup("</ul>\n");
    html.append(and_more(left, "findings"));
    html
}
