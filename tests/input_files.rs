//! Files, folders and pipes as inputs, and files that change while they are read.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use logjam::input::{Change, Found, Input, InputError, InputOptions, NoProgress, find, looks_like, read};
use logjam::model::{GapKind, Gaps};

fn open(path: &Path) -> Result<Input, InputError> {
    read(&Found::file(path), &InputOptions::default(), &NoProgress)
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// The paths of a listing relative to the folder.
fn listed(folder: &Path) -> Vec<String> {
    let prefix = format!("{}/", folder.display());
    let listing = find(folder);
    assert!(listing.is_folder);
    listing.found.iter().map(|f| f.as_ref().expect("found").path.replace(&prefix, "")).collect()
}

#[test]
fn a_plain_file_is_what_it_was() {
    let folder = folder();
    let path = folder.path().join("core");
    fs::write(&path, b"a dump").expect("written");
    let input = open(&path).expect("read");
    assert_eq!(&input.bytes[..], b"a dump");
    assert_eq!(input.folder.as_deref(), Some(folder.path()));
    assert!(!input.from_folder && !input.is_cut_compressed && input.compression.is_empty());
    assert!(input.gaps.is_empty());
    assert_eq!(input.change(), None);
}

#[test]
fn the_bytes_outlive_the_input_and_the_file() {
    let folder = folder();
    let path = folder.path().join("core");
    fs::write(&path, vec![3; 100_000]).expect("written");
    let input = open(&path).expect("read");
    let bytes = input.bytes.slice(50_000..);
    fs::remove_file(&path).expect("removed");
    assert_eq!(input.change(), None, "what is mapped stays as it was");
    drop(input);
    assert!(bytes.iter().all(|&b| b == 3));
}

#[test]
fn a_file_cut_while_mapped_is_an_error_and_not_the_end() {
    let folder = folder();
    let path = folder.path().join("core");
    fs::write(&path, vec![3; 1 << 20]).expect("written");
    let input = open(&path).expect("read");
    let cutter = {
        let path = path.clone();
        std::thread::spawn(move || {
            File::options().write(true).open(path).and_then(|f| f.set_len(10)).expect("cut");
        })
    };
    cutter.join().expect("cut");
    let sum: u64 = input.bytes.iter().map(|&b| u64::from(b)).sum();
    assert_eq!(sum, 30);
    assert_eq!(input.change(), Some(Change::Shrunk));
    let error = input.verify(&mut Gaps::default()).expect_err("an error");
    assert!(error.to_string().contains("was cut while it was read"), "{error}");
    fs::remove_file(&path).expect("removed");
    assert_eq!(input.change(), Some(Change::Shrunk), "zeros were read, whatever became of the file");
}

#[test]
fn a_file_written_to_while_mapped_is_a_gap() {
    let folder = folder();
    let path = folder.path().join("core");
    fs::write(&path, vec![3; 1 << 20]).expect("written");
    let input = open(&path).expect("read");
    File::options().append(true).open(&path).and_then(|mut f| f.write_all(b"more")).expect("written");
    assert_eq!(input.change(), Some(Change::Modified));
    let mut gaps = Gaps::default();
    input.verify(&mut gaps).expect("no error");
    assert!(gaps.has(GapKind::Changed));
}

#[test]
fn many_mappings_come_and_go() {
    let folder = folder();
    let path = folder.path().join("core");
    fs::write(&path, b"a dump").expect("written");
    for _ in 0..10_000 {
        open(&path).expect("read");
    }
    // More than can be guarded at a time: the rest is copied.
    let kept: Vec<_> = (0..5000).map(|_| open(&path).expect("read")).collect();
    assert!(kept.iter().all(|i| &i.bytes[..] == b"a dump"));
}

#[test]
fn empty_and_missing_files_are_errors() {
    let folder = folder();
    let path = folder.path().join("core");
    fs::write(&path, b"").expect("written");
    let error = open(&path).expect_err("empty");
    assert!(matches!(error, InputError::Empty { .. }) && error.is_no_dump(), "{error}");
    let error = open(&folder.path().join("none")).expect_err("missing");
    assert!(error.to_string().ends_with("/none: No such file or directory"), "{error}");
    assert!(!error.is_no_dump());
    assert!(matches!(open(folder.path()), Err(InputError::SpecialFile { kind: "a folder", .. })));
}

#[test]
fn archives_are_named() {
    let folder = folder();
    let path = folder.path().join("dumps");
    let mut tar = vec![0; 1024];
    tar[257..262].copy_from_slice(b"ustar");
    fs::write(&path, &tar).expect("written");
    let error = open(&path).expect_err("an archive");
    assert!(error.to_string().contains("a tar archive, which is not read: extract"), "{error}");
    assert!(error.is_no_dump());
    fs::write(&path, b"PK\x03\x04").expect("written");
    assert!(open(&path).expect_err("an archive").to_string().contains("a zip archive"));
}

#[test]
fn what_is_no_dump_has_a_name() {
    let own = fs::read(std::env::current_exe().expect("a path")).expect("read");
    if cfg!(target_os = "linux") {
        assert_eq!(looks_like(&own), Some("an ELF program or library, not a core"));
    }
    assert_eq!(looks_like(b"some text"), None);
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::symlink;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    fn make_pipe(path: &Path) {
        mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a pipe");
    }

    #[test]
    fn folders_are_walked_in_the_order_of_names() {
        let folder = folder();
        let root = folder.path();
        fs::create_dir_all(root.join("b/deep/er")).expect("made");
        fs::create_dir_all(root.join("empty")).expect("made");
        for file in ["c", "a", "b/2", "b/10", "b/deep/er/x", "b.txt"] {
            fs::write(root.join(file), file).expect("written");
        }
        make_pipe(&root.join("pipe"));
        symlink("/etc/passwd", root.join("link-out")).expect("made");
        symlink("..", root.join("b/link-up")).expect("made");
        symlink("nowhere", root.join("link-dangling")).expect("made");
        let expected = ["a", "b/10", "b/2", "b/deep/er/x", "b.txt", "c"];
        assert_eq!(listed(root), expected);
        let listing = find(root);
        assert_eq!(listing.links, 3);
        for found in listing.found {
            let found = found.expect("found");
            let input = read(&found, &InputOptions::default(), &NoProgress).expect("read");
            assert!(found.from_folder && input.from_folder);
        }
    }

    #[test]
    fn a_link_that_the_user_names_is_followed() {
        let folder = folder();
        fs::create_dir(folder.path().join("dumps")).expect("made");
        fs::write(folder.path().join("dumps/core"), "a dump").expect("written");
        symlink("dumps", folder.path().join("link")).expect("made");
        symlink("dumps/core", folder.path().join("core")).expect("made");
        assert_eq!(listed(&folder.path().join("link")), ["core"]);
        assert_eq!(&open(&folder.path().join("core")).expect("read").bytes[..], b"a dump");
    }

    #[test]
    fn a_pipe_is_read_where_the_user_names_it_and_never_in_a_folder() {
        let folder = folder();
        let path = folder.path().join("pipe");
        make_pipe(&path);
        assert_eq!(listed(folder.path()), [""; 0]);
        let writer = {
            let path = path.clone();
            std::thread::spawn(move || {
                let mut pipe = File::options().write(true).open(path).expect("opened");
                for _ in 0..1000 {
                    pipe.write_all(&[7; 999]).expect("written");
                }
            })
        };
        let input = open(&path).expect("read");
        writer.join().expect("written");
        assert_eq!(input.bytes.len(), 999_000);
        assert!(input.bytes.iter().all(|&b| b == 7));
    }

    #[test]
    fn a_pipe_put_in_place_of_a_file_of_a_folder_does_not_block() {
        let folder = folder();
        let path = folder.path().join("core");
        fs::write(&path, "a dump").expect("written");
        let found = find(folder.path()).found.pop().expect("a file").expect("found");
        fs::remove_file(&path).expect("removed");
        make_pipe(&path);
        let result = read(&found, &InputOptions::default(), &NoProgress);
        assert!(matches!(result, Err(InputError::SpecialFile { kind: "a pipe", .. })));
    }

    #[test]
    fn a_pipe_has_a_bound_and_may_be_empty() {
        let folder = folder();
        let path = folder.path().join("pipe");
        make_pipe(&path);
        let write = |length: usize| {
            let path = path.clone();
            std::thread::spawn(move || {
                let mut pipe = File::options().write(true).open(path).expect("opened");
                // The reader goes away when the bound is exceeded.
                let _ = pipe.write_all(&vec![7; length]);
            })
        };
        let options = InputOptions { max_unpacked: Some(5_000_000) };
        let writer = write(20_000_000);
        let error = read(&Found::file(&path), &options, &NoProgress).expect_err("too large");
        assert!(matches!(error, InputError::TooLarge { is_packed: false, .. }), "{error}");
        writer.join().expect("written");
        let writer = write(0);
        assert!(matches!(open(&path), Err(InputError::Empty { .. })));
        writer.join().expect("written");
    }

    #[test]
    fn devices_are_not_read() {
        let error = open(Path::new("/dev/null")).expect_err("a device");
        assert!(matches!(error, InputError::SpecialFile { kind: "a device", .. }), "{error}");
        let folder = folder();
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("bound");
        assert!(matches!(open(&socket), Err(InputError::SpecialFile { kind: "a socket", .. })));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_file_of_size_zero_may_have_content() {
        let input = open(Path::new("/proc/self/status")).expect("read");
        assert!(input.bytes.starts_with(b"Name:"));
    }
}
