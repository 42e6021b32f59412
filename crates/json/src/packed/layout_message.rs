//! Layouts in messages: all tasks of a job pack alike.

use distil_plan::{Plan, Result};

use crate::message::{MessageReader, MessageWriter, broken};
use crate::packed::layout::{Class, PackedLayout};
use crate::types::sort_column::SortColumn;

/// Codes of the classes but for instants, whose code says how many digits of a second's fraction they have.
const CODES: [(u8, Class); 5] = [
    (10, Class::Integer),
    (11, Class::Float),
    (12, Class::Boolean),
    (13, Class::Text),
    (14, Class::Nothing),
];

fn code(class: Class) -> u8 {
    match class {
        Class::Instant(digits) => digits as u8,
        _ => CODES.iter().find(|(_, known)| *known == class).map_or(u8::MAX, |(code, _)| *code),
    }
}

fn class(code: u8) -> Result<Class> {
    match code {
        0 | 3 | 6 => Ok(Class::Instant(code.into())),
        _ => {
            let found = CODES.iter().find(|(known, _)| *known == code);
            found.map(|(_, class)| *class).ok_or_else(broken)
        }
    }
}

impl PackedLayout {
    /// Writes the layout to a message, which [`PackedLayout::read`] reads in another process.
    pub fn write(&self, message: &mut MessageWriter) {
        message.flag(self.packs);
        message.number(self.columns.len() as u64);
        for column in &self.columns {
            message.bytes(column.name.as_bytes());
            message.byte(code(column.class));
        }
    }

    /// Reads the layout of a job with this plan.
    ///
    /// # Errors
    /// An environment error if the message is broken, or of another plan.
    pub fn read(message: &mut MessageReader<'_>, plan: &Plan) -> Result<Self> {
        let packs = message.flag()?;
        let mut columns = Vec::new();
        for _ in 0..message.count(9)? {
            columns.push((message.text()?.to_owned(), class(message.byte()?)?));
        }
        let (sort_columns, _) = SortColumn::of(plan.dedup.as_ref());
        let mut layout = Self::of(plan, columns, &sort_columns).ok_or_else(broken)?;
        layout.packs &= packs;
        Ok(layout)
    }
}

#[cfg(test)]
mod tests {
    use distil_plan::{ColumnPath, Dedup, Direction, OrderBy, Sink};

    use super::*;

    #[test]
    fn a_layout_comes_out_of_its_message_as_it_went_in() {
        let mut plan = Plan::new(vec!["in".to_owned()], Sink::new("out.parquet"));
        let mut dedup = Dedup::on_columns(vec![ColumnPath::name("at")]);
        dedup.order_by = vec![OrderBy {
            column: ColumnPath::name("n"),
            direction: Direction::Desc,
            as_text: false,
        }];
        plan.dedup = Some(dedup);
        let (sort_columns, _) = SortColumn::of(plan.dedup.as_ref());
        let columns = vec![
            ("text".to_owned(), Class::Text),
            ("at".to_owned(), Class::Instant(3)),
            ("ok".to_owned(), Class::Boolean),
            ("n".to_owned(), Class::Integer),
            ("x".to_owned(), Class::Float),
            ("\u{e4}".to_owned(), Class::Nothing),
        ];
        let mut layout = PackedLayout::of(&plan, columns, &sort_columns).unwrap();
        for packs in [true, false] {
            layout.packs = packs;
            let mut message = MessageWriter::default();
            layout.write(&mut message);
            let bytes = message.finish();
            let mut reader = MessageReader::new(&bytes);
            let read = PackedLayout::read(&mut reader, &plan).unwrap();
            reader.finish().unwrap();
            assert_eq!(format!("{read:?}"), format!("{layout:?}"));
            for end in 0..bytes.len() {
                PackedLayout::read(&mut MessageReader::new(&bytes[..end]), &plan).unwrap_err();
            }
        }
    }
}
