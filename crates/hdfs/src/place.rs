//! Where something is in HDFS, and what the Hadoop configuration says of it.

use std::collections::HashMap;
use std::env;
use std::path::{Path, PathBuf};

use distil_plan::{Error, Result};
use distil_storage::{Local, Storage};

/// The port of a name node, where a URL names a host without one.
const PORT: u16 = 8020;

/// A place in HDFS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// `host:port`, or the name of a service.
    pub(super) authority: String,
    /// From `/` on, without empty names, `.` and `..`.
    pub(super) path: String,
}

impl Place {
    /// The directory that holds it; none holds `/`.
    pub(super) fn parent(&self) -> Option<&str> {
        match self.path.rfind('/')? {
            0 if self.path.len() == 1 => None,
            0 => Some("/"),
            end => Some(&self.path[..end]),
        }
    }

    /// Whether it lies in a directory of its file system, at any depth.
    pub(super) fn is_in(&self, authority: &str, directory: &str) -> bool {
        let below = self.path.strip_prefix(directory.trim_end_matches('/'));
        self.authority == authority && below.is_some_and(|below| below.starts_with('/'))
    }

    /// The URL.
    pub(super) fn url(&self) -> PathBuf {
        PathBuf::from(format!("hdfs://{}{}", self.authority, self.path))
    }
}

/// What the files of Hadoop's configuration say.
#[derive(Debug, Default)]
pub(super) struct Settings {
    values: HashMap<String, String>,
}

