//! Packed rows of a row group to its column chunks, without encoded rows between.

use arrow_buffer::{BooleanBufferBuilder, NullBufferBuilder};
use distil_json::{Class, PackedColumn, to_f64, to_i64};
use distil_plan::{Error, Result};
use parquet::schema::types::ColumnDescPtr;

use crate::column_chunk::{self, ChunkOptions, FlatChunk, Values, parquet_error};
use crate::row_groups::{ReducedRows, RowGroup};
use crate::rows::PackedTable;

/// The rows of a row group, if all of them are packed and may be written as they are.
pub(crate) struct PackedRowGroup<'a> {
    table: &'a PackedTable,
    spans: Vec<&'a [u64]>,
    rows: usize,
}

impl<'a> PackedRowGroup<'a> {
    /// `None` if a row is encoded, or the schema ended with other types.
    pub(crate) fn of(row_group: &'a RowGroup) -> Option<Self> {
        let mut table: Option<&PackedTable> = None;
        let spans = row_group.spans.iter().map(|span| match span.rows.as_ref() {
            ReducedRows::Packed(rows) => {
                table = Some(rows.table());
                rows.words(span.begin, span.end)
            }
            ReducedRows::Encoded { .. } => None,
        });
        let spans = spans.collect::<Option<_>>()?;
        let table = table.filter(|table| table.writable)?;
        Some(Self { table, spans, rows: row_group.rows as usize })
    }

    /// The chunk of the column of this name.
    ///
    /// # Errors
    /// A bug if packed rows have no such column.
    pub(crate) fn encode(
        &self,
        name: &str,
        column: &ColumnDescPtr,
        options: &ChunkOptions,
    ) -> Result<FlatChunk> {
        let layout = &self.table.layout;
        let packed = layout.columns.iter().find(|packed| packed.name == name);
        let packed = packed.ok_or_else(|| Error::bug("a written column is not packed"))?;
        let mut validity = NullBufferBuilder::new(self.rows);
        let booleans;
        let (integers, doubles, codes);
        let values = match packed.class {
            Class::Instant(_) | Class::Integer => {
                integers = self.collect(packed, &mut validity, to_i64);
                Values::Int64(&integers)
            }
            Class::Float => {
                doubles = self.collect(packed, &mut validity, to_f64);
                Values::Float64(&doubles)
            }
            Class::Text => {
                codes = self.collect(packed, &mut validity, |code| code as u32);
                let dictionary = &self.table.strings[packed.text];
                Values::Codes { codes: &codes, dictionary }
            }
            Class::Boolean => {
                let mut builder = BooleanBufferBuilder::new(self.rows);
                for value in self.collect(packed, &mut validity, |value| value != 0) {
                    builder.append(value);
                }
                booleans = builder.finish();
                Values::Boolean(&booleans)
            }
            Class::Nothing => return Err(Error::bug("a column of nulls has no packed values")),
        };
        let validity = validity.finish();
        column_chunk::encode(column, values, validity.as_ref(), self.rows, options)
            .map_err(parquet_error)
    }

    /// The values of a column that are not null.
    fn collect<T>(
        &self,
        column: &PackedColumn,
        validity: &mut NullBufferBuilder,
        value: impl Fn(u64) -> T,
    ) -> Vec<T> {
        let layout = &self.table.layout;
        let mut values = Vec::with_capacity(self.rows);
        for rows in &self.spans {
            layout.each(rows, column, |word| match word {
                Some(word) => {
                    values.push(value(word));
                    validity.append_non_null();
                }
                None => validity.append_null(),
            });
        }
        values
    }
}
