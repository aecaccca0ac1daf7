//! Shared text.

use std::borrow::Cow;
use std::sync::Arc;

/// Text that many records share: a function, a module, a file. Cheap to clone.
pub type Str = Arc<str>;

/// Bytes as text, with U+FFFD for what is no UTF-8: nearly all of it is.
pub fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}
