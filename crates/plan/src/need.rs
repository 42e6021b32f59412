//! What a plan or its input asks of a backend: one vocabulary for plans, backends, the protocol with
//! other processes, error reports, the conformance suite and the documentation.

use crate::{
    Compression, ExtraMembers, Input, InputCompression, InputFormat, Keep, Key, Layout, NullKeys,
    ResolvedPlan, Schema, Shape, Type, format_bytes,
};

/// Something that a plan or its input asks for, and that a backend may not support.
///
/// All but [`Need::BadRecords`], [`Need::Exponents`] and [`Need::SameBytes`] can be told from a
/// resolved plan: see [`ResolvedPlan::needs`]. Of [`Need::Respelled`] only what the plan gives can; values
/// that are spelled otherwise are found by the native scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Need {
    /// Every record is checked by the contract, and bad ones are reported by place and reason or set
    /// aside. A backend that supports it also recognises compression and shape and infers the schema
    /// while it runs; any other only gets admitted input.
    BadRecords,
    /// Input that no native scan has checked is read, and a value that does not fit is an error.
    AssumedInput,
    /// The path of an input is not UTF-8.
    OpaquePath,
    /// An input or an output in a store that is no file system.
    Stores,
    /// Input in Parquet.
    Parquet,
    /// Input in gzip.
    Gzip,
    /// Input in zstd.
    Zstd,
    /// Input in bzip2.
    Bzip2,
    /// Input in xz.
    Xz,
    /// Input in lz4.
    Lz4,
    /// One value on each line.
    Lines,
    /// Values one after another, on any lines.
    Concatenated,
    /// Files that are one array of records.
    Array,
    /// Files that are an object with an array of records.
    Document,
    /// Records at a path within values.
    Records,
    /// Columns that say where each record lies.
    Origin,
    /// Columns of which the directories of files give the values.
    Hive,
    /// The size on disk, in bytes, of the largest file that is one array or one document.
    WholeFile(u64),
    /// A column, or a part of one, of the type of this name ([`Type::name`]).
    Type(&'static str),
    /// Levels of lists and structs in the deepest column.
    Levels(usize),
    /// Columns, the members of structs counted instead of the structs.
    LeafColumns(usize),
    /// A member whose name is the empty text.
    EmptyNames,
    /// Numbers that are spelled with an exponent, in columns of integers, decimals or instants.
    Exponents,
    /// Values in another spelling than their declared type has, instants in a form that the plan gives,
    /// and strings that stand for null.
    Respelled,
    /// Members outside a declared schema are counted and left out.
    IgnoreExtra,
    /// Members outside a declared schema are kept.
    KeepExtra,
    /// Records that are not valid are mended.
    Repair,
    /// No key: every record is written.
    NoKey,
    /// The whole record is the key.
    RecordKey,
    /// A key or an order inside a struct.
    NestedKey,
    /// Nulls are values of the key.
    NullKeys,
    /// The last of the order survives.
    KeepLast,
    /// A choice of columns.
    Columns,
    /// A file of the dropped duplicates.
    Dropped,
    /// A directory as output.
    Directory,
    /// A limit of the rows of a file.
    MaxFileRows,
    /// A limit of the bytes of a file.
    MaxFileBytes,
    /// Bloom filters.
    Bloom,
    /// Pages compressed by zstd.
    ZstdPages,
    /// Pages compressed by snappy.
    SnappyPages,
    /// Pages compressed by lz4.
    Lz4Pages,
    /// The same bytes for the same records. No plan asks for it: what does not promise it is read
    /// back and compared.
    SameBytes,
}

impl Need {
    /// The stable word: of the protocol with other processes, of reports and of errors. A number that
    /// belongs to the need is not part of it.
    pub fn word(&self) -> String {
        self.texts().0
    }

    /// The same for people, as in "it can't do what the plan asks for: ...".
    pub fn promise(&self) -> String {
        self.texts().1
    }

