//! Pages of a chunk, and all that its footer says about them.

use std::ops::Range;

use arrow_buffer::NullBuffer;
use bytes::Bytes;
use parquet::basic::{BoundaryOrder, Encoding, PageType};
use parquet::bloom_filter::Sbbf;
use parquet::column::page::{CompressedPage, Page, PageWriteSpec, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::Result;
use parquet::file::metadata::{
    ColumnChunkMetaData, ColumnIndexBuilder, LevelHistogram, OffsetIndexBuilder, PageEncodingStats,
};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

use super::codec::Codec;
use super::leaf::{Bounds, Leaf};
use super::stored_pages::StoredPages;
use super::{ChunkOptions, FlatChunk, bits};

/// Rows of a page. Pages begin at multiples of 8 rows, so that their levels are bytes of the validity.
const PAGE_ROWS: usize = 20_000;
/// Bytes of values of a page, unless they are those of 8 rows.
pub(super) const PAGE_BYTES: usize = 1 << 20;
/// More than the header of a page takes.
const PAGE_HEADER: usize = 64;
/// Share of false hits of a bloom filter.
const FALSE_HITS: f64 = 0.05;

/// Writes a chunk of values that are all there.
pub(super) fn write<L: Leaf>(
    column: &ColumnDescPtr,
    leaf: &L,
    validity: Option<&NullBuffer>,
    rows: usize,
    options: &ChunkOptions,
) -> Result<FlatChunk> {
    let mut writer = ChunkWriter::new::<L>(column, validity, rows, options)?;
    let values = rows - validity.map_or(0, NullBuffer::null_count);
    let mut at = 0;
    while !writer.is_complete() {
        at += writer.page(leaf, at..values)?;
    }
    writer.fill(leaf, 0..values);
    writer.finish(|bounds, nulls| leaf.statistics(bounds, nulls))
}

/// A chunk under way, page after page. Where pages end follows from the rows alone, however the values come.
pub(super) struct ChunkWriter<'c, B> {
    column: &'c ColumnDescPtr,
    validity: Option<&'c NullBuffer>,
    rows: usize,
    options: &'c ChunkOptions,
    codec: Codec,
    pages: StoredPages,
    totals: Totals,
    encodings: Vec<Encoding>,
    page_encodings: Vec<PageEncodingStats>,
    data_offset: i64,
    offsets: OffsetIndexBuilder,
    index: Index<'c, B>,
    filter: Option<Sbbf>,
    /// Rows, values and data pages that are written.
    row: usize,
    value: usize,
    count: i32,
    body: Vec<u8>,
}

impl<'c, B: Clone + PartialOrd> ChunkWriter<'c, B> {
    /// For the values of `rows` rows, of which `validity` says which have one.
    pub(super) fn new<L: Leaf<Bound = B>>(
        column: &'c ColumnDescPtr,
        validity: Option<&'c NullBuffer>,
        rows: usize,
        options: &'c ChunkOptions,
    ) -> Result<Self> {
        let filter = options.bloom_values.map(|values| Sbbf::new_with_ndv_fpp(values, FALSE_HITS));
        Ok(Self {
            column,
            validity,
            rows,
            options,
            codec: Codec::new(options.compression)?,
            pages: StoredPages::new(options.pages.as_ref()),
            totals: Totals::default(),
            encodings: vec![L::ENCODING, Encoding::RLE],
            page_encodings: Vec::new(),
            data_offset: 0,
            offsets: OffsetIndexBuilder::new(),
            index: Index::new(column, L::SHORTENED),
            filter: filter.transpose()?,
            row: 0,
            value: 0,
            count: 0,
            body: Vec::new(),
        })
    }

    /// Writes the dictionary page, before all others.
    pub(super) fn dictionary(&mut self, page: &[u8], values: usize) -> Result<()> {
        let dictionary = Page::DictionaryPage {
            buf: Bytes::copy_from_slice(self.codec.always(page)?),
            num_values: values as u32,
            encoding: Encoding::PLAIN,
            is_sorted: true,
        };
        self.push(dictionary, page.len())?;
        self.data_offset = self.totals.compressed;
        self.encodings.push(Encoding::PLAIN);
        let encoding = page_encoding(PageType::DICTIONARY_PAGE, Encoding::PLAIN, 1);
        self.page_encodings.push(encoding);
        Ok(())
    }

    fn push(&mut self, page: Page, uncompressed: usize) -> Result<PageWriteSpec> {
        let offset = self.pages.bytes();
        let bytes = page.buffer().len() + PAGE_HEADER;
        let mut sink = TrackedWrite::new(Vec::with_capacity(bytes));
        let page = CompressedPage::new(page, uncompressed);
        let mut written = SerializedPageWriter::new(&mut sink).write_page(page)?;
        written.offset = offset;
        self.pages.push(sink.into_inner()?)?;
        self.totals.add(&written);
        Ok(written)
    }

