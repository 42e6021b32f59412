//! Plans for columns of known flavours.

use distil_plan::{
    ColumnPath, Compression, Dedup, Direction, ExtraMembers, Field, Keep, Key,
    Layout as SinkLayout, MaxQuarantined, NullKeys, NullText, OnConflict, OrderBy, Plan,
    QuarantineSpec, Repair, Repairs, Schema, SchemaSpec, Shape, Sink, Type,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::files::{FileShape, Layout};
use super::records::Column;
use super::values::Flavour;

/// Plans that name these columns.
pub fn plan(columns: &[Column]) -> impl Strategy<Value = Plan> + use<> {
    let types = (types(columns), null_text(columns), prop::bool::weighted(0.1));
    let plan = (dedup(columns), types, extra_members(), written(columns), sink());
    (plan, set_aside(), repairs()).prop_map(
        |((dedup, types, extra_members, columns, sink), (quarantine, max_record), repair)| {
            let (schema, null_text, strict_types) = types;
            // Where the whole record is the key, nothing can be mended.
            let is_record = dedup.as_ref().is_some_and(|dedup| dedup.key == Key::Record);
            let repair = if is_record { Repairs::default() } else { repair };
            let dropped = dedup.as_ref().map(|_| "dropped.parquet".to_owned());
            Plan {
                dedup,
                schema,
                null_text,
                strict_types,
                extra_members,
                repair,
                columns,
                quarantine,
                dropped: dropped.map(Into::into),
                max_record,
                digest: true,
                ..Plan::new(vec!["in".into()], sink)
            }
        },
    )
}

/// Plans that want to know where records lie, some of them; the place may decide what survives.
pub fn with_places(plan: impl Strategy<Value = Plan>) -> impl Strategy<Value = Plan> {
    let by = |name: &str, direction| OrderBy { direction, ..OrderBy::desc(ColumnPath::name(name)) };
    let order = select(vec![
        None,
        None,
        Some(by("_file", Direction::Desc)),
        Some(by("_position", Direction::Asc)),
    ]);
    (plan, prop::bool::weighted(0.15), order).prop_map(|(mut plan, origin, order)| {
        plan.origin = origin;
        if let (true, Some(dedup), Some(order)) = (origin, &mut plan.dedup, order)
            && dedup.key != Key::Record
        {
            dedup.order_by.insert(0, order);
        }
        plan
    })
}

/// Often nothing, else some or all.
fn repairs() -> impl Strategy<Value = Repairs> {
    let some = subsequence(Repair::ALL.to_vec(), 1..=Repair::ALL.len());
    prop_oneof![3 => Just(Repairs::default()), 1 => some.prop_map(Repairs::from_iter)]
}

/// The plan with the shape that a layout tells, and columns of its directories.
pub fn with_shape(plan: Plan, layout: &Layout) -> Plan {
    let shape = match layout.files[0].shape {
        _ if !layout.told => Shape::Auto,
        FileShape::Lines => Shape::Lines,
        FileShape::Array => Shape::Array,
        FileShape::Concatenated => Shape::Concatenated,
        FileShape::Document => Shape::Document(vec!["records".into()]),
    };
    Plan { shape, hive: layout.hive, ..plan }
}

/// All paths to columns, and whether they are scalars as a rule.
fn paths(columns: &[Column]) -> Vec<(ColumnPath, bool)> {
    let mut out = Vec::new();
    for (name, flavour) in columns {
        let path = ColumnPath::name(name);
        out.push((path.clone(), flavour.is_scalar()));
        if let Flavour::Struct(members) = flavour {
            out.extend(members.iter().map(|(name, f)| (path.child(name), f.is_scalar())));
        }
    }
    out
}

/// Paths of which none lies inside another.
fn apart(paths: Vec<ColumnPath>) -> Vec<ColumnPath> {
    let mut out: Vec<ColumnPath> = Vec::new();
    for path in paths {
        if out.iter().all(|p| !p.is_prefix_of(&path) && !path.is_prefix_of(p)) {
            out.push(path);
        }
    }
    out
}

fn dedup(columns: &[Column]) -> BoxedStrategy<Option<Dedup>> {
    let all: Vec<ColumnPath> = paths(columns).into_iter().map(|(path, _)| path).collect();
    let mut scalars: Vec<ColumnPath> =
        paths(columns).into_iter().filter(|(_, is)| *is).map(|(path, _)| path).collect();
    if scalars.is_empty() {
        scalars.clone_from(&all);
    }
    let most = scalars.len().min(3);
    // The columns of key and order, and how many of them are the key.
    let named = prop_oneof![
        9 => subsequence(scalars, 1..=most),
        1 => subsequence(all, 1..=most),
    ];
    let ways = (any::<bool>(), proptest::bool::weighted(0.6));
    let named = (named.prop_shuffle(), 1usize..3, vec(ways, 3));
    let flags = (
        prop_oneof![3 => Just(Keep::First), 1 => Just(Keep::Last)],
        prop_oneof![1 => Just(NullKeys::Error), 1 => Just(NullKeys::Value)],
        prop_oneof![
            20 => Just(OnConflict::Keep),
            2 => Just(OnConflict::Warn),
            1 => Just(OnConflict::Error)
        ],
    );
    let by_columns =
        (named, flags).prop_map(|((named, count, ways), (keep, null_keys, on_conflict))| {
            let named = apart(named);
            let (key, order) = named.split_at(count.min(named.len()));
            let ways = ways.into_iter().map(|(desc, as_text)| {
                (if desc { Direction::Desc } else { Direction::Asc }, as_text)
            });
            let order_by = order
                .iter()
                .zip(ways)
                .map(|(column, (direction, as_text))| {
                    let column = column.clone();
                    OrderBy { column, direction, as_text }
                })
                .collect();
            let dedup = Dedup::on_columns(key.to_vec());
            Some(Dedup { order_by, keep, null_keys, on_conflict, ..dedup })
        });
    prop_oneof![8 => by_columns, 1 => Just(Some(Dedup::on_record())), 1 => Just(None)].boxed()
}

/// A declared schema, or hints, or nothing.
fn types(columns: &[Column]) -> BoxedStrategy<SchemaSpec> {
    let fields: Vec<BoxedStrategy<Field>> = columns
        .iter()
        .map(|(name, flavour)| {
            let name = name.clone();
            data_type(flavour).prop_map(move |t| Field::new(name.clone(), t)).boxed()
        })
        .collect();
    let count = columns.len();
    let declared =
        (fields.clone(), subsequence((0..count).collect::<Vec<_>>(), 1..=count).prop_shuffle())
            .prop_map(|(fields, chosen)| {
                let fields = chosen.into_iter().map(|at| fields[at].clone()).collect();
                SchemaSpec { declared: Some(Schema { fields }), hints: vec![] }
            });
    let inside: Vec<BoxedStrategy<(ColumnPath, Type)>> = columns
        .iter()
        .flat_map(|(name, flavour)| match flavour {
            Flavour::Struct(members) if !members.is_empty() => members
                .iter()
                .map(|(member, flavour)| {
                    let path = ColumnPath::name(name).child(member);
                    data_type(flavour).prop_map(move |t| (path.clone(), t)).boxed()
                })
                .collect(),
            _ => {
                let path = ColumnPath::name(name);
                vec![data_type(flavour).prop_map(move |t| (path.clone(), t)).boxed()]
            }
        })
        .collect();
    let hints = (inside, vec(any::<bool>(), 16)).prop_map(|(hints, chosen)| {
        let chosen = hints.into_iter().zip(chosen).filter(|(_, is)| *is).map(|(hint, _)| hint);
        SchemaSpec { declared: None, hints: chosen.collect() }
    });
    prop_oneof![5 => Just(SchemaSpec::default()), 2 => declared, 2 => hints].boxed()
}

/// A type for a flavour: mostly one that its values fit.
fn data_type(flavour: &Flavour) -> BoxedStrategy<Type> {
    let texts = |texts: &'static [&'static str]| {
        select(texts).prop_map(|t| t.parse::<Type>().unwrap()).boxed()
    };
    let fitting = match flavour {
        Flavour::Small => {
            texts(&["string", "int64", "int8", "decimal(3,1)", "float32", "epoch(s)", "epoch(ns)"])
        }
        Flavour::Bool => texts(&["boolean"]),
        Flavour::Text | Flavour::HardText | Flavour::Digits | Flavour::Days => texts(&["string"]),
        Flavour::Edge => texts(&["decimal(38,0)", "int64", "float64", "epoch(us)"]),
        Flavour::Long => texts(&["int64", "epoch(ns)", "int32", "float32", "decimal(20,1)"]),
        Flavour::Float | Flavour::Number => {
            texts(&["float64", "float32", "decimal(20,5)", "int16", "epoch(ms)"])
        }
        Flavour::Instant(_) | Flavour::Instants => {
            texts(&["timestamp(us)", "timestamp(ms)", "timestamp(ns)", "date", "string"])
        }
        Flavour::Dates => texts(&[
            "timestamp(ms, '%d.%m.%Y %H:%M', 'Europe/Berlin')",
            "timestamp(us, '%m/%d/%y %I:%M:%S %p', 'UTC')",
            "timestamp(ns, '%a %b %d %T %z %Y')",
            "string",
        ]),
        Flavour::Quoted => texts(&[
            "int64",
            "float64",
            "decimal(5,2)",
            "boolean",
            "epoch(s)",
            "epoch(ms)",
            "string",
            "int8",
            "json(text)",
            "json(text)",
        ]),
        Flavour::Base64 => texts(&["binary", "string"]),
        Flavour::Null => texts(&["int64", "list<string>"]),
        Flavour::Mixed(flavours) => data_type(&flavours[0]),
        Flavour::List(element) => {
            data_type(element).prop_map(|element| Type::List(Box::new(element))).boxed()
        }
        Flavour::Struct(members) if members.is_empty() => texts(&["struct<a: int64>"]),
        Flavour::Struct(members) => {
            let count = members.len();
            let fields: Vec<_> = members
                .iter()
                .map(|(name, flavour)| {
                    let name = name.clone();
                    data_type(flavour).prop_map(move |t| Field::new(name.clone(), t)).boxed()
                })
                .collect();
            (fields, 1..=count)
                .prop_map(|(fields, count)| Type::Struct(fields[..count].to_vec()))
                .boxed()
        }
    };
    prop_oneof![8 => fitting, 1 => texts(&["json"]), 1 => texts(&["string", "int64"])].boxed()
}

