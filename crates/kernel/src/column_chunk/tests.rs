//! Chunks are read back by the Parquet crate and compared with what went in, bounds included.

use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, Decimal128Builder, StringBuilder};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Float32Array, Float64Array, Int8Array, Int32Array, Int64Array,
    RecordBatch, UInt64Array,
};
use arrow_schema::{DataType, Field, Schema};
use bytes::Bytes;
use distil_plan::Compression;
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};
use parquet::basic::{BoundaryOrder, Encoding};
use parquet::file::metadata::PageIndexPolicy;
use parquet::file::writer::SerializedFileWriter;
use proptest::prelude::*;

use super::{ChunkOptions, FlatChunk, PagesInMemory, Strings, Values, encode};
use crate::encode::flat_column::flat_chunk;

/// A column by itself: how many rows, which are null, what the values are like.
#[derive(Clone, Debug)]
struct Shape {
    rows: usize,
    nulls: Nulls,
    values: Kind,
    compression: Compression,
    seed: u64,
}

#[derive(Clone, Copy, Debug)]
enum Nulls {
    None,
    Some,
    Runs,
    All,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// So many different ones.
    Few(u64),
    /// All different, in order.
    Rising,
    /// All different, most likely.
    Any,
    /// Runs of equal ones.
    Runs,
}

fn shapes() -> impl Strategy<Value = Shape> {
    let rows = prop_oneof![
        4 => 1usize..40,
        2 => 1usize..5_000,
        2 => (0usize..4, 0usize..20).prop_map(|(pages, more)| (20_000 * pages + more).max(10) - 9),
        1 => 65_530usize..65_545,
        1 => 70_000usize..140_000,
    ];
    let nulls =
        prop_oneof![Just(Nulls::None), Just(Nulls::Some), Just(Nulls::Runs), Just(Nulls::All)];
    let values = prop_oneof![
        (1u64..300).prop_map(Kind::Few),
        (300u64..60_000).prop_map(Kind::Few),
        Just(Kind::Rising),
        Just(Kind::Any),
        Just(Kind::Runs),
    ];
    let compression = prop_oneof![
        Just(Compression::None),
        Just(Compression::Snappy),
        Just(Compression::Lz4),
        Just(Compression::Zstd(3)),
    ];
    (rows, nulls, values, compression, any::<u64>()).prop_map(
        |(rows, nulls, values, compression, seed)| Shape { rows, nulls, values, compression, seed },
    )
}

