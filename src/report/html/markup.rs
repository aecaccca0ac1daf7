//! HTML as it is put together. Markup is `&'static str`, so that nothing of a dump can be markup; everything else
//! goes through [`Html::text`] and its like, which escape.

use std::fmt::{Display, Write};

use crate::model::escape_terminal;
use crate::report::text::{Style, Text};

/// Characters from which on a text is folded: it opens where the reader asks for it.
const LONG: usize = 400;
/// Characters of a long text that show while it is folded.
const HEAD: usize = 160;

/// A page, or a part of it.
#[derive(Clone, Debug, Default)]
pub struct Html(String);

impl Html {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes so far.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// What was put together.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Markup.
    pub fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Text, for elements and for attributes in double quotes. Characters that steer or deceive become visible.
    pub fn text(&mut self, text: impl AsRef<str>) -> &mut Self {
        escape_into(&mut self.0, &escape_terminal(text.as_ref()));
        self
    }

    /// A number or an id of the report's own.
    pub fn show(&mut self, value: impl Display) -> &mut Self {
        let mut shown = String::new();
        // Writing to a `String` does not fail.
        let _ = write!(shown, "{value}");
        self.text(shown)
    }

    /// Text with the styles of the terminal report, as elements.
    pub fn styled(&mut self, text: &Text) -> &mut Self {
        for (style, piece) in text.pieces() {
            let (open, close) = element(style);
            self.raw(open);
            // A `Text` is made visible already; to do it again changes nothing.
            self.text(piece).raw(close);
        }
        self
    }

    /// Text that may be very long, as flow content: a long one is folded, and opens to all of it.
    pub fn long(&mut self, text: &str) -> &mut Self {
        if text.len() <= LONG {
            return self.text(text);
        }
        let shown = escape_terminal(text);
        let length = shown.chars().count();
        if length <= LONG {
            return self.text(shown);
        }
        let head: String = shown.chars().take(HEAD).collect();
        self.raw("<details class=\"long\"><summary>").text(head).raw("… <small>(");
        self.text(super::words::count(length as u64)).raw(" characters)</small></summary><div>");
        self.text(shown).raw("</div></details>")
    }

    /// Our own style sheet, script or data, which is no text of HTML. It must not hold `</`.
    pub fn verbatim(&mut self, ours: &str) -> &mut Self {
        debug_assert!(!ours.contains("</"), "an element would end early");
        self.0.push_str(ours);
        self
    }
}

fn escape_into(out: &mut String, text: &str) {
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let entity = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            b'\'' => "&#39;",
            _ => continue,
        };
        out.push_str(&text[from..at]);
        out.push_str(entity);
        from = at + 1;
    }
    out.push_str(&text[from..]);
}

fn element(style: Style) -> (&'static str, &'static str) {
    match style {
        Style::Plain => ("", ""),
        Style::Bold => ("<b>", "</b>"),
        Style::Dim => ("<span class=\"dim\">", "</span>"),
        Style::Alarm | Style::Red => ("<span class=\"bad\">", "</span>"),
        Style::Yellow => ("<span class=\"beware\">", "</span>"),
        Style::Cyan => ("<span class=\"told\">", "</span>"),
        Style::Green => ("<span class=\"sure\">", "</span>"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_never_markup() {
        let mut html = Html::new();
        html.raw("<p title=\"").text("a\" onclick='x'").raw("\">").text("<b>&amp;\u{202e}\0").raw("</p>");
        assert_eq!(
            html.as_str(),
            "<p title=\"a&quot; onclick=&#39;x&#39;\">&lt;b&gt;&amp;amp;\\u{202e}\\x00</p>"
        );
    }

    #[test]
    fn long_text_is_folded_and_whole() {
        let name = "<世>".repeat(1000);
        let mut html = Html::new();
        html.long(&name);
        assert!(html.as_str().contains("(3,000 characters)"));
        assert!(html.as_str().contains(&"&lt;世&gt;".repeat(1000)));
        let mut short = Html::new();
        short.long("worker");
        assert_eq!(short.as_str(), "worker");
    }

    #[test]
    fn styles_are_elements() {
        let mut html = Html::new();
        html.styled(&Text::from("a <").styled(Style::Bold, "b").styled(Style::Green, "read"));
        assert_eq!(html.as_str(), "a &lt;<b>b</b><span class=\"sure\">read</span>");
    }
}
