//! How a program says how records are read: the reading options of a job, one by one.

use std::fmt;
use std::path::Path;

use distil_plan::{Error, Plan, Result};
use distil_storage::Storage;
use figment::value::{Dict, Value};
use serde::Serialize;

use super::declare::Heading;
use super::job::JobOptions;
use super::origin::Origin;
use super::sources::unknown;

/// How records are read: what `distil.toml` can say of it for a job, under the same names.
///
/// A value is parsed as the configuration parses it. A wrong one is an error of the first thing that is
/// asked of the frame; no method here fails.
///
/// ```
/// use distil::{ReadOptions, Session};
///
/// # let directory = tempfile::tempdir().unwrap();
/// # let incoming = directory.path().join("page.json");
/// # std::fs::write(&incoming, r#"{"data":{"items":[{"id":"1","price":"NA"},{"id":"2","price":"1.25"}]}}"#).unwrap();
/// # let incoming = incoming.as_path();
/// let options = ReadOptions::new()
///     .records("/data/items")
///     .types([("price", "decimal(10,2)")])
///     .null_text(["price=NA"]);
/// let rows = Session::native().read_json_with(incoming, options).head(10)?.rows;
/// assert_eq!(rows[0].0, r#"{"id":"1"}"#);
/// assert_eq!(rows[1].0, r#"{"id":"2","price":1.25}"#);
/// # Ok::<(), distil::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "options are given to `Session::read_json_with`"]
pub struct ReadOptions(Result<Dict>);

impl Default for ReadOptions {
    /// What holds where nothing is said.
    fn default() -> Self {
        Self(Ok(Dict::new()))
    }
}

impl ReadOptions {
    /// What holds where nothing is said.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets an option by its name, to a value as `distil.toml` has it: text, a number, a boolean, a list or a
    /// table. The other methods are for options that are known when the program is written.
    ///
    /// An option that does not say how to read, such as `key`, is an error when the frame is used.
    pub fn set(self, name: &str, value: impl Serialize) -> Self {
        Self(self.0.and_then(|mut section| {
            let names = names();
            if !names.contains(&name) {
                return Err(unknown(name, &Origin::Program, "", &names));
            }
            let value = Value::serialize(value)
                .map_err(|error| Error::usage(format!("{name}: {error}")))?;
            section.insert(name.to_owned(), value);
            Ok(section)
        }))
    }

    /// Where in each value of a file its records are: `/data/items`, `/*` for all elements or members,
    /// `/{id}` for members whose names become a column.
    pub fn records(self, path: impl AsRef<str>) -> Self {
        self.set("records", path.as_ref())
    }

    /// Members around the records that each of them gets as a column: `NAME=/PATH`.
    #[allow(clippy::should_implement_trait, reason = "it has the name of the option")]
    pub fn add<S: AsRef<str>>(self, members: impl IntoIterator<Item = S>) -> Self {
        self.set("add", texts(members))
    }

    /// Whether records get the columns that directories name, as `year=2024/month=05` does.
    pub fn hive(self, hive: bool) -> Self {
        self.set("hive", hive)
    }

    /// Whether records get the columns `_file` and `_position`, which say where they lie.
    pub fn origin(self, origin: bool) -> Self {
        self.set("origin", origin)
    }

    /// How values follow each other in a file: `auto`, `lines`, `concatenated` or `array`.
    pub fn shape(self, shape: impl AsRef<str>) -> Self {
        self.set("shape", shape.as_ref())
    }

    /// Types of single columns, as pairs of a column and its type. The others are inferred from all the data.
    pub fn types<N: AsRef<str>, T: AsRef<str>>(
        self,
        types: impl IntoIterator<Item = (N, T)>,
    ) -> Self {
        let text =
            |(name, data_type): (N, T)| (name.as_ref().to_owned(), data_type.as_ref().to_owned());
        self.set("types", types.into_iter().map(text).collect::<std::collections::BTreeMap<_, _>>())
    }

    /// Strings that stand for null: `price=NA|N/A`, or without a column `NA`.
    pub fn null_text<S: AsRef<str>>(self, strings: impl IntoIterator<Item = S>) -> Self {
        self.set("null_text", texts(strings))
    }

    /// Whether only values are taken that are spelled as their declared type is: no numbers in strings.
    pub fn strict_types(self, strict_types: bool) -> Self {
        self.set("strict_types", strict_types)
    }

    /// All columns: text such as `id string, ts timestamp(ms)`, or the path of a file that ends in `.json`.
    pub fn schema(self, schema: impl AsRef<str>) -> Self {
        self.set("schema", schema.as_ref())
    }

    /// Keeps the types of an earlier output; other columns are inferred.
    pub fn schema_from(self, output: impl AsRef<Path>) -> Self {
        self.set("schema_from", output.as_ref().to_string_lossy())
    }

    /// What to do with members outside a declared schema: `error`, `ignore` or `keep`.
    pub fn extra_members(self, what: impl AsRef<str>) -> Self {
        self.set("extra_members", what.as_ref())
    }

    /// What is mended, and counted, instead of refused: `nan`, `surrogates`, `duplicate-members`.
    pub fn repair<S: AsRef<str>>(self, kinds: impl IntoIterator<Item = S>) -> Self {
        self.set("repair", texts(kinds))
    }

