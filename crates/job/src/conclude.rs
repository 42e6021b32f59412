//! What a user should know about a run that went well.

use std::collections::BTreeMap;

use distil_plan::{
    Code, ColumnPath, Error, Field, Hint, Key, OnConflict, Plan, Report, ResolvedPlan, Result, Type,
};
use distil_storage::Storage;

use crate::first_seen::place;

/// Columns whose types are explained.
const MOST_TYPE_NOTES: usize = 10;

/// Adds the warnings that follow from a report, and fails where the plan wants a failure.
///
/// # Errors
/// An input error: conflicting duplicates that the plan forbids, or records, but no row.
pub(crate) fn conclude(plan: &Plan, report: &mut Report) -> Result<()> {
    let records = &report.records;
    if records.read > 0 && records.written == 0 {
        return Err(Error::input(format!(
            "no row would be written, although {} records were read: all of them are bad",
            records.read
        ))
        .coded(Code::NoRows)
        .help("run it without a quarantine file to see why: every record is bad"));
    }
    warn_of_values_without_records(plan, report);
    conclude_conflicts(plan, report)?;
    for names in alike(report) {
        report.warnings.push(format!(
            "the columns {} differ only in case: some readers take them for one",
            names.join(" and ")
        ));
    }
    let mut unknown = Vec::new();
    for column in &report.schema {
        let path = ColumnPath::name(&column.name);
        if column.unknown {
            unknown.push((path.clone(), column.data_type.clone()));
        }
        unknown_below(&path, &column.data_type, &mut unknown);
    }
    for (path, data_type) in unknown {
        report.warnings.push(format!(
            "no value says what the type of the column {path} is: it is written as {data_type}"
        ));
    }
    Ok(())
}

fn warn_of_values_without_records(plan: &Plan, report: &mut Report) {
    let Some(path) = &plan.records else { return };
    let without: u64 = report.inputs.iter().map(|input| input.without_records).sum();
    let Some(first) = report.inputs.iter().find(|input| input.without_records > 0) else { return };
    let has = if without == 1 { "value has" } else { "values have" };
    let no_records = match path.0.as_slice() {
        [] if without == 1 => "value is no record".to_owned(),
        [] => "values are no records".to_owned(),
        _ => format!("{has} no records at {path}"),
    };
    report.warnings.push(format!("{without} {no_records}, the first of them in {}", first.path));
}

fn conclude_conflicts(plan: &Plan, report: &mut Report) -> Result<()> {
    let Some(dedup) = &plan.dedup else { return Ok(()) };
    let conflicting = report.records.duplicates.conflicting;
    if conflicting == 0 || dedup.key == Key::Record {
        return Ok(());
    }
    let records = if conflicting == 1 { "record differs" } else { "records differ" };
    let what = format!("{conflicting} {records} from the one that survives with the same key");
    match dedup.on_conflict {
        OnConflict::Error => {
            let mut error = Error::input(what).coded(Code::Conflicts);
            for conflict in &report.conflicts {
                error = error
                    .detail(format!("would keep {}, drop {}", conflict.kept.0, conflict.dropped.0));
            }
            Err(error
                .help(Hint::set("keep one record of each key anyway", "on_conflict", "keep"))
                .help(Hint::set(
                    "and write those that are dropped to a file",
                    "dropped",
                    "FILE.parquet",
                )))
        }
        OnConflict::Warn => {
            report.warnings.push(what);
            Ok(())
        }
        OnConflict::Keep if dedup.order_by.is_empty() => {
            report.warnings.push(format!(
                "{what}; the plan has no order, so the columns in order of their names decided: give \
                 an order to choose which one to keep"
            ));
            Ok(())
        }
        OnConflict::Keep => Ok(()),
    }
}

/// Ends the notes on types with where the first value of each is, of the first ten columns.
pub(crate) fn conclude_types(storage: &dyn Storage, plan: &ResolvedPlan, report: &mut Report) {
    let more = report.type_notes.len().saturating_sub(MOST_TYPE_NOTES);
    report.type_notes.truncate(MOST_TYPE_NOTES);
    if more > 0 {
        report.warnings.push(format!(
            "{more} more columns have the type that a few of their values leave: `distil schema --why` \
             says which"
        ));
    }
    for note in &mut report.type_notes {
        let input = note.input as usize;
        if let (Some(input), Some(found)) = (plan.inputs.get(input), report.inputs.get(input)) {
            note.text = format!("{}, first at {}", note.text, place(storage, input, found, note));
        }
        // What the plan has already is no advice.
        note.hints
            .retain(|hint| !hint.is_about("quarantine") || plan.plan.quarantine.path.is_none());
    }
}

