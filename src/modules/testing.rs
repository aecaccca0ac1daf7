//! Process images for tests.

use bytes::Bytes;

use crate::model::{CoreProducer, FileMapping, Memory, ProcessImage, Segment};

/// A segment of which the dump holds nothing.
pub fn segment(start: u64, size: u64, flags: &str) -> Segment {
    Segment {
        start,
        size,
        offset: 0,
        file_size: 0,
        is_readable: flags.contains('r'),
        is_writable: flags.contains('w'),
        is_executable: flags.contains('x'),
    }
}

/// A file mapping.
pub fn mapping(start: u64, end: u64, file_offset: u64, path: &str) -> FileMapping {
    FileMapping { start, end, file_offset, path: path.into() }
}

/// A 64-bit process without threads.
pub fn image(segments: Vec<Segment>, mappings: Vec<FileMapping>) -> ProcessImage {
    ProcessImage {
        is_64_bit: true,
        is_little_endian: true,
        registers: Vec::new(),
        memory: Memory::new(Bytes::new(), segments),
        auxv: Vec::new(),
        mappings,
        producer: CoreProducer::Kernel,
        missing_bytes: 0,
    }
}
