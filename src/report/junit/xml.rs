//! Elements with text, and the characters that XML has no place for.

use std::borrow::Cow;
use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::BytesText;

type Xml<'w> = Writer<&'w mut dyn Write>;

/// An element with text.
pub fn text(xml: &mut Xml<'_>, name: &str, attributes: &[(&str, &str)], text: &str) -> io::Result<()> {
    let element = xml.create_element(name).with_attributes(attributes.iter().copied());
    element.write_text_content(BytesText::new(text))?;
    Ok(())
}

/// An element without content.
pub fn empty(xml: &mut Xml<'_>, name: &str, attributes: &[(&str, &str)]) -> io::Result<()> {
    xml.create_element(name).with_attributes(attributes.iter().copied()).write_empty()?;
    Ok(())
}

/// A text without the characters that XML 1.0 forbids even as references: each becomes U+FFFD, the mark of a
/// character that could not be shown.
pub fn legal(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_legal) {
        return Cow::Borrowed(text);
    }
    text.chars().map(|c| if is_legal(c) { c } else { char::REPLACEMENT_CHARACTER }).collect::<String>().into()
}

/// The production `Char` of XML 1.0; Rust's characters are no surrogates.
fn is_legal(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_characters_are_visible() {
        assert_eq!(
            legal("a\u{0}b\u{1b}c\u{ffff}\u{fffe}\n<世\u{1f600}"),
            "a\u{fffd}b\u{fffd}c\u{fffd}\u{fffd}\n<世\u{1f600}"
        );
        assert!(matches!(legal("plain <&> text"), Cow::Borrowed(_)));
    }
}
