//! Lines of a given width. Everything that is shown becomes a [`Text`] first, and a `Text` escapes what it
//! takes: no text of a dump has another way to the terminal.

use std::io::{self, Write};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::wrap;
use crate::model::escape_terminal as escape;

/// How text looks where the terminal has colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// As it is.
    Plain,
    /// The answer, names.
    Bold,
    /// What guides the eye.
    Dim,
    /// The worst: bold and red.
    Alarm,
    /// Bad.
    Red,
    /// Beware.
    Yellow,
    /// Worth a look.
    Cyan,
    /// Sure.
    Green,
}

impl Style {
    fn code(self) -> Option<&'static str> {
        Some(match self {
            Self::Plain => return None,
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Alarm => "1;31",
            Self::Red => "31",
            Self::Yellow => "33",
            Self::Cyan => "36",
            Self::Green => "32",
        })
    }
}

/// Escaped text in pieces of one style each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(pub(super) Vec<(Style, String)>);

impl Text {
    /// No text yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Plain text.
    pub fn from(text: impl AsRef<str>) -> Self {
        Self::new().plain(text)
    }

    /// With more plain text.
    pub fn plain(self, text: impl AsRef<str>) -> Self {
        self.styled(Style::Plain, text)
    }

    /// With more text of a style.
    pub fn styled(mut self, style: Style, text: impl AsRef<str>) -> Self {
        match self.0.last_mut() {
            Some((last, piece)) if *last == style => piece.push_str(&escape(text.as_ref())),
            _ => self.0.push((style, escape(text.as_ref()).into_owned())),
        }
        self
    }

    /// With another text behind.
    pub fn then(mut self, other: Text) -> Self {
        self.0.extend(other.0);
        self
    }

    /// With spaces up to a width.
    pub fn padded(self, width: usize) -> Self {
        let missing = width.saturating_sub(self.width());
        self.plain(" ".repeat(missing))
    }

    /// Its characters, without styles.
    pub fn into_string(self) -> String {
        self.0.into_iter().map(|(_, piece)| piece).collect()
    }

    /// Its pieces: for a report that has styles of its own.
    pub fn pieces(&self) -> impl Iterator<Item = (Style, &str)> {
        self.0.iter().map(|(style, piece)| (*style, &**piece))
    }

    /// Columns that it takes.
    pub fn width(&self) -> usize {
        self.0.iter().map(|(_, piece)| piece.width()).sum()
    }

    /// Whether it has no characters but spaces.
    pub fn is_blank(&self) -> bool {
        self.0.iter().all(|(_, piece)| piece.trim().is_empty())
    }

    /// Its first columns, with `…` where that is not all.
    pub fn clipped(self, width: usize) -> Self {
        if self.width() <= width {
            return self;
        }
        let mut left = width.saturating_sub(1);
        let mut clipped = Self::new();
        for (style, piece) in self.0 {
            let head = head(&piece, left);
            left -= head.width();
            let is_whole = head.len() == piece.len();
            clipped.0.push((style, head.to_owned()));
            if !is_whole {
                break;
            }
        }
        clipped.plain("…")
    }
}

/// The longest head of a text that fits.
pub fn head(text: &str, width: usize) -> &str {
    let mut used = 0;
    let end = text.char_indices().find(|(_, c)| {
        used += c.width().unwrap_or(0);
        used > width
    });
    &text[..end.map_or(text.len(), |(at, _)| at)]
}

/// Where lines go.
pub struct Page<'w> {
    out: &'w mut dyn Write,
    width: usize,
    has_color: bool,
}

impl<'w> Page<'w> {
    /// The fewest columns that a line gets: less is unreadable.
    pub const NARROWEST: usize = 40;

    /// A page of this width.
    pub fn new(out: &'w mut dyn Write, width: usize, has_color: bool) -> Self {
        Self { out, width: width.max(Self::NARROWEST), has_color }
    }

    /// Columns of a line.
    pub fn width(&self) -> usize {
        self.width
    }

    /// An empty line.
    pub fn blank(&mut self) -> io::Result<()> {
        self.out.write_all(b"\n")
    }

    /// One line, clipped.
    pub fn line(&mut self, text: Text) -> io::Result<()> {
        let text = text.clipped(self.width);
        self.emit(&text.0)
    }

    /// A paragraph behind a prefix; further lines are indented to the prefix's width.
    ///
    /// A prefix that leaves too little room stands alone, above the paragraph.
    pub fn paragraph(&mut self, prefix: Text, body: &Text) -> io::Result<()> {
        let indent = prefix.width();
        if indent + wrap::NARROWEST > self.width {
            if !prefix.is_blank() {
                self.line(prefix)?;
            }
            return self.paragraph(Text::from("    "), body);
        }
        let lines = wrap::lines(body, self.width - indent);
        for (n, line) in lines.into_iter().enumerate() {
            let before = if n == 0 { prefix.clone() } else { Text::from(" ".repeat(indent)) };
            self.emit(&before.then(line).0)?;
        }
        Ok(())
    }

    /// A line with something at its right end, which goes to a line of its own where both do not fit.
    pub fn spread(&mut self, left: Text, right: &Text) -> io::Result<()> {
        let gap = self.width.saturating_sub(left.width() + right.width());
        if gap < 2 {
            self.paragraph(Text::from("  "), &left)?;
            let before = self.width.saturating_sub(right.width());
            return self.line(Text::from(" ".repeat(before)).then(right.clone()));
        }
        self.line(left.plain(" ".repeat(gap)).then(right.clone()))
    }

    fn emit(&mut self, pieces: &[(Style, String)]) -> io::Result<()> {
        let visible = pieces.iter().rposition(|(_, piece)| !piece.trim_end().is_empty());
        let pieces = &pieces[..visible.map_or(0, |at| at + 1)];
        for (n, (style, piece)) in pieces.iter().enumerate() {
            let piece = if n + 1 == pieces.len() { piece.trim_end() } else { piece };
            match style.code().filter(|_| self.has_color) {
                Some(code) => write!(self.out, "\x1b[{code}m{piece}\x1b[0m")?,
                None => self.out.write_all(piece.as_bytes())?,
            }
        }
        self.blank()
    }
}
