//! Reading inputs: which bytes come out, how a stream breaks, what a changed file gives.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests may")]

mod support;

use std::io::{Read, Write};
use std::path::Path;

use distil_plan::{Fault, InputCompression};
use distil_storage::{Disk, InputStream, Local, Memory, Storage};
use flate2::write::GzEncoder;

use support::{broken, drain, read_every_way, text, well};

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// One frame with a checksum.
fn zstd(content: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// A frame of one raw block, after the given bytes of a frame header.
fn raw_zstd(header: &[u8], content: &[u8]) -> Vec<u8> {
    let block = (u32::try_from(content.len()).unwrap() << 3) | 1;
    [&[0x28, 0xb5, 0x2f, 0xfd], header, &block.to_le_bytes()[..3], content].concat()
}

fn skippable(content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap();
    [&[0x5a, 0x2a, 0x4d, 0x18], &length.to_le_bytes()[..], content].concat()
}

const GZIP_CUT: &str = "the gzip stream is cut short";
const ZSTD_CUT: &str = "the zstd stream is cut short";
const GZIP_GARBAGE: &str = "other bytes follow the end of the gzip stream";
const ZSTD_GARBAGE: &str = "other bytes follow the end of the zstd stream";

#[test]
fn plain_bytes_pass_unchanged() {
    for length in [0, 1, 2, 3, 4, 5, 1000, 70_000] {
        let content = text(length);
        assert!(read_every_way(&content) == well(&content));
    }
    for nearly_compressed in
        [&b"\x1f"[..], b"\x1f\x8a....", b"\x28\xb5\x2f", b"P*M", b"\x00\x1f\x8b"]
    {
        assert_eq!(read_every_way(nearly_compressed), well(nearly_compressed));
    }
}

#[test]
fn compression_is_told_by_content() {
    let of = |bytes: Vec<u8>| {
        let reader = Box::new(std::io::Cursor::new(bytes));
        InputStream::from_reader(reader, "-").unwrap().compression()
    };
    assert_eq!(of(b"{}".to_vec()), InputCompression::None);
    assert_eq!(of(gzip(b"")), InputCompression::Gzip);
    assert_eq!(of(zstd(b"")), InputCompression::Zstd);
    assert_eq!(of(skippable(b"x")), InputCompression::Zstd);
}

#[test]
fn gzip_members_follow_one_another() {
    let (a, b) = (text(100_000), text(10));
    let members = [gzip(b""), gzip(&a), gzip(b""), gzip(b""), gzip(&b)].concat();
    assert!(read_every_way(&members) == well(&[&a[..], &b].concat()));
    assert_eq!(read_every_way(&gzip(b"")), well(b""));
}

#[test]
fn gzip_members_may_carry_names_comments_and_checked_headers() {
    let mut encoder = flate2::GzBuilder::new()
        .filename("a.json")
        .comment("c")
        .extra(vec![1, 2, 3])
        .write(Vec::new(), flate2::Compression::best());
    encoder.write_all(b"content").unwrap();
    assert_eq!(read_every_way(&encoder.finish().unwrap()), well(b"content"));
}

#[test]
fn zeros_behind_gzip_are_padding_and_anything_else_is_not() {
    let one = gzip(b"one");
    let after = |tail: &[u8]| read_every_way(&[&one[..], tail].concat());
    assert_eq!(after(&[0; 1]), well(b"one"));
    assert_eq!(after(&[0; 1000]), well(b"one"));
    assert_eq!(after(b"\0\0\0x"), broken(b"one", GZIP_GARBAGE));
    assert_eq!(after(&[&[0; 9], &one[..]].concat()), broken(b"one", GZIP_GARBAGE));
    assert_eq!(after(b"{}"), broken(b"one", GZIP_GARBAGE));
    assert_eq!(after(b"\x1fx"), broken(b"one", GZIP_GARBAGE));
    assert_eq!(after(b"\x1f"), broken(b"one", GZIP_CUT));
    assert_eq!(after(&zstd(b"two")), broken(b"one", GZIP_GARBAGE));
}

#[test]
fn gzip_that_is_wrong_says_what_is() {
    let corrupt = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = gzip(b"some content");
        change(&mut bytes);
        read_every_way(&bytes)
    };
    let length = gzip(b"some content").len();
    let told = |why: &str| Some(format!("the gzip stream is corrupt: {why}"));
    let whole = b"some content".to_vec();
    assert_eq!(
        corrupt(&|bytes| bytes[length - 8] ^= 1),
        (whole.clone(), told("its checksum does not fit its content"))
    );
    assert_eq!(
        corrupt(&|bytes| bytes[length - 1] ^= 1),
        (whole, told("its length does not fit its content"))
    );
    assert_eq!(corrupt(&|bytes| bytes[2] = 7), (vec![], told("its header is invalid")));
    assert_eq!(corrupt(&|bytes| bytes[3] = 0xe0), (vec![], told("its header is invalid")));
    assert_eq!(corrupt(&|bytes| bytes[10] = 7), (vec![], told("its data is invalid")));
}

