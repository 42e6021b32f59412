//! Advice, which each face spells in its own way.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// Advice on what to do about an error: a sentence and, where one option is enough, that option. Its name
/// is that of the configuration, so that a command can write `--mode overwrite` where Python writes
/// `mode="overwrite"`, and each can leave out advice on an option that it does not have.
///
/// Its JSON form is an object without the members that are `None`; text alone is read as well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hint {
    /// What to do, or what for: a sentence without a final period that begins with a verb.
    pub text: String,
    /// The option to give, by its name in the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub option: Option<String>,
    /// The value to give it; `None` if that is for the user to choose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

impl Hint {
    /// Advice that takes no option.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), option: None, value: None }
    }

    /// Advice to give an option a value.
    pub fn set(text: impl Into<String>, option: &str, value: impl Into<String>) -> Self {
        Self { text: text.into(), option: Some(option.to_owned()), value: Some(value.into()) }
    }

    /// Advice to give an option a value of the user's choice.
    pub fn choose(text: impl Into<String>, option: &str) -> Self {
        Self { text: text.into(), option: Some(option.to_owned()), value: None }
    }

    /// Advice to run the plan on the native engine.
    pub fn native(text: impl Into<String>) -> Self {
        Self::set(text, "backend", "native")
    }

    /// Whether the advice is to give this option.
    pub fn is_about(&self, option: &str) -> bool {
        self.option.as_deref() == Some(option)
    }
}

/// As in a configuration: `replace it as a whole: mode = "overwrite"`.
impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match (&self.option, &self.value) {
            (Some(option), Some(value)) => write!(f, ": {option} = {value:?}"),
            (Some(option), None) => write!(f, ": {option}"),
            _ => Ok(()),
        }
    }
}

impl From<&str> for Hint {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Hint {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl<'de> Deserialize<'de> for Hint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Text(String),
            Hint {
                text: String,
                #[serde(default)]
                option: Option<String>,
                #[serde(default)]
                value: Option<String>,
            },
        }
        Ok(match Form::deserialize(deserializer)? {
            Form::Text(text) => Self::new(text),
            Form::Hint { text, option, value } => Self { text, option, value },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_is_data_and_is_spelled_as_a_configuration_without_a_face() {
        let hints = [
            Hint::new("repair the input"),
            Hint::set("replace it", "mode", "overwrite"),
            Hint::choose("keep temporary files elsewhere", "temp_dir"),
        ];
        assert_eq!(
            hints.each_ref().map(ToString::to_string),
            [
                "repair the input",
                "replace it: mode = \"overwrite\"",
                "keep temporary files elsewhere: temp_dir"
            ]
        );
        let text = serde_json::to_string(&hints).unwrap();
        assert_eq!(
            text,
            r#"[{"text":"repair the input"},{"text":"replace it","option":"mode","value":"overwrite"},{"text":"keep temporary files elsewhere","option":"temp_dir"}]"#
        );
        assert_eq!(serde_json::from_str::<[Hint; 3]>(&text).unwrap(), hints);
        assert_eq!(serde_json::from_str::<Hint>("\"repair the input\"").unwrap(), hints[0]);
    }
}
