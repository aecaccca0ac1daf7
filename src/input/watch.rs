//! Whether a mapped file changed while it was analyzed.

use std::fs::{self, File, Metadata};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use super::map::Mapping;
use crate::model::ReadAt;

/// What happened to a file while it was mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was written to: what was read may be of two states.
    Modified,
    /// It lost bytes: some of what was read was zeros that never stood in it.
    Shrunk,
}

/// How the file can be asked again.
pub(super) enum Origin {
    /// By its path, so that thousands of inputs do not hold thousands of descriptors.
    Path(PathBuf),
    /// Standard input, which has no path.
    Handle(File),
}

/// Watches one mapping.
pub(super) struct Watch {
    mapping: Arc<Mapping>,
    origin: Origin,
    before: Stamp,
}

/// What would be different in a file that changed.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
    /// Device and inode.
    identity: (u64, u64),
}

impl Watch {
    pub(super) fn new(mapping: Arc<Mapping>, origin: Origin, metadata: &Metadata) -> Self {
        Self { mapping, origin, before: Stamp::of(metadata) }
    }

    /// The file once more, to be read at offsets, if it is still the same.
    pub(super) fn open(&self) -> Option<OpenedFile> {
        let file = match &self.origin {
            Origin::Path(path) => super::read::open_file(path),
            Origin::Handle(file) => file.try_clone(),
        };
        let file = file.ok().filter(|file| file.metadata().is_ok_and(|m| Stamp::of(&m) == self.before))?;
        Some(OpenedFile(file))
    }

    /// What happened since.
    pub(super) fn change(&self) -> Option<Change> {
        if self.mapping.was_cut() {
            return Some(Change::Shrunk);
        }
        let now = match &self.origin {
            Origin::Path(path) => fs::metadata(path),
            Origin::Handle(file) => file.metadata(),
        };
        // A file that was deleted or replaced is another file: what is mapped stays as it was.
        let now = Stamp::of(&now.ok()?);
        if now.identity != self.before.identity || now == self.before {
            None
        } else if now.length < self.before.length {
            Some(Change::Shrunk)
        } else {
            Some(Change::Modified)
        }
    }
}

/// A file, read at offsets.
#[derive(Debug)]
pub(super) struct OpenedFile(File);

impl ReadAt for OpenedFile {
    #[cfg(unix)]
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> usize {
        std::os::unix::fs::FileExt::read_at(&self.0, buffer, offset).unwrap_or(0)
    }

    #[cfg(not(unix))]
    fn read_at(&self, _buffer: &mut [u8], _offset: u64) -> usize {
        0
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self { length: metadata.len(), modified: metadata.modified().ok(), identity: identity(metadata) }
    }
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn identity(_metadata: &Metadata) -> (u64, u64) {
    (0, 0)
}
