//! Outputs read back: digest, head, verify.

#![allow(clippy::unwrap_used, reason = "a test helper outside of a test function may panic, too")]

use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{Int64Builder, ListBuilder, StringDictionaryBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array,
    Float64Array, Int8Array, Int64Array, LargeStringArray, NullArray, RecordBatch, StringArray,
    StringViewArray, StructArray, TimestampMicrosecondArray, TimestampMillisecondArray,
    TimestampNanosecondArray, TimestampSecondArray, UInt64Array,
};
use arrow_schema::{DataType, Field};
use distil_json::digest::Digest;
use distil_kernel::arrow::digest_batches;
use distil_output::digest::digest_output;
use distil_output::footer::Footer;
use distil_output::head::head;
use distil_output::reader::PartFile;
use distil_output::verify::{Aspect, Verified, verify};
use distil_plan::{ColumnPath, Dedup, Error, Fault, Report, Result, Schema, Status};
use distil_storage::{Known, Memory};
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use xxhash_rust::xxh3::xxh3_128;

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true)))
        .unwrap()
}

fn digest_of(columns: Vec<(&str, ArrayRef)>) -> Digest {
    digest_batches([&batch(columns)]).unwrap()
}

fn strings(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn ints(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

/// Little-endian, eight bytes: a length or a count.
fn n(count: u64) -> [u8; 8] {
    count.to_le_bytes()
}

#[test]
fn the_digest_is_the_sum_of_the_hashes_of_rows_written_byte_by_byte() {
    let elements = {
        let mut list = ListBuilder::new(Int64Builder::new());
        list.append_value([Some(7), None]);
        list.append_null();
        Arc::new(list.finish()) as ArrayRef
    };
    let inner = StructArray::from(vec![
        (Arc::new(Field::new("z", DataType::Int64, true)), ints(&[100, 0])),
        (Arc::new(Field::new("a", DataType::Utf8, true)), {
            Arc::new(StringArray::from(vec![None, Some("é")])) as ArrayRef
        }),
    ]);
    let found = digest_of(vec![
        ("ts", Arc::new(TimestampMillisecondArray::from(vec![Some(-1), None])) as ArrayRef),
        ("s", Arc::new(inner)),
        ("l", elements),
        ("f", Arc::new(Float64Array::from(vec![-12.5, -0.0]))),
        ("d", Arc::new(Date32Array::from(vec![None, Some(-2)]))),
        ("B", Arc::new(BinaryArray::from(vec![&b"\x00\xff"[..], b""]))),
        ("b", Arc::new(BooleanArray::from(vec![true, false]))),
    ]);
    let parts: &[&[u8]] = &[
        &n(6),
        &n(1),
        b"B",
        b"\x09",
        &n(2),
        b"\x00\xff",
        &n(1),
        b"b",
        b"\x02",
        &n(1),
        b"f",
        b"\x03\x02",
        &2i64.to_le_bytes(),
        &n(3),
        b"125",
        &n(1),
        b"l",
        b"\x05",
        &n(2),
        b"\x03\x01",
        &1i64.to_le_bytes(),
        &n(1),
        b"7",
        b"\x00",
        &n(1),
        b"s",
        b"\x06",
        &n(1),
        &n(1),
        b"z",
        b"\x03\x01",
        &3i64.to_le_bytes(),
        &n(1),
        b"1",
        &n(2),
        b"ts",
        b"\x07",
        &(-1_000_000i128).to_le_bytes(),
    ];
    let first = parts.concat();
    let parts: &[&[u8]] = &[
        &n(5),
        &n(1),
        b"B",
        b"\x09",
        &n(0),
        &n(1),
        b"b",
        b"\x01",
        &n(1),
        b"d",
        b"\x08",
        &(-2i32).to_le_bytes(),
        &n(1),
        b"f",
        b"\x03\x00",
        &n(1),
        b"s",
        b"\x06",
        &n(2),
        &n(1),
        b"a",
        b"\x04",
        &n(2),
        "é".as_bytes(),
        &n(1),
        b"z",
        b"\x03\x00",
    ];
    let second = parts.concat();
    assert_eq!(found, Digest(xxh3_128(&first).wrapping_add(xxh3_128(&second))));
    assert_eq!(digest_batches([]).unwrap().to_string(), format!("xxh3-128-sum:{:032x}", 0));
}

#[test]
fn equal_values_have_equal_digests_whatever_types_order_and_batches_hold_them() {
    let text = ["a", "b", "a"];
    let seconds = [1_i64, 2, 3];
    let reference = digest_of(vec![
        ("n", ints(&[5, 120, -3])),
        ("t", strings(&text)),
        ("u", Arc::new(TimestampSecondArray::from(seconds.to_vec()))),
    ]);
    let mut dictionary = StringDictionaryBuilder::<Int32Type>::new();
    dictionary.extend(text.map(Some));
    let numbers: Vec<ArrayRef> = vec![
        Arc::new(Int8Array::from(vec![5, 120, -3])),
        Arc::new(Float32Array::from(vec![5.0, 120.0, -3.0])),
        Arc::new(Float64Array::from(vec![5.0, 120.0, -3.0])),
        Arc::new(
            Decimal128Array::from(vec![500, 12000, -300]).with_precision_and_scale(38, 2).unwrap(),
        ),
    ];
    let texts: Vec<ArrayRef> = vec![
        Arc::new(LargeStringArray::from(text.to_vec())),
        Arc::new(StringViewArray::from(text.to_vec())),
        Arc::new(dictionary.finish()),
        strings(&text),
    ];
    let scaled = |factor: i64| seconds.iter().map(|s| s * factor).collect::<Vec<_>>();
    let times: Vec<ArrayRef> = vec![
        Arc::new(TimestampMillisecondArray::from(scaled(1_000)).with_timezone("UTC")),
        Arc::new(TimestampMicrosecondArray::from(scaled(1_000_000))),
        Arc::new(TimestampNanosecondArray::from(scaled(1_000_000_000)).with_timezone("+00:00")),
        Arc::new(TimestampSecondArray::from(seconds.to_vec()).with_timezone("UTC")),
    ];
    for ((number, text), time) in numbers.into_iter().zip(texts).zip(times) {
        let nothing = Arc::new(NullArray::new(3)) as ArrayRef;
        let all = batch(vec![("u", time), ("none", nothing), ("t", text), ("n", number)]);
        assert_eq!(digest_batches([&all]).unwrap(), reference, "{:?}", all.schema());
        let (first, rest) = (all.slice(0, 1), all.slice(1, 2));
        assert_eq!(digest_batches([&rest, &first]).unwrap(), reference);
    }
    assert_eq!(
        digest_of(vec![("n", Arc::new(UInt64Array::from(vec![u64::MAX])))]),
        digest_of(vec![(
            "n",
            Arc::new(
                Decimal128Array::from(vec![i128::from(u64::MAX)])
                    .with_precision_and_scale(20, 0)
                    .unwrap()
            )
        )])
    );
    // Another value, another column, a copy more: another digest.
    assert_ne!(digest_of(vec![("n", ints(&[1]))]), digest_of(vec![("n", ints(&[2]))]));
    assert_ne!(digest_of(vec![("n", ints(&[1]))]), digest_of(vec![("m", ints(&[1]))]));
    assert_ne!(digest_of(vec![("n", ints(&[1]))]), digest_of(vec![("n", ints(&[1, 1]))]));
    assert_ne!(digest_of(vec![("n", ints(&[1]))]), digest_of(vec![("n", strings(&["1"]))]));
}

#[test]
fn lists_and_structs_of_a_slice_are_read_at_their_own_rows() {
    let mut list = ListBuilder::new(Int64Builder::new());
    for row in 0..4 {
        list.append_value((0..row).map(Some));
    }
    let list = Arc::new(list.finish()) as ArrayRef;
    let nested =
        StructArray::from(vec![(Arc::new(Field::new("l", list.data_type().clone(), true)), list)]);
    let all = batch(vec![("s", Arc::new(nested) as ArrayRef)]);
    let rows: Vec<Digest> =
        (0..4).map(|row| digest_batches([&all.slice(row, 1)]).unwrap()).collect();
    let sum = rows.iter().fold(0u128, |sum, digest| sum.wrapping_add(digest.0));
    assert_eq!(digest_batches([&all]).unwrap(), Digest(sum));
    let large = arrow_cast::cast(
        all.column(0).as_struct().column(0),
        &DataType::LargeList(Arc::new(Field::new("item", DataType::Int64, true))),
    )
    .unwrap();
    let field = Arc::new(Field::new("l", large.data_type().clone(), true));
    let large = batch(vec![("s", Arc::new(StructArray::from(vec![(field, large)])) as ArrayRef)]);
    assert_eq!(
        digest_batches([&large.slice(2, 2)]).unwrap(),
        digest_batches([&all.slice(2, 2)]).unwrap()
    );
}

#[test]
fn values_that_are_no_json_have_no_digest() {
    let nan = batch(vec![("x", Arc::new(Float64Array::from(vec![f64::NAN])) as ArrayRef)]);
    assert!(digest_batches([&nan]).unwrap_err().what.contains("NaN"));
    let time = arrow_array::Time32SecondArray::from(vec![1]);
    let error = digest_batches([&batch(vec![("x", Arc::new(time) as ArrayRef)])]).unwrap_err();
    assert_eq!(error.details, ["in the column x"]);
}

/// Writes a Parquet file with a footer of distil's.
fn put(memory: &Memory, path: &str, rows: &RecordBatch, footer: Option<&Footer>) {
    let pairs = footer.map(|footer| footer.to_pairs().unwrap());
    let pairs = pairs.map(|p| p.into_iter().map(|(k, v)| KeyValue::new(k, v)).collect());
    let properties = WriterProperties::builder().set_key_value_metadata(pairs).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), rows.schema(), Some(properties)).unwrap();
    writer.write(rows).unwrap();
    memory.put(path, writer.into_inner().unwrap());
}

