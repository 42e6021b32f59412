//! The report of a run, as a file.

use std::path::{Path, PathBuf};

use distil_job::discover::{Discovery, discover};
use distil_job::places::{Place, check_places};
use distil_plan::{Error, Fault, Hint, Layout, Mode, Plan, Report, Result, Status, is_web, parent};
use distil_storage::{Condition, Kind, Objects, OutputFile, Storage};
use serde::Deserialize;

use crate::files::read_text_up_to;
use crate::report_html::{is_report_page, report_page};

/// The largest report that is recognised, in bytes.
pub(crate) const LARGEST: usize = 256 << 20;

/// Checks that a report may be written, replacing what is there.
///
/// A report is written for a failed run too, also where the run stopped before it looked at all its
/// places, so its own place is checked by itself, first.
///
/// # Errors
/// A usage error for a place that is a source, lies inside one, or is where the run writes, and for
/// anything but a regular file.
pub(crate) fn check_report_place(storage: &dyn Storage, plan: &Plan, path: &Path) -> Result<()> {
    if storage.objects(path).is_none() {
        storage.disk(path)?;
        check_parent(storage, path)?;
    }
    check_kind(storage, path)?;
    let report = Place::target("report", path, false);
    let sink = &plan.sink;
    let output = Place::target("output", &sink.path, sink.layout == Layout::Dir);
    let quarantine = plan.quarantine.path.iter().map(|path| ("quarantine file", path));
    let dropped = plan.dropped.iter().map(|path| ("file of dropped duplicates", path));
    let files = quarantine.chain(dropped).map(|(role, path)| Place::target(role, path, false));
    for target in std::iter::once(output).chain(files) {
        check_places(storage, &Discovery::default(), &[target, report])?;
    }
    // Nothing can be written where a web server is asked.
    for source in plan.sources.iter().filter(|source| !is_web(source)) {
        // A source that can't be listed is for the run to tell; there is nothing of it to protect.
        if let Ok(discovery) = discover(storage, std::slice::from_ref(source), true) {
            check_places(storage, &discovery, &[report])?;
        }
    }
    let is_free = storage.metadata(path)?.is_none();
    if !is_free && plan.sink.mode != Mode::Overwrite && !is_report(storage, path) {
        return Err(Error::new(
            Fault::Exists,
            "the report can't be written: there is a file that is not a report of distil",
        )
        .at(path.to_string_lossy(), None)
        .help("choose another path for the report")
        .help(Hint::set(
            "or replace what is there, the output as well",
            "mode",
            "overwrite",
        )));
    }
    Ok(())
}

/// Refuses a report in the place of the quarantine file that a replay reads.
///
/// # Errors
/// A usage error if both are the same file.
pub(crate) fn refuse_report_in_place_of(
    storage: &dyn Storage,
    quarantine: &Path,
    path: &Path,
) -> Result<()> {
    let quarantine = Place::target("quarantine file", quarantine, false);
    let report = Place::target("report", path, false);
    check_places(storage, &Discovery::default(), &[quarantine, report])
}

fn check_parent(storage: &dyn Storage, path: &Path) -> Result<()> {
    let parent = match parent(path) {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => return Ok(()),
    };
    if storage.metadata(parent)?.is_some_and(|found| found.kind == Kind::Directory) {
        return Ok(());
    }
    Err(refuse(path, &format!("there is no directory {}", parent.display())))
}

/// Only a regular file may be replaced: a rename would put a file where a device was.
fn check_kind(storage: &dyn Storage, path: &Path) -> Result<()> {
    match storage.metadata(path)? {
        None => Ok(()),
        Some(found) if found.is_link => {
            Err(refuse(path, "a link is there, and what it leads to would not be replaced")
                .help("give the path that the link leads to"))
        }
        Some(found) => match found.kind {
            Kind::File => Ok(()),
            Kind::Directory => Err(refuse(path, "a directory is there")),
            Kind::Stream | Kind::Other => Err(refuse(path, "a device or a pipe is there")
                .help(Hint::set("write it to standard output", "report", "-"))),
        },
    }
}

/// Whether a file is an earlier report, in either form: only that is replaced without a word.
fn is_report(storage: &dyn Storage, path: &Path) -> bool {
    #[derive(Deserialize)]
    struct Known {
        #[serde(rename = "distil")]
        _distil: String,
        #[serde(rename = "status")]
        _status: Status,
    }
    let Ok(text) = read_text_up_to(storage, path, LARGEST) else { return false };
    is_report_page(&text) || serde_json::from_str::<Known>(&text).is_ok()
}

fn refuse(path: &Path, why: &str) -> Error {
    Error::usage(format!("the report can't be written: {why}")).at(path.to_string_lossy(), None)
}

/// Whether a report is written as a page for people: by the name of its file.
pub(crate) fn names_a_page(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_ascii_lowercase());
    extension.is_some_and(|extension| extension == "html" || extension == "htm")
}

/// The report as its file holds it.
fn text_of(path: &Path, report: &Report) -> Result<String> {
    if names_a_page(path) {
        return Ok(report_page(report));
    }
    serde_json::to_string_pretty(report)
        .map(|text| text + "\n")
        .map_err(|e| Error::bug(format!("the report has no JSON form: {e}")))
}

/// Writes a report, replacing an earlier one as a whole; it keeps the permissions of that. A file whose name ends in
/// `.html` or `.htm` holds [`report_page`], any other JSON.
///
/// # Errors
/// An environment error with the path.
pub fn write_report(storage: &dyn Storage, path: &Path, report: &Report) -> Result<()> {
    write_text(storage, path, &text_of(path, report)?)
}

