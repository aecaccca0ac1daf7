//! Frames of V8's stack traces, and of the native stack.
//!
//! ```text
//! at Object.writeReport (node:internal/process/report:27:13)
//! at REPLServer.runBound [as eval] (domain.js:438:12)
//! at async serve (file:///srv/app/service.mjs:86:6)
//! at  (/srv/app/service.js:86:6)                                a function without a name
//! at [eval]:1:16
//! at new Order (C:\app\order.js:3:5)
//! ```

use crate::formats::text::BodyFrame;
use crate::model::{Frame, Str};

/// Reads a frame of JavaScript. `None`: `Unavailable.`, the message of an exception.
pub(super) fn javascript(line: &str) -> Option<Frame> {
    let text = line.trim_start().strip_prefix("at ")?;
    let text = text.strip_prefix("async ").unwrap_or(text);
    let (name, place) = match text
        .strip_suffix(')')
        .and_then(|t| t.split_once(" (").or_else(|| Some(("", t.strip_prefix('(')?))))
    {
        Some((name, place)) => (name, place),
        None => ("", text),
    };
    let name = name.split(" [as ").next().unwrap_or(name).trim();
    let (file, line) = place_of(place);
    // Tables know a method by its last name. A builtin (`Atomics.wait`) has no file: its last name would be taken for a
    // function of the C library.
    let last = name.rsplit('.').next().filter(|last| file.is_some() && !last.is_empty() && *last != name);
    Some(Frame {
        function: (!name.is_empty()).then(|| name.into()),
        aliases: last.map(Str::from).into_iter().collect(),
        file,
        line,
        ..Frame::default()
    })
}

/// `node:internal/process/report:27:13`, `C:\app\order.js:3:5`, `native`, `<anonymous>`.
fn place_of(place: &str) -> (Option<Str>, Option<u32>) {
    let mut parts = place.rsplitn(3, ':');
    let (column, line, file) = (parts.next(), parts.next(), parts.next());
    let is_number = |text: Option<&str>| text.is_some_and(|t| t.parse::<u32>().is_ok());
    match file {
        Some(file) if is_number(column) && is_number(line) => {
            let file = file.strip_prefix("file://").unwrap_or(file);
            (Some(file.into()), line.and_then(|line| line.parse().ok()))
        }
        _ if matches!(place, "native" | "<anonymous>" | "") => (None, None),
        _ => (Some(place.into()), None),
    }
}

/// Reads a frame of the native stack: `node::report::WriteReport(…) [/usr/bin/node]`.
pub(super) fn native(pc: &str, symbol: &str) -> Option<Frame> {
    let address = u64::from_str_radix(pc.trim().strip_prefix("0x")?, 16).ok();
    let (name, module) = match symbol.trim_end().strip_suffix(']').and_then(|s| s.rsplit_once('[')) {
        Some((name, module)) => (name.trim(), Some(module.into())),
        None => (symbol.trim(), None),
    };
    Some(Frame { function: (!name.is_empty()).then(|| name.into()), module, address, ..Frame::default() })
}

/// What writes the report, in all versions: `report::TriggerNodeReport(…)`, `node::TriggerNodeReport(…)`.
const WRITER: &str = "TriggerNodeReport(";

/// How many of the newest frames are those of whoever writes the report; the very first is often nameless.
pub(super) fn of_writer(frames: &[BodyFrame]) -> usize {
    let is_writer =
        |frame: &BodyFrame| frame.frame.function.as_deref().is_some_and(|name| name.contains(WRITER));
    let last = frames.iter().rposition(is_writer).map_or(0, |at| at + 1);
    // Of a stack that is nothing else something is kept.
    if last == frames.len() { 0 } else { last }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames() {
        let read = |line: &str| {
            let frame = javascript(line).unwrap_or_else(|| panic!("no frame: {line}"));
            let owned = |s: Option<Str>| s.map(|s| s.to_string());
            (owned(frame.function), owned(frame.file), frame.line)
        };
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            read("at lockLog (/srv/applog.js:16:13)"),
            (text("lockLog"), text("/srv/applog.js"), Some(16))
        );
        assert_eq!(
            read("    at REPLServer.runBound [as eval] (domain.js:438:12)"),
            (text("REPLServer.runBound"), text("domain.js"), Some(438))
        );
        assert_eq!(read("at  (/srv/service.js:86:6)"), (None, text("/srv/service.js"), Some(86)));
        assert_eq!(read("at [eval]:1:16"), (None, text("[eval]"), Some(1)));
        assert_eq!(read("at async f (file:///srv/x.mjs:2:1)"), (text("f"), text("/srv/x.mjs"), Some(2)));
        assert_eq!(read("at Array.map (native)"), (text("Array.map"), None, None));
        assert_eq!(read("at C.d (C:\\app\\o.js:3:5)"), (text("C.d"), text("C:\\app\\o.js"), Some(3)));
        assert!(javascript("Unavailable.").is_none());
        let names =
            |line: &str| javascript(line).unwrap().aliases.iter().map(|a| a.to_string()).collect::<Vec<_>>();
        assert_eq!(names("at Log.write (/srv/app/log.js:3:5)"), ["write"]);
        assert!(names("at Atomics.wait (<anonymous>)").is_empty(), "nobody waits for a child process");
    }
}
