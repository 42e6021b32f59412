//! What a plan asks of a backend, in the words of the protocol.

use distil_plan::{
    Compression, Error, ExtraMembers, InputCompression, Keep, Key, Layout, NullKeys, ResolvedPlan,
    Result, Shape, Type,
};

/// Something that a process must say it supports.
pub(crate) struct Need {
    /// The word of the protocol.
    pub(crate) word: String,
    /// The same for people.
    pub(crate) promise: String,
}

/// Everything that a plan asks for, each once, in a fixed order.
///
/// # Errors
/// A usage error for a path that has no text form.
pub(crate) fn needs(plan: &ResolvedPlan) -> Result<Vec<Need>> {
    let mut list = List(Vec::new());
    for input in &plan.inputs {
        if input.path.to_str().is_none() {
            return Err(Error::usage(
                "a path that is not UTF-8 can't be told to a backend in another process",
            )
            .at(input.display(), None)
            .help("rename the file, or use --backend native"));
        }
        if let Some(found @ (InputCompression::Gzip | InputCompression::Zstd)) = input.compression {
            list.add(format!("input:{found}"), format!("reading {found}"));
        }
        if let Some(shape) = &input.shape {
            let name = match shape {
                Shape::Document(_) => "document".to_owned(),
                other => other.to_string(),
            };
            list.add(format!("shape:{name}"), format!("reading files of the shape {name}"));
        }
    }
    for field in plan.schema.iter().flat_map(|schema| &schema.fields) {
        list.types(&field.data_type);
    }
    let request = &plan.plan;
    match request.extra_members {
        ExtraMembers::Error => {}
        ExtraMembers::Ignore => list.add("extra:ignore", "leaving out extra members"),
        ExtraMembers::Keep => list.add("extra:keep", "keeping extra members"),
    }
    match &request.dedup {
        None => list.add("key:none", "writing every record"),
        Some(dedup) => {
            match &dedup.key {
                Key::Record => list.add("key:record", "whole records as key"),
                Key::Columns(columns) if columns.iter().any(|path| path.steps().len() > 1) => {
                    list.add("key:nested", "a key inside a struct");
                }
                Key::Columns(_) => {}
            }
            if dedup.order_by.iter().any(|order| order.column.steps().len() > 1) {
                list.add("key:nested", "an order inside a struct");
            }
            if dedup.null_keys == NullKeys::Value {
                list.add("key:null", "nulls as values of the key");
            }
            if dedup.keep == Keep::Last {
                list.add("keep:last", "keeping the last of the order");
            }
        }
    }
    if request.columns.is_some() {
        list.add("columns", "choosing columns");
    }
    if request.dropped.is_some() {
        list.add("dropped", "a file of the dropped duplicates");
    }
    let sink = &request.sink;
    if sink.layout == Layout::Dir {
        list.add("layout:dir", "a directory as output");
    }
    if sink.max_file_rows.is_some() {
        list.add("max_file_rows", "a limit of the rows of a file");
    }
    if sink.max_file_bytes.is_some() {
        list.add("max_file_bytes", "a limit of the bytes of a file");
    }
    if !sink.bloom.is_empty() {
        list.add("bloom", "bloom filters");
    }
    let codec = match sink.compression {
        Compression::Zstd(_) => "zstd",
        Compression::Snappy => "snappy",
        Compression::Lz4 => "lz4",
        Compression::None => return Ok(list.0),
    };
    list.add(format!("compression:{codec}"), format!("pages compressed by {codec}"));
    Ok(list.0)
}

struct List(Vec<Need>);

impl List {
    fn add(&mut self, word: impl Into<String>, promise: impl Into<String>) {
        let word = word.into();
        if self.0.iter().all(|need| need.word != word) {
            self.0.push(Need { word, promise: promise.into() });
        }
    }

    fn types(&mut self, data_type: &Type) {
        let text = data_type.to_string();
        let name = text.split(['(', '<']).next().unwrap_or_default();
        self.add(format!("type:{name}"), format!("columns of the type {name}"));
        match data_type {
            Type::List(element) => self.types(element),
            Type::Struct(fields) => fields.iter().for_each(|field| self.types(&field.data_type)),
            _ => {}
        }
    }
}
