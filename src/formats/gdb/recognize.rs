//! Is it gdb's text?

use super::drkonqi;
use super::header;
use super::info_threads;
use super::pc;
use super::py_bt;
use super::scan::Scan;
use crate::formats::text::Site;

/// Where a header of gdb's begins: of a thread, a first frame (`bt`, `thread apply all -q bt`), or of the rows of
/// `info threads`.
pub(super) fn header(site: &Site<'_>) -> Option<usize> {
    let is_header = match site.rest().first()? {
        b'#' => {
            return is_first_line(site).then(|| site.at - choice_length(site.before().unwrap_or_default()));
        }
        _ if site.rest().starts_with(b"Target Id") => {
            return site
                .following(4)
                .any(is_row)
                .then(|| site.at - heading_length(site.before().unwrap_or_default()));
        }
        _ if site.rest().starts_with(py_bt::HEADER.as_bytes()) => py_bt::is_begin(site),
        _ => match row_of_thread(site) {
            Some(begin) => return Some(begin),
            None => is_thread_header(site),
        },
    };
    is_header.then_some(site.at)
}

/// How much of what stands before a first frame says whose it is: `[Switching to thread 2 (Thread 0xb7d1bb70 (LWP 2000))]`.
fn choice_length(before: &[u8]) -> usize {
    match memchr::memmem::rfind(before, b"[Switching to thread ") {
        Some(at) if before.ends_with(b"]") => before.len() - at,
        _ => 0,
    }
}

/// How much of what stands before `Target Id` is the heading's own: `  Id   `. The rest is a prefix.
fn heading_length(before: &[u8]) -> usize {
    before.len() - memchr::memmem::find(before, b"  Id ").unwrap_or(0)
}

/// Where a row of `info threads` begins that stands there with its frame: gdb 6 and 7.1 print no heading, and others leave it
/// out when they copy the rows.
fn row_of_thread(site: &Site<'_>) -> Option<usize> {
    let before = site.before()?;
    let starts = [Some(0), info_threads::begin(before)];
    let start = starts.into_iter().flatten().find(|start| is_row_from(site, before, *start))?;
    Some(site.at - (before.len() - start))
}

fn is_row_from(site: &Site<'_>, before: &[u8], start: usize) -> bool {
    let before = before.get(start..).unwrap_or_default();
    let may_be = matches!(before.first(), Some(b' ' | b'*'))
        && before.trim_ascii_end().last().is_some_and(u8::is_ascii_digit);
    if !may_be {
        return false;
    }
    let line = site.line();
    let whole = [before, line.get(..line.len().min(400)).unwrap_or_default()].concat();
    info_threads::row(&whole).is_some_and(|row| {
        let frame = whole.get(row.frame_at..).unwrap_or_default();
        let has = |part: &[u8]| memchr::memmem::find(frame, part).is_some();
        row.is_running
            || has(b" (") && (frame.starts_with(b"0x") && has(b" in ") || has(b" at ") || has(b" from "))
    })
}

/// What stands in the first line of a stack; the last is DrKonqi's.
const FIRST_LINES: [&[u8]; 3] = [b"#0 ", b"# 0 ", drkonqi::HANDLER.as_bytes()];

/// Whether a thread's header stands there: a line of its own, or one with a prefix before and a frame soon after.
fn is_thread_header(site: &Site<'_>) -> bool {
    if !header::is_header(site.rest()) {
        return false;
    }
    let Some(before) = site.before() else { return false };
    let has_frame = || {
        site.following(4).any(|line| {
            let begin = line.get(..line.len().min(300)).unwrap_or_default();
            FIRST_LINES.iter().any(|start| memchr::memmem::find(begin, start).is_some())
                || py_bt::has_header(begin)
        })
    };
    before.is_empty() || is_in_json(before) || has_frame()
}

/// Whether what stands before begins a JSON string.
fn is_in_json(before: &[u8]) -> bool {
    before.trim_ascii_start().starts_with(b"{") && before.ends_with(b"\"")
}

