//! What wrote the core: told by the order of its notes and by where they stand.

use crate::model::CoreProducer;

use super::header::Header;
use super::index::ProcessNotes;
use super::notes::{NT_PRPSINFO, NT_PRSTATUS};

/// The kernel begins with the thread that died (PRSTATUS) and has no section headers unless it
/// needs one for the count of segments; gdb's `gcore` begins with PRPSINFO, has section headers
/// and, since gdb 12, a note of its own; CRIU begins with PRPSINFO and has no section headers.
pub(super) fn classify(header: &Header, notes: &ProcessNotes) -> CoreProducer {
    if notes.has_gdb_note {
        return CoreProducer::Gcore;
    }
    match notes.first_kind {
        Some(NT_PRSTATUS) => CoreProducer::Kernel,
        Some(NT_PRPSINFO) if header.has_sections => CoreProducer::Gcore,
        Some(_) => CoreProducer::Other,
        // The notes are lost. The kernel's stand before the memory, gdb's behind it.
        None => match (header.notes.first(), header.segments.first()) {
            (Some(notes), Some(memory)) if notes.offset > memory.offset => CoreProducer::Gcore,
            _ => CoreProducer::Kernel,
        },
    }
}

/// The name of a producer in the report.
pub(super) fn name(producer: CoreProducer) -> &'static str {
    match producer {
        CoreProducer::Kernel => "Linux kernel",
        CoreProducer::Gcore => "gdb (gcore)",
        CoreProducer::Other => "a checkpoint tool (notes in the order of CRIU)",
    }
}
