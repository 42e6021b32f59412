//! What is asked of EMR: the request that creates a cluster, and its steps. Pure: the same options, the same request.

use distil_plan::{Error, Result};
use serde_json::{Map, Value, json};

use crate::options::Options;
use crate::prices::{ROOT_GIB, known};

/// What every node runs before Hadoop starts.
pub const BOOTSTRAP: &str = include_str!("bootstrap.sh");
/// Where [`BOOTSTRAP`] puts the application.
const APPLICATION: &str = "/opt/distil/application.py";
/// The tag that a cluster is found again by: the name of its section.
pub(crate) const NAME_TAG: &str = "distil";
/// The tag with its hard limit.
pub(crate) const LIMIT_TAG: &str = "distil-max-minutes";

/// The places of a cluster in S3: all below one prefix, which is its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    base: String,
}

impl Places {
    /// Those of a cluster with this identity, which is its name as well.
    pub fn new(options: &Options, identity: &str) -> Self {
        Self { base: format!("{}/{identity}", options.bucket) }
    }

    /// Those of a cluster that is there, from where its logs go; `None` if that is not how this crate lays them out.
    pub fn of_log_uri(log_uri: &str) -> Option<Self> {
        // EMR shows what it was given with the scheme of its first file system.
        let rest = log_uri.strip_prefix("s3n://").or(log_uri.strip_prefix("s3://"))?;
        let base = rest.strip_suffix("/logs/")?;
        Some(Self { base: format!("s3://{base}") })
    }

    /// Where EMR copies logs.
    pub fn logs(&self) -> String {
        format!("{}/logs/", self.base)
    }

    /// Where Spark writes event logs.
    pub fn events(&self) -> String {
        format!("{}/events/", self.base)
    }

    /// The bootstrap action.
    pub fn bootstrap(&self) -> String {
        format!("{}/bootstrap.sh", self.base)
    }

    /// A wheel: where it lies, or where it is copied to.
    pub fn wheel(&self, wheel: &str) -> String {
        match wheel.starts_with("s3://") {
            true => wheel.to_owned(),
            false => format!("{}/{}", self.base, wheel.rsplit('/').next().unwrap_or(wheel)),
        }
    }

    /// The plan of a job.
    pub fn plan(&self, job: &str) -> String {
        format!("{}/jobs/{job}/plan.json", self.base)
    }

    /// The report of a job.
    pub fn report(&self, job: &str) -> String {
        format!("{}/jobs/{job}/report.json", self.base)
    }
}

/// The request `RunJobFlow`: a cluster of this identity, with a step for the job if one is given.
///
/// # Errors
/// A usage error without a wheel.
pub fn run_job_flow(options: &Options, identity: &str, job: Option<&str>) -> Result<Value> {
    options.check()?;
    if options.wheels.is_empty() {
        return Err(Error::usage(format!(
            "emr.{}.wheel: the wheel of distil is missing",
            options.name
        ))
        .help("make it, and name it: make wheel; wheel = \"target/wheels/distil-....whl\""));
    }
    let places = Places::new(options, identity);
    let mut bootstrap =
        vec![options.max_minutes.to_string(), options.python.clone(), options.packages.join(" ")];
    bootstrap.extend(options.wheels.iter().map(|wheel| places.wheel(wheel)));
    let mut request = json!({
        "Name": identity,
        "ReleaseLabel": options.release,
        "LogUri": places.logs(),
        "Applications": options.applications.iter().map(|name| json!({"Name": name})).collect::<Vec<_>>(),
        "Instances": instances(options),
        "EbsRootVolumeSize": ROOT_GIB,
        "BootstrapActions": [
            {"Name": "distil", "ScriptBootstrapAction": {"Path": places.bootstrap(), "Args": bootstrap}},
        ],
        "Configurations": configurations(options, &places),
        "JobFlowRole": options.instance_role,
        "ServiceRole": options.service_role,
        "VisibleToAllUsers": true,
        "Tags": [
            {"Key": NAME_TAG, "Value": options.name},
            {"Key": LIMIT_TAG, "Value": options.max_minutes.to_string()},
        ],
    });
    if options.keep {
        request["AutoTerminationPolicy"] = json!({"IdleTimeout": options.idle_minutes * 60});
    }
    if let Some(job) = job {
        request["Steps"] = json!([step(&places, job, options.keep)]);
    }
    Ok(request)
}

