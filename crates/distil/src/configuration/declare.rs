//! How an option is declared: once, for the reader, the flags of the command and the documentation.

use std::path::Path;

use distil_plan::{Error, Result};
use figment::value::{Dict, Value};

use super::origin::Origin;

/// An option of a section, as its declaration says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Declared {
    /// Its name, in `distil.toml`.
    pub name: &'static str,
    /// What it does, one sentence without a final period.
    pub meaning: &'static str,
    /// What may be written in `distil.toml`, for people.
    pub written: &'static str,
    /// The values there are, where it is one of a few words.
    pub choices: &'static [&'static str],
    /// What holds when it is not given, for people.
    pub default: Option<&'static str>,
    /// Whether its value must neither stand in a configuration file nor be shown.
    pub secret: bool,
    /// The group of its flag in the help.
    pub heading: Option<Heading>,
    /// How the command spells it where that is not its name with dashes: `--type`, or `SOURCE` for an
    /// argument that needs no flag.
    pub spelling: Option<&'static str>,
    /// The letter of its short flag.
    pub short: Option<char>,
    /// What stands for its value in the help; `None` if its flag takes no value and means `true`.
    pub value: Option<&'static str>,
    /// Whether its flag can be given more than once.
    pub repeats: bool,
}

/// A group of flags in the help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heading {
    /// What is read, and how. `distil schema` takes these flags.
    Reading,
    /// Which record of each key is kept.
    Duplicates,
    /// What happens to records that cannot be read.
    BadRecords,
    /// What is written, and how.
    Output,
    /// Which backend runs the plan, and what is left beside the output.
    Running,
    /// What a cluster is made of.
    Cluster,
    /// How long a cluster may run, and what it may cost.
    Cost,
    /// What a run may use. The result does not depend on these.
    Resources,
}

impl Heading {
    /// Its text.
    pub fn text(self) -> &'static str {
        match self {
            Self::Reading => "Reading",
            Self::Duplicates => "Duplicates",
            Self::BadRecords => "Bad records",
            Self::Output => "Output",
            Self::Running => "Running",
            Self::Cluster => "Cluster",
            Self::Cost => "Cost",
            Self::Resources => "Resources",
        }
    }
}

impl Declared {
    /// An option with the properties of its type, before those that its declaration adds.
    pub(crate) const fn new<T: Setting>(name: &'static str, meaning: &'static str) -> Self {
        Self {
            name,
            meaning: meaning.trim_ascii(),
            written: T::WRITTEN,
            choices: T::CHOICES,
            default: None,
            secret: T::SECRET,
            heading: None,
            spelling: None,
            short: None,
            value: T::VALUE,
            repeats: T::REPEATS,
        }
    }

    /// How the command spells it: `--order-by`, or `SOURCE` for an argument that needs no flag.
    pub fn spelled(&self) -> String {
        match self.spelling {
            Some(spelling) => spelling.to_owned(),
            None => format!("--{}", self.name.replace('_', "-")),
        }
    }
}

/// The value of an option.
pub(crate) trait Setting: Sized {
    /// What may be written, for people.
    const WRITTEN: &'static str;
    /// What stands for it in the help of the command; `None` for a flag without a value.
    const VALUE: Option<&'static str>;
    /// The values there are, if it is one of a few words.
    const CHOICES: &'static [&'static str] = &[];
    /// Whether its flag can be given more than once: then it reads a list of texts, too.
    const REPEATS: bool = false;
    /// Whether it is a secret.
    const SECRET: bool = false;

    /// Reads a value; paths are relative to `base`.
    ///
    /// # Errors
    /// A usage error that says what may be written.
    fn read(value: &Value, base: &Path) -> Result<Self>;
}

/// Takes the option of this name, one of those `known`, out of a section.
pub(crate) fn take<T: Setting>(
    section: &mut Dict,
    (known, name): (&[Declared], &str),
    origin: &dyn Fn(&Value) -> Origin,
    place: &str,
) -> Result<Option<T>> {
    let Some(value) = section.remove(name) else { return Ok(None) };
    let origin = origin(&value);
    T::read(&value, origin.base()).map(Some).map_err(|error| {
        let declared = known.iter().find(|declared| declared.name == name);
        let spelled = match (&origin, declared) {
            (Origin::Flag, Some(declared)) => declared.spelled(),
            _ => origin.key(&format!("{place}.{name}")),
        };
        let mut wrong = Error::usage(format!("{spelled}: {}", error.what));
        wrong.hints = error.hints;
        origin.mark(wrong)
    })
}

