//! Compressed inputs, as the programs that people use write them.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use logjam::input::{Compression, Found, Input, InputError, InputOptions, NoProgress, Progress, read};
use logjam::model::GapKind;

/// Something like a core: structure, zeros, noise.
fn content(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let noise = move |n: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        match n % 4096 {
            0..1000 => (state >> 24) as u8,
            1000..2000 => b"log_message worker "[n % 19],
            _ => 0,
        }
    };
    (0..length).map(noise).collect()
}

/// What a program makes of the content. `None` where the program is not installed.
fn packed_by(command: &[&str], content: &[u8]) -> Option<Vec<u8>> {
    let mut child = Command::new(command[0])
        .args(&command[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut stdin = child.stdin.take()?;
    let mut packed = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(content));
        child.stdout.take()?.read_to_end(&mut packed).ok()
    })?;
    child.wait().ok()?.success().then_some(packed)
}

fn read_bytes(bytes: &[u8], options: &InputOptions) -> Result<Input, InputError> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    // The name says nothing: compressions are recognized by content.
    let path = folder.path().join("core.txt");
    fs::write(&path, bytes).expect("written");
    read(&Found::file(&path), options, &NoProgress)
}

#[test]
fn what_the_programs_write_is_unpacked() {
    let content = content(3_000_000);
    let mut tried = 0;
    for (command, compression) in [
        (&["gzip"][..], Compression::Gzip),
        (&["gzip", "-1"], Compression::Gzip),
        (&["pigz"], Compression::Gzip),
        (&["zstd"], Compression::Zstd),
        (&["zstd", "-T2", "--long=27", "--check"], Compression::Zstd),
        (&["zstd", "--format=lz4"], Compression::Lz4),
        (&["pzstd", "-p", "3"], Compression::Zstd),
        (&["xz", "-1"], Compression::Xz),
        (&["xz", "-0", "-T2", "--block-size=500000"], Compression::Xz),
        (&["lz4"], Compression::Lz4),
        (&["lz4", "-9", "-B4", "-BD"], Compression::Lz4),
        (&["lz4", "-BX", "--no-frame-crc"], Compression::Lz4),
        (&["lz4", "-l"], Compression::Lz4),
        (&["bzip2"], Compression::Bzip2),
        (&["pbzip2"], Compression::Bzip2),
    ] {
        let Some(packed) = packed_by(command, &content) else { continue };
        let input = read_bytes(&packed, &InputOptions::default()).expect("read");
        assert_eq!(input.compression, [compression], "{command:?}");
        assert!(input.bytes == content, "{command:?}");
        assert!(input.gaps.is_empty() && !input.is_cut_compressed, "{command:?} {:?}", input.gaps);
        tried += 1;
        // Frames of the legacy format have no end, so nothing can follow one.
        if command.contains(&"-l") {
            continue;
        }
        let twice = [&packed[..], &packed].concat();
        let input = read_bytes(&twice, &InputOptions::default()).expect("read");
        assert!(input.bytes == [&content[..], &content].concat(), "{command:?} twice");
    }
    eprintln!("{tried} programs were there");
}

#[test]
fn a_cut_stream_is_used_up_to_the_cut() {
    let content = content(9_000_000);
    for (compression, packed) in packed_in_every_way(&content) {
        let cut = &packed[..packed.len() * 3 / 4];
        let input = read_bytes(cut, &InputOptions::default()).expect("read");
        assert!(input.is_cut_compressed, "{compression:?}");
        assert!(content.starts_with(&input.bytes), "{compression:?}");
        assert!(input.bytes.len() > content.len() / 2, "{compression:?} {}", input.bytes.len());
        let gap = input.gaps.iter().next().expect("a gap");
        assert_eq!(gap.kind, GapKind::Truncated, "{compression:?} {gap:?}");
        assert_eq!(gap.offset, Some(input.bytes.len() as u64));
        assert!(gap.message.contains(compression.name()) && gap.message.contains("breaks off"));
    }
}

#[test]
fn a_damaged_stream_is_used_up_to_the_damage() {
    let content = content(9_000_000);
    for (compression, mut packed) in packed_in_every_way(&content) {
        let middle = packed.len() * 3 / 4;
        packed[middle..middle + 2000].fill(0xff);
        let input = read_bytes(&packed, &InputOptions::default()).expect("read");
        assert!(input.is_cut_compressed, "{compression:?}");
        assert_eq!(input.gaps.iter().count(), 1, "{compression:?}");
    }
}