    /// Whether all rows are in pages.
    pub(super) fn is_complete(&self) -> bool {
        self.row >= self.rows
    }

    /// Rows of the next page if it has as many as a page may have.
    pub(super) fn next_rows(&self) -> Range<usize> {
        self.row..self.rows.min(self.row + PAGE_ROWS)
    }

    /// Values of the next page if it has as many rows as a page may have.
    pub(super) fn most_values(&self) -> usize {
        self.values_of(PAGE_ROWS.min(self.rows - self.row))
    }

    /// Values of the next `rows` rows.
    fn values_of(&self, rows: usize) -> usize {
        rows - self.validity.map_or(0, |validity| validity.slice(self.row, rows).null_count())
    }

    /// Writes the next page, of the first of the values `held` of a leaf; returns how many it took.
    /// They have to be all values of the page, or of more bytes than a page may have and 8 at least.
    pub(super) fn page<L: Leaf<Bound = B>>(
        &mut self,
        leaf: &L,
        held: Range<usize>,
    ) -> Result<usize> {
        let (page_rows, page_values) = self.extent(leaf, &held);
        let values = held.start..held.start + page_values;
        let levels = levels(self.column, self.validity, self.row, page_rows);
        self.body.clear();
        leaf.encode(values.clone(), &mut self.body);
        let compressed = self.codec.if_smaller(&self.body)?;
        let uncompressed = levels.len() + self.body.len();
        let nulls = page_rows - page_values;
        let page = Page::DataPageV2 {
            buf: [&levels, compressed.unwrap_or(&self.body)].concat().into(),
            num_values: page_rows as u32,
            encoding: L::ENCODING,
            num_nulls: nulls as u32,
            num_rows: page_rows as u32,
            def_levels_byte_len: levels.len() as u32,
            rep_levels_byte_len: 0,
            is_compressed: compressed.is_some(),
            statistics: None,
        };
        let written = self.push(page, uncompressed)?;
        self.offsets.append_row_count(page_rows as i64);
        self.offsets.append_offset_and_size(written.offset as i64, written.compressed_size as i32);
        let string_bytes = leaf.string_bytes(values.clone());
        self.offsets.append_unencoded_byte_array_data_bytes(string_bytes);
        if let Some(bytes) = string_bytes {
            *self.totals.string_bytes.get_or_insert(0) += bytes;
        }
        self.index.add(leaf, leaf.bounds(values), page_values, nulls);
        self.row += page_rows;
        self.value += page_values;
        self.count += 1;
        Ok(page_values)
    }

    /// Rows and values of the next page.
    fn extent<L: Leaf>(&self, leaf: &L, held: &Range<usize>) -> (usize, usize) {
        let mut page_rows = PAGE_ROWS.min(self.rows - self.row);
        loop {
            let values = self.values_of(page_rows);
            let fits = || {
                // What is not held is more than a page may have.
                values <= held.len()
                    && leaf.page_bytes(held.start..held.start + values) <= PAGE_BYTES
            };
            if page_rows <= 8 || fits() {
                return (page_rows, values);
            }
            page_rows = (page_rows / 16 * 8).max(8);
        }
    }

    /// Adds values to the bloom filter, if one is wanted.
    pub(super) fn fill<L: Leaf>(&mut self, leaf: &L, values: Range<usize>) {
        if let Some(filter) = &mut self.filter {
            leaf.fill(values, filter);
        }
    }

    /// The chunk. `statistics` makes them of bounds and the number of nulls.
    pub(super) fn finish(
        mut self,
        statistics: impl FnOnce(Option<Bounds<B>>, u64) -> Statistics,
    ) -> Result<FlatChunk> {
        let Self { totals, rows, value, .. } = self;
        let data_encoding = self.encodings[0];
        let of_data = page_encoding(PageType::DATA_PAGE_V2, data_encoding, self.count);
        self.page_encodings.push(of_data);
        let nulls = rows - value;
        let metadata = ColumnChunkMetaData::builder(self.column.clone())
            .set_compression(self.options.codec()?)
            .set_encodings(self.encodings)
            .set_page_encoding_stats(self.page_encodings)
            .set_total_compressed_size(totals.compressed)
            .set_total_uncompressed_size(totals.uncompressed)
            .set_num_values(rows as i64)
            .set_data_page_offset(self.data_offset)
            .set_dictionary_page_offset((self.data_offset > 0).then_some(0))
            .set_statistics(statistics(self.index.bounds.take(), nulls as u64))
            .set_unencoded_byte_array_data_bytes(totals.string_bytes)
            .set_definition_level_histogram(histogram(self.column, value, nulls))
            .build()?;
        if let Some(filter) = &mut self.filter {
            filter.fold_to_target_fpp(FALSE_HITS);
        }
        let close = ColumnCloseResult {
            bytes_written: totals.compressed as u64,
            rows_written: rows as u64,
            metadata,
            bloom_filter: self.filter,
            column_index: self.index.finish()?,
            offset_index: Some(self.offsets.build()),
        };
        Ok(FlatChunk { pages: self.pages, close })
    }
}

