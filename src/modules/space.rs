//! The memory of a process: what the dump holds, and the read-only parts of its verified files.

use super::ModuleSet;
use crate::model::{AddressSpace, ProcessImage};

/// The memory of a process together with the read-only parts of its verified files.
#[derive(Clone, Copy)]
pub struct ProcessSpace<'a> {
    /// What the dump holds.
    pub image: &'a ProcessImage,
    /// The modules.
    pub modules: &'a ModuleSet,
}

impl AddressSpace for ProcessSpace<'_> {
    fn bytes(&self, address: u64, length: usize) -> Option<&[u8]> {
        if let Some(bytes) = self.image.memory.slice(address, length) {
            return Some(bytes);
        }
        // What the process may have written is unknown when it was not dumped: the file has the
        // bytes from before relocation. The dump's flags count, and those of the file.
        if self.is_writable(address) {
            return None;
        }
        self.modules.file_bytes_at(address, length)
    }

    fn copy(&self, address: u64, buffer: &mut [u8]) -> usize {
        self.image.memory.copy(address, buffer)
    }

    fn is_executable(&self, address: u64) -> bool {
        match self.image.memory.segment_at(address) {
            Some(segment) => segment.is_executable,
            None => self.modules.load_flags_at(address).is_some_and(|flags| flags & 1 != 0),
        }
    }

    fn is_writable(&self, address: u64) -> bool {
        match self.image.memory.segment_at(address) {
            Some(segment) => segment.is_writable,
            None => self.modules.load_flags_at(address).is_some_and(|flags| flags & 2 != 0),
        }
    }
}
