//! `[emr.NAME]`. Flags of the command are such options too.

use distil_emr::{Dollars, Options};
use distil_plan::{Error, Hint, Result};
use distil_storage::Storage;

use super::declare::{Heading, options};
use super::values::{PathTexts, Prices, Properties, Texts};

options! {
    /// What a cluster of Amazon EMR is made of, and what it may cost.
    pub struct EmrOptions {
        /// Where the files, logs and reports of clusters go: s3://BUCKET/PREFIX
        #[heading = Heading::Cluster]
        #[value = "URL"]
        bucket: String,
        /// The wheel of distil for the nodes, and others beside it: paths of this machine, or URLs of S3
        #[heading = Heading::Cluster]
        wheel: PathTexts,
        /// All nodes, the primary among them
        #[heading = Heading::Cluster]
        #[default = "3"]
        nodes: u64,
        /// The type of the nodes
        #[heading = Heading::Cluster]
        #[default = "m5.xlarge"]
        #[value = "TYPE"]
        instance_type: String,
        /// Another type for the primary
        #[heading = Heading::Cluster]
        #[default = "that of all nodes"]
        #[value = "TYPE"]
        primary_type: String,
        /// The release of EMR
        #[heading = Heading::Cluster]
        #[default = "emr-7.13.0"]
        #[value = "LABEL"]
        release: String,
        /// The subnet
        #[heading = Heading::Cluster]
        #[default = "one of the default network"]
        #[value = "SUBNET"]
        subnet: String,
        /// The key pair for SSH to the nodes
        #[heading = Heading::Cluster]
        #[value = "NAME"]
        key_pair: String,
        /// The role of the service
        #[default = "EMR_DefaultRole"]
        service_role: String,
        /// The role of the nodes, which reads and writes the data
        #[default = "EMR_EC2_DefaultRole"]
        instance_role: String,
        /// The Python of the nodes, 3.11 or later; installed where it is missing
        #[default = "python3.11"]
        python: String,
        /// What pip installs beside the wheels; Spark asks for pandas and pyarrow
        #[default = "pandas, pyarrow"]
        packages: Texts,
        /// Applications of EMR
        #[default = "Spark"]
        applications: Texts,
        /// Properties of Spark
        conf: Properties,
        /// GiB of disk for each node, beside 15 for the system
        #[default = "64"]
        volume_gib: u64,
        /// Whether the cluster waits for more jobs after the last one, and costs money until it is ended
        #[heading = Heading::Cost]
        keep: bool,
        /// Minutes without work after which a cluster that is kept ends
        #[heading = Heading::Cost]
        #[default = "15"]
        idle_minutes: u64,
        /// Minutes after which a cluster ends whatever it does
        #[heading = Heading::Cost]
        #[default = "120"]
        max_minutes: u64,
        /// Refuse a cluster that may cost more dollars
        #[heading = Heading::Cost]
        #[default = "5"]
        max_cost: Dollars,
        /// Prices that count instead of those of docs/cluster.md: dollars an hour, EC2 and EMR together
        prices: Prices,
    }
}

impl EmrOptions {
    /// All options of the section of this name, with what holds where nothing is said.
    ///
    /// # Errors
    /// A usage error without a bucket, and for what can't be.
    pub fn resolve(self, name: &str) -> Result<Options> {
        let Some(bucket) = self.bucket else {
            return Err(Error::usage(format!(
                "emr.{name}.bucket: the place for files and logs is missing"
            ))
            .help(Hint::set(
                "name a bucket that you can write to",
                "bucket",
                "s3://my-bucket/distil",
            )));
        };
        let mut options = Options::new(name, &bucket);
        let set = |place: &mut String, value: Option<String>| {
            if let Some(value) = value {
                *place = value;
            }
        };
        set(&mut options.instance_type, self.instance_type);
        set(&mut options.release, self.release);
        set(&mut options.service_role, self.service_role);
        set(&mut options.instance_role, self.instance_role);
        set(&mut options.python, self.python);
        let set = |place: &mut Vec<String>, value: Option<Vec<String>>| {
            if let Some(value) = value {
                *place = value;
            }
        };
        set(&mut options.wheels, self.wheel.map(|texts| texts.0));
        set(&mut options.packages, self.packages.map(|texts| texts.0));
        set(&mut options.applications, self.applications.map(|texts| texts.0));
        let set = |place: &mut u64, value: Option<u64>| *place = value.unwrap_or(*place);
        set(&mut options.nodes, self.nodes);
        set(&mut options.volume_gib, self.volume_gib);
        set(&mut options.idle_minutes, self.idle_minutes);
        set(&mut options.max_minutes, self.max_minutes);
        options.primary_type = self.primary_type;
        options.subnet = self.subnet;
        options.key_pair = self.key_pair;
        options.conf = self.conf.map(|conf| conf.0).unwrap_or_default();
        options.keep = self.keep.unwrap_or(options.keep);
        options.max_cost = self.max_cost.unwrap_or(options.max_cost);
        options.prices = self.prices.map(|prices| prices.0).unwrap_or_default();
        options.check()?;
        Ok(options)
    }

    /// As [`EmrOptions::resolve`], for a cluster that is there: nothing is written to a bucket that is named here.
    ///
    /// # Errors
    /// A usage error for what can't be.
    pub fn resolve_running(mut self, name: &str) -> Result<Options> {
        self.bucket.get_or_insert_with(|| "s3://not-used".to_owned());
        self.resolve(name)
    }
}

/// Checks that the wheels of this machine are there, before anything is asked of AWS.
///
/// # Errors
/// A usage error for one that is not.
pub fn check_wheels(storage: &dyn Storage, options: &Options) -> Result<()> {
    for wheel in options.wheels.iter().filter(|wheel| !wheel.starts_with("s3://")) {
        if storage.metadata(wheel.as_ref())?.is_none() {
            let error = Error::usage("there is no such wheel").at(wheel, None);
            return Err(error.output("nothing was created").help("make it: make wheel"));
        }
    }
    Ok(())
}