fn footer(schema: &str, key: &str) -> Footer {
    let dedup = match key {
        "" => None,
        "*" => Some(Dedup::on_record()),
        key => Some(Dedup::on_columns(ColumnPath::parse_list(key).unwrap())),
    };
    Footer {
        schema: Schema::parse(schema).unwrap(),
        dedup,
        selected: false,
        rows: None,
        digest: None,
        origin: false,
    }
}

fn events(ts: &[i64], id: &[&str]) -> RecordBatch {
    let ts = TimestampMillisecondArray::from(ts.to_vec()).with_timezone("UTC");
    batch(vec![("ts", Arc::new(ts) as ArrayRef), ("id", strings(id))])
}

const EVENTS: &str = "ts timestamp(ms), id string";

fn verified(memory: &Memory, path: &str, reference: Option<&str>) -> Result<Verified> {
    verify(memory, Path::new(path), reference.map(Path::new))
}

fn not_checked(found: &Verified) -> Vec<Aspect> {
    found.checks.iter().filter(|check| !check.done).map(|check| check.aspect).collect()
}

fn refused(memory: &Memory, path: &str, reference: Option<&str>) -> Error {
    let error = verified(memory, path, reference).unwrap_err();
    assert_eq!(error.fault, Fault::Input, "{error}");
    error
}

