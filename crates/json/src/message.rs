//! The little-endian form in which parts of a job tell each other what is not rows.
//!
//! A message lives as long as its job: all parts of it are of the same distil, and whoever reads one
//! checks that first. Lengths come before what they count; nothing is aligned.

use distil_plan::{Error, Result};

/// Writes a message.
#[derive(Debug, Default)]
pub struct MessageWriter {
    bytes: Vec<u8>,
}

impl MessageWriter {
    /// Appends one byte.
    pub fn byte(&mut self, value: u8) {
        self.bytes.push(value);
    }

    /// Appends a truth value.
    pub fn flag(&mut self, value: bool) {
        self.byte(u8::from(value));
    }

    /// Appends a number.
    pub fn number(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// Appends a digest, or another number of 128 bits.
    pub fn wide(&mut self, value: u128) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// Appends bytes, with their count before them.
    pub fn bytes(&mut self, value: &[u8]) {
        self.number(value.len() as u64);
        self.bytes.extend_from_slice(value);
    }

    /// Appends another message.
    pub fn append(&mut self, other: Self) {
        self.bytes.extend(other.bytes);
    }

    /// Bytes so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was appended.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The message.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Reads a message.
#[derive(Debug)]
pub struct MessageReader<'a> {
    rest: &'a [u8],
}

impl<'a> MessageReader<'a> {
    /// A reader at the beginning of a message.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (value, rest) = self.rest.split_first_chunk::<N>().ok_or_else(broken)?;
        self.rest = rest;
        Ok(*value)
    }

    /// Reads one byte.
    ///
    /// # Errors
    /// As all methods: an environment error if the message ends before.
    pub fn byte(&mut self) -> Result<u8> {
        Ok(u8::from_le_bytes(self.take()?))
    }

    /// Reads a truth value.
    ///
    /// # Errors
    /// An environment error if there is none.
    pub fn flag(&mut self) -> Result<bool> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(broken()),
        }
    }

    /// Reads a number.
    ///
    /// # Errors
    /// An environment error if the message ends before.
    pub fn number(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.take()?))
    }

    /// Reads a number that fits the type `T`.
    ///
    /// # Errors
    /// An environment error if it does not, or the message ends before.
    pub fn small<T: TryFrom<u64>>(&mut self) -> Result<T> {
        T::try_from(self.number()?).map_err(|_| broken())
    }

    /// Reads a number of 128 bits.
    ///
    /// # Errors
    /// An environment error if the message ends before.
    pub fn wide(&mut self) -> Result<u128> {
        Ok(u128::from_le_bytes(self.take()?))
    }

    /// Reads bytes.
    ///
    /// # Errors
    /// An environment error if the message ends before.
    pub fn bytes(&mut self) -> Result<&'a [u8]> {
        let length = self.small::<usize>()?;
        let (value, rest) = self.rest.split_at_checked(length).ok_or_else(broken)?;
        self.rest = rest;
        Ok(value)
    }

    /// Reads text.
    ///
    /// # Errors
    /// An environment error if it is none, or the message ends before.
    pub fn text(&mut self) -> Result<&'a str> {
        std::str::from_utf8(self.bytes()?).map_err(|_| broken())
    }

    /// Reads how many things follow, each of at least `least` bytes: never more than there can be.
    ///
    /// # Errors
    /// An environment error if there can't be as many.
    pub fn count(&mut self, least: usize) -> Result<usize> {
        let count = self.small::<usize>()?;
        if count > self.rest.len() / least.max(1) { Err(broken()) } else { Ok(count) }
    }

    /// Ends the message.
    ///
    /// # Errors
    /// An environment error if more follows.
    pub fn finish(self) -> Result<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(broken()) }
    }
}

/// The error for a message that no part of this job wrote.
pub(crate) fn broken() -> Error {
    Error::environment("a message between parts of the job is broken").help(
        "run the job again; if that does not help, check the network and the disks of the nodes",
    )
}
