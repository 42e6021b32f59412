//! Packed rows of a row group to its column chunks, without encoded rows between.

use std::ops::Range;

use arrow_buffer::NullBufferBuilder;
use distil_json::{Class, PackedColumn, to_f64, to_i64};
use distil_plan::{Error, Result};
use parquet::schema::types::ColumnDescPtr;

use crate::column_chunk::{ChunkOptions, FlatChunk, Gathered, Marks, Strings, parquet_error};
use crate::row_groups::PackedRowGroup;

impl PackedRowGroup {
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
        let rows = self.rows as usize;
        let mut validity = NullBufferBuilder::new(rows);
        let strings = self.table.strings.get(packed.text).filter(|_| packed.class == Class::Text);
        let mut marks = Marks::new(strings.map_or(0, Strings::len));
        if packed.may_be_null() || strings.is_some() {
            self.each(0..rows, packed, |word| match word {
                Some(word) => {
                    validity.append_non_null();
                    if strings.is_some() {
                        marks.add(word as u32);
                    }
                }
                None => validity.append_null(),
            });
        }
        let validity = validity.finish();
        let gathered = Gathered { column, validity: validity.as_ref(), rows, options };
        let chunk = match packed.class {
            Class::Instant(_) | Class::Integer => {
                gathered.integers(|rows, out| self.gather(rows, packed, out, to_i64))
            }
            Class::Float => gathered.doubles(|rows, out| self.gather(rows, packed, out, to_f64)),
            Class::Boolean => {
                gathered.booleans(|rows, out| self.gather(rows, packed, out, |value| value != 0))
            }
            Class::Text => {
                let strings = strings.ok_or_else(|| Error::bug("a column has no strings"))?;
                gathered.codes(marks, strings, |rows, out| {
                    self.gather(rows, packed, out, |code| code as u32);
                })
            }
            Class::Nothing => return Err(Error::bug("a column of nulls has no packed values")),
        };
        chunk.map_err(parquet_error)
    }

    /// Appends the values of some rows that are not null.
    fn gather<T>(
        &self,
        rows: Range<usize>,
        column: &PackedColumn,
        out: &mut Vec<T>,
        value: impl Fn(u64) -> T,
    ) {
        out.reserve(rows.len());
        self.each(rows, column, |word| out.extend(word.map(&value)));
    }

    /// The values of a column in some rows.
    fn each(&self, rows: Range<usize>, column: &PackedColumn, mut value: impl FnMut(Option<u64>)) {
        let layout = &self.table.layout;
        let first = self.ends.partition_point(|end| *end <= rows.start);
        let mut begin = first.checked_sub(1).map_or(0, |before| self.ends[before]);
        for (span, end) in self.spans[first..].iter().zip(&self.ends[first..]) {
            if begin >= rows.end {
                return;
            }
            let (from, to) = (rows.start.max(begin) - begin, rows.end.min(*end) - begin);
            let words = span.words().unwrap_or_default();
            layout.each(&words[from * layout.words..to * layout.words], column, &mut value);
            begin = *end;
        }
    }
}
