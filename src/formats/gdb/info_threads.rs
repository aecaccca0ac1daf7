//! Rows of `info threads`: each thread with its innermost frame.

use crate::model::{Str, lossy};

use super::header::{Target, decimal, target};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// gdb's number of the process.
    pub inferior: u32,
    /// gdb's number of the thread.
    pub number: u64,
    /// The thread.
    pub target: Target,
    /// Its name.
    pub name: Option<Str>,
    /// The row is marked with `*`.
    pub is_current: bool,
    /// `(running)`: it has no frame.
    pub is_running: bool,
    /// Where the frame's text begins in the line.
    pub frame_at: usize,
}

/// Reads a row.
///
/// ```text
/// * 1    Thread 0x7fe55cc51740 (LWP 5163) "jam"          0x00007fe55cd27df2 in __libc_pause () at ../sysdeps/…/pause.c:29     gdb 13
///   3    Thread 0x7fe55c44f6c0 (LWP 5174) "a"b (LWP 1)]" futex_wait (private=0, …) at ../sysdeps/nptl/futex-internal.h:146    gdb 13
///   2    Thread 0x7fe55cc506c0 (LWP 5165) "jam" (running)
///   2 Thread 0x40a00950 (LWP 22541)  0x00007f3f9d36bb79 in pthread_cond_wait@@GLIBC_2.3.2 () from /lib/libpthread.so.0        gdb 6
/// ```
pub(super) fn row(line: &[u8]) -> Option<Row> {
    let (is_current, rest) = match line.strip_prefix(b"* ") {
        Some(rest) => (true, rest),
        None => (false, line.strip_prefix(b" ")?),
    };
    let blanks = count_blanks(rest);
    if !is_current && blanks > 4 {
        return None;
    }
    let (first, length) = decimal(rest.get(blanks..)?)?;
    let mut at = line.len() - rest.len() + blanks + length;
    let (mut inferior, mut number) = (1, first);
    if line.get(at) == Some(&b'.') {
        let (second, more) = decimal(line.get(at + 1..)?)?;
        (inferior, number) = (u32::try_from(first).ok()?, second);
        at += 1 + more;
    }
    let gap = count_blanks(line.get(at..)?);
    at += gap;
    if gap == 0 {
        return None;
    }
    let (target, used) = target(line.get(at..)?)?;
    at += used;
    let mut name = None;
    if let Some(open) = line.get(at..)?.strip_prefix(b" \"") {
        let close = name_end(open)?;
        name = Some(lossy(open.get(..close)?).into());
        at += 2 + close + 1;
    }
    at += count_blanks(line.get(at..)?);
    let frame = line.get(at..)?;
    let is_running = frame.starts_with(b"(running)");
    Some(Row { inferior, number, target, name, is_current, is_running, frame_at: at })
}

/// Where the quote stands that closes a raw name: the first one that a blank follows, and then
/// something that may begin a frame.
fn name_end(open: &[u8]) -> Option<usize> {
    let window = open.get(..open.len().min(80))?;
    let mut last = None;
    for at in memchr::memchr_iter(b'"', window) {
        last = last.or(Some(at));
        let rest = open.get(at + 1..).unwrap_or_default();
        if rest.is_empty() || rest.first() == Some(&b' ') {
            return Some(at);
        }
    }
    last
}

fn count_blanks(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|b| **b == b' ').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_several_versions() {
        let line = b"* 1    Thread 0x7fe55cc51740 (LWP 5163) \"jam\"          0x00007fe55cd27df2 in __libc_pause () at pause.c:29";
        let got = row(line).unwrap();
        assert_eq!((got.number, got.target.lwp, got.is_current), (1, Some(5163), true));
        assert_eq!(got.name.as_deref(), Some("jam"));
        assert!(line[got.frame_at..].starts_with(b"0x00007fe55cd27df2 in"));
        let got = row(
            b"  3    Thread 0x7fe55c44f6c0 (LWP 5174) \"a\"b (LWP 1)]\" futex_wait (private=0) at f.h:146",
        )
        .unwrap();
        assert_eq!(got.name.as_deref(), Some("a\"b (LWP 1)]"));
        assert!(row(b"  2    Thread 0x7fe55cc506c0 (LWP 5165) \"jam\" (running)").unwrap().is_running);
        let got =
            row(b"  2 Thread 0x40a00950 (LWP 22541)  0x00007f3f9d36bb79 in poll () from /lib/libc.so.6")
                .unwrap();
        assert_eq!((got.number, got.name), (2, None));
        assert_eq!(row(b"* 1.2  LWP 77 \"x\" f () at x.c:1").unwrap().inferior, 1);
    }

    #[test]
    fn locals_are_no_rows() {
        for line in
            ["        pd = 0x7f557dffb700", "  1 = 2", "    at gmain.c:4103", " rip = 0x7ffff7aa0ff4 in f"]
        {
            assert_eq!(row(line.as_bytes()), None, "{line}");
        }
    }
}