/// Strings that stand for null: in most plans none.
fn null_text(columns: &[Column]) -> BoxedStrategy<NullText> {
    let all: Vec<ColumnPath> = paths(columns).into_iter().map(|(path, _)| path).collect();
    let texts = || subsequence(vec!["NA", "-", "", "10", "a", "true"], 1..=3);
    let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let most = all.len().min(2);
    let some = (subsequence(all, 0..=most), texts(), texts(), any::<bool>()).prop_map(
        move |(named, texts, others, everywhere)| NullText {
            everywhere: if everywhere { owned(others) } else { Vec::new() },
            columns: named.into_iter().map(|path| (path, owned(texts.clone()))).collect(),
            settled: false,
        },
    );
    prop_oneof![5 => Just(NullText::default()), 1 => some].boxed()
}

fn extra_members() -> impl Strategy<Value = ExtraMembers> {
    select(vec![ExtraMembers::Keep, ExtraMembers::Ignore, ExtraMembers::Error])
}

fn written(columns: &[Column]) -> BoxedStrategy<Option<Vec<ColumnPath>>> {
    let all: Vec<ColumnPath> = paths(columns).into_iter().map(|(path, _)| path).collect();
    let count = all.len();
    let chosen = subsequence(all, 1..=count).prop_shuffle().prop_map(|paths| Some(apart(paths)));
    prop_oneof![4 => Just(None), 1 => chosen].boxed()
}

