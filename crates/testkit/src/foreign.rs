//! Parquet that may be anything, and everything that reads it.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use distil_output::digest::digest_output;
use distil_output::head::head;
use distil_output::verify::verify;
use distil_plan::{
    ColumnPath, Dedup, Error, Field, InputFormat, Plan, Schema, SchemaSpec, Sink, TimeUnit, Type,
};
use distil_storage::Memory;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{BrotliLevel, Compression, GzipLevel};
use parquet::file::properties::WriterProperties;

use crate::subject_native::NativeSubject;
use crate::suite::{Stretch, Subject};

/// The codecs of [`output`]: those of outputs, and those that only others write. The lz4 of old files has a frame of its own.
pub const COMPRESSIONS: [&str; 7] =
    ["zstd", "snappy", "lz4", "none", "gzip", "brotli", "lz4 in frames"];

/// Records of all kinds of columns, enough for dictionaries and several pages.
fn records(count: usize) -> Vec<u8> {
    let mut text = String::new();
    for n in 0..count {
        text.push_str(&format!(
            "{{\"k\":{n},\"f\":{}.5,\"s\":\"{}\",\"u\":\"unique {n}\",\"b\":{},\"l\":[{n},null],\
             \"o\":{{\"x\":\"{}\",\"y\":[{{\"z\":{n}}}]}},\"t\":\"2020-01-01T00:00:{:02}Z\",\"j\":[1,\"a\"],\
             \"d\":12345678901234567890123}}\n",
            n % 17,
            n % 7,
            n % 2 == 0,
            n % 5,
            n % 60
        ));
    }
    text.into_bytes()
}

/// An output of records with all kinds of columns, in two row groups. In a codec of others it was written again by the
/// stock writer.
pub fn output(compression: &str, count: usize) -> Vec<u8> {
    let of_others = match compression {
        "gzip" => Some(Compression::GZIP(GzipLevel::default())),
        "brotli" => Some(Compression::BROTLI(BrotliLevel::default())),
        "lz4 in frames" => Some(Compression::LZ4),
        _ => None,
    };
    match of_others {
        Some(codec) => rewritten(own("none", count), count, codec),
        None => own(compression, count),
    }
}

/// The same rows, footer and schema, as another program writes them.
fn rewritten(output: Vec<u8>, count: usize, codec: Compression) -> Vec<u8> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(output)).unwrap();
    let file = reader.metadata().file_metadata();
    let properties = WriterProperties::builder()
        .set_compression(codec)
        .set_max_row_group_row_count(Some(count / 2))
        .set_key_value_metadata(file.key_value_metadata().cloned())
        .build();
    let options = ArrowWriterOptions::new()
        .with_properties(properties)
        .with_skip_arrow_metadata(true)
        .with_parquet_schema(file.schema_descr().clone());
    let arrow = Arc::clone(reader.schema());
    let mut writer = ArrowWriter::try_new_with_options(Vec::new(), arrow, options).unwrap();
    for batch in reader.build().unwrap() {
        writer.write(&batch.unwrap()).unwrap();
    }
    writer.into_inner().unwrap()
}

fn own(compression: &str, count: usize) -> Vec<u8> {
    let mut plan = Plan::new(vec!["in".into()], Sink::new("out.parquet"));
    plan.dedup = Some(Dedup::on_columns(vec![ColumnPath::name("k")]));
    plan.digest = true;
    plan.schema.hints = vec![(ColumnPath::name("t"), Type::Timestamp(TimeUnit::Millis))];
    plan.sink.compression = compression.parse().unwrap();
    plan.sink.row_group_rows = count as u64 / 2;
    plan.sink.bloom = vec![ColumnPath::name("u")];
    let files = vec![("a.ndjson".to_owned(), records(count))];
    NativeSubject.run(&files, &plan, &Stretch::plain()).unwrap().files.remove(0).1
}

/// What a plan has to declare before it reads Parquet.
pub fn one_column() -> SchemaSpec {
    let field = Field::new("x", Type::Int64);
    SchemaSpec { declared: Some(Schema { fields: vec![field] }), ..SchemaSpec::default() }
}

/// Reads a file by every way there is: head, digest, verify, and as the input of a run. Returns what was
/// wrong with it.
pub fn read(content: &[u8], schema: &SchemaSpec) -> Vec<Error> {
    let memory = Memory::new();
    let path = Path::new("f.parquet");
    memory.put(path, content);
    let mut errors = Vec::new();
    errors.extend(head(&memory, path, 10).err());
    errors.extend(digest_output(&memory, path).err());
    errors.extend(verify(&memory, path, None).err());
    errors.extend(copied(content, schema).err());
    errors
}

/// What a run writes that reads a file of this schema.
///
/// # Errors
/// Those of the run.
pub fn copied(content: &[u8], schema: &SchemaSpec) -> Result<Vec<u8>, Error> {
    let mut plan = Plan::new(vec!["in".into()], Sink::new("out.parquet"));
    plan.format = InputFormat::Parquet;
    plan.schema = schema.clone();
    let files = vec![("f.parquet".to_owned(), content.to_vec())];
    let outcome = NativeSubject.run(&files, &plan, &Stretch::plain()).map_err(|error| *error)?;
    Ok(outcome.files.into_iter().next().map(|(_, content)| content).unwrap_or_default())
}
