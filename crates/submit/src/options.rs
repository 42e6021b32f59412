//! How an application is submitted, and what can't be.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use distil_external::ProcessOptions;
use distil_plan::{Error, Result};
use serde::Deserialize;

use crate::NAME;

/// Where the driver of the application runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeployMode {
    /// Beside this process.
    #[default]
    Client,
    /// On a node of the cluster.
    Cluster,
}

impl DeployMode {
    fn word(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Cluster => "cluster",
        }
    }
}

/// Properties of an application whose driver runs on a node, each with the reason.
const APART: [(&str, &str, &str); 2] = [
    // A run is an order, and its staging directory is used once. That Spark fails with an answer, YARN does not know.
    ("spark.yarn.maxAppAttempts", "1", "a driver that fails is not run again"),
    ("spark.yarn.submit.waitAppCompletion", "true", "the command waits for the application"),
];

/// How an application is submitted.
#[derive(Clone, Debug, PartialEq)]
pub struct SubmitOptions {
    /// The master, as Spark spells it.
    pub master: String,
    /// Where the driver runs.
    pub deploy_mode: DeployMode,
    /// The command `spark-submit`, and arguments that come first.
    pub submit: Vec<String>,
    /// The application; that of the package `distil` without it.
    pub application: Option<String>,
    /// The Python that has the package.
    pub python: String,
    /// Archives that Spark unpacks beside every executor.
    pub archives: Vec<String>,
    /// Properties of Spark.
    pub conf: BTreeMap<String, String>,
    /// Variables of the environment that no process gets.
    pub without: Vec<OsString>,
}

impl SubmitOptions {
    /// Options with this master, the commands that a shell finds, and nothing else.
    pub fn new(master: impl Into<String>) -> Self {
        Self {
            master: master.into(),
            deploy_mode: DeployMode::default(),
            submit: vec!["spark-submit".to_owned()],
            application: None,
            python: "python3".to_owned(),
            archives: Vec::new(),
            conf: BTreeMap::new(),
            without: Vec::new(),
        }
    }

    /// # Errors
    /// A usage error for what Spark or this backend does not support.
    pub(crate) fn check(&self) -> Result<()> {
        let master = &self.master;
        let is_local = master == "local" || master.starts_with("local[") || self.is_local_cluster();
        if !is_local && master != "yarn" && self.standalone().is_none() {
            return Err(Error::usage(format!(
                "the backend {NAME} can't run on the master `{master}`"
            ))
            .help("masters are: local[N], spark://HOST:PORT, yarn"));
        }
        if self.deploy_mode == DeployMode::Client {
            return Ok(());
        }
        if master == "yarn" {
            return self.check_conf();
        }
        let why = match master.as_str() {
            _ if is_local => "there is no cluster behind this master",
            _ => "Spark runs no applications of Python in this mode on a standalone cluster",
        };
        Err(Error::usage(format!(
            "the backend {NAME} can't use the deploy mode `cluster` with the master `{master}`: {why}"
        ))
        .help("leave it out, or write deploy_mode = \"client\""))
    }

    /// # Errors
    /// A usage error for a property that the deploy mode `cluster` stands on.
    fn check_conf(&self) -> Result<()> {
        let other = |(name, value, _): &&(&str, &str, &str)| {
            self.conf.get(*name).is_some_and(|given| given != value)
        };
        match APART.iter().find(other) {
            Some((name, value, why)) => Err(Error::usage(format!(
                "the backend {NAME} needs {name}={value} in the deploy mode `cluster`: {why}"
            ))
            .help(format!("leave {name} out of its conf"))),
            None => Ok(()),
        }
    }

    fn is_local_cluster(&self) -> bool {
        self.master.starts_with("local-cluster[")
    }

    /// The addresses of the masters of a standalone cluster.
    pub(crate) fn standalone(&self) -> Option<impl Iterator<Item = &str>> {
        Some(self.master.strip_prefix("spark://")?.split(','))
    }

    /// How a process is started for this backend.
    pub(crate) fn process(&self, program: &str) -> ProcessOptions {
        let mut options = ProcessOptions::new(program);
        options.without.clone_from(&self.without);
        options
    }

