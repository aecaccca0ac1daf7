//! Thread headers, and what gdb calls a thread: `Thread 0x7f2d08a1d6c0 (LWP 62003)`.

use crate::model::{Str, lossy};

/// What gdb calls a thread, as far as the text says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Target {
    /// The kernel's id.
    pub lwp: Option<u32>,
    /// The `pthread_t`.
    pub handle: Option<u64>,
    /// The process.
    pub pid: Option<u32>,
    /// The operating system whose naming this is.
    pub os: Option<&'static str>,
}

impl Target {
    /// Of which nothing is said.
    pub const NONE: &Self = &Self { lwp: None, handle: None, pid: None, os: None };
}

/// The header of a thread's stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Header {
    /// gdb's number of the process: the 2 of `Thread 2.7 (…)`; 1 where there is only one.
    pub inferior: u32,
    /// gdb's number of the thread.
    pub number: u64,
    /// The thread.
    pub target: Target,
    /// Its name; cores have none.
    pub name: Option<Str>,
}

/// How a thread's target may begin. `Thread 96600 (active+gil): "spin"` of py-spy and
/// `Thread 0 (crashed)` of minidump-stackwalk do not begin so.
pub(super) static TARGETS: &[&[u8]] = &[b"Thread ", b"LWP ", b"process "];

/// Whether a header begins here: `Thread 3 (Thread 0x…`, `Thread 2.1 (LWP …`.
pub(super) fn is_header(line: &[u8]) -> bool {
    numbers(line).is_some_and(|(_, _, at)| {
        let number = |target: &&[u8]| Some(line.get(at..)?.strip_prefix(*target)?.trim_ascii_start());
        TARGETS.iter().filter_map(number).any(is_number)
    })
}

/// Whether the word is a number: `Thread 12 (process reaper)` and `Thread 7 (process completion)` are threads of Java.
fn is_number(word: &[u8]) -> bool {
    let word = word.strip_prefix(b"0x").unwrap_or(word);
    let digits = word.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    digits > 0 && !word.get(digits).is_some_and(u8::is_ascii_alphabetic)
}

/// `Thread 2.7 (`: inferior, number, and the index after the parenthesis.
fn numbers(line: &[u8]) -> Option<(u32, u64, usize)> {
    let rest = line.strip_prefix(b"Thread ")?;
    let (first, length) = decimal(rest)?;
    let (inferior, number, used) = match rest.get(length) {
        Some(b'.') => {
            let (second, more) = decimal(rest.get(length + 1..)?)?;
            (u32::try_from(first).ok()?, second, length + 1 + more)
        }
        _ => (1, first, length),
    };
    rest.get(used..)?.starts_with(b" (").then_some((inferior, number, 7 + used + 2))
}

/// Reads the header that begins at `text`, and the index after it. A live thread's name is
/// printed raw: quotes, parentheses, ` (LWP 1)`; a name with a line break ends some bytes into
/// the next line.
///
/// ```text
/// Thread 30 (Thread 0x7f2d08a1d6c0 (LWP 62003)):                      gdb 13, core
/// Thread 3 (Thread 0x7fe55c44f6c0 (LWP 5174) "a"b (LWP 1)]"):         gdb 13, live
/// Thread 2 (LWP 91455):                                               no libthread_db
/// Thread 27 (process 7860):                                           macOS
/// Thread 1 (Thread 3528.0x159c):                                      Windows
/// Thread 9 (Thread 801db0800 (LWP 104076/httpd)):                     FreeBSD
/// ```
pub(super) fn read(text: &[u8]) -> Option<(Header, usize)> {
    let (inferior, number, at) = numbers(text)?;
    let line_end = memchr::memchr(b'\n', text).unwrap_or(text.len());
    let line = text.get(..line_end)?;
    let (target, used) = target(line.get(at..)?)?;
    let mut end = line_end;
    let mut name = None;
    let rest = line.get(at + used..).unwrap_or_default();
    if let Some(open) = rest.strip_prefix(b" \"") {
        let from = at + used + 2;
        let close = memchr::memmem::rfind(open, b"\")").map(|length| from + length);
        let close = close.or_else(|| {
            let close = name_goes_on(text, line_end)?;
            end = memchr::memchr(b'\n', text.get(close..)?).map_or(text.len(), |n| close + n);
            Some(close)
        });
        let bytes = text.get(from..close.unwrap_or(line_end)).unwrap_or_default();
        name = Some(lossy(bytes.strip_suffix(b"\r").unwrap_or(bytes)).into());
    }
    Some((Header { inferior, number, target, name }, end))
}