    fn texts(&self) -> (String, String) {
        let (word, promise) = match self {
            Self::BadRecords => ("bad_records", "input with bad records, reported or set aside"),
            Self::AssumedInput => ("assume_valid", "input that no native scan has checked"),
            Self::OpaquePath => ("path:bytes", "a path that is not UTF-8"),
            Self::Stores => ("stores", "inputs or outputs in a store that is no file system"),
            Self::Parquet => ("input:parquet", "reading Parquet"),
            Self::Gzip => ("input:gzip", "reading gzip"),
            Self::Zstd => ("input:zstd", "reading zstd"),
            Self::Bzip2 => ("input:bzip2", "reading bzip2"),
            Self::Xz => ("input:xz", "reading xz"),
            Self::Lz4 => ("input:lz4", "reading lz4"),
            Self::Lines => ("shape:lines", "reading files of the shape lines"),
            Self::Concatenated => ("shape:concatenated", "reading files of the shape concatenated"),
            Self::Array => ("shape:array", "reading files of the shape array"),
            Self::Document => ("shape:document", "reading files of the shape document"),
            Self::Records => ("records", "records at a path within values"),
            Self::Origin => ("origin", "columns that say where each record lies"),
            Self::Hive => ("hive", "columns that the directories of files name"),
            Self::WholeFile(bytes) => {
                let size = format_bytes(*bytes);
                return ("whole_file".into(), format!("an array or a document of {size}"));
            }
            Self::Type(name) => {
                return (format!("type:{name}"), format!("columns of the type {name}"));
            }
            Self::Levels(levels) => {
                return ("levels".into(), format!("{levels} levels of lists and structs"));
            }
            Self::LeafColumns(columns) => {
                let promise = format!("{columns} columns, members of structs counted");
                return ("leaf_columns".into(), promise);
            }
            Self::EmptyNames => ("names:empty", "a member without a name"),
            Self::Exponents => (
                "numbers:exponent",
                "numbers such as 1e2 in columns of integers, decimals or instants",
            ),
            Self::Respelled => (
                "values:respelled",
                "values in another spelling than that of their type, or strings that stand for null",
            ),
            Self::IgnoreExtra => ("extra:ignore", "leaving out extra members"),
            Self::KeepExtra => ("extra:keep", "keeping extra members"),
            Self::Repair => ("repair", "mending records that are not valid"),
            Self::NoKey => ("key:none", "writing every record"),
            Self::RecordKey => ("key:record", "whole records as key"),
            Self::NestedKey => ("key:nested", "a key or an order inside a struct"),
            Self::NullKeys => ("key:null", "nulls as values of the key"),
            Self::KeepLast => ("keep:last", "keeping the last of the order"),
            Self::Columns => ("columns", "choosing columns"),
            Self::Dropped => ("dropped", "a file of the dropped duplicates"),
            Self::Directory => ("layout:dir", "a directory as output"),
            Self::MaxFileRows => ("max_file_rows", "a limit of the rows of a file"),
            Self::MaxFileBytes => ("max_file_bytes", "a limit of the bytes of a file"),
            Self::Bloom => ("bloom", "bloom filters"),
            Self::ZstdPages => ("compression:zstd", "pages compressed by zstd"),
            Self::SnappyPages => ("compression:snappy", "pages compressed by snappy"),
            Self::Lz4Pages => ("compression:lz4", "pages compressed by lz4"),
            Self::SameBytes => ("same_bytes", "the same bytes for the same records"),
        };
        (word.into(), promise.into())
    }

    /// Whether whoever asks for this also asks for `other`: the same, or as much of it.
    pub fn includes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::WholeFile(all), Self::WholeFile(part)) => all >= part,
            (Self::Levels(all), Self::Levels(part))
            | (Self::LeafColumns(all), Self::LeafColumns(part)) => all >= part,
            _ => self == other,
        }
    }
}

/// Whether a backend supports a [`Need`], and if not, why, and what would have to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// It does.
    Yes,
    /// It lies in the nature of the backend that it does not.
    Never(&'static str),
    /// Somebody could build it.
    Could(&'static str),
    /// The engine behind the backend would have to change.
    Upstream(&'static str),
}

impl Support {
    /// The reason why not; `None` for [`Support::Yes`].
    pub fn why_not(self) -> Option<&'static str> {
        match self {
            Self::Yes => None,
            Self::Never(why) | Self::Could(why) | Self::Upstream(why) => Some(why),
        }
    }

    /// Whether it is [`Support::Yes`].
    pub fn is_yes(self) -> bool {
        self == Self::Yes
    }

    /// `yes`, `never`, `could` or `upstream`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Never(_) => "never",
            Self::Could(_) => "could",
            Self::Upstream(_) => "upstream",
        }
    }
}

