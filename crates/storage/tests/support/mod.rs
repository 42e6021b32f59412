//! What tests of inputs share: bytes read in every way.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::io::{Read, Write};
use std::path::Path;

use distil_storage::{InputStream, Memory};

/// What a reader gets in all: the bytes, and why they ended early.
pub type Outcome = (Vec<u8>, Option<String>);

/// A reader that gives at most `step` bytes a call, as a pipe may.
pub struct Trickle {
    pub content: Vec<u8>,
    pub position: usize,
    pub step: usize,
}

impl Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.step.min(buffer.len()).min(self.content.len() - self.position);
        buffer[..count].copy_from_slice(&self.content[self.position..self.position + count]);
        self.position += count;
        Ok(count)
    }
}

pub fn drain(stream: &mut InputStream, size: usize) -> Outcome {
    let mut content = Vec::new();
    let mut buffer = vec![0; size];
    loop {
        let count = stream.read(&mut buffer).unwrap();
        content.extend_from_slice(&buffer[..count]);
        if count < size {
            assert_eq!(stream.read(&mut buffer).unwrap(), 0, "only the end may give less");
            return (content, stream.broken().map(str::to_owned));
        }
    }
}

pub fn outcome(bytes: &[u8], step: usize, size: usize) -> Outcome {
    let reader = Trickle { content: bytes.to_vec(), position: 0, step };
    drain(&mut InputStream::from_reader(Box::new(reader), "-").unwrap(), size)
}

/// The outcome, which may not depend on how the bytes arrive or are asked for.
#[track_caller]
pub fn read_every_way(bytes: &[u8]) -> Outcome {
    let expected = outcome(bytes, usize::MAX, 1 << 20);
    for (step, size) in [(1, 1), (1, 65_536), (usize::MAX, 1), (2, 3), (7, 65_536), (65_536, 3)] {
        let found = outcome(bytes, step, size);
        assert!(found == expected, "steps of {step}, buffers of {size}");
    }
    let memory = Memory::new();
    memory.put("/input", bytes);
    let mut stream = InputStream::open(&memory, Path::new("/input")).unwrap();
    assert_eq!(stream.size(), Some(bytes.len() as u64));
    assert!(drain(&mut stream, 1000) == expected, "as a file");
    stream.finish(&memory).unwrap();
    if expected.1.is_none() {
        assert_eq!(stream.position(), bytes.len() as u64);
    }
    expected
}

/// Text that compresses, but not to nothing, and never repeats the same from place to place.
pub fn text(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut out = Vec::with_capacity(length + 16);
    while out.len() < length {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        writeln!(out, "{{\"id\":{}}}", state >> 12).unwrap();
    }
    out.truncate(length);
    out
}

pub fn well(content: &[u8]) -> Outcome {
    (content.to_vec(), None)
}

pub fn broken(content: &[u8], why: &str) -> Outcome {
    (content.to_vec(), Some(why.to_owned()))
}
