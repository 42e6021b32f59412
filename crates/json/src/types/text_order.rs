//! Whether the text of a key or order column orders like what it spells.

use distil_plan::{Code, ColumnPath, Error, Hint, OrderBy, Result, TypeNote};

use crate::message::{MessageReader, MessageWriter, broken};
use crate::types::facts::Position;
use crate::types::sort_column::SortColumn;
use crate::values::spelled::{Forms, Kind, MOST_BYTES, Spelled, form};

/// What the strings of a key or order column spell. Of a key column only instants by RFC 3339 count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TextOrder {
    strings: u64,
    numbers: u64,
    versions: u64,
    instants: u64,
    /// The forms of all of them.
    forms: Forms,
    /// The shape that all of them have, unless they are mixed.
    shape: Option<Box<[u8]>>,
    /// Whether they differ in shape, or one has none.
    mixed: bool,
}

impl TextOrder {
    /// Bytes in a message at least: five counts, a flag, and the length of the shape.
    pub(crate) const LEAST_BYTES: usize = 5 * 8 + 1 + 8;

    pub(crate) fn note(&mut self, spelled: Option<&Spelled<'_>>) {
        self.note_many(spelled, 1);
    }

    /// Notes that `count` strings spell the same in one form, or nothing.
    pub(crate) fn note_many(&mut self, spelled: Option<&Spelled<'_>>, count: u64) {
        if count == 0 {
            return;
        }
        self.note_again(spelled.map(|spelled| spelled.kind), count);
        let Some(Spelled { forms, shape, .. }) = spelled else { return };
        self.forms |= forms;
        match (shape, &self.shape) {
            _ if self.mixed => {}
            (Some(shape), None) => self.shape = Some(shape.to_bytes()),
            (Some(shape), Some(first)) if shape.is(first) => {}
            _ => self.mix(),
        }
    }

    /// Forgets the shape, which says nothing any more: what was seen is the same in any order.
    fn mix(&mut self) {
        self.mixed = true;
        self.shape = None;
    }

    /// Notes `count` strings that were noted before, by the kind of what they spell.
    pub(crate) fn note_again(&mut self, kind: Option<Kind>, count: u64) {
        self.strings += count;
        match kind {
            Some(Kind::Number) => self.numbers += count,
            Some(Kind::Version) => self.versions += count,
            Some(Kind::Instant) => self.instants += count,
            None => {}
        }
    }

    pub(crate) fn join(&mut self, other: &Self) {
        self.strings += other.strings;
        self.numbers += other.numbers;
        self.versions += other.versions;
        self.instants += other.instants;
        self.forms |= other.forms;
        match (&other.shape, &self.shape) {
            _ if self.mixed => {}
            _ if other.mixed => self.mix(),
            (Some(_), None) => self.shape = other.shape.clone(),
            (Some(shape), Some(first)) if shape != first => self.mix(),
            _ => {}
        }
    }

    pub(crate) fn write(&self, message: &mut MessageWriter) {
        for count in [self.strings, self.numbers, self.versions, self.instants, self.forms] {
            message.number(count);
        }
        message.flag(self.mixed);
        message.bytes(self.shape.as_deref().unwrap_or_default());
    }

    pub(crate) fn read(message: &mut MessageReader<'_>) -> Result<Self> {
        let (strings, numbers) = (message.number()?, message.number()?);
        let (versions, instants) = (message.number()?, message.number()?);
        let forms = message.number()?;
        if forms >> form::COUNT != 0 {
            return Err(broken());
        }
        let mixed = message.flag()?;
        let shape = match message.bytes()? {
            [] => None,
            bytes if bytes.len() <= MOST_BYTES => Some(bytes.into()),
            _ => return Err(broken()),
        };
        Ok(Self { strings, numbers, versions, instants, forms, shape, mixed })
    }

    /// Whether text order would keep the wrong record (`docs/semantics.md` 2.3).
    fn misleads(&self) -> bool {
        self.mixed && (self.numbers + self.versions + self.instants) * 2 >= self.strings
    }

    /// Whether what is told is digits alone, numbers of things as often as not, which an ascending order
    /// only takes to decide at all.
    fn ascends(&self, part: &SortColumn) -> bool {
        self.forms & form::NOT_DIGITS == 0 && !part.key && !part.reversed
    }

