//! One pass over a frame line: where its argument list stands, and which of its bytes differ from
//! thread to thread.
//!
//! gdb prints ` (` between name and arguments, and names may hold ` (` themselves
//! (`void (*)(int)` in template arguments). So each group that begins with ` (` is read to its
//! closing parenthesis; it is the argument list if the line ends there or goes on with ` at ` or
//! ` from `. Else it was part of the name, and what was taken for tokens in it is not.

use super::token::{Token, TokenKind, begins_token, is_word, token_at};

/// What a pass over a line found.
#[derive(Clone, Debug, Default)]
pub(super) struct Scan {
    /// Tokens of the argument list, in order.
    pub tokens: Vec<Token>,
    /// The argument list with its parentheses, where it is closed.
    pub args: Option<(usize, usize)>,
    /// Where a group begins that nothing closes: the line goes on, or was cut.
    pub open_at: Option<usize>,
}

impl Scan {
    /// Reads a frame line without its number. Linear in its length.
    pub fn read(&mut self, line: &[u8]) {
        self.tokens.clear();
        self.args = None;
        self.open_at = None;
        let mut at = 0;
        while let Some(open) = next_group(line, at) {
            self.tokens.clear();
            match self.group(line, open) {
                Some(end) if ends_arguments(line, end) => {
                    self.args = Some((open, end));
                    return;
                }
                Some(end) => at = end,
                None => {
                    self.open_at = Some(open);
                    return;
                }
            }
        }
        self.tokens.clear();
    }

    /// Reads the group at `open`; the index after its closing parenthesis.
    fn group(&mut self, line: &[u8], open: usize) -> Option<usize> {
        let mut depth = 0usize;
        let mut at = open;
        let mut before = b' ';
        let mut symbols_close = true;
        while let Some(&byte) = line.get(at) {
            match CLASS[byte as usize] {
                Class::Plain => at += 1,
                Class::Word => {
                    while line.get(at).is_some_and(|&b| is_word(b)) {
                        at += 1;
                    }
                    before = b'a';
                    continue;
                }
                Class::Angle => {
                    let is_value =
                        before == b'=' || (before == b' ' && line.get(at.wrapping_sub(2)) == Some(&b'='));
                    at = match is_value && symbols_close {
                        true => angle_after(line, at, &mut symbols_close).unwrap_or(at + 1),
                        false => at + 1,
                    };
                }
                Class::Open => {
                    depth += 1;
                    at += 1;
                }
                Class::Close => {
                    depth = depth.saturating_sub(1);
                    at += 1;
                    if depth == 0 {
                        return Some(at);
                    }
                }
                Class::Token => {
                    match begins_token(line, at, before).then(|| token_at(line, at)).flatten() {
                        Some(token) => {
                            at = token.end;
                            self.tokens.push(token);
                            before = b'0';
                            if token.kind == TokenKind::Hex && symbols_close {
                                at = symbol_after(line, at, &mut symbols_close).unwrap_or(at);
                            }
                            continue;
                        }
                        // A text that nothing closes runs to the end of what there is.
                        None if byte == b'"' => return None,
                        None => at += 1,
                    }
                }
            }
            before = byte;
        }
        None
    }
}

/// What a byte may begin inside an argument list.
#[derive(Clone, Copy)]
enum Class {
    Plain,
    Word,
    Angle,
    Open,
    Close,
    Token,
}

static CLASS: [Class; 256] = {
    let mut table = [Class::Plain; 256];
    let mut n = 0;
    while n < 256 {
        let byte = n as u8;
        table[n] = match byte {
            b'(' => Class::Open,
            b')' => Class::Close,
            b'<' => Class::Angle,
            b'0'..=b'9' | b'-' | b'"' | b'\'' => Class::Token,
            _ if byte.is_ascii_alphabetic() || byte == b'_' || byte == b'$' || byte >= 0x80 => Class::Word,
            _ => Class::Plain,
        };
        n += 1;
    }
    table
};

/// The parenthesis of the next ` (`.
fn next_group(line: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let found = at + memchr::memchr(b'(', line.get(at..)?)?;
        if found > 0 && line.get(found - 1) == Some(&b' ') {
            return Some(found);
        }
        at = found + 1;
    }
}

/// Whether the argument list may end here: the line does, or goes on with a place.
fn ends_arguments(line: &[u8], end: usize) -> bool {
    match line.get(end..) {
        None | Some([]) => true,
        Some(rest) => rest.starts_with(b" at ") || rest.starts_with(b" from "),
    }
}

/// How long a symbol may be. Longer ones are read like any other text.
const LONGEST_SYMBOL: usize = 4096;

/// ` <std::__detail::operator<< <int>(int)+40>` after an address: the index after it. Its digits
/// are part of a name. `closes` is set to false when one does not close, so that a hostile line
/// is not searched again and again.
fn symbol_after(line: &[u8], at: usize, closes: &mut bool) -> Option<usize> {
    let rest = line.get(at..)?;
    if !rest.starts_with(b" <") || rest.starts_with(b" <repeats ") {
        return None;
    }
    closed(symbol_end(line, at + 1), closes)
}

