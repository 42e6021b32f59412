//! Core use over time: of all nodes together, and of each, above the stages that ran.

use distil_cluster::{Audit, NodeLine};

use super::{heading, percent};
use crate::report_html::html::Html;
use crate::report_html::table::and_more;
use crate::report_html::text::{counted, duration};

/// Most nodes with a line of their own.
const NODES: usize = 100;
/// Most stages that are shown as bars.
const STAGES: usize = 300;

/// Units of a graph: it is stretched to the width that there is.
const WIDTH: f64 = 1000.0;

/// Backgrounds of stages in turn, seen on white and on black.
const COLOURS: [&str; 4] = ["#3f7fd1", "#9a6bd0", "#3a9aa6", "#a8730b"];

const GRID: &str = "<div style=\"display:grid;grid-template-columns:minmax(64px,max-content) minmax(0,1fr);gap:6px 10px;\
     align-items:center\">\n";
const LABEL: &str = "<div style=\"text-align:right;line-height:1.3;max-width:220px\">";
const AXIS: &str = "<div></div><div style=\"display:flex;justify-content:space-between;opacity:.75;font-size:11px\">";

fn end(audit: &Audit) -> f64 {
    audit.times.run.max(0.001)
}

/// A number in an attribute.
fn number(html: &mut Html, value: f64) {
    html.text(&format!("{:.1}", if value.is_finite() { value } else { 0.0 }), 24);
}

/// The area under a line, as a share of `most`, upside down as SVG has it.
fn area(html: &mut Html, busy: &[f64], most: f64, height: f64, fill: &'static str) {
    let step = WIDTH / busy.len().max(1) as f64;
    let mut path = format!("M0 {height:.1}");
    for (at, busy) in busy.iter().enumerate() {
        let share = if most > 0.0 { (busy / most).clamp(0.0, 1.0) } else { 0.0 };
        let y = height * (1.0 - share);
        path.push_str(&format!("V{y:.1}H{:.1}", (at + 1) as f64 * step));
    }
    path.push_str(&format!("V{height:.1}Z"));
    html.markup("<path fill=\"");
    html.markup(fill);
    html.around("\" d=\"", &path, 20_000, "\"/>");
}

/// Opens a graph of this height, which says in words what it shows; `</svg></div>` closes it.
fn open(html: &mut Html, height: f64, label: &str) {
    html.markup("<div style=\"line-height:0\"><svg role=\"img\" preserveAspectRatio=\"none\" style=\"width:100%;height:");
    number(html, height);
    html.markup("px;background:rgba(128,128,128,.12);border-radius:2px\" viewBox=\"0 0 1000 ");
    number(html, height);
    html.around("\" aria-label=\"", label, 200, "\">");
}

/// The times below a graph.
fn axis(html: &mut Html, audit: &Audit) {
    html.markup(AXIS);
    for part in [0.0, 0.25, 0.5, 0.75, 1.0] {
        html.around("<span>", &duration(end(audit) * part), 24, "</span>");
    }
    html.markup("</div>\n");
}

/// Cores of all nodes together.
pub(super) fn cores(audit: &Audit) -> Html {
    let lines = &audit.timeline.nodes;
    let parts = lines.iter().map(|line| line.busy.len()).max().unwrap_or(0);
    let busy: Vec<f64> =
        (0..parts).map(|at| lines.iter().filter_map(|line| line.busy.get(at)).sum()).collect();
    let cores = lines.iter().map(|line| line.cores).fold(0, u64::saturating_add);
    let offered = audit.cluster.as_ref().map_or(0, |cluster| cluster.cores);
    let most = cores.max(offered);
    let mut html = Html::default();
    if parts == 0 || most == 0 {
        return html;
    }
    html.append(heading("cores over time"));
    html.markup(GRID);
    html.around(LABEL, &counted(most, "core"), 40, "");
    if offered > cores {
        html.around(
            "<div style=\"opacity:.75;font-size:11px\">executors had ",
            &cores.to_string(),
            24,
            "</div>",
        );
    }
    html.markup("</div>");
    let mean = busy.iter().sum::<f64>() / busy.len() as f64;
    let label = format!("{mean:.1} of {} busy on average", counted(most, "core"));
    open(&mut html, 90.0, &label);
    area(&mut html, &busy, most as f64, 90.0, "#3f7fd1");
    if offered > cores {
        // Above it is what the cluster has and no executor took.
        html.markup("<line x1=\"0\" x2=\"1000\" stroke=\"currentColor\" stroke-dasharray=\"6 4\" vector-effect=\"non-scaling-stroke\" y1=\"");
        let y = 90.0 * (1.0 - cores as f64 / most as f64);
        number(&mut html, y);
        html.markup("\" y2=\"");
        number(&mut html, y);
        html.markup("\"/>");
    }
    html.markup("</svg></div>\n");
    axis(&mut html, audit);
    html.around("<div></div><div style=\"opacity:.75;font-size:11px\">", &label, 100, "");
    if offered > cores {
        html.markup("; the dashed line is what executors had, the top what the cluster has");
    }
    html.markup("</div></div>\n");
    html
}

