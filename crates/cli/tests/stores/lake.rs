//! A bucket, the program that works on it, and a proxy between them.

use std::process::{Child, Output, Stdio};

use distil_testkit::bucket::Bucket;
use distil_testkit::proxy::Proxy;
use distil_testkit::servers::Service;

use crate::context::Context;

/// What a test works with.
pub struct Lake {
    pub context: Context,
    pub bucket: Bucket,
    pub proxy: Proxy,
}

impl Lake {
    pub fn new(service: Service) -> Self {
        let bucket = Bucket::new(service);
        let proxy = Proxy::new(&bucket.address);
        Self { context: Context::new(), bucket, proxy }
    }

    /// The URL of a key.
    pub fn url(&self, key: &str) -> String {
        let scheme = match self.bucket.service {
            Service::S3 => "s3",
            Service::Azure => "az",
        };
        format!("{scheme}://{}/{key}", self.bucket.name)
    }

    /// Arguments with URLs for what begins with `@`.
    fn arguments(&self, arguments: &str) -> Vec<String> {
        let url = |word: &str| word.strip_prefix('@').map_or(word.to_owned(), |key| self.url(key));
        arguments.split_whitespace().map(url).collect()
    }

    /// Starts a command.
    pub fn start(&self, arguments: &str) -> Child {
        let arguments = self.arguments(arguments);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.context
            .command(&arguments)
            .envs(self.bucket.environment(&self.proxy.address()))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// What a command said.
    pub fn run(&self, arguments: &str) -> Output {
        crate::context::end_of(self.start(arguments))
    }

    /// What a command that succeeds wrote.
    #[track_caller]
    pub fn out(&self, arguments: &str) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments}: {}", errors(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The exit status of a command that fails, and what it said, without the name of the bucket.
    #[track_caller]
    pub fn refused(&self, arguments: &str) -> String {
        let output = self.run(arguments);
        let said = errors(&output).replace(&self.bucket.name, "lake");
        format!("exit: {}\n{said}", output.status.code().unwrap())
    }

    /// Puts records of this version in three objects, with duplicates and one bad record.
    pub fn put_records(&self, version: u32) {
        for file in 0..3 {
            let text: String = (0..40).map(|n| record(n + file * 20, version)).collect();
            self.bucket.put(&format!("in/{file}.ndjson"), text.as_bytes());
        }
    }

    /// What the same records give on the disk.
    pub fn on_disk(&self, version: u32) -> Vec<u8> {
        for file in 0..3 {
            let text: String = (0..40).map(|n| record(n + file * 20, version)).collect();
            self.context.write(&format!("disk/{file}.ndjson"), text);
        }
        let _ = std::fs::remove_file(self.context.path("disk.parquet"));
        self.context.out(&["run", "disk", "-o", "disk.parquet", "--key", "id"]);
        std::fs::read(self.context.path("disk.parquet")).unwrap()
    }
}

fn record(id: u32, version: u32) -> String {
    format!(
        "{{\"id\":{id},\"version\":{version},\"text\":\"{:x}\"}}\n",
        id.wrapping_mul(2_654_435_761)
    )
}

pub fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
