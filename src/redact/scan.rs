//! What looks like a secret by its form, whoever wrote it: paths, addresses, machines, values.

use super::kind::{Kind, Kinds};
use super::machine::{machine, url};

/// What a piece of text looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `/usr/lib/libc.so.6`, `C:\app\x.dll`, `../src/x.c`.
    Path,
    /// `https://…`: no path, but it names a machine.
    Url,
    /// `0x7f51c0000b20`.
    Address,
    /// The left side of `alice@db01`.
    User,
    /// `db01.example.com`, `10.0.0.7`, the right side of `alice@db01`.
    Host,
    /// The 7 of `fd 7`.
    Argument,
    /// `"text"`, the quotes included.
    Quoted,
}

/// A piece of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub start: usize,
    pub end: usize,
    pub form: Form,
}

/// Where a text comes from, which says what can be in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Worded by a rule: it names functions, which stay.
    Rule,
    /// About files: each word with a slash is a path.
    Files,
    /// The name of a function.
    Function,
    /// A part of a path: users and machines can be in it.
    Name,
}

/// Nothing of a process lies below: what a fault tells of a null pointer stays.
pub(super) const LOWEST_ADDRESS: u64 = 0x1_0000;

/// All pieces that look like what is to be removed. They may overlap.
pub(super) fn pieces(text: &str, kinds: Kinds, source: Source) -> Vec<Piece> {
    let names_files = (kinds.has(Kind::Paths) || kinds.has(Kind::Users)) && source != Source::Name;
    let names_hosts = (kinds.has(Kind::Hosts) || kinds.has(Kind::Users)) && source != Source::Function;
    let mut found = Vec::new();
    // Long words are looked at from their beginning only: the cost stays in line with the text.
    let (mut words_from, mut files_from) = (0, 0);
    let mut before = None;
    for (at, c) in text.char_indices() {
        let rest = &text[at..];
        let mut add = |length: Option<usize>, form| {
            if let Some(length) = length.filter(|&l| l > 0) {
                found.push(Piece { start: at, end: at + length, form });
            }
        };
        // `operator""_s` begins no text.
        if kinds.has(Kind::Strings) && c == '"' && before != Some('"') {
            add(quoted(rest), Form::Quoted);
        }
        if kinds.has(Kind::Addresses) && c == '0' && !before.is_some_and(|b| is_word(b) || b == '+') {
            add(address(rest), Form::Address);
        }
        if names_files {
            add(path(before, rest), Form::Path);
        }
        if at >= words_from && !before.is_some_and(is_word) && is_word(c) {
            let word = rest.find(|c| !is_word(c) && !matches!(c, '.' | '-')).unwrap_or(rest.len());
            words_from = at + word;
            if let Some(length) = url(rest) {
                found.push(Piece { start: at, end: at + length, form: Form::Url });
                words_from = at + length;
            } else {
                if names_files && source == Source::Files && at >= files_from && before.is_none_or(opens) {
                    let length = path_end(rest, None);
                    files_from = at + length;
                    if rest[..length].contains('/') {
                        found.push(Piece { start: at, end: at + length, form: Form::Path });
                    }
                }
                if names_hosts {
                    found.extend(machine(at, rest, word));
                }
            }
            if kinds.has(Kind::Arguments) {
                found.extend(descriptor(at, rest, &text[..at]));
            }
        }
        before = Some(c);
    }
    found
}

/// The value of an address that is one.
pub(super) fn address_value(text: &str) -> Option<u64> {
    // One that does not fit is none of a process, but looks like one.
    let value = u64::from_str_radix(text.get(2..)?, 16).unwrap_or(u64::MAX);
    (value >= LOWEST_ADDRESS).then_some(value)
}

pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn address(rest: &str) -> Option<usize> {
    let digits = rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X"))?;
    let length = digits.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(digits.len());
    if length == 0 || digits[length..].starts_with(is_word) {
        return None;
    }
    address_value(&rest[..length + 2]).map(|_| length + 2)
}

fn quoted(rest: &str) -> Option<usize> {
    let length = rest[1..].find('"')?;
    (length > 0).then_some(length + 2)
}

/// Whether a path may begin behind this character.
fn opens(before: char) -> bool {
    !is_word(before) && !matches!(before, '.' | '/' | '\\' | ')' | ']' | '}' | '>' | '~' | '-' | '+' | '*')
}

