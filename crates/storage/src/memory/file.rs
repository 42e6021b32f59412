//! Open files and held locks of the twin. They belong to the process that opened them: what a crash
//! leaves has none.

use std::path::PathBuf;

use distil_plan::Result;

use super::tree::Inode;
use super::{Memory, State};
use crate::fault::{failed, sync_failed};
use crate::{InputFile, Lock, OutputFile, Stamp};

pub(super) struct MemoryInput {
    pub(super) memory: Memory,
    pub(super) path: PathBuf,
    pub(super) inode: Inode,
    pub(super) stamp: Stamp,
}

impl InputFile for MemoryInput {
    fn stamp(&self) -> Stamp {
        self.stamp
    }

    fn stamp_now(&self) -> Result<Stamp> {
        let state = self.memory.state();
        state.alive("look at", &self.path)?;
        let found = state.tree.kind_and_stamp(self.inode);
        found.map(|(_, stamp)| stamp).map_err(|e| failed("look at", &self.path, e))
    }

    fn is_stream(&self) -> bool {
        false
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let state = self.memory.state();
        state.alive("read", &self.path)?;
        let file = state.tree.file(self.inode).map_err(|e| failed("read", &self.path, e))?;
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(file.content.len());
        let count = buffer.len().min(file.content.len() - start);
        buffer[..count].copy_from_slice(&file.content[start..start + count]);
        Ok(count)
    }
}

pub(super) struct MemoryOutput {
    pub(super) memory: Memory,
    pub(super) path: PathBuf,
    pub(super) inode: Inode,
}

impl MemoryOutput {
    /// As the real one, it refuses to go on after a failed sync.
    fn check(&self, state: &State, doing: &str) -> Result<()> {
        state.alive(doing, &self.path)?;
        let file = state.tree.file(self.inode).map_err(|e| failed(doing, &self.path, e))?;
        match file.sync_failed {
            true => Err(sync_failed(&self.path)),
            false => Ok(()),
        }
    }
}

impl OutputFile for MemoryOutput {
    fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        let mut state = self.memory.state();
        self.check(&state, "write")?;
        let changed = state.change("write", &self.path);
        let arrived = if changed.is_ok() { bytes } else { &bytes[..bytes.len() / 2] };
        let file = state.tree.change_file(self.inode);
        file.map_err(|e| failed("write", &self.path, e))?.content.extend_from_slice(arrived);
        changed
    }

    fn sync(&mut self) -> Result<()> {
        let mut state = self.memory.state();
        self.check(&state, "sync")?;
        let changed = state.change("sync", &self.path);
        state
            .tree
            .sync_file(self.inode, changed.is_ok())
            .map_err(|e| failed("sync", &self.path, e))?;
        changed
    }
}

pub(super) struct MemoryLock {
    pub(super) memory: Memory,
    pub(super) inode: Inode,
}

impl Lock for MemoryLock {}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        self.memory.state().locks.remove(&self.inode);
    }
}
