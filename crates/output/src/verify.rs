//! Whether an output is what it says it is, and what a reference says it should be.

use std::cmp::Ordering;
use std::path::Path;

use arrow_schema::{DataType, TimeUnit as ArrowUnit};
use distil_json::digest::{Digest, RowDigest};
use distil_kernel::arrow::{
    Member, Value, add_rows, columns_of, compare, compare_rows, without_places,
};
use distil_plan::{ColumnPath, Dedup, Error, Key, Result, Schema, TimeUnit, Type};
use distil_storage::Storage;

use crate::footer::Footer;
use crate::reader::{PartFile, open_output};
use crate::reference::{Expected, Reference};

/// What was found, and what held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Files of the output.
    pub files: u64,
    /// Its rows.
    pub rows: u64,
    /// Digest of its rows.
    pub digest: Digest,
    /// Each aspect of the output: whether it was checked, and against what.
    pub checks: Vec<Check>,
}

impl Verified {
    /// Whether all aspects were checked.
    pub fn is_complete(&self) -> bool {
        self.checks.iter().all(|check| check.done)
    }
}

/// Something that an output promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aspect {
    /// Names and types of the columns.
    Columns,
    /// How many rows there are.
    Rows,
    /// The order of the rows.
    Order,
    /// One row of each key.
    Keys,
    /// What the rows hold.
    Values,
}

impl Aspect {
    /// Its name, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Columns => "columns",
            Self::Rows => "rows",
            Self::Order => "order",
            Self::Keys => "keys",
            Self::Values => "values",
        }
    }
}

/// What became of one aspect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The aspect.
    pub aspect: Aspect,
    /// Whether it was checked; it held then.
    pub done: bool,
    /// Against what it was checked, or why it was not, for people.
    pub how: String,
}

/// Reads an output whole and checks it against its own footers: columns, counts, digests, and that
/// every key is there once, in order. With a reference, also against that: another output, the
/// report of a run, or the answer of generated data (`DIR.answer.json`).
///
/// # Errors
/// An input error that names the first thing that differs, with both values.
pub fn verify(storage: &dyn Storage, path: &Path, reference: Option<&Path>) -> Result<Verified> {
    let parts = open_output(storage, path)?;
    let reference = reference.map(|path| Reference::read(storage, path)).transpose()?;
    let footer = common_footer(&parts, path)?;
    let mut order = OrderCheck::new(&footer);
    let mut digest = RowDigest::new();
    let mut rows = 0;
    let mut recorded = 0;
    for part in &parts {
        let found = verify_part(part, &mut order)?;
        rows += part.rows();
        recorded += u64::from(found.had_digest);
        digest.merge(&found.digest);
    }
    let digest = digest.finish();
    let files = parts.len() as u64;
    let mut rows_how = "as many as the footer says".to_owned();
    let mut why_not =
        "no digest is recorded: give a reference, or run with the option `digest`".to_owned();
    let mut values = match recorded {
        0 => None,
        _ if recorded < files => None,
        1 => Some("the recorded digest holds".to_owned()),
        _ => Some(format!("the recorded digests of all {recorded} files hold")),
    };
    if let Some(reference) = &reference {
        let expected = reference.expected(footer.dedup.as_ref())?;
        compare_with(&expected, &footer, rows, digest, path)?;
        rows_how = format!("as many as the footer and {} say", expected.name);
        match expected.digest {
            Some(_) => values = Some(format!("the digest is that of {}", expected.name)),
            None => why_not = format!("no digest is recorded, and {} has none", expected.name),
        }
    }
    let check = |aspect, done, how: String| Check { aspect, done, how };
    let columns = footer.schema.fields.len();
    let mut checks = vec![
        check(Aspect::Columns, true, format!("{columns}, as the footer says")),
        check(Aspect::Rows, true, rows_how),
    ];
    checks.extend(order.describe());
    checks.push(match values {
        Some(how) => check(Aspect::Values, true, how),
        None => check(Aspect::Values, false, why_not),
    });
    Ok(Verified { files, rows, digest, checks })
}

/// The footer of all parts, which must agree but for what each says of its own rows.
fn common_footer(parts: &[PartFile], path: &Path) -> Result<Footer> {
    let mut common: Option<Footer> = None;
    for part in parts {
        let footer = part.footer()?.ok_or_else(|| {
            Error::input("the file was not written by distil: its footer does not say how")
                .at(part.path().to_string_lossy(), None)
                .help("distil digest computes the digest of any Parquet file")
        })?;
        let footer = Footer { rows: None, digest: None, ..footer };
        match &common {
            Some(first) if *first != footer => {
                return Err(Error::input("the footers of the files of one output differ")
                    .at(part.path().to_string_lossy(), None)
                    .detail(format!("{} says otherwise", parts[0].path().display())));
            }
            _ => common = Some(footer),
        }
    }
    common.ok_or_else(|| Error::input("the output has no file").at(path.to_string_lossy(), None))
}

