//! Why an input could not be read, and what to do.

use std::io;
use std::path::PathBuf;

use crate::model::Str;

/// Why an input could not be read. Each message is one line that names the input; text from file
/// names is in it as it is, so whoever shows it escapes it.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The operating system said no.
    #[error("cannot read {path}: {}", reason(source))]
    Io {
        /// The input.
        path: Str,
        /// Why.
        source: io::Error,
    },
    /// There is nothing in it.
    #[error("{path} is empty: the dump was not written, or the disk was full")]
    Empty {
        /// The input.
        path: Str,
    },
    /// A compressed file with nothing in it.
    #[error("{path} unpacks to nothing: the dump was not written before it was compressed")]
    EmptyInside {
        /// The input.
        path: Str,
    },
    /// A device or a socket.
    #[error("{path} is {kind}: name a file, a folder or a pipe")]
    SpecialFile {
        /// The input.
        path: Str,
        /// What it is, with its article.
        kind: &'static str,
    },
    /// An archive of several files, or a compression that is not read.
    #[error("{path} is {kind}, which is not read: {advice}")]
    Unsupported {
        /// The input.
        path: Str,
        /// What it is, with its article.
        kind: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// Compressed in too many layers.
    #[error("{path} is compressed more than {limit} times over: unpack it first")]
    TooManyLayers {
        /// The input.
        path: Str,
        /// How many layers are unpacked.
        limit: usize,
    },
    /// Compressed, but not one byte could be unpacked.
    #[error("cannot unpack {path} ({compression}): {}", reason(source))]
    Damaged {
        /// The input.
        path: Str,
        /// The name of the compression.
        compression: &'static str,
        /// What the decoder said.
        source: io::Error,
    },
    /// More bytes than the user, or the free space, allows.
    #[error("{path} {} more than {}, the bound of --max-unpacked: raise it{}",
        if *.is_packed { "unpacks to" } else { "has" },
        size(*.bound),
        if *.is_default { ", or set TMPDIR to a folder with more space" } else { "" })]
    TooLarge {
        /// The input.
        path: Str,
        /// The bound, in bytes that are no hole.
        bound: u64,
        /// Whether it is compressed (else it came through a pipe).
        is_packed: bool,
        /// Whether the bound is that of the free space, not the user's.
        is_default: bool,
    },
    /// The temporary file could not be made or written.
    #[error("cannot keep {path} in {}: {}; set TMPDIR to a folder with more space", .folder.display(), reason(source))]
    NoRoom {
        /// The input.
        path: Str,
        /// Where it was to be kept.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file lost bytes while it was read; what was read after that was zeros.
    #[error("{path} was cut while it was read: copy it to where nothing changes it, and analyze the copy")]
    Shrunk {
        /// The input.
        path: Str,
    },
    /// No format knows it.
    #[error("{path} is {}: looked for {looked_for}", .looks_like.unwrap_or("no dump that is known here"))]
    NotADump {
        /// The input.
        path: Str,
        /// What it looks like, with its article: see [`looks_like`](super::looks_like).
        looks_like: Option<&'static str>,
        /// What the formats look for.
        looked_for: String,
    },
    /// A folder in which nothing is a dump.
    #[error("no dump in {path} ({files} files{}): looked for {looked_for}", links_note(*.links))]
    NoDumps {
        /// The folder.
        path: Str,
        /// How many files were looked at.
        files: usize,
        /// How many symbolic links were not followed.
        links: usize,
        /// What the formats look for.
        looked_for: String,
    },
}

impl InputError {
    /// Whether the file has nothing that a dump could be, so that it is passed over quietly when
    /// it was found in a folder.
    pub fn is_no_dump(&self) -> bool {
        matches!(
            self,
            Self::Empty { .. }
                | Self::EmptyInside { .. }
                | Self::SpecialFile { .. }
                | Self::Unsupported { .. }
                | Self::NotADump { .. }
        )
    }
}

/// What the operating system said, without Rust's ` (os error 2)`.
pub(super) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error ") {
        Some(end) => text[..end].to_string(),
        None => text,
    }
}

/// A size as a person reads it.
fn size(bytes: u64) -> String {
    const MIB: u64 = 1 << 20;
    const GIB: u64 = 1 << 30;
    let tenths = |unit: u64| format!("{}.{}", bytes / unit, bytes % unit * 10 / unit);
    match bytes {
        0..MIB => format!("{bytes} bytes"),
        MIB..GIB => format!("{} MiB", tenths(MIB)),
        GIB.. => format!("{} GiB", tenths(GIB)),
    }
}

fn links_note(links: usize) -> String {
    match links {
        0 => String::new(),
        1 => ", 1 symbolic link not followed".into(),
        n => format!(", {n} symbolic links not followed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_input_and_what_to_do() {
        let path: Str = "core.zst".into();
        let io = io::Error::from_raw_os_error(2);
        assert_eq!(
            InputError::Io { path: path.clone(), source: io }.to_string(),
            "cannot read core.zst: No such file or directory"
        );
        assert_eq!(
            InputError::TooLarge { path: path.clone(), bound: 3 << 29, is_packed: true, is_default: true }
                .to_string(),
            "core.zst unpacks to more than 1.5 GiB, the bound of --max-unpacked: raise it, or set TMPDIR \
             to a folder with more space"
        );
        assert_eq!(
            InputError::TooLarge { path: "-".into(), bound: 10, is_packed: false, is_default: false }
                .to_string(),
            "- has more than 10 bytes, the bound of --max-unpacked: raise it"
        );
        assert_eq!(
            InputError::NoDumps { path: path.clone(), files: 3, links: 1, looked_for: "an ELF core".into() }
                .to_string(),
            "no dump in core.zst (3 files, 1 symbolic link not followed): looked for an ELF core"
        );
        assert_eq!(
            InputError::NotADump { path, looks_like: None, looked_for: "an ELF core".into() }.to_string(),
            "core.zst is no dump that is known here: looked for an ELF core"
        );
    }
}