#[test]
fn zstd_frames_follow_one_another_and_skippable_ones_are_skipped() {
    let (a, b) = (text(300_000), text(10));
    let frames = [skippable(b""), zstd(&a), zstd(b""), skippable(&a), zstd(&b), skippable(b"x")];
    assert!(read_every_way(&frames.concat()) == well(&[&a[..], &b].concat()));
    assert_eq!(read_every_way(&zstd(b"")), well(b""));
    assert_eq!(read_every_way(&skippable(b"only")), well(b""));
}

#[test]
fn windows_beyond_the_usual_are_read() {
    // 2^28 bytes, twice what a decoder allows by default.
    assert_eq!(read_every_way(&raw_zstd(&[0, 0x90], b"content")), well(b"content"));
}

#[test]
fn zstd_that_is_wrong_says_what_is() {
    let told = |why: &str| Some(format!("the zstd stream is corrupt: {why}"));
    let mut bytes = zstd(b"some content");
    *bytes.last_mut().unwrap() ^= 1;
    let checksum = "its checksum does not fit its content";
    assert_eq!(read_every_way(&bytes), (b"some content".to_vec(), told(checksum)));
    let window = raw_zstd(&[0, 0xf8], b"x");
    assert_eq!(read_every_way(&window), (vec![], told("it asks for a window over 2 GiB")));
    let dictionary = raw_zstd(&[1, 0x50, 7], b"x");
    assert_eq!(read_every_way(&dictionary), (vec![], told("it needs a dictionary")));
    let mut block = raw_zstd(&[0, 0x50], b"x");
    block[6] |= 0b110;
    assert_eq!(read_every_way(&block), (vec![], told("its data is invalid")));
    let one = zstd(b"one");
    for tail in [&b"{}"[..], b"\0", b"\x28\xb5\x2f\xfe", b"\x28\xb6", b"PP", &gzip(b"two")] {
        let bytes = [&one[..], tail].concat();
        assert_eq!(read_every_way(&bytes), broken(b"one", ZSTD_GARBAGE), "{tail:?}");
    }
    for tail in [&b"\x28"[..], b"\x28\xb5\x2f", b"P", b"\x5f\x2a\x4d", b"\x5f\x2a\x4d\x18"] {
        let bytes = [&one[..], tail].concat();
        assert_eq!(read_every_way(&bytes), broken(b"one", ZSTD_CUT), "{tail:?}");
    }
}

#[test]
fn the_blocks_before_a_bad_one_come_out() {
    let raw = |content: &[u8], kind: u32| {
        let header = (u32::try_from(content.len()).unwrap() << 3) | kind;
        [&header.to_le_bytes()[..3], content].concat()
    };
    let (a, b) = (text(100_000), text(5));
    let frame =
        |blocks: &[Vec<u8>]| [&[0x28, 0xb5, 0x2f, 0xfd, 0, 0x58][..], &blocks.concat()].concat();
    let why = "the zstd stream is corrupt: its data is invalid";
    let whole = [&a[..], &b].concat();
    // A reserved kind of block, and a compressed block of nonsense.
    for bad in [raw(b"zzzz", 6), raw(b"\xff\xff\xff\xff", 4)] {
        let bytes = frame(&[raw(&a, 0), raw(&b, 0), bad, raw(b"never", 1)]);
        let (found, broken) = read_every_way(&bytes);
        assert_eq!((found.len(), broken.as_deref()), (whole.len(), Some(why)));
        assert!(found == whole);
    }
    // An uncompressed block comes out byte by byte.
    let cut = frame(&[raw(&a, 0), raw(&b, 0), raw(b"never", 0)[..5].to_vec()]);
    let (found, broken) = read_every_way(&cut);
    assert_eq!(broken.as_deref(), Some(ZSTD_CUT));
    assert!(found == [&whole[..], b"ne"].concat());
}

