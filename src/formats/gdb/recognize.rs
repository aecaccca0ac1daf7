//! Is it gdb's text?

use super::clean;
use super::header;
use super::info_threads;
use super::prefix;
use super::scan::Scan;

/// How many headers the bytes have: of threads; if there is none, first frames (`bt`,
/// `thread apply all -q bt`); if there is none, rows of `info threads`.
pub(super) fn recognize(bytes: &[u8]) -> usize {
    let decoded = match bytes.first() {
        Some(0xfe | 0xff) | Some(0) => Some(clean::clean(bytes)),
        _ if bytes.get(1) == Some(&0) => Some(clean::clean(bytes)),
        _ => None,
    };
    let text = decoded.as_deref().unwrap_or(bytes);
    let headers =
        memchr::memmem::find_iter(text, b"Thread ").filter(|at| is_thread_header(text, *at)).count();
    if headers > 0 {
        return headers;
    }
    let first = memchr::memmem::find_iter(text, b"#0 ").filter(|at| is_first_line(text, *at)).count();
    if first > 0 {
        return first;
    }
    rows(text)
}

/// Whether a thread's header stands at `at`: a line of its own, or one with a prefix before and a
/// frame soon after.
fn is_thread_header(text: &[u8], at: usize) -> bool {
    let Some(rest) = text.get(at..).filter(|r| header::is_header(r)) else { return false };
    let Some(before) = prefix::line_before(text, at) else { return false };
    before.is_empty()
        || rest.split(|b| *b == b'\n').skip(1).take(4).any(|line| {
            memchr::memmem::find(line.get(..line.len().min(300)).unwrap_or_default(), b"#0 ").is_some()
        })
}

fn is_first_line(text: &[u8], at: usize) -> bool {
    let Some(before) = prefix::line_before(text, at) else { return false };
    let rest = text.get(at..).unwrap_or_default();
    let line = rest.get(..memchr::memchr(b'\n', rest).unwrap_or(rest.len())).unwrap_or_default();
    if is_first_frame(line) {
        return true;
    }
    // Colours stand within the line, its end may be on the next.
    let window = rest.get(..rest.len().min(4096)).unwrap_or_default();
    if memchr::memchr(0x1b, line).is_some() {
        let plain = clean::clean(window);
        return is_first_frame(plain.split(|b| *b == b'\n').next().unwrap_or_default());
    }
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
    let Some(body) = line.strip_prefix(b"#0").map(<[u8]>::trim_ascii) else { return false };
    let mut scan = Scan::default();
    scan.read(body.get(..body.len().min(1 << 16)).unwrap_or_default());
    let Some((start, end)) = scan.args else { return body == b"<signal handler called>" };
    let args = body.get(start..end).unwrap_or_default();
    if args.starts_with(b"(/") || args.starts_with(b"(BuildId") {
        return false;
    }
    let has_pc = body.starts_with(b"0x") && memchr::memmem::find(body, b" in ").is_some_and(|at| at < 24);
    let tail = body.get(end..).unwrap_or_default();
    has_pc || !body.starts_with(b"0x") && (tail.starts_with(b" at ") || tail.starts_with(b" from /"))
}

fn rows(text: &[u8]) -> usize {
    let is_row = |line: &[u8]| {
        matches!(line.first(), Some(b' ' | b'*'))
            && info_threads::row(line.get(..line.len().min(400)).unwrap_or_default()).is_some()
    };
    match memchr::memmem::find(text, b"Target Id") {
        Some(at) => {
            text.get(at..).unwrap_or_default().split(|b| *b == b'\n').filter(|line| is_row(line)).count()
        }
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_gdb() {
        let cases: &[(&str, usize)] = &[
            ("Thread 2 (LWP 91455):\n#0  f ()\n\nThread 1 (LWP 9):\n#0  g ()\n", 2),
            ("#0  0x00007fe55cd27df2 in __libc_pause () at ../sysdeps/pause.c:29\n#1  main () at x.c:1\n", 1),
            ("log: #0  futex_wait (private=0) at f.h:146\n", 1),
            ("#0  f (a=1,\n    b=2) at x.c:1\n#1  0x5 in g ()\n", 1),
            (
                "  Id   Target Id         Frame \n* 1    LWP 5 \"x\" f () at x.c:1\n  2    LWP 6 \"x\" f () at x.c:1\n",
                2,
            ),
            ("> Thread 2 (LWP 91455):\n> #0  f ()\n", 1),
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
        ] {
            assert_eq!(recognize(text.as_bytes()), 0, "{text}");
        }
    }
}
