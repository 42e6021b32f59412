//! bzip2, xz and lz4: which bytes come out, and how a stream breaks.

#![expect(clippy::unwrap_used, reason = "tests may")]

mod support;

use std::io::Write;

use distil_plan::{Fault, InputCompression};
use distil_storage::{InputStream, WindowLimit};

use support::{broken, outcome, read_every_way, text, well};

fn bzip2(content: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn xz(content: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// A frame with everything that a frame may have, in blocks that refer to one another.
fn lz4(content: &[u8]) -> Vec<u8> {
    use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
    let info = FrameInfo::new()
        .block_mode(BlockMode::Linked)
        .block_size(BlockSize::Max64KB)
        .block_checksums(true)
        .content_checksum(true)
        .content_size(Some(content.len() as u64));
    let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn hex(text: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}

/// A name, how it is written, and what it says of a cut and of what follows.
type Format = (&'static str, fn(&[u8]) -> Vec<u8>, InputCompression);

const FORMATS: [Format; 3] = [
    ("bzip2", bzip2, InputCompression::Bzip2),
    ("xz", xz, InputCompression::Xz),
    ("lz4", lz4, InputCompression::Lz4),
];

#[test]
fn files_of_other_programs_are_read() {
    let lines = b"{\"id\":1}\n{\"id\":2}\n";
    // By the modules bz2 and lzma of Python 3, the latter with a check of 64 bits and with SHA-256, and by
    // lz4 1.10, with a content size and block checksums, and without.
    for file in [
        "425a683931415926535932984dda00000759800010100030100420000a2000212804fd50832621384f1a249c2fc5\
         dc914e14240ca6137680",
        "fd377a585a000004e6d6b4460200210116000000742fe5a30100117b226964223a317d0a7b226964223a327d0a00\
         0000fdd7b0104e161bc500012a124b0854bc1fb6f37d010000000004595a",
        "fd377a585a00000ae1fb0ca1020021011c00000010cf58cc0100117b226964223a317d0a7b226964223a327d0a00\
         0000c63f6dd68b68601e7315ea40d28bc34e55379e4fa65f82b1d32228429aeafcde00014212e4e97011189b4b9a\
         01000000000a595a",
        "04224d187c401200000000000000ce120000807b226964223a317d0a7b226964223a327d0a955359ad00000000955359ad",
        "04224d186440a7120000807b226964223a317d0a7b226964223a327d0a00000000955359ad",
    ] {
        assert_eq!(read_every_way(&hex(file)), well(lines), "{file}");
    }
}

#[test]
fn streams_follow_one_another_in_any_size() {
    for (name, pack, compression) in FORMATS {
        let of = |bytes: &[u8]| {
            let reader = Box::new(std::io::Cursor::new(bytes.to_vec()));
            InputStream::from_reader(reader, "-").unwrap().compression()
        };
        assert_eq!(of(&pack(b"")), compression);
        let (a, b) = (text(300_000), text(10));
        let streams = [pack(b""), pack(&a), pack(b""), pack(b""), pack(&b)].concat();
        assert!(read_every_way(&streams) == well(&[&a[..], &b].concat()), "{name}");
        assert_eq!(read_every_way(&pack(b"")), well(b""));
    }
    let one = xz(b"one");
    let after = |tail: &[u8]| read_every_way(&[&one[..], tail].concat());
    assert_eq!(after(&[0; 8]), well(b"one"));
    assert_eq!(after(&[&[0; 4], &one[..]].concat()), well(b"oneone"));
    let skipped = [&lz4(b"a")[..], b"\x50\x2a\x4d\x18\x03\0\0\0xyz", &lz4(b"b")].concat();
    assert_eq!(read_every_way(&skipped), well(b"ab"));
}

#[test]
fn a_cut_delivers_what_came_out_and_says_so() {
    for (name, pack, _) in FORMATS {
        let (a, b) = (text(200_000), text(150_000));
        let one = pack(&a);
        let cut = format!("the {name} stream is cut short");
        for left in [1, 2, 3] {
            let bytes = [&one[..], &pack(&b)[..left]].concat();
            assert!(read_every_way(&bytes) == broken(&a, &cut), "{name} after {left}");
        }
        let two = pack(&b);
        for left in [4, 10, two.len() / 2, two.len() - 1] {
            let (content, why) = read_every_way(&[&one[..], &two[..left]].concat());
            assert_eq!(why.as_deref(), Some(&*cut), "{name} after {left}");
            assert!(content.starts_with(&a) && b.starts_with(&content[a.len()..]), "{name}");
        }
        let garbage = format!("other bytes follow the end of the {name} stream");
        for tail in [&b"x"[..], b"{}\n", b"\0\0\0\0x", b"BZh0"] {
            let (content, why) = read_every_way(&[&one[..], tail].concat());
            assert!(content == a && why.as_deref() == Some(&*garbage), "{name} {why:?}");
        }
    }
    assert_eq!(read_every_way(b"BZh").0, b"BZh", "a text that only begins so");
}

#[test]
fn a_flipped_byte_never_goes_unseen_and_breaks_the_same_however_it_is_read() {
    for (name, pack, _) in FORMATS {
        let content = text(70_000);
        let whole = pack(&content);
        let step = (whole.len() / 60).max(1);
        for at in (0..whole.len()).step_by(step) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            let expected = outcome(&bytes, usize::MAX, 1 << 20);
            assert!(expected != well(&content), "{name} at {at}");
            for (step, size) in [(1, 4096), (usize::MAX, 7), (997, 65_536)] {
                assert!(outcome(&bytes, step, size) == expected, "{name} at {at}");
            }
        }
    }
}

#[test]
fn lz4_says_what_is_wrong() {
    let content = text(100_000);
    let whole = lz4(&content);
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        read_every_way(&bytes).1.unwrap()
    };
    let checksum = "the lz4 stream is corrupt: its checksum does not fit its content";
    assert_eq!(flipped(6), "the lz4 stream is corrupt: the checksum of its header does not fit");
    assert_eq!(flipped(40), checksum);
    assert_eq!(flipped(whole.len() - 1), checksum);
    assert_eq!(flipped(5), "the lz4 stream is corrupt: its header is invalid");
}

#[test]
fn a_dictionary_counts_against_the_limit_once_it_is_filled() {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 9);
    let content = text(1 << 16).repeat(32);
    encoder.write_all(&content).unwrap();
    let packed = encoder.finish().unwrap();
    let read = |bytes: &[u8], limit: u64| {
        let reader = Box::new(std::io::Cursor::new(bytes.to_vec()));
        let stream = InputStream::from_reader(reader, "big.xz").unwrap();
        let mut stream = stream.within(WindowLimit { bytes: limit, memory: 4 * limit });
        let mut buffer = vec![0; 1 << 20];
        let mut read = 0;
        loop {
            match stream.read(&mut buffer)? {
                0 => return Ok::<_, distil_plan::Error>(read),
                count => read += count,
            }
        }
    };
    let error = read(&packed, 1 << 20).unwrap_err();
    assert_eq!(error.fault, Fault::Environment);
    assert_eq!(
        error.to_string(),
        "big.xz: cannot decompress within the memory budget: it was compressed with a window of 64.0 MiB"
    );
    assert_eq!(error.hints[0].to_string(), "give the run more memory: memory = \"256MiB\"");
    assert_eq!(read(&packed, 64 << 20).unwrap(), content.len());
    // What asks for as much and is short needs little.
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 9);
    encoder.write_all(b"short").unwrap();
    assert_eq!(read(&encoder.finish().unwrap(), 1 << 20).unwrap(), 5);
}