fn is_first_line(site: &Site<'_>) -> bool {
    let Some(before) = site.before() else { return false };
    let line = site.line();
    if is_first_frame(line) {
        return true;
    }
    // Its end may be on the next line.
    let rest = site.rest();
    let window = rest.get(..rest.len().min(4096)).unwrap_or_default();
    before.is_empty() && memchr::memmem::find(window, b"\n#1 ").is_some() && {
        let mut joined = Vec::new();
        super::join::join(rest, line, line.len() + 1, &mut joined) > line.len() + 1 && is_first_frame(&joined)
    }
}

/// Whether a line that begins with `#0 ` is gdb's. Other tools number frames as well:
///
/// ```text
/// #0  0x00007f5dd32a412b     futex_wait - /usr/lib/x86_64-linux-gnu/libc.so.6     eu-stack: no ` in `
/// #0  0x00007f2d08aa412b __GI___lll_lock_wait (libc.so.6 + 0x8612b)               systemd-coredump: no ` in `
/// #0 0x4a3b5 in __interceptor_malloc (/usr/lib/libasan.so+0x4a3b5)                a sanitizer: a path as arguments
/// #0 0x55a1 in main /src/a.c:3:5                                                  a sanitizer: no arguments
/// #0      main (file:///x.dart:3:5)                                               Dart: no ` at `
/// ```
pub(super) fn is_first_frame(line: &[u8]) -> bool {
    line.strip_prefix(b"#0").is_some_and(|body| is_body(body.trim_ascii()))
}

/// Whether what stands behind the number of a frame is gdb's.
pub(super) fn is_body(body: &[u8]) -> bool {
    if is_plain(body) {
        return true;
    }
    let mut scan = Scan::default();
    scan.read(body.get(..body.len().min(1 << 16)).unwrap_or_default());
    let Some((start, end)) = scan.args else { return body == b"<signal handler called>" };
    let args = body.get(start..end).unwrap_or_default();
    if args.starts_with(b"(/") || args.starts_with(b"(BuildId") {
        return false;
    }
    let has_pc = pc::read(body).is_some();
    let tail = body.get(end..).unwrap_or_default();
    has_pc || !body.starts_with(b"0x") && (tail.starts_with(b" at ") || tail.starts_with(b" from /"))
}

/// Whether it is one at first glance, as most are: a name, arguments without texts and parentheses, a place. A shortcut: what
/// it says [`is_first_frame`] would say as well.
fn is_plain(body: &[u8]) -> bool {
    let (name, has_pc) = match pc::read(body) {
        Some((_, name)) => (body.get(name..).unwrap_or_default(), true),
        None if body.starts_with(b"0x") => return false,
        None => (body, false),
    };
    let length = name.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
    let Some(args) = name.get(length..).and_then(|rest| rest.strip_prefix(b" (")) else { return false };
    let Some(end) = memchr::memchr3(b'(', b')', b'"', args) else { return false };
    if memchr::memchr(b'\'', args.get(..end).unwrap_or_default()).is_some() {
        return false;
    }
    let is_end = args.get(end) == Some(&b')');
    let tail = args.get(end + 1..).unwrap_or_default();
    let is_path = args.starts_with(b"/") || args.starts_with(b"BuildId");
    length > 0 && is_end && !is_path && (has_pc || tail.starts_with(b" at "))
}

