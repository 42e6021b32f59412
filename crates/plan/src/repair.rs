//! What a plan allows to be mended in records that are not valid.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Something that can be mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Repair {
    /// NaN and infinities become null.
    Nan,
    /// Escapes of half a surrogate pair become U+FFFD.
    Surrogates,
    /// Of the members of one name in an object, the last stays.
    DuplicateMembers,
}

impl Repair {
    /// All, in the order of reports.
    pub const ALL: [Self; 3] = [Self::Nan, Self::Surrogates, Self::DuplicateMembers];

    /// The name in plans, options and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nan => "nan",
            Self::Surrogates => "surrogates",
            Self::DuplicateMembers => "duplicate-members",
        }
    }
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// All that a plan allows to be mended; nothing by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Repairs(BTreeSet<Repair>);

impl Repairs {
    /// Everything that can be mended.
    pub fn all() -> Self {
        Repair::ALL.into_iter().collect()
    }

    /// Whether nothing is mended.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this is mended.
    pub fn has(&self, repair: Repair) -> bool {
        self.0.contains(&repair)
    }

    /// These, and one more.
    #[must_use]
    pub fn with(mut self, repair: Repair) -> Self {
        self.0.insert(repair);
        self
    }
}

impl FromIterator<Repair> for Repairs {
    fn from_iter<T: IntoIterator<Item = Repair>>(repairs: T) -> Self {
        Self(repairs.into_iter().collect())
    }
}

/// As an option has them: `nan,surrogates`.
impl fmt::Display for Repairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.iter().map(|repair| repair.name()).collect();
        f.write_str(&names.join(","))
    }
}

impl FromStr for Repairs {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let known = |name: &str| Repair::ALL.into_iter().find(|repair| repair.name() == name);
        let read = |name: &str| {
            known(name.trim()).ok_or_else(|| {
                Error::usage(format!("`{name}` is nothing that can be mended")).help(
                    "write nan, surrogates or duplicate-members, or several with commas between",
                )
            })
        };
        text.split(',').map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repairs_are_read_as_they_are_written() {
        let repairs: Repairs = "surrogates, nan".parse().unwrap();
        assert_eq!(repairs.to_string(), "nan,surrogates");
        assert!(repairs.has(Repair::Nan) && !repairs.has(Repair::DuplicateMembers));
        assert_eq!(Repairs::all().to_string(), "nan,surrogates,duplicate-members");
        assert!("".parse::<Repairs>().is_err() && "NaN".parse::<Repairs>().is_err());
        let text = serde_json::to_string(&Repairs::all()).unwrap();
        assert_eq!(text, r#"["nan","surrogates","duplicate-members"]"#);
        assert_eq!(serde_json::from_str::<Repairs>(&text).unwrap(), Repairs::all());
    }
}
