//! Pages of a chunk, and all that its footer says about them.

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
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

use super::codec::Codec;
use super::leaf::{Bounds, Leaf};
use super::{ChunkOptions, FlatChunk, bits};

/// Rows of a page. Pages begin at multiples of 8 rows, so that their levels are bytes of the validity.
const PAGE_ROWS: usize = 20_000;
/// Bytes of values of a page, unless they are those of 8 rows.
const PAGE_BYTES: usize = 1 << 20;

/// Writes a chunk; `dictionary` is the content of its dictionary page and the number of values there.
pub(super) fn write<L: Leaf>(
    column: &ColumnDescPtr,
    leaf: &L,
    dictionary: Option<(Vec<u8>, usize)>,
    validity: Option<&NullBuffer>,
    rows: usize,
    options: &ChunkOptions,
) -> Result<FlatChunk> {
    let mut codec = Codec::new(options.compression)?;
    let mut sink = TrackedWrite::new(Vec::new());
    let mut pages = SerializedPageWriter::new(&mut sink);
    let mut totals = Totals::default();
    let mut encodings = vec![L::ENCODING, Encoding::RLE];
    let mut page_encodings = Vec::new();
    if let Some((page, values)) = dictionary {
        let written = pages.write_page(CompressedPage::new(
            Page::DictionaryPage {
                buf: Bytes::copy_from_slice(codec.always(&page)?),
                num_values: values as u32,
                encoding: Encoding::PLAIN,
                is_sorted: true,
            },
            page.len(),
        ))?;
        totals.add(&written);
        encodings.push(Encoding::PLAIN);
        page_encodings.push(page_encoding(PageType::DICTIONARY_PAGE, Encoding::PLAIN, 1));
    }
    let data_offset = totals.compressed;

    let mut offsets = OffsetIndexBuilder::new();
    let mut index = Index::new(column, L::SHORTENED);
    let (mut row, mut value, mut count) = (0, 0, 0);
    let mut body = Vec::new();
    while row < rows {
        let (page_rows, page_values) = extent(leaf, validity, row, rows, value);
        let levels = levels(column, validity, row, page_rows);
        let values = value..value + page_values;
        body.clear();
        leaf.encode(values.clone(), &mut body);
        let compressed = codec.if_smaller(&body)?;
        let uncompressed = levels.len() + body.len();
        let nulls = page_rows - page_values;
        let page = Page::DataPageV2 {
            buf: [&levels, compressed.unwrap_or(&body)].concat().into(),
            num_values: page_rows as u32,
            encoding: L::ENCODING,
            num_nulls: nulls as u32,
            num_rows: page_rows as u32,
            def_levels_byte_len: levels.len() as u32,
            rep_levels_byte_len: 0,
            is_compressed: compressed.is_some(),
            statistics: None,
        };
        let written = pages.write_page(CompressedPage::new(page, uncompressed))?;
        totals.add(&written);
        offsets.append_row_count(page_rows as i64);
        offsets.append_offset_and_size(written.offset as i64, written.compressed_size as i32);
        let string_bytes = leaf.string_bytes(values.clone());
        offsets.append_unencoded_byte_array_data_bytes(string_bytes);
        if let Some(bytes) = string_bytes {
            *totals.string_bytes.get_or_insert(0) += bytes;
        }
        index.add(leaf, leaf.bounds(values), page_values, nulls);
        row += page_rows;
        value += page_values;
        count += 1;
    }
    page_encodings.push(page_encoding(PageType::DATA_PAGE_V2, L::ENCODING, count));

    let nulls = rows - value;
    let metadata = ColumnChunkMetaData::builder(column.clone())
        .set_compression(options.codec()?)
        .set_encodings(encodings)
        .set_page_encoding_stats(page_encodings)
        .set_total_compressed_size(totals.compressed)
        .set_total_uncompressed_size(totals.uncompressed)
        .set_num_values(rows as i64)
        .set_data_page_offset(data_offset)
        .set_dictionary_page_offset((data_offset > 0).then_some(0))
        .set_statistics(leaf.statistics(index.bounds, nulls as u64))
        .set_unencoded_byte_array_data_bytes(totals.string_bytes)
        .set_definition_level_histogram(histogram(column, value, nulls))
        .build()?;
    let close = ColumnCloseResult {
        bytes_written: totals.compressed as u64,
        rows_written: rows as u64,
        metadata,
        bloom_filter: options.bloom_values.map(|values| bloom(leaf, values)).transpose()?,
        column_index: index.finish()?,
        offset_index: Some(offsets.build()),
    };
    Ok(FlatChunk { bytes: sink.into_inner()?.into(), close })
}

/// Rows and values of the page that begins at a row and a value.
fn extent<L: Leaf>(
    leaf: &L,
    validity: Option<&NullBuffer>,
    row: usize,
    rows: usize,
    value: usize,
) -> (usize, usize) {
    let mut page_rows = PAGE_ROWS.min(rows - row);
    loop {
        let nulls = validity.map_or(0, |validity| validity.slice(row, page_rows).null_count());
        let values = page_rows - nulls;
        if page_rows <= 8 || leaf.page_bytes(value..value + values) <= PAGE_BYTES {
            return (page_rows, values);
        }
        page_rows = (page_rows / 16 * 8).max(8);
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

fn bloom<L: Leaf>(leaf: &L, values: u64) -> Result<Sbbf> {
    /// Share of false hits.
    const FALSE: f64 = 0.05;
    let mut filter = Sbbf::new_with_ndv_fpp(values, FALSE)?;
    leaf.fill(&mut filter);
    filter.fold_to_target_fpp(FALSE);
    Ok(filter)
}

#[derive(Default)]
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

impl<'c, B: Copy + PartialOrd> Index<'c, B> {
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
        let entry = bounds.map_or_else(Default::default, |bounds| leaf.index_entry(bounds));
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
        self.last = Some(((least, greatest), entry));
        self.bounds = Some(self.bounds.map_or((least, greatest), |(low, high)| {
            (if least < low { least } else { low }, if greatest > high { greatest } else { high })
        }));
    }

    /// The index; none if a page has values but no bounds.
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
