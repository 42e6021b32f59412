//! How an option is declared: once, for the reader, the flags of the command and the documentation.

use std::path::Path;

use distil_plan::{Error, Result};
use figment::value::{Dict, Value};

use super::origin::Origin;

/// An option of a section, as its declaration says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Its name, in `distil.toml`; the flag of the same option has dashes for underscores.
    pub name: &'static str,
    /// What it means, one sentence without a final period.
    pub meaning: &'static str,
    /// What may be written, for people.
    pub written: &'static str,
    /// What holds when it is not there, for people.
    pub default: Option<&'static str>,
    /// Whether its value must neither stand in a configuration file nor be shown.
    pub secret: bool,
}

/// The value of an option.
pub(crate) trait Setting: Sized {
    /// What may be written, for people.
    const WRITTEN: &'static str;
    /// Whether it is a secret.
    const SECRET: bool = false;

    /// Reads a value; paths are relative to `base`.
    ///
    /// # Errors
    /// A usage error that says what may be written.
    fn read(value: &Value, base: &Path) -> Result<Self>;
}

/// Takes an option out of a section.
pub(crate) fn take<T: Setting>(
    section: &mut Dict,
    name: &str,
    origin: &dyn Fn(&Value) -> Origin,
    place: &str,
) -> Result<Option<T>> {
    let Some(value) = section.remove(name) else { return Ok(None) };
    let origin = origin(&value);
    T::read(&value, origin.base()).map(Some).map_err(|error| {
        let key = format!("{place}.{name}");
        let mut wrong = Error::usage(format!("{}: {}", origin.key(&key), error.what));
        wrong.hints = error.hints;
        wrong.at(origin.shown(), None)
    })
}

/// Declares the options of a section: a struct in which all are optional, and the list of them.
macro_rules! options {
    (
        $(#[$meta:meta])*
        pub struct $section:ident {
            $( #[doc = $meaning:literal] $(#[default = $default:literal])? $name:ident: $type:ty, )*
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
                    name: stringify!($name),
                    meaning: $meaning.trim_ascii(),
                    written: <$type as $crate::configuration::declare::Setting>::WRITTEN,
                    default: options!(@default $($default)?),
                    secret: <$type as $crate::configuration::declare::Setting>::SECRET,
                },
            )*];

            /// Takes the options out of a section of a configuration.
            pub(crate) fn read(
                mut section: figment::value::Dict,
                origin: &dyn Fn(&figment::value::Value) -> $crate::configuration::origin::Origin,
                place: &str,
            ) -> distil_plan::Result<Self> {
                Ok(Self { $(
                    $name: $crate::configuration::declare::take(
                        &mut section, stringify!($name), origin, place,
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
    (@default) => { None };
    (@default $default:literal) => { Some($default) };
}
pub(crate) use options;