impl ResolvedPlan {
    /// Everything that the plan asks of a backend, each once, in a fixed order. What follows from the
    /// schema, shapes and compressions is only there once these are known.
    pub fn needs(&self) -> Vec<Need> {
        let mut list = List(Vec::new());
        self.input_needs(&mut list);
        if let Some(schema) = &self.schema {
            schema_needs(schema, &mut list);
        }
        let plan = &self.plan;
        list.add_if(plan.assume_valid, Need::AssumedInput);
        let declared = plan.schema.declared.iter().flat_map(|schema| &schema.fields);
        let mut types = declared
            .map(|field| &field.data_type)
            .chain(plan.schema.hints.iter().map(|hint| &hint.1));
        list.add_if(!plan.null_text.is_empty() || types.any(has_format), Need::Respelled);
        match plan.extra_members {
            ExtraMembers::Error => {}
            ExtraMembers::Ignore => list.add(Need::IgnoreExtra),
            ExtraMembers::Keep => list.add(Need::KeepExtra),
        }
        list.add_if(!plan.repair.is_empty(), Need::Repair);
        match &plan.dedup {
            None => list.add(Need::NoKey),
            Some(dedup) => {
                let key = match &dedup.key {
                    Key::Record => &[],
                    Key::Columns(columns) => columns.as_slice(),
                };
                let order = dedup.order_by.iter().map(|order| &order.column);
                list.add_if(dedup.key == Key::Record, Need::RecordKey);
                list.add_if(
                    key.iter().chain(order).any(|path| path.steps().len() > 1),
                    Need::NestedKey,
                );
                list.add_if(dedup.null_keys == NullKeys::Value, Need::NullKeys);
                list.add_if(dedup.keep == Keep::Last, Need::KeepLast);
            }
        }
        list.add_if(plan.columns.is_some(), Need::Columns);
        list.add_if(plan.dropped.is_some(), Need::Dropped);
        list.add_if(plan.sink.layout == Layout::Dir, Need::Directory);
        list.add_if(plan.sink.max_file_rows.is_some(), Need::MaxFileRows);
        list.add_if(plan.sink.max_file_bytes.is_some(), Need::MaxFileBytes);
        list.add_if(!plan.sink.bloom.is_empty(), Need::Bloom);
        match plan.sink.compression {
            Compression::Zstd(_) => list.add(Need::ZstdPages),
            Compression::Snappy => list.add(Need::SnappyPages),
            Compression::Lz4 => list.add(Need::Lz4Pages),
            Compression::None => {}
        }
        list.0
    }

    fn input_needs(&self, list: &mut List) {
        let mut largest = 0;
        let inputs = self.inputs.iter().map(|input| &input.path);
        let plan = &self.plan;
        let outputs = [Some(&plan.sink.path), plan.quarantine.path.as_ref(), plan.dropped.as_ref()];
        let mut places = inputs.chain(outputs.into_iter().flatten());
        list.add_if(places.any(|place| place.scheme().is_some()), Need::Stores);
        list.add_if(self.plan.format == InputFormat::Parquet, Need::Parquet);
        // What one array in one document holds is asked for by its shape.
        let is_document = |input: &Input| matches!(input.shape, Some(Shape::Document(_)));
        let is_more = !self.plan.add.is_empty() || !self.inputs.iter().all(is_document);
        list.add_if(self.plan.records.is_some() && is_more, Need::Records);
        list.add_if(self.plan.origin, Need::Origin);
        list.add_if(self.plan.hive, Need::Hive);
        for input in &self.inputs {
            list.add_if(input.path.to_str().is_none(), Need::OpaquePath);
            match input.compression {
                Some(InputCompression::Gzip) => list.add(Need::Gzip),
                Some(InputCompression::Zstd) => list.add(Need::Zstd),
                Some(InputCompression::Bzip2) => list.add(Need::Bzip2),
                Some(InputCompression::Xz) => list.add(Need::Xz),
                Some(InputCompression::Lz4) => list.add(Need::Lz4),
                Some(InputCompression::None) | None => {}
            }
            match &input.shape {
                Some(Shape::Auto) | None => {}
                Some(Shape::Lines) => list.add(Need::Lines),
                Some(Shape::Concatenated) => list.add(Need::Concatenated),
                Some(shape @ (Shape::Array | Shape::Document(_))) => {
                    let is_array = *shape == Shape::Array;
                    list.add(if is_array { Need::Array } else { Need::Document });
                    largest = largest.max(input.bytes.unwrap_or(0));
                    if let Shape::Document(steps) = shape {
                        list.add_if(steps.iter().any(String::is_empty), Need::EmptyNames);
                    }
                }
            }
        }
        list.add_if(largest > 0, Need::WholeFile(largest));
    }
}

fn schema_needs(schema: &Schema, list: &mut List) {
    let fields = &schema.fields;
    for field in fields {
        list.add_if(field.name.is_empty(), Need::EmptyNames);
        type_needs(&field.data_type, list);
    }
    let deepest = fields.iter().map(|field| field.data_type.levels()).max().unwrap_or(0);
    list.add_if(deepest > 0, Need::Levels(deepest));
    let leaves: usize = fields.iter().map(|field| field.data_type.leaf_count()).sum();
    list.add_if(leaves > 0, Need::LeafColumns(leaves));
}

fn type_needs(data_type: &Type, list: &mut List) {
    list.add(Need::Type(data_type.name()));
    match data_type {
        Type::List(element) => type_needs(element, list),
        Type::Struct(fields) => {
            for field in fields {
                list.add_if(field.name.is_empty(), Need::EmptyNames);
                type_needs(&field.data_type, list);
            }
        }
        _ => {}
    }
}

