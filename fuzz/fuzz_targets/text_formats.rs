//! Texts of all formats: what a text means does not depend on line ends, encoding, prefixes, or on what a log puts
//! between the threads.
//!
//! The first two bytes choose what is done to the text; the rest is the text.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use logjam::formats::detect;
use logjam::model::Snapshot;
use logjam_fuzz::{analyze_bytes, oracle, start};

fuzz_target!(init: start(), |data: &[u8]| {
    let Some((&[form, every], text)) = data.split_first_chunk::<2>() else { return };
    let once = read(text);
    let twice = read(text);
    assert_eq!(all(&once), all(&twice), "parsing twice gives the same");
    for snapshot in &once {
        oracle::check_threads(snapshot);
    }
    // Lines that end or escape differently are other texts.
    let is_plain = !text.iter().any(|b| matches!(b, b'\r' | 0x1b | 0 | 0x0b | 0x0c))
        && !text.starts_with(b"\xef\xbb\xbf");
    if let (true, Ok(text)) = (is_plain, std::str::from_utf8(text)) {
        let ids: Vec<Vec<String>> = once.iter().map(ids).collect();
        let (name, changed) = changed(form, text);
        let got: Vec<Vec<String>> = read(&changed).iter().map(self::ids).collect();
        assert_eq!(got, ids, "{name}");
        if !text.trim_start().starts_with(['{', '[']) {
            noise_costs_no_thread(text, usize::from(every % 32) + 1, &once);
        }
    }
    oracle::check(&analyze_bytes(text));
});

fn read(bytes: &[u8]) -> Vec<Snapshot> {
    let bytes = Bytes::copy_from_slice(bytes);
    match detect::detect(&bytes, None) {
        Some(content) => detect::read(&content, &bytes, &"dump".into()),
        None => Vec::new(),
    }
}

fn changed(form: u8, text: &str) -> (&'static str, Vec<u8>) {
    match form % 2 {
        0 => ("CRLF", text.replace('\n', "\r\n").into_bytes()),
        _ => (
            "UTF-16",
            "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect(),
        ),
    }
}

/// Lines of a log behind empty lines. A text in which names have line breaks may take them for its own.
fn noise_costs_no_thread(text: &str, every: usize, once: &[Snapshot]) {
    let mut noisy = String::with_capacity(text.len() * 2);
    for (n, line) in text.split_inclusive('\n').enumerate() {
        noisy.push_str(line);
        if line == "\n" && n % every == 0 {
            noisy.push_str("2026-11-28T10:00:02.000Z DEBUG request took 3 ms\n");
        }
    }
    let threads = |snapshots: &[Snapshot]| snapshots.iter().map(|s| s.threads.len()).sum::<usize>();
    if !text.contains("\"\n") {
        assert!(threads(&read(noisy.as_bytes())) >= threads(once), "noise between the threads costs some");
    }
}

fn ids(snapshot: &Snapshot) -> Vec<String> {
    snapshot.threads.iter().map(|t| t.id.to_string()).collect()
}

/// All that text formats fill in.
fn all(snapshots: &[Snapshot]) -> String {
    let one = |s: &Snapshot| {
        let stacks: Vec<_> = (0..s.stacks.stack_count())
            .map(|n| s.stacks.frames_of(logjam::model::StackIx(n as u32)))
            .collect();
        let said = (&s.source, &s.process, &s.threads, &s.values, &s.named_locks, &s.holds);
        format!("{said:?}{:?}{stacks:?}{:?}{:?}{:?}", s.stacks.all_frames(), s.reported_locks, s.is_complete, s.gaps)
    };
    snapshots.iter().map(one).collect()
}