/// The longest rest of a name after a line break; Linux has 15 bytes, FreeBSD 19, macOS 63.
const LONGEST_NAME_REST: usize = 64;

/// The quote that ends a name with a line break, if it stands in the first bytes after the line.
fn name_goes_on(text: &[u8], line_end: usize) -> Option<usize> {
    let window = text.get(line_end + 1..text.len().min(line_end + 1 + LONGEST_NAME_REST))?;
    let close = memchr::memmem::find(window, b"\"):")?;
    let before = window.get(..close)?;
    let has_header = before.split(|&b| b == b'\n').any(is_header);
    (!has_header && before.split(|&b| b == b'\n').count() <= 16).then_some(line_end + 1 + close)
}

/// Reads a target at the begin of `text`, and how many bytes it has.
pub(super) fn target(text: &[u8]) -> Option<(Target, usize)> {
    if let Some(rest) = text.strip_prefix(b"LWP ") {
        let blanks = rest.iter().take_while(|b| **b == b' ').count();
        let (lwp, length) = decimal(rest.get(blanks..)?)?;
        let used = 4 + blanks + length;
        let mut target = Target { lwp: u32::try_from(lwp).ok(), os: Some("linux"), ..Target::default() };
        // FreeBSD: `LWP 101234 of process 5555`
        if let Some((pid, more)) = of_process(text.get(used..)?) {
            target.pid = Some(pid);
            target.os = Some("freebsd");
            return Some((target, used + more));
        }
        return Some((target, used));
    }
    if let Some(rest) = text.strip_prefix(b"process ") {
        let (pid, length) = decimal(rest)?;
        let target = Target { pid: u32::try_from(pid).ok(), ..Target::default() };
        // Apple's gdb: `process 7860 thread 0xd03`
        let thread = rest.get(length..).and_then(|r| r.strip_prefix(b" thread 0x"));
        let more = thread.map_or(0, |t| 10 + t.iter().take_while(|b| b.is_ascii_hexdigit()).count());
        return Some((target, 8 + length + more));
    }
    thread_target(text)
}

fn thread_target(text: &[u8]) -> Option<(Target, usize)> {
    let rest = text.strip_prefix(b"Thread ")?;
    let word_end =
        rest.iter().position(|b| matches!(b, b' ' | b')' | b'"' | b']' | b'\r')).unwrap_or(rest.len());
    let word = rest.get(..word_end)?;
    let mut target = Target::default();
    let used = 7 + word_end;
    if let Some(hex) = word.strip_prefix(b"0x") {
        target.handle = parse_hex(hex);
    } else if let Some(dot) = word.iter().position(|b| *b == b'.') {
        // Windows `3528.0x159c`, gdbserver `1234.1235`: process and thread.
        let (pid, _) = decimal(word)?;
        target.pid = u32::try_from(pid).ok();
        let tid = word.get(dot + 1..)?;
        match tid.strip_prefix(b"0x") {
            Some(hex) => {
                target.lwp = parse_hex(hex).and_then(|v| u32::try_from(v).ok());
                target.os = Some("windows");
            }
            None => target.lwp = decimal(tid).and_then(|(v, _)| u32::try_from(v).ok()),
        }
        return Some((target, used));
    } else {
        // FreeBSD: `Thread 801c06400 (LWP 101201)`; alone it is the number of an old gdb on Linux.
        target.handle = parse_hex(word);
        let has_id = text.get(used..).is_some_and(|after| after.starts_with(b" ("));
        target.os = has_id.then_some("freebsd");
    }
    let after = text.get(used..).unwrap_or_default();
    if let Some(lwp) = after.strip_prefix(b" (LWP ") {
        let (number, length) = decimal(lwp)?;
        target.lwp = u32::try_from(number).ok();
        let close = memchr::memchr(b')', lwp.get(length..)?)?;
        if target.os.is_none() {
            target.os = Some(if close > 0 { "freebsd" } else { "linux" });
        }
        return Some((target, used + 6 + length + close + 1));
    }
    // macOS: `Thread 0x1b03 of process 4442`; the number is a port, no pthread_t.
    if let Some((pid, more)) = of_process(after) {
        let target = Target { pid: Some(pid), os: Some("macos"), ..Target::default() };
        return Some((target, used + more));
    }
    Some((target, used))
}

