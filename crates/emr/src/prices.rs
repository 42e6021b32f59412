//! What a cluster costs: prices with their date, and the most that a cluster can come to.

use distil_plan::{Code, Error, Hint, Result};
use serde::Serialize;

use crate::money::Dollars;
use crate::options::Options;

/// When the prices were written down. They are not asked for: AWS changes them, and has others in each region.
pub const AS_OF: &str = "2026-12-01";
/// The region that they are of.
pub const REGION: &str = "us-east-1";

/// A type of instance that EMR runs on.
pub(crate) struct Machine {
    name: &'static str,
    /// EC2 (Linux, on demand), in millionths of a dollar an hour.
    ec2: u64,
    /// EMR's fee, in the same.
    fee: u64,
    pub(crate) cores: u64,
    pub(crate) gib: u64,
}

const fn machine(name: &'static str, ec2: u64, fee: u64, cores: u64, gib: u64) -> Machine {
    Machine { name, ec2, fee, cores, gib }
}

/// All of x86, as the wheel is.
const MACHINES: [Machine; 12] = [
    machine("m5.xlarge", 192_000, 48_000, 4, 16),
    machine("m5.2xlarge", 384_000, 96_000, 8, 32),
    machine("m5.4xlarge", 768_000, 192_000, 16, 64),
    machine("m6i.xlarge", 192_000, 48_000, 4, 16),
    machine("m6i.2xlarge", 384_000, 96_000, 8, 32),
    machine("c5.xlarge", 170_000, 43_000, 4, 8),
    machine("c5.2xlarge", 340_000, 85_000, 8, 16),
    machine("c5.4xlarge", 680_000, 170_000, 16, 32),
    machine("r5.xlarge", 252_000, 63_000, 4, 32),
    machine("r5.2xlarge", 504_000, 126_000, 8, 64),
    machine("r5.4xlarge", 1_008_000, 252_000, 16, 128),
    machine("i3.xlarge", 312_000, 78_000, 4, 30),
];

/// The type of this name, if it is known here.
pub(crate) fn known(instance_type: &str) -> Option<&'static Machine> {
    MACHINES.iter().find(|machine| machine.name == instance_type)
}

/// A GiB of a gp3 volume for a month of 730 hours, in millionths of a dollar.
const VOLUME: u64 = 80_000;
const HOURS_A_MONTH: u64 = 730;
/// The volume of the system, as the request has it.
pub(crate) const ROOT_GIB: u64 = 15;
/// A public IPv4 address for an hour, which nodes of a public subnet have.
const ADDRESS: Dollars = Dollars::millionths(5_000);

/// Minutes beside `max_minutes` that a cluster may take: the limit on the primary counts from when it has started, and
/// nodes take a while to end.
const MARGIN: u64 = 15;

/// The price of an hour of one instance, and what it is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Price {
    /// The type of the instance.
    pub instance_type: String,
    /// All of it.
    pub hour: Dollars,
    /// How it is made up, for people.
    pub parts: String,
}

/// # Errors
/// A usage error for a type that neither the table nor the options have.
pub(crate) fn price(options: &Options, instance_type: &str) -> Result<Price> {
    let volumes = ROOT_GIB + options.volume_gib;
    let disks = Dollars::millionths((VOLUME * volumes).div_ceil(HOURS_A_MONTH));
    let (machine, told) = match (options.prices.get(instance_type), known(instance_type)) {
        (Some(given), _) => (*given, format!("{} with EMR, as configured", given.exact())),
        (None, Some(machine)) => {
            let (ec2, fee) = (Dollars::millionths(machine.ec2), Dollars::millionths(machine.fee));
            (ec2.plus(fee), format!("EC2 {}, EMR {}", ec2.exact(), fee.exact()))
        }
        (None, None) => return Err(unknown(options, instance_type)),
    };
    Ok(Price {
        instance_type: instance_type.to_owned(),
        hour: machine.plus(disks).plus(ADDRESS),
        parts: format!(
            "{told}, {volumes} GiB of disk {}, public address {}",
            disks.exact(),
            ADDRESS.exact()
        ),
    })
}

fn unknown(options: &Options, instance_type: &str) -> Error {
    let known: Vec<&str> = MACHINES.iter().map(|machine| machine.name).collect();
    Error::usage(format!("the price of {instance_type} is not known"))
        .help(format!(
            "give it in the configuration, in dollars an hour, EC2 and EMR together: \
             [emr.{}.prices] \"{instance_type}\" = 0.5",
            options.name
        ))
        .help(format!("or take one of {}", known.join(", ")))
}

