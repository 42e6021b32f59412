//! Any backend under the suite, on the disk and through the frame that every run has.
#![allow(clippy::disallowed_methods, reason = "what is there is read past the storage")]

use std::path::Path;
use std::sync::Arc;

use distil_engine::{EngineOptions, infer, survey};
use distil_job::admit::{Scan, Scanned};
use distil_job::run::{Job, run};
use distil_plan::{
    Backend, ColumnPath, Error, Layout, Location, Need, Plan, ResolvedPlan, Support, Watch,
};
use distil_storage::{Local, Storage};

use crate::subject_native::quarantine_lines;
use crate::suite::{Configuration, Files, Mark, Output, Stretch, Subject, read_parquet};

/// A backend, on files in a temporary directory.
pub struct LocalSubject {
    configuration: Configuration,
    backend: Box<dyn Backend>,
}

impl LocalSubject {
    /// The backend of this configuration.
    pub fn new(configuration: Configuration, backend: Box<dyn Backend>) -> Self {
        Self { configuration, backend }
    }
}

impl Subject for LocalSubject {
    fn name(&self) -> &str {
        self.configuration.name
    }

    fn marks(&self) -> &[Mark] {
        self.configuration.marks
    }

    fn supports(&self, need: &Need) -> Result<Support, Box<Error>> {
        Ok(self.backend.supports(need)?)
    }

    fn stretches(&self, _: usize, _: usize) -> Vec<Stretch> {
        // Reads, threads and memory are those of the native engine.
        vec![Stretch::plain()]
    }

    fn run(&self, files: &Files, plan: &Plan, _: &Stretch) -> Result<Output, Box<Error>> {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let here = |location: &Location| Location::from(path(&location.to_string()));
        std::fs::create_dir(folder.path().join("in")).unwrap();
        for (name, content) in files {
            let path = folder.path().join("in").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let mut file = Local.create_new(&path).unwrap();
            file.write_all(content).unwrap();
        }
        let mut plan = plan.clone();
        plan.sources = vec![path("in")];
        plan.sink.path = here(&plan.sink.path);
        plan.quarantine.path = plan.quarantine.path.as_ref().map(here);
        plan.dropped = plan.dropped.as_ref().map(here);
        let storage: Arc<dyn Storage> = Arc::new(Local);
        let (mut report, result) = run(&Job {
            scan: Some(&NativeScan(Arc::clone(&storage))),
            ..Job::new(storage, plan.clone(), &*self.backend)
        });
        let prefix = path("");
        let shown = |path: &str| path.strip_prefix(&prefix).unwrap_or(path).to_owned();
        if let Err(mut error) = result {
            let left = names(folder.path());
            assert_eq!(left, ["in"], "a failed run left something behind");
            if let Some(place) = &mut error.place {
                place.path = shown(&place.path);
            }
            return Err(Box::new(error));
        }
        for input in &mut report.inputs {
            input.path = shown(&input.path);
        }
        let output: &Path = &plan.sink.path;
        let files: Files = match plan.sink.layout {
            Layout::File => vec![("output".to_owned(), content(output))],
            Layout::Dir => names(output)
                .into_iter()
                .filter(|name| !name.starts_with(['.', '_']))
                .map(|name| {
                    let content = content(&output.join(&name));
                    (name, content)
                })
                .collect(),
        };
        let beside = |path: &Option<Location>| path.as_ref().map(|path| content(path));
        let (quarantine, dropped) = (beside(&plan.quarantine.path), beside(&plan.dropped));
        Ok(Output {
            table: read_parquet(files.iter().map(|(_, content)| content.as_slice())),
            dropped: dropped.as_ref().map(|content| read_parquet([content.as_slice()])),
            quarantine: quarantine_lines(&quarantine.unwrap_or_default()),
            report,
            files,
            beside: dropped.into_iter().map(|content| ("dropped".to_owned(), content)).collect(),
        })
    }
}

/// The native engine as the judge of the input.
pub(crate) struct NativeScan(pub(crate) Arc<dyn Storage>);

impl Scan for NativeScan {
    fn scan(&self, plan: &ResolvedPlan, watch: Watch<'_>) -> Result<Scanned, Error> {
        let options = EngineOptions::new(1, 256 << 20);
        let found = infer(&self.0, &options, plan, watch)?;
        Ok(Scanned {
            schema: found.schema,
            type_notes: found.type_notes,
            inputs: found.inputs,
            tally: found.tally,
            readings: found.readings,
        })
    }

    fn null_text_columns(
        &self,
        plan: &ResolvedPlan,
        watch: Watch<'_>,
    ) -> Result<Vec<ColumnPath>, Error> {
        survey(&self.0, &EngineOptions::new(1, 256 << 20), plan, watch)
            .map(|found| found.null_text_columns)
    }
}

/// The names in a directory, hidden ones too.
fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn content(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}