struct PartFound {
    digest: RowDigest,
    had_digest: bool,
}

fn verify_part(part: &PartFile, order: &mut OrderCheck) -> Result<PartFound> {
    let here = |error: Error| error.at(part.path().to_string_lossy(), None);
    let Some(footer) = part.footer()? else {
        return Err(here(Error::bug("a footer that was read is gone")));
    };
    check_schema(part, &footer.schema).map_err(here)?;
    let mut digest = RowDigest::new();
    let mut rows = 0;
    for batch in part.batches(None)? {
        let batch = batch?;
        let columns = columns_of(&batch, Some(&footer.schema)).map_err(here)?;
        let columns = if footer.origin { without_places(columns) } else { columns };
        add_rows(&mut digest, &columns, batch.num_rows()).map_err(here)?;
        order.add(columns, batch.num_rows(), rows).map_err(here)?;
        rows += batch.num_rows() as u64;
    }
    for (who, count) in [("the file's", Some(part.rows())), ("distil's", footer.rows)] {
        if let Some(count) = count
            && count != rows
        {
            return Err(here(Error::input(format!(
                "the file has {rows} rows, but {who} footer says {count}"
            ))));
        }
    }
    let found = digest.finish();
    if let Some(recorded) = footer.digest
        && recorded != found
    {
        return Err(here(Error::input(format!(
            "the rows have the digest {found}, but the footer says {recorded}"
        ))));
    }
    Ok(PartFound { digest, had_digest: footer.digest.is_some() })
}

fn check_schema(part: &PartFile, schema: &Schema) -> Result<()> {
    let fields = part.schema().fields();
    let differ =
        |what: String| Err(Error::input(format!("the footer's schema does not fit: {what}")));
    if fields.len() != schema.fields.len() {
        let (found, said) = (fields.len(), schema.fields.len());
        return differ(format!("it names {said} columns, the file has {found}"));
    }
    for (field, said) in fields.iter().zip(&schema.fields) {
        if *field.name() != said.name {
            return differ(format!("the column {} is named {} there", field.name(), said.name));
        }
        if !fits(&said.data_type, field.data_type()) {
            let (name, found) = (&said.name, field.data_type());
            return differ(format!("the column {name} is {found}, not {}", said.data_type));
        }
    }
    Ok(())
}

/// Whether a column of a file has the type that its footer gives it.
fn fits(said: &Type, found: &DataType) -> bool {
    match (said, found) {
        (Type::Boolean, DataType::Boolean)
        | (Type::Int8, DataType::Int8)
        | (Type::Int16, DataType::Int16)
        | (Type::Int32, DataType::Int32)
        | (Type::Int64, DataType::Int64)
        | (Type::Float32, DataType::Float32)
        | (Type::Float64, DataType::Float64)
        | (Type::Date, DataType::Date32)
        | (Type::Binary, DataType::Binary)
        | (Type::String | Type::Json | Type::JsonText, DataType::Utf8) => true,
        (
            Type::Decimal { precision, scale },
            DataType::Decimal32(p, s) | DataType::Decimal64(p, s) | DataType::Decimal128(p, s),
        ) => p == precision && i16::from(*s) == i16::from(*scale),
        (Type::Timestamp(unit), DataType::Timestamp(found, Some(zone))) => {
            let unit = match unit {
                TimeUnit::Millis => ArrowUnit::Millisecond,
                TimeUnit::Micros => ArrowUnit::Microsecond,
                TimeUnit::Nanos => ArrowUnit::Nanosecond,
            };
            unit == *found && &**zone == "UTC"
        }
        (Type::List(element), DataType::List(field)) => fits(element, field.data_type()),
        (Type::Struct(inner), DataType::Struct(fields)) => {
            inner.len() == fields.len()
                && inner.iter().zip(fields).all(|(said, field)| {
                    said.name == *field.name() && fits(&said.data_type, field.data_type())
                })
        }
        _ => false,
    }
}

/// Checks that rows come in the order of their key, and keys once.
struct OrderCheck {
    by: By,
    /// Columns of the batch before, and its rows.
    last: Option<(Vec<Member>, usize)>,
}

enum By {
    /// The whole record; whether two rows may be equal.
    Record {
        repeats: bool,
    },
    Columns(Vec<ColumnPath>),
    /// What decided the order is not among the columns that were written.
    Nothing,
}

