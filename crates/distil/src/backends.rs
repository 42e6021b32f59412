//! The registry: which engines there are, and how an entry of the configuration becomes a backend.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use distil_engine::Native;
use distil_external::External;
use distil_plan::{Backend, Error, Need, Result, Support};
use distil_storage::Storage;
use distil_submit::{Submit, SubmitOptions};

use crate::RunOptions;
use crate::configuration::{
    BackendOptions, Configuration, DEFAULT, Program, Secret, not_trusted, redact,
};
use crate::files::read_text;

/// Makes a backend; nothing is started or reached yet.
type Open = fn(&Entry, Arc<dyn Storage>, &RunOptions) -> Result<Box<dyn Backend>>;

/// An engine that an entry of the configuration can name.
struct Engine {
    name: &'static str,
    /// The scheme of the URLs that mean it.
    scheme: Option<&'static str>,
    /// The options that it understands, beside those of this process.
    understands: &'static [&'static str],
    open: Open,
    /// Where it runs, for people; never a secret.
    place: fn(&Entry) -> String,
}

/// The options of this process: the native engine reads all input, whoever runs the plan.
const OF_THE_PROCESS: [&str; 5] = ["engine", "url", "threads", "memory", "temp_dir"];

/// The engine of this process, and the backend of this name.
const NATIVE: &str = "native";

/// The first is the one that is used when nothing is said.
const ENGINES: &[Engine] = &[
    Engine {
        name: NATIVE,
        scheme: None,
        understands: &[],
        open: |_, storage, options| Ok(Box::new(Native::new(storage, options.engine()))),
        place: |_| "this process".to_owned(),
    },
    Engine {
        name: "pandas",
        scheme: None,
        understands: &["python", "silence"],
        open: |entry, _, _| {
            let words = words(entry.options.python.as_ref(), "python3");
            let mut options = External::pandas_options(Path::new(&words[0]));
            options.arguments.splice(0..0, words[1..].iter().map(Into::into));
            entry.prepare(&mut options);
            Ok(Box::new(External::new("pandas", options)))
        },
        place: |entry| words(entry.options.python.as_ref(), "python3").join(" "),
    },
    Engine {
        name: "external",
        scheme: None,
        understands: &["command", "silence"],
        open: |entry, _, _| {
            let Some(Program(words)) = &entry.options.command else {
                return Err(Error::usage(format!("the backend {} has no command", entry.name))
                    .help("say which program speaks the protocol: command = [\"./engine\"]"));
            };
            let mut options = distil_external::ProcessOptions::new(&words[0]);
            options.arguments = words[1..].iter().map(Into::into).collect();
            entry.prepare(&mut options);
            Ok(Box::new(External::new(&entry.name, options)))
        },
        place: |entry| words(entry.options.command.as_ref(), "?").join(" "),
    },
    Engine {
        name: "spark",
        scheme: Some("sc"),
        understands: &["token", "token_file"],
        open: open_spark,
        place: |entry| redact(entry.options.url.as_deref().unwrap_or("?")),
    },
    Engine {
        name: "spark-submit",
        scheme: None,
        understands: &[
            "master",
            "deploy_mode",
            "submit",
            "application",
            "python",
            "archives",
            "conf",
        ],
        open: open_submit,
        place: |entry| redact(entry.options.master.as_deref().unwrap_or("?")),
    },
];

fn open_submit(
    entry: &Entry,
    storage: Arc<dyn Storage>,
    _: &RunOptions,
) -> Result<Box<dyn Backend>> {
    let options = &entry.options;
    let Some(master) = &options.master else {
        return Err(Error::usage(format!("the backend {} has no master", entry.name))
            .help("say where Spark runs: master = \"spark://HOST:7077\""));
    };
    let python = match words(options.python.as_ref(), "python3").as_slice() {
        [python] => python.clone(),
        _ => {
            return Err(Error::usage(format!(
                "the Python of the backend {} must be a program without arguments",
                entry.name
            )));
        }
    };
    let given = SubmitOptions {
        deploy_mode: options.deploy_mode.unwrap_or_default(),
        submit: words(options.submit.as_ref(), "spark-submit"),
        application: options.application.as_ref().map(|path| path.0.clone()),
        python,
        archives: options.archives.as_ref().map_or_else(Vec::new, |paths| paths.0.clone()),
        conf: options.conf.as_ref().map(|properties| properties.0.clone()).unwrap_or_default(),
        without: options_of_the_environment(),
        ..SubmitOptions::new(master)
    };
    Ok(Box::new(Submit::new(storage, given)?))
}

