//! The metadata in the footer of every file: what the engine writes and `verify` reads.
//!
//! It holds what a later reader, or a merge into the output, needs to know, and nothing of when,
//! where or from which path the output was made: the same records give the same bytes.

use distil_json::digest::Digest;
use distil_plan::{
    Dedup, Error, Keep, Key, NullKeys, OrderBy, Plan, Result, SEMANTICS_VERSION, Schema,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

const SEMANTICS: &str = "distil.semantics";
const DEDUP: &str = "distil.dedup";
const SCHEMA: &str = "distil.schema";
const COLUMNS: &str = "distil.columns";
const ROWS: &str = "distil.rows";
const DIGEST: &str = "distil.digest";
const ORIGIN: &str = "distil.origin";
/// The value of [`ORIGIN`]; there is none where no column says where records lie.
const COLUMNS_OF_PLACES: &str = "_file,_position";
/// The value of [`COLUMNS`]; there is none when all columns were written.
const SELECTED: &str = "selected";

/// What the footer of one file says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Footer {
    /// The columns of the file, with their `unknown` marks.
    pub schema: Schema,
    /// Which records were the same, and which one survived; `None` if every record was written.
    pub dedup: Option<Dedup>,
    /// Whether the plan chose columns: survivors and order were then decided by more columns than
    /// the file has.
    pub selected: bool,
    /// Rows of this file.
    pub rows: Option<u64>,
    /// Digest of the rows of this file, without the columns that say where records lie.
    pub digest: Option<Digest>,
    /// Whether columns say where records lie ([`distil_plan::FILE_COLUMN`]).
    pub origin: bool,
}

impl Footer {
    /// The footer of the files that a plan writes with these columns. Each file adds its own rows and digest.
    pub fn of(plan: &Plan, written: Schema) -> Self {
        Self {
            schema: written,
            dedup: plan.dedup.clone(),
            selected: plan.columns.is_some(),
            rows: None,
            digest: plan.digest.then_some(Digest(0)),
            origin: plan.origin,
        }
    }

    /// The same for the file of dropped records. A key has many of them, so it does not claim to be deduplicated.
    #[must_use]
    pub fn of_dropped(&self) -> Self {
        Self { dedup: None, digest: None, selected: true, ..self.clone() }
    }

    /// The key-value pairs, in the order in which they are written.
    ///
    /// # Errors
    /// A bug, if the plan has no JSON form.
    pub fn to_pairs(&self) -> Result<Vec<(String, String)>> {
        let mut pairs = vec![
            (SEMANTICS.to_owned(), SEMANTICS_VERSION.to_string()),
            (SCHEMA.to_owned(), to_json(&self.schema)?),
        ];
        if let Some(dedup) = &self.dedup {
            pairs.push((DEDUP.to_owned(), to_json(&WrittenDedup::of(dedup))?));
        }
        if self.selected {
            pairs.push((COLUMNS.to_owned(), SELECTED.to_owned()));
        }
        if let Some(rows) = self.rows {
            pairs.push((ROWS.to_owned(), rows.to_string()));
        }
        if let Some(digest) = self.digest {
            pairs.push((DIGEST.to_owned(), digest.to_string()));
        }
        if self.origin {
            pairs.push((ORIGIN.to_owned(), COLUMNS_OF_PLACES.to_owned()));
        }
        Ok(pairs)
    }

    /// Reads the pairs of a footer; `None` if distil did not write them.
    ///
    /// # Errors
    /// An input error if they are distil's, but broken or of a later version.
    pub fn from_pairs<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Option<Self>> {
        let (mut semantics, mut schema, mut dedup, mut columns) = (None, None, None, None);
        let (mut rows, mut digest, mut origin) = (None, None, None);
        for (name, value) in pairs {
            match name {
                SEMANTICS => semantics = Some(value),
                SCHEMA => schema = Some(value),
                DEDUP => dedup = Some(value),
                COLUMNS => columns = Some(value),
                ROWS => rows = Some(value),
                DIGEST => digest = Some(value),
                ORIGIN => origin = Some(value),
                _ => {}
            }
        }
        let Some(semantics) = semantics else { return Ok(None) };
        let version: u32 = semantics.parse().map_err(|_| broken(SEMANTICS))?;
        if version > SEMANTICS_VERSION {
            return Err(Error::input(format!(
                "the file was written under version {version} of the semantics, this distil knows \
                 versions up to {SEMANTICS_VERSION}"
            ))
            .help("use the distil that wrote it, or a newer one"));
        }
        Ok(Some(Self {
            schema: from_json(SCHEMA, schema.ok_or_else(|| broken(SCHEMA))?)?,
            dedup: dedup.map(|text| from_json(DEDUP, text)).transpose()?,
            selected: match columns {
                None => false,
                Some(SELECTED) => true,
                Some(_) => return Err(broken(COLUMNS)),
            },
            origin: match origin {
                None => false,
                Some(COLUMNS_OF_PLACES) => true,
                Some(_) => return Err(broken(ORIGIN)),
            },
            rows: rows.map(|text| text.parse().map_err(|_| broken(ROWS))).transpose()?,
            digest: digest.map(|text| text.parse().map_err(|_| broken(DIGEST))).transpose()?,
        }))
    }
}