fn of_process(text: &[u8]) -> Option<(u32, usize)> {
    let (pid, length) = decimal(text.strip_prefix(b" of process ")?)?;
    Some((u32::try_from(pid).ok()?, 12 + length))
}

/// The decimal number at the begin of `text`, and its length.
pub(super) fn decimal(text: &[u8]) -> Option<(u64, usize)> {
    let length = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let digits = std::str::from_utf8(text.get(..length)?).ok()?;
    Some((digits.parse().ok()?, length))
}

/// A hexadecimal number without `0x`.
pub(super) fn parse_hex(digits: &[u8]) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Header {
        read(text.as_bytes()).unwrap().0
    }

    #[test]
    fn every_platform() {
        let linux = header("Thread 30 (Thread 0x7f2d08a1d6c0 (LWP 62003)):");
        assert_eq!(
            (linux.number, linux.target.lwp, linux.target.handle),
            (30, Some(62003), Some(0x7f2d08a1d6c0))
        );
        assert_eq!((linux.target.os, linux.name), (Some("linux"), None));
        assert_eq!(header("Thread 2 (LWP 91455):").target.lwp, Some(91455));
        assert_eq!(header("Thread 3 (LWP    3        ):").target.lwp, Some(3));
        let mac = header("Thread 27 (process 7860):");
        assert_eq!((mac.target.pid, mac.target.lwp), (Some(7860), None));
        assert_eq!(header("Thread 2 (Thread 0x1b03 of process 4442):").target.os, Some("macos"));
        let windows = header("Thread 1 (Thread 3528.0x159c \"main\"):");
        assert_eq!(
            (windows.target.pid, windows.target.lwp, windows.target.os),
            (Some(3528), Some(0x159c), Some("windows"))
        );
        assert_eq!(windows.name.as_deref(), Some("main"));
        let bsd = header("Thread 9 (Thread 801db0800 (LWP 104076/httpd)):");
        assert_eq!(
            (bsd.target.handle, bsd.target.lwp, bsd.target.os),
            (Some(0x801db0800), Some(104076), Some("freebsd"))
        );
        assert_eq!(header("Thread 2 (LWP 101234 of process 5555 \"x\"):").target.pid, Some(5555));
        assert_eq!(header("Thread 2.7 (Thread 0x7f (LWP 3)):").inferior, 2);
    }

    #[test]
    fn hostile_names() {
        assert_eq!(
            header("Thread 3 (Thread 0x7f (LWP 5174) \"a\"b (LWP 1)]\"):\n#0  f ()").name.as_deref(),
            Some("a\"b (LWP 1)]")
        );
        assert_eq!(header("Thread 3 (Thread 0x7f (LWP 5174) \"\"):").name.as_deref(), Some(""));
        let text = "Thread 3 (Thread 0x7f (LWP 5174) \"nl\n#0 x\"):\n#0  f ()";
        let (header, end) = read(text.as_bytes()).unwrap();
        assert_eq!(header.name.as_deref(), Some("nl\n#0 x"));
        assert_eq!(&text[end..], "\n#0  f ()");
    }

    #[test]
    fn other_tools_have_other_headers() {
        for line in [
            "Thread 96600 (active+gil): \"spin\"",
            "Thread 0 (crashed)",
            "Thread 0x00007f0258f816c0 (most recent call first):",
            "Thread 12345: (state = BLOCKED)",
            "Thread 0 Crashed:: Dispatch queue: com.apple.main-thread",
            "Thread 11 \"node\" received signal SIGSEGV, Segmentation fault.",
            "Thread #<Thread:0x00007f54770db768 worker.rb:1 sleep> status=sleep priority=0",
        ] {
            assert!(!is_header(line.as_bytes()), "{line}");
        }
    }
}