#[test]
fn an_output_of_parts_is_verified_across_them_and_its_digests_add_up() {
    let memory = Memory::new();
    let (a, b) = (events(&[1, 2], &["x", "a"]), events(&[3], &["b"]));
    let recorded = |rows: &RecordBatch| Footer {
        rows: Some(rows.num_rows() as u64),
        digest: Some(digest_batches([rows]).unwrap()),
        origin: false,
        ..footer(EVENTS, "ts")
    };
    put(&memory, "out/part-00000.parquet", &a, Some(&recorded(&a)));
    put(&memory, "out/part-00001.parquet", &b, Some(&recorded(&b)));
    let found = verified(&memory, "out", None).unwrap();
    assert_eq!((found.files, found.rows), (2, 3));
    assert_eq!(found.digest, digest_batches([&a, &b]).unwrap());
    assert_eq!(digest_output(&memory, Path::new("out")).unwrap(), (found.digest, 3));
    let checks: Vec<(Aspect, bool, &str)> =
        found.checks.iter().map(|check| (check.aspect, check.done, check.how.as_str())).collect();
    assert_eq!(
        checks,
        [
            (Aspect::Columns, true, "2, as the footer says"),
            (Aspect::Rows, true, "as many as the footer says"),
            (Aspect::Order, true, "ascending by the key"),
            (Aspect::Keys, true, "every key is there once"),
            (Aspect::Values, true, "the recorded digests of all 2 files hold"),
        ]
    );
    // One file without a digest: the values are not all known to be right.
    put(&memory, "out/part-00001.parquet", &b, Some(&footer(EVENTS, "ts")));
    let found = verified(&memory, "out", None).unwrap();
    assert_eq!(not_checked(&found), [Aspect::Values]);
    assert!(!found.is_complete());
    // The key of the second file's first row repeats, or comes earlier.
    for (ts, what) in [(2, "row 0 has the key of the row before"), (1, "row 0 stands behind")] {
        let wrong = events(&[ts], &["b"]);
        put(&memory, "out/part-00001.parquet", &wrong, Some(&recorded(&wrong)));
        let error = refused(&memory, "out", None);
        assert!(
            error.to_string().starts_with(&format!("out/part-00001.parquet: {what}")),
            "{error}"
        );
    }
    let other = Footer { digest: Some(Digest(1)), ..recorded(&b) };
    put(&memory, "out/part-00001.parquet", &b, Some(&other));
    assert!(
        refused(&memory, "out", None)
            .what
            .ends_with("the footer says xxh3-128-sum:00000000000000000000000000000001")
    );
    let other = Footer { rows: Some(2), ..recorded(&b) };
    put(&memory, "out/part-00001.parquet", &b, Some(&other));
    assert!(refused(&memory, "out", None).what.contains("has 1 rows, but distil's footer says 2"));
    put(&memory, "out/part-00001.parquet", &b, Some(&footer(EVENTS, "id")));
    assert!(
        refused(&memory, "out", None).what.contains("footers of the files of one output differ")
    );
    put(&memory, "out/part-00001.parquet", &b, None);
    assert!(refused(&memory, "out", None).what.contains("not written by distil"));
    assert_eq!(digest_output(&memory, Path::new("out")).unwrap().1, 3);
}

