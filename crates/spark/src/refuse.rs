//! What a server does not support, and why.

use std::path::Path;

use distil_plan::{EpochUnit, Error, Hint, Need, Result, Support, TimeUnit, Type};

use crate::session::Limits;

/// The largest file that is read as one text: below the 2 GiB of a Java array, in the two bytes a
/// character that some of it takes.
const WHOLE_FILE: u64 = 512 << 20;

/// The deepest type: the SQL of one nests as deep, and planners take exponentially long over it.
const LEVELS: usize = 10;

/// The most columns without members below them: a query names each many times.
const LEAF_COLUMNS: usize = 500;

/// Why a server does not support [`Need::Exponents`].
pub(crate) const PLAIN_NUMBERS: &str =
    "this server's JSON parser rounds numbers, and its casts from text know only plain ones";

/// What is known of every server, without asking one; `None` where it depends on the server.
pub(crate) fn settled(need: &Need) -> Option<Support> {
    Some(match need {
        Need::BadRecords => Support::Never(
            "another parser passes over what is bad in silence, so only valid input gets there",
        ),
        Need::SameBytes => {
            Support::Could("another writer than the native engine's writes the merged result")
        }
        Need::Repair => Support::Could(
            "it reads the files as they are; distil could write the mended records first",
        ),
        Need::Stores => Support::Could(
            "the server and distil meet in a directory that both see; distil could fetch and bring files",
        ),
        Need::Parquet => Support::Could("rows come to a server as records, which it reads anyway"),
        Need::Zstd => Support::Could(
            "the server reads the files, and the text readers of servers know no zstd; distil could \
             unpack them first",
        ),
        Need::Bzip2 | Need::Xz | Need::Lz4 => Support::Could(
            "the server reads the files, and finds a codec by the name of a file alone; distil could \
             unpack them first",
        ),
        Need::Concatenated => Support::Could(
            "SQL splits text at line ends or not at all; distil could write such records as lines \
             first",
        ),
        Need::WholeFile(bytes) if *bytes > WHOLE_FILE => {
            Support::Could("one task holds such a file as a whole, which works up to 512 MiB")
        }
        Need::Type("json") => Support::Upstream(
            "the engine has no type that orders and spells any JSON as the contract does",
        ),
        Need::Levels(levels) if *levels > LEVELS => Support::Upstream(
            "planners take exponentially long over SQL that nests more than 10 levels deep",
        ),
        Need::LeafColumns(columns) if *columns > LEAF_COLUMNS => Support::Could(
            "the query names every column many times, which works up to 500; it could be made of \
             fewer names",
        ),
        Need::Hive | Need::Origin => Support::Could(
            "the query does not know which file a record is from; it could ask the engine for it",
        ),
        Need::Records => Support::Could(
            "the query takes every value for a record; it could take values apart first",
        ),
        Need::Respelled => Support::Could(
            "another parser takes values as they stand; distil could hand on what it read",
        ),
        Need::MaxFileBytes => Support::Could(
            "the writer of the merged result is never asked how large a file has become",
        ),
        Need::AssumedInput | Need::EmptyNames | Need::Exponents => return None,
        Need::OpaquePath
        | Need::Gzip
        | Need::Lines
        | Need::Array
        | Need::Document
        | Need::WholeFile(_)
        | Need::Type(_)
        | Need::Levels(_)
        | Need::LeafColumns(_)
        | Need::IgnoreExtra
        | Need::KeepExtra
        | Need::NoKey
        | Need::RecordKey
        | Need::NestedKey
        | Need::NullKeys
        | Need::KeepLast
        | Need::Columns
        | Need::Dropped
        | Need::Directory
        | Need::MaxFileRows
        | Need::Bloom
        | Need::ZstdPages
        | Need::SnappyPages
        | Need::Lz4Pages => Support::Yes,
    })
}

/// What a server with these limits does not support, where it depends on the server.
pub(crate) fn limited(need: &Need, limits: Limits) -> Support {
    match need {
        Need::AssumedInput if !limits.is_strict => {
            Support::Upstream("this server reads bad records as nulls, in silence")
        }
        Need::EmptyNames if !limits.has_empty_names => {
            Support::Upstream("this server takes no type with such a member")
        }
        Need::Exponents if !limits.is_exact => Support::Upstream(PLAIN_NUMBERS),
        _ => Support::Yes,
    }
}

/// Refuses a place whose name Spark would take for a pattern or a URL.
///
/// # Errors
/// A usage error.
pub(crate) fn refuse_place(path: &Path) -> Result<String> {
    let odd = |c: char| "{}[]*?\\:%#,".contains(c) || c.is_control();
    match path.to_str() {
        Some(text) if !text.contains(odd) => Ok(text.to_owned()),
        _ => Err(Error::usage("Spark would take this name for a pattern or a URL")
            .at(path.to_string_lossy(), None)
            .help(Hint::choose(
                "keep temporary files in a directory with a plain name",
                "temp_dir",
            ))),
    }
}

/// Refuses instants that the timestamps of Spark do not hold.
///
/// # Errors
/// A usage error.
pub(crate) fn refuse_finer(path: &str, data_type: &Type) -> Result<()> {
    match data_type {
        Type::Timestamp(TimeUnit::Nanos) | Type::Epoch(EpochUnit::Nanos) => {
            Err(Error::usage(format!(
                "the column {path} holds nanoseconds, and the timestamps of Spark microseconds"
            ))
            .help("write the rows with distil: Parquet has nanoseconds"))
        }
        Type::List(element) => refuse_finer(path, element),
        Type::Struct(fields) => fields.iter().try_for_each(|field| {
            refuse_finer(&format!("{path}.{}", field.name), &field.data_type)
        }),
        _ => Ok(()),
    }
}