/// Whether a line is a row of `info threads`.
fn is_row(line: &[u8]) -> bool {
    let start = line.get(..line.len().min(400)).unwrap_or_default();
    matches!(line.first(), Some(b' ' | b'*')) && info_threads::row(start).is_some()
        || info_threads::is_in(line)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use crate::formats::detect;

    fn recognize(text: &[u8]) -> usize {
        let counts = detect::counts(&Bytes::copy_from_slice(text));
        counts.iter().find(|(format, _)| format.id.id() == "gdb").map_or(0, |(_, count)| *count)
    }

    #[test]
    fn the_first_glance_sees_what_the_second_one_does() {
        for (line, is_plain) in [
            ("0x00007fe55cd27df2 in __libc_pause () at ../sysdeps/pause.c:29", true),
            ("0x00007fe55cd27df2 in ?? () from /lib/libc.so.6", false),
            ("0x0000fffff7e50a54 [PAC] in take (m=0x420040 <g_log>) at s.c:48", true),
            ("futex_wait (private=0, futex_word=0x558efcd69060 <g_log_mutex>) at f.h:146", true),
            ("0x4a3b5 in __interceptor_malloc (/usr/lib/libasan.so+0x4a3b5)", false),
            ("0x4a3b5 in f (BuildId: 55ab)", false),
            ("0x55a1 in main /src/a.c:3:5", false),
            ("f (s=0x5 \"a) at b\") at x.c:1", false),
            ("futex_wait (private=0) from here", false),
        ] {
            assert_eq!(super::is_plain(line.as_bytes()), is_plain, "{line}");
            assert!(!is_plain || super::is_first_frame(format!("#0  {line}").as_bytes()), "{line}");
        }
    }

    #[test]
    fn texts_of_gdb() {
        let cases: &[(&str, usize)] = &[
            ("Thread 2 (LWP 91455):\n#0  f ()\n\nThread 1 (LWP 9):\n#0  g ()\n", 2),
            ("#0  0x00007fe55cd27df2 in __libc_pause () at ../sysdeps/pause.c:29\n#1  main () at x.c:1\n", 1),
            ("log: #0  futex_wait (private=0) at f.h:146\n", 1),
            ("#0  f (a=1,\n    b=2) at x.c:1\n#1  0x5 in g ()\n", 1),
            (
                "  Id   Target Id         Frame \n* 1    LWP 5 \"x\" f () at x.c:1\n  2    LWP 6 \"x\" f () at x.c:1\n",
                1,
            ),
            ("> Thread 2 (LWP 91455):\n> #0  f ()\n", 1),
            (
                "* 2 Thread 0x40a00950 (LWP 22541)  0x00007f3f9d36bb79 in poll () from /lib/libc.so.6\n  1    Thread 0x7fe55cc506c0 (LWP 5165) \"jam\" (running)\n",
                2,
            ),
        ];
        for (text, count) in cases {
            assert_eq!(recognize(text.as_bytes()), *count, "{text}");
        }
    }

    #[test]
    fn texts_of_others() {
        for text in [
            "PID 91453 - core\nTID 91453:\n#0  0x00007f5dd32a412b     futex_wait - /usr/lib/libc.so.6\n#1  0x00007f5dd32aa482 - 1 lll_lock\n",
            "                #0  0x00007f2d08aa412b __GI___lll_lock_wait (libc.so.6 + 0x8612b)\n",
            "    #0 0x4a3b5 in __interceptor_malloc (/usr/lib/libasan.so+0x4a3b5)\n    #1 0x5 in main /a.c:3\n",
            "    #0 0x4a3b5 in f (/usr/bin/x+0x4a3b5) (BuildId: 1234)\n",
            "* thread #1, name = 'x', stop reason = signal SIGABRT\n  * frame #0: 0x00007fb8 libc.so.6`pthread_kill(a=1) at p.c:44\n",
            "\"main\" #1 prio=5 os_prio=0 tid=0x1 nid=0x1 runnable [0x1]\n   java.lang.Thread.State: RUNNABLE\n\tat A.b(A.java:1)\n",
            "#0      main (file:///x.dart:3:5)\n#1      _start (dart:isolate:1)\n",
            "#0 /var/www/html/index.php(12): foo()\n#1 {main}\n",
            " #0: ffff000080ff80f8 (&dev->mutex){....}-{4:4}, at: __driver_attach+0x19c/0x2c0\n",
            "Thread 96600 (active+gil): \"spin\"\n    spin (f.py:10)\n",
            "  native: #00 pc 00000000000a33b8  /apex/lib64/bionic/libc.so (__epoll_pwait+8)\n",
            "in the mail: see Thread 1 (LWP 3): it hangs\n",
            "  2 Thread 0x40a00950 (LWP 22541) exited\n[New Thread 0x7f3f9d36b700 (LWP 22542)]\n",
        ] {
            assert_eq!(recognize(text.as_bytes()), 0, "{text}");
        }
    }
}
