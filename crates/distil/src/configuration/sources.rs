//! Where options come from: files and the environment, one layer over the other.

use std::path::{Path, PathBuf};

use distil_plan::{Error, Result};
use distil_storage::Storage;
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider, Source};

use super::backend::BackendOptions;
use super::declare::Declared;
use super::emr::EmrOptions;
use super::job::JobOptions;
use super::origin::Origin;
use super::trust::TrustedFiles;
use crate::files::read_text;

/// The file that is read where a command runs, unless another is named.
pub(crate) const FILE: &str = "distil.toml";
/// What environment variables begin with that set an option of a backend.
const BACKENDS_PREFIX: &str = "DISTIL_BACKENDS__";
/// What the library calls the source of options that a program gives.
const PROGRAM: &str = "program";
/// The environment variable that names the backend.
const BACKEND_VARIABLE: &str = "DISTIL_BACKEND";

/// One source of options.
struct Layer {
    origin: Origin,
    options: Dict,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        match &self.origin {
            Origin::File(path) => Metadata::from("file", Source::File(path.clone())),
            Origin::Environment => Metadata::named("environment"),
            Origin::Flag => Metadata::named("flag"),
            Origin::Program => Metadata::named(PROGRAM),
        }
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.options.clone()))
    }
}

/// What is read instead of the file of the working directory.
#[derive(Clone, Copy)]
pub(crate) enum Given<'a> {
    /// Another file.
    File(&'a Path),
    /// What a file would hold.
    Options(&'a serde_json::Map<String, serde_json::Value>),
}

/// All layers in one, the strongest last, and where each value came from.
pub(crate) struct Layers {
    figment: Figment,
    /// The file of the working directory, if it is read and not trusted.
    untrusted: Option<PathBuf>,
}

impl Layers {
    /// Reads the user's file, the file of the working directory or what is `given` instead of it, and the
    /// variables.
    ///
    /// # Errors
    /// A usage error for a file that is no TOML, for an option that does not exist, with the nearest
    /// that does, and for a secret in a file; an environment error if a file can't be read.
    pub(crate) fn read(
        storage: &dyn Storage,
        given: Option<Given<'_>>,
        variables: &[(String, String)],
    ) -> Result<Self> {
        let mut layers = Figment::new();
        let mut untrusted = None;
        let user = user_file(variables);
        let here = Path::new(FILE);
        // Services and `su` run with the home of somebody else: where nothing may be looked at, this
        // user has no file. One that is there and can't be read is an error.
        if let Some(user) = user
            && storage.metadata(&user).is_ok_and(|found| found.is_some())
        {
            layers = layers.merge(Layer::of_text(&user, &read_text(storage, &user)?)?);
        }
        match given {
            Some(Given::File(path)) => {
                layers = layers.merge(Layer::of_text(path, &read_text(storage, path)?)?);
            }
            Some(Given::Options(options)) => {
                let layer = Layer { origin: Origin::Program, options: dict_of(options)? };
                layer.check()?;
                layers = layers.merge(layer);
            }
            None if storage.metadata(here)?.is_some() => {
                let text = read_text(storage, here)?;
                layers = layers.merge(Layer::of_text(here, &text)?);
                let trusted = TrustedFiles::of(variables);
                untrusted = (!trusted.is_trusted(storage, here, &text)).then(|| here.to_owned());
            }
            None => {}
        }
        Ok(Self { figment: layers.merge(Layer::of_variables(variables)?), untrusted })
    }

    /// A value, or a section, by its name at the top.
    pub(crate) fn find(&self, name: &str) -> Option<Value> {
        self.figment.find_value(name).ok()
    }

    /// Where a value came from.
    pub(crate) fn origin(&self, value: &Value) -> Origin {
        let source = self.figment.get_metadata(value.tag()).and_then(|found| found.source.as_ref());
        match source.and_then(Source::file_path) {
            Some(path) => Origin::File(path.to_owned()),
            None if self.is_of_program(value) => Origin::Program,
            None => Origin::Environment,
        }
    }

    fn is_of_program(&self, value: &Value) -> bool {
        let found = self.figment.get_metadata(value.tag());
        found.is_some_and(|found| found.name == PROGRAM)
    }

    /// Whether a value stands in a file that is not trusted.
    pub(crate) fn is_untrusted(&self, value: &Value) -> bool {
        matches!((self.origin(value), &self.untrusted), (Origin::File(a), Some(b)) if a == *b)
    }
}

/// The file in the user's configuration directory.
fn user_file(variables: &[(String, String)]) -> Option<PathBuf> {
    Some(user_directory(variables)?.join(FILE))
}

/// The user's configuration directory.
pub(crate) fn user_directory(variables: &[(String, String)]) -> Option<PathBuf> {
    let get = |name: &str| {
        let found = variables.iter().find(|(known, value)| known == name && !value.is_empty());
        found.map(|(_, value)| PathBuf::from(value))
    };
    let directory = get("XDG_CONFIG_HOME").or_else(|| Some(get("HOME")?.join(".config")))?;
    Some(directory.join("distil"))
}

impl Layer {
    fn of_text(path: &Path, text: &str) -> Result<Self> {
        let shown = path.to_string_lossy();
        let options: Dict = toml::from_str(text).map_err(|error| {
            // The library would show the line, which may hold a secret.
            let line = error.span().map(|span| text[..span.start].lines().count().max(1));
            let line = line.map_or(String::new(), |line| format!("line {line}: "));
            let message = error.message().lines().next().unwrap_or_default().to_owned();
            Error::usage(format!("{line}{message}")).at(shown.clone(), None)
        })?;
        let layer = Self { origin: Origin::File(path.to_owned()), options };
        layer.check().map_err(|error| error.at(shown, None))?;
        Ok(layer)
    }

    fn of_variables(variables: &[(String, String)]) -> Result<Self> {
        let mut options = Dict::new();
        let mut backends = Dict::new();
        for (name, text) in variables {
            let wrong = |why: &str| {
                Error::usage(format!("{name}: {why}"))
                    .at("environment", None)
                    .help("write DISTIL_BACKEND=NAME or DISTIL_BACKENDS__NAME__OPTION=VALUE")
            };
            if name == BACKEND_VARIABLE {
                options.insert("backend".to_owned(), Value::from(text.as_str()));
            } else if let Some(key) = name.strip_prefix(BACKENDS_PREFIX) {
                let key = key.to_lowercase();
                let Some((backend, option)) = key.split_once("__") else {
                    return Err(wrong("the name of an option is missing"));
                };
                let section =
                    backends.entry(backend.to_owned()).or_insert_with(|| Dict::new().into());
                if let Value::Dict(_, section) = section {
                    section.insert(option.to_owned(), Value::from(text.as_str()));
                }
            } else if name.starts_with(BACKEND_VARIABLE) || name.starts_with("DISTIL_JOB") {
                return Err(wrong("no environment variable of this name sets an option"));
            }
        }
        if !backends.is_empty() {
            options.insert("backends".to_owned(), backends.into());
        }
        let layer = Self { origin: Origin::Environment, options };
        layer.check().map_err(|error| error.at("environment", None))?;
        Ok(layer)
    }

    /// Checks that every key is one, and that nothing secret stands in a file.
    fn check(&self) -> Result<()> {
        for (key, value) in &self.options {
            match key.as_str() {
                "backend" => {}
                "backends" => {
                    self.check_sections(key, value, BackendOptions::OPTIONS)?;
                    value
                        .as_dict()
                        .into_iter()
                        .flatten()
                        .try_for_each(|(name, _)| check_name(name))?;
                }
                "jobs" => self.check_sections(key, value, JobOptions::OPTIONS)?,
                "emr" => self.check_sections(key, value, EmrOptions::OPTIONS)?,
                _ => {
                    let known = ["backend", "backends", "emr", "jobs"];
                    return Err(unknown(key, &self.origin, "", &known));
                }
            }
        }
        Ok(())
    }

    fn check_sections(&self, kind: &str, sections: &Value, known: &[Declared]) -> Result<()> {
        let table = |value: &Value, place: &str| match value {
            Value::Dict(_, table) => Ok(table.clone()),
            _ => Err(Error::usage(format!("{place} is not a table"))
                .help(format!("write [{kind}.NAME] and the options below it"))),
        };
        for (name, section) in &table(sections, kind)? {
            let place = format!("{kind}.{name}");
            for (option, value) in &table(section, &place)? {
                let Some(declared) = known.iter().find(|known| known.name == option) else {
                    let names: Vec<&str> = known.iter().map(|known| known.name).collect();
                    return Err(unknown(option, &self.origin, &place, &names));
                };
                self.check_secret(declared, &place, value)?;
            }
        }
        Ok(())
    }

    /// Files of a configuration are copied, committed and shown.
    fn check_secret(&self, declared: &Declared, place: &str, value: &Value) -> Result<()> {
        let is_secret =
            declared.secret || value.as_str().is_some_and(|text| super::redact(text) != text);
        if self.origin == Origin::Environment || !is_secret {
            return Ok(());
        }
        let variable = Origin::Environment.key(&format!("{place}.token"));
        Err(Error::usage(format!("{place}.{}: a secret must not stand here", declared.name))
            .help(format!("set {variable}, or name a file that holds it: token_file = \"PATH\"")))
    }
}

/// Checks that the environment can spell the name of a backend, too.
fn check_name(name: &str) -> Result<()> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
    if name.chars().all(is_plain) && !name.contains("__") {
        return Ok(());
    }
    Err(Error::usage(format!("backends.{name}: this can't be the name of a backend"))
        .help("use lower case letters, digits, `-` and single `_`"))
}

/// The options of a section as a program gives them: numbers, texts, lists and tables, as in a file.
///
/// # Errors
/// A usage error for a value that a file could not hold.
pub(crate) fn dict_of(options: &serde_json::Map<String, serde_json::Value>) -> Result<Dict> {
    match Value::serialize(options) {
        Ok(Value::Dict(_, options)) => Ok(options),
        Ok(_) => Err(Error::usage("options are expected")),
        Err(error) => Err(Error::usage(format!("the options can't be read: {error}"))),
    }
}

/// An option that does not exist.
pub(crate) fn unknown(key: &str, origin: &Origin, place: &str, known: &[&str]) -> Error {
    let full = |key: &str| {
        let key = if place.is_empty() { key.to_owned() } else { format!("{place}.{key}") };
        origin.key(&key)
    };
    let error = Error::usage(format!("there is no option {}", full(key)));
    let nearest = known.iter().min_by_key(|known| strsim::osa_distance(known, key));
    match nearest {
        Some(nearest) => error.help(format!("the nearest is {}", full(nearest))),
        None => error,
    }
}
