//! An output against what the oracle says, exactly.

use distil_plan::{Field, Plan};

use super::arrow::{Table, is_type};
use super::subject::{Output, QuarantineLine};
use crate::oracle::json::Value;
use crate::oracle::text::row_image;
use crate::oracle::{Bad, Outcome, Warning};

/// Rows as canonical text.
pub(crate) fn outcome_rows(outcome: &Outcome) -> Vec<String> {
    outcome.rows.iter().map(|row| image(&outcome.schema, row)).collect()
}

/// Columns as in `id int64, ts timestamp(ms, UTC)`.
pub(crate) fn outcome_types(outcome: &Outcome) -> String {
    let text = |f: &Field| format!("{} {}", f.name, f.data_type);
    outcome.schema.iter().map(text).collect::<Vec<_>>().join(", ")
}

fn image(schema: &[Field], row: &[Value]) -> String {
    let members = schema.iter().map(|f| f.name.clone()).zip(row.iter().cloned()).collect();
    row_image(schema, &Value::Object(members))
}

/// Everything in which an output differs from what it must be.
pub(crate) fn differences(plan: &Plan, expected: &Outcome, output: &Output) -> Vec<String> {
    let mut out = Differences(Vec::new());
    let report = &output.report;
    out.table("output", &expected.schema, &expected.rows, &output.table);
    out.same("the counts", &expected.counts, &report.records);
    out.list("the readings", &expected.readings, &report.readings);
    let conflicts: Vec<_> =
        report.conflicts.iter().map(|c| (c.kept.0.clone(), c.dropped.0.clone())).collect();
    out.same("the conflicts", &expected.conflicts, &conflicts);
    let repaired = report.repaired.iter();
    let repaired: Vec<_> = repaired
        .map(|found| (found.repair, found.count, found.path.clone(), found.offset))
        .collect();
    out.same("what was repaired", &expected.repaired, &repaired);
    out.same("the dropped file", &plan.dropped.is_some(), &output.dropped.is_some());
    if let Some(dropped) = &output.dropped {
        out.table("dropped rows", &expected.schema, &expected.dropped, dropped);
    }
    let lines: Vec<QuarantineLine> = expected.bad.iter().map(line).collect();
    out.list("the quarantine", &lines, &output.quarantine);
    let schema: Vec<_> = expected
        .schema
        .iter()
        .map(|f| (f.name.clone(), f.data_type.to_string(), f.unknown))
        .collect();
    let reported: Vec<_> = report
        .schema
        .iter()
        .map(|c| (c.name.clone(), c.data_type.to_string(), c.unknown))
        .collect();
    out.list("the schema of the report", &schema, &reported);
    if plan.digest {
        out.same("the digest", &Some(expected.digest.clone()), &report.output.digest);
    }
    out.inputs(expected, output);
    out.files(plan, output);
    for warning in &expected.warnings {
        let told = report.warnings.iter().any(|w| match warning {
            Warning::Unknown(name) => w.contains(name.as_str()),
            Warning::Case(a, b) => w.contains(a.as_str()) && w.contains(b.as_str()),
            Warning::Conflicts => true,
        });
        if !told {
            out.0.push(format!("no warning tells {warning:?}: {:?}", report.warnings));
        }
    }
    out.0
}

/// The quarantine's line of a bad part.
fn line(bad: &Bad) -> QuarantineLine {
    let raw = bad.raw.clone();
    QuarantineLine {
        file: bad.file.clone(),
        offset: bad.offset,
        length: bad.length,
        reason: bad.reason.name().to_owned(),
        in_base64: raw.as_ref().is_some_and(|raw| std::str::from_utf8(raw).is_err()),
        raw,
    }
}

struct Differences(Vec<String>);

impl Differences {
    fn same<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, expected: &T, found: &T) {
        if expected != found {
            self.0.push(format!("{what}: expected {expected:?}\n    found {found:?}"));
        }
    }

    fn list<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, expected: &[T], found: &[T]) {
        if expected.len() != found.len() {
            self.0.push(format!("{what}: expected {}, found {}", expected.len(), found.len()));
        }
        let mut pairs = expected.iter().zip(found).enumerate();
        if let Some((at, (e, f))) = pairs.find(|(_, (e, f))| e != f) {
            self.0.push(format!("{what}, {at}: expected {e:?}\n    found {f:?}"));
        } else if expected.len() < found.len() {
            self.0.push(format!("{what}: too much from {:?} on", found[expected.len()]));
        } else if expected.len() > found.len() {
            self.0.push(format!("{what}: missing from {:?} on", expected[found.len()]));
        }
    }

    fn table(&mut self, what: &str, schema: &[Field], rows: &[Vec<Value>], found: &Table) {
        let fits = schema.len() == found.columns.len()
            && schema.iter().zip(&found.columns).all(|(field, (name, data_type))| {
                field.name == *name && is_type(data_type, &field.data_type)
            });
        if !fits {
            self.0.push(format!(
                "the columns of the {what}: expected {schema:?}\n    found {:?}",
                found.columns
            ));
            return;
        }
        let expected: Vec<String> = rows.iter().map(|row| image(schema, row)).collect();
        let images: Vec<String> = found.rows.iter().map(|row| image(schema, row)).collect();
        self.list(&format!("the rows of the {what}"), &expected, &images);
        // The images are for people; they are the same for some values that are not.
        if expected == images && rows != found.rows.as_slice() {
            self.0.push(format!("the {what} has other values: {rows:?}\n    {:?}", found.rows));
        }
    }

    fn inputs(&mut self, expected: &Outcome, output: &Output) {
        let found = &output.report.inputs;
        self.same("the inputs", &expected.inputs.len(), &found.len());
        for (expected, found) in expected.inputs.iter().zip(found) {
            self.same(
                "the path, records and bad parts of an input",
                &(expected.path.as_str(), expected.records, expected.quarantined),
                &(found.path.as_str(), found.records, found.quarantined),
            );
            if let Some(bytes) = &expected.bytes {
                self.same("the bytes of an input", bytes, &found.bytes);
            }
            self.same("the shape of an input", &expected.shape, &found.shape);
            let passed_over = (found.without_records, found.holes);
            self.same("values without records, and holes", &expected.passed_over, &passed_over);
            let compression = expected.compression.to_string();
            self.same("the compression of an input", &compression, &found.compression);
            if let Some(ignored) = &expected.ignored_members {
                self.same("the ignored members of an input", ignored, &found.ignored_members);
            }
        }
    }

    fn files(&mut self, plan: &Plan, output: &Output) {
        let (told, table) = (&output.report.output, &output.table);
        self.same("the number of files", &(output.files.len() as u64), &told.files);
        let bytes = output.files.iter().map(|(_, content)| content.len() as u64).sum();
        self.same("the bytes of the files", &bytes, &told.bytes);
        self.same("the number of row groups", &(table.row_groups.len() as u64), &told.row_groups);
        if table.row_groups.iter().any(|rows| *rows > plan.sink.row_group_rows) {
            self.0.push(format!("a row group is too large: {:?}", table.row_groups));
        }
    }
}
