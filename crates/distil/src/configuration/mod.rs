//! The configuration: named backends and jobs, from files and the environment; and the declarations
//! of their options, from which the command makes its flags.

mod backend;
mod declare;
mod emr;
mod job;
mod origin;
mod reading;
mod sources;
mod trust;
mod values;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use distil_plan::{Error, Result};
use distil_storage::Storage;
use figment::value::{Dict, Value};

pub use backend::BackendOptions;
pub use declare::{Declared, Heading};
pub use emr::{EmrOptions, check_wheels};
pub use job::JobOptions;
pub use reading::ReadOptions;
pub use trust::TrustedFiles;
pub use values::{
    PathText, PathTexts, Prices, Program, Properties, SchemaText, Secret, Size, Texts, Types,
};

use origin::Origin;
use sources::{Given, Layers};
pub(crate) use trust::not_trusted;
use trust::{GUARDED, Untrusted, cluster_not_trusted};

/// The name of the backend that is used when nothing names one.
pub(crate) const DEFAULT: &str = "default";

/// Named backends and jobs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Configuration {
    /// `[backends.NAME]`
    pub backends: BTreeMap<String, BackendOptions>,
    /// `[jobs.NAME]`
    pub jobs: BTreeMap<String, JobOptions>,
    /// `[emr.NAME]`
    pub emr: BTreeMap<String, EmrOptions>,
    /// The backend that the environment names, which is stronger than what a job says.
    forced: Option<String>,
    /// The backend that a file names.
    named: Option<String>,
    pub(crate) untrusted: Untrusted,
}

impl Configuration {
    /// Reads the configuration of this process: the environment, `./distil.toml` or the named file,
    /// and the user's file, the first of them that knows an option counts.
    ///
    /// # Errors
    /// A usage error with the place of the first thing that is wrong: no TOML, an unknown option with
    /// the nearest that exists, a value that can't be meant, a secret in a file. An environment error
    /// if a file can't be read.
    pub fn read(storage: &dyn Storage, file: Option<&Path>) -> Result<Self> {
        Self::read_with(storage, file, &variables())
    }

    /// As [`Configuration::read`], with these options instead of `./distil.toml`: what the file would hold,
    /// as JSON. Who runs the program has chosen it, so they are trusted.
    ///
    /// # Errors
    /// As [`Configuration::read`].
    pub fn read_values(
        storage: &dyn Storage,
        options: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<Self> {
        Self::of_layers(&Layers::read(storage, Some(Given::Options(options)), &variables())?)
    }

    /// As [`Configuration::read`], in an environment of these variables.
    ///
    /// # Errors
    /// As [`Configuration::read`].
    pub fn read_with(
        storage: &dyn Storage,
        file: Option<&Path>,
        variables: &[(String, String)],
    ) -> Result<Self> {
        Self::of_layers(&Layers::read(storage, file.map(Given::File), variables)?)
    }

    fn of_layers(layers: &Layers) -> Result<Self> {
        let origin = |value: &Value| layers.origin(value);
        let mut read = Self::default();
        if let Some(value) = layers.find("backend") {
            let origin = origin(&value);
            let is_untrusted = layers.is_untrusted(&value);
            let name = Some(value.as_str().map(str::to_owned).ok_or_else(|| {
                origin.mark(Error::usage("backend: the name or the URL of a backend is expected"))
            })?);
            match origin {
                Origin::Environment => read.forced.clone_from(&name),
                Origin::File(_) | Origin::Flag | Origin::Program => read.named.clone_from(&name),
            }
            read.untrusted.chosen.extend(name.filter(|_| is_untrusted));
        }
        for (name, section) in sections(layers.find("backends")) {
            let place = format!("backends.{name}");
            let is_guarded = |(option, value): (&String, &Value)| {
                GUARDED.contains(&option.as_str()) && layers.is_untrusted(value)
            };
            if section.iter().any(is_guarded) {
                read.untrusted.backends.insert(name.clone());
            }
            check_secret_file(&section, &origin, &place)?;
            read.backends.insert(name, BackendOptions::read(section, &origin, &place)?);
        }
        for (name, section) in sections(layers.find("jobs")) {
            let place = format!("jobs.{name}");
            if let Some(backend) = section.get("backend").filter(|value| layers.is_untrusted(value))
            {
                read.untrusted.chosen.extend(backend.as_str().map(str::to_owned));
            }
            read.jobs.insert(name, JobOptions::read(section, &origin, &place)?);
        }
        for (name, section) in sections(layers.find("emr")) {
            if section.values().any(|value| layers.is_untrusted(value)) {
                read.untrusted.clusters.insert(name.clone());
            }
            let place = format!("emr.{name}");
            read.emr.insert(name, EmrOptions::read(section, &origin, &place)?);
        }
        Ok(read)
    }

    /// The cluster of this name; without a section it has no options. What is to be `created` costs money and starts
    /// programs, so a file has to be trusted for that.
    ///
    /// # Errors
    /// A usage error with the code `not_trusted`.
    pub fn cluster(&self, name: &str, created: bool) -> Result<EmrOptions> {
        if created && self.untrusted.clusters.contains(name) {
            return Err(cluster_not_trusted(name));
        }
        Ok(self.emr.get(name).cloned().unwrap_or_default())
    }

    /// The job of this name.
    ///
    /// # Errors
    /// A usage error with the jobs that there are.
    pub fn job(&self, name: &str) -> Result<&JobOptions> {
        self.jobs.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.jobs.keys().map(String::as_str).collect();
            let error = Error::usage(format!("there is no job `{name}`"));
            match known.as_slice() {
                [] => error.help("describe it in distil.toml: [jobs.NAME], source, output, key"),
                known => error.help(format!("the configuration has: {}", known.join(", "))),
            }
        })
    }

    /// Whether nothing but a file that is not trusted chooses this backend.
    pub(crate) fn is_untrusted_choice(&self, asked: Option<&str>, name: &str) -> bool {
        asked.is_none() && self.forced.is_none() && self.untrusted.chosen.contains(name)
    }

    /// The name or URL of the backend that is meant: what is `asked` for, else what the environment
    /// says, else the `job`, else the file, else `default`.
    pub(crate) fn chosen<'a>(&'a self, asked: Option<&'a str>, job: Option<&'a str>) -> &'a str {
        let forced = self.forced.as_deref();
        asked.or(forced).or(job).or(self.named.as_deref()).unwrap_or(DEFAULT)
    }
}