/// Definition levels of a page: 1 for a value, 0 for null.
fn levels(
    column: &ColumnDescPtr,
    validity: Option<&NullBuffer>,
    row: usize,
    rows: usize,
) -> Vec<u8> {
    let mut levels = Vec::new();
    match validity {
        _ if column.max_def_level() == 0 => {}
        Some(validity) => {
            let bits = validity.inner().slice(row, rows);
            bits::hybrid_bits(&bits.sliced(), rows, &mut levels);
        }
        None => {
            bits::varint((rows as u64) << 1, &mut levels);
            levels.push(1);
        }
    }
    levels
}

fn page_encoding(page_type: PageType, encoding: Encoding, count: i32) -> PageEncodingStats {
    PageEncodingStats { page_type, encoding, count }
}

/// How many values have each definition level.
fn histogram(column: &ColumnDescPtr, values: usize, nulls: usize) -> Option<LevelHistogram> {
    (column.max_def_level() == 1).then(|| vec![nulls as i64, values as i64].into())
}

#[derive(Clone, Copy, Default)]
struct Totals {
    compressed: i64,
    uncompressed: i64,
    string_bytes: Option<i64>,
}

impl Totals {
    fn add(&mut self, page: &PageWriteSpec) {
        self.compressed += page.compressed_size as i64;
        self.uncompressed += page.uncompressed_size as i64;
    }
}

/// The column index under way.
struct Index<'c, B> {
    column: &'c ColumnDescPtr,
    builder: ColumnIndexBuilder,
    shortened: bool,
    bounds: Option<Bounds<B>>,
    last: Option<(Bounds<B>, [Vec<u8>; 2])>,
    ascending: bool,
    descending: bool,
    valid: bool,
}

impl<'c, B: Clone + PartialOrd> Index<'c, B> {
    fn new(column: &'c ColumnDescPtr, shortened: bool) -> Self {
        Self {
            column,
            builder: ColumnIndexBuilder::new(column.physical_type()),
            shortened,
            bounds: None,
            last: None,
            ascending: true,
            descending: true,
            valid: true,
        }
    }

    fn add<L: Leaf<Bound = B>>(
        &mut self,
        leaf: &L,
        bounds: Option<Bounds<B>>,
        values: usize,
        nulls: usize,
    ) {
        let entry =
            bounds.as_ref().map_or_else(Default::default, |bounds| leaf.index_entry(bounds));
        // A page of values without bounds, all of them NaN, can't stand in an index.
        self.valid &= bounds.is_some() || values == 0;
        let [least, greatest] = entry.clone();
        self.builder.append(values == 0, least, greatest, nulls as i64);
        self.builder.append_histograms(&None, &histogram(self.column, values, nulls));
        let Some((least, greatest)) = bounds else { return };
        if let Some(((last_least, last_greatest), last_entry)) = &self.last {
            let (up, down) = (
                !self.shortened || last_entry[0] <= entry[0] && last_entry[1] <= entry[1],
                !self.shortened || last_entry[0] >= entry[0] && last_entry[1] >= entry[1],
            );
            self.ascending &= up && *last_least <= least && *last_greatest <= greatest;
            self.descending &= down && *last_least >= least && *last_greatest >= greatest;
        }
        self.last = Some(((least.clone(), greatest.clone()), entry));
        self.bounds = Some(match self.bounds.take() {
            None => (least, greatest),
            Some((low, high)) => (
                if least < low { least } else { low },
                if greatest > high { greatest } else { high },
            ),
        });
    }

    /// The index; `None` if a page has values but no bounds.
    fn finish(mut self) -> Result<Option<ColumnIndexMetaData>> {
        if !self.valid {
            return Ok(None);
        }
        self.builder.set_boundary_order(match (self.ascending, self.descending) {
            (true, _) => BoundaryOrder::ASCENDING,
            (false, true) => BoundaryOrder::DESCENDING,
            (false, false) => BoundaryOrder::UNORDERED,
        });
        self.builder.build().map(Some)
    }
}
