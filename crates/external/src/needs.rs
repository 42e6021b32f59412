//! Which needs are asked of a process by their words, and which are settled without it.

use distil_plan::{Need, Support};

/// Why no other parser than the native one takes values that are read otherwise than they stand.
const AS_IT_STANDS: &str =
    "another parser takes values as they stand; distil could hand on what it read";

/// What is known of every process, whatever it says; `None` for a need that it must name in
/// `supports` by [`Need::word`].
pub(crate) fn settled(need: &Need) -> Option<Support> {
    match need {
        Need::BadRecords => Some(Support::Never(
            "another parser passes over what is bad in silence, so only valid input gets there",
        )),
        Need::OpaquePath => Some(Support::Never("messages are JSON, which is UTF-8")),
        Need::Stores => Some(Support::Could(
            "a process reads and writes files; distil could fetch and bring them",
        )),
        Need::Parquet => {
            Some(Support::Could("rows come to a process as records, which every process reads"))
        }
        Need::Repair => Some(Support::Could(
            "it reads the files as they are; distil could write the mended records first",
        )),
        Need::SameBytes => {
            Some(Support::Never("another writer cuts, encodes and compresses pages in its own way"))
        }
        Need::Respelled => Some(Support::Could(AS_IT_STANDS)),
        // The least that is asked of a process (docs/backends.md): there is no word to leave out.
        Need::AssumedInput
        | Need::WholeFile(_)
        | Need::Levels(_)
        | Need::LeafColumns(_)
        | Need::EmptyNames
        | Need::Exponents => Some(Support::Yes),
        Need::Gzip
        | Need::Zstd
        | Need::Bzip2
        | Need::Xz
        | Need::Lz4
        | Need::Lines
        | Need::Concatenated
        | Need::Array
        | Need::Document
        | Need::Records
        | Need::Hive
        | Need::Origin
        | Need::Type(_)
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
        | Need::MaxFileBytes
        | Need::Bloom
        | Need::ZstdPages
        | Need::SnappyPages
        | Need::Lz4Pages => None,
    }
}

/// Whether a process that says it supports these words supports this one.
pub(crate) fn support(need: &Need, supports: &[String]) -> Support {
    if supports.contains(&need.word()) {
        Support::Yes
    } else {
        Support::Could("the process does not name it in `supports`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that a process may leave out of `supports`.
    const ASKED: [Need; 31] = [
        Need::Gzip,
        Need::Zstd,
        Need::Bzip2,
        Need::Xz,
        Need::Lz4,
        Need::Lines,
        Need::Concatenated,
        Need::Array,
        Need::Document,
        Need::Records,
        Need::Hive,
        Need::Origin,
        Need::Type("NAME"),
        Need::IgnoreExtra,
        Need::KeepExtra,
        Need::NoKey,
        Need::RecordKey,
        Need::NestedKey,
        Need::NullKeys,
        Need::KeepLast,
        Need::Columns,
        Need::Dropped,
        Need::Directory,
        Need::MaxFileRows,
        Need::MaxFileBytes,
        Need::Bloom,
        Need::ZstdPages,
        Need::SnappyPages,
        Need::Lz4Pages,
        Need::Type("list"),
        Need::Type("decimal"),
    ];

    #[test]
    fn what_is_asked_of_a_process_is_documented_and_refused_without_its_word() {
        let document = include_str!("../../../docs/backends.md");
        for need in ASKED {
            let word = need.word();
            assert!(document.contains(&format!("`{word}`")), "{word} is not documented");
            assert_eq!(settled(&need), None);
            assert!(support(&need, std::slice::from_ref(&word)).is_yes());
            assert!(!support(&need, &["columns2".to_owned()]).is_yes());
        }
    }
}