impl Settings {
    /// Those of `HADOOP_CONF_DIR`, or `HADOOP_HOME`; none without these.
    ///
    /// # Errors
    /// An environment error with the path of a file that can't be read, or is no XML.
    pub(super) fn load() -> Result<Self> {
        let home = || env::var_os("HADOOP_HOME").map(|home| Path::new(&home).join("etc/hadoop"));
        let Some(directory) = env::var_os("HADOOP_CONF_DIR").map(PathBuf::from).or_else(home)
        else {
            return Ok(Self::default());
        };
        let mut values = HashMap::new();
        for name in ["core-site.xml", "hdfs-site.xml"] {
            let path = directory.join(name);
            if Local.metadata(&path)?.is_some() {
                values.extend(properties(&read(&path)?).map_err(|cause| {
                    Error::environment(format!("the configuration of Hadoop is no XML: {cause}"))
                        .at(path.display().to_string(), None)
                        .help("mend the file, or set HADOOP_CONF_DIR to another directory")
                })?);
            }
        }
        Ok(Self { values })
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// Whether users must prove who they are (Kerberos).
    pub(super) fn is_secure(&self) -> bool {
        self.get("hadoop.security.authentication").is_some_and(|how| how != "simple")
    }

    /// What is taken off the permissions of new files. Only the octal form is known; the other one is rare.
    pub(super) fn umask(&self) -> u32 {
        let set = self.get("fs.permissions.umask-mask");
        set.and_then(|mask| u32::from_str_radix(mask, 8).ok()).unwrap_or(0o022) & 0o777
    }

    /// Whether an authority names a service of several name nodes.
    pub(super) fn is_service(&self, authority: &str) -> bool {
        self.get(&format!("dfs.ha.namenodes.{authority}")).is_some()
    }

    /// Where a URL leads.
    ///
    /// # Errors
    /// A usage error with the path: no URL of HDFS, or none that Hadoop would take.
    pub(super) fn place(&self, url: &Path) -> Result<Place> {
        let wrong =
            |what: &str| Error::usage(what.to_owned()).at(url.to_string_lossy().into_owned(), None);
        let text = url.to_str().ok_or_else(|| wrong("names in HDFS are text in UTF-8"))?;
        // The parent of `hdfs:///data` is `hdfs:` to `Path`.
        let rest = match text.strip_prefix("hdfs:") {
            Some("") => "",
            Some(rest) => rest.strip_prefix("//").ok_or_else(|| {
                wrong("not a URL of HDFS")
                    .help("write it as hdfs://HOST:PORT/PATH, or hdfs:///PATH")
            })?,
            None => return Err(wrong("not a URL of HDFS")),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let authority = match authority {
            "" => self.default_authority().ok_or_else(|| {
                wrong("the URL names no host, and Hadoop's configuration names none either")
                    .help("write it as hdfs://HOST:PORT/PATH")
                    .help(
                        "or set HADOOP_CONF_DIR to the directory with core-site.xml and \
                         hdfs-site.xml; fs.defaultFS there names the file system",
                    )
            })?,
            named => self.whole(named),
        };
        if authority.contains('@') {
            return Err(wrong("a URL of HDFS names no user")
                .help("set HADOOP_USER_NAME, or log in with kinit"));
        }
        let mut names: Vec<&str> = Vec::new();
        for name in path.split('/') {
            match name {
                "" | "." => {}
                // There are no links that this could step out of.
                ".." => drop(names.pop()),
                name => names.push(name),
            }
        }
        Ok(Place { authority, path: format!("/{}", names.join("/")) })
    }

    fn default_authority(&self) -> Option<String> {
        let rest = self.get("fs.defaultFS").or_else(|| self.get("fs.default.name"))?;
        let named = rest.strip_prefix("hdfs://")?.split('/').next()?;
        (!named.is_empty()).then(|| self.whole(named))
    }

    /// The authority in one spelling: a host always with its port.
    fn whole(&self, authority: &str) -> String {
        if self.is_service(authority) {
            return authority.to_owned();
        }
        let lower = authority.to_ascii_lowercase();
        let is_port = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
        match lower.rsplit_once(':') {
            Some((_, port)) if is_port(port) => lower,
            _ => format!("{lower}:{PORT}"),
        }
    }
}

/// The text of a file of this machine.
fn read(path: &Path) -> Result<String> {
    let file = Local.open(path)?;
    let mut bytes = Vec::new();
    let mut buffer = [0; 1 << 14];
    loop {
        match file.read_at(bytes.len() as u64, &mut buffer)? {
            0 => return Ok(String::from_utf8_lossy(&bytes).into_owned()),
            count => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}

/// The names and values of a configuration file.
fn properties(text: &str) -> std::result::Result<Vec<(String, String)>, roxmltree::Error> {
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
    let document = roxmltree::Document::parse_with_options(text, options)?;
    let of = |property: roxmltree::Node<'_, '_>, name: &str| {
        property.children().find(|child| child.has_tag_name(name))?.text().map(str::to_owned)
    };
    let all = document.root_element().children().filter(|child| child.has_tag_name("property"));
    Ok(all
        .filter_map(|one| Some((of(one, "name")?.trim().to_owned(), of(one, "value")?)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(values: &[(&str, &str)]) -> Settings {
        let owned = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Settings { values: owned.collect() }
    }

    #[test]
    fn a_url_leads_to_one_place_however_it_is_spelled() {
        let settings =
            settings(&[("fs.defaultFS", "hdfs://main/"), ("dfs.ha.namenodes.main", "a,b")]);
        for (url, expected) in [
            ("hdfs://Host:9000/a/b", "hdfs://host:9000/a/b"),
            ("hdfs://host:9000//a/./x/../b/", "hdfs://host:9000/a/b"),
            ("hdfs://host/a", "hdfs://host:8020/a"),
            ("hdfs://host:9000", "hdfs://host:9000/"),
            ("hdfs:///a", "hdfs://main/a"),
            ("hdfs://main/a", "hdfs://main/a"),
            ("hdfs:", "hdfs://main/"),
            ("hdfs:///../a", "hdfs://main/a"),
            ("hdfs:///a b%20?#c", "hdfs://main/a b%20?#c"),
        ] {
            assert_eq!(settings.place(Path::new(url)).unwrap().url(), Path::new(expected), "{url}");
        }
        for url in ["hdfs:/a", "/a", "s3://a/b", "hdfs://me@host/a"] {
            settings.place(Path::new(url)).unwrap_err();
        }
        let error = Settings::default().place(Path::new("hdfs:///a")).unwrap_err();
        assert!(format!("{error:#}").contains("HADOOP_CONF_DIR"), "{error:#}");
    }

    #[test]
    fn a_place_knows_its_parents() {
        let place = |path: &str| Place { authority: "h:1".to_owned(), path: path.to_owned() };
        assert_eq!(place("/a/b").parent(), Some("/a"));
        assert_eq!(place("/a").parent(), Some("/"));
        assert_eq!(place("/").parent(), None);
        assert!(place("/a/b").is_in("h:1", "/a") && place("/a/b/c").is_in("h:1", "/a"));
        assert!(place("/a").is_in("h:1", "/"));
        assert!(!place("/ab").is_in("h:1", "/a") && !place("/a/b").is_in("h:2", "/a"));
    }

    #[test]
    fn the_files_of_hadoop_are_read() {
        let text = "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY nn \"host\">]><configuration>
            <property><name> fs.defaultFS </name><value>hdfs://&nn;:9</value></property>
            <property><name>empty</name><value/></property></configuration>";
        let read = properties(text).unwrap();
        assert_eq!(read, [("fs.defaultFS".to_owned(), "hdfs://host:9".to_owned())]);
        properties("<configuration>").unwrap_err();
    }
}
