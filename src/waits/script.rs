//! Frames of interpreters, whose functions are known by a name that several of a file may have: `handle` of the
//! logger and `handle` of its handler are told apart by their lines.

use crate::model::Frame;

/// Ends of files in which functions of interpreters stand.
const FILES: &[&str] = &[".py", ".rb", ".js", ".mjs", ".cjs", ".ts"];

/// How many lines a function may have behind the line that takes its lock.
const MOST_LINES: u32 = 120;

/// Whether a frame is one of an interpreter.
pub(super) fn is_script(frame: &Frame) -> bool {
    frame.file.as_deref().is_some_and(|file| FILES.iter().any(|end| file.ends_with(end)))
}

/// Whether a frame of an interpreter stands in the same function as one that takes a lock, whose name is the same, at that
/// line or further on.
pub(super) fn is_past(frame: &Frame, at_lock: &Frame) -> bool {
    if !is_script(frame) || !is_script(at_lock) {
        return false;
    }
    let (Some(line), Some(first)) = (frame.line, at_lock.line) else { return frame.file == at_lock.file };
    frame.file == at_lock.file && line >= first && line - first <= MOST_LINES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(file: &str, line: u32) -> Frame {
        Frame { file: Some(file.into()), line: Some(line), ..Frame::default() }
    }

    #[test]
    fn functions_of_one_name() {
        let at_lock = frame("/usr/lib/python3.11/logging/__init__.py", 976);
        assert!(is_past(&frame("/usr/lib/python3.11/logging/__init__.py", 978), &at_lock));
        assert!(!is_past(&frame("/usr/lib/python3.11/logging/__init__.py", 1644), &at_lock));
        assert!(!is_past(&frame("/usr/lib/python3.11/logging/__init__.py", 970), &at_lock));
        assert!(!is_past(&frame("/srv/app/handlers.py", 978), &at_lock));
        assert!(!is_past(&frame("log.c", 901), &frame("log.c", 900)), "compilers say where functions begin");
    }
}