/// The variables of this process that are text.
fn variables() -> Vec<(String, String)> {
    let text = |(name, value): (OsString, OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(text).collect()
}

fn sections(found: Option<Value>) -> Vec<(String, Dict)> {
    let tables = found.and_then(Value::into_dict).into_iter().flatten();
    tables.filter_map(|(name, value)| Some((name, value.into_dict()?))).collect()
}

/// A file with a secret is read for an address of the same source alone: another file must not send it
/// elsewhere.
fn check_secret_file(section: &Dict, origin: &dyn Fn(&Value) -> Origin, place: &str) -> Result<()> {
    let (Some(file), Some(url)) = (section.get("token_file"), section.get("url")) else {
        return Ok(());
    };
    let (of_file, of_url) = (origin(file), origin(url));
    match (&of_file, &of_url) {
        (Origin::File(a), Origin::File(b)) if a != b => Err(of_url.mark(
            Error::usage(format!(
                "{place}.url: the secret in token_file is for the address that {} names",
                a.display()
            ))
            .help("name both in one file"),
        )),
        _ => Ok(()),
    }
}

/// A URL or a text without what is secret in it: the password before the host, and the values of
/// parameters that are named like secrets. A URL that is mistyped may hold them, too.
pub(crate) fn redact(text: &str) -> String {
    let mut shown = text.to_owned();
    let scheme = text.find("//").map(|at| at + 2).or(text.find(":/").map(|at| at + 2));
    let (scheme, rest) = text.split_at(scheme.unwrap_or(0));
    // A password may hold any of the marks that end one: all is hidden up to the last `@`, unless what
    // follows the first colon is a port.
    if let Some((user, rest)) = rest.split_once(':')
        && let Some((password, host)) = rest.rsplit_once('@')
        && !user.contains('/')
        && !is_port(password)
    {
        shown = format!("{scheme}{user}:***@{host}");
    }
    let hide = |part: &str| match part.split_once('=') {
        Some((name, value)) if is_secret(name) && !value.is_empty() => format!("{name}=***"),
        _ => part.to_owned(),
    };
    // Spark writes parameters after `;`, everybody else after `?` and `&`.
    let mut out = String::new();
    for (at, part) in shown.split_inclusive([';', '?', '&']).enumerate() {
        let end = part.trim_end_matches([';', '?', '&']);
        // What stands before them may be a path of folders such as `key=1`.
        out.push_str(&if at == 0 { end.to_owned() } else { hide(end) });
        out.push_str(&part[end.len()..]);
    }
    out
}

/// Whether a text begins with a port and goes on after it.
fn is_port(text: &str) -> bool {
    let end = text.find(|c: char| !c.is_ascii_digit());
    end.is_some_and(|end| end > 0 && text[end..].starts_with(['/', ';', '?']))
}

/// What is so named is refused in a file, so the list is shorter than that of what is merely not shown of a link
/// ([`distil_plan::without_secrets`]): the `session_id` of Spark is none.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["token", "password", "secret", "key"].iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests;
