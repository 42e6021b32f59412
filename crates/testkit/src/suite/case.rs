//! A case, and the words to write one.

use distil_plan::{
    ColumnPath, Compression, Dedup, ExtraMembers, Keep, NullKeys, OrderBy, Plan, QuarantineSpec,
    Schema, Sink,
};

use super::subject::Files;
use crate::oracle::FailureKind;

/// Files, a plan, and what is known by hand of the result.
#[derive(Clone)]
pub struct Case {
    /// What the case says, in words joined by `_`.
    pub name: String,
    /// Names (below `in`) and contents.
    pub files: Files,
    /// The plan; its paths are the subject's.
    pub plan: Plan,
    /// What must come out, beside what the oracle says.
    pub expect: Vec<Expect>,
}

/// For people: generated cases are shown, decompressed, when they fail.
impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.name)?;
        self.files.iter().try_for_each(|(name, content)| {
            let (_, content, _) = crate::oracle::frames::decompress(content);
            write!(f, " {name}={}", content.escape_ascii())
        })
    }
}

/// Something that is known by hand.
#[derive(Clone, Debug)]
pub enum Expect {
    /// The rows as canonical JSON text, in order.
    Rows(Vec<String>),
    /// The columns, as in `id int64, ts timestamp(ms, UTC)`.
    Types(String),
    /// Reason, offset and length of all bad parts.
    Bad(Vec<(&'static str, u64, u64)>),
    /// The run fails, and says this.
    Fails(FailureKind, &'static str),
    /// Identical and conflicting duplicates.
    Duplicates(u64, u64),
    /// Other files that must give the same bytes.
    SameBytes(Files),
}

/// Files below `in`, where plans find them.
pub fn placed(files: &Files) -> Files {
    files.iter().map(|(name, content)| (format!("in/{name}"), content.clone())).collect()
}

/// A case without files that reads every record and sets bad ones aside.
pub fn case(name: impl Into<String>) -> Case {
    let mut plan = Plan::new(vec!["in".into()], Sink::new("out.parquet"));
    plan.digest = true;
    plan.quarantine = QuarantineSpec { path: Some("quarantine.ndjson".into()), max: None };
    plan.sink.compression = Compression::None;
    Case { name: name.into(), files: Vec::new(), plan, expect: Vec::new() }
}

impl Case {
    /// The files where the plan finds them.
    pub fn placed(&self) -> Files {
        placed(&self.files)
    }

    /// Adds a file.
    #[must_use]
    pub fn file(mut self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.files.push((name.to_owned(), content.as_ref().to_vec()));
        self
    }

    /// Adds a file of lines.
    #[must_use]
    pub fn lines(self, lines: &[&str]) -> Self {
        let name = format!("{:03}.json", self.files.len());
        self.file(&name, lines.iter().map(|line| format!("{line}\n")).collect::<String>())
    }

    /// Adds a file of one column `c` with these values, one a line.
    #[must_use]
    pub fn values(self, values: &[&str]) -> Self {
        let lines: Vec<String> = values.iter().map(|v| format!("{{\"c\":{v}}}")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        self.lines(&lines)
    }

    /// The key: columns, or `*`.
    #[must_use]
    pub fn key(mut self, key: &str) -> Self {
        self.plan.dedup = Some(match key {
            "*" => Dedup::on_record(),
            columns => Dedup::on_columns(ColumnPath::parse_list(columns).unwrap()),
        });
        self
    }

    fn dedup(mut self, change: impl FnOnce(&mut Dedup)) -> Self {
        change(self.plan.dedup.as_mut().expect("the case has a key"));
        self
    }

    /// The order.
    #[must_use]
    pub fn order(self, order: &str) -> Self {
        self.dedup(|dedup| dedup.order_by = OrderBy::parse_list(order).unwrap())
    }

    /// The last record survives.
    #[must_use]
    pub fn keep_last(self) -> Self {
        self.dedup(|dedup| dedup.keep = Keep::Last)
    }

    /// Null keys are values.
    #[must_use]
    pub fn null_keys(self) -> Self {
        self.dedup(|dedup| dedup.null_keys = NullKeys::Value)
    }

    /// The shape of all files.
    #[must_use]
    pub fn shape(mut self, shape: &str) -> Self {
        self.plan.shape = shape.parse().unwrap();
        self
    }

    /// What is mended, as an option has it.
    #[must_use]
    pub fn repair(mut self, repairs: &str) -> Self {
        self.plan.repair = repairs.parse().unwrap();
        self
    }

    /// The schema.
    #[must_use]
    pub fn declare(mut self, schema: &str) -> Self {
        self.plan.schema.declared = Some(Schema::parse(schema).unwrap());
        self
    }

    /// The type of one column.
    #[must_use]
    pub fn hint(mut self, path: &str, data_type: &str) -> Self {
        self.plan.schema.hints.push((path.parse().unwrap(), data_type.parse().unwrap()));
        self
    }

    /// What happens to extra members.
    #[must_use]
    pub fn extra(mut self, extra: ExtraMembers) -> Self {
        self.plan.extra_members = extra;
        self
    }

    /// Any other change of the plan.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Plan)) -> Self {
        change(&mut self.plan);
        self
    }

    /// Bad records stop the run.
    #[must_use]
    pub fn strict(self) -> Self {
        self.with(|plan| plan.quarantine = QuarantineSpec::default())
    }

    /// Conflicting losers are written.
    #[must_use]
    pub fn dropped(self) -> Self {
        self.with(|plan| plan.dropped = Some("dropped.parquet".into()))
    }

    fn expect(mut self, expect: Expect) -> Self {
        self.expect.push(expect);
        self
    }

    /// The rows must be these.
    #[must_use]
    pub fn gives(self, rows: &[&str]) -> Self {
        self.expect(Expect::Rows(rows.iter().map(|row| (*row).to_owned()).collect()))
    }

    /// The columns must be these.
    #[must_use]
    pub fn types(self, types: &str) -> Self {
        self.expect(Expect::Types(types.to_owned()))
    }

    /// The bad parts must be these.
    #[must_use]
    pub fn bad(self, bad: &[(&'static str, u64, u64)]) -> Self {
        self.expect(Expect::Bad(bad.to_vec()))
    }

    /// The run must fail, and its error hold this text.
    #[must_use]
    pub fn fails(self, kind: FailureKind, text: &'static str) -> Self {
        self.expect(Expect::Fails(kind, text))
    }

    /// There must be so many identical and conflicting duplicates.
    #[must_use]
    pub fn duplicates(self, identical: u64, conflicting: u64) -> Self {
        self.expect(Expect::Duplicates(identical, conflicting))
    }

    /// These files must give the same bytes.
    #[must_use]
    pub fn same_bytes_as(self, files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
        let files = files.collect();
        self.expect(Expect::SameBytes(files))
    }
}
