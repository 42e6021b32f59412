//! Records into files: shapes, blanks, bad text, damage, compression.

use std::io::Write;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::spelling::Spelling;
use super::values::Json;
use crate::suite::Files;

/// Text that is no record, or that breaks what is around it.
pub(super) const BAD: &[&[u8]] = &[
    b"1",
    b"null",
    b"\"x,]}\"",
    b"[]",
    b"[{\"k\":1}]",
    b"nope",
    b"{\"k\":1,}",
    b"{\"k\":01}",
    b"{\"k\":NaN}",
    b"{'k':1}",
    b"{\"k\":1,\"k\":1}",
    b"{\"z\":{\"k\":1,\"\\u006b\":2}}",
    b"{\"k\":\"\\ud800\"}",
    b"{\"k\":1,\"m\":[NaN,-Infinity,{\"x\":+inf}]}",
    b"{\"k\":2,\"m\":\"a\\udc00\\ud83d\\ude00\\ud83d\"}",
    b"{\"m\":{\"x\":1,\"x\":{\"y\":1,\"y\":2}},\"k\":1,\"m\":nan,\"m\":{\"x\":3,\"\\ud800\":4,\"\\udfff\":5}}",
    b"{\"k\":1,\"m\":NaN,\"z\":01}",
    b"{\"k\":\"\xff\"}",
    b"{\"k\":1e1000000000}",
    b"{\"k\":[1}}",
    b"{\"k\" 1}",
    b"\xef\xbb\xbf{\"k\":1}",
    b"{\"k\":\"\t\"}",
    b"-",
    b":",
    b"{\"records\":[{\"k\":1}]}",
];

/// Text that breaks an array or a document.
pub(super) const BREAKING: &[&[u8]] =
    &[b"{\"k\":1", b"]", b"}", b",", b"\"open", b"{\"k\":1} x", b"{\"k\":1}}"];

/// The shape of a generated file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileShape {
    /// `lines`
    Lines,
    /// `array`
    Array,
    /// `document:/records`
    Document,
    /// `concatenated`
    Concatenated,
}

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packed {
    /// Not at all.
    Plain,
    /// gzip, as two members.
    Gzip,
    /// zstd, as two frames.
    Zstd,
    /// gzip without its last eight bytes.
    CutGzip,
    /// bzip2, as two streams.
    Bzip2,
    /// xz, as two streams.
    Xz,
    /// lz4, as two frames.
    Lz4,
    /// xz without its last thirty bytes.
    CutXz,
    /// lz4 without its last four bytes.
    CutLz4,
}

/// How records become files.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The files; at least one.
    pub files: Vec<FileLayout>,
    /// The file of every record.
    pub placement: Vec<usize>,
    /// Whether all files have the shape of the first, and the plan says so.
    pub told: bool,
    /// Whether directories give columns.
    pub hive: bool,
}

/// How a file is written.
#[derive(Clone, Debug)]
pub struct FileLayout {
    /// Its shape.
    pub shape: FileShape,
    /// Blanks and escapes.
    pub seed: u64,
    /// Bad text, and after how many records it stands.
    pub bad: Vec<(usize, &'static [u8])>,
    /// Members beside the array of a document.
    pub beside: Vec<&'static str>,
    /// A mark at the start.
    pub mark: bool,
    /// Bytes that are cut off at the end.
    pub cut: usize,
    /// Text after the end.
    pub behind: &'static str,
    /// Compression.
    pub packed: Packed,
    /// Whether its name says that it holds JSON.
    pub named: bool,
    /// The directories that it lies in, where these give columns.
    pub directories: &'static str,
}

/// Directories that give columns.
const DIRECTORIES: [&str; 6] =
    ["", "day=1/", "day=a%20b/k=1/", "k=__HIVE_DEFAULT_PARTITION__/", "d/day=/", "k=2/v=1/"];

/// Layouts of `count` records.
pub fn layout(count: usize) -> impl Strategy<Value = Layout> {
    let told = prop_oneof![2 => Just(false), 1 => Just(true)];
    let hive = prop_oneof![5 => Just(false), 1 => Just(true)];
    (vec(file(), 1..4), told, hive).prop_flat_map(move |(files, told, hive)| {
        let placement = vec(0..files.len(), count);
        (Just(files), placement).prop_map(move |(files, placement)| Layout {
            files,
            placement,
            told,
            hive,
        })
    })
}

fn file() -> impl Strategy<Value = FileLayout> {
    let shape = select(vec![
        FileShape::Lines,
        FileShape::Array,
        FileShape::Document,
        FileShape::Concatenated,
    ]);
    let text = prop_oneof![6 => select(BAD), 1 => select(BREAKING)];
    let bad = prop_oneof![3 => Just(vec![]), 1 => vec((0usize..12, text), 1..3)];
    let member =
        select(vec!["\"v\":1", "\"w\":[{\"records\":[]},\"]\"]", "\"v\":{\"\\u0061\":null}"]);
    let seed = (0u64..100).prop_map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mark = prop_oneof![9 => Just(false), 1 => Just(true)];
    let cut = prop_oneof![12 => Just(0usize), 1 => 1usize..30];
    let behind = prop_oneof![12 => Just(""), 2 => Just(" \r\n"), 1 => Just("{\"k\":0}"), 1 => Just(","), 1 => Just("[{\"k\":0}]")];
    let named = prop_oneof![29 => Just(true), 1 => Just(false)];
    let name = (named, select(DIRECTORIES.to_vec()));
    (shape, seed, bad, vec(member, 0..3), mark, cut, behind, Packed::any(), name).prop_map(
        |(shape, seed, bad, beside, mark, cut, behind, packed, (named, directories))| FileLayout {
            shape,
            seed,
            bad,
            beside,
            mark,
            cut,
            behind,
            packed,
            named,
            directories,
        },
    )
}

impl Layout {
    /// The layout without bad text and damage, every shape found by itself.
    #[must_use]
    pub fn sound(&self) -> Self {
        let whole = |file: &FileLayout| FileLayout {
            bad: vec![],
            cut: 0,
            behind: "",
            packed: match file.packed {
                Packed::CutGzip => Packed::Gzip,
                Packed::CutXz => Packed::Xz,
                Packed::CutLz4 => Packed::Lz4,
                other => other,
            },
            ..file.clone()
        };
        Self {
            files: self.files.iter().map(whole).collect(),
            placement: self.placement.clone(),
            told: false,
            hive: false,
        }
    }

