//! Reads one input: maps it, or unpacks it.

use std::cell::Cell;
use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;

use crate::model::{GapKind, Gaps, Str};

use super::error::reason;
use super::kinds::HEAD_LENGTH;
use super::map::Mapping;
use super::spool::{Kept, SpoolError, Spooled, default_bound, spool};
use super::unpack::{Compression, MAX_LAYERS, UnpackError, Unpacked, is_packed, unpack};
use super::watch::{Change, Origin, Watch};
use super::{Found, Input, InputError, InputOptions, Progress};

const STAGE: &str = "unpacking";

/// Reads one input.
pub fn read(found: &Found, options: &InputOptions, progress: &dyn Progress) -> Result<Input, InputError> {
    Reading { path: &found.path, options, progress }.read(found)
}

/// What every step of the reading needs.
struct Reading<'a> {
    path: &'a Str,
    options: &'a InputOptions,
    progress: &'a dyn Progress,
}

/// Content that is ready, before it gets its name.
struct Content {
    bytes: Bytes,
    watch: Option<Watch>,
    layers: Vec<Compression>,
    gaps: Gaps,
    is_cut: bool,
}

impl Reading<'_> {
    fn read(&self, found: &Found) -> Result<Input, InputError> {
        let (file, origin) = match &found.file {
            Some(path) => (self.open(path, found.from_folder)?, Origin::Path(path.clone())),
            None => {
                let stdin = stdin_handle().map_err(|e| self.io(e))?;
                (stdin.try_clone().map_err(|e| self.io(e))?, Origin::Handle(stdin))
            }
        };
        let metadata = file.metadata().map_err(|e| self.io(e))?;
        let content = self.content(file, origin, &metadata)?;
        Ok(Input {
            path: found.path.clone(),
            bytes: content.bytes,
            folder: found.file.as_deref().map(folder_of),
            from_folder: found.from_folder,
            compression: content.layers,
            is_cut_compressed: content.is_cut,
            gaps: content.gaps,
            watch: content.watch.map(Arc::new),
        })
    }

    /// Opens a file or a pipe; a device is not even opened.
    fn open(&self, path: &Path, from_folder: bool) -> Result<File, InputError> {
        let kind = path.metadata().map_err(|e| self.io(e))?.file_type();
        let is_pipe = is_pipe(kind) && !from_folder;
        if !kind.is_file() && !is_pipe {
            return Err(InputError::SpecialFile { path: self.path.clone(), kind: special_kind(kind) });
        }
        let file = if is_pipe { File::open(path) } else { open_file(path) }.map_err(|e| self.io(e))?;
        // It may have been replaced in between.
        let kind = file.metadata().map_err(|e| self.io(e))?.file_type();
        if kind.is_file() || (is_pipe && self::is_pipe(kind)) {
            Ok(file)
        } else {
            Err(InputError::SpecialFile { path: self.path.clone(), kind: special_kind(kind) })
        }
    }

    fn content(&self, file: File, origin: Origin, metadata: &Metadata) -> Result<Content, InputError> {
        // Standard input that is a file may have been read in part already; then it is a stream.
        let is_at_start = match &origin {
            Origin::Path(_) => true,
            Origin::Handle(handle) => io::Seek::stream_position(&mut &*handle).is_ok_and(|at| at == 0),
        };
        // Files of /proc and the like have a size of 0 and content.
        if metadata.is_file() && metadata.len() > 0 && is_at_start {
            // Some file systems cannot map, and thousands of mappings cannot be guarded.
            if let Ok(Some(mapping)) = Mapping::new(&file) {
                drop(file);
                let mapping = Arc::new(mapping);
                let watch = Watch::new(Arc::clone(&mapping), origin, metadata);
                return self.mapped(mapping, watch);
            }
        }
        self.unpacked(Box::new(BufReader::with_capacity(1 << 20, file)), 0, &Rc::default())
    }

    fn mapped(&self, mapping: Arc<Mapping>, watch: Watch) -> Result<Content, InputError> {
        let bytes = (*mapping).as_ref();
        if bytes.is_empty() {
            return Err(InputError::Empty { path: self.path.clone() });
        }
        if !is_packed(&bytes[..bytes.len().min(HEAD_LENGTH)]) {
            let bytes = Bytes::from_owner(Owner(mapping));
            return Ok(Content {
                bytes,
                watch: Some(watch),
                layers: Vec::new(),
                gaps: Gaps::default(),
                is_cut: false,
            });
        }
        let consumed = Rc::new(Cell::new(0));
        let packed = Counted { inner: bytes, consumed: Rc::clone(&consumed) };
        let content = self.unpacked(Box::new(packed), bytes.len() as u64, &consumed);
        match watch.change() {
            Some(Change::Shrunk) => Err(InputError::Shrunk { path: self.path.clone() }),
            Some(Change::Modified) => content.map(|mut content| {
                content.gaps.add(GapKind::Changed, MODIFIED, None);
                content
            }),
            None => content,
        }
    }

    /// Takes compressions off and keeps what comes out. `total`: the size, 0 where unknown.
    fn unpacked(
        &self,
        packed: Box<dyn BufRead + '_>,
        total: u64,
        consumed: &Cell<u64>,
    ) -> Result<Content, InputError> {
        let path = || self.path.clone();
        let Unpacked { mut reader, layers } = unpack(packed).map_err(|e| match e {
            UnpackError::Closed(kind, advice) => InputError::Unsupported { path: path(), kind, advice },
            UnpackError::TooManyLayers => InputError::TooManyLayers { path: path(), limit: MAX_LAYERS },
            UnpackError::Decoder(compression, source) => {
                InputError::Damaged { path: path(), compression: compression.name(), source }
            }
        })?;
        let bound = self.options.max_unpacked.unwrap_or_else(default_bound);
        let mut on_block = || self.progress.report(STAGE, consumed.get(), total);
        let spooled = spool(&mut reader, bound, &mut on_block).map_err(|e| match e {
            SpoolError::TooLarge => InputError::TooLarge {
                path: path(),
                bound,
                is_packed: !layers.is_empty(),
                is_default: self.options.max_unpacked.is_none(),
            },
            SpoolError::NoRoom(source) => {
                InputError::NoRoom { path: path(), folder: std::env::temp_dir(), source }
            }
        })?;
        drop(reader);
        self.kept(spooled, layers)
    }

    fn kept(&self, spooled: Spooled, layers: Vec<Compression>) -> Result<Content, InputError> {
        let path = || self.path.clone();
        let mut gaps = Gaps::default();
        let mut is_cut = false;
        match (spooled.broken_off, layers.first()) {
            (None, None) if spooled.length == 0 => return Err(InputError::Empty { path: path() }),
            (None, Some(_)) if spooled.length == 0 => return Err(InputError::EmptyInside { path: path() }),
            (None, _) => {}
            (Some(source), Some(compression)) if spooled.length == 0 => {
                return Err(InputError::Damaged { path: path(), compression: compression.name(), source });
            }
            (Some(source), None) => return Err(self.io(source)),
            (Some(error), Some(_)) => {
                is_cut = true;
                let (kind, message) = broken_off(&error, &layers, spooled.length);
                gaps.add(kind, message, Some(spooled.length));
            }
        }
        let bytes = match spooled.kept {
            Kept::Memory(bytes) => Bytes::from(bytes),
            Kept::File(file) => match Mapping::new(&file) {
                Ok(Some(mapping)) => Bytes::from_owner(Owner(Arc::new(mapping))),
                Ok(None) => return Err(self.io(io::Error::other("too many files are mapped"))),
                Err(e) => return Err(self.io(e)),
            },
        };
        Ok(Content { bytes, watch: None, layers, gaps, is_cut })
    }

    fn io(&self, source: io::Error) -> InputError {
        InputError::Io { path: self.path.clone(), source }
    }
}

