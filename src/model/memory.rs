//! The memory of a process as the dump holds it: a read-only view over the mapped file.

use std::cell::Cell;

use bytes::Bytes;

/// One `PT_LOAD`: a mapping of the process, of which the dump holds the first `file_size` bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// First address.
    pub start: u64,
    /// Size in the process.
    pub size: u64,
    /// Where its bytes stand in the dump.
    pub offset: u64,
    /// How many of its bytes the dump holds (after a cut: fewer than its header says).
    pub file_size: u64,
    /// Readable.
    pub is_readable: bool,
    /// Writable.
    pub is_writable: bool,
    /// Executable.
    pub is_executable: bool,
}

impl Segment {
    /// The address after the last one.
    pub fn end(&self) -> u64 {
        self.start.saturating_add(self.size)
    }
}

thread_local! {
    /// Where this worker found the last address: reads of a stack follow each other, and a process
    /// with 30,000 threads has 60,000 segments. Only a place to look first, so it may be wrong.
    static LAST_SEGMENT: Cell<usize> = const { Cell::new(0) };
}

/// The memory of a process. What the dump does not hold is unknown, never zero.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    bytes: Bytes,
    segments: Vec<Segment>,
}

impl Memory {
    /// A view over `bytes`. Segments may come in any order and are sorted by address; one that
    /// leaves the file is clipped to it, and of two that overlap the first wins.
    pub fn new(bytes: Bytes, mut segments: Vec<Segment>) -> Self {
        segments.sort_by_key(|s| (s.start, s.offset));
        let length = bytes.len() as u64;
        let mut last_end = 0;
        segments.retain_mut(|s| {
            s.file_size = s.file_size.min(s.size).min(length.saturating_sub(s.offset));
            let keeps = s.size > 0 && s.start >= last_end && s.start.checked_add(s.size).is_some();
            if keeps {
                last_end = s.end();
            }
            keeps
        });
        Self { bytes, segments }
    }

    /// The segments, sorted by address.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The segment that contains this address, whether or not the dump holds its bytes.
    pub fn segment_at(&self, address: u64) -> Option<&Segment> {
        let contains = |s: &&Segment| s.start <= address && address < s.end();
        if let Some(segment) = self.segments.get(LAST_SEGMENT.get()).filter(contains) {
            return Some(segment);
        }
        let at = self.segments.partition_point(|s| s.start <= address).checked_sub(1)?;
        let segment = self.segments.get(at).filter(contains)?;
        LAST_SEGMENT.set(at);
        Some(segment)
    }

    /// The bytes from `address` to the end of what the dump holds of its segment.
    pub fn bytes_from(&self, address: u64) -> Option<&[u8]> {
        let segment = self.segment_at(address)?;
        let delta = address - segment.start;
        let rest = segment.file_size.checked_sub(delta).filter(|&n| n > 0)?;
        let from = usize::try_from(segment.offset.checked_add(delta)?).ok()?;
        self.bytes.get(from..)?.get(..usize::try_from(rest).ok()?)
    }

    /// `length` bytes at `address`, from one segment.
    pub fn slice(&self, address: u64, length: usize) -> Option<&[u8]> {
        self.bytes_from(address)?.get(..length)
    }

    /// A little-endian 64-bit word.
    pub fn u64_at(&self, address: u64) -> Option<u64> {
        Some(u64::from_le_bytes(self.slice(address, 8)?.try_into().ok()?))
    }

    /// A little-endian 32-bit word.
    pub fn u32_at(&self, address: u64) -> Option<u32> {
        Some(u32::from_le_bytes(self.slice(address, 4)?.try_into().ok()?))
    }
}
