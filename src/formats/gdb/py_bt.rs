//! `py-bt`: the frames of Python that gdb shows with CPython's extension, below its own headers.
//!
//! ```text
//! Thread 3 (Thread 0x7fe5594496c0 (LWP 5180)):
//! Traceback (most recent call first):
//!   <built-in method acquire of _thread.lock object at remote 0x7fe55a0e40c0>
//!   File "/srv/shop/log.py", line 5, in write
//!     log_lock.acquire()
//!   (frame information optimized out)
//!
//! Thread 2 (Thread 0x7fe558c486c0 (LWP 5179)):
//! Traceback (most recent call first):
//!   Waiting for the GIL
//!   File "/srv/shop/log.py", line 9, in flush
//!
//! Thread 1 (Thread 0x7fe55cc506c0 (LWP 5178)):
//! Unable to locate python frame
//! ```
//!
//! They become frame lines in gdb's own form. Of a thread whose own frames the text has as well the Python ones are left
//! out: a thread has one stack, and the one that `bt` prints says what the thread waits for.
//!
//! Source: CPython 2.7-3.14 Tools/gdb/libpython.py (`PyBacktrace`, `Frame.print_traceback`,
//! `Frame.is_other_python_frame`, `PyFramePtr.print_traceback`, `BuiltInMethodProxy`).

use std::borrow::Cow;

use rustc_hash::FxHashSet;

use super::header;
use crate::formats::python;
use crate::formats::text::Site;
use crate::model::{ReportedState, lossy};

/// How each begins.
pub(super) const HEADER: &str = "Traceback (most recent call first):";

/// What is said of a thread that runs no Python.
const NO_FRAME: &str = "Unable to locate python frame";

/// How the line begins that stands for the source in which a thread is, where that says what the thread does.
const STATE: &str = "py-bt says: ";

/// Lines that stand for frames: what is printed, and the function. libpython.py prints the first two of C functions with
/// these names.
static REMARKS: &[(&str, &str)] = &[
    ("Waiting for the GIL", "take_gil"),
    ("Garbage-collecting", "gc_collect_main"),
    ("(frame information optimized out)", "??"),
    ("(unable to read python frame information)", "??"),
    ("(not a python frame)", "??"),
];

/// As many lines of a stack as are looked at.
const MOST_LINES: usize = 1024;

/// Whether a stack of Python begins at this site.
pub(super) fn is_begin(site: &Site<'_>) -> bool {
    let prefix = if site.string_start().is_some() { 0 } else { site.before().map_or(0, <[u8]>::len) };
    let mut lines = site.following_text(MOST_LINES);
    let Some(next) = lines.next() else { return false };
    let behind = lines.find(|line| !line.get(prefix..).is_some_and(|text| text.starts_with("  ")));
    if behind.is_some_and(|line| line.get(prefix..).is_some_and(is_exception)) {
        return false;
    }
    let text = next.trim();
    // What a log puts before the line stands before this one as well.
    let frame = text.find("File \"").and_then(|at| text.get(at..)).unwrap_or(text);
    frame_line(frame).is_some()
        || REMARKS.iter().any(|(remark, _)| text.ends_with(remark))
        || text.find("<built-in ").and_then(|at| builtin(text.get(at..)?)).is_some()
}