/// A number that looks like any other.
fn mix(seed: u64, at: u64) -> u64 {
    let mut x = seed ^ at.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

impl Shape {
    fn numbers(&self) -> Vec<Option<u64>> {
        (0..self.rows as u64)
            .map(|at| {
                let null = match self.nulls {
                    Nulls::None => false,
                    Nulls::Some => mix(self.seed ^ 1, at).is_multiple_of(3),
                    Nulls::Runs => mix(self.seed ^ 1, at / 700).is_multiple_of(3),
                    Nulls::All => true,
                };
                let value = match self.values {
                    Kind::Few(distinct) => mix(self.seed, mix(self.seed, at) % distinct),
                    Kind::Rising => at * 1000,
                    Kind::Any => mix(self.seed, at),
                    Kind::Runs => mix(self.seed, at / 37),
                };
                (!null).then_some(value)
            })
            .collect()
    }

    fn strings(&self, text: bool) -> Vec<Option<Vec<u8>>> {
        self.numbers().into_iter().map(|value| value.map(|value| string(value, text))).collect()
    }

    fn options(&self) -> ChunkOptions {
        ChunkOptions {
            compression: self.compression,
            bloom_values: self.seed.is_multiple_of(2).then_some(4096),
            pages: Arc::new(PagesInMemory),
        }
    }
}

/// Strings of all lengths: empty, those of a table's slots and around, with long common prefixes, past
/// the length of bounds.
fn string(value: u64, text: bool) -> Vec<u8> {
    let digits = format!("{value:020}").into_bytes();
    match value % 11 {
        0 if value.is_multiple_of(3) => Vec::new(),
        0..3 => digits[digits.len() - 5..].to_vec(),
        3 => digits[digits.len() - 11..].to_vec(),
        4 => digits[digits.len() - 12..].to_vec(),
        5 => [vec![b'x'; 62], digits].concat(),
        6 => ["\u{7f}".repeat(62).as_bytes(), "\u{10ffff}".as_bytes(), &digits].concat(),
        7 if !text => [vec![0xff; 70], digits].concat(),
        8 if !text => [vec![0xff, 0], value.to_le_bytes().to_vec()].concat(),
        9 if value.is_multiple_of(50) => digits.repeat(30),
        _ => digits,
    }
}

fn column_of(data_type: &DataType) -> parquet::schema::types::SchemaDescriptor {
    let schema = Schema::new(vec![Field::new("c", data_type.clone(), true)]);
    ArrowSchemaConverter::new().convert(&schema).unwrap()
}

/// The chunk of an array that comes in slices.
fn collect(array: &ArrayRef, options: ChunkOptions) -> FlatChunk {
    let column = column_of(array.data_type()).column(0);
    let batches = (0..array.len()).step_by(8192);
    let batches = batches.map(|begin| Ok(array.slice(begin, (array.len() - begin).min(8192))));
    flat_chunk(&column, array.len(), &options, batches).unwrap()
}

fn file_of(data_type: &DataType, chunk: FlatChunk) -> Bytes {
    let schema = column_of(data_type);
    let mut file =
        SerializedFileWriter::new(Vec::new(), schema.root_schema_ptr(), Arc::default()).unwrap();
    let mut group = file.next_row_group().unwrap();
    chunk.append_to_row_group(&mut group).unwrap();
    group.close().unwrap();
    file.into_inner().unwrap().into()
}

fn reader(file: &Bytes) -> ParquetRecordBatchReaderBuilder<Bytes> {
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
    ParquetRecordBatchReaderBuilder::try_new_with_options(file.clone(), options).unwrap()
}

fn rows_of(builder: ParquetRecordBatchReaderBuilder<Bytes>) -> Vec<RecordBatch> {
    builder.with_batch_size(1 << 20).build().unwrap().map(Result::unwrap).collect()
}

/// Reads a chunk back, whole and in part, and compares values, bounds and counts.
fn check(array: &ArrayRef, chunk: FlatChunk, shape: &Shape, less: &dyn Fn(usize, usize) -> bool) {
    let file = file_of(array.data_type(), chunk);
    let field = Field::new("c", array.data_type().clone(), true);
    let arrow = Arc::new(Schema::new(vec![field]));

    let batches = rows_of(reader(&file));
    assert_eq!(batches.len(), 1);
    assert_eq!(batches[0].column(0), array);

    // Reading a part goes by the offset index.
    let skip = mix(shape.seed, 99) as usize % array.len();
    let count = (array.len() - skip).div_ceil(3);
    let selection = RowSelection::from(vec![RowSelector::skip(skip), RowSelector::select(count)]);
    let part = rows_of(reader(&file).with_row_selection(selection));
    assert_eq!(part[0].column(0), &array.slice(skip, count));

    let metadata = reader(&file).metadata().clone();
    let group = metadata.row_group(0);
    let nulls = |begin: usize, end: usize| array.slice(begin, end - begin).null_count() as u64;
    assert_eq!(group.num_rows() as usize, array.len());
    assert_eq!(group.column(0).statistics().unwrap().null_count_opt(), Some(nulls(0, array.len())));
    let histogram = group.column(0).definition_level_histogram().unwrap();
    assert_eq!(histogram.values()[0] as u64, nulls(0, array.len()));

    let index = &metadata.column_index().unwrap()[0][0];
    let pages = metadata.offset_index().unwrap()[0][0].page_locations();
    let borders: Vec<usize> =
        (pages.iter().map(|page| page.first_row_index as usize)).chain([array.len()]).collect();
    assert!(borders.iter().rev().skip(1).all(|row| row % 8 == 0));
    let page_nulls: Vec<u64> = borders.windows(2).map(|pair| nulls(pair[0], pair[1])).collect();
    assert_eq!(
        index.null_counts().unwrap().iter().map(|n| *n as u64).collect::<Vec<_>>(),
        page_nulls
    );

    let schema = metadata.file_metadata().schema_descr();
    let converter = StatisticsConverter::try_new("c", &arrow, schema).unwrap();
    let row_counts = converter.data_page_null_counts(
        metadata.column_index().unwrap(),
        metadata.offset_index().unwrap(),
        &[0],
    );
    assert_eq!(row_counts.unwrap(), UInt64Array::from(page_nulls));
    let groups = [group];
    let low = converter.row_group_mins(groups).unwrap();
    let high = converter.row_group_maxes(groups).unwrap();
    check_bounds(array, 0, array.len(), [&low, &high], 0, less);
    let (columns, offsets) = (metadata.column_index().unwrap(), metadata.offset_index().unwrap());
    let low = converter.data_page_mins(columns, offsets, &[0]).unwrap();
    let high = converter.data_page_maxes(columns, offsets, &[0]).unwrap();
    for (at, pair) in borders.windows(2).enumerate() {
        check_bounds(array, pair[0], pair[1], [&low, &high], at, less);
    }
    check_order(index.get_boundary_order().unwrap(), &low, &high);
}

/// Compares one value of an array each.
fn at_most(a: &dyn Array, at: usize, b: &dyn Array, bt: usize) -> bool {
    use arrow_array::cast::AsArray;
    use arrow_array::types::*;
    macro_rules! primitive {
        ($type:ty) => {
            a.as_primitive::<$type>().value(at) <= b.as_primitive::<$type>().value(bt)
        };
    }
    match a.data_type() {
        DataType::Boolean => a.as_boolean().value(at) <= b.as_boolean().value(bt),
        DataType::Int8 => primitive!(Int8Type),
        DataType::Int32 => primitive!(Int32Type),
        DataType::Int64 => primitive!(Int64Type),
        DataType::Float32 => primitive!(Float32Type),
        DataType::Float64 => primitive!(Float64Type),
        DataType::Decimal128(..) => primitive!(Decimal128Type),
        DataType::Utf8 => a.as_string::<i32>().value(at) <= b.as_string::<i32>().value(bt),
        DataType::Binary => a.as_binary::<i32>().value(at) <= b.as_binary::<i32>().value(bt),
        other => panic!("{other}"),
    }
}

/// Bounds enclose the values, and are values unless these are long.
fn check_bounds(
    array: &ArrayRef,
    begin: usize,
    end: usize,
    [low, high]: [&ArrayRef; 2],
    at: usize,
    less: &dyn Fn(usize, usize) -> bool,
) {
    let rows: Vec<usize> = (begin..end).filter(|row| array.is_valid(*row)).collect();
    let Some(first) = rows.first() else {
        assert!(low.is_null(at) && high.is_null(at));
        return;
    };
    let least = rows.iter().fold(*first, |a, b| if less(*b, a) { *b } else { a });
    let greatest = rows.iter().fold(*first, |a, b| if less(a, *b) { *b } else { a });
    assert!(at_most(low, at, array, least), "row {least} is below the bound");
    assert!(at_most(array, greatest, high, at), "row {greatest} is above the bound");
    let short = |row: usize| {
        use arrow_array::cast::AsArray;
        match array.data_type() {
            DataType::Utf8 => array.as_string::<i32>().value(row).len() <= 64,
            DataType::Binary => array.as_binary::<i32>().value(row).len() <= 64,
            _ => true,
        }
    };
    assert!(!short(least) || at_most(array, least, low, at), "the lower bound is loose");
    assert!(!short(greatest) || at_most(high, at, array, greatest), "the upper bound is loose");
}

fn check_order(order: BoundaryOrder, low: &ArrayRef, high: &ArrayRef) {
    let pages: Vec<usize> = (0..low.len()).filter(|page| low.is_valid(*page)).collect();
    let sorted = |bounds: &ArrayRef, up: bool| {
        pages.windows(2).all(|pair| {
            let (a, b) = if up { (pair[0], pair[1]) } else { (pair[1], pair[0]) };
            at_most(bounds, a, bounds, b)
        })
    };
    let both = |up| sorted(low, up) && sorted(high, up);
    match order {
        BoundaryOrder::ASCENDING => assert!(both(true)),
        BoundaryOrder::DESCENDING => assert!(both(false)),
        BoundaryOrder::UNORDERED => assert!(!both(true) && !both(false)),
    }
}

fn same(a: &mut FlatChunk, b: &mut FlatChunk) {
    assert_eq!(a.pages.copy().unwrap(), b.pages.copy().unwrap());
    assert_eq!(format!("{:?}", a.close), format!("{:?}", b.close));
}

fn number_arrays(shape: &Shape) -> Vec<ArrayRef> {
    let numbers = shape.numbers();
    let narrow = |bits: u32| numbers.iter().map(move |n| n.map(|n| n as i64 >> (64 - bits)));
    let mut decimals = Decimal128Builder::new().with_data_type(DataType::Decimal128(38, 4));
    let mut short = Decimal128Builder::new().with_data_type(DataType::Decimal128(9, 2));
    let mut middle = Decimal128Builder::new().with_data_type(DataType::Decimal128(18, 2));
    for number in &numbers {
        decimals.append_option(number.map(|n| i128::from(n as i64) * 1_000_000_007));
        short.append_option(number.map(|n| i128::from(n as i64 % 1_000_000_000)));
        middle.append_option(number.map(|n| i128::from(n as i64 / 10)));
    }
    vec![
        Arc::new(narrow(1).map(|n| n.map(|n| n < 0)).collect::<BooleanArray>()),
        Arc::new(narrow(8).map(|n| n.map(|n| n as i8)).collect::<Int8Array>()),
        Arc::new(narrow(32).map(|n| n.map(|n| n as i32)).collect::<Int32Array>()),
        Arc::new(narrow(64).collect::<Int64Array>()),
        Arc::new(narrow(40).map(|n| n.map(|n| n as f32 / 8.0)).collect::<Float32Array>()),
        Arc::new(narrow(3).map(|n| n.map(|n| n as f64 * -0.0)).collect::<Float64Array>()),
        Arc::new(narrow(64).map(|n| n.map(|n| n as f64 / 3.0)).collect::<Float64Array>()),
        Arc::new(decimals.finish()),
        Arc::new(short.finish()),
        Arc::new(middle.finish()),
    ]
}

fn string_array(strings: &[Option<Vec<u8>>], text: bool) -> ArrayRef {
    if text {
        let mut builder = StringBuilder::new();
        strings
            .iter()
            .for_each(|s| builder.append_option(s.as_ref().map(|s| str::from_utf8(s).unwrap())));
        Arc::new(builder.finish())
    } else {
        let mut builder = BinaryBuilder::new();
        strings.iter().for_each(|s| builder.append_option(s.as_ref()));
        Arc::new(builder.finish())
    }
}

/// Chunks of the same strings, however they come.
fn string_chunks(
    array: &ArrayRef,
    strings: &[Option<Vec<u8>>],
    options: ChunkOptions,
) -> [FlatChunk; 2] {
    let column = column_of(array.data_type()).column(0);
    let mut sorted: Vec<&[u8]> = strings.iter().flatten().map(Vec::as_slice).collect();
    // Values that no row has.
    let extra: Vec<Vec<u8>> = (0..500).map(|at| string(mix(3, at), false)).collect();
    sorted.extend(extra.iter().map(Vec::as_slice));
    sorted.sort();
    sorted.dedup();
    let present = strings.iter().flatten().map(Vec::as_slice);
    let codes: Vec<u32> = present.map(|s| sorted.binary_search(&s).unwrap() as u32).collect();
    let dictionary: Strings = sorted.into_iter().collect();
    let values = Values::Codes { codes: &codes, dictionary: &dictionary };
    let coded = encode(&column, values, array.nulls(), array.len(), &options).unwrap();
    [collect(array, options), coded]
}

#[allow(clippy::disallowed_methods, reason = "long sweeps are asked for by the environment")]
fn cases() -> ProptestConfig {
    let cases = std::env::var("DISTIL_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig::with_cases(cases.unwrap_or(40))
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn numbers_come_back(shape in shapes()) {
        for array in number_arrays(&shape) {
            let mut chunk = collect(&array, shape.options());
            same(&mut chunk, &mut collect(&array, shape.options()));
            check(&array, chunk, &shape, &|a, b| !at_most(&array, b, &array, a));
        }
    }

    #[test]
    fn strings_come_back_and_are_equal_however_they_come(shape in shapes(), text: bool) {
        let strings = shape.strings(text);
        let array = string_array(&strings, text);
        let [mut collected, mut coded] = string_chunks(&array, &strings, shape.options());
        same(&mut collected, &mut coded);
        if let Some(filter) = &collected.close.bloom_filter {
            prop_assert!(strings.iter().flatten().all(|string| filter.check(string.as_slice())));
        }
        check(&array, collected, &shape, &|a, b| strings[a] < strings[b]);
    }
}

fn encodings(strings: &[Option<Vec<u8>>]) -> Vec<Encoding> {
    let array = string_array(strings, true);
    let options = ChunkOptions {
        compression: Compression::Snappy,
        bloom_values: None,
        pages: Arc::new(PagesInMemory),
    };
    let [mut collected, mut coded] = string_chunks(&array, strings, options);
    same(&mut collected, &mut coded);
    collected.close.metadata.encodings().collect()
}

fn spelled(numbers: impl Iterator<Item = usize>, width: usize) -> Vec<Option<Vec<u8>>> {
    numbers.map(|number| Some(format!("{number:0width$}").into_bytes())).collect()
}

#[test]
fn a_dictionary_is_made_where_it_pays() {
    let has = |strings: &[_]| encodings(strings).contains(&Encoding::RLE_DICTIONARY);
    // Half of the values may be distinct.
    assert!(has(&spelled((0..1000).map(|n| n % 500), 3)));
    assert!(!has(&spelled((0..1000).map(|n| n % 501), 3)));
    // 4 MiB: 128 bytes each with the length.
    assert!(has(&spelled((0..131_072).map(|n| n % 32_768), 124)));
    assert!(!has(&spelled((0..131_072).map(|n| n % 32_768), 125)));
    // The first 64 Ki tell by themselves.
    assert!(has(&spelled((0..200_000).map(|n| n % 61_440), 6)));
    assert!(!has(&spelled((0..200_000).map(|n| n % 61_441), 6)));
}

#[test]
fn pages_of_long_strings_are_short() {
    let strings: Vec<_> =
        (0..100u8).map(|at| Some(vec![b'a' + at % 26; 200_000 + usize::from(at)])).collect();
    let array = string_array(&strings, true);
    let options = ChunkOptions {
        compression: Compression::Zstd(1),
        bloom_values: None,
        pages: Arc::new(PagesInMemory),
    };
    let chunk = collect(&array, options);
    assert!(chunk.close.offset_index.as_ref().unwrap().page_locations.len() > 10);
    let shape = Shape {
        rows: 100,
        nulls: Nulls::None,
        values: Kind::Any,
        compression: Compression::None,
        seed: 1,
    };
    check(&array, chunk, &shape, &|a, b| strings[a] < strings[b]);
}

#[test]
fn values_that_are_no_numbers_have_no_bounds() {
    let array: ArrayRef = Arc::new(Float64Array::from(vec![f64::NAN, 1.0, -2.0]));
    let options = ChunkOptions {
        compression: Compression::None,
        bloom_values: None,
        pages: Arc::new(PagesInMemory),
    };
    let chunk = collect(&array, options.clone());
    let statistics = chunk.close.metadata.statistics().unwrap();
    assert_eq!(statistics.min_bytes_opt(), Some((-2f64).to_le_bytes().as_slice()));
    let array: ArrayRef = Arc::new(Float64Array::from(vec![f64::NAN; 3]));
    let chunk = collect(&array, options);
    assert!(chunk.close.column_index.is_none());
    assert_eq!(chunk.close.metadata.statistics().unwrap().min_bytes_opt(), None);
}