/// Cuts at every byte: what comes out is a beginning of the content, and never less than before.
fn cut_everywhere(parts: &[(Vec<u8>, Vec<u8>)], magic: usize, why: &str) {
    let bytes = parts.iter().flat_map(|(encoded, _)| encoded.clone()).collect::<Vec<_>>();
    let content = parts.iter().flat_map(|(_, content)| content.clone()).collect::<Vec<_>>();
    let mut last = 0;
    for end in 0..=bytes.len() {
        let (found, broken) = read_every_way(&bytes[..end]);
        if end < magic {
            assert_eq!((found, broken), well(&bytes[..end]));
            continue;
        }
        assert!(content.starts_with(&found), "cut at {end}");
        assert!(found.len() >= last, "cut at {end}");
        last = found.len();
        // The parts that are whole are delivered; at their ends alone the stream is not broken.
        let (mut start, mut whole, mut at_boundary) = (0, 0, end == 0);
        for (encoded, content) in parts {
            start += encoded.len();
            if start <= end {
                whole += content.len();
                at_boundary |= start == end;
            }
        }
        assert!(found.len() >= whole, "cut at {end}");
        assert_eq!(broken.as_deref(), (!at_boundary).then_some(why), "cut at {end}");
    }
    assert_eq!(last, content.len());
}

#[test]
fn gzip_cut_at_any_byte_delivers_what_came_before() {
    let parts = [text(300), vec![], text(20)].map(|content| (gzip(&content), content));
    cut_everywhere(&parts, 2, GZIP_CUT);
}

#[test]
fn zstd_cut_at_any_byte_delivers_what_came_before() {
    let mut parts = [text(300), vec![], text(20)].map(|content| (zstd(&content), content)).to_vec();
    parts.insert(1, (skippable(b"skipped"), vec![]));
    cut_everywhere(&parts, 4, ZSTD_CUT);
}

#[test]
fn gzip_delivers_everything_flushed_before_a_cut() {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(b"flushed").unwrap();
    encoder.flush().unwrap();
    let end = encoder.get_ref().len();
    encoder.write_all(&text(1000)).unwrap();
    let bytes = encoder.finish().unwrap();
    assert_eq!(read_every_way(&bytes[..end]), broken(b"flushed", GZIP_CUT));
}

/// Flips every bit, one at a time: the outcome depends on no buffer, and other content than the
/// original never passes as whole.
fn flip_everywhere(bytes: &[u8], content: &[u8], magic: usize) {
    let mut found_whole = 0;
    for bit in magic * 8..bytes.len() * 8 {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let (found, broken) = read_every_way(&flipped);
        if broken.is_none() {
            assert_eq!(found, content, "bit {bit}");
            found_whole += 1;
        }
    }
    // The time stamp, and the like.
    assert!(found_whole < 100, "{found_whole} flips went unnoticed");
}

#[test]
fn a_flipped_bit_in_gzip_never_passes_as_whole() {
    let content = text(120);
    flip_everywhere(&gzip(&content), &content, 2);
}

#[test]
fn a_flipped_bit_in_zstd_never_passes_as_whole() {
    let content = text(120);
    flip_everywhere(&zstd(&content), &content, 4);
}

#[test]
fn a_corrupt_byte_in_long_streams_breaks_at_the_same_place_however_it_is_read() {
    let content = text(400_000);
    for bytes in [gzip(&content), zstd(&content)] {
        for place in 1..6 {
            let mut corrupt = bytes.clone();
            corrupt[bytes.len() * place / 6] ^= 0x10;
            let (found, broken) = read_every_way(&corrupt);
            assert!(broken.is_some());
            assert!(found != content);
        }
    }
}

#[test]
fn progress_counts_bytes_before_decompression() {
    let content = text(2_000_000);
    let bytes = gzip(&content);
    let memory = Memory::new();
    memory.put("/a", &bytes);
    let mut stream = InputStream::open(&memory, Path::new("/a")).unwrap();
    let mut last = stream.position();
    assert_eq!(last, 0);
    let mut buffer = vec![0; 100_000];
    for _ in 0..20 {
        assert_eq!(stream.read(&mut buffer).unwrap(), buffer.len());
        assert!(stream.position() > last);
        last = stream.position();
    }
    assert_eq!(stream.read(&mut buffer).unwrap(), 0);
    assert_eq!(stream.position(), bytes.len() as u64);
    assert_eq!(stream.size(), Some(bytes.len() as u64));
}

