//! What decoding saw of the columns: facts of all of them, which join into a schema.

use distil_plan::{
    ColumnPath, ColumnReading, Error, InputReport, Plan, Repair, RepairCount, Result, Schema,
    TypeNote,
};

use crate::decode::Decoder;
use crate::message::{MessageReader, MessageWriter};
use crate::packed::layout::PackedLayout;
use crate::rows::tally::RecordTally;
use crate::types::facts::{Position, earlier, read_place, write_place};
use crate::types::fields::Fields;
use crate::types::sort_column::SortColumn;
use crate::types::survey::Fix;
use crate::types::why::Why;

/// What decoders saw of the columns; joins with what others saw.
#[derive(Clone, Debug)]
pub struct Seen {
    pub(crate) fields: Fields,
    pub(crate) sort_columns: Vec<SortColumn>,
    /// Counts of accepted records.
    pub tally: RecordTally,
    /// The first record that was bad for nothing but a null in its key.
    pub(crate) null_key: Option<Position>,
}

impl Seen {
    /// Adds what another decoder of the same plan saw.
    pub fn join(&mut self, other: &Self) {
        self.fields.join(&other.fields);
        self.tally.add(&other.tally);
        self.null_key = earlier(self.null_key, other.null_key);
    }

    /// Writes what was seen to a message, which [`Seen::read`] reads in another process.
    pub fn write(&self, message: &mut MessageWriter) {
        let RecordTally { ignored_members, rounded, converted, nulled, repaired } = &self.tally;
        for count in [ignored_members, rounded, converted, nulled] {
            message.number(*count);
        }
        for tally in repaired {
            message.number(tally.count);
            if let Some((input, offset)) = tally.first.filter(|_| tally.count > 0) {
                message.number(u64::from(input));
                message.number(offset);
            }
        }
        write_place(self.null_key, message);
        self.fields.write(message);
    }

    /// Reads what a decoder of the same plan saw elsewhere.
    ///
    /// # Errors
    /// An environment error if the message is broken; a usage error if the plan can't be decoded.
    pub fn read(plan: &Plan, message: &mut MessageReader<'_>) -> Result<Self> {
        let mut seen = Decoder::new(plan)?.finish().0;
        seen.tally.ignored_members = message.number()?;
        seen.tally.rounded = message.number()?;
        seen.tally.converted = message.number()?;
        seen.tally.nulled = message.number()?;
        for tally in &mut seen.tally.repaired {
            tally.count = message.number()?;
            if tally.count > 0 {
                tally.first = Some((message.small()?, message.number()?));
            }
        }
        seen.null_key = read_place(message)?;
        seen.fields.read(message)?;
        Ok(seen)
    }

    /// A layout for records like those seen, where they are alike.
    pub fn layout(&self, plan: &Plan) -> Option<PackedLayout> {
        // Packed rows have no room for where their records lie.
        if plan.origin { None } else { PackedLayout::guess(plan, &self.fields, &self.sort_columns) }
    }

    /// The schema.
    ///
    /// # Errors
    /// An input error if the records do not allow one, or not this key or order.
    pub fn schema(&self) -> Result<Schema> {
        self.fields.resolve(&self.sort_columns)
    }

    /// Checks that the schema has all columns that the plan names outside of key and order.
    ///
    /// # Errors
    /// An input error with the nearest columns.
    pub fn require_chosen(&self, plan: &Plan, schema: &Schema) -> Result<()> {
        let columns = schema.index();
        let nulled = plan.null_text.columns.iter().map(|(path, _)| path);
        let mut chosen = plan.columns.iter().flatten().chain(&plan.sink.bloom).chain(nulled);
        match chosen.find(|path| columns.find(path).is_none()) {
            Some(missing) => Err(self.fields.no_such_column(missing)),
            None => Ok(()),
        }
    }

    /// What was seen up to a place of the input, by ordinal and offset, whatever was read after it.
    #[must_use]
    pub fn up_to(&self, place: (usize, u64)) -> Self {
        let mut seen = self.clone();
        seen.fields.forget_behind(place);
        seen.null_key.take_if(|position| position.is_behind(place));
        seen
    }

    /// The error for a key column that no record had, not even with null: more to the point than
    /// records without a key.
    pub fn missing_key(&self) -> Option<Error> {
        self.null_key?;
        self.sort_columns
            .iter()
            .filter(|part| part.key)
            .find(|part| !self.fields.has(&part.path))
            .map(|part| self.fields.no_such_column(&part.path))
    }

    /// What was mended in records of these inputs.
    pub fn repaired(&self, inputs: &[InputReport]) -> Vec<RepairCount> {
        let tallies = Repair::ALL.into_iter().zip(&self.tally.repaired);
        tallies
            .filter_map(|(repair, tally)| {
                let (input, offset) = tally.first?;
                let path = inputs.get(input as usize)?.path.clone();
                Some(RepairCount { repair, count: tally.count, path, offset })
            })
            .collect()
    }

    /// What was read otherwise than it stands, by column: those of the key first.
    pub fn readings(&self, inputs: &[InputReport]) -> Vec<ColumnReading> {
        self.fields.readings(&self.sort_columns, inputs)
    }

    /// The inferred columns in which the texts that the plan gives without a column stand for null, of
    /// decoders that surveyed.
    pub fn null_text_columns(&self) -> Vec<ColumnPath> {
        self.fields.null_text_columns()
    }

    /// Hints that make columns hold the types of most of their values, of decoders that surveyed.
    pub fn fixes(&self) -> Vec<Fix> {
        self.fields.fixes()
    }

    /// What a user should know of types: order columns whose text decides where numbers would decide
    /// otherwise, and columns whose type is not that of most of their values, because of others.
    pub fn type_notes(&self) -> Vec<TypeNote> {
        let parts = self.sort_columns.iter();
        let ordered =
            parts.filter_map(|part| self.fields.text_order_note(part, &self.sort_columns));
        ordered.chain(self.fields.type_notes()).collect()
    }

    /// Why each column has its type.
    pub fn reasons(&self) -> Vec<Why> {
        self.fields.reasons()
    }
}
