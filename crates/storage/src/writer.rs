//! An output file as an [`io::Write`], for encoders that know no other.

use std::io;

use distil_plan::Result;

use crate::OutputFile;

/// Bytes collected before they are written.
const BUFFER: usize = 1 << 20;

/// Writes to an [`OutputFile`] in large pieces.
///
/// Its [`io::Error`]s carry the error of the file, with its path and advice: [`distil_plan::Error::inside`]
/// takes it out again.
pub struct StorageWriter {
    file: Box<dyn OutputFile>,
    buffer: Vec<u8>,
}

impl StorageWriter {
    /// A writer that appends to `file`.
    pub fn new(file: Box<dyn OutputFile>) -> Self {
        Self { file, buffer: Vec::with_capacity(BUFFER) }
    }

    /// Writes what was collected, and makes everything durable.
    ///
    /// # Errors
    /// An environment error with the path.
    pub fn sync(&mut self) -> Result<()> {
        self.write_buffer()?;
        self.file.sync()
    }

    /// Writes what was collected to a file that need not be durable.
    ///
    /// # Errors
    /// An environment error with the path.
    pub fn finish(mut self) -> Result<()> {
        self.write_buffer()
    }

    fn write_buffer(&mut self) -> Result<()> {
        let written = self.file.write_all(&self.buffer);
        self.buffer.clear();
        written
    }
}

impl io::Write for StorageWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER {
            self.write_buffer().map_err(io::Error::other)?;
        }
        Ok(bytes.len())
    }

    /// Nothing: an encoder may flush after each page, and only [`StorageWriter::sync`] counts.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::path::Path;

    use distil_plan::Error;

    use super::*;
    use crate::{Memory, Storage as _};

    struct Full;

    impl OutputFile for Full {
        fn write_all(&mut self, _: &[u8]) -> Result<()> {
            Err(Error::environment("no space is left on the device").at("out.parquet", None))
        }

        fn sync(&mut self) -> Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_error_of_the_file_comes_out_of_the_io_error() {
        let mut writer = StorageWriter::new(Box::new(Full));
        writer.write_all(&[0; 100]).unwrap();
        let error = writer.write_all(&vec![0; BUFFER]).unwrap_err();
        let cause = Error::inside(&error).unwrap();
        assert_eq!(cause.place.as_ref().unwrap().path, "out.parquet");
        assert!(Error::inside(&io::Error::other("another")).is_none());
    }

    #[test]
    fn everything_is_there_after_a_sync() {
        let storage = Memory::new();
        let path = Path::new("file");
        let mut writer = StorageWriter::new(storage.create_new(path).unwrap());
        let expected: Vec<u8> = (0..3 * BUFFER + 7).map(|n| n as u8).collect();
        for piece in expected.chunks(BUFFER / 3) {
            writer.write_all(piece).unwrap();
        }
        writer.sync().unwrap();
        let mut found = vec![0; expected.len() + 1];
        let file = storage.open(path).unwrap();
        assert_eq!(file.read_at(0, &mut found).unwrap(), expected.len());
        assert_eq!(found[..expected.len()], expected);
    }
}