pub(super) const MODIFIED: &str =
    "the file changed while it was read: what was read may be of two different moments";

/// The gap that a compressed stream leaves that does not come to its end.
fn broken_off(error: &io::Error, layers: &[Compression], length: u64) -> (GapKind, String) {
    let names: Vec<_> = layers.iter().map(|c| c.name()).collect();
    let names = names.join(" in ");
    if error.kind() == io::ErrorKind::UnexpectedEof {
        let message = format!(
            "the {names} stream breaks off: what follows the first {length} unpacked bytes is missing"
        );
        (GapKind::Truncated, message)
    } else {
        let message = format!(
            "the {names} stream is damaged ({}): what follows the first {length} unpacked bytes is missing",
            reason(error)
        );
        (GapKind::Damaged, message)
    }
}

/// Keeps a mapping alive as long as one of its bytes is used.
struct Owner(Arc<Mapping>);

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        (*self.0).as_ref()
    }
}

/// Counts what was read of a mapped file.
struct Counted<'a> {
    inner: &'a [u8],
    consumed: Rc<Cell<u64>>,
}

impl Read for Counted<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(out)?;
        self.consumed.set(self.consumed.get() + length as u64);
        Ok(length)
    }
}

impl BufRead for Counted<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        // In pieces, so that the count says where the decoder is.
        Ok(&self.inner[..self.inner.len().min(1 << 20)])
    }

    fn consume(&mut self, amount: usize) {
        self.inner.consume(amount);
        self.consumed.set(self.consumed.get() + amount as u64);
    }
}

/// The folder of a file.
fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.into(),
        _ => ".".into(),
    }
}

#[cfg(unix)]
fn stdin_handle() -> io::Result<File> {
    use std::os::fd::AsFd;
    Ok(File::from(io::stdin().as_fd().try_clone_to_owned()?))
}

#[cfg(windows)]
fn stdin_handle() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    Ok(File::from(io::stdin().as_handle().try_clone_to_owned()?))
}

#[cfg(unix)]
fn is_pipe(kind: FileType) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&kind)
}

#[cfg(not(unix))]
fn is_pipe(_kind: FileType) -> bool {
    false
}

#[cfg(unix)]
fn special_kind(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    match () {
        () if kind.is_dir() => "a folder",
        () if kind.is_fifo() => "a pipe",
        () if kind.is_socket() => "a socket",
        () => "a device",
    }
}

#[cfg(not(unix))]
fn special_kind(_kind: FileType) -> &'static str {
    "no ordinary file"
}

/// Opens what was a file a moment ago: should it be a pipe by now, that does not wait for a writer.
pub(super) fn open_file(path: &Path) -> io::Result<File> {
    let mut open = OpenOptions::new();
    open.read(true);
    does_not_block(&mut open);
    open.open(path)
}

#[cfg(unix)]
fn does_not_block(open: &mut OpenOptions) {
    std::os::unix::fs::OpenOptionsExt::custom_flags(open, libc::O_NONBLOCK);
}

#[cfg(not(unix))]
fn does_not_block(_open: &mut OpenOptions) {}
