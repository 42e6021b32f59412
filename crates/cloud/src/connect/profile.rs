//! The profile of the AWS tools: `~/.aws/config` and `~/.aws/credentials`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use distil_plan::{Error, Result};
use distil_storage::{Local, Storage};

use super::variable;

/// What a profile may say; files of this size have a few thousand of them.
const LARGEST: usize = 1 << 20;

/// The settings of a profile.
pub(super) type Profile = BTreeMap<String, String>;

/// The profile that `AWS_PROFILE` names, or `default`; credentials are stronger than the configuration. Nothing if there
/// is no such file, or no such profile and none is asked for.
///
/// # Errors
/// An environment error: a profile that is asked for is not there, or a file can't be read.
pub(super) fn read() -> Result<Option<Profile>> {
    let asked = variable("AWS_PROFILE").or_else(|| variable("AWS_DEFAULT_PROFILE"));
    let name = asked.as_deref().unwrap_or("default");
    let mut found: Option<Profile> = None;
    for (variable_name, file, section) in [
        ("AWS_CONFIG_FILE", "config", config_section(name)),
        ("AWS_SHARED_CREDENTIALS_FILE", "credentials", name.to_owned()),
    ] {
        let path = variable(variable_name)
            .map(PathBuf::from)
            .or_else(|| Some(PathBuf::from(variable("HOME")?).join(".aws").join(file)));
        let Some(text) = path.map(|path| text(&path)).transpose()?.flatten() else { continue };
        if let Some(settings) = section_of(&text, &section) {
            found.get_or_insert_default().extend(settings);
        }
    }
    match (asked, found) {
        (Some(asked), None) => Err(Error::environment(format!("there is no AWS profile {asked}"))
            .help("list them: aws configure list-profiles")),
        (_, found) => Ok(found),
    }
}

fn config_section(name: &str) -> String {
    if name == "default" { name.to_owned() } else { format!("profile {name}") }
}

/// Refuses a profile whose keys only the AWS tools can get.
///
/// # Errors
/// An environment error with the command that gets them.
pub(super) fn refuse_what_needs_a_tool(setting: &dyn Fn(&str) -> Option<String>) -> Result<()> {
    for name in ["sso_session", "sso_start_url", "role_arn", "credential_process"] {
        if setting(name).is_some() {
            return Err(Error::environment(format!(
                "the AWS profile has no keys, but `{name}`, which distil does not follow"
            ))
            .help("get keys by the AWS tools: eval \"$(aws configure export-credentials --format env)\""));
        }
    }
    Ok(())
}

fn text(path: &Path) -> Result<Option<String>> {
    if Local.metadata(path)?.is_none() {
        return Ok(None);
    }
    let file = Local.open(path)?;
    let mut bytes = vec![0; LARGEST];
    let mut filled = 0;
    while filled < LARGEST {
        match file.read_at(filled as u64, &mut bytes[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    bytes.truncate(filled);
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// The settings of a section; indented lines belong to a setting above, and are of other services.
fn section_of(text: &str, wanted: &str) -> Option<Profile> {
    let mut found = None;
    let mut is_wanted = false;
    for line in text.lines() {
        let line = line.split(" #").next().unwrap_or_default().trim_end();
        if let Some(header) = line.trim().strip_prefix('[').and_then(|line| line.strip_suffix(']'))
        {
            let words: Vec<&str> = header.split_whitespace().collect();
            is_wanted = words.join(" ") == wanted;
            if is_wanted {
                found.get_or_insert_with(Profile::new);
            }
        } else if is_wanted
            && !line.starts_with([' ', '\t', '#', ';'])
            && let Some((key, value)) = line.split_once('=')
            && let Some(settings) = &mut found
        {
            settings.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_has_its_settings_and_those_of_no_other() {
        let text = "# keys\n[default]\naws_access_key_id = A\n[profile  other]\nRegion=eu-west-1 # here\n\
                    s3 =\n  endpoint_url = http://no\n";
        let other = section_of(text, &config_section("other")).unwrap();
        assert_eq!(other.get("region").map(String::as_str), Some("eu-west-1"));
        assert_eq!(other.get("endpoint_url"), None);
        assert_eq!(section_of(text, "default").unwrap()["aws_access_key_id"], "A");
        assert_eq!(section_of(text, "third"), None);
    }

    #[test]
    fn what_only_the_tools_can_follow_is_refused_with_their_command() {
        let setting = |name: &str| (name == "role_arn").then(|| "arn:x".to_owned());
        let error = refuse_what_needs_a_tool(&setting).unwrap_err();
        assert!(error.what.contains("role_arn") && !error.what.contains("arn:x"));
        refuse_what_needs_a_tool(&|_| None).unwrap();
    }
}