    /// The largest record, as a size: `64MiB`.
    pub fn max_record(self, size: impl AsRef<str>) -> Self {
        self.set("max_record", size.as_ref())
    }

    /// Whether all files of directories are taken, not only those that look like JSON.
    pub fn all_files(self, all_files: bool) -> Self {
        self.set("all_files", all_files)
    }

    /// Sets bad records aside in this file instead of failing. A run that writes an output or caches rows
    /// writes the file; a question about the frame leaves bad records out, and no file.
    pub fn quarantine(self, file: impl AsRef<Path>) -> Self {
        self.set("quarantine", file.as_ref().to_string_lossy())
    }

    /// Fails if more records and ranges than this are bad: a count, or a share of records and bytes such as
    /// `0.1%`. It needs [`ReadOptions::quarantine`].
    pub fn max_quarantined(self, most: impl AsRef<str>) -> Self {
        self.set("max_quarantined", most.as_ref())
    }

    /// A plan that reads these sources.
    ///
    /// # Errors
    /// A usage error for a value that is wrong, or for options that do not go together; an environment or
    /// input error if the file of the schema, or the earlier output, can't be read.
    pub(crate) fn plan(self, storage: &dyn Storage, sources: Vec<String>) -> Result<Plan> {
        let options = JobOptions::read(self.0?, &|_| Origin::Program, "")?;
        let plan = options.reading_plan(storage)?;
        Ok(Plan { sources, quarantine: options.quarantine_spec()?, ..plan })
    }
}

/// Names the options that are set; a wrong value is an error of the frame.
impl fmt::Debug for ReadOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Ok(section) => f.debug_list().entries(section.keys()).finish(),
            Err(error) => f.debug_tuple("ReadOptions").field(error).finish(),
        }
    }
}

/// The names of the options that say how to read, but for the source, which is given by itself.
fn names() -> Vec<&'static str> {
    let reads = |heading| matches!(heading, Some(Heading::Reading | Heading::BadRecords));
    let options = JobOptions::OPTIONS.iter().filter(|option| reads(option.heading));
    options.map(|option| option.name).filter(|name| *name != "source").collect()
}

fn texts<S: AsRef<str>>(texts: impl IntoIterator<Item = S>) -> Vec<String> {
    texts.into_iter().map(|text| text.as_ref().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use distil_storage::Memory;

    use super::*;

    fn plan(options: ReadOptions) -> Result<Plan> {
        options.plan(&Memory::new(), vec!["in".to_owned()])
    }

    /// The first line of what is wrong.
    fn wrong(options: ReadOptions) -> String {
        plan(options).unwrap_err().to_string()
    }

    #[test]
    fn every_reading_option_has_its_method() {
        let given = ReadOptions::new()
            .records("/a")
            .add(["b=/b"])
            .hive(true)
            .origin(true)
            .shape("lines")
            .types([("a.b", "int64")])
            .null_text(["a=NA|N/A", "-"])
            .strict_types(true)
            .schema("id string")
            .schema_from("earlier.parquet")
            .extra_members("keep")
            .repair(["nan", "surrogates"])
            .max_record("1MiB")
            .all_files(true)
            .quarantine("bad.ndjson")
            .max_quarantined("1%");
        let mut declared = names();
        declared.sort_unstable();
        let given: Vec<String> = given.0.unwrap().into_keys().collect();
        assert_eq!(given, declared);
    }

    #[test]
    fn they_make_the_plan_that_a_configuration_makes() {
        let by_method = ReadOptions::new()
            .types([("a.b", "int64"), ("c", "date")])
            .null_text(["a=NA|N/A", "-"])
            .repair(["nan"])
            .max_record("1MiB")
            .quarantine("bad.ndjson")
            .max_quarantined("3");
        let by_name = ReadOptions::new()
            .set("types", ["a.b=int64", "c=date"])
            .set("null_text", "a=NA|N/A,-")
            .set("repair", "nan")
            .set("max_record", "1024KiB")
            .set("quarantine", "bad.ndjson")
            .set("max_quarantined", 3);
        let plan = |options| plan(options).unwrap();
        assert_eq!(plan(by_method.clone()), plan(by_name));
        let found = plan(by_method);
        assert_eq!((found.max_record, found.schema.hints.len()), (1 << 20, 2));
        assert_eq!(found.quarantine.path, Some("bad.ndjson".into()));
    }

    #[test]
    fn what_is_wrong_is_told_by_the_name_of_the_option() {
        let new = ReadOptions::new;
        assert_eq!(
            wrong(new().extra_members("drop").hive(true)),
            "extra_members: `drop` is not `error`, `ignore` or `keep`"
        );
        assert_eq!(wrong(new().set("hive", 7)), "hive: true or false is expected");
        assert_eq!(wrong(new().set("recrods", "/a").shape("?")), "there is no option recrods");
        assert_eq!(wrong(new().set("key", "id")), "there is no option key");
        assert_eq!(
            wrong(new().max_quarantined("3")),
            "a limit of bad records needs a file to set them aside in"
        );
        assert!(wrong(new().types([("a", "intt")])).starts_with("types: "));
        assert_eq!(plan(new()).unwrap().sources, ["in"]);
    }
}
