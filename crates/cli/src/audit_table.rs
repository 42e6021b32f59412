//! An audit as text.

use distil::audit::{Audit, Finding, NodeUse, StageUse};
use distil::{format_bytes, printable};
use indicatif::HumanCount;

use crate::text::counted;

/// Most nodes, stages and findings that are shown; a page or JSON has more.
const ROWS: usize = 40;

fn percent(share: f64) -> String {
    format!("{:.0}%", share * 100.0)
}

fn seconds(seconds: f64) -> String {
    if seconds > 0.0 { format!("{seconds:.1} s") } else { "-".to_owned() }
}

fn bytes(bytes: u64) -> String {
    if bytes > 0 { format_bytes(bytes) } else { "-".to_owned() }
}

/// Rows in columns, the first of which is a text and the others numbers.
fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(widths).enumerate().map(|(at, (cell, width))| match at {
            0 => format!("{cell:width$}"),
            _ => format!("{cell:>width$}"),
        });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn node(node: &NodeUse) -> [String; 11] {
    let used = &node.used;
    [
        printable(&node.node),
        HumanCount(node.executors).to_string(),
        match node.offered_cores {
            Some(offered) => format!("{} of {offered}", node.cores),
            None => node.cores.to_string(),
        },
        node.came_seconds.map_or("-".to_owned(), |came| format!("{came:.1} s")),
        HumanCount(used.tasks).to_string(),
        percent(node.busy_share),
        percent(used.cpu_share),
        percent(used.gc_share),
        bytes(used.input_bytes),
        bytes(used.shuffle_read_bytes.saturating_add(used.shuffle_write_bytes)),
        bytes(used.spilled_bytes),
    ]
}

fn stage(stage: &StageUse) -> [String; 7] {
    [
        stage.stage.to_string(),
        HumanCount(stage.tasks).to_string(),
        seconds(stage.seconds),
        seconds(stage.median_seconds),
        seconds(stage.longest_seconds),
        bytes(stage.input_bytes),
        bytes(stage.shuffle_read_bytes),
    ]
}

fn more(all: usize, thing: &str) -> String {
    match all.saturating_sub(ROWS) {
        0 => String::new(),
        left => format!("and {}\n", counted(left as u64, &format!("more {thing}"))),
    }
}

/// The table: the application, its nodes, its stages, what was found, and last that it passed. Why it did not is the error
/// that follows.
pub(crate) fn table(audit: &Audit) -> String {
    let about = &audit.application;
    let facts = [
        about.name.clone(),
        about.id.clone(),
        format!("Spark {}", about.spark),
        about.master.clone().unwrap_or_default(),
        about.deploy_mode.clone().unwrap_or_default(),
        format!("{:.1} s", audit.times.run),
    ];
    let facts: Vec<&str> =
        facts.iter().map(String::as_str).filter(|fact| !fact.is_empty()).collect();
    let mut text = printable(&facts.join(", ")) + "\n\n";
    let heads = [
        "node",
        "executors",
        "cores",
        "came",
        "tasks",
        "busy",
        "cpu",
        "gc",
        "input",
        "shuffle",
        "spilled",
    ];
    let nodes = audit.nodes.iter().take(ROWS).map(node);
    text.push_str(&columns(
        &std::iter::once(heads.map(str::to_owned)).chain(nodes).collect::<Vec<_>>(),
    ));
    text.push_str(&more(audit.nodes.len(), "node"));
    if !audit.stages.is_empty() {
        let heads = ["stage", "tasks", "took", "median", "longest", "input", "shuffled"];
        let stages = audit.stages.iter().take(ROWS).map(stage);
        text.push('\n');
        text.push_str(&columns(
            &std::iter::once(heads.map(str::to_owned)).chain(stages).collect::<Vec<_>>(),
        ));
        text.push_str(&more(audit.stages.len(), "stage"));
    }
    let others = audit.findings.iter().skip(usize::from(!audit.verdict.passed));
    let others: Vec<&Finding> = others.collect();
    if !others.is_empty() {
        text.push('\n');
    }
    for finding in others.iter().take(ROWS) {
        let mark = if finding.fails { "failed" } else { "note" };
        text.push_str(&format!("{mark}: {}\n", printable(&finding.sentence)));
        if let Some(change) = &finding.change {
            text.push_str(&format!("  {}\n", printable(change)));
        }
    }
    text.push_str(&more(others.len(), "finding"));
    if audit.verdict.passed {
        text.push_str(&format!("\npassed: {}\n", printable(&audit.verdict.reason)));
    }
    text
}

/// One line on an application that runs.
pub(crate) fn status_line(audit: &Audit) -> String {
    let worked = audit.nodes.iter().filter(|node| node.used.tasks > 0).count() as u64;
    let nodes =
        audit.nodes.iter().map(|node| format!("{} {}", node.node, percent(node.busy_share)));
    let nodes: Vec<String> = nodes.take(8).collect();
    let tasks = audit.nodes.iter().map(|node| node.used.tasks).fold(0, u64::saturating_add);
    let line = format!(
        "{:.1} s: {} worked, {}; busy: {}",
        audit.times.run,
        counted(worked, "node"),
        counted(tasks, "task"),
        nodes.join(", ")
    );
    printable(&line) + "\n"
}