fn sink() -> impl Strategy<Value = Sink> {
    let rows = prop_oneof![Just(1u64 << 20), 1u64..8];
    let compression = select(vec![Compression::None, Compression::Zstd(1), Compression::Snappy]);
    let file = |rows, compression| {
        let sink = Sink::new("out.parquet");
        Sink { row_group_rows: rows, compression, ..sink }
    };
    let directory = prop_oneof![
        Just((None, None)),
        (1u64..20).prop_map(|n| (Some(n), None)),
        (1u64..5000).prop_map(|n| (None, Some(n)))
    ];
    let split = prop_oneof![3 => Just(None), 1 => directory.prop_map(Some)];
    (rows, compression, split).prop_map(move |(rows, compression, split)| match split {
        None => file(rows, compression),
        Some((max_file_rows, max_file_bytes)) => Sink {
            path: "out".into(),
            layout: SinkLayout::Dir,
            max_file_rows,
            max_file_bytes,
            ..file(rows, compression)
        },
    })
}

/// The quarantine and the largest record.
fn set_aside() -> impl Strategy<Value = (QuarantineSpec, u64)> {
    let path = prop_oneof![9 => Just(Some("quarantine.ndjson".to_owned())), 1 => Just(None)];
    let max = prop_oneof![
        18 => Just(None),
        1 => (0u64..5).prop_map(|n| Some(MaxQuarantined::Count(n))),
        1 => (0u8..100).prop_map(|n| Some(MaxQuarantined::Percent(f64::from(n)))),
    ];
    let max_record = prop_oneof![9 => Just(64u64 << 20), 1 => 10u64..80];
    (path, max, max_record)
        .prop_map(|(path, max, size)| (QuarantineSpec { path: path.map(Into::into), max }, size))
}
