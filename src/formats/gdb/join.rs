//! Frame lines that were wrapped, by gdb at the terminal's width or by mail.
//!
//! ```text
//! #4  Tango::ZmqEventConsumer::get_subscribed_event_ids (this=<optimized out>, _dev=_dev@entry=0x7f76dc000d40,
//!     _ids=std::vector of length 0, capacity 0)
//!     at zmqeventconsumer.cpp:3341                                                  gdb 7.12, 4 blanks
//! #1  0x00007fffbe57ddd1 in duckdb::ClientContext::LockContext() ()
//!    from /home/…/libduckdb.so                                                      gdb 15, 3 blanks
//! ```

use super::header;

/// How many lines one frame may be wrapped onto.
const MOST_LINES: usize = 512;

/// Whether the line that begins at `next` may go on with the frame line above it: a cheap test
/// that is false for nearly all lines.
pub(super) fn may_go_on(text: &[u8], next: usize) -> bool {
    match text.get(next) {
        None | Some(b'#' | b'\n' | b'\r' | b'[') => false,
        // Eight blanks are a local variable of `bt full`.
        Some(b' ') => true,
        Some(b'T') => !text.get(next..).is_some_and(header::is_header),
        Some(_) => true,
    }
}

/// Joins the frame line `body` with the lines from `next` on that belong to it, one blank between
/// two. The index after the last of them; `next` if there is none.
pub(super) fn join(text: &[u8], body: &[u8], next: usize, joined: &mut Vec<u8>) -> usize {
    joined.clear();
    joined.extend_from_slice(body);
    let mut state = Nesting::default();
    state.read(body);
    let mut at = next;
    for _ in 0..MOST_LINES {
        let Some(rest) = text.get(at..).filter(|r| !r.is_empty()) else { break };
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest.get(..end).unwrap_or_default();
        let content = line.trim_ascii();
        let indent = line.len() - line.trim_ascii_start().len();
        let belongs = if state.is_open() {
            !content.is_empty() && (indent > 0 || may_be_wrapped(content))
        } else {
            let is_place = content.starts_with(b"at ") || content.starts_with(b"from ");
            indent > 0 && indent < 8 && (is_place || !state.has_list && content.starts_with(b"("))
        };
        if !belongs {
            break;
        }
        if !joined.ends_with(b" ") {
            joined.push(b' ');
        }
        joined.extend_from_slice(content);
        state.read(content);
        at += end + 1;
    }
    at
}

/// Whether a line without indentation may be the rest of an argument list.
fn may_be_wrapped(content: &[u8]) -> bool {
    let first = content.first().copied().unwrap_or(b'#');
    !matches!(first, b'#' | b'[' | b'$')
        && !header::is_header(content)
        && ![b"(gdb)".as_slice(), b"Backtrace stopped", b"warning:", b"No "]
            .iter()
            .any(|n| content.starts_with(n))
}

/// How deep in parentheses and texts the end of a line is.
#[derive(Default)]
struct Nesting {
    depth: usize,
    is_in_text: bool,
    has_list: bool,
}

impl Nesting {
    fn is_open(&self) -> bool {
        self.depth > 0 || self.is_in_text
    }

    fn read(&mut self, line: &[u8]) {
        let mut at = 0;
        while let Some(&byte) = line.get(at) {
            match byte {
                b'\\' if self.is_in_text => at += 1,
                b'"' if self.is_in_text || self.depth > 0 => self.is_in_text = !self.is_in_text,
                _ if self.is_in_text => {}
                // `'('`, `'"'`
                b'\'' if line.get(at + 2) == Some(&b'\'') => at += 2,
                b'(' => {
                    self.has_list |= at == 0 || line.get(at - 1) == Some(&b' ');
                    self.depth += 1;
                }
                b')' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(text: &str) -> (String, String) {
        let (body, _) = text.split_once('\n').unwrap();
        let mut out = Vec::new();
        let end = join(text.as_bytes(), body.as_bytes(), body.len() + 1, &mut out);
        (String::from_utf8(out).unwrap(), text.get(end..).unwrap_or_default().to_owned())
    }

    #[test]
    fn wrapped_lines() {
        let (line, rest) = joined("f (a=1,\n    b=2)\n    at x.c:1\n#1  g ()");
        assert_eq!((line.as_str(), rest.as_str()), ("f (a=1, b=2) at x.c:1", "#1  g ()"));
        let (line, _) = joined("ns::f() ()\n   from /lib/x.so\n");
        assert_eq!(line, "ns::f() () from /lib/x.so");
        let (line, _) = joined("a_very_long_name\n    (a=1) at x.c:1\n");
        assert_eq!(line, "a_very_long_name (a=1) at x.c:1");
        // gdb 13, `set print pretty on`, `set print frame-arguments all`
        let (line, _) = joined("f (p={\n      a = 1,\n      s = 0x5 \"x)\"\n    }, n=2) at x.c:1\n");
        assert_eq!(line, "f (p={ a = 1, s = 0x5 \"x)\" }, n=2) at x.c:1");
    }

    #[test]
    fn locals_are_not_joined() {
        let (line, rest) = joined("f (a=1) at x.c:1\n        b = 2\n");
        assert_eq!((line.as_str(), rest.as_str()), ("f (a=1) at x.c:1", "        b = 2\n"));
        let (line, _) = joined("f ()\n        from = 2\n");
        assert_eq!(line, "f ()");
    }
}
