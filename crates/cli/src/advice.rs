//! Advice as the command spells it: options are flags, quoted for a shell.

use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};
use distil::{Error, Hint, hides, printable};

use crate::flags::{Group, Planning};

/// Options whose advice is a whole command, since so much of the work is done once they are given: what bad
/// records ask for, and what finds records.
const WHOLE: [&str; 4] = ["quarantine", "repair", "records", "hive"];

/// A command as it was typed.
pub(crate) struct Advice<'a> {
    command: &'a Command,
    matches: &'a ArgMatches,
    /// What was typed after the name of the program.
    arguments: Vec<OsString>,
}

impl<'a> Advice<'a> {
    /// Of the subcommand that was typed; `None` without one.
    pub(crate) fn of(
        command: &'a Command,
        matches: &'a ArgMatches,
        arguments: Vec<OsString>,
    ) -> Option<Self> {
        let (name, mut matches) = matches.subcommand()?;
        let mut command = command.find_subcommand(name)?;
        while let Some((name, below)) = matches.subcommand() {
            (command, matches) = (command.find_subcommand(name)?, below);
        }
        Some(Self { command, matches, arguments })
    }

    /// The error with its advice as text. Advice on an option that the command does not have, or on one
    /// that has the value already, is left out.
    pub(crate) fn spell(&self, mut error: Error) -> Error {
        let hints = std::mem::take(&mut error.hints);
        error.hints = hints.iter().filter_map(|hint| self.text(hint)).map(Hint::new).collect();
        error
    }

    fn text(&self, hint: &Hint) -> Option<String> {
        let Hint { text, option, value } = hint;
        let Some(option) = option else { return Some(text.clone()) };
        let argument = self.command.get_arguments().find(|argument| argument.get_id() == option)?;
        if value.as_deref().is_some_and(|value| self.has(option, value)) {
            return None;
        }
        let flag = flag(argument, value.as_deref())?;
        // A plan from a file takes no flag that would change it.
        let is_planned = self.is_typed("plan");
        if is_planned && Planning::options().any(|planning| planning.name == option) {
            return Some(format!("{text}: make the plan again, with {}", shown(&flag, argument)));
        }
        if WHOLE.contains(&option.as_str())
            && (value.is_some() || !argument.get_action().takes_values())
            && !self.is_typed(option)
            && let Some(command) = self.command_line(option, &flag)
        {
            return Some(format!("{text}: {command}"));
        }
        Some(format!("{text}: {}", shown(&flag, argument)))
    }

    /// The command line that was typed, and a flag.
    fn command_line(&self, option: &str, flag: &[String]) -> Option<String> {
        let mut arguments = self.arguments.clone();
        // A shape that is a path says where the records are, too, and gives way.
        let shape = "--shape";
        if option == "records" && self.is_typed("shape") {
            let given = |word: &OsString| word.to_string_lossy().into_owned();
            let at = arguments.iter().position(|word| given(word).starts_with(shape))?;
            let (own, next) = (given(&arguments[at]), arguments.get(at + 1).map(given));
            let value = own.strip_prefix("--shape=").map(str::to_owned);
            let words = if value.is_some() { 1 } else { 2 };
            if value.or(next).is_some_and(|value| value.contains('/')) {
                arguments.drain(at..(at + words).min(arguments.len()));
            }
        }
        command_line(&arguments, flag)
    }

    fn is_typed(&self, option: &str) -> bool {
        let source = self.matches.try_contains_id(option).is_ok_and(|known| known);
        source && self.matches.value_source(option) == Some(ValueSource::CommandLine)
    }

    fn has(&self, option: &str, value: &str) -> bool {
        self.is_typed(option)
            && self.matches.get_raw(option).into_iter().flatten().any(|given| given == value)
    }
}

/// A flag as words: its name, and its value if it has one.
fn flag(argument: &Arg, value: Option<&str>) -> Option<Vec<String>> {
    let name = format!("--{}", argument.get_long()?);
    Some(std::iter::once(name).chain(value.map(str::to_owned)).collect())
}

/// A flag for people: what stands for a value that is theirs to choose is not quoted.
fn shown(flag: &[String], argument: &Arg) -> String {
    let words: Vec<&str> = flag.iter().map(String::as_str).collect();
    let mut text = quoted(&words);
    if let ([_], Some([name, ..])) = (flag, argument.get_value_names()) {
        text.push_str(&format!(" {name}"));
    }
    text
}

/// The command line of these arguments and a flag, for a shell. `None` if it can't be printed as it was
/// typed: some of it is not UTF-8, would steer a terminal, or is a secret.
fn command_line(arguments: &[OsString], flag: &[String]) -> Option<String> {
    let mut words = vec!["distil"];
    for argument in arguments {
        let is_shown =
            |word: &&str| printable(word) == **word && !(word.contains("://") && hides(word));
        words.push(argument.to_str().filter(is_shown)?);
    }
    // After `--` it would be a source.
    let end = words.iter().position(|word| *word == "--").unwrap_or(words.len());
    words.splice(end..end, flag.iter().map(String::as_str));
    Some(quoted(&words))
}

