//! What a cluster is made of, and what can't be.

use std::collections::BTreeMap;

use distil_plan::{Error, Hint, Result};

use crate::money::Dollars;

/// The options of a cluster, with what holds where nothing was said.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The name of the section: clusters are found again by it.
    pub name: String,
    /// All nodes, the primary among them.
    pub nodes: u64,
    /// The type of all nodes.
    pub instance_type: String,
    /// Another type of the primary.
    pub primary_type: Option<String>,
    /// The release of EMR.
    pub release: String,
    /// `s3://BUCKET/PREFIX`: all files of a cluster go below it.
    pub bucket: String,
    /// The subnet; that of the default network without it.
    pub subnet: Option<String>,
    /// The key pair for SSH.
    pub key_pair: Option<String>,
    /// The role of the service.
    pub service_role: String,
    /// The instance profile of the nodes.
    pub instance_role: String,
    /// Wheels for the nodes, that of distil first: paths of this machine, or URLs of S3.
    pub wheels: Vec<String>,
    /// The Python of the nodes.
    pub python: String,
    /// Packages that pip installs beside the wheels.
    pub packages: Vec<String>,
    /// Applications of EMR.
    pub applications: Vec<String>,
    /// Properties of Spark.
    pub conf: BTreeMap<String, String>,
    /// The disk of each node, beside that of its system.
    pub volume_gib: u64,
    /// Whether the cluster waits for more steps after the last one.
    pub keep: bool,
    /// Minutes without work after which a cluster that is kept ends.
    pub idle_minutes: u64,
    /// Minutes after which it ends whatever it does.
    pub max_minutes: u64,
    /// No cluster is created that may cost more.
    pub max_cost: Dollars,
    /// Prices of an hour of an instance, EC2 and EMR together, by its type.
    pub prices: BTreeMap<String, Dollars>,
}

impl Options {
    /// Options of this name, below this `s3://BUCKET/PREFIX`, and defaults.
    pub fn new(name: &str, bucket: &str) -> Self {
        Self {
            name: name.to_owned(),
            nodes: 3,
            instance_type: "m5.xlarge".to_owned(),
            primary_type: None,
            release: "emr-7.13.0".to_owned(),
            bucket: bucket.trim_end_matches('/').to_owned(),
            subnet: None,
            key_pair: None,
            service_role: "EMR_DefaultRole".to_owned(),
            instance_role: "EMR_EC2_DefaultRole".to_owned(),
            wheels: Vec::new(),
            python: "python3.11".to_owned(),
            packages: vec!["pandas".to_owned(), "pyarrow".to_owned()],
            applications: vec!["Spark".to_owned()],
            conf: BTreeMap::new(),
            volume_gib: 64,
            keep: false,
            idle_minutes: 15,
            max_minutes: 120,
            max_cost: Dollars::millionths(5_000_000),
            prices: BTreeMap::new(),
        }
    }

    /// # Errors
    /// A usage error for what AWS would refuse after minutes, or what could not be found again.
    pub fn check(&self) -> Result<()> {
        let wrong = |option: &str, why: String| {
            Err(Error::usage(format!("emr.{}.{option}: {why}", self.name)))
        };
        let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        if self.name.is_empty()
            || self.name.len() > 64
            || !self.name.chars().all(|c| lower(c) || "_-".contains(c))
        {
            return Err(Error::usage(format!(
                "emr.{}: this can't be the name of a cluster",
                self.name
            ))
            .help("use lower case letters, digits, `-` and `_`"));
        }
        let bucket = self.bucket.strip_prefix("s3://").unwrap_or_default();
        let name = bucket.split('/').next().unwrap_or_default();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-=".contains(c);
        if name.len() < 3 || !bucket.chars().all(is_plain) {
            return Err(Error::usage(format!(
                "emr.{}.bucket: `{}` is not s3://BUCKET/PREFIX of letters, digits and `/._-=`",
                self.name, self.bucket
            ))
            .help(Hint::set(
                "name a bucket that you can write to",
                "bucket",
                "s3://my-bucket/distil",
            )));
        }
        for (option, value, most) in [
            ("nodes", self.nodes, 1000),
            ("volume_gib", self.volume_gib, 16_384),
            // What EMR takes as an idle timeout, and the longest that is left to itself.
            ("idle_minutes", self.idle_minutes, 10_080),
            ("max_minutes", self.max_minutes, 10_080),
        ] {
            if !(1..=most).contains(&value) {
                return wrong(option, format!("{value} is not between 1 and {most}"));
            }
        }
        let types = self.primary_type.iter().chain([&self.instance_type]);
        if let Some(odd) = types
            .into_iter()
            .find(|name| !name.contains('.') || !name.chars().all(|c| lower(c) || ".-".contains(c)))
        {
            return wrong(
                "instance_type",
                format!("`{odd}` is not a type of instance, such as m5.xlarge"),
            );
        }
        if !self.release.starts_with("emr-") {
            return wrong(
                "release",
                format!("`{}` is not a release, such as emr-7.13.0", self.release),
            );
        }
        if !self.python.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c)) {
            return wrong("python", format!("`{}` is not a program", self.python));
        }
        Ok(())
    }

    /// How many nodes there are of each type, the type of the primary first.
    pub(crate) fn types(&self) -> Vec<(&str, u64)> {
        match &self.primary_type {
            Some(primary) if *primary != self.instance_type => {
                let rest =
                    (self.nodes > 1).then_some((self.instance_type.as_str(), self.nodes - 1));
                std::iter::once((primary.as_str(), 1)).chain(rest).collect()
            }
            _ => vec![(self.instance_type.as_str(), self.nodes)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_aws_would_refuse_late_is_refused_at_once() {
        let good = Options::new("big", "s3://bucket/distil/");
        good.check().unwrap();
        assert_eq!(good.bucket, "s3://bucket/distil");
        let wrong = |change: fn(&mut Options)| {
            let mut options = good.clone();
            change(&mut options);
            options.check().unwrap_err().what
        };
        for (change, expected) in [
            ((|o| o.name = "Big".into()) as fn(&mut Options), "can't be the name of a cluster"),
            (|o| o.bucket = "bucket".into(), "emr.big.bucket: `bucket` is not s3://BUCKET/PREFIX"),
            (|o| o.bucket = "s3://b u/x".into(), "is not s3://BUCKET/PREFIX"),
            (|o| o.bucket = "s3://".into(), "is not s3://BUCKET/PREFIX"),
            (|o| o.nodes = 0, "emr.big.nodes: 0 is not between 1 and 1000"),
            (|o| o.max_minutes = 20_000, "emr.big.max_minutes: 20000 is not between"),
            (|o| o.primary_type = Some("m5; rm".into()), "`m5; rm` is not a type of instance"),
            (|o| o.release = "7.13".into(), "`7.13` is not a release"),
            (|o| o.python = "python3; true".into(), "is not a program"),
        ] {
            let what = wrong(change);
            assert!(what.contains(expected), "{what}");
        }
    }

    #[test]
    fn nodes_are_counted_by_their_type() {
        let mut options = Options::new("big", "s3://bucket");
        assert_eq!(options.types(), [("m5.xlarge", 3)]);
        options.primary_type = Some("m5.2xlarge".into());
        assert_eq!(options.types(), [("m5.2xlarge", 1), ("m5.xlarge", 2)]);
        options.nodes = 1;
        assert_eq!(options.types(), [("m5.2xlarge", 1)]);
    }
}