    /// What is to be said of an order column that [`TextOrder::check`] lets pass only because it ascends.
    pub(crate) fn note_of(
        &self,
        part: &SortColumn,
        parts: &[SortColumn],
        first: Position,
    ) -> Option<TypeNote> {
        if part.key || part.as_text || !self.misleads() || !self.ascends(part) {
            return None;
        }
        let path = &part.path;
        let mut hints = self.types(path);
        let consent = order_as_text(part, parts);
        hints.push(Hint::set("or order it as text, without this warning", "order_by", consent));
        Some(TypeNote {
            text: format!(
                "the order column {path} holds numbers as strings, and orders them as text: \"10\" < \"9\""
            ),
            input: first.input,
            offset: first.offset,
            ordinal: first.ordinal,
            hints,
        })
    }

    /// Checks that the text of an inferred column orders like its values.
    ///
    /// # Errors
    /// An input error with the ways on, if it does not.
    pub(crate) fn check(&self, part: &SortColumn, parts: &[SortColumn]) -> Result<()> {
        if part.as_text || !self.misleads() || self.ascends(part) {
            return Ok(());
        }
        let path = &part.path;
        let (what, why) = self.what();
        let mut error = Error::input(format!(
            "the {} column {path} holds {what}, so its text {why}",
            part.name()
        ))
        .coded(Code::MisleadingOrder);
        for hint in self.types(path) {
            error = error.help(hint);
        }
        Err(error.help(if part.key {
            Hint::set("or order it as text", "types", format!("{path}=string"))
        } else {
            Hint::set("or order it as text", "order_by", order_as_text(part, parts))
        }))
    }

    fn what(&self) -> (String, &'static str) {
        let kinds = [
            (self.numbers, "numbers"),
            (self.versions, "dotted versions"),
            (self.instants, "instants"),
        ];
        let there: Vec<&str> =
            kinds.iter().filter(|(count, _)| *count > 0).map(|(_, name)| *name).collect();
        match there.as_slice() {
            ["instants"] if self.has_several_forms() => {
                ("instants in more than one form".to_owned(), "does not order like time")
            }
            ["instants"] => (
                "instants in a form that does not begin with the year, or has no fixed width"
                    .to_owned(),
                "does not order like time",
            ),
            ["numbers"] => {
                ("numbers as strings".to_owned(), "does not order like numbers: \"10\" < \"9\"")
            }
            ["dotted versions"] => {
                ("versions".to_owned(), "does not order like versions: \"1.10\" < \"1.9\"")
            }
            several => (several.join(" and "), "does not order like what it says"),
        }
    }

    /// Whether the instants are known to be of more than one form.
    fn has_several_forms(&self) -> bool {
        let several = |group: Forms| (self.forms & group).count_ones() > 1;
        let falls = self.forms & form::DATES & !form::YEARS_FIRST == 0
            && self.forms & (form::MINUTES_12 | form::SECONDS_12) == 0;
        falls
            || [form::DATES, form::SEPARATORS, form::TIMES, form::ZONES, form::WEEKDAYS]
                .into_iter()
                .any(several)
    }

    /// The types that read such text, if all of it is of one kind.
    fn types(&self, path: &ColumnPath) -> Vec<Hint> {
        let set =
            |text: &str, data_type: &str| Hint::set(text, "types", format!("{path}={data_type}"));
        match (self.numbers > 0, self.versions > 0, self.instants > 0) {
            (true, false, false) => match self.forms & !form::NOT_DIGITS {
                form::INTEGER => vec![set("read it as numbers", "int64")],
                forms if forms & form::LOOSE_NUMBER == 0 => {
                    vec![set("read it as numbers", "float64")]
                }
                _ => vec![
                    "write the numbers as JSON does: no type reads leading zeros, a plus sign or \
                     blanks"
                        .into(),
                ],
            },
            (false, true, false) => {
                vec!["give the records a column that orders like the versions".into()]
            }
            (false, false, true) if self.is_rfc3339() => {
                let unit = if self.forms & form::FINE != 0 { "ns" } else { "us" };
                vec![set("read it as instants", &format!("timestamp({unit})"))]
            }
            (false, false, true) => {
                let formats = self.formats();
                if formats.is_empty() {
                    return vec!["write all instants as 2019-04-23T17:25:43Z".into()];
                }
                let texts = ["read it as instants", "or, if the month comes first,"];
                let unit = if self.forms & form::FINE != 0 { "ns" } else { "us" };
                let zone = if self.has_zone() { "" } else { ", 'UTC'" };
                let hint = |(text, format): (&str, String)| {
                    set(text, &format!("timestamp({unit}, '{format}'{zone})"))
                };
                texts.into_iter().zip(formats).map(hint).collect()
            }
            _ => vec!["give the records a column of one kind to order by".into()],
        }
    }

