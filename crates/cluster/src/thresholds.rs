//! What a run must come to, to pass.

use std::str::FromStr;

use distil_plan::{Error, Result};
use serde::Serialize;

/// Thresholds of a verdict.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Thresholds {
    /// The nodes that must have worked, besides those that the cluster names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nodes: Option<ExpectedNodes>,
    /// The least share of the time of its cores that a node must have been busy, counted from its own start.
    pub min_busy: f64,
    /// The most by which these shares may differ.
    pub max_spread: f64,
    /// The most times that a task may take as long as the median of its stage.
    pub max_skew: f64,
}

impl Default for Thresholds {
    /// What healthy runs keep on cold executors: of those recorded the least was 34 % busy, and of runs of no more than
    /// start-up and one short stage 44 %.
    fn default() -> Self {
        Self { nodes: None, min_busy: 0.25, max_spread: 0.4, max_skew: 3.0 }
    }
}

/// Nodes that must have worked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum ExpectedNodes {
    /// This number of them.
    Count(u64),
    /// Those of these names.
    Names(Vec<String>),
}

impl FromStr for ExpectedNodes {
    type Err = Error;

    /// Reads a number, or names between commas.
    fn from_str(text: &str) -> Result<Self> {
        if let Ok(count) = text.trim().parse::<u64>() {
            return Ok(Self::Count(count));
        }
        let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
        match names.iter().any(String::is_empty) {
            false => Ok(Self::Names(names)),
            true => Err(Error::usage(format!("`{text}` is neither a number nor names of nodes"))
                .help("write a number such as 3, or names such as node1,node2,node3")),
        }
    }
}