/// Writes a text, replacing a file as a whole.
///
/// # Errors
/// As [`write_report`].
pub(crate) fn write_text(storage: &dyn Storage, path: &Path, text: &str) -> Result<()> {
    check_kind(storage, path)?;
    if let Some(objects) = storage.objects(path) {
        return put(objects, path, text);
    }
    let disk = storage.disk(path)?;
    let (staged, mut file) = create_beside(storage, path)?;
    // Before there is anything to read in it.
    let access = match storage.metadata(path) {
        Ok(Some(_)) => disk.copy_access(path, &staged),
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    let written = access
        .and_then(|()| file.write_all(text.as_bytes()))
        .and_then(|()| file.sync())
        .and_then(|()| disk.rename(&staged, path))
        .and_then(|()| disk.sync_dir(parent(path).unwrap_or(Path::new(""))));
    if written.is_err() {
        drop(file);
        // The first error is the one to tell; an unwritable directory would only repeat itself.
        let _ = storage.remove_file(&staged);
    }
    written.map_err(|error| error.at(path.to_string_lossy(), None))
}

/// Writes an object, or replaces the one that is there.
fn put(objects: &dyn Objects, path: &Path, text: &str) -> Result<()> {
    let condition = match objects.metadata(path)? {
        Some(found) => Condition::Unchanged(found.stamp),
        None => Condition::Absent,
    };
    let mut file = objects.create_new(path)?;
    file.write_all(text.as_bytes())?;
    file.sync()?;
    objects.complete(path, condition).inspect_err(|_| {
        // The first error is the one to tell.
        let _ = objects.abort(&[path]);
    })
}

/// A new hidden file beside `path`.
fn create_beside(storage: &dyn Storage, path: &Path) -> Result<(PathBuf, Box<dyn OutputFile>)> {
    if path.file_name().is_none() {
        return Err(
            Error::usage("the report needs the name of a file").at(path.to_string_lossy(), None)
        );
    }
    let process = std::process::id();
    let mut attempt = 0;
    loop {
        let staged = path.with_file_name(format!(".distil-report-{process}-{attempt}"));
        match storage.create_new(&staged) {
            Ok(file) => return Ok((staged, file)),
            Err(error) if error.fault == Fault::Exists && attempt < 100 => attempt += 1,
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use distil_plan::Sink;
    use distil_storage::{Local, Memory};

    use super::*;

    #[test]
    fn a_report_replaces_an_earlier_one_and_leaves_nothing_beside_it() {
        let storage = Memory::new();
        storage.put_dir("d");
        for backend in ["first", "second"] {
            write_report(&storage, Path::new("d/report.json"), &Report::new(backend)).unwrap();
            let text = storage.get("d/report.json").unwrap();
            assert_eq!(serde_json::from_slice::<Report>(&text).unwrap(), Report::new(backend));
        }
        assert_eq!(storage.names("d"), ["report.json"]);
    }

    #[test]
    fn a_report_never_takes_the_place_of_data() {
        let storage = Memory::new();
        for directory in ["in", "parts", "other"] {
            storage.put_dir(directory);
        }
        for file in ["in/a.json", "b.json", "out.parquet", "other/r.json"] {
            storage.put(file, "{}");
        }
        write_report(&storage, Path::new("other/earlier.json"), &Report::new("native")).unwrap();
        let mut plan = Plan::new(
            vec!["missing.json".into(), "in".into(), "b.json".into()],
            Sink::new("out.parquet"),
        );
        plan.quarantine.path = Some("bad.ndjson".into());
        plan.dropped = Some("dropped.parquet".into());
        let refused = |path: &str| {
            let error = check_report_place(&storage, &plan, Path::new(path)).unwrap_err();
            assert_eq!(error.fault, Fault::Usage, "{path}: {error}");
            error.to_string()
        };
        for (path, why) in [
            ("in/a.json", "inside the source in"),
            ("in/new.json", "inside the source in"),
            ("b.json", "also a source"),
            ("out.parquet", "the same file"),
            ("bad.ndjson", "the same file"),
            ("dropped.parquet", "the same file"),
            ("parts", "a directory is there"),
            ("nowhere/r.json", "there is no directory nowhere"),
        ] {
            let error = refused(path);
            assert!(error.contains(why), "{path}: {error}");
        }
        for path in ["r.json", "other/earlier.json", "other/new.json"] {
            check_report_place(&storage, &plan, Path::new(path)).unwrap();
        }
        let other = Path::new("other/r.json");
        let error = check_report_place(&storage, &plan, other).unwrap_err();
        assert_eq!(error.fault, Fault::Exists);
        plan.sink.mode = Mode::Overwrite;
        check_report_place(&storage, &plan, other).unwrap();
    }

    #[test]
    fn only_a_regular_file_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&socket, &link).unwrap();
        let fifo = directory.path().join("fifo");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status().unwrap();
        assert!(made.success());
        for (path, why) in [(&socket, "a device or a pipe"), (&link, "a link"), (&fifo, "a pipe")] {
            let before = Local.metadata(path).unwrap();
            let error = write_report(&Local, path, &Report::new("native")).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
            assert_eq!(Local.metadata(path).unwrap(), before);
        }
        assert_eq!(Local.list(directory.path()).unwrap().len(), 3);
    }
}
