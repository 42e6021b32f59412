//! Flags made from the declarations of options, in `distil::configuration`. Their values stay text here
//! and are read as those of a configuration are, so that both refuse a value with the same words.

use std::ffi::OsStr;
use std::marker::PhantomData;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Args, Command, FromArgMatches};
use distil::Result;
use distil::configuration::{BackendOptions, Declared, Heading, JobOptions};

/// Options whose flags a command takes together.
pub(crate) trait Group {
    /// The name of the group, for flags that do not go with it.
    const NAME: &'static str;

    /// The options.
    fn options() -> impl Iterator<Item = &'static Declared>;
}

/// Options of a job that say what is read, and how.
#[derive(Debug)]
pub(crate) struct Reading;

impl Group for Reading {
    const NAME: &'static str = "reading";

    fn options() -> impl Iterator<Item = &'static Declared> {
        JobOptions::OPTIONS.iter().filter(|option| option.heading == Some(Heading::Reading))
    }
}

/// Options of a job that make its plan.
#[derive(Debug)]
pub(crate) struct Planning;

impl Group for Planning {
    const NAME: &'static str = "planning";

    fn options() -> impl Iterator<Item = &'static Declared> {
        JobOptions::OPTIONS.iter().filter(|option| option.heading != Some(Heading::Running))
    }
}

/// Options of a job that its plan does not hold.
#[derive(Debug)]
pub(crate) struct Running;

impl Group for Running {
    const NAME: &'static str = "running";

    fn options() -> impl Iterator<Item = &'static Declared> {
        JobOptions::OPTIONS.iter().filter(|option| option.heading == Some(Heading::Running))
    }
}

/// Options of a backend that say what this process may use, but for the directory of temporary files,
/// whose name need not be text.
#[derive(Debug)]
pub(crate) struct Resources;

impl Group for Resources {
    const NAME: &'static str = "resources";

    fn options() -> impl Iterator<Item = &'static Declared> {
        BackendOptions::OPTIONS.iter().filter(|option| {
            option.heading == Some(Heading::Resources) && option.name != "temp_dir"
        })
    }
}

/// The flags of a group that are given.
#[derive(Debug)]
pub(crate) struct Flags<G> {
    /// For each the name of its option, and the texts of its values.
    texts: Vec<(&'static str, Vec<String>)>,
    group: PhantomData<G>,
}

impl<G> Flags<G> {
    /// For each flag the name of its option, and the texts of its values; none for a flag without a
    /// value.
    pub(crate) fn texts(&self) -> Vec<(&'static str, Vec<String>)> {
        self.texts.clone()
    }

    /// The options of a job that they give.
    ///
    /// # Errors
    /// A usage error for a value that is not one of the option's.
    pub(crate) fn options(&self) -> Result<JobOptions> {
        JobOptions::of_flags(self.texts())
    }
}

impl<G: Group> Args for Flags<G> {
    fn augment_args(command: Command) -> Command {
        let names = G::options().map(|option| option.name);
        let group = ArgGroup::new(G::NAME).multiple(true).args(names);
        command.args(G::options().map(argument)).group(group)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<G: Group> FromArgMatches for Flags<G> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut texts = Vec::new();
        for Declared { name, value, .. } in G::options() {
            if value.is_none() {
                if matches.get_flag(name) {
                    texts.push((*name, Vec::new()));
                }
            } else if let Some(values) = matches.get_many::<String>(name) {
                texts.push((*name, values.cloned().collect()));
            }
        }
        Ok(Self { texts, group: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The argument of an option.
fn argument(option: &'static Declared) -> Arg {
    let mut argument = Arg::new(option.name).help(described(option));
    let spelled = option.spelled();
    argument = match spelled.strip_prefix("--") {
        Some(flag) => argument
            .long(flag.to_owned())
            .short(option.short)
            .help_heading(option.heading.map(Heading::text)),
        None => argument.value_name(spelled),
    };
    let Some(value) = option.value else {
        return argument.action(ArgAction::SetTrue);
    };
    if argument.get_long().is_some() {
        argument = argument.value_name(value);
    }
    argument
        .action(if option.repeats { ArgAction::Append } else { ArgAction::Set })
        .value_parser(Text { choices: option.choices })
}

/// The help of the option of this name.
pub(crate) fn help(options: &[Declared], name: &str) -> String {
    options.iter().find(|option| option.name == name).map(described).unwrap_or_default()
}

fn described(option: &Declared) -> String {
    let mut text = option.meaning.to_owned();
    if option.repeats && option.spelled().starts_with("--") {
        text.push_str(" [repeatable]");
    }
    if let Some(default) = option.default {
        text.push_str(&format!(" [default: {default}]"));
    }
    text
}

/// Takes any text. The choices are for the help and for completions: what is not one of them is refused
/// where the values of a configuration are.
#[derive(Clone)]
struct Text {
    choices: &'static [&'static str],
}

impl TypedValueParser for Text {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        if self.choices.is_empty() {
            return None;
        }
        Some(Box::new(self.choices.iter().copied().map(PossibleValue::new)))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::arguments::Cli;

    #[test]
    fn every_option_of_a_job_has_a_flag() {
        let command = Cli::command();
        command.clone().debug_assert();
        let run = command.find_subcommand("run").unwrap();
        for option in JobOptions::OPTIONS {
            let found = run.get_arguments().find(|argument| argument.get_id() == option.name);
            let argument = found.unwrap_or_else(|| panic!("{} has no flag", option.name));
            let values = argument.get_possible_values();
            let choices: Vec<&str> = values.iter().map(PossibleValue::get_name).collect();
            assert_eq!(choices, option.choices, "{}", option.name);
            assert_eq!(argument.get_action().takes_values(), option.value.is_some());
        }
    }
}
