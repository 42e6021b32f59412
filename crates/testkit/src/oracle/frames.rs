//! Compression (1.2), shapes and frames (1.4, 1.5), on whole files.
//!
//! It is read beside those sections, from the first rule to the last, and so it is one file.

use std::io::Read;

use distil_plan::{InputCompression, Plan, Shape};
use flate2::{Decompress, FlushDecompress, Status};

use super::json::{Broken, Parser, Value};
use super::paths;

/// What a file holds, before anything is known of its records.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Framed {
    /// How it was compressed.
    pub compression: InputCompression,
    /// The shape that it was read as; never `auto`.
    pub shape: Shape,
    /// The decompressed content.
    pub content: Vec<u8>,
    /// Offset and length of every whole frame.
    pub frames: Vec<(usize, usize)>,
    /// Where the bad range begins that ends with the file.
    pub broken_at: Option<usize>,
    /// Where bad ranges begin and end that do not.
    pub broken: Vec<(usize, usize)>,
    /// For every frame under a path the members that its record gets.
    pub added: Vec<Vec<(String, Value)>>,
    /// Values without records at the path.
    pub without: u64,
    /// Nulls among the records.
    pub holes: u64,
    /// Members beside the array, or beside the records of the first value.
    pub ignored_members: Vec<String>,
    /// Whether the compression broke.
    pub cut: bool,
}

impl Framed {
    /// The members that the record of a frame gets.
    pub fn added(&self, frame: usize) -> &[(String, Value)] {
        self.added.get(frame).map_or(&[], Vec::as_slice)
    }
}

/// An error of the file: one sentence that says which.
pub type FileError = String;

/// Decompresses a file and finds the frames of its records by what a plan that was checked says of them.
pub fn records(bytes: &[u8], plan: &Plan) -> Result<Framed, FileError> {
    let Some(path) = &plan.records else { return frames(bytes, &plan.shape) };
    let (compression, content, cut) = decompress(bytes);
    let start = text_start(&content)?;
    if plan.shape == Shape::Auto
        && let Some(what) = another_text(&content[start..])
    {
        return Err(what.into());
    }
    paths::records(Framed { compression, content, cut, ..Framed::default() }, start, path, plan)
}

/// Decompresses a file and finds its frames.
pub fn frames(bytes: &[u8], shape: &Shape) -> Result<Framed, FileError> {
    let (compression, content, cut) = decompress(bytes);
    let start = text_start(&content)?;
    if *shape == Shape::Auto
        && let Some(what) = another_text(&content[start..])
    {
        return Err(what.into());
    }
    let shape = match shape {
        Shape::Auto => auto(&content, start),
        given => given.clone(),
    };
    let mut walk = Walk { text: &content, at: start, cut, frames: vec![], ignored: vec![] };
    let broken_at = match &shape {
        Shape::Lines => walk.lines(),
        Shape::Concatenated => walk.concatenated(),
        Shape::Array => walk.whole_array()?,
        Shape::Document(path) => walk.document(path)?,
        Shape::Auto => unreachable!(),
    };
    let Walk { frames, ignored: ignored_members, .. } = walk;
    // A break of the compression is a break of the file, wherever the shape got to.
    let broken_at = broken_at.or(cut.then_some(content.len()));
    Ok(Framed {
        compression,
        shape,
        content,
        frames,
        broken_at,
        ignored_members,
        cut,
        ..Framed::default()
    })
}

/// Where the text begins: behind a mark.
fn text_start(content: &[u8]) -> Result<usize, FileError> {
    if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, 0, 0xfe, 0xff, ..] = *content {
        return Err("UTF-16 or UTF-32 by its mark".into());
    }
    match *content {
        [0, b, ..] | [b, 0, ..] if b != 0 => return Err("UTF-16 or UTF-32 by its zeros".into()),
        [0, 0, 0, b, ..] if b != 0 => return Err("UTF-32 by its zeros".into()),
        _ => {}
    }
    if let Some((_, what)) = FORMATS.iter().find(|(magic, _)| content.starts_with(magic)) {
        return Err((*what).into());
    }
    Ok(if content.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 })
}