/// The section that flags make: for each the name of its option and the texts of its values, none for
/// a flag without a value.
pub(crate) fn section_of_flags(flags: Vec<(&'static str, Vec<String>)>) -> Dict {
    let value = |mut texts: Vec<String>| match texts.len() {
        0 => Value::from(true),
        1 => Value::from(texts.remove(0)),
        _ => Value::from(texts),
    };
    flags.into_iter().map(|(name, texts)| (name.to_owned(), value(texts))).collect()
}

/// Declares the options of a section: a struct in which all are optional, and the list of them. The
/// attributes of an option are fields of [`Declared`].
macro_rules! options {
    (
        $(#[$meta:meta])*
        pub struct $section:ident {
            $( #[doc = $meaning:literal] $(#[$property:ident = $value:expr])* $name:ident: $type:ty, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq)]
        #[non_exhaustive]
        pub struct $section {
            $( #[doc = $meaning] pub $name: Option<$type>, )*
        }

        impl $section {
            /// Its options, in the order of the documentation.
            pub const OPTIONS: &[$crate::configuration::Declared] = &[$(
                $crate::configuration::Declared {
                    $( $property: Some($value), )*
                    ..$crate::configuration::Declared::new::<$type>(stringify!($name), $meaning)
                },
            )*];

            /// The options that flags of the command give: for each flag the name of its option, and
            /// the texts of its values, none for a flag without a value.
            ///
            /// # Errors
            /// A usage error for a value that is not one of the option's, in the words that
            /// [`Configuration::read`](crate::Configuration::read) uses.
            pub fn of_flags(flags: Vec<(&'static str, Vec<String>)>) -> distil_plan::Result<Self> {
                let section = $crate::configuration::declare::section_of_flags(flags);
                Self::read(section, &|_| $crate::configuration::origin::Origin::Flag, "")
            }

            /// The options that a program gives, each as in `distil.toml`: texts, numbers, lists, tables.
            /// What is null is not given. Paths are relative to the working directory.
            ///
            /// # Errors
            /// A usage error for an option that does not exist, with the nearest that does, and for a
            /// value that is not one of the option's.
            pub fn of_values(
                values: &serde_json::Map<String, serde_json::Value>,
            ) -> distil_plan::Result<Self> {
                let origin = $crate::configuration::origin::Origin::Program;
                let given = values.iter().filter(|(_, value)| !value.is_null());
                let given = given.map(|(name, value)| (name.clone(), value.clone())).collect();
                let names: Vec<&str> = Self::OPTIONS.iter().map(|option| option.name).collect();
                let section = $crate::configuration::sources::dict_of(&given)?;
                if let Some(name) = section.keys().find(|name| !names.contains(&name.as_str())) {
                    return Err($crate::configuration::sources::unknown(name, &origin, "", &names));
                }
                Self::read(section, &|_| origin.clone(), "")
            }

            /// Takes the options out of a section of a configuration.
            pub(crate) fn read(
                mut section: figment::value::Dict,
                origin: &dyn Fn(&figment::value::Value) -> $crate::configuration::origin::Origin,
                place: &str,
            ) -> distil_plan::Result<Self> {
                Ok(Self { $(
                    $name: $crate::configuration::declare::take(
                        &mut section, (Self::OPTIONS, stringify!($name)), origin, place,
                    )?,
                )* })
            }

            /// The names of the options that are given.
            pub fn names(&self) -> Vec<&'static str> {
                let mut names = Vec::new();
                $( if self.$name.is_some() { names.push(stringify!($name)); } )*
                names
            }

            /// These options, and those of `other` where nothing is said.
            #[must_use]
            pub fn or(self, other: Self) -> Self {
                Self { $( $name: self.$name.or(other.$name), )* }
            }
        }
    };
}
pub(crate) use options;
