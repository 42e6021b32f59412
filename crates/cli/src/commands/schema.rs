//! `distil schema`

use std::sync::Arc;

use distil::{
    Choice, Code, Configuration, Error, Events, Fix, Inferred, NullText, Result, Session, Stores,
    printable,
};
use indicatif::HumanCount;

use crate::advice::quoted;
use crate::arguments::SchemaArguments;
use crate::console::{self, Style, styled};
use crate::progress::Progress;
use crate::signals::cancel_on_signals;
use crate::text::counted;

/// Infers and prints the schema.
pub(crate) fn run(arguments: &SchemaArguments, quiet: bool) -> Result<()> {
    let plan = arguments.flags.options()?.reading_plan(&Stores::default())?;
    let progress = Arc::new(Progress::new(arguments.resources.progress, quiet));
    let choice = Choice { options: arguments.resources.options()?, ..Choice::default() };
    let session = Session::open(&Configuration::default(), &choice)?
        .watched(Arc::clone(&progress) as Arc<dyn Events>, cancel_on_signals()?);
    let advised = |error: Error| match error.code {
        Code::BadRecords => error.help("repair these records, or leave their files out"),
        _ => error,
    };
    if arguments.fix {
        let surveyed = session.survey(plan);
        progress.finish();
        return console::write_out(&flags(&surveyed.map_err(advised)?.fixes));
    }
    let spec = plan.schema.clone();
    let inferred = session.infer(plan.clone());
    progress.finish();
    let mut inferred = inferred.map_err(advised)?;
    console::print(&console::warnings(&inferred.warnings));
    if inferred.records == 1
        && !quiet
        && let Some((path, count)) = session.within_one_record(plan)?
    {
        let (path, help) = (path.to_string(), styled(Style::Help, "help:"));
        console::print(&format!(
            "{help} this is one record; to read the {count} objects in it at {path}: {}\n",
            quoted(&["--records", &path])
        ));
    }
    // As it is read, not as it is written: what is printed reads the same records again.
    inferred.schema = spec.as_read(inferred.schema);
    if arguments.json {
        let text = serde_json::to_string_pretty(&inferred.schema)
            .map_err(|e| Error::bug(format!("the schema has no JSON form: {e}")))?;
        return console::write_out(&console::json_for_stdout(&(text + "\n")));
    }
    console::write_out(&if arguments.why { reasons(&inferred) } else { columns(&inferred) })
}

/// A line of flags for each column, to be pasted, under one that says why.
fn flags(fixes: &[Fix]) -> String {
    let mut text = String::new();
    for Fix { path, data_type, null_texts, fit, count } in fixes {
        let others = match count - fit {
            0 => "in strings or not".to_owned(),
            others if null_texts.is_empty() => {
                format!("the other {} become bad values", HumanCount(others))
            }
            _ => "the others become null".to_owned(),
        };
        let (fit, count) = (HumanCount(*fit), counted(*count, "value"));
        let mut words = vec!["--type".to_owned(), format!("{path}={data_type}")];
        if !null_texts.is_empty() {
            let texts: Vec<String> = null_texts.iter().map(|text| NullText::quoted(text)).collect();
            words.extend(["--null-text".to_owned(), format!("{path}={}", texts.join("|"))]);
        }
        let name = printable(&path.to_string());
        text.push_str(&format!("# {name}: {fit} of {count} fit, {others}\n"));
        text.push_str(&format!("{}\n", printable(&quoted(&words))));
    }
    text
}

/// A line a column, in the syntax of `--schema`.
fn columns(inferred: &Inferred) -> String {
    let fields = &inferred.schema.fields;
    let name = |name: &str| printable(&distil::ColumnPath::name(name).to_string());
    let names: Vec<String> = fields.iter().map(|field| name(&field.name)).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, field) in names.iter().zip(fields) {
        let data_type = printable(&field.data_type.to_string());
        let unknown = if field.unknown { "  (unknown: no value says)" } else { "" };
        text.push_str(&format!("{name:width$}  {data_type}{unknown}\n"));
    }
    text
}

fn reasons(inferred: &Inferred) -> String {
    let mut text = String::new();
    for why in &inferred.reasons {
        let place = why.position.and_then(|position| {
            let input = inferred.inputs.get(position.input as usize)?;
            Some(format!(", first at {} byte {}", printable(&input.path), position.offset))
        });
        text.push_str(&format!(
            "{}  {}\n    {}{}\n",
            printable(&why.path.to_string()),
            printable(&why.data_type.to_string()),
            why.because,
            place.unwrap_or_default()
        ));
    }
    text
}
