//! Columns whose type is not that of most of their values, because of others.

use distil_plan::{ColumnPath, Hint, Type, TypeNote, format_count};

use crate::types::facts::{Facts, KINDS, Position, Verdict, fact};
use crate::types::fields::{Declared, FieldId, Fields, MAX_MEMBERS, ROOT};

/// A column on the way through the tree.
struct Place<'a> {
    path: &'a ColumnPath,
    /// The column that a hint can name: the list around elements.
    named: &'a ColumnPath,
    in_list: bool,
}

impl Fields {
    /// The notes on all columns, in the order of the schema.
    pub(crate) fn type_notes(&self) -> Vec<TypeNote> {
        let mut notes = Vec::new();
        self.note_members(ROOT, None, &mut notes);
        notes
    }

    fn note_members(&self, id: FieldId, around: Option<&Place<'_>>, notes: &mut Vec<TypeNote>) {
        let members = self.columns_in(id);
        if self.get(id).declared == Declared::Open && id != ROOT && members.len() > MAX_MEMBERS {
            return;
        }
        for member in members {
            let name = &self.get(member).name;
            let path = match around {
                Some(place) => place.path.child(name),
                None => ColumnPath::name(name),
            };
            let in_list = around.is_some_and(|place| place.in_list);
            let named = around.filter(|place| place.in_list).map_or(&path, |place| place.named);
            self.note_column(member, &Place { path: &path, named, in_list }, notes);
        }
    }

    fn note_column(&self, id: FieldId, place: &Place<'_>, notes: &mut Vec<TypeNote>) {
        let field = self.get(id);
        let is_list = match &field.declared {
            Declared::Scalar(_) => return,
            Declared::List => true,
            Declared::Struct | Declared::OpenStruct => false,
            Declared::Open => match field.facts.verdict() {
                Verdict::List | Verdict::Struct if !self.nests(id) => return,
                Verdict::List => true,
                Verdict::Struct => false,
                Verdict::Unknown => return,
                verdict => return notes.extend(note(&field.facts, &verdict, place)),
            },
        };
        if !is_list {
            self.note_members(id, Some(place), notes);
        } else if let Some(element) = field.element {
            self.note_column(element, &Place { in_list: true, ..*place }, notes);
        }
    }
}

/// What is to be said of a column without members or elements.
fn note(facts: &Facts, verdict: &Verdict, place: &Place<'_>) -> Option<TypeNote> {
    let Place { path, named, in_list } = place;
    let column = if *in_list { format!("{path}, in a list,") } else { path.to_string() };
    let note = |text: String, first: Option<Position>, hints: Vec<Hint>| {
        let Position { input, offset, ordinal } = first?;
        Some(TypeNote { text, input, offset, ordinal, hints })
    };
    let hint = |text: &str, data_type: &str| {
        // Elements of a list have no path.
        let data_type = if *in_list { "json" } else { data_type };
        let text =
            if data_type == "json" { "take it as JSON text, without this warning" } else { text };
        Hint::set(text, "types", format!("{named}={data_type}"))
    };
    let kinds: Vec<usize> =
        (0..KINDS.len()).filter(|kind| facts.bits & KINDS[*kind].0 != 0).collect();
    if kinds.len() > 1 {
        return mixed(facts, &kinds).and_then(|Mixed { text, first, most }| {
            let mut alone = facts.clone();
            alone.bits &= KINDS[most].0;
            let mut hints = Vec::new();
            match alone.verdict() {
                Verdict::Scalar(data_type) if !*in_list => {
                    let read = format!("read it as {}", KINDS[most].2);
                    hints.push(hint(&read, &spelled(&data_type)));
                    hints.push(Hint::set(
                        "and set the records with others aside",
                        "quarantine",
                        "FILE.ndjson",
                    ));
                }
                _ => hints.push(hint("", "json")),
            }
            note(format!("{column} is JSON text: {text}"), first, hints)
        });
    }
    let rounded = facts.position(fact::INEXACT);
    let float = || vec![hint("take the nearest doubles, counting those that differ", "float64")];
    match verdict {
        Verdict::Scalar(data_type @ Type::Decimal { .. }) if facts.bits & fact::FRACTION != 0 => {
            let text = format!("{column} is {data_type}: a double would round some of its numbers");
            // As JSON text an element would be no number.
            note(text, rounded, if *in_list { Vec::new() } else { float() })
        }
        Verdict::Json if facts.bits & fact::FRACTION != 0 => {
            let text = format!(
                "{column} is JSON text: a double would round some of its numbers, and no decimal of 38 \
                 digits holds all of them"
            );
            note(text, rounded, float())
        }
        Verdict::Json if facts.bits & fact::HUGE != 0 => {
            let text =
                format!("{column} is JSON text: some of its integers have more than 38 digits");
            note(text, facts.position(fact::HUGE), float())
        }
        _ => None,
    }
}

/// A column of several kinds.
struct Mixed {
    text: String,
    /// The first value that is not of the most frequent kind.
    first: Option<Position>,
    /// The most frequent kind, as an ordinal of [`KINDS`].
    most: usize,
}

fn mixed(facts: &Facts, kinds: &[usize]) -> Option<Mixed> {
    let count = |kind: usize| facts.counts.get(kind).copied().unwrap_or_default();
    // Of kinds with as many values the one that came first.
    let first = |kind: usize| facts.position(KINDS[kind].0);
    let most = kinds
        .iter()
        .copied()
        .max_by(|a, b| count(*a).cmp(&count(*b)).then_with(|| first(*b).cmp(&first(*a))))?;
    let others: Vec<usize> = kinds.iter().copied().filter(|kind| *kind != most).collect();
    let all: u64 = kinds.iter().map(|kind| count(*kind)).sum();
    let texts = others.iter().map(|kind| {
        let (_, one, several) = KINDS[*kind];
        match count(*kind) {
            1 => format!("1 is {one}"),
            many => format!("{} are {several}", format_count(many)),
        }
    });
    let text = match (others.as_slice(), texts.collect::<Vec<_>>()) {
        ([kind], _) if count(*kind) == 1 => {
            format!("1 of {} values is {}", format_count(all), KINDS[*kind].1)
        }
        ([kind], _) => {
            format!(
                "{} of {} values are {}",
                format_count(count(*kind)),
                format_count(all),
                KINDS[*kind].2
            )
        }
        (_, texts) => format!("of {} values {}", format_count(all), texts.join(", ")),
    };
    Some(Mixed { text, first: others.iter().filter_map(|kind| first(*kind)).min(), most })
}

/// A type as a flag takes it.
fn spelled(data_type: &Type) -> String {
    data_type.to_string().replace(", UTC)", ")")
}
