//! Text of a dump as Markdown that does nothing.
//!
//! Whatever could mean something, to a parser of Markdown or to a tracker that looks for `@names`, `#12`,
//! commit ids or `:emoji:` afterwards, becomes a code span: trackers leave those alone, a span has no escapes that a
//! parser could read differently, and names of a program look right in it. Backslashes would not do: a tracker
//! looks for `@name` in what the parser made, where the backslash is gone.

use crate::model::escape_terminal;
use crate::report::text::words::shortened;

/// The most columns of one name. Beyond it, nobody reads it; its middle becomes `…`.
const NAME: usize = 160;
/// The fewest hexadecimal digits that a tracker takes for a commit.
const COMMIT: usize = 7;
/// The most bytes between a parenthesis inside a word and its end: `write(fd 4)` is one word.
const CALL: usize = 80;

/// Punctuation that stands before a word and is not of it.
const OPENING: [char; 3] = ['(', '"', '\''];

/// A name as a code span.
pub fn code(name: &str) -> String {
    code_within(name, NAME)
}

/// A name as a code span, its middle left out where it has more columns than `most`.
pub fn code_within(name: &str, most: usize) -> String {
    let shown = shortened(&escape_terminal(name), most);
    if shown.is_empty() {
        return "` `".to_owned();
    }
    let marks = "`".repeat(longest_run(&shown) + 1);
    let touches_mark = shown.starts_with('`') || shown.ends_with('`');
    let would_be_stripped = shown.starts_with(' ') && shown.ends_with(' ') && !shown.trim().is_empty();
    let room = if touches_mark || would_be_stripped { " " } else { "" };
    format!("{marks}{room}{shown}{room}{marks}")
}

/// A sentence: what could mean something is a code span, and so is what it quotes in backticks; spaces are one,
/// everything else is as it was.
pub fn prose(text: &str) -> String {
    let text = escape_terminal(text);
    let mut line = Line::default();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let after = match quoted(rest) {
            Some((before, quote, after)) => {
                line.plain(before);
                line.code(quote);
                after
            }
            None => {
                let (word, after) = rest.split_at(end_of_word(rest));
                line.word(word);
                after
            }
        };
        rest = after.trim_start();
        line.has_space = rest.len() < after.len();
    }
    line.done()
}

/// Markdown of one line for a cell of a table. A parser takes the bars for the table's own before it looks at
/// code spans.
pub fn cell(markdown: &str) -> String {
    markdown.replace('|', "\\|")
}

