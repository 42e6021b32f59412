//! Where the records may be, when they are not where the plan looks for them.

use distil_json::Candidates;
use distil_plan::{
    Code, ColumnPath, Error, Found, Hint, InputFormat, Key, Plan, Reason, RecordsPath,
    ResolvedPlan, hive_columns, printable,
};
use distil_storage::{InputStream, Storage};

/// Files that are looked into, and bytes of each: what a message is worth waiting for.
const FILES: usize = 16;
const BYTES: usize = 4 << 20;
/// Most places that are named.
const NAMED: usize = 5;

/// The error, with the places that have what it misses: objects with the columns of the key, deeper in the
/// data.
pub fn locate(storage: &dyn Storage, plan: &ResolvedPlan, error: Error) -> Error {
    let is_missing = matches!(error.code, Code::MissingColumn | Code::MissingRecords);
    let is_bad = matches!(error.code, Code::BadRecords | Code::TooManyBadRecords);
    if !(is_missing || is_bad) || plan.plan.format != InputFormat::Json {
        return error;
    }
    if error.code == Code::MissingColumn && !plan.plan.hive && is_named_by_directories(plan) {
        let text = "take the columns that the directories of the inputs name";
        let mut error = error;
        error.hints.insert(0, Hint::choose(text, "hive"));
        return error;
    }
    if is_bad && !may_lie_elsewhere(&error) {
        return error;
    }
    // Whoever made the error knows better.
    if error.hints.iter().any(|hint| hint.is_about("records")) {
        return error;
    }
    let wanted = match wanted(&plan.plan) {
        Some(wanted) => wanted,
        // Without a key any object will do.
        None if error.code == Code::MissingRecords => Vec::new(),
        None => return error,
    };
    let candidates = candidates(storage, plan, wanted);
    if is_bad && candidates.at_root() > 0 {
        // Records are where they are looked for, and some are bad.
        return error;
    }
    let mut hints = hints(plan, candidates);
    if hints.is_empty() {
        return error;
    }
    let mut error = error;
    // The place of the records is more to the point than columns of similar names.
    hints.append(&mut error.hints);
    error.hints = hints;
    error
}

/// Whether records are bad as values that are none would be; broken text says nothing of the place.
fn may_lie_elsewhere(error: &Error) -> bool {
    let elsewhere = [Reason::NullKey, Reason::NotAnObject, Reason::TooLarge].map(Reason::name);
    match error.found.as_deref() {
        Some(Found::Records(bad)) => bad.iter().any(|bad| elsewhere.contains(&bad.reason.as_str())),
        _ => true,
    }
}

/// Where several objects lie in what is read as one record, and how many: they may be the records that are meant.
pub fn within_one_record(storage: &dyn Storage, plan: &ResolvedPlan) -> Option<(RecordsPath, u64)> {
    let is_open = plan.plan.records.is_none() && plan.plan.format == InputFormat::Json;
    let found = is_open.then(|| candidates(storage, plan, Vec::new()).paths())?;
    found
        .into_iter()
        .find(|(path, count)| *count > 1 && printable(&path.to_string()) == path.to_string())
}

/// Whether a directory of an input would give a column that the plan names.
fn is_named_by_directories(plan: &ResolvedPlan) -> bool {
    let dedup = plan.plan.dedup.iter();
    let key = dedup.clone().flat_map(|dedup| match &dedup.key {
        Key::Columns(columns) => columns.as_slice(),
        Key::Record => &[],
    });
    let order = dedup.flat_map(|dedup| &dedup.order_by).map(|by| &by.column);
    let named: Vec<&ColumnPath> =
        key.chain(order).chain(plan.plan.columns.iter().flatten()).collect();
    let is_named =
        |name: &str| named.iter().any(|path| matches!(path.steps(), [one] if one == name));
    let columns = plan.inputs.iter().filter_map(|input| hive_columns(&input.display()).ok());
    columns.flatten().any(|column| is_named(&column.name))
}

/// The first steps of the columns of the key.
fn wanted(plan: &Plan) -> Option<Vec<String>> {
    let Some(Key::Columns(columns)) = plan.dedup.as_ref().map(|dedup| &dedup.key) else {
        return None;
    };
    let added: Vec<&str> = plan.add.iter().map(|added| added.name.as_str()).collect();
    let first = columns.iter().filter_map(|column| column.steps().first().cloned());
    Some(first.filter(|name| !added.contains(&name.as_str())).collect())
}

/// Objects of the beginnings of the inputs that have these members.
fn candidates(storage: &dyn Storage, plan: &ResolvedPlan, wanted: Vec<String>) -> Candidates {
    let mut candidates = Candidates::having(wanted);
    for input in plan.inputs.iter().filter(|input| input.bytes.is_some()).take(FILES) {
        // A file that can't be read has no say; the error at hand has.
        if let Some(bytes) = beginning(storage, &input.path) {
            candidates.read(&bytes);
        }
    }
    candidates
}

/// Advice to take such objects for records.
fn hints(plan: &ResolvedPlan, candidates: Candidates) -> Vec<Hint> {
    let here = plan.plan.records.as_ref();
    candidates
        .paths()
        .into_iter()
        .filter(|(path, _)| Some(path) != here)
        .take(NAMED)
        .map(|(path, count)| {
            let path = path.to_string();
            let objects = if count == 1 { "object" } else { "objects" };
            let text = format!("take the {count} {objects} at {path} for records");
            // What can't be printed as it is can't be pasted.
            if printable(&path) == path {
                Hint::set(text, "records", path)
            } else {
                Hint::new(text)
            }
        })
        .collect()
}

fn beginning(storage: &dyn Storage, path: &std::path::Path) -> Option<Vec<u8>> {
    let mut stream = InputStream::open(storage, path).ok()?;
    let mut bytes = vec![0; BYTES];
    let mut filled = 0;
    while filled < BYTES {
        match stream.read(&mut bytes[filled..]).ok()? {
            0 => break,
            count => filled += count,
        }
    }
    bytes.truncate(filled);
    Some(bytes)
}