/// A path that says by its beginning that it is one.
fn path(before: Option<char>, rest: &str) -> Option<usize> {
    let mut chars = rest.chars();
    let (first, second, third) = (chars.next()?, chars.next()?, chars.next());
    let is_start = match first {
        '/' | '\\' | '~' | '.' => before.is_none_or(opens),
        _ => before.is_none_or(|b| opens(b) && b != ':'),
    };
    let is_name = |c: char| is_word(c) || matches!(c, '.' | '-' | '~' | '$' | '@' | '%');
    let is_path = is_start
        && match (first, second) {
            // `/proc/…` is the same on every machine, and advice names it.
            ('/', second) => {
                is_name(second) && !rest.starts_with("/proc/")
                    || (second == '/' && before == Some(':') && third == Some('/'))
            }
            ('\\', '\\') => third.is_some_and(is_name),
            ('~', second) => second == '/' || (is_name(second) && rest[..path_end(rest, None)].contains('/')),
            ('.', '/' | '\\') => third.is_some_and(is_name),
            ('.', '.') => matches!(third, Some('/' | '\\')),
            (letter, ':') if letter.is_ascii_alphabetic() => matches!(third, Some('/' | '\\')),
            _ => false,
        };
    let drive = (second == ':').then_some(1);
    is_path.then(|| path_end(rest, drive))
}

/// How far a path goes: to the next blank or bracket, or to the colon before a line number.
pub(super) fn path_end(rest: &str, drive: Option<usize>) -> usize {
    let ends = |(at, c): &(usize, char)| {
        c.is_whitespace()
            || c.is_control()
            || matches!(
                c,
                '"' | '\'' | '`' | ',' | ';' | '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | '|' | '←'
            )
            || (*c == ':' && Some(*at) != drive)
    };
    let end = rest.char_indices().find(ends).map_or(rest.len(), |(at, _)| at);
    rest[..end].trim_end_matches('.').len()
}

/// The number of a file descriptor: `fd 7`, `/proc/4332/fd/7`.
fn descriptor(at: usize, rest: &str, before: &str) -> Option<Piece> {
    let length = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let is_descriptor = before.ends_with("fd ") || before.ends_with("/fd/");
    (length > 0 && is_descriptor).then_some(Piece { start: at, end: at + length, form: Form::Argument })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The pieces of a text that look like something to be removed.
    pub fn found(text: &str, source: Source) -> Vec<(Form, &str)> {
        pieces(text, Kinds::all(), source).into_iter().map(|p| (p.form, &text[p.start..p.end])).collect()
    }

    #[test]
    fn paths_begin_where_a_name_does_not() {
        for (text, path) in [
            ("cannot read /srv/x/core: no", "/srv/x/core"),
            ("(/srv/x.c:12)", "/srv/x.c"),
            ("at C:\\Users\\eve\\x.c:12.", "C:\\Users\\eve\\x.c"),
            ("in \\\\files\\share\\x", "\\\\files\\share\\x"),
            ("--file=/srv/x", "/srv/x"),
            ("see ~eve/x.", "~eve/x"),
            ("see ../lib/x.c", "../lib/x.c"),
            ("file:///srv/x", "///srv/x"),
            ("visit<(lambda at /srv/x.cc:3:5)>", "/srv/x.cc"),
        ] {
            assert_eq!(found(text, Source::Rule), [(Form::Path, path)], "{text}");
        }
        for text in [
            "and/or",
            "Vec::operator/",
            "a / b",
            "<path-1>/x.c",
            "ls -l /proc/4332/maps",
            "net/http.serve",
            "std::a::b",
            "http::x",
        ] {
            assert_eq!(found(text, Source::Rule), [], "{text}");
        }
        assert_eq!(found("lib/x.so is no file", Source::Files), [(Form::Path, "lib/x.so")]);
    }

    #[test]
    fn addresses_are_not_offsets_and_not_null() {
        assert_eq!(found("at 0x7F51c0000b20, @0x10000", Source::Rule).len(), 2);
        for text in ["libfoo.so+0x123456", "at 0x18", "echo 0x3f", "0xzz", "0x7f51c000g"] {
            assert_eq!(found(text, Source::Rule), [], "{text}");
        }
    }

    /// Would not end within minutes if each word were looked at to the end of the text.
    #[test]
    fn long_texts_cost_in_line_with_their_length() {
        for part in
            ["\"", "/a", "~a", "~a/", "a@", "a:", "a+", "0x", "a.", "1.", "fd ", "é", "a b/", "\\\\a", "0:"]
        {
            let text = part.repeat(20_000);
            for source in [Source::Rule, Source::Files, Source::Function, Source::Name] {
                pieces(&text, Kinds::all(), source);
            }
        }
    }

    #[test]
    fn values_are_found_where_rules_write_them() {
        assert_eq!(found("write(fd 7)", Source::Rule), [(Form::Argument, "7")]);
        assert_eq!(found("ls -l /proc/4332/fd/7,", Source::Rule), [(Form::Argument, "7")]);
        assert_eq!(found("operator\"\"_s(operator\"\"_t)", Source::Function), []);
        assert_eq!(found("said \"open sesame\"", Source::Rule), [(Form::Quoted, "\"open sesame\"")]);
    }
}