    /// The files of these records.
    pub fn files(&self, rows: &[Json]) -> Files {
        let mut files = Files::new();
        // Documents among others are an error, which is tried, but not in most cases.
        let is_apart = |shape| matches!(shape, FileShape::Lines | FileShape::Concatenated);
        let tells = self.files.iter().any(|file| is_apart(file.shape))
            && !self.files[0].seed.is_multiple_of(8);
        for (at, file) in self.files.iter().enumerate() {
            let shape = match file.shape {
                _ if self.told => self.files[0].shape,
                FileShape::Document if tells => FileShape::Array,
                shape => shape,
            };
            let placed = rows.iter().zip(&self.placement).filter(|(_, place)| **place == at);
            let rows: Vec<&Json> = placed.map(|(row, _)| row).collect();
            let ending = if file.named { "json" } else { "data" };
            let directories = if self.hive { file.directories } else { "" };
            let name = format!("{directories}{at}.{ending}");
            files.push((name, file.content(shape, &rows)));
        }
        files
    }
}

impl FileLayout {
    fn content(&self, shape: FileShape, rows: &[&Json]) -> Vec<u8> {
        let mut spelling = Spelling::new(self.seed, shape != FileShape::Lines);
        let mut parts: Vec<Vec<u8>> = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            parts.extend(self.bad.iter().filter(|(place, _)| *place == at).map(|b| b.1.to_vec()));
            let mut text = String::new();
            spelling.write(row, &mut text);
            if shape == FileShape::Concatenated && at == 0 {
                // Without a line feed in its first value such a file counts as lines.
                text.insert(1, '\n');
            }
            parts.push(text.into_bytes());
        }
        parts.extend(self.bad.iter().filter(|(at, _)| *at >= rows.len()).map(|b| b.1.to_vec()));
        let mut out = Vec::new();
        if self.mark {
            out.extend("\u{feff}".bytes());
        }
        let (open, between, close) = match shape {
            FileShape::Lines => ("", "\n", "\n"),
            FileShape::Concatenated => ("", "", ""),
            FileShape::Array => ("[", ",", "]"),
            FileShape::Document => ("{\"records\":[", ",", "]"),
        };
        let (before, after) = self.beside.split_at(self.beside.len() / 2);
        if shape == FileShape::Document && !before.is_empty() {
            out.extend(format!("{{{},{}", before.join(","), &open[1..]).bytes());
        } else {
            out.extend(open.bytes());
        }
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                out.extend(between.bytes());
            }
            out.extend(spelling.blank().bytes());
            out.extend(part);
            out.extend(spelling.blank().bytes());
        }
        out.extend(close.bytes());
        if shape == FileShape::Document {
            for member in after {
                out.extend(format!(",{member}").bytes());
            }
            out.extend(b"}");
        }
        out.extend(self.behind.bytes());
        out.truncate(out.len().saturating_sub(self.cut));
        self.packed.pack(out)
    }
}

impl Packed {
    /// Plain for most files, or compressed and perhaps cut.
    pub(super) fn any() -> impl Strategy<Value = Self> {
        prop_oneof![
            8 => Just(Self::Plain),
            1 => Just(Self::Gzip),
            1 => Just(Self::Zstd),
            1 => Just(Self::CutGzip),
            1 => select(vec![Self::Bzip2, Self::Xz, Self::Lz4, Self::CutXz, Self::CutLz4]),
        ]
    }

    /// The content as a file.
    pub(super) fn pack(self, content: Vec<u8>) -> Vec<u8> {
        let (one, two) = content.split_at(content.len() / 2);
        let gzip = |part: &[u8]| {
            let mut gzip =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            gzip.write_all(part).unwrap();
            gzip.finish().unwrap()
        };
        match self {
            Self::Plain => content,
            Self::Gzip => [gzip(one), gzip(two)].concat(),
            Self::Zstd => {
                [zstd::encode_all(one, 1).unwrap(), zstd::encode_all(two, 1).unwrap()].concat()
            }
            Self::CutGzip => {
                let mut bytes = gzip(&content);
                bytes.truncate(bytes.len() - 8);
                bytes
            }
            Self::Bzip2 => [bzip2(one), bzip2(two)].concat(),
            Self::Xz => [xz(one), xz(two)].concat(),
            Self::Lz4 => [lz4(one), lz4(two)].concat(),
            Self::CutXz => {
                let mut bytes = xz(&content);
                bytes.truncate(bytes.len() - 30);
                bytes
            }
            Self::CutLz4 => {
                let mut bytes = lz4(&content);
                bytes.truncate(bytes.len() - 4);
                bytes
            }
        }
    }
}

/// A stream of bzip2.
pub fn bzip2(content: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// A stream of xz.
pub fn xz(content: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// A frame of lz4: blocks of 64 KiB that refer to one another, and checksums.
pub fn lz4(content: &[u8]) -> Vec<u8> {
    use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
    let info = FrameInfo::new()
        .block_mode(BlockMode::Linked)
        .block_size(BlockSize::Max64KB)
        .block_checksums(true)
        .content_checksum(true);
    let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}
