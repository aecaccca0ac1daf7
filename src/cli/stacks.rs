//! `logjam stacks`, for development: each thread's stack as one line of JSON, to be compared with
//! what other unwinders say.

use std::io::{self, Write};

use serde::Serialize;

use crate::diagnosis::Diagnosis;
use crate::model::{FrameKind, Snapshot, Thread, Trust};

#[derive(Serialize)]
struct Line<'a> {
    snapshot: usize,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    end: String,
    frames: Vec<FrameLine<'a>>,
}

#[derive(Serialize)]
struct FrameLine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    module_offset: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trust: Option<Trust>,
}

/// Writes all threads of all snapshots.
pub(super) fn write(diagnosis: &Diagnosis, out: &mut dyn Write) -> io::Result<()> {
    for (number, analyzed) in diagnosis.snapshots.iter().enumerate() {
        for thread in &analyzed.snapshot.threads {
            serde_json::to_writer(&mut *out, &line(number, &analyzed.snapshot, thread))?;
            writeln!(out)?;
        }
    }
    Ok(())
}

fn line<'a>(number: usize, snapshot: &'a Snapshot, thread: &'a Thread) -> Line<'a> {
    let hex = |n: u64| format!("{n:#x}");
    let frames = snapshot.stacks.frames_of(thread.stack).iter().map(|&ix| {
        let frame = snapshot.stacks.get(ix);
        FrameLine {
            function: frame.function.as_deref(),
            module: frame.module.as_deref(),
            module_offset: frame.module_offset.map(hex),
            file: frame.file.as_deref(),
            line: frame.line,
            address: frame.address.map(hex),
            kind: match frame.kind {
                FrameKind::Normal => None,
                FrameKind::Inlined => Some("inlined"),
                FrameKind::SignalHandler => Some("signal-handler"),
            },
            trust: frame.trust,
        }
    });
    Line {
        snapshot: number,
        id: thread.id.to_string(),
        name: thread.name.as_deref(),
        end: format!("{:?}", thread.stack_end),
        frames: frames.collect(),
    }
}
