//! What a cluster came to.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::answers::{Cluster, Instance};
use crate::money::Dollars;
use crate::options::Options;
use crate::prices::{AS_OF, Price, REGION, price};

/// The least that is paid for an instance, in seconds.
const LEAST: u64 = 60;

/// The bill of a cluster, as far as prices are known here.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Receipt {
    /// `j-...`
    pub cluster: String,
    /// Its name.
    pub name: String,
    /// Its release.
    pub release: String,
    /// When it was asked for and when it had ended, in seconds since 1970.
    pub created: Option<i64>,
    /// See `created`; `None` while it runs.
    pub ended: Option<i64>,
    /// Nodes by type, those that were replaced too.
    pub nodes: Vec<Line>,
    /// Seconds that are paid for, of all nodes together.
    pub node_seconds: u64,
    /// All of it; `None` where a price is not known.
    pub dollars: Option<Dollars>,
    /// Who or what ended it, in the words of EMR, and whether that was this command.
    pub ended_by: String,
}

/// The nodes of one type.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// How many there were.
    pub count: u64,
    /// Their type.
    pub instance_type: String,
    /// Seconds that are paid for, together.
    pub seconds: u64,
    /// The price of an hour of one; `None` if it is not known.
    pub price: Option<Price>,
}

impl Receipt {
    /// That of a cluster with these instances. What still runs is counted until `now`, in seconds since 1970.
    pub(crate) fn of(
        options: &Options,
        cluster: &Cluster,
        instances: &[Instance],
        now: i64,
        by_this: Option<&str>,
    ) -> Self {
        let mut by_type: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for instance in instances {
            let began = instance.created.or(cluster.created).unwrap_or(now);
            let ended = instance.ended.or(cluster.ended).unwrap_or(now);
            let seconds = u64::try_from(ended.saturating_sub(began)).unwrap_or(0).max(LEAST);
            let sum = by_type.entry(&instance.instance_type).or_default();
            *sum = (sum.0 + 1, sum.1.saturating_add(seconds));
        }
        let line = |(instance_type, (count, seconds)): (&str, (u64, u64))| Line {
            count,
            instance_type: instance_type.to_owned(),
            seconds,
            price: price(options, instance_type).ok(),
        };
        let nodes: Vec<Line> = by_type.into_iter().map(line).collect();
        let paid = |line: &Line| Some(line.price.as_ref()?.hour.for_seconds(line.seconds));
        let dollars =
            nodes.iter().try_fold(Dollars::default(), |sum, line| Some(sum.plus(paid(line)?)));
        let ended_by = match (cluster.is_over(), by_this) {
            (false, _) => format!("it is {}", cluster.state),
            (true, Some(why)) => format!("this command, {why} ({})", cluster.reason()),
            (true, None) => cluster.reason(),
        };
        Self {
            cluster: cluster.id.clone(),
            name: cluster.name.clone(),
            release: cluster.release.clone(),
            created: cluster.created,
            ended: cluster.ended,
            node_seconds: nodes.iter().fold(0, |sum, line| sum.saturating_add(line.seconds)),
            nodes,
            dollars,
            ended_by,
        }
    }

    /// The sum as text.
    pub fn sum(&self) -> String {
        self.dollars
            .map_or("of an unknown price".to_owned(), |dollars| format!("{dollars} dollars"))
    }
}

/// A table of its lines.
impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instant = |at: Option<i64>| {
            at.and_then(|at| jiff::Timestamp::from_second(at).ok())
                .map_or("-".to_owned(), |at| at.to_string())
        };
        writeln!(f, "cluster       {} {} ({})", self.cluster, self.name, self.release)?;
        writeln!(f, "time          {} to {}", instant(self.created), instant(self.ended))?;
        for Line { count, instance_type, seconds, price } in &self.nodes {
            let price = match price {
                Some(price) => {
                    format!("{} dollars an hour each ({})", price.hour.exact(), price.parts)
                }
                None => "the price is not known".to_owned(),
            };
            writeln!(
                f,
                "nodes         {count} {instance_type}, {seconds} seconds together: {price}"
            )?;
        }
        writeln!(f, "node-seconds  {}", self.node_seconds)?;
        let sum =
            self.dollars.map_or("not known".to_owned(), |sum| format!("{sum} ({})", sum.exact()));
        writeln!(
            f,
            "dollars       {sum}, by prices of {REGION} as of {AS_OF}; the bill of AWS counts"
        )?;
        writeln!(f, "ended by      {}", self.ended_by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(created: i64, ended: Option<i64>) -> Instance {
        Instance { instance_type: "m5.xlarge".into(), created: Some(created), ended }
    }

    #[test]
    fn node_seconds_are_counted_by_instance_and_paid_by_the_second() {
        let cluster = Cluster {
            id: "j-1".into(),
            name: "distil-big-1".into(),
            state: "TERMINATED".into(),
            code: "USER_REQUEST".into(),
            message: "Terminated by user request".into(),
            created: Some(1_796_097_600),
            ended: Some(1_796_098_600),
            release: "emr-7.13.0".into(),
            ..Cluster::default()
        };
        // One that was replaced after ten seconds is paid for a minute; one does not say when it ended.
        let instances = [
            instance(1_796_097_600, Some(1_796_098_500)),
            instance(1_796_097_600, Some(1_796_097_610)),
            instance(1_796_097_700, None),
        ];
        let options = Options::new("big", "s3://bucket");
        let receipt = Receipt::of(
            &options,
            &cluster,
            &instances,
            1_796_100_000,
            Some("asked by distil emr down"),
        );
        assert_eq!(receipt.node_seconds, 900 + 60 + 900);
        assert_eq!(
            receipt.to_string(),
            "cluster       j-1 distil-big-1 (emr-7.13.0)\n\
             time          2026-12-01T04:00:00Z to 2026-12-01T04:16:40Z\n\
             nodes         3 m5.xlarge, 1860 seconds together: 0.253658 dollars an hour each (EC2 0.192, EMR 0.048, 79 GiB of disk 0.008658, public address 0.005)\n\
             node-seconds  1860\n\
             dollars       0.14 (0.131057), by prices of us-east-1 as of 2026-12-01; the bill of AWS counts\n\
             ended by      this command, asked by distil emr down (USER_REQUEST: Terminated by user request)\n"
        );
    }

    #[test]
    fn clocks_that_run_backwards_and_unknown_types_end_in_no_panic() {
        let cluster =
            Cluster { created: Some(i64::MAX), ended: Some(i64::MIN), ..Cluster::default() };
        let mut odd = instance(i64::MAX, Some(i64::MIN));
        odd.instance_type = "quantum.large".into();
        let receipt = Receipt::of(&Options::new("big", "s3://bucket"), &cluster, &[odd], 0, None);
        assert_eq!((receipt.node_seconds, receipt.dollars), (60, None));
        assert!(receipt.to_string().contains("the price is not known"));
    }
}
