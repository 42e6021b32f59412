//! What the files of a plan must be, for a backend that writes them by itself and is not believed.

use std::path::Path;

use distil_plan::{Error, Field, Layout, Report, Request, ResolvedPlan, Result, Schema};
use distil_storage::Storage;

use crate::footer::Footer;
use crate::reader::open_output;
use crate::verify::verify;

/// The columns and footers that the files of a plan have.
pub struct ExpectedOutput {
    output: Footer,
    dropped: Footer,
    most_rows: u64,
    layout: Layout,
}

impl ExpectedOutput {
    /// What a run of this plan leaves, if its records have this schema.
    pub fn of(plan: &ResolvedPlan, schema: &Schema) -> Self {
        let plan = &plan.plan;
        let stored = |field: &Field| Field { data_type: field.data_type.stored(), ..field.clone() };
        let stored = Schema { fields: schema.fields.iter().map(stored).collect() };
        let written = match &plan.columns {
            Some(columns) => stored.project(columns),
            None => stored,
        };
        let output = Footer { digest: None, ..Footer::of(plan, written) };
        Self {
            dropped: output.of_dropped(),
            output,
            most_rows: plan.sink.max_file_rows.unwrap_or(u64::MAX),
            layout: plan.sink.layout,
        }
    }

    /// The columns that are written.
    pub fn written(&self) -> &Schema {
        &self.output.schema
    }

    /// The footer of the output's files, without counts.
    pub fn output(&self) -> &Footer {
        &self.output
    }

    /// The footer of the file of dropped records, without counts.
    pub fn dropped(&self) -> &Footer {
        &self.dropped
    }

    /// Reads the staged files back and completes the report.
    ///
    /// # Errors
    /// A bug of the backend: files that are not there, columns, counts or an order that do not fit.
    pub fn check(
        &self,
        storage: &dyn Storage,
        request: &Request<'_>,
        report: &mut Report,
    ) -> Result<()> {
        let staging = request.staging;
        if self.layout == Layout::Dir {
            for name in storage.list(&staging.output)? {
                let name = name.to_string_lossy();
                if name.starts_with(['.', '_']) || !name.ends_with(".parquet") {
                    return Err(Error::bug(format!("it left {name} in the output")));
                }
            }
        }
        let (rows, row_groups) = self.footers_fit(storage, &staging.output, &self.output)?;
        let verified = verify(storage, &staging.output, None)?;
        same("the output", rows, report.records.written)?;
        report.output.files = verified.files;
        report.output.row_groups = row_groups;
        report.output.digest = request.plan.plan.digest.then(|| verified.digest.to_string());
        if let Some(path) = &staging.dropped {
            let (rows, _) = self.footers_fit(storage, path, &self.dropped)?;
            verify(storage, path, None)?;
            same("the file of dropped records", rows, report.records.duplicates.conflicting)?;
        }
        Ok(())
    }

    /// Rows and row groups of files whose footers are the expected ones.
    fn footers_fit(
        &self,
        storage: &dyn Storage,
        path: &Path,
        expected: &Footer,
    ) -> Result<(u64, u64)> {
        let parts = open_output(storage, path)?;
        let is_output = *expected == self.output;
        for part in &parts {
            let found =
                part.footer()?.ok_or_else(|| Error::bug("a footer of distil is missing"))?;
            // Compared as written: what a conflict means to the run is not in it.
            let found = Footer { rows: None, digest: None, ..found };
            if found.to_pairs()? != expected.to_pairs()? {
                return Err(Error::bug("a footer is not the one that it was given"));
            }
            if is_output && part.rows() > self.most_rows {
                let rows = part.rows();
                return Err(Error::bug(format!("a file has {rows} rows, more than allowed")));
            }
        }
        Ok((
            parts.iter().map(|part| part.rows()).sum(),
            parts.iter().map(|part| part.row_groups() as u64).sum(),
        ))
    }
}

fn same(what: &str, found: u64, said: u64) -> Result<()> {
    if found == said {
        return Ok(());
    }
    Err(Error::bug(format!("{what} has {found} rows, but it reports {said}")))
}
