//! Pages of a chunk while they wait until their row group is complete.

#![expect(
    clippy::disallowed_types,
    reason = "the crate asks for a reader that threads might share, and reads it once: nothing waits for this lock"
)]

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Buf as _, Bytes};
use parquet::arrow::arrow_writer::{
    InMemoryPageStore, PageKey, PageStore, PageStoreArgs, PageStoreFactory,
};
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

/// Where pages wait. Errors of a store are [`io::Error`]s with a [`distil_plan::Error`] inside.
pub trait PageStores: Send + Sync + std::fmt::Debug {
    /// An empty store for the pages of one chunk.
    fn store(&self) -> Box<dyn PageStore>;
}

/// Pages wait in memory.
#[derive(Debug)]
pub struct PagesInMemory;

impl PageStores for PagesInMemory {
    fn store(&self) -> Box<dyn PageStore> {
        Box::new(InMemoryPageStore::default())
    }
}

/// The same stores for the stock writer.
#[derive(Debug)]
pub(crate) struct StockPages(pub(crate) Arc<dyn PageStores>);

impl PageStoreFactory for StockPages {
    fn create(&self, _: &PageStoreArgs<'_>) -> Result<Box<dyn PageStore>> {
        Ok(self.0.store())
    }
}

/// The pages of a chunk, in order.
pub(super) struct StoredPages {
    store: Box<dyn PageStore>,
    keys: Vec<PageKey>,
    bytes: u64,
}

impl StoredPages {
    /// No pages.
    pub(super) fn new(stores: &dyn PageStores) -> Self {
        Self { store: stores.store(), keys: Vec::new(), bytes: 0 }
    }

    /// Bytes of all pages.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Adds a page.
    pub(super) fn push(&mut self, page: Vec<u8>) -> Result<()> {
        self.bytes += page.len() as u64;
        self.keys.push(self.store.put(page.into())?);
        Ok(())
    }

    /// The bytes of all pages, which stay.
    #[cfg(test)]
    pub(super) fn copy(&mut self) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        for key in &mut self.keys {
            let page = self.store.take(*key)?;
            all.extend_from_slice(&page);
            *key = self.store.put(page)?;
        }
        Ok(all)
    }

    /// All pages, from the first byte on.
    pub(super) fn into_reader(self) -> PageReader {
        let Self { store, keys, bytes } = self;
        PageReader(
            Mutex::new(Some(Pages { store, keys: keys.into_iter(), page: Bytes::new() })),
            bytes,
        )
    }
}

/// The pages of a chunk as the crate wants to read them: once, from the beginning.
pub(super) struct PageReader(Mutex<Option<Pages>>, u64);

/// Pages that are read one after the other; each leaves the store then.
pub(super) struct Pages {
    store: Box<dyn PageStore>,
    keys: std::vec::IntoIter<PageKey>,
    page: Bytes,
}

impl Read for Pages {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.page.is_empty() {
            let Some(key) = self.keys.next() else { return Ok(0) };
            self.page = self.store.take(key).map_err(|error| match error {
                ParquetError::External(inner) => {
                    inner.downcast::<io::Error>().map_or_else(io::Error::other, |error| *error)
                }
                other => io::Error::other(other),
            })?;
        }
        let count = self.page.len().min(out.len());
        self.page.copy_to_slice(&mut out[..count]);
        Ok(count)
    }
}

impl Length for PageReader {
    fn len(&self) -> u64 {
        self.1
    }
}

impl ChunkReader for PageReader {
    type T = Pages;

    fn get_read(&self, start: u64) -> Result<Pages> {
        let pages = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        pages.filter(|_| start == 0).ok_or_else(|| ParquetError::General("read twice".to_owned()))
    }

    fn get_bytes(&self, _: u64, _: usize) -> Result<Bytes> {
        Err(ParquetError::General("pages are read in order".to_owned()))
    }
}
