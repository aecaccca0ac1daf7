//! A dump that lists the functions of its threads:
//!
//! ```text
//! dummy dump
//! 17 read take_order main
//! ```

use bytes::Bytes;

use super::{About, Format, Reader};
use crate::model::{FormatId, Frame, FrameIx, Snapshot, Source, Str, Thread, ThreadId};

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::new("dummy-format"),
    name: "a dummy dump",
    looked_for: "a first line `dummy dump`",
    about: About { producer: "this test", reads: "functions", never: "locks", capture: "write it" },
    reader: Reader::Binary { recognize: |bytes| bytes.starts_with(b"dummy dump\n"), parse },
};

fn parse(bytes: &Bytes, path: &Str) -> Vec<Snapshot> {
    let size = bytes.len() as u64;
    let source = Source { path: path.clone(), format: FORMAT.id, producer: None, bytes: size, offset: 0 };
    let mut snapshot = Snapshot::new(source);
    for line in String::from_utf8_lossy(bytes).lines().skip(1) {
        let mut words = line.split_whitespace();
        let Some(id) = words.next().and_then(|id| id.parse().ok()) else { continue };
        let frames: Vec<FrameIx> = words
            .map(|word| Frame { function: Some(word.into()), ..Frame::default() })
            .map(|frame| snapshot.stacks.frame(&frame, std::iter::empty()))
            .collect();
        let stack = snapshot.stacks.stack(&frames);
        snapshot.threads.push(Thread { stack, ..Thread::new(ThreadId::Number(id)) });
    }
    vec![snapshot]
}