/// Each node by itself, and the stages.
pub(super) fn nodes(audit: &Audit) -> Html {
    let mut html = Html::default();
    if audit.nodes.is_empty() {
        return html;
    }
    html.append(heading("nodes over time"));
    html.markup(GRID);
    stages(&mut html, audit);
    let lines = audit.timeline.nodes.iter().zip(&audit.nodes);
    let shown = audit.nodes.len().min(audit.timeline.nodes.len()).min(NODES);
    for (line, node) in lines.take(NODES) {
        html.around(LABEL, &line.node, 60, "<div style=\"opacity:.75;font-size:11px\">");
        match node.used.tasks {
            0 => html.markup("<strong style=\"color:#d93025\">✗ no task</strong>"),
            _ => html.around("", &format!("{} busy", percent(node.busy_share)), 24, ""),
        }
        html.markup("</div></div>");
        strip(&mut html, audit, line, node.came_seconds);
    }
    axis(&mut html, audit);
    html.markup("</div>\n");
    html.append(and_more((audit.nodes.len() - shown) as u64, "nodes"));
    html
}

/// One node: when it came, and how many of its cores were busy.
fn strip(html: &mut Html, audit: &Audit, line: &NodeLine, came: Option<f64>) {
    let label = match came {
        Some(came) => format!("{}: its first executor came after {}", line.node, duration(came)),
        None => format!("{}: no executor", line.node),
    };
    open(html, 30.0, &label);
    if let Some(came) = came {
        let x = WIDTH * came / end(audit);
        html.markup("<rect y=\"0\" height=\"30\" fill=\"rgba(128,128,128,.22)\" x=\"");
        number(html, x);
        html.markup("\" width=\"");
        number(html, (WIDTH - x).max(0.0));
        html.markup("\"/>");
        area(html, &line.busy, line.cores as f64, 30.0, "#2f8f5b");
    }
    html.markup("</svg></div>\n");
}

/// A bar for each stage.
fn stages(html: &mut Html, audit: &Audit) {
    html.markup(LABEL);
    html.markup("stages</div><div style=\"position:relative;height:18px;overflow:hidden\">");
    for (at, stage) in audit.stages.iter().take(STAGES).enumerate() {
        html.markup("<span style=\"position:absolute;top:0;height:18px;min-width:2px;box-sizing:border-box;border-left:1px solid rgba(255,255,255,.5);color:#fff;font:11px/18px system-ui,sans-serif;text-align:center;overflow:hidden;background:");
        html.markup(COLOURS[at % COLOURS.len()]);
        html.markup(";left:");
        number(html, 100.0 * stage.begin_seconds / end(audit));
        html.markup("%;width:");
        let share = stage.seconds / end(audit);
        number(html, 100.0 * share);
        let took = format!(
            "stage {}: {}, {}",
            stage.stage,
            counted(stage.tasks, "task"),
            duration(stage.seconds)
        );
        html.around("%\" title=\"", &took, 120, "\">");
        if share > 0.03 {
            html.text(&stage.stage.to_string(), 12);
        }
        html.markup("</span>");
    }
    html.markup("</div>\n");
}
