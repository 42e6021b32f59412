//! Decoding, by the shape of the records: parsed, or expected and packed, or expected and encoded. A
//! slice has a thousand of them, so microseconds a slice are nanoseconds a record.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark fails by panicking")]

use std::fmt::Write;
use std::sync::Arc;

use distil_json::{Decoder, Dictionary, EncodedRow, FrameSlice, Frames, Sampler, Sink};
use distil_plan::{BadPart, ColumnPath, Dedup, OrderBy, Plan, Result};
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};

const RECORDS: u64 = 1000;

fn main() {
    divan::main();
}

#[derive(Clone, Copy, Debug)]
enum Shape {
    /// Three short strings, one of them an instant, as in generated data.
    Plain,
    /// The same with values of many lengths.
    Lengths,
    /// The same with escapes and letters beyond ASCII.
    Escapes,
    /// A hundred members: integers, fractions, strings, booleans.
    Wide,
    /// Objects in objects, and lists of them.
    Nested,
}

#[divan::bench(args = [Shape::Plain, Shape::Lengths, Shape::Escapes, Shape::Wide, Shape::Nested])]
fn lines(bencher: Bencher<'_, '_>, shape: Shape) {
    decode(bencher, &records(shape).join("\n"), Frames::Lines, "ts", None);
}

#[divan::bench(args = [Shape::Plain, Shape::Wide])]
fn array(bencher: Bencher<'_, '_>, shape: Shape) {
    decode(bencher, &records(shape).join(", "), Frames::Blanks, "ts", None);
}

#[divan::bench(args = [Shape::Plain, Shape::Lengths, Shape::Wide])]
fn packed(bencher: Bencher<'_, '_>, shape: Shape) {
    decode(bencher, &records(shape).join("\n"), Frames::Lines, "ts", Some(true));
}

#[divan::bench(args = [Shape::Plain, Shape::Lengths, Shape::Wide])]
fn encoded(bencher: Bencher<'_, '_>, shape: Shape) {
    decode(bencher, &records(shape).join("\n"), Frames::Lines, "id", Some(false));
}
/// Decodes records; `expected` says whether they are, and then whether they are packed.
fn decode(bencher: Bencher<'_, '_>, text: &str, frames: Frames, key: &str, expected: Option<bool>) {
    let mut plan = Plan::new(Vec::new(), distil_plan::Sink::new("out.parquet"));
    let order = if key == "ts" { "id" } else { "ts" };
    plan.dedup = Some(Dedup {
        order_by: OrderBy::parse_list(order).unwrap(),
        ..Dedup::on_columns(ColumnPath::parse_list(key).unwrap())
    });
    let mut sampler = Sampler::new(&plan).unwrap();
    sampler.sample(0, text.as_bytes(), 64).unwrap();
    let layout = sampler.finish(&plan).1.filter(|_| expected.is_some()).map(Arc::new);
    assert_eq!(layout.as_ref().map(|layout| layout.packs), expected);
    let mut decoder = Decoder::new(&plan).unwrap().expecting(layout.as_ref(), 1 << 20);
    let slice = FrameSlice { input: 0, offset: 0, bytes: text.as_bytes(), frames: &frames };
    bencher.counter(ItemsCount::new(RECORDS)).counter(BytesCount::of_str(text)).bench_local(|| {
        assert_eq!(decoder.decode(&slice, &mut Nowhere).unwrap(), RECORDS);
    });
}

/// Looks at rows and keeps none.
struct Nowhere;

impl Sink for Nowhere {
    fn row(&mut self, row: &EncodedRow<'_>) -> Result<()> {
        let row = row.bytes;
        black_box(row);
        Ok(())
    }

    fn packed(&mut self, rows: &[u64], _: &[Dictionary]) -> Result<()> {
        black_box(rows);
        Ok(())
    }

    fn bad(&mut self, part: BadPart) -> Result<()> {
        panic!("the benchmark has a bad record: {part:?}")
    }
}

fn records(shape: Shape) -> Vec<String> {
    let mut chance = Chance(1);
    (0..RECORDS).map(|_| record(shape, &mut chance)).collect()
}

fn record(shape: Shape, chance: &mut Chance) -> String {
    let id = 10_000 + chance.below(90_000);
    let (minute, second, milli) = (chance.below(60), chance.below(60), chance.below(1000));
    let ts = format!("2019-04-23T17:{minute:02}:{second:02}.{milli:03}Z");
    let mut text = format!(r#"{{"id": "{id}", "ts": "{ts}""#);
    match shape {
        Shape::Plain => write!(text, r#", "data": "{:03}""#, chance.below(1000)),
        Shape::Lengths => {
            write!(text, r#", "data": "{}""#, "x".repeat(chance.below(60) as usize))
        }
        Shape::Escapes => write!(text, r#", "data": "a\"b\n {} größer""#, chance.below(1000)),
        Shape::Wide => (0..98).try_for_each(|place| match place % 4 {
            0 => write!(text, r#", "count_{place}": {}"#, chance.below(1_000_000)),
            1 => write!(text, r#", "ratio_{place}": {}"#, chance.below(1 << 20) as f64 / 1024.0),
            2 => write!(text, r#", "name_{place}": "name of {}""#, chance.below(100)),
            _ => write!(text, r#", "flag_{place}": {}"#, chance.below(2) == 0),
        }),
        Shape::Nested => write!(
            text,
            r#", "user": {{"name": "user {}", "address": {{"city": "c{}", "floor": {}}}}},
            "tags": ["a", "b"], "items": [{{"sku": "S-{}", "price": {}.5}}, {{"sku": "T"}}]"#,
            chance.below(1000),
            chance.below(100),
            chance.below(30),
            chance.below(1000),
            chance.below(1000),
        ),
    }
    .unwrap();
    // A record of lines stays on its line.
    text.replace('\n', " ") + "}"
}

/// A linear congruential generator: the same records every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}
