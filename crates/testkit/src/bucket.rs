//! A bucket of a test store, made and looked into past the code that is tested.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;

use crate::servers::Service;
use crate::signature;
use crate::wire::{Answer, ask};

/// The name of the key that stores of S3 are asked with. moto takes any.
pub const S3_KEY: &str = "tests";
/// The secret of [`S3_KEY`].
pub const S3_SECRET: &str = "tests-secret";
/// The account of azurite, which is the same everywhere.
pub const AZURE_ACCOUNT: &str = "devstoreaccount1";
/// The key of [`AZURE_ACCOUNT`], which is no secret.
pub const AZURE_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// What lets everything be done with [`AZURE_ACCOUNT`], for ever. It follows from [`AZURE_KEY`]: a signature
/// (HMAC-SHA256) of "devstoreaccount1\nrwdlac\nb\nsco\n\n9999-12-31T00:00:00Z\n\n\n2020-04-08\n".
const AZURE_SIGNED: &str = "sv=2020-04-08&ss=b&srt=sco&sp=rwdlac&se=9999-12-31T00:00:00Z\
                            &sig=WWXrF2BhBfNVeKU6rl%2BCUjs%2FM1RcHalsS4E10qVRGrU%3D";
/// A bucket of S3, or a container of Azure, that belongs to one test.
#[derive(Debug)]
pub struct Bucket {
    /// The service that has it.
    pub service: Service,
    /// The host and port of its server.
    pub address: String,
    /// Its name, which no other test has.
    pub name: String,
}

impl Bucket {
    /// A new one on the server that tests share.
    pub fn new(service: Service) -> Self {
        Self::on(service, service.shared())
    }

    /// A new one on this server, told by its host and port.
    pub fn on(service: Service, address: &str) -> Self {
        // Processes share the server, and numbers of processes come again.
        let name = format!("test-{:016x}", RandomState::new().build_hasher().finish());
        let bucket = Self { service, address: address.to_owned(), name };
        bucket.ask("PUT", "", "restype=container", &[]);
        bucket
    }

    /// What the environment of a client says, so that it finds the server at this address: the bucket's own,
    /// or that of a proxy before it.
    pub fn environment(&self, address: &str) -> Vec<(&'static str, String)> {
        match self.service {
            Service::S3 => vec![
                ("AWS_ENDPOINT_URL", format!("http://{address}")),
                ("AWS_ACCESS_KEY_ID", S3_KEY.to_owned()),
                ("AWS_SECRET_ACCESS_KEY", S3_SECRET.to_owned()),
                ("AWS_REGION", "us-east-1".to_owned()),
            ],
            Service::Azure => vec![
                ("AZURE_STORAGE_ENDPOINT", format!("http://{address}/{AZURE_ACCOUNT}")),
                ("AZURE_STORAGE_ACCOUNT_NAME", AZURE_ACCOUNT.to_owned()),
                ("AZURE_STORAGE_ACCOUNT_KEY", AZURE_KEY.to_owned()),
            ],
        }
    }

    /// Puts an object.
    pub fn put(&self, key: &str, content: &[u8]) {
        self.ask("PUT", key, "", content);
    }

    /// The content of an object; `None` where there is none.
    pub fn get(&self, key: &str) -> Option<Vec<u8>> {
        let answer = self.send("GET", key, "", &[]).unwrap();
        (answer.head.status() != 404).then(|| self.checked(answer, key).body)
    }

    /// The ETag of an object, in its quotes; `None` where there is no object.
    pub fn e_tag(&self, key: &str) -> Option<String> {
        let answer = self.send("GET", key, "", &[]).unwrap();
        (answer.head.status() != 404)
            .then(|| self.checked(answer, key).head.header("etag").unwrap().to_owned())
    }

    /// Removes an object.
    pub fn remove(&self, key: &str) {
        self.ask("DELETE", key, "", &[]);
    }

    /// Begins an upload, uploads one part of it, and leaves it so.
    pub fn begin(&self, key: &str) {
        match self.service {
            Service::S3 => {
                let text = self.ask("POST", key, "uploads=", &[]).text();
                let upload = encoded(&between(&text, "UploadId").remove(0));
                self.ask("PUT", key, &format!("partNumber=1&uploadId={upload}"), b"part");
            }
            Service::Azure => drop(self.ask("PUT", key, "comp=block&blockid=AAAA", b"part")),
        }
    }