    /// The command that submits an application with one order.
    pub(crate) fn command(&self, application: &str, order: &Path) -> ProcessOptions {
        let mut options = self.process(&self.submit[0]);
        let mut arguments: Vec<OsString> = self.submit[1..].iter().map(Into::into).collect();
        arguments.extend(["--master".into(), self.master.clone().into()]);
        arguments.extend(["--deploy-mode".into(), self.deploy_mode.word().into()]);
        if !self.archives.is_empty() {
            arguments.extend(["--archives".into(), self.archives.join(",").into()]);
        }
        let mut properties = self.python_properties();
        if self.deploy_mode == DeployMode::Cluster {
            let apart = APART.iter().map(|(name, value, _)| ((*name).into(), (*value).into()));
            properties.extend(apart);
        }
        properties.extend(self.conf.clone());
        for (name, value) in properties {
            arguments.extend(["--conf".into(), format!("{name}={value}").into()]);
        }
        arguments.extend([application.into(), "--order".into(), order.into()]);
        options.arguments = arguments;
        options
    }

    /// The Python of the driver and of the executors. What is in an archive with a name (`env.tar.gz#NAME`) is a
    /// whole environment, as `venv-pack` and `conda-pack` make one; it lies beside every executor under its name, and beside
    /// a driver that runs on a node.
    fn python_properties(&self) -> BTreeMap<String, String> {
        let named = self.archives.iter().find_map(|archive| archive.rsplit_once('#'));
        let there =
            named.map_or_else(|| self.python.clone(), |(_, name)| format!("./{name}/bin/python"));
        let driver = match self.deploy_mode {
            DeployMode::Client => self.python.clone(),
            DeployMode::Cluster => there.clone(),
        };
        BTreeMap::from([
            ("spark.pyspark.driver.python".to_owned(), driver),
            ("spark.pyspark.python".to_owned(), there),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masters_and_modes_that_cannot_be_are_refused_with_the_reason() {
        let refused = |master: &str, deploy_mode| {
            let options = SubmitOptions { deploy_mode, ..SubmitOptions::new(master) };
            options.check().err().map(|error| error.what)
        };
        for master in [
            "local",
            "local[2]",
            "local[*]",
            "local-cluster[2,1,1024]",
            "yarn",
            "spark://a:7077,b:7077",
        ] {
            assert_eq!(refused(master, DeployMode::Client), None, "{master}");
        }
        for master in ["k8s://https://host", "localhost", "", "spark"] {
            assert!(
                refused(master, DeployMode::Client).unwrap().contains("can't run on the master")
            );
        }
        let why = |master| refused(master, DeployMode::Cluster).unwrap();
        assert!(why("spark://a:7077").contains("no applications of Python"));
        assert!(why("local[2]").contains("no cluster behind"));
        assert_eq!(refused("yarn", DeployMode::Cluster), None);
        let mut twice = SubmitOptions::new("yarn");
        twice.conf = BTreeMap::from([("spark.yarn.maxAppAttempts".into(), "2".into())]);
        assert!(twice.check().is_ok());
        twice.deploy_mode = DeployMode::Cluster;
        assert_eq!(
            twice.check().unwrap_err().what,
            "the backend spark-submit needs spark.yarn.maxAppAttempts=1 in the deploy mode `cluster`: a driver that \
             fails is not run again"
        );
    }

    #[test]
    fn the_command_has_every_option_and_what_is_configured_wins() {
        let mut options = SubmitOptions::new("yarn");
        options.submit = vec!["env".into(), "spark-submit".into()];
        options.archives = vec!["hdfs:///envs/distil.tar.gz#distil".into()];
        options.conf = BTreeMap::from([("spark.executor.memory".into(), "2g".into())]);
        let told = |options: &SubmitOptions| {
            let command = options.command("application.py", Path::new("s/order.json"));
            command
                .arguments
                .iter()
                .map(|word| word.to_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            told(&options).join(" "),
            "spark-submit --master yarn --deploy-mode client --archives hdfs:///envs/distil.tar.gz#distil \
             --conf spark.executor.memory=2g --conf spark.pyspark.driver.python=python3 \
             --conf spark.pyspark.python=./distil/bin/python application.py --order s/order.json"
        );
        options.conf.insert("spark.pyspark.python".into(), "/opt/python".into());
        assert!(told(&options).contains(&"spark.pyspark.python=/opt/python".to_owned()));
        let mut apart = SubmitOptions::new("yarn");
        apart.deploy_mode = DeployMode::Cluster;
        apart.archives = vec!["env.tar.gz#env".into()];
        assert_eq!(
            told(&apart).join(" "),
            "--master yarn --deploy-mode cluster --archives env.tar.gz#env \
             --conf spark.pyspark.driver.python=./env/bin/python --conf spark.pyspark.python=./env/bin/python \
             --conf spark.yarn.maxAppAttempts=1 --conf spark.yarn.submit.waitAppCompletion=true \
             application.py --order s/order.json"
        );
    }
}