/// Lines as a block of code.
pub fn block(lines: &[String]) -> String {
    let lines: Vec<_> = lines.iter().map(|line| escape_terminal(line)).collect();
    let fence = "`".repeat(lines.iter().map(|line| longest_run(line) + 1).max().unwrap_or(0).max(3));
    format!("{fence}text\n{}\n{fence}\n", lines.join("\n"))
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// A line in the making. Code spans that stand next to each other are one: `-l /proc/7/fd`.
#[derive(Default)]
struct Line {
    done: String,
    /// The text of the last span, where nothing stands behind it yet.
    code: String,
    /// Whether a space comes before what is next.
    has_space: bool,
}

impl Line {
    fn word(&mut self, word: &str) {
        let (before, core, after) = parts(word);
        // `1.` and `1)` begin a list where they begin a line.
        let is_list_mark =
            self.is_empty() && core.bytes().all(|b| b.is_ascii_digit()) && after.starts_with(['.', ')']);
        if is_list_mark {
            self.code(word);
        } else if core.is_empty() || is_harmless(core) {
            self.plain(word);
        } else {
            self.plain(before);
            self.code(core);
            self.plain(after);
        }
    }

    fn plain(&mut self, text: &str) {
        if !text.is_empty() {
            self.end_code();
            self.space();
            self.done.push_str(text);
        }
    }

    fn code(&mut self, text: &str) {
        if !self.code.is_empty() && self.code.len() + text.len() < NAME {
            self.code.push(' ');
            self.code.push_str(text);
            self.has_space = false;
            return;
        }
        // Two spans without a space between would read as one.
        self.has_space |= !self.code.is_empty();
        self.end_code();
        self.space();
        self.code.push_str(text);
    }

    fn end_code(&mut self) {
        if !self.code.is_empty() {
            self.done.push_str(&code(&std::mem::take(&mut self.code)));
        }
    }

    fn space(&mut self) {
        if std::mem::take(&mut self.has_space) && !self.done.is_empty() {
            self.done.push(' ');
        }
    }

    fn is_empty(&self) -> bool {
        self.done.is_empty() && self.code.is_empty()
    }

    fn done(mut self) -> String {
        self.end_code();
        self.done
    }
}

/// The punctuation before a quotation in backticks, what it quotes, and what is behind it.
fn quoted(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_at(text.len() - text.trim_start_matches(OPENING).len());
    let quote = rest.strip_prefix('`')?;
    let (end, _) = quote.char_indices().take_while(|(at, _)| *at < NAME).find(|(_, c)| *c == '`')?;
    let after = &quote[end + 1..];
    (end > 0 && !after.starts_with('`')).then_some((before, &quote[..end], after))
}

fn end_of_word(text: &str) -> usize {
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let start = end - text[..end].trim_start_matches(OPENING).len();
    let inside = text[start..end].char_indices().skip(1).find(|(_, c)| matches!(c, '(' | '<'));
    let Some(open) = inside.map(|(at, _)| start + at) else { return end };
    let mut depth = 0_usize;
    for (at, c) in text[open..].char_indices().take_while(|(at, _)| *at < CALL) {
        match c {
            '(' | '<' => depth += 1,
            ')' | '>' => depth = depth.saturating_sub(1),
            _ if c.is_whitespace() && depth == 0 => return open + at,
            _ => {}
        }
    }
    // Not closed nearby, or the text ends with it.
    if depth == 0 && text.len() - open <= CALL { text.len() } else { end }
}

/// What stands before, in and behind a word. A parenthesis that closes one of the word's own belongs to it.
fn parts(word: &str) -> (&str, &str, &str) {
    let start = word.len() - word.trim_start_matches(OPENING).len();
    let opened = word[start..].matches('(').count();
    let mut closed = word[start..].matches(')').count();
    let mut end = word.len();
    for c in word[start..].chars().rev() {
        match c {
            ')' if closed > opened => closed -= 1,
            '"' | '\'' | '.' | ',' | ';' | ':' | '!' | '?' => {}
            _ => break,
        }
        end -= c.len_utf8();
    }
    (&word[..start], &word[start..end], &word[end..])
}

/// Whether nothing that reads Markdown can take this for more than a word.
fn is_harmless(core: &str) -> bool {
    let is_commit = core.len() >= COMMIT && core.bytes().all(|b| b.is_ascii_hexdigit());
    !is_commit && core.len() <= NAME && !has_reference(core) && has_only_harmless_characters(core)
}

/// Whether `GH-12` or `PROJ-7` is in it: how trackers name their tickets. `x86-64` is none.
fn has_reference(core: &str) -> bool {
    let is_number = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    core.match_indices('-').filter(|(at, _)| is_number(&core[at + 1..])).any(|(at, _)| {
        let project = core[..at].rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        let is_word = !project.is_empty() && project.bytes().all(|b| b.is_ascii_alphabetic());
        is_word || project.bytes().any(|b| b.is_ascii_uppercase())
    })
}

fn has_only_harmless_characters(core: &str) -> bool {
    let mut slashes = 0;
    let mut before = None;
    let mut chars = core.chars().peekable();
    while let Some(c) = chars.next() {
        let after = chars.peek().copied();
        let is_between =
            |is: fn(&char) -> bool| before.as_ref().is_some_and(is) && after.as_ref().is_some_and(is);
        slashes += usize::from(c == '/');
        let is_harmless = match c {
            _ if c.is_alphanumeric() || !c.is_ascii() => true,
            '-' | ',' | '\'' => is_between(|c| c.is_alphanumeric()),
            // A point between letters may make a host's name.
            '.' => is_between(char::is_ascii_digit),
            '/' => slashes == 1 && is_between(|c| c.is_alphanumeric()),
            '%' => core == "%" || (after.is_none() && before.is_some_and(|c| c.is_ascii_digit())),
            _ => false,
        };
        if !is_harmless {
            return false;
        }
        before = Some(c);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_span_has_more_marks_than_its_text() {
        for (name, span) in [
            ("g_log_mutex", "`g_log_mutex`"),
            ("a`b", "``a`b``"),
            ("a``b`c", "```a``b`c```"),
            ("`", "`` ` ``"),
            ("x`", "`` x` ``"),
            (" x ", "`  x  `"),
            (" x", "` x`"),
            ("  ", "`  `"),
            ("", "` `"),
            ("a\nb\u{0}\u{202e}", "`a\\nb\\x00\\u{202e}`"),
            ("</script><b>", "`</script><b>`"),
        ] {
            assert_eq!(code(name), span);
        }
        let long = code(&"ab`".repeat(40_000));
        assert!(long.chars().count() <= NAME + 6 && long.contains('…'), "{long}");
    }

    #[test]
    fn our_own_sentences_stay_and_names_become_code() {
        for (text, markdown) in [
            ("4,499 of 5,001 threads (90 %) wait.", "4,499 of 5,001 threads (90 %) wait."),
            ("wait for the mutex g_log_mutex, really", "wait for the mutex `g_log_mutex`, really"),
            ("blocked in write(fd 4) under log_sink", "blocked in `write(fd 4)` under `log_sink`"),
            ("of (write(fd 4))", "of (`write(fd 4)`)"),
            ("ended itself (abort): see why", "ended itself (abort): see why"),
            ("I/O at 0x0, SIGSEGV", "I/O at 0x0, SIGSEGV"),
            ("ls -l /proc/4332/fd/7, and who", "ls `-l /proc/4332/fd/7`, and who"),
            ("std::map<int, char>::at waits", "`std::map<int, char>::at` waits"),
            ("Rust's lock \"flusher\" x86-64 90%", "Rust's lock \"flusher\" x86-64 90%"),
            ("(lines `Thread N (…):` and `#0`)", "(lines `Thread N (…):` and `#0`)"),
            ("lock at 0.5 s in main.c:19", "lock at 0.5 s in `main.c:19`"),
            ("", ""),
        ] {
            assert_eq!(prose(text), markdown);
        }
    }

    #[test]
    fn nothing_means_anything() {
        for (text, markdown) in [
            ("# heading", "`#` heading"),
            ("- item", "`-` item"),
            ("+ item", "`+` item"),
            ("1. item", "`1.` item"),
            ("2) item 2)", "`2)` item 2)"),
            ("> quote", "`>` quote"),
            ("---", "`---`"),
            ("===", "`===`"),
            ("a | b", "a `|` b"),
            ("<b>x</b> <!-- y", "`<b>x</b> <!--` y"),
            ("[a](http://x) ![i](y)", "`[a](http://x) ![i](y)`"),
            ("[a]: http://x", "`[a]`: `http://x`"),
            ("http://x www.x.example x@y.example", "`http://x www.x.example x@y.example`"),
            ("ask @octocat, (@team/x)", "ask `@octocat`, (`@team/x`)"),
            ("see #12 GH-12 o/r#1 !7 PROJ-7", "see `#12 GH-12 o/r#1 !7 PROJ-7`"),
            ("A-AB2-7 logging-mutex-5000 10-20", "`A-AB2-7 logging-mutex-5000` 10-20"),
            ("in deadbeef 1234567 dead 123456", "in `deadbeef 1234567` dead 123456"),
            ("a :bug: ::x:: $x$ ~y~ *z* _u_", "a `:bug`: `::x`:: `$x$ ~y~ *z* _u_`"),
            ("&amp; \\ \\` ``` `", "`&amp`; ```` \\ \\` ``` ` ````"),
            ("two\nlines\r\n# x", "`two\\nlines\\r\\n#` x"),
            ("    indented", "indented"),
            ("`a`x_y `a``b`", "``` a x_y `a``b` ```"),
            ("`a``b", "``` `a``b ```"),
        ] {
            assert_eq!(prose(text), markdown);
        }
    }

    #[test]
    fn cells_keep_their_bars_and_blocks_their_fence() {
        assert_eq!(cell(&code("operator|(a|b)")), "`operator\\|(a\\|b)`");
        assert_eq!(block(&["a".into(), "`````".into()]), "``````text\na\n`````\n``````\n");
        assert_eq!(block(&["#0 a\n```".into()]), "````text\n#0 a\\n```\n````\n");
    }
}