/// `KeyError: 'price'`, `shop.errors.Closed`: the traceback of an exception that somebody printed from its end.
fn is_exception(line: &str) -> bool {
    let name = line.split(':').next().unwrap_or(line).trim_end();
    let last = name.rsplit('.').next().unwrap_or(name);
    last.starts_with(|c: char| c.is_ascii_uppercase())
        && last.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// Whether this line begins one.
pub(super) fn has_header(line: &[u8]) -> bool {
    memchr::memmem::find(line, HEADER.as_bytes()).is_some()
}

/// The text with frame lines of gdb's form, and where each line of it began.
pub(super) fn as_frames(text: &[u8]) -> (Vec<u8>, Vec<(usize, usize)>) {
    let native = native(text);
    let mut out = Vec::with_capacity(text.len());
    let mut places = Vec::new();
    let mut thread: &[u8] = b"";
    // The number of the next frame, in a stack of Python.
    let mut stack: Option<usize> = None;
    let mut has_state = false;
    for (at, line) in lines(text) {
        places.push((out.len(), at));
        let shown = line.trim_ascii_end();
        if let Some(begun) = thread_of(shown) {
            thread = begun;
        }
        if without_prompt(shown) == HEADER.as_bytes() {
            (stack, has_state) = (Some(0), false);
            continue;
        }
        if without_prompt(shown) == NO_FRAME.as_bytes() {
            continue;
        }
        let shown = lossy(shown);
        let read = stack.and_then(|_| shown.starts_with("  ").then(|| of_stack(&shown)));
        let (Some(number), Some(line_of_stack)) = (stack, read) else {
            stack = None;
            out.extend_from_slice(line);
            continue;
        };
        if native.contains(thread) {
            continue;
        }
        match line_of_stack {
            Of::Frame(frame) => {
                out.extend_from_slice(format!("#{number}  {frame}\n").as_bytes());
                stack = Some(number + 1);
            }
            Of::Source(source) if number == 1 && !has_state => {
                has_state = true;
                if python::source_says(source).is_some() {
                    out.extend_from_slice(format!("{STATE}{source}\n").as_bytes());
                }
            }
            Of::Source(_) => {}
        }
    }
    (out, places)
}

/// What the line says that stands for the source of the newest frame.
pub(super) fn state(line: &str) -> Option<ReportedState> {
    python::source_says(line.strip_prefix(STATE)?)
}

/// The headers of threads of which frames of gdb follow; an empty one for stacks without a header.
fn native(text: &[u8]) -> FxHashSet<&[u8]> {
    let mut found = FxHashSet::default();
    let mut thread: &[u8] = b"";
    for (_, line) in lines(text) {
        thread = thread_of(line.trim_ascii_end()).unwrap_or(thread);
        if without_prompt(line).starts_with(b"#0 ") {
            found.insert(thread);
            found.insert(b"".as_slice());
        }
    }
    found
}

/// Whose stacks follow this line: a header's, or behind a prompt nobody's who is named.
fn thread_of(line: &[u8]) -> Option<&[u8]> {
    let text = without_prompt(line);
    match header::is_header(text) {
        true => Some(text),
        false => (text.len() < line.len()).then_some(b""),
    }
}

/// What stands behind the prompts.
fn without_prompt(mut line: &[u8]) -> &[u8] {
    while let Some(after) = line.strip_prefix(b"(gdb)") {
        line = after.trim_ascii_start();
    }
    line
}

/// The lines of a text with their ends, and where each begins.
fn lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = 0;
    text.split_inclusive(|b| *b == b'\n').map(move |line| {
        let start = at;
        at += line.len();
        (start, line)
    })
}

/// A line of a stack.
enum Of<'t> {
    /// A frame, as gdb would write it.
    Frame(Cow<'t, str>),
    /// The source of the frame above.
    Source(&'t str),
}

fn of_stack(line: &str) -> Of<'_> {
    let text = line.trim();
    if let Some((_, function)) = REMARKS.iter().find(|(remark, _)| text == *remark) {
        return Of::Frame(format!("{function} ()").into());
    }
    match frame_line(text).or_else(|| builtin(text)) {
        Some(frame) => Of::Frame(frame.into()),
        None => Of::Source(text),
    }
}

/// `File "/srv/shop/log.py", line 5, in write`; `line ?` where libpython.py cannot tell.
fn frame_line(text: &str) -> Option<String> {
    let known = text.strip_prefix("File ").filter(|_| !text.contains("\", line ?, in "));
    let (file, line, function) = match known {
        Some(_) => {
            let place = python::place(text)?;
            (place.file?, place.line, place.rest.strip_prefix(", in ")?)
        }
        None => {
            let (file, function) = text.strip_prefix("File \"")?.rsplit_once("\", line ?, in ")?;
            (file, None, function)
        }
    };
    let function = function.trim();
    let line = line.map(|line| format!(":{line}")).unwrap_or_default();
    (!function.is_empty()).then(|| format!("{function} () at {file}{line}"))
}

/// `<built-in method acquire of _thread.lock object at remote 0x7fe55a0e40c0>`, `<built-in function iter>`: the function
/// as Python calls it. Which module `<built-in method sleep of module object …>` is of is not said.
fn builtin(text: &str) -> Option<String> {
    let inside = text.strip_prefix("<built-in ")?.strip_suffix('>')?;
    if let Some(function) = inside.strip_prefix("function ") {
        return Some(format!("{function} ()"));
    }
    let (method, of) = inside.strip_prefix("method ")?.split_once(" of ")?;
    let (kind, address) = of.split_once(" object at remote ")?;
    match kind {
        "module" => Some(format!("{method} ()")),
        _ => Some(format!("{kind}.{method} (self={address})")),
    }
}

