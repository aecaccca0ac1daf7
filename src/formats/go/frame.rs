//! Frames of Go: a call and, on the next line, its place.
//!
//! ```text
//! internal/sync.(*Mutex).lockSlow(0xc0001040e8)
//!     /usr/local/go/src/internal/sync/mutex.go:149 +0x15d
//! main.logWrite({0x0, 0x0, {0x4d5c8a, 0x5}}, 0x0?, {0xc00003c6f0, ...})
//!     /src/main.go:7 +0x7c fp=0xc00003a7e0 sp=0xc00003a7c8 pc=0x481af9
//! internal/sync.(*Mutex).Lock(...)                                            inlined: no values
//! created by main.main in goroutine 1
//!     /src/main.go:6 +0xed
//! ```

use crate::formats::text::{BlockLine, BodyFrame, HEX, words};
use crate::model::{ArgSlot, Frame, FrameKind, SlotKind};

/// Whether a line is a call: `pkg.Func(args)`.
pub(super) fn is_call(line: &str) -> bool {
    split(line).is_some_and(|(name, _)| name.contains('.') || name == "main" || name.starts_with("_"))
}

/// The name and the arguments, without their parentheses, which are the last balanced group of the line.
fn split(line: &str) -> Option<(&str, &str)> {
    let open = words::last_group(line)?;
    let name = line.get(..open)?;
    // Names have no blanks: type arguments are printed as `[...]`.
    let is_name = !name.is_empty() && !name.contains([' ', '\t', '"']);
    is_name.then_some((name, line.get(open + 1..line.len() - 1)?))
}

/// How many words of the arguments are kept: the receiver and what may be a lock.
const WORDS: usize = 2;

/// Reads a call and its place. Arguments that may be stale (`0x0?`) have no slot: they are no identity.
pub(super) fn call(line: &BlockLine<'_>, place: Option<&str>) -> Option<BodyFrame> {
    let (name, args) = split(line.text)?;
    let mut slots = Vec::new();
    for (n, (at, _)) in args.match_indices(HEX).enumerate() {
        let is_stale = args.get(at + HEX.len()..).is_some_and(|rest| rest.starts_with('?'));
        // `{0x4d5c8a, 0x5}` are words of one argument; the first word of the first argument is what methods have.
        let slot = ArgSlot { name: format!("word{n}").into(), kind: SlotKind::Hex, symbol: None };
        if !is_stale && n < WORDS {
            slots.push((slot, line.slot + n));
        }
    }
    let kind = if args == "..." { FrameKind::Inlined } else { FrameKind::Normal };
    let (file, line) = place.map(place_of).unwrap_or_default();
    let frame = Frame { function: Some(unescaped(name).into()), kind, file, line, ..Frame::default() };
    Some(BodyFrame { frame, slots })
}

/// `main.main in goroutine 1`, `main.main` before Go 1.21.
pub(super) fn creator(text: &str, place: Option<&str>) -> Frame {
    let name = text.split_once(" in goroutine ").map_or(text, |(name, _)| name);
    let (file, line) = place.map(place_of).unwrap_or_default();
    Frame { function: Some(unescaped(name).into()), file, line, ..Frame::default() }
}

/// `    /src/main.go:7 +0x7c fp=…`: the file may hold blanks and colons.
fn place_of(line: &str) -> (Option<crate::model::Str>, Option<u32>) {
    let line = line.trim_start();
    let end = line.find(" +0x").or_else(|| line.find(" fp=0x")).unwrap_or(line.len());
    let place = line.get(..end).unwrap_or(line);
    match place.rsplit_once(':') {
        Some((file, number)) if number.bytes().all(|b| b.is_ascii_digit()) => {
            (Some(file.into()), number.parse().ok())
        }
        _ => (Some(place.into()), None),
    }
}

/// The linker escapes what is no part of an identifier in import paths: `gopkg.in/yaml%2ev2.unmarshal`.
fn unescaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(at) = rest.find('%') {
        let code =
            rest.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(u8::is_ascii);
        out.push_str(rest.get(..at).unwrap_or_default());
        let length = match code {
            Some(byte) => {
                out.push(char::from(byte));
                3
            }
            None => {
                out.push('%');
                1
            }
        };
        rest = rest.get(at + length..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}