/// The content, and whether the stream broke or was cut.
pub fn decompress(bytes: &[u8]) -> (InputCompression, Vec<u8>, bool) {
    let mut content = Vec::new();
    let skippable = |b: &[u8]| matches!(b, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]);
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let cut = !gunzip(bytes, &mut content);
        return (InputCompression::Gzip, content, cut);
    }
    if bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) || skippable(bytes) {
        let cut = match zstd::stream::read::Decoder::new(bytes) {
            Ok(mut decoder) => {
                // Windows of any size: the library has a limit of its own for those who give none.
                decoder.window_log_max(31).unwrap();
                drain(decoder, &mut content).is_err()
            }
            Err(_) => true,
        };
        return (InputCompression::Zstd, content, cut);
    }
    if matches!(bytes, [b'B', b'Z', b'h', b'1'..=b'9', ..]) {
        let cut = !bunzip(bytes, &mut content);
        return (InputCompression::Bzip2, content, cut);
    }
    if bytes.starts_with(b"\xfd7zXZ\0") {
        let cut = !unxz(bytes, &mut content);
        return (InputCompression::Xz, content, cut);
    }
    if bytes.starts_with(LZ4) {
        let cut = !unlz4(bytes, &mut content);
        return (InputCompression::Lz4, content, cut);
    }
    (InputCompression::None, bytes.to_vec(), false)
}

/// What a frame of lz4 begins with.
const LZ4: &[u8] = b"\x04\x22\x4d\x18";

/// As [`gunzip`], for the streams of a bzip2 file; nothing may follow them.
fn bunzip(mut bytes: &[u8], content: &mut Vec<u8>) -> bool {
    while !bytes.is_empty() {
        if !matches!(bytes, [b'B', b'Z', b'h', b'1'..=b'9', ..]) {
            return false;
        }
        let mut stream = bzip2::Decompress::new(false);
        loop {
            let before = (stream.total_in(), stream.total_out());
            let mut byte = [0];
            let status = stream.decompress(&bytes[before.0 as usize..], &mut byte);
            if stream.total_out() > before.1 {
                content.push(byte[0]);
            }
            match status {
                Ok(bzip2::Status::StreamEnd) => break,
                Ok(_) if before != (stream.total_in(), stream.total_out()) => {}
                Ok(_) | Err(_) => return false,
            }
        }
        bytes = &bytes[stream.total_in() as usize..];
    }
    true
}

/// As [`gunzip`], for the streams of an xz file; zeros may follow each, in fours.
fn unxz(mut bytes: &[u8], content: &mut Vec<u8>) -> bool {
    use liblzma::stream::{Action, Status, Stream};
    while !bytes.is_empty() {
        if let Some(rest) = bytes.strip_prefix(&[0; 4]) {
            bytes = rest;
            continue;
        }
        if !bytes.starts_with(b"\xfd7zXZ\0") {
            return false;
        }
        let mut stream = Stream::new_stream_decoder(u64::MAX, 0).unwrap();
        loop {
            let before = (stream.total_in(), stream.total_out());
            let mut byte = [0];
            let status = stream.process(&bytes[before.0 as usize..], &mut byte, Action::Run);
            if stream.total_out() > before.1 {
                content.push(byte[0]);
            }
            match status {
                Ok(Status::StreamEnd) => break,
                Ok(_) if before != (stream.total_in(), stream.total_out()) => {}
                Ok(_) | Err(_) => return false,
            }
        }
        bytes = &bytes[stream.total_in() as usize..];
    }
    true
}

/// As [`gunzip`], for the frames of an lz4 file, skippable ones among them.
fn unlz4(mut bytes: &[u8], content: &mut Vec<u8>) -> bool {
    while !bytes.is_empty() {
        if let [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d, rest @ ..] = bytes {
            let length = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
            let Some(rest) = rest.get(length..) else { return false };
            bytes = rest;
            continue;
        }
        if !bytes.starts_with(LZ4) {
            return false;
        }
        let mut frame = lz4_flex::frame::FrameDecoder::new(bytes);
        if drain(&mut frame, content).is_err() {
            return false;
        }
        bytes = frame.into_inner();
    }
    true
}

