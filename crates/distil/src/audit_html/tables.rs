//! The figures by node, stage and executor, and what was asked for.

use distil_cluster::{Audit, ExpectedNodes, Used};
use distil_plan::{format_bytes, format_count};

use super::{heading, percent};
use crate::report_html::html::{Html, details};
use crate::report_html::table::{Table, number, text as words};
use crate::report_html::text;

/// Most rows of a table, and bytes of them.
const ROWS: u64 = 200;
const ROOM: usize = 200_000;

/// A number and its unit, which stay on one line.
fn together(text: &str) -> String {
    text.replace(' ', "\u{a0}")
}

/// Bytes, as a dash where there are none.
fn bytes(bytes: u64) -> String {
    if bytes == 0 { "–".to_owned() } else { together(&format_bytes(bytes)) }
}

/// A length of time.
fn duration(seconds: f64) -> String {
    together(&text::duration(seconds))
}

/// Counts of tasks that did not simply end well, as in `2 failed, 1 speculative`.
fn troubles(used: &Used) -> String {
    let counts =
        [(used.failed, "failed"), (used.killed, "killed"), (used.speculative, "speculative")];
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let texts: Vec<String> =
        counts.map(|(count, what)| format!("{} {what}", format_count(*count))).collect();
    if texts.is_empty() { "–".to_owned() } else { texts.join(", ") }
}

/// The nodes.
pub(super) fn nodes(audit: &Audit) -> Html {
    let headings = [
        words("node"),
        number("executors"),
        number("cores"),
        number("came after"),
        number("tasks"),
        number("busy"),
        number("Java CPU"),
        number("garbage"),
        number("input"),
        number("shuffle read"),
        number("written"),
        number("spilled"),
        words("tasks besides"),
    ];
    let mut table = Table::new(headings, ROWS, ROOM);
    for node in &audit.nodes {
        let used = &node.used;
        let cores = match node.offered_cores {
            Some(offered) => format!("{} of {offered}", node.cores),
            None => node.cores.to_string(),
        };
        let shown = table.row([
            (&node.node, 60),
            (&node.executors.to_string(), 20),
            (&cores, 40),
            (&node.came_seconds.map_or("–".to_owned(), duration), 24),
            (&format_count(used.tasks), 24),
            (&percent(node.busy_share), 12),
            (&percent(used.cpu_share), 12),
            (&percent(used.gc_share), 12),
            (&bytes(used.input_bytes), 24),
            (&bytes(used.shuffle_read_bytes), 24),
            (&bytes(used.shuffle_write_bytes), 24),
            (&bytes(used.spilled_bytes), 24),
            (&troubles(used), 80),
        ]);
        if !shown {
            break;
        }
    }
    let mut html = heading("nodes");
    html.append(table.finish(audit.nodes.len() as u64, "nodes"));
    html
}

/// The stages.
pub(super) fn stages(audit: &Audit) -> Html {
    if audit.stages.is_empty() {
        return Html::default();
    }
    let headings = [
        number("stage"),
        number("began"),
        number("took"),
        number("tasks"),
        number("median"),
        number("longest"),
        number("late"),
        number("Java CPU"),
        number("input"),
        number("shuffle read"),
        number("written"),
        number("spilled"),
        words("where"),
    ];
    let mut table = Table::new(headings, ROWS, ROOM);
    for stage in &audit.stages {
        let id = match stage.attempt {
            0 => stage.stage.to_string(),
            attempt => format!("{} attempt {attempt}", stage.stage),
        };
        let length =
            |seconds: f64| if seconds > 0.0 { duration(seconds) } else { "–".to_owned() };
        let shown = table.row([
            (&id, 40),
            (&duration(stage.begin_seconds), 24),
            (&duration(stage.seconds), 24),
            (&format_count(stage.tasks), 24),
            (&length(stage.median_seconds), 24),
            (&length(stage.longest_seconds), 24),
            (&format_count(stage.stragglers), 24),
            (&percent(stage.cpu_share), 12),
            (&bytes(stage.input_bytes), 24),
            (&bytes(stage.shuffle_read_bytes), 24),
            (&bytes(stage.shuffle_write_bytes), 24),
            (&bytes(stage.spilled_bytes), 24),
            (&stage.name, 60),
        ]);
        if !shown {
            break;
        }
    }
    let mut html = heading("stages");
    html.append(table.finish(audit.stages.len() as u64, "stages"));
    html.markup(
        "<div style=\"opacity:.75\">median and longest are without the first task on each core of an executor, \
         unless it read far more than others: those are slow on a cold one</div>\n",
    );
    html
}

/// The executors, which the reader opens.
pub(super) fn executors(audit: &Audit) -> Html {
    if audit.executors.is_empty() {
        return Html::default();
    }
    let headings = [
        words("executor"),
        words("node"),
        number("cores"),
        number("came after"),
        number("went after"),
        number("tasks"),
        number("busy"),
        number("Java CPU"),
        number("garbage"),
        words("why it went"),
    ];
    let mut table = Table::new(headings, ROWS, ROOM);
    for executor in &audit.executors {
        let shown = table.row([
            (&executor.executor, 60),
            (&executor.node, 60),
            (&executor.cores.to_string(), 20),
            (&duration(executor.came_seconds), 24),
            (&executor.went_seconds.map_or("–".to_owned(), duration), 24),
            (&format_count(executor.used.tasks), 24),
            (&percent(executor.busy_share), 12),
            (&percent(executor.used.cpu_share), 12),
            (&percent(executor.used.gc_share), 12),
            (executor.reason.as_deref().unwrap_or("–"), 80),
        ]);
        if !shown {
            break;
        }
    }
    let mut title = Html::default();
    title.markup("executors");
    details(title, table.finish(audit.executors.len() as u64, "executors"))
}

/// Where the time went, what the cluster has, and the thresholds.
pub(super) fn asked(audit: &Audit) -> Html {
    let (times, thresholds) = (&audit.times, &audit.thresholds);
    let mut facts = vec![
        format!("first executor after {}", duration(times.until_executor)),
        format!("stages {}", duration(times.stages)),
        format!("driver alone {}", duration(times.driver_only)),
    ];
    if let Some(cluster) = &audit.cluster {
        facts.push(format!(
            "{}: {} nodes, {} cores, {}",
            cluster.kind,
            cluster.nodes,
            cluster.cores,
            format_bytes(cluster.memory_mb.saturating_mul(1 << 20))
        ));
        facts.extend(
            cluster.allocated_share.map(|share| format!("given {} of its cores", percent(share))),
        );
    }
    facts.push(format!("at least {} busy", percent(thresholds.min_busy)));
    facts.push(format!("at most {} apart", percent(thresholds.max_spread)));
    facts.push(format!("a task at most {} times the median", thresholds.max_skew));
    match &thresholds.nodes {
        None => {}
        Some(ExpectedNodes::Count(count)) => facts.push(format!("{count} nodes")),
        Some(ExpectedNodes::Names(names)) => facts.push(format!("nodes {}", names.join(", "))),
    }
    facts.push(format!("distil {}", audit.distil));
    let mut html = Html::default();
    html.markup("<div style=\"opacity:.75;margin-top:12px\">");
    for (at, fact) in facts.iter().enumerate() {
        html.markup(if at > 0 { " · " } else { "" });
        html.text(fact, 200);
    }
    html.markup("</div>\n");
    html
}
