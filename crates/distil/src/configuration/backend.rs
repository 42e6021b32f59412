//! `[backends.NAME]`

use std::path::PathBuf;

use super::declare::{Heading, options};
use super::values::{PathText, PathTexts, Program, Properties, Secret, Size};
use distil_submit::DeployMode;

options! {
    /// How a backend is reached and what it may use.
    pub struct BackendOptions {
        /// The engine; without it the scheme of `url`, else the name of the section
        engine: String,
        /// Where the engine is, for engines that are reached over a network
        url: String,
        /// The Python of the engine `pandas`; of `spark-submit` the one that has the package distil, here and on the nodes
        #[default = "python3"]
        python: Program,
        /// The program of the engine `external`, which speaks the protocol of docs/backends.md
        command: Program,
        /// The master of the engine `spark-submit`: `local[N]`, `spark://HOST:PORT` or `yarn`
        master: String,
        /// Where the driver of the engine `spark-submit` runs: beside the command, or on a node
        #[default = "client"]
        deploy_mode: DeployMode,
        /// The command of the engine `spark-submit`
        #[default = "spark-submit"]
        submit: Program,
        /// The application of the engine `spark-submit`
        #[default = "that of the package in `python`"]
        application: PathText,
        /// Archives that Spark unpacks for every executor: the first with a name, as `env.tar.gz#NAME`, has their Python
        archives: PathTexts,
        /// Properties of Spark for the engine `spark-submit`
        conf: Properties,
        /// Seconds of silence after which a process counts as hanging
        #[default = "60"]
        silence: u64,
        /// The secret that the engine at `url` asks for
        token: Secret,
        /// A file that holds the secret
        token_file: PathBuf,
        /// Threads of this process
        #[heading = Heading::Resources]
        #[default = "the cores that the process may use"]
        threads: u64,
        /// Memory of this process
        #[heading = Heading::Resources]
        #[default = "80 % of what the process may use"]
        memory: Size,
        /// Where temporary files go
        #[heading = Heading::Resources]
        #[default = "the directory of the output"]
        #[value = "DIR"]
        temp_dir: PathBuf,
    }
}
