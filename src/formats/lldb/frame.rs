//! Frames.
//!
//! ```text
//!   * frame #0: 0x00007fb8afc4eeec libc.so.6`__pthread_kill_implementation(threadid=<unavailable>, signo=6) at pthread_kill.c:44:76
//!     frame #3: 0x0000560be2b135f4 lockstorm`do_rd at lockstorm.c:29:73 [artificial]
//!     frame #4: 0x0000559ed0278cfb gl`std::thread::_M_run() const [inlined] __gthread_mutex_lock(__mutex=0x0000000000011240) at gthr-default.h:749:41
//!     frame #5: 0x00007f2d08cd44a3 libstdc++.so.6`___lldb_unnamed_symbol7808 + 19
//!     frame #6: 0x00007fccb465612b libc.so.6 at futex-internal.h:146:13                a name that lldb does not know
//!     frame #7: 0x0000000104000000 app`-[Log write:] + 12 at Log.m:8:1 [opt]
//! ```

use super::args;
use crate::formats::text::words::{hex, number, place};
use crate::formats::text::{BlockLine, Body, BodyFrame};
use crate::model::{Frame, FrameKind, Str};

/// Whether a line is a frame.
pub(super) fn is_frame(line: &str) -> bool {
    after_number(line).is_some_and(|rest| rest.starts_with("0x"))
}

fn after_number(line: &str) -> Option<&str> {
    let text = line.trim_start();
    let text = text.strip_prefix("* ").unwrap_or(text);
    let (_, rest) = number(text.strip_prefix("frame #")?)?;
    Some(rest.strip_prefix(':')?.trim_start())
}

/// Whether a line is all that lldb wrote: a frame with a place or an offset, or a header.
pub(super) fn is_whole(line: &str) -> bool {
    let Some(rest) = after_number(line) else { return line.contains("thread #") };
    let has_place = rest.rsplit_once(" at ").is_some_and(|(_, at)| place(at).is_some());
    has_place
        || rest.ends_with([')', ']'])
        || rest.rsplit_once(" + ").is_some_and(|(_, n)| number(n).is_some())
}

/// Lines that lldb prints of the source or the code around a frame: `-> 12   lock();`, `    0x7f <+4>: ret`.
pub(super) fn is_source(line: &str) -> bool {
    let text = line.trim_start();
    let text = text.strip_prefix("->").unwrap_or(text).trim_start();
    let is_code = text.starts_with("0x") && (text.contains(" <+") || text.contains(">: "));
    let is_numbered = number(text).is_some_and(|(_, rest)| rest.is_empty() || rest.starts_with([' ', '\t']));
    is_code || is_numbered || text.starts_with('^') || (text.ends_with(':') && text.contains('`'))
}

/// Pages below this are never mapped in a process that is loaded above 4 GiB, as all position-independent
/// programs and those of macOS are: what lies there is an address of the file that lldb did not relocate.
const FOUR_GIB: u64 = 1 << 32;

/// No process has anything below.
const FIRST_PAGES: u64 = 1 << 16;

/// Reads the lines of a block.
pub(super) fn body(block: &[BlockLine<'_>]) -> Body {
    let mut frames: Vec<BodyFrame> = Vec::new();
    for line in block {
        // The header of old versions has the first frame as well.
        if !frames.is_empty() && line.text.contains("frame #0: ") {
            frames.clear();
        }
        frames.extend(read(line));
    }
    let mut pcs = frames.iter().filter_map(|f| f.frame.address).filter(|pc| *pc >= FIRST_PAGES).peekable();
    let is_high = pcs.peek().is_some() && pcs.all(|pc| pc >= FOUR_GIB);
    Body { frames, lowest: if is_high { FOUR_GIB } else { FIRST_PAGES }, ..Body::default() }
}

/// Flags behind a frame.
static FLAGS: &[&str] = &["[opt]", "[artificial]", "[inlined]", "[optimized]"];

/// The module and the name where a page took the backtick between them for its own mark. Without a name lldb prints no offset
/// and no arguments (source: LLDB's default `frame-format`).
///
/// ```text
///   frame #0: 0x00000001000112df app log_write + 239 at app.c:6
///   frame #1: 0x00007fff8a1b2136 libsystem_kernel.dylib__psynch_mutexwait + 10
/// ```
fn without_backtick(rest: &str) -> Option<(&str, &str)> {
    let named = before_place(rest);
    let has_more = named.ends_with(')') || named.rsplit_once(" + ").is_some_and(|(_, n)| number(n).is_some());
    let (module, text) = match rest.find(DYLIB).and_then(|at| rest.split_at_checked(at + DYLIB.len())) {
        Some((module, text)) if !text.starts_with(' ') => (module, text),
        _ => rest.split_once(' ')?,
    };
    let begins = |text: &str| text.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '~' | '-'));
    (has_more && begins(text) && module.len() < named.len()).then_some((module, text))
}

const DYLIB: &str = ".dylib";

/// What stands before the file and the line.
fn before_place(rest: &str) -> &str {
    rest.split_once(" at ").map_or(rest, |(before, _)| before)
}

fn read(line: &BlockLine<'_>) -> Option<BodyFrame> {
    let rest = after_number(line.text)?;
    let (pc, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let address = hex(pc)?;
    let mut rest = rest.trim();
    while let Some(flag) = FLAGS.iter().find(|flag| rest.ends_with(**flag)) {
        rest = rest.get(..rest.len() - flag.len())?.trim_end();
    }
    let (module, text, is_named) = match rest.split_once('`') {
        Some((module, text)) => (module, text, true),
        None => match without_backtick(rest) {
            Some((module, text)) => (module, text, true),
            None => (before_place(rest), rest.split_once(" at ").map_or("", |_| rest), false),
        },
    };
    let found = args::split(text, line.slot);
    let (file, number) = found.after.rsplit_once(" at ").and_then(|(_, at)| place(at.trim())).unzip();
    let (name, kind) = match found.name.rsplit_once("[inlined] ") {
        Some((_, name)) => (name.to_owned(), FrameKind::Inlined),
        None => (found.name, FrameKind::Normal),
    };
    let name = name.trim();
    let has_name = !name.is_empty() && is_named;
    let frame = Frame {
        function: has_name.then(|| Str::from(name)),
        module: (!module.is_empty()).then(|| module.trim().into()),
        file,
        line: number,
        address: Some(address),
        kind,
        ..Frame::default()
    };
    Some(BodyFrame { frame, slots: found.slots })
}