/// The most that a cluster can cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Estimate {
    /// The sum.
    pub dollars: Dollars,
    /// All nodes for an hour.
    pub hour: Dollars,
    /// The minutes that are paid for.
    pub minutes: u64,
    /// The nodes of each type, with the price of one.
    pub nodes: Vec<(u64, Price)>,
    max_minutes: u64,
}

/// The most that a cluster with these options can cost.
///
/// # Errors
/// A usage error for a type of instance whose price is not known.
pub fn estimate(options: &Options) -> Result<Estimate> {
    let types = options.types().into_iter();
    let nodes: Vec<(u64, Price)> =
        types.map(|(name, count)| Ok((count, price(options, name)?))).collect::<Result<_>>()?;
    let hour = nodes
        .iter()
        .fold(Dollars::default(), |sum, (count, price)| sum.plus(price.hour.times(*count)));
    let minutes = options.max_minutes + MARGIN;
    let dollars = hour.for_seconds(minutes * 60);
    Ok(Estimate { dollars, hour, minutes, nodes, max_minutes: options.max_minutes })
}

impl Estimate {
    /// # Errors
    /// A usage error if it is above the most that the options allow.
    pub fn check(&self, options: &Options) -> Result<()> {
        if self.dollars <= options.max_cost {
            return Ok(());
        }
        let what = format!(
            "the cluster may cost {} dollars, and at most {} are allowed",
            self.dollars, options.max_cost
        );
        let error = self
            .to_string()
            .lines()
            .fold(Error::usage(what), |error, line| error.detail(line.trim()));
        Err(error
            .coded(Code::TooExpensive)
            .output("nothing was created")
            .help(Hint::choose("give it less time", "max_minutes"))
            .help(Hint::set("or allow more", "max_cost", self.dollars.to_string())))
    }
}

/// How it is computed, in lines.
impl std::fmt::Display for Estimate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let nodes: u64 = self.nodes.iter().map(|(count, _)| count).sum();
        writeln!(
            f,
            "at most {} dollars: {} an hour for {} minutes (max_minutes {}, and {MARGIN} to start and to end)",
            self.dollars,
            self.hour.exact(),
            self.minutes,
            self.max_minutes
        )?;
        for (count, price) in &self.nodes {
            writeln!(
                f,
                "  {count} of {nodes} nodes {}: {} an hour each ({})",
                price.instance_type,
                price.hour.exact(),
                price.parts
            )?;
        }
        writeln!(
            f,
            "  prices of {REGION}, on demand, as of {AS_OF}; not in it: S3, traffic between zones, taxes"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estimate_says_how_it_is_computed() {
        let found = estimate(&Options::new("big", "s3://bucket")).unwrap();
        assert_eq!(
            found.to_string(),
            "at most 1.72 dollars: 0.760974 an hour for 135 minutes (max_minutes 120, and 15 to start and to end)\n\
             \x20 3 of 3 nodes m5.xlarge: 0.253658 an hour each (EC2 0.192, EMR 0.048, 79 GiB of disk 0.008658, public address 0.005)\n\
             \x20 prices of us-east-1, on demand, as of 2026-12-01; not in it: S3, traffic between zones, taxes\n"
        );
        // 3 x 0.253658 x 2.25 hours.
        assert_eq!(found.dollars, Dollars::millionths(1_712_192));
    }

    #[test]
    fn what_may_cost_more_than_is_allowed_is_refused_and_configured_prices_count() {
        let mut options = Options::new("big", "s3://bucket");
        options.nodes = 10;
        let error = estimate(&options).unwrap().check(&options).unwrap_err();
        assert_eq!(error.code, Code::TooExpensive);
        assert_eq!(error.what, "the cluster may cost 5.71 dollars, and at most 5.00 are allowed");
        assert_eq!(error.details.len(), 3);
        options.prices.insert("m5.xlarge".into(), "0.1".parse().unwrap());
        let found = estimate(&options).unwrap();
        found.check(&options).unwrap();
        assert_eq!(found.dollars, Dollars::millionths(113_658 * 10).for_seconds(135 * 60));
        options.max_cost = found.dollars;
        found.check(&options).unwrap();
        options.instance_type = "x1.huge".into();
        let error = estimate(&options).unwrap_err();
        assert_eq!(error.what, "the price of x1.huge is not known");
        assert!(error.hints[0].text.contains("[emr.big.prices] \"x1.huge\" = 0.5"));
    }
}
