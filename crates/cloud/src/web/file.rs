//! One file of a web server, and the requests for it.

use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use distil_plan::{Error, Result, hides, with_secrets, without_secrets};
use distil_storage::changed;
use http::header::{ACCEPT_ENCODING, CONTENT_RANGE, ETAG, IF_MATCH, LAST_MODIFIED, RANGE};
use http::{HeaderMap, HeaderName, StatusCode};
use reqwest::{Client, Response};
use url::Url;
use xxhash_rust::xxh3::xxh3_64;

use super::explain::{answered, unreached};
use crate::connect::{CONNECT_TIMEOUT, LONGEST_PAUSE, RETRIES, RETRY_TIMEOUT};
use crate::read::{Content, Whole};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// A server that sends does not pause for so long. A whole file may take any time.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// A file of a web server.
pub(super) struct WebFile {
    client: Client,
    url: Url,
    /// The URL without its secrets.
    shown: String,
}

/// What a server says of a file.
pub(super) enum Answer {
    /// It serves ranges.
    Ranges {
        /// Bytes of all.
        size: u64,
        /// What tells this content from another; 0 if nothing does.
        version: u64,
    },
    /// All of it is in this answer.
    Whole(Response),
}

impl WebFile {
    /// Connects to nobody yet.
    ///
    /// # Errors
    /// A usage error: this is no such URL, or one whose secrets are not known here.
    pub(super) fn new(path: &Path) -> Result<Self> {
        let text = path.to_string_lossy();
        let shown = without_secrets(&text).unwrap_or_else(|| text.clone().into_owned());
        let refuse = |what: &str| Error::usage(what).at(shown.clone(), None);
        let whole = with_secrets(&text);
        if whole == *text && hides(&text) {
            return Err(refuse(
                "the secrets of this URL are not known here: plans and reports leave them out",
            )
            .help("give the whole URL"));
        }
        let mut url = Url::parse(&whole).map_err(|_| refuse("this is no URL of a web server"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("a user or a password can't stand in a URL").help(
                "fetch the file with a tool that asks for it, and read it from standard input: distil run - ...",
            ));
        }
        url.set_fragment(None);
        // From https:// no answer leads to http://, and nobody that one leads to learns the link. What is read are the
        // bytes of the file, not of what it is packed to for the way.
        let client = Client::builder()
            .referer(false)
            .https_only(url.scheme() == "https")
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .user_agent(concat!("distil/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|_| Error::environment("no client for web servers can be made"))?;
        Ok(Self { client, url, shown })
    }

    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// Asks for the first byte.
    pub(super) async fn ask(&self) -> Result<Answer> {
        let response = self.send(&[(RANGE, "bytes=0-0")]).await?;
        match response.status() {
            StatusCode::PARTIAL_CONTENT => match range(response.headers()) {
                Some((0, size)) => {
                    Ok(Answer::Ranges { size, version: version(response.headers()) })
                }
                _ => self.whole().await,
            },
            // An empty file has no first byte.
            StatusCode::RANGE_NOT_SATISFIABLE => self.whole().await,
            StatusCode::OK => Ok(Answer::Whole(response)),
            status => Err(answered(status, &self.shown)),
        }
    }

    /// Asks for everything.
    pub(super) async fn whole(&self) -> Result<Answer> {
        let response = self.send(&[]).await?;
        match response.status() {
            StatusCode::OK => Ok(Answer::Whole(response)),
            status => Err(answered(status, &self.shown)),
        }
    }

    /// Sends a request until it is answered.
    async fn send(&self, headers: &[(HeaderName, &str)]) -> Result<Response> {
        let begun = Instant::now();
        let mut pause = FIRST_PAUSE;
        let mut tries = 0;
        loop {
            let request = self.client.get(self.url.clone()).header(ACCEPT_ENCODING, "identity");
            let request =
                headers.iter().fold(request, |request, (name, value)| request.header(name, *value));
            let error = match request.send().await {
                Ok(response) if !is_busy(response.status()) => return Ok(response),
                Ok(response) => answered(response.status(), &self.shown),
                Err(error) if error.is_redirect() || error.is_builder() => {
                    return Err(unreached(&error, &self.shown));
                }
                Err(error) => unreached(&error, &self.shown),
            };
            if tries == RETRIES || begun.elapsed() > RETRY_TIMEOUT {
                return Err(error);
            }
            tries += 1;
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

#[async_trait]
impl Content for WebFile {
    async fn append(
        &self,
        wanted: Range<u64>,
        e_tag: Option<&str>,
        bytes: &mut Vec<u8>,
    ) -> Result<Whole> {
        let Range { start: begin, end } = wanted;
        let wanted = format!("bytes={begin}-{}", end - 1);
        let mut headers = vec![(RANGE, wanted.as_str())];
        // A weak one is for texts that mean the same, and matches nothing here.
        let strong = e_tag.filter(|e_tag| !e_tag.starts_with("W/"));
        headers.extend(strong.map(|e_tag| (IF_MATCH, e_tag)));
        let response = self.send(&headers).await?;
        let other =
            |what: &str| Error::environment(what).at(self.shown.clone(), None).help("run it again");
        match response.status() {
            StatusCode::PARTIAL_CONTENT => {}
            StatusCode::PRECONDITION_FAILED | StatusCode::RANGE_NOT_SATISFIABLE => {
                return Err(changed(self.shown.as_ref(), "was replaced"));
            }
            StatusCode::NOT_FOUND | StatusCode::GONE => {
                return Err(changed(self.shown.as_ref(), "was removed"));
            }
            StatusCode::OK => return Err(other("the server served ranges, and does so no more")),
            status => return Err(answered(status, &self.shown)),
        }
        let Some((found, size)) = range(response.headers()) else {
            return Err(other("the server does not say which range its answer has"));
        };
        if found != begin {
            return Err(other("the server answers with another range than it was asked for"));
        }
        let version = version(response.headers());
        let e_tag = text(response.headers(), &ETAG).map(str::to_owned);
        self.body(response, (end - begin) as usize, bytes).await?;
        Ok(Whole { size, e_tag, version })
    }
}

impl WebFile {
    /// Appends the bytes of an answer of at most this length. Of one that breaks off, those that came: it is asked for
    /// again.
    async fn body(&self, mut response: Response, most: usize, bytes: &mut Vec<u8>) -> Result<()> {
        let most = bytes.len() + most;
        while let Ok(Some(more)) = response.chunk().await {
            if bytes.len() + more.len() > most {
                return Err(Error::environment(
                    "the server answers with more than it was asked for",
                )
                .at(self.shown.clone(), None));
            }
            bytes.extend_from_slice(&more);
        }
        Ok(())
    }
}

fn is_busy(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// Where the range of an answer begins, and the bytes of the whole file.
fn range(headers: &HeaderMap) -> Option<(u64, u64)> {
    let (range, size) =
        text(headers, &CONTENT_RANGE)?.trim().strip_prefix("bytes ")?.split_once('/')?;
    Some((range.split_once('-')?.0.trim().parse().ok()?, size.trim().parse().ok()?))
}

/// What tells one content from another: the ETag, or else the time of the last change.
fn version(headers: &HeaderMap) -> u64 {
    let told = text(headers, &ETAG).or_else(|| text(headers, &LAST_MODIFIED));
    told.map_or(0, |told| xxh3_64(told.as_bytes()).max(1))
}