/// The parts of a [`Dedup`] that decide the rows: what a conflict means to the run does not.
#[derive(Serialize)]
struct WrittenDedup<'a> {
    key: &'a Key,
    order_by: Vec<OrderBy>,
    keep: Keep,
    null_keys: NullKeys,
}

impl<'a> WrittenDedup<'a> {
    fn of(dedup: &'a Dedup) -> Self {
        let Dedup { key, order_by, keep, null_keys, on_conflict: _ } = dedup;
        // The consent to order as text decides whether a run fails, and never a row.
        let order_by =
            order_by.iter().map(|order| OrderBy { as_text: false, ..order.clone() }).collect();
        Self { key, order_by, keep: *keep, null_keys: *null_keys }
    }
}

fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|e| Error::bug(format!("the footer has no JSON form: {e}")))
}

fn from_json<T: DeserializeOwned>(name: &str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|_| broken(name))
}

fn broken(name: &str) -> Error {
    Error::input(format!("the file's footer has a broken entry `{name}`"))
        .help("the file was changed after distil wrote it: write it again from its source")
}

#[cfg(test)]
mod tests {
    use distil_plan::{ColumnPath, OrderBy};

    use super::*;

    fn footer() -> Footer {
        let mut schema = Schema::parse("ts timestamp(ms), \"a.b\" list<string>").unwrap();
        schema.fields[1].unknown = true;
        let mut dedup = Dedup::on_columns(vec![ColumnPath::name("ts")]);
        dedup.order_by = vec![OrderBy::desc(ColumnPath::name("a.b"))];
        Footer {
            schema,
            dedup: Some(dedup),
            selected: true,
            rows: Some(3),
            origin: true,
            digest: Some(Digest(5)),
        }
    }

    fn borrowed(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
        pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    #[test]
    fn a_footer_reads_back_what_it_wrote_beside_the_pairs_of_others() {
        let mut pairs = footer().to_pairs().unwrap();
        assert_eq!(
            borrowed(&pairs),
            [
                ("distil.semantics", "2"),
                (
                    "distil.schema",
                    r#"[{"name":"ts","type":"timestamp(ms, UTC)"},{"name":"a.b","type":"list<string>","unknown":true}]"#
                ),
                (
                    "distil.dedup",
                    r#"{"key":{"columns":["ts"]},"order_by":[{"column":"\"a.b\"","direction":"desc"}],"keep":"first","null_keys":"error"}"#
                ),
                ("distil.columns", "selected"),
                ("distil.rows", "3"),
                ("distil.digest", "xxh3-128-sum:00000000000000000000000000000005"),
                ("distil.origin", "_file,_position"),
            ]
        );
        pairs.insert(0, ("ARROW:schema".into(), "x".into()));
        assert_eq!(Footer::from_pairs(borrowed(&pairs)).unwrap(), Some(footer()));
        let plain = Footer {
            dedup: None,
            selected: false,
            rows: None,
            digest: None,
            origin: false,
            ..footer()
        };
        let pairs = plain.to_pairs().unwrap();
        assert_eq!(Footer::from_pairs(borrowed(&pairs)).unwrap(), Some(plain));
    }

    #[test]
    fn a_footer_of_an_earlier_version_is_read() {
        let mut pairs = footer().to_pairs().unwrap();
        pairs[0].1 = "1".to_owned();
        assert_eq!(Footer::from_pairs(borrowed(&pairs)).unwrap(), Some(footer()));
    }

    #[test]
    fn a_footer_of_others_is_nothing_and_a_broken_or_later_one_is_an_error() {
        assert_eq!(Footer::from_pairs([("ARROW:schema", "x")]).unwrap(), None);
        let later = Footer::from_pairs([("distil.semantics", "3")]).unwrap_err();
        assert!(later.what.contains("version 3"), "{later}");
        let pairs = footer().to_pairs().unwrap();
        for at in 0..pairs.len() {
            let mut pairs = pairs.clone();
            pairs[at].1 = "?".into();
            let error = Footer::from_pairs(borrowed(&pairs)).unwrap_err();
            assert!(error.what.contains(&pairs[at].0), "{error}");
        }
    }
}