/// Decodes the members of a gzip file byte by byte, zeros after them ignored; false where they break
/// off. What the decoder counts came out before a break, even where it gives an error instead.
fn gunzip(mut bytes: &[u8], content: &mut Vec<u8>) -> bool {
    while bytes.iter().any(|byte| *byte != 0) {
        let mut member = Decompress::new_gzip(15);
        loop {
            let before = (member.total_in(), member.total_out());
            let mut byte = [0];
            let status =
                member.decompress(&bytes[before.0 as usize..], &mut byte, FlushDecompress::None);
            if member.total_out() > before.1 {
                content.push(byte[0]);
            }
            match status {
                Ok(Status::StreamEnd) => break,
                Ok(_) if before != (member.total_in(), member.total_out()) => {}
                Ok(_) | Err(_) => return false,
            }
        }
        bytes = &bytes[member.total_in() as usize..];
    }
    true
}

/// Reads byte by byte: a decoder that meets a break hides what it had put into the same buffer before.
fn drain(mut decoder: impl Read, content: &mut Vec<u8>) -> std::io::Result<()> {
    let mut byte = [0];
    while decoder.read(&mut byte)? == 1 {
        content.push(byte[0]);
    }
    Ok(())
}

/// Formats that are told by their first bytes, whatever the shape.
const FORMATS: [(&[u8], &str); 6] = [
    (b"PAR1", "Parquet"),
    (b"PK\x03\x04", "a zip archive"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"Obj\x01", "Avro"),
    (b"%PDF-", "a PDF document"),
    (b"\x02\x21\x4c\x18", "lz4 in its legacy format"),
];

/// What a text is instead of JSON, under `auto`.
fn another_text(content: &[u8]) -> Option<&'static str> {
    let begin = content.iter().position(|byte| !is_blank(*byte))?;
    let beginning = &content[begin..content.len().min(begin + (64 << 10))];
    if beginning[0] == b'{' || beginning[0] == b'[' && !is_label(beginning) {
        return None;
    }
    let lines: Vec<&[u8]> = beginning
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty())
        .collect();
    let first = lines[0];
    let is_script = is_script(first);
    let opens = matches!(first.last(), Some(b'{' | b'['));
    let is_log = beginning[0] == b'[';
    let may_be_a_record = |line: &&[u8]| match line[0] {
        b'{' => line.len() > 1,
        b'[' => line.len() > 1 && !is_log,
        _ => false,
    };
    if !(is_script && opens) && lines[1..].iter().any(may_be_a_record) {
        return None;
    }
    let text = String::from_utf8_lossy(first).to_lowercase();
    let has_prefix = |line: &&[u8]| {
        line[0] != b'"' && line.ends_with(b"}") && line.windows(2).any(|two| two == b"{\"")
    };
    if is_script {
        Some("JavaScript")
    } else if text.starts_with("<!doctype html") || text.starts_with("<html") {
        Some("HTML")
    } else if first[0] == b'<'
        && first.get(1).is_some_and(|b| b"?!".contains(b) || b.is_ascii_alphabetic())
    {
        Some("XML")
    } else if first[0] == 0x1e {
        Some("a JSON text sequence")
    } else if first.starts_with(b"ORC") && first.get(3).is_none_or(|byte| !byte.is_ascii_graphic())
    {
        Some("ORC")
    } else if is_log || has_prefix(&first) {
        Some("text before their JSON")
    } else if is_table(&lines) {
        Some("its first line is")
    } else if lines.iter().any(has_prefix) {
        Some("text before their JSON")
    } else {
        None
    }
}

/// Whether a line begins with text in brackets that is no array of records, and has a brace behind it.
fn is_label(text: &[u8]) -> bool {
    let line = text.split(|byte| *byte == b'\n').next().unwrap();
    let Some(end) = line.iter().position(|byte| *byte == b']') else { return false };
    let inside = &line[1..end];
    !inside.trim_ascii().is_empty()
        && !inside.iter().any(|byte| b"{[\"".contains(byte))
        && line[end..].contains(&b'{')
}

/// Whether a line gives a name to a value: `window.data = [`.
fn is_script(line: &[u8]) -> bool {
    let Some(equals) = line.iter().position(|byte| *byte == b'=') else { return false };
    let (name, value) = (&line[..equals], line[equals + 1..].trim_ascii_start());
    name.first().is_some_and(|b| b.is_ascii_alphabetic() || b"_$".contains(b))
        && name.iter().all(|b| b.is_ascii_alphanumeric() || b"_$.[]'\" \t".contains(b))
        && matches!(value.first(), Some(b'{' | b'['))
}