/// Whether a type, or one inside it, gives a form of instants, or reads JSON from strings.
fn has_format(data_type: &Type) -> bool {
    match data_type {
        Type::TimestampText(_) | Type::JsonText => true,
        Type::List(element) => has_format(element),
        Type::Struct(fields) => fields.iter().any(|field| has_format(&field.data_type)),
        _ => false,
    }
}

struct List(Vec<Need>);

impl List {
    fn add(&mut self, need: Need) {
        if !self.0.contains(&need) {
            self.0.push(need);
        }
    }

    fn add_if(&mut self, is_asked: bool, need: Need) {
        if is_asked {
            self.add(need);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ColumnPath, Dedup, Input, OrderBy, Plan, Sink};

    fn resolved(plan: Plan, inputs: Vec<Input>, schema: Option<&str>) -> ResolvedPlan {
        let schema = schema.map(|text| Schema::parse(text).unwrap());
        ResolvedPlan { plan, inputs, schema, admitted: false }
    }

    fn input(name: &str, shape: Shape, compression: InputCompression) -> Input {
        let (compression, shape) = (Some(compression), Some(shape));
        Input { path: name.into(), bytes: Some(7), version: 0, compression, shape }
    }

    fn words(plan: &ResolvedPlan) -> Vec<String> {
        plan.needs().iter().map(Need::word).collect()
    }

    #[test]
    fn a_plan_asks_for_each_thing_once_by_its_word() {
        let mut plan = Plan::new(vec!["in".into()], Sink::new("out"));
        plan.assume_valid = true;
        plan.extra_members = ExtraMembers::Keep;
        plan.dedup = Some(Dedup {
            order_by: OrderBy::parse_list("a.b").unwrap(),
            keep: Keep::Last,
            null_keys: NullKeys::Value,
            ..Dedup::on_columns(ColumnPath::parse_list("id").unwrap())
        });
        plan.columns = Some(ColumnPath::parse_list("id").unwrap());
        plan.dropped = Some("d.parquet".into());
        plan.sink.max_file_rows = Some(1);
        plan.sink.max_file_bytes = Some(1);
        plan.sink.bloom = ColumnPath::parse_list("id").unwrap();
        let inputs = vec![
            input("a", Shape::Lines, InputCompression::Gzip),
            input("b", Shape::Lines, InputCompression::Zstd),
            input("b2", Shape::Lines, InputCompression::Bzip2),
            input("b3", Shape::Lines, InputCompression::Xz),
            input("b4", Shape::Lines, InputCompression::Lz4),
            input("c", Shape::Concatenated, InputCompression::None),
            input("d", Shape::Array, InputCompression::None),
            input("e", Shape::Document(vec!["a".into(), String::new()]), InputCompression::None),
        ];
        let schema = "id string, a struct<b: list<int8>, c: decimal(3,1)>, j json";
        let expected = "input:gzip shape:lines input:zstd input:bzip2 input:xz input:lz4 shape:concatenated shape:array \
             shape:document names:empty whole_file type:string type:struct type:list type:int8 \
             type:decimal type:json levels leaf_columns assume_valid extra:keep key:nested key:null \
             keep:last columns dropped layout:dir max_file_rows max_file_bytes bloom compression:zstd";
        let resolved = resolved(plan, inputs, Some(schema));
        assert_eq!(words(&resolved).join(" "), expected);
        let needs = resolved.needs();
        assert!(needs.contains(&Need::Levels(2)) && needs.contains(&Need::LeafColumns(4)));
        assert!(needs.contains(&Need::WholeFile(7)));
    }

    #[test]
    fn a_plan_that_is_not_resolved_asks_for_what_it_says_itself() {
        let mut plan = Plan::new(vec!["in".into()], Sink::new("out.parquet"));
        plan.sink.compression = Compression::None;
        assert_eq!(words(&resolved(plan.clone(), Vec::new(), None)), ["key:none"]);
        plan.dedup = Some(Dedup::on_record());
        assert_eq!(words(&resolved(plan.clone(), Vec::new(), None)), ["key:record"]);
        plan.dedup = Some(Dedup::on_columns(ColumnPath::parse_list("a").unwrap()));
        assert_eq!(words(&resolved(plan, Vec::new(), None)), Vec::<String>::new());
    }

    #[test]
    fn more_of_something_includes_less_of_it() {
        assert!(Need::Levels(12).includes(&Need::Levels(11)));
        assert!(!Need::Levels(10).includes(&Need::Levels(11)));
        assert!(!Need::Levels(600).includes(&Need::LeafColumns(501)));
        assert!(Need::Zstd.includes(&Need::Zstd));
    }
}
