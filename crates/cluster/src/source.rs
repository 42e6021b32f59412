//! Where an application is recorded, by what a user writes.

use std::path::{Path, PathBuf};

use distil_plan::{Error, Result, is_web};
use distil_storage::Storage;

use crate::nodes::tracking_url;
use crate::{Application, event_log, history};

/// Where an application is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// An event log, or a directory of event logs and the id of the application if it was given.
    EventLog(PathBuf, Option<String>),
    /// The REST of a History Server or of a driver: its URL without a path, and the id of the application if it was
    /// given.
    Server(String, Option<String>),
}

/// Whether a text is spelled as the id of an application, not as a path.
fn is_id(text: &str) -> bool {
    let begins = ["application_", "app-", "local-", "spark-"];
    begins.iter().any(|begin| text.starts_with(begin))
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

/// The server and the application of the URL of a page or of an answer.
fn server(url: &str) -> Source {
    let url = url.split(['?', '#']).next().unwrap_or(url).trim_end_matches('/');
    let root = url.find("://").map_or(0, |at| at + 3);
    for mark in ["/api/v1/applications", "/history"] {
        let Some(at) = url[root..].find(mark).map(|at| root + at) else { continue };
        let rest = &url[at + mark.len()..];
        if rest.is_empty() || rest.starts_with('/') {
            let id = rest.split('/').nth(1).filter(|id| is_id(id));
            return Source::Server(url[..at].to_owned(), id.map(str::to_owned));
        }
    }
    let base = url.find("/api/v1").unwrap_or(url.len());
    // A driver behind the proxy of YARN.
    let id = url[root..].split("/proxy/").nth(1).and_then(|rest| rest.split('/').next());
    Source::Server(url[..base].to_owned(), id.filter(|id| is_id(id)).map(str::to_owned))
}

impl Source {
    /// Reads what a user wrote: an id, an event log, a directory of these, or a URL. An id is looked for in `from`, or
    /// where the ResourceManager at `cluster` says.
    ///
    /// # Errors
    /// A usage error for an id that nobody can be asked for; as [`Source::read`] where a ResourceManager is asked.
    pub fn parse(
        storage: &dyn Storage,
        text: &str,
        from: Option<&str>,
        cluster: Option<&str>,
    ) -> Result<Self> {
        let path = Path::new(text);
        let is_known_id = is_id(text) && (from.is_some() || storage.metadata(path)?.is_none());
        if !is_known_id {
            if from.is_some() {
                return Err(Error::usage(format!(
                    "`{text}` is not the id of an application, which would be looked for"
                ))
                .help("write an id such as application_1795574059731_0001, or leave out --from"));
            }
            return Ok(match is_web(text) {
                true => server(text),
                false => Self::EventLog(path.to_owned(), None),
            });
        }
        let id = Some(text.to_owned());
        match (from, cluster) {
            (Some(from), _) if is_web(from) => Ok(match server(from) {
                Self::Server(base, _) => Self::Server(base, id),
                other => other,
            }),
            (Some(from), _) => Ok(Self::EventLog(from.into(), id)),
            (None, Some(cluster)) => Ok(match server(&tracking_url(storage, cluster, text)?) {
                Self::Server(base, _) => Self::Server(base, id),
                other => other,
            }),
            (None, None) => Err(Error::usage(format!(
                "`{text}` is the id of an application, and nothing says where it is recorded"
            ))
            .help(format!(
                "say where: distil audit {text} --from http://HISTORY:18080, or --from DIRECTORY of event logs"
            ))
            .help(format!("or ask YARN: distil audit {text} --cluster http://RESOURCEMANAGER:8088"))),
        }
    }

    /// Reads the application, as far as it is recorded by now.
    ///
    /// # Errors
    /// An input error: there is no such application, or what is there is something else. A usage error: there are
    /// several. An environment error: a file can't be read, or a server not be reached.
    pub fn read(&self, storage: &dyn Storage) -> Result<Application> {
        match self {
            Self::EventLog(path, id) => event_log::read(storage, path, id.as_deref()),
            Self::Server(base, id) => history::read(storage, base, id.as_deref()),
        }
    }
}

#[cfg(test)]
mod tests {
    use distil_storage::Memory;

    use super::*;

    #[test]
    fn urls_of_pages_and_answers_name_the_server_and_the_application() {
        for (url, base, id) in [
            ("http://h:18080", "http://h:18080", None),
            ("http://h:18080/", "http://h:18080", None),
            ("http://h:18080/api/v1", "http://h:18080", None),
            ("http://h/history/application_1_0002/1/jobs/", "http://h", Some("application_1_0002")),
            ("https://h/shs/history/app-1-0/stages?x=1", "https://h/shs", Some("app-1-0")),
            ("http://h:1/api/v1/applications/local-1/stages", "http://h:1", Some("local-1")),
            ("http://history:18080", "http://history:18080", None),
            (
                "http://rm:8088/proxy/application_1_0002/",
                "http://rm:8088/proxy/application_1_0002",
                Some("application_1_0002"),
            ),
        ] {
            let expected = Source::Server(base.to_owned(), id.map(str::to_owned));
            assert_eq!(server(url), expected, "{url}");
        }
    }

    #[test]
    fn an_id_is_looked_for_and_a_file_of_its_name_is_itself() {
        let memory = Memory::new();
        memory.put("app-1-0", "{}");
        let parse = |text, from| Source::parse(&memory, text, from, None);
        let log =
            |path: &str, id: Option<&str>| Source::EventLog(path.into(), id.map(str::to_owned));
        assert_eq!(parse("app-1-0", None).unwrap(), log("app-1-0", None));
        assert_eq!(parse("s3://b/logs/x", None).unwrap(), log("s3://b/logs/x", None));
        assert_eq!(parse("app-2-0", Some("logs")).unwrap(), log("logs", Some("app-2-0")));
        assert_eq!(
            parse("app-2-0", Some("http://h:1/")).unwrap(),
            Source::Server("http://h:1".into(), Some("app-2-0".into()))
        );
        let error = parse("app-2-0", None).unwrap_err();
        assert!(error.what.ends_with("nothing says where it is recorded"), "{error}");
        let error = parse("app-1-0.json/x", Some("logs")).unwrap_err();
        assert!(error.what.contains("is not the id"), "{error}");
    }
}