/// Whether the first ten lines, the last of them left out if there are so many, have as many fields.
fn is_table(lines: &[&[u8]]) -> bool {
    let lines = if lines.len() < 10 { lines } else { &lines[..9] };
    [b',', b'\t', b';', b'|'].iter().any(|separator| {
        let fields = |line: &[u8]| {
            let outside = line.split(|byte| *byte == b'"').step_by(2);
            outside.map(|part| part.iter().filter(|byte| *byte == separator).count()).sum::<usize>()
        };
        fields(lines[0]) > 0 && lines.iter().all(|line| fields(line) == fields(lines[0]))
    })
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

fn auto(text: &[u8], start: usize) -> Shape {
    let mut parser = Parser::new(text, start);
    match parser.peek() {
        Some(b'[') if !is_label(&text[parser.at..text.len().min(parser.at + (64 << 10))]) => {
            return Shape::Array;
        }
        Some(b'{') => {}
        _ => return Shape::Lines,
    }
    let open = parser.at;
    let (end, closes) = match find_records(&mut parser) {
        Ok(true) => return Shape::Document(vec!["records".into()]),
        Ok(false) => (parser.at, true),
        Err(broken) => (broken.at, false),
    };
    // Two objects with nothing between them stand on no lines of their own.
    let adjoins = closes && text.get(end) == Some(&b'{');
    if adjoins || text[open..end].contains(&b'\n') { Shape::Concatenated } else { Shape::Lines }
}

/// Walks the members of the object at which the parser stands, up to `records` with an array.
fn find_records(parser: &mut Parser<'_>) -> Result<bool, Broken> {
    parser.mark(b'{')?;
    if parser.peek() == Some(b'}') {
        parser.at += 1;
        return Ok(false);
    }
    loop {
        let name = parser.name()?;
        if name == "records" && parser.peek() == Some(b'[') {
            return Ok(true);
        }
        parser.value(2)?;
        if parser.more(b'}')? {
            return Ok(false);
        }
    }
}

pub(super) struct Walk<'a> {
    pub(super) text: &'a [u8],
    pub(super) at: usize,
    /// Whether more was to come after the text.
    pub(super) cut: bool,
    pub(super) frames: Vec<(usize, usize)>,
    pub(super) ignored: Vec<String>,
}

/// Where the bad range begins, if there is one.
type BrokenAt = Option<usize>;