/// Words as a shell reads them. Those that hold a NUL, which no argument can, stay out.
pub(crate) fn quoted(words: &[impl AsRef<str>]) -> String {
    let words = words.iter().map(AsRef::as_ref);
    let quoted: Vec<_> = words.filter_map(|word| shlex::try_quote(word).ok()).collect();
    quoted.join(" ")
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a test that reads the sources")]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use clap::CommandFactory;
    use distil::configuration::{BackendOptions, JobOptions};

    use super::*;
    use crate::arguments::Cli;

    /// What the command that is typed makes of advice.
    fn spelled(typed: &[&str], hints: &[Hint]) -> Vec<String> {
        let command = Cli::command();
        let arguments: Vec<OsString> = typed.iter().map(OsString::from).collect();
        let words = std::iter::once(OsString::from("distil")).chain(arguments.clone());
        let matches = command.clone().try_get_matches_from(words).unwrap();
        let advice = Advice::of(&command, &matches, arguments).unwrap();
        let mut error = Error::input("x");
        error.hints = hints.to_vec();
        advice.spell(error).hints.into_iter().map(|hint| hint.text).collect()
    }

    #[test]
    fn options_are_flags_quoted_for_a_shell() {
        let hints = [
            Hint::new("do it"),
            Hint::set("read it as instants", "types", "ts=timestamp(us)"),
            Hint::choose("keep temporary files elsewhere", "temp_dir"),
            Hint::set("set them aside", "quarantine", "a b.ndjson"),
        ];
        assert_eq!(
            spelled(&["run", "in", "-o", "o.parquet", "-k", "id"], &hints),
            [
                "do it",
                "read it as instants: --type 'ts=timestamp(us)'",
                "keep temporary files elsewhere: --temp-dir DIR",
                "set them aside: distil run in -o o.parquet -k id --quarantine 'a b.ndjson'",
            ]
        );
        assert_eq!(
            spelled(&["run", "--plan", "p.json"], &hints[1..3]),
            [
                "read it as instants: make the plan again, with --type 'ts=timestamp(us)'",
                "keep temporary files elsewhere: --temp-dir DIR",
            ]
        );
    }

    #[test]
    fn a_flag_that_is_not_there_or_has_the_value_is_not_proposed() {
        let hints = [
            Hint::set("read lines", "shape", "lines"),
            Hint::set("set them aside", "quarantine", "q"),
            Hint::set("replace it", "mode", "overwrite"),
        ];
        assert_eq!(spelled(&["schema", "in"], &hints), ["read lines: --shape lines"]);
        assert_eq!(spelled(&["schema", "in", "--shape", "lines"], &hints), [""; 0]);
        let again = ["run", "in", "-o", "o", "-k", "id", "--mode", "error", "--shape=lines"];
        assert_eq!(
            spelled(&again, &[hints[0].clone(), hints[2].clone()]),
            ["replace it: --mode overwrite"]
        );
    }

    #[test]
    fn a_command_line_is_shown_only_as_it_can_be_typed_again() {
        let shown = |arguments: &[&str]| {
            let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
            command_line(&arguments, &["--quarantine".to_owned(), "a b".to_owned()])
        };
        assert_eq!(
            shown(&["run", "id, data", "", "*", "it's"]).unwrap(),
            "distil run 'id, data' '' '*' \"it's\" --quarantine 'a b'"
        );
        assert_eq!(shown(&["run", "--", "-"]).unwrap(), "distil run --quarantine 'a b' -- -");
        assert_eq!(shown(&["run", "\u{1b}[31m"]), None);
        assert_eq!(command_line(&[OsString::from_vec(b"t\xff".to_vec())], &[]), None);
    }

    /// Advice is left out where the command does not know its option, so a misspelled one would be missed.
    #[test]
    fn the_crates_advise_options_that_exist_and_spell_no_flag() {
        let command = Cli::command();
        let [generate, emr] =
            ["generate", "emr"].map(|name| command.find_subcommand(name).unwrap());
        let known: Vec<&str> = (JobOptions::OPTIONS.iter().map(|option| option.name))
            .chain(BackendOptions::OPTIONS.iter().map(|option| option.name))
            .chain(generate.get_arguments().map(|argument| argument.get_id().as_str()))
            .chain(
                emr.get_subcommands()
                    .flat_map(Command::get_arguments)
                    .map(|argument| argument.get_id().as_str()),
            )
            .chain(["config"])
            .collect();
        let crates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut advised = 0;
        for file in globbed(crates) {
            let text = std::fs::read_to_string(&file).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            for call in ["Hint::set(", "Hint::choose("] {
                for after in code.split(call).skip(1) {
                    // The second text in quotes, or the only one of a call without literal advice.
                    let texts: Vec<&str> = after.split('"').skip(1).step_by(2).take(2).collect();
                    let found = texts.iter().any(|text| known.contains(text));
                    assert!(found, "{}: {call}{texts:?} names no option", file.display());
                    advised += 1;
                }
            }
            for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
                let flag = line.split('"').skip(1).step_by(2).find(|text| {
                    text.split(" --").skip(1).any(|flag| flag.starts_with(char::is_lowercase))
                        && !["cargo ", "`zstd", "`distil "].iter().any(|tool| text.contains(tool))
                });
                assert_eq!(flag, None, "{}: a flag is spelled", file.display());
            }
        }
        assert!(advised > 30, "{advised}");
    }

    /// The sources of the library crates.
    fn globbed(crates: &std::path::Path) -> Vec<std::path::PathBuf> {
        let mut found = Vec::new();
        let libraries = std::fs::read_dir(crates).unwrap().map(|entry| entry.unwrap());
        let mut folders: Vec<_> = libraries
            // What `cluster` and `emr` say is only said by their commands.
            .filter(|entry| {
                let name = entry.file_name();
                ["cli", "cluster", "emr", "testkit"].iter().all(|other| name != *other)
            })
            .map(|entry| entry.path().join("src"))
            .collect();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|name| name == "rs")
                    && path.file_name().is_some_and(|name| name != "tests.rs" && name != "hint.rs")
                {
                    found.push(path);
                }
            }
        }
        found
    }
}
