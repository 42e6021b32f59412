//! How many cores were busy when.

use std::collections::HashMap;

use serde::Serialize;

use crate::application::{Application, Task};
use crate::audit::NodeUse;

/// Parts of equal length that a run is cut into.
const PARTS: usize = 120;
/// Most nodes that have a line.
const NODES: usize = 500;

/// The cores that were busy on each node, over the time of the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Timeline {
    /// Seconds of each part of the run.
    pub part_seconds: f64,
    /// The lines of the nodes, in the order of [`crate::Audit::nodes`].
    pub nodes: Vec<NodeLine>,
}

/// The line of one node.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NodeLine {
    /// The node.
    pub node: String,
    /// Cores that its executors had at once.
    pub cores: u64,
    /// Busy cores on the average of each part of the run.
    pub busy: Vec<f64>,
}

/// Core-milliseconds by part. A task costs a few additions, however long it is: what lies between its first and its last
/// part is a difference to the part before.
struct Busy {
    begin: f64,
    part: f64,
    edges: Vec<f64>,
    whole: Vec<f64>,
}

impl Busy {
    fn add(&mut self, task: &Task, cpus: f64) {
        let place = |time: i64| (time as f64 - self.begin) / self.part;
        let last = PARTS as f64;
        let from = place(task.launched).clamp(0.0, last);
        let to = place(task.finished).clamp(0.0, last);
        let (first, end) = ((from as usize).min(PARTS - 1), (to as usize).min(PARTS - 1));
        if first == end {
            self.edges[first] += (to - from) * cpus;
            return;
        }
        self.edges[first] += (first as f64 + 1.0 - from) * cpus;
        self.edges[end] += (to - end as f64) * cpus;
        self.whole[first + 1] += cpus;
        self.whole[end] -= cpus;
    }

    fn line(self) -> Vec<f64> {
        let mut level = 0.0;
        let parts = self.edges.iter().zip(&self.whole).map(|(edge, change)| {
            level += change;
            ((edge + level) * 1000.0).round() / 1000.0
        });
        // No rounding may make less than nothing of it.
        parts.map(|busy| busy.max(0.0)).collect()
    }
}

/// The timeline of a run that began and ended at these instants.
pub(crate) fn timeline(
    application: &Application,
    (begin, end): (i64, i64),
    nodes: &[NodeUse],
    cpus: f64,
) -> Timeline {
    let length = (end - begin).max(1) as f64;
    let part = length / PARTS as f64;
    let begin = begin as f64;
    let nodes = &nodes[..nodes.len().min(NODES)];
    let mut lines: Vec<Busy> = nodes
        .iter()
        .map(|_| Busy { begin, part, edges: vec![0.0; PARTS], whole: vec![0.0; PARTS] })
        .collect();
    let places: HashMap<&str, usize> =
        nodes.iter().enumerate().map(|(at, node)| (node.node.as_str(), at)).collect();
    let place_of: Vec<Option<usize>> = application
        .executors
        .iter()
        .map(|executor| places.get(executor.host.as_str()).copied())
        .collect();
    for task in &application.tasks {
        if let Some(Some(node)) = place_of.get(task.executor as usize) {
            lines[*node].add(task, cpus);
        }
    }
    let lines = lines.into_iter().zip(nodes).map(|(busy, node)| NodeLine {
        node: node.node.clone(),
        cores: node.cores,
        busy: busy.line(),
    });
    Timeline { part_seconds: part / 1000.0, nodes: lines.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::Outcome;

    #[test]
    fn what_is_busy_is_neither_lost_nor_counted_twice() {
        let mut busy =
            Busy { begin: 1000.0, part: 10.0, edges: vec![0.0; PARTS], whole: vec![0.0; PARTS] };
        let task = |launched, finished| Task {
            executor: 0,
            stage: 0,
            launched,
            finished,
            bytes: 0,
            outcome: Outcome::Done,
        };
        let spans =
            [(1000, 1010), (1005, 1035), (1002, 1003), (2195, 9000), (0, 1004), (1600, 1600)];
        for (from, to) in spans {
            busy.add(&task(from, to), 2.0);
        }
        let line = busy.line();
        assert_eq!(line.len(), PARTS);
        assert_eq!(line[..5], [2.0 + 1.0 + 0.2 + 0.8, 2.0, 2.0, 1.0, 0.0]);
        assert_eq!((line[118], line[119], line[60]), (0.0, 1.0, 0.0));
    }
}