#[cfg(feature = "spark")]
fn open_spark(
    entry: &Entry,
    storage: Arc<dyn Storage>,
    _: &RunOptions,
) -> Result<Box<dyn Backend>> {
    let Some(url) = &entry.options.url else {
        return Err(Error::usage(format!("the backend {} has no url", entry.name))
            .help("say where the Spark Connect server is: url = \"sc://host:15002\""));
    };
    let mut server = distil_spark::ConnectServer::new(url)?;
    if let Some(token) = entry.token(&*storage)? {
        server = server.token(token.reveal());
    }
    Ok(Box::new(distil_spark::Spark::new("spark", storage, Box::new(server))))
}

#[cfg(not(feature = "spark"))]
fn open_spark(entry: &Entry, _: Arc<dyn Storage>, _: &RunOptions) -> Result<Box<dyn Backend>> {
    Err(Error::usage(format!(
        "the backend {} needs Spark Connect, which this distil is built without",
        entry.name
    ))
    .help("build it in: cargo build --release -p distil-cli --features spark"))
}

fn words(program: Option<&Program>, default: &str) -> Vec<String> {
    program.map_or_else(|| vec![default.to_owned()], |Program(words)| words.clone())
}

/// A backend, as the configuration or a URL names it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its name; of one that has none, its URL without secrets.
    pub name: String,
    /// Its engine.
    pub engine: &'static str,
    /// Its options.
    pub options: BackendOptions,
    /// Whether a file that the user does not trust makes it what it is.
    pub(crate) is_untrusted: bool,
}

impl Entry {
    /// The backend of this name or URL. Without a section of its own, the name of an engine means the
    /// engine, and `default` the native one.
    ///
    /// # Errors
    /// A usage error for a name that nothing has, and for options that don't go together.
    pub fn find(configuration: &Configuration, name: &str) -> Result<Self> {
        let (shown, options) = match configuration.backends.get(name) {
            Some(options) => (name.to_owned(), options.clone()),
            None if name.contains("://") => {
                let url = Some(name.to_owned());
                (redact(name), BackendOptions { url, ..BackendOptions::default() })
            }
            None if name == DEFAULT || engine(name).is_some() => {
                (name.to_owned(), BackendOptions::default())
            }
            None => return Err(unknown(configuration, name)),
        };
        let found = engine_of(&shown, &options)?;
        let is_given = |option: &&str| options.names().contains(option);
        let strange = options
            .names()
            .into_iter()
            .find(|option| !OF_THE_PROCESS.contains(option) && !found.understands.contains(option));
        if let Some(option) = strange {
            return Err(Error::usage(format!(
                "the backend {shown} has the option `{option}`, which the engine {} does not know",
                found.name
            ))
            .help(format!("it knows: {}", known(found).join(", "))));
        }
        if found.scheme.is_none() && is_given(&"url") {
            return Err(Error::usage(format!(
                "the backend {shown} has a URL, but the engine {} is reached without one",
                found.name
            )));
        }
        let is_untrusted =
            found.name != NATIVE && configuration.untrusted.backends.contains(&shown);
        Ok(Self { name: shown, engine: found.name, options, is_untrusted })
    }