impl OrderCheck {
    fn new(footer: &Footer) -> Self {
        let columns = footer.schema.index();
        let written = |path: &ColumnPath| columns.find(path).is_some();
        let by = match footer.dedup.as_ref().map(|dedup: &Dedup| &dedup.key) {
            None | Some(Key::Record) if footer.selected => By::Nothing,
            None => By::Record { repeats: true },
            Some(Key::Record) => By::Record { repeats: false },
            Some(Key::Columns(columns)) if columns.iter().all(written) => {
                By::Columns(columns.clone())
            }
            Some(Key::Columns(_)) => By::Nothing,
        };
        Self { by, last: None }
    }

    fn describe(&self) -> [Check; 2] {
        let check = |aspect, how: &str| Check { aspect, done: true, how: how.to_owned() };
        let unknown = |aspect| Check {
            aspect,
            done: false,
            how: "the columns that decide it were not written".to_owned(),
        };
        match &self.by {
            By::Record { repeats: false } => [
                check(Aspect::Order, "ascending by all columns"),
                check(Aspect::Keys, "every row is there once"),
            ],
            By::Record { repeats: true } => [
                check(Aspect::Order, "ascending by all columns"),
                check(Aspect::Keys, "there is none: every record was written"),
            ],
            By::Columns(_) => [
                check(Aspect::Order, "ascending by the key"),
                check(Aspect::Keys, "every key is there once"),
            ],
            By::Nothing => [unknown(Aspect::Order), unknown(Aspect::Keys)],
        }
    }

    /// Checks the rows of the next batch, whose first is row `first` of its file.
    fn add(&mut self, columns: Vec<Member>, rows: usize, first: u64) -> Result<()> {
        if rows == 0 {
            return Ok(());
        }
        if let Some((before, count)) = &self.last {
            self.check(before, count - 1, &columns, 0, first)?;
        }
        for row in 1..rows {
            self.check(&columns, row - 1, &columns, row, first + row as u64)?;
        }
        self.last = Some((columns, rows));
        Ok(())
    }

    fn check(&self, a: &[Member], row_a: usize, b: &[Member], row_b: usize, at: u64) -> Result<()> {
        let (order, repeats) = match &self.by {
            By::Record { repeats } => (compare_rows(a, row_a, b, row_b), *repeats),
            By::Columns(key) => {
                let pairs =
                    key.iter().map(|path| compare(&find(a, row_a, path), &find(b, row_b, path)));
                (pairs.into_iter().find(|o| o.is_ne()).unwrap_or(Ordering::Equal), false)
            }
            By::Nothing => return Ok(()),
        };
        match order {
            Ordering::Less => Ok(()),
            Ordering::Equal if repeats => Ok(()),
            Ordering::Equal => {
                Err(Error::input(format!("row {at} has the key of the row before it")))
            }
            Ordering::Greater => Err(Error::input(format!(
                "row {at} stands behind the row before it, but its key comes earlier"
            ))),
        }
    }
}

/// The value at a path through structs; null where a struct on the way is null.
fn find<'a>(columns: &'a [Member], row: usize, path: &ColumnPath) -> Value<'a> {
    let mut value = Value::Object(columns, row);
    for step in path.steps() {
        value = match value {
            Value::Object(members, row) => members
                .iter()
                .find(|member| member.name == *step)
                .map_or(Value::Null, |member| member.column.value(row)),
            _ => Value::Null,
        };
    }
    value
}

fn compare_with(
    expected: &Expected,
    footer: &Footer,
    rows: u64,
    digest: Digest,
    path: &Path,
) -> Result<()> {
    let name = &expected.name;
    let differ = |what: &str, found: String, said: String| {
        Err(Error::input(format!("the output has {found}, but {name} has {said}: {what} differ"))
            .at(path.to_string_lossy(), None))
    };
    if let Some(schema) = &expected.schema {
        let text = |types: &mut dyn Iterator<Item = (&str, String)>| {
            types
                .map(|(name, of)| format!("{} {of}", ColumnPath::name(name)))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let found = footer.schema.fields.iter();
        let found = text(&mut found.map(|f| (f.name.as_str(), f.data_type.to_string())));
        let said = text(&mut schema.iter().map(|f| (f.name.as_str(), f.data_type.to_string())));
        if found != said {
            return differ("the columns", found, said);
        }
    }
    if expected.rows != rows {
        return differ("the counts", format!("{rows} rows"), format!("{} rows", expected.rows));
    }
    match expected.digest {
        Some(said) if said != digest => {
            differ("the rows", format!("the digest {digest}"), said.to_string())
        }
        _ => Ok(()),
    }
}