#[test]
fn a_stream_without_one_good_byte_is_an_error() {
    for (compression, packed) in packed_in_every_way(&content(100_000)) {
        let error = read_bytes(&packed[..10], &InputOptions::default()).expect_err("damaged");
        assert!(matches!(error, InputError::Damaged { .. }), "{compression:?} {error}");
        assert!(error.to_string().contains(compression.name()), "{error}");
    }
    let error = read_bytes(&zstd::encode_all(&b""[..], 1).expect("packed"), &InputOptions::default());
    assert!(matches!(error, Err(InputError::EmptyInside { .. })));
}

#[test]
fn compressions_in_each_other_are_taken_off_twice() {
    let content = content(500_000);
    let once = zstd::encode_all(&content[..], 1).expect("packed");
    let mut twice = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    twice.write_all(&once).expect("packed");
    let twice = twice.finish().expect("packed");
    let input = read_bytes(&twice, &InputOptions::default()).expect("read");
    assert_eq!(input.compression, [Compression::Gzip, Compression::Zstd]);
    assert!(input.bytes == content);
    let cut = read_bytes(&twice[..twice.len() / 2], &InputOptions::default()).expect("read");
    assert!(cut.is_cut_compressed && content.starts_with(&cut.bytes));
    let thrice = zstd::encode_all(&twice[..], 1).expect("packed");
    let error = read_bytes(&thrice, &InputOptions::default()).expect_err("three layers");
    assert!(error.to_string().ends_with("compressed more than 2 times over: unpack it first"), "{error}");
}

#[test]
fn the_bound_is_an_error_that_says_what_to_do() {
    let content = vec![1; 3_000_000];
    let packed = zstd::encode_all(&content[..], 1).expect("packed");
    let bounded = |bound| read_bytes(&packed, &InputOptions { max_unpacked: Some(bound) });
    assert!(bounded(3_000_000).is_ok());
    let error = bounded(2_999_999).expect_err("too large");
    assert!(matches!(error, InputError::TooLarge { bound: 2_999_999, is_packed: true, .. }));
    assert!(error.to_string().contains("--max-unpacked: raise it"), "{error}");
    // A plain file is mapped: there is no bound on it.
    let options = InputOptions { max_unpacked: Some(10) };
    assert!(read_bytes(&content, &options).is_ok());
}

#[test]
fn an_archive_inside_is_named() {
    let mut tar = vec![0; 10_240];
    tar[257..262].copy_from_slice(b"ustar");
    let packed = zstd::encode_all(&tar[..], 1).expect("packed");
    let error = read_bytes(&packed, &InputOptions::default()).expect_err("an archive");
    assert!(error.to_string().contains("a tar archive"), "{error}");
}

#[test]
fn progress_counts_packed_bytes() {
    struct Seen(std::sync::Mutex<Vec<(u64, u64)>>);
    impl Progress for Seen {
        fn report(&self, stage: &'static str, done: u64, total: u64) {
            assert_eq!(stage, "unpacking");
            self.0.lock().expect("not poisoned").push((done, total));
        }
    }
    let packed = zstd::encode_all(&content(5_000_000)[..], 1).expect("packed");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("core");
    fs::write(&path, &packed).expect("written");
    let seen = Seen(std::sync::Mutex::default());
    read(&Found::file(Path::new(&path)), &InputOptions::default(), &seen).expect("read");
    let seen = seen.0.into_inner().expect("not poisoned");
    assert!(seen.len() >= 4 && seen.is_sorted());
    assert_eq!(seen.last(), Some(&(packed.len() as u64, packed.len() as u64)));
}

/// The content packed by the encoders of the crates, in blocks that are small enough for cuts.
fn packed_in_every_way(content: &[u8]) -> Vec<(Compression, Vec<u8>)> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(content).expect("packed");
    let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 0);
    xz.write_all(content).expect("packed");
    let blocks = lz4_flex::frame::FrameInfo::new().block_size(lz4_flex::frame::BlockSize::Max64KB);
    let mut lz4 = lz4_flex::frame::FrameEncoder::with_frame_info(blocks, Vec::new());
    lz4.write_all(content).expect("packed");
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bzip2.write_all(content).expect("packed");
    // Without a checksum zstd does not notice damage inside of literals.
    let mut zstd = zstd::Encoder::new(Vec::new(), 1).expect("an encoder");
    zstd.include_checksum(true).expect("set");
    zstd.write_all(content).expect("packed");
    vec![
        (Compression::Gzip, gzip.finish().expect("packed")),
        (Compression::Zstd, zstd.finish().expect("packed")),
        (Compression::Xz, xz.finish().expect("packed")),
        (Compression::Lz4, lz4.finish().expect("packed")),
        (Compression::Bzip2, bzip2.finish().expect("packed")),
    ]
}
