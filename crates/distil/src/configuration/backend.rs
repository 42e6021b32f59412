//! `[backends.NAME]`

use std::path::PathBuf;

use super::declare::{Heading, options};
use super::values::{Program, Secret, Size};

options! {
    /// How a backend is reached and what it may use.
    pub struct BackendOptions {
        /// The engine; without it the scheme of `url`, else the name of the section
        engine: String,
        /// Where the engine is, for engines that are reached over a network
        url: String,
        /// The Python of the engine `pandas`
        #[default = "python3"]
        python: Program,
        /// The program of the engine `external`, which speaks the protocol of docs/backends.md
        command: Program,
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
