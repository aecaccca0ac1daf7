//! From what the user named to bytes: folders are walked, compressed files unpacked with a bound,
//! plain files mapped and never copied.
//!
//! [`find`] says which files a name stands for, [`read`] makes one of them an [`Input`], and
//! [`Input::change`] says after the analysis whether the file held still meanwhile. Nothing else
//! opens an input; `unsafe` code is in `map.rs` only.

mod error;
mod kinds;
mod lz4;
mod map;
mod peek;
mod progress;
mod read;
mod spool;
mod unpack;
mod walk;
mod watch;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

use crate::model::{GapKind, Gaps, ReadAt, Str};

pub use error::InputError;
pub use kinds::looks_like;
pub use progress::{NoProgress, Progress};
pub use read::read;
pub use unpack::Compression;
pub use walk::{Found, Listing, find};
pub use watch::Change;

/// Maps a file that is not an input: a module or debug file.
pub fn map_file(file: &std::fs::File) -> std::io::Result<Bytes> {
    map::map_file(file)
}

/// Limits and wishes for reading inputs.
#[derive(Clone, Debug, Default)]
pub struct InputOptions {
    /// The most bytes (holes not counted) that one compressed input, or one that comes through a
    /// pipe, may have. `None`: 64 GiB or half of the free space, whichever is less.
    pub max_unpacked: Option<u64>,
}

/// One input, ready to be parsed.
#[derive(Clone)]
pub struct Input {
    /// As the user named it, or the path of the file found in a folder; `-` for standard input.
    pub path: Str,
    /// Its content, unpacked. Never empty.
    pub bytes: Bytes,
    /// The folder in which the file lies: module files are looked for there.
    pub folder: Option<PathBuf>,
    /// Whether it was found in a folder, where files that are no dumps are passed over quietly.
    pub from_folder: bool,
    /// The compressions that were taken off, the outermost first.
    pub compression: Vec<Compression>,
    /// Whether the compressed stream broke off or is damaged, so that `bytes` is only its start.
    pub is_cut_compressed: bool,
    /// What is missing, for every snapshot of this input.
    pub gaps: Gaps,
    watch: Option<Arc<watch::Watch>>,
}

impl Input {
    /// What happened to the file since it was read. To be asked after the analysis: with
    /// [`Change::Shrunk`] its result is not to be believed.
    pub fn change(&self) -> Option<Change> {
        self.watch.as_ref()?.change()
    }

    /// The mapped file once more, for those who read at offsets. `None` where `bytes` is no mapped file,
    /// or another file has its name by now.
    pub fn file(&self) -> Option<Arc<dyn ReadAt>> {
        Some(Arc::new(self.watch.as_ref()?.open()?))
    }

    /// The same as what the caller makes of it: an error for a file that shrank, a gap for one that
    /// was written to.
    pub fn verify(&self, gaps: &mut Gaps) -> Result<(), InputError> {
        match self.change() {
            None => {}
            Some(Change::Modified) => gaps.add(GapKind::Changed, read::MODIFIED, None),
            Some(Change::Shrunk) => return Err(InputError::Shrunk { path: self.path.clone() }),
        }
        Ok(())
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input")
            .field("path", &self.path)
            .field("length", &self.bytes.len())
            .field("compression", &self.compression)
            .field("gaps", &self.gaps)
            .finish_non_exhaustive()
    }
}
