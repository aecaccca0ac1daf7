//! Text in messages: SARIF gives braces and links in it a meaning, which nothing from a dump is to have.

use super::log::Message;
use crate::report::text::one_line;

/// A message in which nothing is hidden and nothing is a placeholder or a link.
pub fn message(text: &str) -> Message {
    Message { text: escaped(&one_line(text)), markdown: None }
}

/// A message of several lines that are escaped for a reader already.
pub fn message_of_lines(lines: &[String]) -> Message {
    Message { text: escaped(&lines.join("\n")), markdown: None }
}

/// By sections 3.11.5 (placeholders) and 3.11.6 (embedded links) of the standard.
fn escaped(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}").replace("](", "\\](")
}

#[cfg(test)]
mod tests {
    use super::message;

    #[test]
    fn text_is_no_markup() {
        assert_eq!(message("main::{closure#0}").text, "main::{{closure#0}}");
        assert_eq!(message("[click](http://evil) a[0]").text, "[click\\](http://evil) a[0]");
        assert_eq!(message("a\u{202e}\u{1b}[2J\n").text, "a\\u{{202e}}\\x1b[2J\\n");
    }
}
