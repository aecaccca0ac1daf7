//! The memory of a process as the dump holds it: a read-only view over the mapped file.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

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

/// Where a mapped dump can be read without touching its mapping.
pub trait ReadAt: fmt::Debug + Send + Sync {
    /// Reads what stands at `offset` of the dump, as much as there is and fits; returns how much. 0
    /// also where it cannot be read.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> usize;
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
    /// The file whose content `bytes` is, where it is mapped.
    file: Option<Arc<dyn ReadAt>>,
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
        Self { bytes, file: None, segments }
    }

    /// Lets [`Memory::copy`] read the file that is mapped as `bytes`, if this memory is a view over them.
    pub fn read_through(&mut self, file: &Arc<dyn ReadAt>, bytes: &Bytes) {
        if (self.bytes.as_ptr(), self.bytes.len()) == (bytes.as_ptr(), bytes.len()) {
            self.file = Some(Arc::clone(file));
        }
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

    /// Copies from `address` on what the dump holds of its segment and the buffer can take; returns how
    /// much. Nothing where the memory is no mapped file.
    pub fn copy(&self, address: u64, buffer: &mut [u8]) -> usize {
        let mut copied = || {
            let file = self.file.as_deref()?;
            let segment = self.segment_at(address)?;
            let delta = address - segment.start;
            let rest = usize::try_from(segment.file_size.checked_sub(delta)?).unwrap_or(usize::MAX);
            let length = rest.min(buffer.len());
            Some(file.read_at(&mut buffer[..length], segment.offset.checked_add(delta)?))
        };
        copied().unwrap_or(0)
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
#[cfg(test)]
mod tests {
    use super::*;

    /// A file that lost its end: the mapping still has `0..8192`.
    #[derive(Debug)]
    struct Cut(Bytes);

    impl ReadAt for Cut {
        fn read_at(&self, buffer: &mut [u8], offset: u64) -> usize {
            let rest = &self.0[(offset as usize).min(self.0.len())..];
            let length = rest.len().min(buffer.len());
            buffer[..length].copy_from_slice(&rest[..length]);
            length
        }
    }

    fn segment(start: u64, size: u64, offset: u64, file_size: u64) -> Segment {
        let (is_readable, is_writable, is_executable) = (true, true, false);
        Segment { start, size, offset, file_size, is_readable, is_writable, is_executable }
    }

    fn copied(memory: &Memory, address: u64, length: usize) -> Vec<u8> {
        let mut buffer = vec![0xff; length];
        let length = memory.copy(address, &mut buffer);
        buffer.truncate(length);
        buffer
    }

    #[test]
    fn a_copy_is_what_the_mapping_has_up_to_the_end_of_the_segment() {
        let bytes: Bytes = (0..=255).cycle().take(8192).collect::<Vec<u8>>().into();
        let file: Arc<dyn ReadAt> = Arc::new(Cut(bytes.slice(..0x1100)));
        let segments = vec![segment(0x1000, 0x1000, 16, 0x800), segment(0x2000, 0x1000, 0x1000, 0x1000)];
        let mut memory = Memory::new(bytes.clone(), segments);
        assert!(copied(&memory, 0x1000, 8).is_empty(), "no file yet");
        memory.read_through(&file, &bytes.slice(1..));
        assert!(copied(&memory, 0x1000, 8).is_empty(), "not the file of these bytes");
        memory.read_through(&file, &bytes);
        for address in [0x1000, 0x1123, 0x17ff] {
            let rest = memory.bytes_from(address).expect("dumped");
            assert_eq!(copied(&memory, address, 4096), rest, "{address:#x}");
            assert_eq!(copied(&memory, address, 1), rest[..1], "{address:#x}");
        }
        for address in [0, 0xfff, 0x1800, 0x1fff, 0x3000, u64::MAX] {
            assert!(copied(&memory, address, 16).is_empty(), "{address:#x} is not in the dump");
        }
        assert_eq!(copied(&memory, 0x2000, 4096), bytes[0x1000..0x1100], "what the file still has");
    }
}