#[test]
fn the_columns_of_a_file_must_be_those_of_its_footer() {
    let memory = Memory::new();
    for (schema, what) in [
        (
            "ts timestamp(us), id string",
            "the column ts is Timestamp(ms, \"UTC\"), not timestamp(us, UTC)",
        ),
        ("id string, ts timestamp(ms)", "the column ts is named id there"),
        ("ts timestamp(ms)", "it names 1 columns, the file has 2"),
        ("ts timestamp(ms), id binary", "the column id is Utf8, not binary"),
    ] {
        put(&memory, "o.parquet", &events(&[1], &["a"]), Some(&footer(schema, "")));
        let error = refused(&memory, "o.parquet", None);
        assert!(error.what.ends_with(what), "{error}");
    }
}

#[test]
fn order_follows_the_semantics_for_composite_keys_nulls_and_whole_records() {
    let memory = Memory::new();
    let nullable = |values: Vec<Option<i64>>| Arc::new(Int64Array::from(values)) as ArrayRef;
    let check = |columns: Vec<(&str, ArrayRef)>, schema: &str, key: &str| {
        put(&memory, "o.parquet", &batch(columns), Some(&footer(schema, key)));
        verified(&memory, "o.parquet", None).is_ok()
    };
    let two = |a, b| vec![("a", nullable(a)), ("b", nullable(b))];
    let schema = "a int64, b int64";
    let (ones, rising) = (vec![Some(1); 3], vec![Some(1), Some(2), None]);
    assert!(check(two(ones.clone(), rising.clone()), schema, "a, b"));
    assert!(check(two(rising.clone(), ones.clone()), schema, "a, b"));
    assert!(!check(two(ones.clone(), ones.clone()), schema, "a, b"));
    assert!(!check(two(ones.clone(), vec![None, Some(1), Some(2)]), schema, "a, b"));
    assert!(!check(two(vec![None, None, None], ones.clone()), schema, "a"));
    assert!(check(two(ones.clone(), rising.clone()), schema, "*"));
    assert!(!check(two(ones.clone(), ones.clone()), schema, "*"));
    assert!(check(two(ones.clone(), ones.clone()), schema, ""));
    assert!(!check(two(ones, vec![Some(2), Some(1), None]), schema, ""));
    // Chosen columns need not be in order, nor differ: the others decided.
    for key in ["*", ""] {
        let chosen = Footer { selected: true, ..footer(schema, key) };
        let rows = batch(two(vec![Some(2), Some(1), Some(1)], vec![None; 3]));
        put(&memory, "o.parquet", &rows, Some(&chosen));
        let found = verified(&memory, "o.parquet", None).unwrap();
        assert_eq!(not_checked(&found), [Aspect::Order, Aspect::Keys, Aspect::Values]);
    }
    // By name, not by place; numbers in `json` by value, before strings.
    let values = strings(&["9", "10", "\"1\"", "[1]"]);
    let z = ints(&[4, 3, 2, 1]);
    assert!(check(vec![("z", z.clone()), ("a", values.clone())], "z int64, a json", "*"));
    assert!(!check(vec![("z", z), ("a", values)], "z int64, a string", "*"));
    // The key may lie inside a struct, or not be written at all.
    let nested =
        StructArray::from(vec![(Arc::new(Field::new("k", DataType::Int64, true)), ints(&[2, 1]))]);
    let nested = vec![("s", Arc::new(nested) as ArrayRef)];
    assert!(!check(nested.clone(), "s struct<k: int64>", "s.k"));
    assert!(check(nested, "s struct<k: int64>", "gone"));
}