/// A step that runs the plan of a job in cluster mode: the driver is on a node, and the report goes to S3. Where the
/// cluster ends after its last step, it ends with one that fails, too.
pub fn step(places: &Places, job: &str, is_kept: bool) -> Value {
    let plan = format!("{}#plan.json", places.plan(job));
    json!({
        "Name": format!("distil {job}"),
        "ActionOnFailure": if is_kept { "CONTINUE" } else { "TERMINATE_CLUSTER" },
        "HadoopJarStep": {
            "Jar": "command-runner.jar",
            "Args": [
                "spark-submit", "--deploy-mode", "cluster", "--name", format!("distil-{job}"),
                "--files", plan, APPLICATION, "plan.json", places.report(job),
            ],
        },
    })
}

fn instances(options: &Options) -> Value {
    let primary = options.primary_type.as_ref().unwrap_or(&options.instance_type);
    let mut groups = vec![group(options, "MASTER", primary, 1)];
    if options.nodes > 1 {
        groups.push(group(options, "CORE", &options.instance_type, options.nodes - 1));
    }
    let mut found = json!({
        "InstanceGroups": groups,
        "KeepJobFlowAliveWhenNoSteps": options.keep,
        "TerminationProtected": false,
    });
    for (name, value) in [("Ec2SubnetId", &options.subnet), ("Ec2KeyName", &options.key_pair)] {
        if let Some(value) = value {
            found[name] = json!(value);
        }
    }
    found
}

/// The volume is stated, since its default follows the type of the instance and is paid for.
fn group(options: &Options, role: &str, instance_type: &str, count: u64) -> Value {
    json!({
        "Name": if role == "MASTER" { "primary" } else { "core" },
        "InstanceRole": role,
        "InstanceType": instance_type,
        "InstanceCount": count,
        "Market": "ON_DEMAND",
        "EbsConfiguration": {"EbsBlockDeviceConfigs": [
            {"VolumeSpecification": {"VolumeType": "gp3", "SizeInGB": options.volume_gib}, "VolumesPerInstance": 1},
        ]},
    })
}

/// The event log outlives the cluster, and its own History Server reads it, too.
fn configurations(options: &Options, places: &Places) -> Value {
    let mut spark = Map::new();
    for (name, value) in [
        ("spark.pyspark.python", options.python.as_str()),
        ("spark.pyspark.driver.python", &options.python),
        ("spark.eventLog.enabled", "true"),
        ("spark.eventLog.dir", &places.events()),
        ("spark.history.fs.logDirectory", &places.events()),
    ] {
        spark.insert(name.to_owned(), json!(value));
    }
    spark.extend(executors(options));
    spark.extend(options.conf.iter().map(|(name, value)| (name.clone(), json!(value))));
    json!([{"Classification": "spark-defaults", "Properties": spark}])
}

/// Two executors on each node that computes, with half of its cores each, and room for the driver on any of them: all are
/// there from the beginning, since the job is cut by the cores that it finds. They and the driver take five eighths of the
/// memory of a node, less than YARN has of it; half of a container is for the processes of Python, where the kernels run.
/// Nothing for a type whose size is not known: then EMR's own settings hold.
fn executors(options: &Options) -> Map<String, Value> {
    let mut found = Map::new();
    let Some(machine) = known(&options.instance_type) else { return found };
    // The primary computes only where it is alone.
    let nodes = options.nodes.saturating_sub(1).max(1);
    let mebibytes = |sixty_fourths: u64| format!("{}m", machine.gib * 1024 / 64 * sixty_fourths);
    for (name, value) in [
        ("spark.dynamicAllocation.enabled", "false".to_owned()),
        ("spark.executor.instances", (nodes * 2).to_string()),
        ("spark.executor.cores", (machine.cores / 2).to_string()),
        ("spark.executor.memory", mebibytes(7)),
        ("spark.executor.memoryOverhead", mebibytes(7)),
        ("spark.driver.memory", mebibytes(7)),
        ("spark.driver.memoryOverhead", mebibytes(5)),
    ] {
        found.insert(name.to_owned(), json!(value));
    }
    found
}