fn finish_after(content: &str, change: impl Fn(&Memory)) -> Result<(), String> {
    let memory = Memory::new();
    memory.put("/a", content);
    let mut stream = InputStream::open(&memory, Path::new("/a")).unwrap();
    let mut buffer = [0; 3];
    assert_eq!(stream.read(&mut buffer).unwrap(), 3);
    change(&memory);
    drain(&mut stream, 100);
    stream.finish(&memory).map_err(|error| {
        assert_eq!(error.fault, Fault::Input);
        assert_eq!(error.hints.len(), 1);
        error.to_string()
    })
}

#[test]
fn a_file_that_changes_while_it_is_read_fails_the_run() {
    let told = |what: &str| Err(format!("/a: the file {what} while it was read"));
    assert_eq!(finish_after("content", |_| {}), Ok(()));
    assert_eq!(finish_after("content", |m| m.put("/b", "other")), Ok(()));
    assert_eq!(finish_after("content", |m| m.put("/a", "CONTENT")), told("was modified"));
    assert_eq!(
        finish_after("content", |m| m.put("/a", "contents")),
        told("grew from 7 to 8 bytes")
    );
    assert_eq!(finish_after("content", |m| m.put("/a", "")), told("shrank from 7 to 0 bytes"));
    let remove = |m: &Memory| m.remove_file(Path::new("/a")).unwrap();
    assert_eq!(finish_after("content", remove), told("was removed"));
    let replace = |m: &Memory| {
        m.put("/b", "content");
        m.rename(Path::new("/b"), Path::new("/a")).unwrap();
    };
    assert_eq!(finish_after("content", replace), told("was replaced"));
}

#[test]
fn a_replaced_file_on_disk_is_noticed_although_the_open_one_is_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    std::fs::write(&path, "content").unwrap();
    let mut stream = InputStream::open(&Local, &path).unwrap();
    assert_eq!(drain(&mut stream, 100), well(b"content"));
    stream.finish(&Local).unwrap();
    std::fs::write(directory.path().join("b"), "content").unwrap();
    std::fs::rename(directory.path().join("b"), &path).unwrap();
    let error = stream.finish(&Local).unwrap_err();
    assert!(error.to_string().ends_with("a: the file was replaced while it was read"), "{error}");
}

#[test]
fn a_file_that_gives_more_or_less_than_its_size_fails_the_run() {
    // The size of what the kernel makes up is 0.
    let path = Path::new("/proc/version");
    let mut stream = InputStream::open(&Local, path).unwrap();
    let (content, _) = drain(&mut stream, 100_000);
    let error = stream.finish(&Local).unwrap_err();
    let gave = format!("gave {} bytes instead of 0 while it was read", content.len());
    assert_eq!(error.to_string(), format!("/proc/version: the file {gave}"));
    assert_eq!(error.fault, Fault::Input);
}

#[test]
fn what_can_not_be_opened_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let open = |name: &str| {
        let error = InputStream::open(&Local, &directory.path().join(name)).err().unwrap();
        assert_eq!(error.fault, Fault::Environment);
        error.to_string().replace(directory.path().to_str().unwrap(), "D")
    };
    assert_eq!(open("gone"), "D/gone: cannot open: No such file or directory");
    std::fs::create_dir(directory.path().join("d")).unwrap();
    assert_eq!(open("d"), "D/d: cannot open: Is a directory");
}

#[test]
fn a_pipe_is_an_input_without_size_and_stamp() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0)
        .unwrap();
    let content = text(500_000);
    let writer = std::thread::spawn({
        let (path, bytes) = (path.clone(), zstd(&content));
        move || std::fs::write(path, bytes)
    });
    let mut stream = InputStream::open(&Local, &path).unwrap();
    assert_eq!((stream.size(), stream.stamp()), (None, None));
    assert!(drain(&mut stream, 65_536) == well(&content));
    stream.finish(&Local).unwrap();
    writer.join().unwrap().unwrap();
}

#[test]
fn a_failing_reader_fails_the_read_with_its_name() {
    struct Failing(bool);
    impl Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if std::mem::replace(&mut self.0, true) {
                return Err(std::io::Error::from_raw_os_error(5));
            }
            buffer[..4].copy_from_slice(b"1234");
            Ok(4)
        }
    }
    let mut stream = InputStream::from_reader(Box::new(Failing(false)), "-").unwrap();
    assert_eq!(stream.read(&mut [0; 4]).unwrap(), 4);
    let error = stream.read(&mut [0; 4]).unwrap_err();
    assert_eq!(error.to_string(), "-: cannot read: Input/output error");
    assert_eq!(error.fault, Fault::Environment);
    let error = InputStream::from_reader(Box::new(Failing(true)), "-").err().unwrap();
    assert_eq!(error.to_string(), "-: cannot read: Input/output error");
}