    /// Sends one request that may fail: the status of its answer.
    ///
    /// # Errors
    /// No whole answer came.
    pub fn try_send(&self, method: &str, key: &str, body: &[u8]) -> io::Result<u16> {
        self.send(method, key, "", body).map(|answer| answer.head.status())
    }

    /// The keys of all objects, in order.
    pub fn keys(&self) -> Vec<String> {
        match self.service {
            Service::S3 => self.list(
                "list-type=2&max-keys=50",
                "NextContinuationToken",
                "continuation-token",
                "Key",
            ),
            Service::Azure => self.list(
                "restype=container&comp=list&maxresults=50",
                "NextMarker",
                "marker",
                "Name",
            ),
        }
    }

    /// The keys of uploads that were begun, and neither completed nor given up: one for each upload of S3. Azure
    /// tells only those whose key has no object.
    pub fn uploads(&self) -> Vec<String> {
        match self.service {
            Service::S3 => {
                let text = self.ask("GET", "", "uploads=", &[]).text();
                assert_eq!(between(&text, "IsTruncated"), ["false"], "a test has few uploads");
                between(&text, "Key")
            }
            Service::Azure => {
                let all = "restype=container&comp=list&include=uncommittedblobs";
                let finished = self.keys();
                let mut found = self.list(all, "NextMarker", "marker", "Name");
                found.retain(|key| !finished.contains(key));
                found
            }
        }
    }

    /// All pages of a list.
    fn list(&self, query: &str, next: &str, after: &str, element: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut page = query.to_owned();
        loop {
            let text = self.ask("GET", "", &page, &[]).text();
            found.extend(between(&text, element));
            match between(&text, next).into_iter().find(|marker| !marker.is_empty()) {
                Some(marker) => page = format!("{query}&{after}={}", encoded(&marker)),
                None => break,
            }
        }
        found.sort();
        found
    }

    /// As [`Bucket::send`], where only success will do.
    fn ask(&self, method: &str, key: &str, query: &str, body: &[u8]) -> Answer {
        self.checked(self.send(method, key, query, body).unwrap(), key)
    }

    fn checked(&self, answer: Answer, key: &str) -> Answer {
        let status = answer.head.status();
        assert!((200..300).contains(&status), "{self:?} {key}: {status} {}", answer.text());
        answer
    }

    fn send(&self, method: &str, key: &str, query: &str, body: &[u8]) -> io::Result<Answer> {
        let key = if key.is_empty() { String::new() } else { format!("/{}", encoded(key)) };
        let query =
            if query == "restype=container" && self.service == Service::S3 { "" } else { query };
        // Without a type, moto takes a body for a form, and keeps nothing of it.
        let mut headers = vec![("Content-Type", "application/octet-stream")];
        let signed;
        let target = match self.service {
            Service::S3 => {
                let path = format!("/{}{key}", self.name);
                signed = signature::signed(&self.address, method, &path, query);
                headers.extend(signed.iter().map(|(name, value)| (*name, value.as_str())));
                format!("{path}?{query}")
            }
            Service::Azure => {
                headers.push(("x-ms-blob-type", "BlockBlob"));
                format!("/{AZURE_ACCOUNT}/{}{key}?{query}&{AZURE_SIGNED}", self.name)
            }
        };
        ask(&self.address, method, &target, &headers, body)
    }
}

/// The texts of all elements of a name in XML that has them without attributes.
fn between(xml: &str, element: &str) -> Vec<String> {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    let texts = xml.split(&open).skip(1).filter_map(|rest| rest.split_once(&close));
    texts.map(|(text, _)| plain(text)).collect()
}

fn plain(text: &str) -> String {
    let entities = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&apos;", "'"),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ];
    entities.iter().fold(text.to_owned(), |text, (entity, plain)| text.replace(entity, plain))
}

/// A key as it stands in a URL.
fn encoded(key: &str) -> String {
    let mut text = String::new();
    for byte in key.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                text.push(char::from(byte));
            }
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}
