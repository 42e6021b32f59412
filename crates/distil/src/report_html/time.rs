//! Where the time went, and what else was used.

use distil_plan::{Report, format_bytes};

use super::bar::{Part, bar};
use super::html::{Html, details};
use super::text::{counted, duration};

/// Backgrounds of stages, which are none of those of records.
const BACKGROUNDS: [&str; 4] = [
    "#3f7fd1",
    "repeating-linear-gradient(135deg,#9a6bd0 0 4px,#7a4bb3 4px 8px)",
    "#3a9aa6",
    "repeating-linear-gradient(45deg,#8a94a6 0 4px,#6b7585 4px 8px)",
];

/// That of all stages that are not shown by themselves.
const REST: &str = "#8a94a6";

/// Most stages that a bar shows.
const MOST_STAGES: usize = 8;

/// The section.
pub(super) fn section(report: &Report) -> Html {
    let mut heading = Html::default();
    heading.markup("where the time went");
    let mut body = stages(report);
    body.append(resources(report));
    details(heading, body)
}

fn stages(report: &Report) -> Html {
    let seconds = |at: f64| if at.is_finite() { at.max(0.0) } else { 0.0 };
    let all: f64 = report.stages.iter().map(|stage| seconds(stage.seconds)).sum();
    if all <= 0.0 {
        return Html::default();
    }
    let mut parts: Vec<Part> = Vec::new();
    for (stage, background) in
        report.stages.iter().zip(BACKGROUNDS.iter().cycle()).take(MOST_STAGES)
    {
        parts.push(Part {
            label: stage.name.clone(),
            amount: duration(seconds(stage.seconds)),
            share: seconds(stage.seconds) / all,
            background,
        });
    }
    let rest: f64 =
        report.stages.iter().skip(MOST_STAGES).map(|stage| seconds(stage.seconds)).sum();
    if let Some(more) = report.stages.len().checked_sub(MOST_STAGES).filter(|more| *more > 0) {
        parts.push(Part {
            label: counted(more as u64, "more stage"),
            amount: duration(rest),
            share: rest / all,
            background: REST,
        });
    }
    bar("", &parts)
}

fn resources(report: &Report) -> Html {
    let used = &report.resources;
    let mut facts = vec![
        format!("{} in all", duration(used.seconds)),
        format!("{} of processor time", duration(used.cpu_seconds)),
        format!("peak memory {}", format_bytes(used.peak_memory_bytes)),
        format!("spilled {}", format_bytes(used.spilled_bytes)),
    ];
    // A run that no backend came to has none.
    if used.threads > 0 {
        facts.push(counted(used.threads, "thread"));
    }
    if let Some(engine) = &report.engine {
        facts.push(format!("{} {}", report.backend, engine.version));
        facts.extend(engine.application.iter().map(|name| format!("application {name}")));
    }
    facts.push(format!("distil {}", report.distil));
    let mut html = Html::default();
    html.markup("<div style=\"margin-top:4px\">");
    for (at, fact) in facts.iter().enumerate() {
        html.markup(if at > 0 { " · " } else { "" });
        html.text(fact, 100);
    }
    html.markup("</div>\n");
    html
}