    /// Whether RFC 3339, or what `timestamp` reads besides it, has all forms that were seen.
    fn is_rfc3339(&self) -> bool {
        let within = |group: Forms, wanted: Forms| {
            self.forms & group != 0 && self.forms & group & !wanted == 0
        };
        self.forms & (form::IRREGULAR | form::BLANK_OFFSET) == 0
            && within(form::DATES, form::YEAR_FIRST)
            && within(form::WEEKDAYS, form::NO_WEEKDAY)
            && within(form::SEPARATORS, form::LETTER_T | form::BLANK)
            && within(form::TIMES, form::SECONDS | form::FRACTION)
            && within(form::ZONES, form::ZULU | form::UTC | form::OFFSET_COLON | form::OFFSET)
    }

    fn has_zone(&self) -> bool {
        self.forms & (form::OFFSET | form::OFFSET_COLON) != 0
    }

    /// The format of the instants, if all have one; two where nothing says whether the day comes first.
    fn formats(&self) -> Vec<String> {
        let one = |group: Forms| {
            let seen = self.forms & group;
            (seen.count_ones() <= 1 && self.forms & form::IRREGULAR == 0).then_some(seen)
        };
        let (Some(date), Some(separator)) = (one(form::DATES), one(form::SEPARATORS)) else {
            return Vec::new();
        };
        // A fraction may be missing where the format has one.
        let seconds = form::SECONDS | form::FRACTION;
        let times = self.forms & form::TIMES;
        let time = match (times & !seconds, times & seconds) {
            (0, 0) => "",
            (0, form::SECONDS) => "%H:%M:%S",
            (0, _) => "%H:%M:%S%.f",
            (form::MINUTES, 0) => "%H:%M",
            (form::MINUTES_12, 0) => "%I:%M %p",
            (form::SECONDS_12, 0) => "%I:%M:%S %p",
            (form::COMPACT, 0) => "%H%M%S",
            _ => return Vec::new(),
        };
        let separator = match separator {
            form::LETTER_T => "T",
            form::BLANK => " ",
            form::COMMA => ", ",
            form::COLON => ":",
            // Dates alone are days, for which there is no hint of instants.
            _ => return Vec::new(),
        };
        let blank = self.forms & form::BLANK_OFFSET != 0;
        let zone = match self.forms & form::ZONES & !form::BLANK_OFFSET {
            form::NO_ZONE => "",
            form::ZULU => "Z",
            form::OFFSET if blank => " %z",
            form::OFFSET => "%z",
            form::OFFSET_COLON if blank => " %:z",
            form::OFFSET_COLON => "%:z",
            _ => return Vec::new(),
        };
        let weekday = match one(form::WEEKDAYS) {
            Some(form::WEEKDAY_COMMA) => "%a, ",
            Some(form::WEEKDAY) => "%a ",
            Some(form::NO_WEEKDAY) => "",
            _ => return Vec::new(),
        };
        if date == form::YEAR_AT_THE_END {
            return vec![format!("{weekday}%b %d{separator}{time}{zone} %Y")];
        }
        let whole = |date: String| format!("{weekday}{date}{separator}{time}{zone}");
        let marks = ["-", "/", ".", ""];
        let mark = |base: Forms| marks[((date / base).trailing_zeros() as usize).min(3)];
        if date & form::YEARS_FIRST != 0 {
            let mark = mark(form::YEAR_FIRST);
            return vec![whole(format!("%Y{mark}%m{mark}%d"))];
        }
        if date == form::NAME_DAY {
            return vec![whole("%b %d, %Y".to_owned())];
        }
        if date & form::DAY_NAMES != 0 {
            let mark = [" ", "-", "/"][((date / form::DAY_NAME).trailing_zeros() as usize).min(2)];
            return vec![whole(format!("%d{mark}%b{mark}%Y"))];
        }
        let (base, year) = if date & form::SHORT_YEARS != 0 {
            (form::SHORT_YEAR, "%y")
        } else {
            (form::YEAR_LAST, "%Y")
        };
        let mark = mark(base);
        let day_first = whole(format!("%d{mark}%m{mark}{year}"));
        let month_first = whole(format!("%m{mark}%d{mark}{year}"));
        match self.forms & (form::DAY_LEADS | form::MONTH_LEADS) {
            form::DAY_LEADS => vec![day_first],
            form::MONTH_LEADS => vec![month_first],
            0 => vec![day_first, month_first],
            _ => Vec::new(),
        }
    }
}

/// The order of the plan, with this column as text.
fn order_as_text(part: &SortColumn, parts: &[SortColumn]) -> String {
    let order = parts.iter().filter(|other| !other.key).map(|other| {
        let order = OrderBy {
            column: other.path.clone(),
            direction: other.direction,
            as_text: other.as_text || other.path == part.path,
        };
        order.to_string()
    });
    order.collect::<Vec<_>>().join(", ")
}