/// The names of top-level columns that are equal but for case.
fn alike(report: &Report) -> Vec<Vec<String>> {
    let mut by_folded: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for column in &report.schema {
        let shown = ColumnPath::name(&column.name).to_string();
        by_folded.entry(column.name.to_lowercase()).or_default().push(shown);
    }
    by_folded.into_values().filter(|names| names.len() > 1).collect()
}

fn unknown_below(path: &ColumnPath, data_type: &Type, found: &mut Vec<(ColumnPath, Type)>) {
    match data_type {
        Type::List(element) => unknown_below(path, element, found),
        Type::Struct(fields) => {
            for Field { name, data_type, unknown } in fields {
                let path = path.child(name);
                if *unknown {
                    found.push((path.clone(), data_type.clone()));
                }
                unknown_below(&path, data_type, found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use distil_plan::{Conflict, Dedup, RowImage, Schema, Sink};

    use super::*;

    fn conflicting(on_conflict: OnConflict, ordered: bool) -> (Plan, Report) {
        let mut dedup = Dedup::on_columns(vec![ColumnPath::name("id")]);
        dedup.on_conflict = on_conflict;
        if ordered {
            dedup.order_by = distil_plan::OrderBy::parse_list("ts").unwrap();
        }
        let mut plan = Plan::new(vec!["-".into()], Sink::new("o.parquet"));
        plan.dedup = Some(dedup);
        let mut report = Report::new("fake");
        report.records.read = 3;
        report.records.written = 1;
        report.records.duplicates.conflicting = 2;
        let row = |n| RowImage(format!("{{\"id\":1,\"n\":{n}}}"));
        report.conflicts = vec![Conflict { kept: row(1), dropped: row(2) }];
        (plan, report)
    }

    #[test]
    fn conflicts_are_silent_warned_of_or_fatal_as_the_plan_says() {
        let (plan, mut report) = conflicting(OnConflict::Keep, true);
        conclude(&plan, &mut report).unwrap();
        assert!(report.warnings.is_empty());
        let (plan, mut report) = conflicting(OnConflict::Keep, false);
        conclude(&plan, &mut report).unwrap();
        assert!(report.warnings[0].contains("no order"), "{:?}", report.warnings);
        let (plan, mut report) = conflicting(OnConflict::Warn, true);
        conclude(&plan, &mut report).unwrap();
        assert_eq!(
            report.warnings,
            ["2 records differ from the one that survives with the same key"]
        );
        let (plan, mut report) = conflicting(OnConflict::Error, true);
        let error = conclude(&plan, &mut report).unwrap_err();
        assert_eq!(error.fault.exit_status(), 1);
        assert_eq!(error.details, ["would keep {\"id\":1,\"n\":1}, drop {\"id\":1,\"n\":2}"]);
    }

    #[test]
    fn columns_that_differ_in_case_and_unknown_types_are_warned_of_at_every_level() {
        let plan = Plan::new(vec!["-".into()], Sink::new("o.parquet"));
        let mut schema =
            Schema::parse("Id string, id string, a struct<b: list<string>, B: int64>").unwrap();
        schema.fields[0].unknown = true;
        let Type::Struct(inner) = &mut schema.fields[2].data_type else { panic!() };
        inner[0].unknown = true;
        let mut report = Report::new("fake");
        report.set_schema(&schema);
        conclude(&plan, &mut report).unwrap();
        assert_eq!(
            report.warnings,
            [
                "the columns Id and id differ only in case: some readers take them for one",
                "no value says what the type of the column Id is: it is written as string",
                "no value says what the type of the column a.b is: it is written as list<string>",
            ]
        );
    }

    #[test]
    fn records_without_a_row_fail_and_no_records_do_not() {
        let plan = Plan::new(vec!["-".into()], Sink::new("o.parquet"));
        let mut report = Report::new("fake");
        conclude(&plan, &mut report).unwrap();
        report.records.read = 2;
        assert!(conclude(&plan, &mut report).unwrap_err().what.contains("2 records were read"));
    }
}