/// What gdb writes in place of a value it cannot read, with addresses that differ by thread:
/// `<error reading variable: Cannot access memory at address 0x7f…>`.
static UNREADABLE: &[&[u8]] = &[b"<error", b"<Address", b"<incomplete"];

/// `<optimized out>`, or `<g_log+40>` after `print address off`: the index after it.
fn angle_after(line: &[u8], at: usize, closes: &mut bool) -> Option<usize> {
    let rest = line.get(at..)?;
    if UNREADABLE.iter().any(|start| rest.starts_with(start)) {
        return None;
    }
    closed(symbol_end(line, at), closes)
}

fn closed(end: Option<usize>, closes: &mut bool) -> Option<usize> {
    if end.is_none() {
        *closes = false;
    }
    end
}

/// The index after the `>` that closes the `<` at `open`. A name may hold operators
/// (`operator<`, `operator->`) and a type may end in `>`; what counts is a `>` at depth 0 that a
/// value's end follows.
pub(super) fn symbol_end(line: &[u8], open: usize) -> Option<usize> {
    let window = line.get(open..line.len().min(open + LONGEST_SYMBOL))?;
    let mut depth = 0usize;
    let mut fallback = None;
    for found in memchr::memchr2_iter(b'<', b'>', window) {
        let before = window.get(..found).unwrap_or_default();
        let is_operator = before.ends_with(b"operator")
            || before.ends_with(b"operator<")
            || before.ends_with(b"operator>")
            || before.ends_with(b"-");
        if is_operator {
            continue;
        }
        if window.get(found) == Some(&b'<') {
            depth += 1;
            continue;
        }
        depth = depth.saturating_sub(1);
        let end = open + found + 1;
        if matches!(line.get(end), None | Some(b',' | b')' | b'}' | b' ')) {
            if depth == 0 {
                return Some(end);
            }
            if fallback.is_none() && matches!(line.get(end), None | Some(b',' | b'}')) {
                fallback = Some(end);
            }
        }
    }
    fallback
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scanned(line: &str) -> (Option<&str>, Vec<&str>) {
        let mut scan = Scan::default();
        scan.read(line.as_bytes());
        let args = scan.args.map(|(a, b)| &line[a..b]);
        (args, scan.tokens.iter().map(|t| &line[t.start..t.end]).collect())
    }

    #[test]
    fn arguments_of_real_lines() {
        let cases: &[(&str, Option<&str>, &[&str])] = &[
            (
                "futex_wait (private=0, expected=2, futex_word=0x558efcd69060 <m>) at ../sysdeps/nptl/futex-internal.h:146",
                Some("(private=0, expected=2, futex_word=0x558efcd69060 <m>)"),
                &["0", "2", "0x558efcd69060"],
            ),
            (
                "std::thread::_State_impl<std::thread::_Invoker<std::tuple<void (*)(int), int> > >::_M_run(void) (this=<optimized out>) at /usr/include/c++/12/bits/std_thread.h:210",
                Some("(this=<optimized out>)"),
                &[],
            ),
            ("foo<void (*)(int), 5>(char) (x=7)", Some("(x=7)"), &["7"]),
            ("0x00007f2d08cd44a3 in ?? () from /lib/x86_64-linux-gnu/libstdc++.so.6", Some("()"), &[]),
            (
                "log_message (msg=0x7fe559448e80 \"msg \\\"7\\\" (LWP 7) at x, y\", level=-7, p=..., neg=-7000) at jam.c:14",
                Some("(msg=0x7fe559448e80 \"msg \\\"7\\\" (LWP 7) at x, y\", level=-7, p=..., neg=-7000)"),
                &["0x7fe559448e80", "\"msg \\\"7\\\" (LWP 7) at x, y\"", "-7", "-7000"],
            ),
            (
                "f (this=0x7f563cefd438 <bmalloc::PerProcess<bmalloc::Heap>::s_memory+9304>, c=40 '(') at x.c:1",
                Some("(this=0x7f563cefd438 <bmalloc::PerProcess<bmalloc::Heap>::s_memory+9304>, c=40 '(')"),
                &["0x7f563cefd438", "40", "'('"],
            ),
            (
                "g (f=0x55 <std::operator<< <char>(int)+4>, i2=3)",
                Some("(f=0x55 <std::operator<< <char>(int)+4>, i2=3)"),
                &["0x55", "3"],
            ),
            ("<signal handler called>", None, &[]),
        ];
        for (line, args, tokens) in cases {
            assert_eq!(scanned(line), (*args, tokens.to_vec()), "{line}");
        }
    }

    #[test]
    fn an_open_list_is_no_list() {
        let mut scan = Scan::default();
        scan.read(b"futex_wait (private=0, expected=2");
        assert_eq!((scan.args, scan.open_at), (None, Some(11)));
        scan.read(b"f (s=\"abc");
        assert_eq!((scan.args, scan.open_at), (None, Some(2)));
    }

    #[test]
    fn hostile_lines_are_linear() {
        let mut scan = Scan::default();
        for piece in ["0x1 <", " (", " (x)", "'", "\"", "<", "operator<"] {
            let line = format!("f (a=0x1 {}", piece.repeat(400_000));
            scan.read(line.as_bytes());
        }
    }
}
