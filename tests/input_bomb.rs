//! A bomb: much that unpacks from little. Alone in its process, because it measures the memory.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::Write;

use logjam::input::{Found, InputError, InputOptions, NoProgress, read};

/// The most memory that this process ever had, in bytes.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("read");
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).expect("a line");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}

fn packed(content: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(content).expect("packed");
    gzip.finish().expect("packed")
}

#[test]
fn zeros_take_neither_memory_nor_disk() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("core.gz");
    let length = 1_u64 << 30;
    let member = packed(&[0; 1 << 24]);
    let packed = [member.repeat(64), packed(b"the end")].concat();
    assert!(packed.len() < 10_000_000);
    fs::write(&path, &packed).expect("written");

    let found = Found::file(&path);
    // 64 MiB of content would be allowed, a sixteenth of what it unpacks to with its holes.
    let options = InputOptions { max_unpacked: Some(65 << 20) };
    let input = read(&found, &options, &NoProgress).expect("read");
    assert_eq!(input.bytes.len() as u64, length + 7);
    assert!(input.bytes.ends_with(b"\0the end"));
    let peak = peak_memory();
    assert!(peak < 400 << 20, "{} MiB", peak >> 20);

    let options = InputOptions { max_unpacked: Some(1 << 20) };
    let error = read(&found, &options, &NoProgress).expect_err("more holes than are allowed");
    assert!(matches!(error, InputError::TooLarge { .. }), "{error}");
}