#[test]
fn an_output_is_compared_with_an_output_a_report_or_an_answer() {
    let memory = Memory::new();
    let rows = events(&[1, 2], &["x", "a"]);
    put(&memory, "o.parquet", &rows, Some(&footer(EVENTS, "ts")));
    let digest = digest_batches([&rows]).unwrap();
    let last = |reference| {
        verified(&memory, "o.parquet", Some(reference)).map(|found| {
            let values = found.checks.last().unwrap();
            assert_eq!(values.done, not_checked(&found).is_empty());
            values.how.clone()
        })
    };

    put(&memory, "same/a.parquet", &rows.slice(1, 1), None);
    put(&memory, "same/b.parquet", &rows.slice(0, 1), None);
    assert_eq!(last("same").unwrap(), "the digest is that of same");
    put(&memory, "fewer.parquet", &rows.slice(1, 1), None);
    assert_eq!(
        refused(&memory, "o.parquet", Some("fewer.parquet")).what,
        "the output has 2 rows, but fewer.parquet has 1 rows: the counts differ"
    );
    let other = events(&[1, 2], &["x", "b"]);
    put(&memory, "other.parquet", &other, None);
    assert_eq!(
        refused(&memory, "o.parquet", Some("other.parquet")).what,
        format!(
            "the output has the digest {digest}, but other.parquet has {}: the rows differ",
            digest_batches([&other]).unwrap()
        )
    );

    let mut report = Report::new("native");
    report.status = Status::Done;
    report.records.written = 2;
    report.set_schema(&Schema::parse(EVENTS).unwrap());
    let put_report = |report: &Report| memory.put("r.json", serde_json::to_vec(report).unwrap());
    put_report(&report);
    assert_eq!(last("r.json").unwrap(), "no digest is recorded, and r.json has none");
    report.output.digest = Some(digest.to_string());
    put_report(&report);
    assert_eq!(last("r.json").unwrap(), "the digest is that of r.json");
    report.set_schema(&Schema::parse("ts timestamp(ms)").unwrap());
    put_report(&report);
    assert!(refused(&memory, "o.parquet", Some("r.json")).what.ends_with("the columns differ"));
    report.status = Status::Failed;
    put_report(&report);
    assert!(refused(&memory, "o.parquet", Some("r.json")).what.contains("wrote no output"));

    let answer = |key: &str, rows: u64| {
        let text = format!(
            "{{\"version\":1,\"records\":9,\"keys\":{{\"{key}\":{{\"rows\":{rows},\"digest\":\"{digest}\"}}}}}}"
        );
        memory.put("data.answer.json", text);
    };
    answer("ts", 2);
    assert_eq!(last("data.answer.json").unwrap(), "the digest is that of data.answer.json");
    answer("ts", 3);
    assert!(refused(&memory, "o.parquet", Some("data.answer.json")).what.contains("has 3 rows"));
    answer("id,ts", 2);
    assert!(
        refused(&memory, "o.parquet", Some("data.answer.json"))
            .what
            .contains("does not know the key ts of the output; it knows id,ts")
    );
    memory.put("x", "PAR");
    assert!(refused(&memory, "o.parquet", Some("x")).what.contains("neither an output"));
    assert!(refused(&memory, "o.parquet", Some("gone")).what.contains("no such reference"));
}