    /// All backends that can be named: those of the configuration, and every engine of this build
    /// that needs nothing but its name.
    ///
    /// # Errors
    /// As [`Entry::find`].
    pub fn all(configuration: &Configuration) -> Result<Vec<Self>> {
        let mut names: Vec<&str> = configuration.backends.keys().map(String::as_str).collect();
        for name in [DEFAULT, "native", "pandas"] {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names.sort_unstable();
        names.into_iter().map(|name| Self::find(configuration, name)).collect()
    }

    /// Whether it is the native engine, which starts and reaches nothing.
    pub(crate) fn is_native(&self) -> bool {
        self.engine == NATIVE
    }

    /// Where it runs, for people; never a secret.
    pub fn place(&self) -> String {
        engine(self.engine).map_or_else(String::new, |engine| (engine.place)(self))
    }

    /// Makes the backend. Nothing is started or reached yet: [`Backend::check`] does that.
    ///
    /// # Errors
    /// A usage error for options that don't suffice, and for an engine that this build lacks.
    pub fn open(
        &self,
        storage: Arc<dyn Storage>,
        options: &RunOptions,
    ) -> Result<Box<dyn Backend>> {
        if self.is_untrusted {
            return Err(not_trusted(&self.name));
        }
        let engine = engine(self.engine)
            .ok_or_else(|| Error::bug(format!("there is no engine {}", self.engine)))?;
        (engine.open)(self, storage, options)
    }

    /// The secret that the engine asks for: from the environment, or else from its file.
    ///
    /// # Errors
    /// An environment error if the file can't be read, a usage error if nothing is in it.
    pub fn token(&self, storage: &dyn Storage) -> Result<Option<Secret>> {
        match (&self.options.token, &self.options.token_file) {
            (Some(token), _) => Ok(Some(token.clone())),
            (None, None) => Ok(None),
            (None, Some(path)) => match read_text(storage, path)?.trim() {
                "" => Err(Error::usage("the file of the secret is empty")
                    .at(path.to_string_lossy(), None)),
                token => Ok(Some(Secret::new(token))),
            },
        }
    }

    /// Sets how long a process is waited for, and which variables it does not get: they may hold the secrets of
    /// other backends.
    fn prepare(&self, options: &mut distil_external::ProcessOptions) {
        options.without = options_of_the_environment();
        if let Some(seconds) = self.options.silence {
            options.silence = Duration::from_secs(seconds.max(1));
            options.start = options.silence;
        }
    }
}

/// The promises that a backend keeps beyond the rows themselves, for people.
pub fn promises(backend: &dyn Backend) -> String {
    // These two are answered without reaching anything.
    let keeps = |need| backend.supports(&need).is_ok_and(Support::is_yes);
    let mut promises = vec!["same rows"];
    if keeps(Need::SameBytes) {
        promises.push("same bytes");
    }
    promises.push(if keeps(Need::BadRecords) { "quarantine" } else { "valid input only" });
    promises.join(", ")
}

/// The variables of the environment that set options.
fn options_of_the_environment() -> Vec<OsString> {
    std::env::vars_os().map(|(name, _)| name).filter(|name| is_option(name)).collect()
}

/// Whether a variable of the environment sets an option.
fn is_option(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b"DISTIL_BACKEND")
}

fn engine(name: &str) -> Option<&'static Engine> {
    ENGINES.iter().find(|engine| engine.name == name)
}

fn known(engine: &Engine) -> Vec<&'static str> {
    OF_THE_PROCESS
        .into_iter()
        .filter(|name| *name != "url" || engine.scheme.is_some())
        .chain(engine.understands.iter().copied())
        .collect()
}

fn engine_of(name: &str, options: &BackendOptions) -> Result<&'static Engine> {
    let by_url = match &options.url {
        None => None,
        Some(url) => {
            let scheme = url.split_once("://").map(|(scheme, _)| scheme);
            let found = ENGINES.iter().find(|engine| scheme.is_some() && engine.scheme == scheme);
            Some(found.ok_or_else(|| {
                let schemes: Vec<String> = ENGINES
                    .iter()
                    .filter_map(|engine| Some(format!("{}://HOST:PORT", engine.scheme?)))
                    .collect();
                Error::usage(format!("no engine is reached by the URL {}", redact(url)))
                    .help(format!("URLs are: {}", schemes.join(", ")))
            })?)
        }
    };
    let by_name = match &options.engine {
        None => None,
        Some(asked) => Some(engine(asked).ok_or_else(|| {
            Error::usage(format!(
                "the backend {name} has the engine `{asked}`, which does not exist"
            ))
            .help(format!("the nearest is {}", nearest(asked, &engine_names())))
        })?),
    };
    match (by_name, by_url) {
        (Some(other), _) | (None, Some(other)) if name == NATIVE && other.name != NATIVE => {
            Err(Error::usage(format!(
                "the backend native is always the native engine, and not {}",
                other.name
            ))
            .help("give the section another name"))
        }
        (Some(named), Some(reached)) if named.name != reached.name => Err(Error::usage(format!(
            "the backend {name} has the engine {}, but its URL means {}",
            named.name, reached.name
        ))),
        (Some(found), _) | (None, Some(found)) => Ok(found),
        (None, None) if name == DEFAULT => Ok(&ENGINES[0]),
        (None, None) => engine(name).ok_or_else(|| {
            Error::usage(format!("the backend {name} has no engine"))
                .help(format!("add engine = \"NAME\": {}", engine_names().join(", ")))
        }),
    }
}

fn engine_names() -> Vec<&'static str> {
    ENGINES.iter().map(|engine| engine.name).collect()
}

fn unknown(configuration: &Configuration, name: &str) -> Error {
    let mut known: Vec<&str> = configuration.backends.keys().map(String::as_str).collect();
    known.extend(["native", "pandas"]);
    known.sort_unstable();
    known.dedup();
    Error::usage(format!("there is no backend `{}`", redact(name))).help(format!(
        "the nearest is {}; there are: {}",
        nearest(name, &known),
        known.join(", ")
    ))
}

fn nearest<'a>(name: &str, known: &[&'a str]) -> &'a str {
    known.iter().min_by_key(|known| strsim::osa_distance(known, name)).copied().unwrap_or_default()
}
