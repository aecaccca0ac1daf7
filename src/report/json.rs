//! The JSON report: the document, streamed.

use std::io::{self, BufWriter, Write};

use super::{Document, View};

/// Writes the document and a newline. It is one line: `jq .` makes it readable.
pub fn write(document: &Document<'_>, _view: &View, out: &mut dyn Write) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, out);
    serde_json::to_writer(&mut out, document)?;
    out.write_all(b"\n")?;
    out.flush()
}