#[test]
fn the_head_shows_rows_as_json_in_the_order_of_the_columns() {
    let memory = Memory::new();
    let ts = TimestampMillisecondArray::from(vec![1_556_040_343_111, -62_135_596_800_000]);
    let rows = batch(vec![
        ("z", Arc::new(ts.with_timezone("UTC")) as ArrayRef),
        ("j", strings(&["{\"b\":1e30}", "null"])),
        ("d", Arc::new(Date32Array::from(vec![Some(0), None]))),
        (
            "n",
            Arc::new(
                Decimal128Array::from(vec![i128::MAX / 2; 2])
                    .with_precision_and_scale(38, 3)
                    .unwrap(),
            ),
        ),
        ("f", Arc::new(Float64Array::from(vec![1e22, 0.5]))),
        ("b", Arc::new(BinaryArray::from(vec![&b"\xff"[..], b""]))),
        ("a", strings(&["\u{1}\"é", ""])),
    ]);
    let schema = "z timestamp(ms), j json, d date, n decimal(38,3), f float64, b binary, a string";
    put(&memory, "o.parquet", &rows, Some(&footer(schema, "")));
    let found = head(&memory, Path::new("o.parquet"), 5).unwrap();
    let images: Vec<&str> = found.rows.iter().map(|row| row.0.as_str()).collect();
    assert_eq!(
        images,
        [
            "{\"z\":\"2019-04-23T17:25:43.111Z\",\"j\":{\"b\":1e30},\"d\":\"1970-01-01\",\
             \"n\":85070591730234615865843651857942052.863,\"f\":1e22,\"b\":\"/w==\",\
             \"a\":\"\\u0001\\\"é\"}",
            "{\"z\":\"0001-01-01T00:00:00.000Z\",\"j\":null,\
             \"n\":85070591730234615865843651857942052.863,\"f\":0.5,\"b\":\"\",\"a\":\"\"}",
        ]
    );
    assert_eq!(found.columns[0], ("z".to_owned(), "timestamp(ms, UTC)".to_owned()));
    let one = head(&memory, Path::new("o.parquet"), 1).unwrap();
    assert_eq!((one.rows.len(), one.total), (1, 2));
    assert_eq!(head(&memory, Path::new("o.parquet"), 0).unwrap().rows.len(), 0);
}

#[test]
fn what_is_no_parquet_is_the_inputs_fault_with_its_path() {
    let memory = Memory::new();
    memory.put("junk.parquet", "PAR1 but nothing else PAR1");
    memory.put("empty/_x", "");
    put(&memory, "good.parquet", &events(&[1], &["a"]), None);
    let whole = memory.get("good.parquet").unwrap();
    memory.put("cut.parquet", &whole[..whole.len() - 1]);
    for path in ["junk.parquet", "cut.parquet", "empty", "gone"] {
        let error = digest_output(&memory, Path::new(path)).unwrap_err();
        assert_eq!(error.fault, Fault::Input, "{error}");
        assert_eq!(error.place.unwrap().path, path);
    }
}

/// The sample of a row group of rows in order is of no use if it is their beginning.
#[test]
fn a_row_group_is_sampled_all_over_where_a_page_index_tells_the_way() {
    let memory = Memory::new();
    let written = |path: &str, rows: i64, index: bool| {
        let numbers: Vec<i64> = (0..rows).collect();
        let batch = batch(vec![("k", ints(&numbers)), ("v", ints(&numbers))]);
        let properties = WriterProperties::builder()
            .set_data_page_row_count_limit(100)
            .set_write_batch_size(100)
            .set_offset_index_disabled(!index)
            .set_statistics_enabled(match index {
                true => EnabledStatistics::Page,
                false => EnabledStatistics::None,
            });
        let mut writer =
            ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties.build())).unwrap();
        writer.write(&batch).unwrap();
        memory.put(path, writer.into_inner().unwrap());
    };
    let sampled = |path: &str, spots: usize, most: usize, columns: Option<&[&str]>| {
        let part = PartFile::open_to_sample(&memory, Path::new(path), Known::default()).unwrap();
        let mut keys = Vec::new();
        for batch in part.sample_group(0, spots, most, columns).unwrap() {
            let batch = batch.unwrap();
            assert_eq!(batch.num_columns(), columns.map_or(2, <[&str]>::len));
            keys.extend_from_slice(batch.column(0).as_primitive::<Int64Type>().values());
        }
        keys
    };
    written("indexed", 1_000, true);
    assert_eq!(sampled("indexed", 4, 2, Some(&["k"])), [0, 1, 250, 251, 500, 501, 750, 751]);
    assert_eq!(sampled("indexed", 1, 3, None), [0, 1, 2]);
    assert_eq!(sampled("indexed", 0, 1, None), [0]);
    assert_eq!(sampled("indexed", 2, 5_000, None), (0..1_000).collect::<Vec<_>>());
    written("plain", 1_000, false);
    assert_eq!(sampled("plain", 4, 2, Some(&["k"])), [0, 1]);
    // More places than rows.
    written("few", 3, true);
    assert_eq!(sampled("few", 256, 64, Some(&["k"])), [0, 1, 2]);
}
