//! The text of gdb: `thread apply all bt` and its relatives.

use crate::model::FormatId;

use super::Format;

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::Gdb,
    name: "gdb's text",
    looked_for: "lines `Thread N (…):` followed by `#0 …`",
    recognize: |_| 0,
    parse: |_, _| Vec::new(),
};