#[cfg(test)]
mod tests {
    use crate::formats::testing::{names, read_bytes, read_one, survives_logs};
    use crate::model::ReportedState;

    const DUMP: &str = "[New LWP 5179]

Thread 3 (Thread 0x7fe5594496c0 (LWP 5180)):
Traceback (most recent call first):
  <built-in method acquire of _thread.lock object at remote 0x7fe55a0e40c0>
  File \"/srv/shop/log.py\", line 5, in write
    log_lock.acquire()
  (frame information optimized out)
  File \"/srv/shop/log.py\", line ?, in <lambda>
    (failed to get frame line number)

Thread 2 (Thread 0x7fe558c486c0 (LWP 5179)):
Traceback (most recent call first):
  Waiting for the GIL
  File \"/srv/shop/log.py\", line 9, in flush
    with log_lock:

Thread 1 (Thread 0x7fe55cc506c0 (LWP 5178)):
Traceback (most recent call first):
  File \"/srv/shop/service.py\", line 11, in <module>
    with log_lock:
";

    #[test]
    fn frames_of_python_below_the_headers() {
        let snapshot = read_one(DUMP);
        let ids: Vec<String> = snapshot.threads.iter().map(|t| t.id.to_string()).collect();
        assert_eq!(ids, ["5180", "5179", "5178"]);
        assert_eq!(names(&snapshot, 0), ["_thread.lock.acquire", "write", "?", "<lambda>"]);
        assert_eq!(names(&snapshot, 1), ["take_gil", "flush"]);
        assert_eq!(names(&snapshot, 2), ["<module>"]);
        let frames = snapshot.stacks.frames_of(snapshot.threads[0].stack);
        let write = snapshot.stacks.get(frames[1]);
        assert_eq!((write.file.as_deref(), write.line), (Some("/srv/shop/log.py"), Some(5)));
        let states: Vec<_> = snapshot.threads.iter().map(|t| t.reported).collect();
        assert_eq!(states, [None, None, Some(ReportedState::Blocked)]);
        assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
        survives_logs(DUMP);
    }

    #[test]
    fn a_stack_without_a_header() {
        let (_, stack) = DUMP.split_once("5179)):\n").unwrap();
        let stack = stack.split("\n\n").next().unwrap();
        for text in [format!("{stack}\n"), format!("(gdb) py-bt\n{stack}\n(gdb) quit\n")] {
            assert_eq!(names(&read_one(&text), 0), ["take_gil", "flush"], "{text}");
        }
    }

    #[test]
    fn a_thread_that_bt_shows_is_there_once() {
        let native = "
Thread 3 (Thread 0x7fe5594496c0 (LWP 5180)):
#0  0x00007fe55cce0482 in sem_wait () from /lib64/libc.so.6
#1  0x00007fe55cce0483 in _PyEval_EvalFrameDefault () from /lib64/libpython3.so
";
        for text in [format!("{native}{DUMP}"), format!("{DUMP}{native}")] {
            let snapshot = read_one(&text);
            assert_eq!(snapshot.threads.len(), 3, "{text}");
            let third = snapshot.threads.iter().position(|t| t.id.to_string() == "5180").unwrap();
            assert_eq!(names(&snapshot, third), ["sem_wait", "_PyEval_EvalFrameDefault"]);
            assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
        }
        let alone = "(gdb) bt\n#0  0x00007fe55cce0482 in sem_wait () from /lib64/libc.so.6\n(gdb) py-bt\n\
                     Traceback (most recent call first):\n  File \"/srv/a.py\", line 3, in f\n";
        assert_eq!(read_one(alone).threads.len(), 1);
    }

    #[test]
    fn what_only_mentions_it_is_none() {
        for text in [
            "py-bt prints Traceback (most recent call first):\nand then the frames\n",
            "Unable to locate python frame\n",
            "Traceback (most recent call first):\n  File \"/srv/a.py\", line 3, in f\n    g()\nKeyError: 'price'\n",
            "Thread 3 of 4:\nWaiting for the GIL\n",
        ] {
            assert!(read_bytes(text.as_bytes()).is_empty(), "{text}");
        }
    }
}
