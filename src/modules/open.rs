//! Opens files that a dump names: regular files only, read-only, and never through a link that
//! leaves the folder the user allowed.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};

use bytes::Bytes;

use super::elf_file::ElfFile;

/// No module or debug file is larger (the largest known are some GiB).
const MAX_FILE: u64 = 64 << 30;
/// Links in one path that are followed, as the kernel does.
const MAX_LINKS: usize = 40;

/// Opens an executable or library. `None` where it is not there, cannot be read, or is something else.
pub fn open_elf(path: &Path) -> Option<ElfFile> {
    let file = open_any_elf(path)?;
    const ET_EXEC: u16 = 2;
    const ET_DYN: u16 = 3;
    matches!(file.headers.kind, ET_EXEC | ET_DYN).then_some(file)
}

/// Opens a file as ELF, `.dwo` files (relocatable ones) too.
pub fn open_any_elf(path: &Path) -> Option<ElfFile> {
    ElfFile::new(path.to_string_lossy().into(), open_file(path).ok()?)
}

/// The content of a regular file. A dump may name pipes and devices: they are not opened.
fn open_file(path: &Path) -> io::Result<Bytes> {
    let refuse = || io::Error::new(io::ErrorKind::InvalidInput, "not a regular file of acceptable size");
    if !std::fs::metadata(path)?.is_file() {
        return Err(refuse());
    }
    // It may have become a pipe since: opening does not wait for a writer then.
    let mut file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() == 0 || metadata.len() > MAX_FILE {
        return Err(refuse());
    }
    let mut magic = [0; 4];
    file.read_exact(&mut magic)?;
    if magic != *b"\x7fELF" {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "not an ELF file"));
    }
    crate::input::map_file(&file)
}

/// The path below `root` that a process whose root is `root` would mean: links are resolved inside it,
/// `..` stops at it. `None` where nothing is there.
pub fn resolve_in(root: &Path, path: &Path) -> Option<PathBuf> {
    let mut pending: Vec<OsString> = Vec::new();
    push_components(&mut pending, path);
    let mut inside: Vec<OsString> = Vec::new();
    let mut links = 0;
    while let Some(part) = pending.pop() {
        if part == ".." {
            inside.pop();
            continue;
        }
        let here = inside.iter().fold(root.to_path_buf(), |p, c| p.join(c)).join(&part);
        if !std::fs::symlink_metadata(&here).ok()?.is_symlink() {
            inside.push(part);
            continue;
        }
        links += 1;
        if links > MAX_LINKS {
            return None;
        }
        let target = std::fs::read_link(&here).ok()?;
        if target.is_absolute() {
            inside.clear();
        }
        push_components(&mut pending, &target);
    }
    Some(inside.iter().fold(root.to_path_buf(), |p, c| p.join(c)))
}

/// Pushes the parts of a path so that the first is popped first.
fn push_components(pending: &mut Vec<OsString>, path: &Path) {
    for component in path.components().rev() {
        match component {
            Component::Normal(part) => pending.push(part.to_os_string()),
            Component::ParentDir => pending.push("..".into()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_stay_inside_the_root() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        std::fs::create_dir_all(root.join("usr/lib")).unwrap();
        std::fs::write(root.join("usr/lib/a.so"), "x").unwrap();
        std::fs::write(dir.path().join("secret"), "x").unwrap();
        symlink("/usr/lib", root.join("lib")).unwrap();
        symlink("../../../../secret", root.join("usr/lib/up.so")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        assert_eq!(resolve_in(&root, Path::new("/lib/a.so")), Some(root.join("usr/lib/a.so")));
        assert_eq!(resolve_in(&root, Path::new("/../../usr/lib/a.so")), Some(root.join("usr/lib/a.so")));
        assert_eq!(resolve_in(&root, Path::new("/lib/up.so")), None);
        assert_eq!(resolve_in(&root, Path::new("/loop")), None);
    }

    #[test]
    fn pipes_devices_and_empty_files_are_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        if made.is_ok_and(|s| s.success()) {
            assert!(open_elf(&pipe).is_none());
        }
        assert!(open_elf(Path::new("/dev/zero")).is_none());
        assert!(open_elf(Path::new("/proc/self/maps")).is_none());
        assert!(open_elf(dir.path()).is_none());
    }
}
