//! Text of gdb: parsed twice (the same both times), then through the whole pipeline.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use logjam::formats::detect;
use logjam::model::Snapshot;
use logjam_fuzz::{analyze_bytes, oracle, start};

fuzz_target!(init: start(), |data: &[u8]| {
    let input = Bytes::copy_from_slice(data);
    let gdb = logjam::formats::find("gdb");
    let parse = || match detect::detect(&input, gdb) {
        Some(content) => detect::read(&content, &input, &"dump".into()),
        None => Vec::new(),
    };
    let (once, twice) = (parse(), parse());
    assert_eq!(once.len(), twice.len(), "parsing twice gives the same");
    for (a, b) in once.iter().zip(&twice) {
        assert_eq!(shown(a), shown(b), "parsing twice gives the same");
        oracle::check_threads(a);
    }
    oracle::check(&analyze_bytes(data));
});

/// All of a snapshot that text formats fill in.
fn shown(s: &Snapshot) -> String {
    let stacks: Vec<_> =
        (0..s.stacks.stack_count()).map(|n| s.stacks.frames_of(logjam::model::StackIx(n as u32))).collect();
    format!(
        "{:?}{:?}{:?}{:?}{:?}{:?}{:?}{:?}{:?}",
        s.source,
        s.process,
        s.threads,
        s.stacks.all_frames(),
        stacks,
        s.values,
        s.reported_locks,
        s.is_complete,
        s.gaps
    )
}
