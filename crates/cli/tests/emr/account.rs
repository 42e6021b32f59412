//! An account of AWS: EMR is the fake, S3 is moto, and the client is what `DISTIL_TEST_AWS` says.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use distil_testkit::bucket::Bucket;
use distil_testkit::servers::Service;

use crate::context::{Context, end_of};
use crate::fake::{Fake, Script};

/// The name of the wheel of these tests.
pub const WHEEL: &str = "distil-0.1.0-cp311-abi3-manylinux_2_28_x86_64.whl";

/// What a test works with.
pub struct Account {
    pub context: Context,
    pub bucket: Bucket,
    pub fake: Fake,
}

impl Account {
    /// An account whose clusters go by these scripts, with a configuration that is trusted, a wheel and a plan.
    pub fn new(scripts: impl IntoIterator<Item = Script>) -> Self {
        let account = Self {
            context: Context::new(),
            bucket: Bucket::new(Service::S3),
            fake: Fake::new(scripts),
        };
        account.context.write(WHEEL, b"a wheel");
        tools(&account.context.path("tools"));
        account.context.configure(account.configuration());
        let plan = account.context.out(&["plan", "s3://b/in/", "-o", "s3://b/out/", "--key", "ts"]);
        account.context.write("plan.json", plan);
        account
    }

    pub fn configuration(&self) -> String {
        format!(
            "[emr.big]\nbucket = 's3://{}/distil'\nwheel = '{WHEEL}'\nsubnet = 'subnet-1'\nkey_pair = 'me'\n\
             [jobs.events]\nsource = 's3://b/in/'\noutput = 's3://b/out/'\nkey = 'ts'\n",
            self.bucket.name
        )
    }

    /// A command that finds EMR at this address.
    pub fn command(&self, arguments: &str, address: &str) -> Command {
        let words: Vec<&str> = arguments.split_whitespace().collect();
        let mut command = self.context.command(&words);
        command
            .env_clear()
            .env("XDG_CONFIG_HOME", self.context.path("config"))
            .env("HOME", self.context.path("home"))
            .env("PATH", self.context.path("tools"))
            .envs(self.bucket.environment(&self.bucket.address))
            .env("AWS_ENDPOINT_URL_EMR", format!("http://{address}"))
            .env("AWS_EC2_METADATA_DISABLED", "true")
            // Who retries here is distil, which needs no clock for it.
            .env("AWS_MAX_ATTEMPTS", "1")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub fn start(&self, arguments: &str) -> Child {
        self.command(arguments, &self.fake.address).spawn().unwrap()
    }

    pub fn run(&self, arguments: &str) -> Output {
        end_of(self.start(arguments))
    }

    /// Standard output of a command that must succeed.
    #[track_caller]
    pub fn out(&self, arguments: &str) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", self.context.told(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a command said that must end with this status.
    #[track_caller]
    pub fn fails(&self, status: i32, arguments: &str) -> String {
        let output = self.run(arguments);
        let told = self.context.told(&output);
        assert_eq!(output.status.code(), Some(status), "{told}");
        told
    }
}

/// A directory with the programs that the command may find, and no others.
fn tools(directory: &Path) {
    std::fs::create_dir(directory).unwrap();
    let env =
        ["/usr/bin/env", "/bin/env"].into_iter().find(|path| Path::new(path).exists()).unwrap();
    std::os::unix::fs::symlink(env, directory.join("env")).unwrap();
    match std::env::var_os("DISTIL_TEST_AWS").map(PathBuf::from) {
        Some(aws) => wrap(&directory.join("aws"), &aws),
        None => wrap(&directory.join("python3"), &distil_testkit::python()),
    }
}

/// A script that runs another program: a link would hide a virtual environment.
pub fn wrap(path: &Path, program: &Path) {
    let program = std::env::current_dir().unwrap().join(program);
    std::fs::write(path, format!("#!/bin/sh\nexec '{}' \"$@\"\n", program.display())).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}
