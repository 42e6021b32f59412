//! One record: whether it is accepted, and why not (1.7).

use std::cmp::Ordering;

use distil_plan::{ColumnPath, Direction, ExtraMembers, Key, NullKeys, Plan, Reason};

use super::compare::compare;
use super::infer;
use super::json::{Mend, Value, parse_mending};
use super::place::without_place;
use super::run::ordering_columns;
use super::types::{Conform, Notes, Want};

/// What a plan asks of each record.
pub(super) struct Admission<'a> {
    plan: &'a Plan,
    /// The types that it asks for.
    pub(super) want: Want,
    conform: Conform,
    /// The columns of the key; none if that is the whole record.
    pub(super) key: &'a [ColumnPath],
}

/// Members that a plan adds.
pub(super) type MemberSlice = [(String, Value)];

/// What became of a record. One that is only bad for its key is given, too.
pub(super) struct Admitted {
    pub(super) record: Option<Value>,
    /// Why it is bad.
    pub(super) reason: Option<Reason>,
    pub(super) notes: Notes,
    pub(super) mends: Vec<Mend>,
}

impl<'a> Admission<'a> {
    /// That of a plan which was checked.
    pub(super) fn of(plan: &'a Plan) -> Self {
        let want = Want::of(plan);
        let conform = Conform {
            extra_members: plan.extra_members,
            extra_column: plan.extra_members == ExtraMembers::Keep && want.can_have_extra(),
            null_text: plan.null_text.clone(),
            strict: plan.strict_types,
        };
        let key: &[ColumnPath] = match plan.dedup.as_ref().map(|d| &d.key) {
            Some(Key::Columns(columns)) => columns,
            _ => &[],
        };
        Self { plan, want, conform, key }
    }

    /// Whether members outside a declared schema become a column.
    pub(super) fn extra_column(&self) -> bool {
        self.conform.extra_column
    }

    /// Looks at a record, given as its text, the members that the plan adds to it, and those of its place.
    pub(super) fn admit(&self, raw: &[u8], added: &MemberSlice, place: &MemberSlice) -> Admitted {
        let (mut notes, mut mends) = (Notes::default(), Vec::new());
        let (record, reason) = self.judge(raw, (added, place), &mut notes, &mut mends);
        Admitted { record, reason, notes, mends }
    }

    fn judge(
        &self,
        raw: &[u8],
        (added, place): (&MemberSlice, &MemberSlice),
        notes: &mut Notes,
        mends: &mut Vec<Mend>,
    ) -> (Option<Value>, Option<Reason>) {
        let Self { plan, want, conform, key } = self;
        if raw.len() as u64 > plan.max_record {
            return (None, Some(Reason::TooLarge));
        }
        let parsed = match parse_mending(raw, &plan.repair) {
            Ok(parsed) => parsed,
            Err(broken) => return (None, Some(broken.reason)),
        };
        if !matches!(parsed.value, Value::Object(_)) {
            return (None, Some(Reason::NotAnObject));
        }
        if parsed.duplicate {
            return (None, Some(Reason::DuplicateMember));
        }
        *mends = parsed.mends;
        // What was mended lies in a column, or a column lies in it.
        let touches = |path: &ColumnPath| {
            mends.iter().any(|mend| mend.path.iter().zip(path.steps()).all(|(a, b)| a == b))
        };
        if ordering_columns(plan).into_iter().any(touches) {
            return (None, Some(Reason::RepairedKey));
        }
        let Some(value) = with_added(&parsed.value, added) else {
            return (None, Some(Reason::NameClash));
        };
        if with_added(&value, place).is_none() {
            return (None, Some(Reason::NameClash));
        }
        let value = if place.is_empty() { value } else { without_place(&value) };
        let record = conform.record(&value, want, notes);
        if notes.extra {
            return (None, Some(Reason::ExtraMember));
        }
        if notes.bad {
            return (None, Some(Reason::BadValue));
        }
        let nulls_are_bad = plan.dedup.as_ref().is_some_and(|d| d.null_keys == NullKeys::Error);
        let null_key = key.iter().any(|path| *infer::at(&record, path) == Value::Null);
        (Some(record), (nulls_are_bad && null_key).then_some(Reason::NullKey))
    }
}

/// A record with the members that the plan adds before its own; nothing where it has another value of one.
fn with_added(record: &Value, added: &MemberSlice) -> Option<Value> {
    let Value::Object(own) = record else { return Some(record.clone()) };
    let mut members = added.to_vec();
    for (name, value) in own {
        match added.iter().find(|(other, _)| other == name) {
            None => members.push((name.clone(), value.clone())),
            Some((_, other)) if *value == Value::Null || same(value, other) => {}
            Some(_) => return None,
        }
    }
    Some(Value::Object(members))
}

/// Whether two values are the same, as a comparison of records has it.
fn same(a: &Value, b: &Value) -> bool {
    compare(a, b, Direction::Asc) == Ordering::Equal
}
