//! Rows of `info threads`: each thread with its innermost frame.

use crate::model::{Str, lossy};

use super::header::{TARGETS, Target, decimal, target};

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
    /// gdb could not read its registers, and says so where the frame would stand, which is on the next line then.
    has_error: bool,
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
    let has_error = ERRORS.iter().any(|start| frame.starts_with(start));
    Some(Row { inferior, number, target, name, is_current, is_running, has_error, frame_at: at })
}

/// How what gdb says begins where it has no frame.
///
/// ```text
///   1    Thread 5024.0x10fc error return ../../gdb-11.1/gdb/windows-nat.c:609 was 31
/// 0x0000000000000000 in ?? ()
/// ```
///
/// Source: gdb 7 to 13 windows-nat.c `check`; remote.c, regcache.c (what `print_thread_info` catches).
static ERRORS: &[&[u8]] =
    &[b"error return ", b"Couldn't get ", b"Couldn't read ", b"Cannot access ", b"Remote ", b"Unable to "];

impl Row {
    /// The text of its frame in the line, or in the one that follows.
    pub fn frame<'l>(&self, line: &'l [u8], next: &'l [u8]) -> Where<'l> {
        match () {
            () if self.is_running => Where::Nowhere,
            () if !self.has_error => Where::Here(line.get(self.frame_at..).unwrap_or_default()),
            () if next.starts_with(b"0x") => Where::Next(next),
            () => Where::Nowhere,
        }
    }
}

/// Where the frame of a row stands.
pub(super) enum Where<'l> {
    Here(&'l [u8]),
    Next(&'l [u8]),
    Nowhere,
}

/// Where a row begins in what stands before its target; what comes before that is what a log, a mail or a quotation put there.
/// gdb prints a mark and a blank, and then the number (`print_thread_info_1` of thread.c, gdb 7 to 16):
///
/// ```text
///       70   Thread 0x7f7b4ab83700 (LWP 19958) "icinga2" 0x000000347f00f29d in __lll_lock_wait () from …     indented by 4
/// > * 1    Thread 0x7fe55cc51740 (LWP 5163) "jam" …                                                         quoted
/// ```
pub(super) fn begin(before: &[u8]) -> Option<usize> {
    let head = before.trim_ascii_end();
    let digits = head.iter().rev().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
    let number = head.len() - digits;
    let mark = number.checked_sub(2)?;
    let is_mark = matches!(before.get(mark..number), Some(b"* " | b"  "));
    (is_mark && digits > 0 && head.len() < before.len()).then_some(mark)
}

/// Whether a row stands in the line, behind whatever prefix.
pub(super) fn is_in(line: &[u8]) -> bool {
    let line = line.get(..line.len().min(400)).unwrap_or_default();
    TARGETS.iter().any(|target| {
        memchr::memmem::find_iter(line, target).any(|at| {
            let start = line.get(..at).and_then(begin);
            start.and_then(|start| row(line.get(start..)?)).is_some()
        })
    })
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
