//! From what the user named to files: folders are walked.

use std::fs;
use std::path::{Path, PathBuf};

use crate::model::Str;

use super::InputError;

/// How deep folders are walked; deeper ones are an error in the list.
const MAX_DEPTH: usize = 100;

/// One file that may be a dump.
#[derive(Clone, Debug)]
pub struct Found {
    /// As the user named it, or the path of the file found in a folder; `-` for standard input.
    pub path: Str,
    /// Whether it was found in a folder, where files that are no dumps are passed over quietly.
    pub from_folder: bool,
    pub(super) file: Option<PathBuf>,
}

impl Found {
    /// Standard input.
    pub fn stdin() -> Self {
        Self { path: "-".into(), from_folder: false, file: None }
    }

    /// A file.
    pub fn file(path: &Path) -> Self {
        Self { path: shown(path), from_folder: false, file: Some(path.into()) }
    }
}

/// What one argument of the user stands for.
#[derive(Debug)]
pub struct Listing {
    /// As the user named it.
    pub path: Str,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// The files, a folder's in the order of their names, and what could not be listed.
    pub found: Vec<Result<Found, InputError>>,
    /// Symbolic links in the folder. They are not followed: what they lead to lies in the folder,
    /// and is read anyway, or was not named by the user.
    pub links: usize,
}

/// Lists what a name stands for: `-`, a file, a folder. A name that does not exist is a file that
/// cannot be read.
pub fn find(name: impl AsRef<Path>) -> Listing {
    let name = name.as_ref();
    let mut listing = Listing { path: shown(name), is_folder: false, found: Vec::new(), links: 0 };
    if name == Path::new("-") {
        listing.found.push(Ok(Found::stdin()));
    } else if name.is_dir() {
        listing.is_folder = true;
        walk(name, 0, &mut listing);
    } else {
        listing.found.push(Ok(Found::file(name)));
    }
    listing
}

fn walk(folder: &Path, depth: usize, listing: &mut Listing) {
    let fails = |path: &Path, source| InputError::Io { path: shown(path), source };
    if depth > MAX_DEPTH {
        listing.found.push(Err(fails(folder, std::io::Error::other("folders are nested too deep"))));
        return;
    }
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) => return listing.found.push(Err(fails(folder, e))),
    };
    let mut paths = Vec::new();
    for entry in entries {
        match entry.and_then(|e| Ok((e.file_type()?, e.path()))) {
            Ok(entry) => paths.push(entry),
            Err(e) => listing.found.push(Err(fails(folder, e))),
        }
    }
    paths.sort_by(|a, b| a.1.cmp(&b.1));
    for (kind, path) in paths {
        if kind.is_symlink() {
            listing.links += 1;
        } else if kind.is_dir() {
            walk(&path, depth + 1, listing);
        } else if kind.is_file() {
            listing.found.push(Ok(Found { from_folder: true, ..Found::file(&path) }));
        }
        // Pipes, sockets and devices in a folder are no dumps, and opening one may block.
    }
}

/// A path as text for messages.
fn shown(path: &Path) -> Str {
    path.to_string_lossy().into()
}