impl Walk<'_> {
    fn lines(&mut self) -> BrokenAt {
        while self.at < self.text.len() {
            let rest = &self.text[self.at..];
            let (line, ended) = match rest.iter().position(|b| *b == b'\n') {
                Some(end) => (&rest[..end], true),
                None => (rest, false),
            };
            let blanks = line.iter().take_while(|b| is_blank(**b)).count();
            let trailing = line.iter().rev().take_while(|b| is_blank(**b)).count();
            if blanks < line.len() {
                if !ended && self.cut {
                    return Some(self.at + blanks);
                }
                self.frames.push((self.at + blanks, line.len() - blanks - trailing));
            }
            self.at += line.len() + 1;
        }
        None
    }

    fn concatenated(&mut self) -> BrokenAt {
        while let Some(byte) = self.peek() {
            if b",:]}".contains(&byte) {
                return Some(self.at);
            }
            let start = self.at;
            if !self.frame() {
                return Some(start);
            }
        }
        None
    }

    /// The records of the array at whose bracket the walk stands; ends after the closing one.
    fn array(&mut self) -> BrokenAt {
        self.at += 1;
        if self.peek() == Some(b']') {
            self.at += 1;
            return None;
        }
        loop {
            let start = match self.peek() {
                Some(byte) if !b",]}".contains(&byte) => self.at,
                _ => return Some(self.at),
            };
            if !self.frame() {
                return Some(start);
            }
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return None;
                }
                _ => return Some(self.at),
            }
        }
    }

    fn whole_array(&mut self) -> Result<BrokenAt, FileError> {
        match self.peek() {
            Some(b'[') => {}
            None if self.cut => return Ok(Some(self.at)),
            _ => return Err("no array".into()),
        }
        if let Some(broken) = self.array() {
            return Ok(Some(broken));
        }
        match self.peek() {
            Some(b'[') => Err("another array follows".into()),
            other => Ok(other.map(|_| self.at)),
        }
    }

    fn document(&mut self, path: &[String]) -> Result<BrokenAt, FileError> {
        match self.peek() {
            Some(b'{') => {}
            None if self.cut => return Ok(Some(self.at)),
            _ => return Err("no object".into()),
        }
        match self.object_on_the_way(path, 1)? {
            Some(broken) => return Ok(Some(broken)),
            None if self.peek().is_some() => return Err("more than blanks after it".into()),
            None => {}
        }
        Ok(None)
    }

    /// Walks an object that must lead to the array.
    fn object_on_the_way(&mut self, path: &[String], level: usize) -> Result<BrokenAt, FileError> {
        let mut found = false;
        self.at += 1;
        if self.peek() == Some(b'}') {
            return Err("no array at the path".into());
        }
        loop {
            let mut parser = Parser::new(self.text, self.at);
            let name = match parser.name() {
                Ok(name) => name,
                Err(broken) => return Ok(Some(self.break_at(broken))),
            };
            if name == path[0] {
                if found {
                    return Err("a second member under the path".into());
                }
                found = true;
                self.at = parser.at;
                let last = path.len() == 1;
                let broken = match self.peek() {
                    Some(b'[') if last => self.array(),
                    Some(b'{') if !last => self.object_on_the_way(&path[1..], level + 1)?,
                    None => Some(self.at),
                    Some(_) => return Err("no array at the path".into()),
                };
                if broken.is_some() {
                    return Ok(broken);
                }
            } else {
                if let Err(broken) = parser.value(level + 1) {
                    return Ok(Some(self.break_at(broken)));
                }
                self.at = parser.at;
                if !self.ignored.contains(&name) {
                    self.ignored.push(name);
                }
            }
            let mut parser = Parser::new(self.text, self.at);
            match parser.more(b'}') {
                Ok(closed) => {
                    self.at = parser.at;
                    if closed && !found {
                        return Err("no array at the path".into());
                    }
                    if closed {
                        return Ok(None);
                    }
                }
                Err(broken) => return Ok(Some(self.break_at(broken))),
            }
        }
    }

    /// Where text beside the array breaks: a run of bytes that ends with the file is unfinished.
    pub(super) fn break_at(&self, broken: Broken) -> usize {
        let is_run = |b: &&u8| !is_blank(**b) && !b"\"{}[]:,".contains(b);
        match broken.at == self.text.len() {
            true => broken.at - self.text.iter().rev().take_while(is_run).count(),
            false => broken.at,
        }
    }

    /// Skips blanks; the next byte.
    pub(super) fn peek(&mut self) -> Option<u8> {
        while self.at < self.text.len() && is_blank(self.text[self.at]) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    /// Takes the frame that begins here; false if it is unfinished.
    pub(super) fn frame(&mut self) -> bool {
        let start = self.at;
        match self.text[start] {
            b'"' => {
                if !self.string() {
                    return false;
                }
            }
            b'{' | b'[' => {
                let mut open = 0;
                loop {
                    match self.text.get(self.at) {
                        None => return false,
                        Some(b'"') => {
                            if !self.string() {
                                return false;
                            }
                            continue;
                        }
                        Some(b'{' | b'[') => open += 1,
                        Some(b'}' | b']') => open -= 1,
                        Some(_) => {}
                    }
                    self.at += 1;
                    if open == 0 {
                        break;
                    }
                }
            }
            _ => {
                let ends = |b: u8| is_blank(b) || b",{}[]\"".contains(&b);
                while self.at < self.text.len() && !ends(self.text[self.at]) {
                    self.at += 1;
                }
                if self.at == self.text.len() && self.cut {
                    return false;
                }
            }
        }
        self.frames.push((start, self.at - start));
        true
    }

    /// Takes a string, to the next quote that is not escaped; false if there is none.
    fn string(&mut self) -> bool {
        self.at += 1;
        while let Some(byte) = self.text.get(self.at) {
            self.at += if *byte == b'\\' { 2 } else { 1 };
            if *byte == b'"' {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests;
