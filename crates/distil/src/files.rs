//! The small files that describe a run: plans and schemas.

use std::path::Path;

use distil_plan::{Error, Plan, Result, Schema, Sink, format_bytes};
use distil_storage::Storage;

/// The largest plan or schema file, in bytes.
const LARGEST: usize = 16 << 20;

/// Reads a plan, as `distil plan` prints it. Its paths are relative to the working directory.
///
/// # Errors
/// An environment error when the file can't be read, a usage error when it is no plan.
pub fn read_plan(storage: &dyn Storage, path: &Path) -> Result<Plan> {
    let text = read_text(storage, path)?;
    serde_json::from_str::<Plan>(&text)
        .map_err(|e| Error::usage(format!("the file is not a plan: {e}")))
        .and_then(Plan::check)
        .map_err(|error| error.at(path.to_string_lossy(), None))
}

/// Reads a declared schema from a file whose name ends in `.json`, or from the text itself
/// ([`Schema::parse`]).
///
/// # Errors
/// An environment error when the file can't be read, a usage error when the text is no schema.
pub fn parse_schema_argument(storage: &dyn Storage, argument: &str) -> Result<Schema> {
    if argument.to_ascii_lowercase().ends_with(".json") {
        let text = read_text(storage, Path::new(argument))?;
        return Schema::parse(&text).map_err(|error| error.at(argument, None));
    }
    Schema::parse(argument)
}

/// The path that advice proposes for the bad records of an output: `out.bad.ndjson` for `out.parquet`.
pub fn bad_records_beside(output: &str) -> String {
    let output = output.trim_end_matches('/');
    let stem = Sink::PARQUET_NAMES.iter().find_map(|ending| output.strip_suffix(ending));
    format!("{}.bad.ndjson", stem.unwrap_or(output))
}

/// The text of a small file.
pub(crate) fn read_text(storage: &dyn Storage, path: &Path) -> Result<String> {
    read_text_up_to(storage, path, LARGEST)
}

/// The text of a file of at most `largest` bytes.
pub(crate) fn read_text_up_to(
    storage: &dyn Storage,
    path: &Path,
    largest: usize,
) -> Result<String> {
    let shown = path.to_string_lossy();
    if storage.metadata(path)?.is_none() {
        return Err(Error::environment("there is no such file").at(shown, None));
    }
    let file = storage.open(path)?;
    let mut content = Vec::new();
    let mut chunk = vec![0; 1 << 16];
    loop {
        match file.read_at(content.len() as u64, &mut chunk)? {
            0 => break,
            count => content.extend_from_slice(&chunk[..count]),
        }
        if content.len() > largest {
            let most = format_bytes(largest as u64);
            return Err(Error::usage(format!("the file has more than {most}")).at(shown, None));
        }
    }
    String::from_utf8(content).map_err(|_| Error::usage("the file is not UTF-8").at(shown, None))
}

#[cfg(test)]
mod tests {
    use distil_storage::Memory;

    use super::*;

    fn put(storage: &Memory, path: &str, text: &str) {
        storage.create_new(Path::new(path)).unwrap().write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn a_file_that_is_no_plan_says_where_it_fails() {
        let storage = Memory::new();
        let plan = Plan::new(vec!["in".into()], Sink::new("out.parquet"));
        put(&storage, "p.json", &serde_json::to_string(&plan).unwrap());
        assert_eq!(read_plan(&storage, Path::new("p.json")).unwrap(), plan);
        put(&storage, "q.json", "{\"version\":1,\n\"sources\":3}");
        let error = read_plan(&storage, Path::new("q.json")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "q.json: the file is not a plan: invalid type: integer `3`, expected a sequence at line 2 \
             column 11"
        );
        let error = read_plan(&storage, Path::new("none.json")).unwrap_err();
        assert_eq!(error.to_string(), "none.json: there is no such file");
    }

    #[test]
    fn a_schema_is_a_text_or_a_file() {
        let storage = Memory::new();
        put(&storage, "s.json", r#"[{"name":"id","type":"string"}]"#);
        let declared = parse_schema_argument(&storage, "s.json").unwrap();
        assert_eq!(declared, parse_schema_argument(&storage, "id string").unwrap());
        put(&storage, "t.JSON", "id what");
        let error = parse_schema_argument(&storage, "t.JSON").unwrap_err();
        assert!(error.to_string().starts_with("t.JSON: "), "{error}");
    }
}
