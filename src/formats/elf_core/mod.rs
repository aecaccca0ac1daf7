//! ELF core files.

use crate::model::FormatId;

use super::Format;

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::ElfCore,
    name: "an ELF core",
    looked_for: "an ELF header of type ET_CORE",
    recognize: |_| 0,
    parse: |_, _| Vec::new(),
};
