//! Bytes of unknown number, kept with a bound: in memory while they are few, then in a temporary
//! file that has no name and no blocks where the content is zeros.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// Up to this size it stays in memory.
const MEMORY_LIMIT: usize = 64 << 20;

/// How much is read at a time.
const BLOCK: usize = 1 << 20;

/// The grain in which zeros are left out.
const PAGE: usize = 4096;

/// Holes are free but not endless: this many times the bound, holes included. Kernels write the
/// untouched part of huge mappings as holes, so it is generous; it stops a bomb that would unpack
/// zeros for days.
const HOLE_FACTOR: u64 = 16;

const _: () = assert!(BLOCK.is_multiple_of(PAGE) && MEMORY_LIMIT.is_multiple_of(BLOCK));

/// Where the bytes ended up.
#[derive(Debug)]
pub(super) enum Kept {
    /// In memory.
    Memory(Vec<u8>),
    /// In a file without a name, to be mapped.
    File(File),
}

/// What was read.
#[derive(Debug)]
pub(super) struct Spooled {
    pub(super) kept: Kept,
    pub(super) length: u64,
    /// The reader's error, which ended the reading.
    pub(super) broken_off: Option<io::Error>,
}

/// Why nothing was kept.
#[derive(Debug)]
pub(super) enum SpoolError {
    /// More than the bound.
    TooLarge,
    /// The temporary file could not be made or written.
    NoRoom(io::Error),
}

/// Reads to the end or to the first error. `on_block` is called after each block.
pub(super) fn spool(
    reader: &mut dyn Read,
    bound: u64,
    on_block: &mut dyn FnMut(),
) -> Result<Spooled, SpoolError> {
    let mut sink = Sink { kept: Kept::Memory(Vec::new()), length: 0, dense: 0, bound };
    let mut block = vec![0; BLOCK];
    loop {
        let (length, broken_off) = fill(reader, &mut block);
        sink.push(&block[..length])?;
        on_block();
        if length < BLOCK || broken_off.is_some() {
            return sink.finish(broken_off);
        }
    }
}

/// Reads until the block is full, the input ends, or the reader fails.
fn fill(reader: &mut dyn Read, block: &mut [u8]) -> (usize, Option<io::Error>) {
    let mut length = 0;
    while length < block.len() {
        match reader.read(&mut block[length..]) {
            Ok(0) => break,
            Ok(n) => length += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return (length, Some(e)),
        }
    }
    (length, None)
}

struct Sink {
    kept: Kept,
    length: u64,
    /// Bytes in pages that are not all zeros.
    dense: u64,
    bound: u64,
}

impl Sink {
    /// Takes the next block; all but the last are whole.
    fn push(&mut self, block: &[u8]) -> Result<(), SpoolError> {
        self.dense += block.chunks(PAGE).filter(|p| !is_zero(p)).map(|p| p.len() as u64).sum::<u64>();
        self.length += block.len() as u64;
        if self.dense > self.bound || self.length > self.bound.saturating_mul(HOLE_FACTOR) {
            return Err(SpoolError::TooLarge);
        }
        if let Kept::Memory(bytes) = &mut self.kept {
            if bytes.len() + block.len() <= MEMORY_LIMIT {
                bytes.extend_from_slice(block);
                return Ok(());
            }
            let mut file = tempfile::tempfile().map_err(SpoolError::NoRoom)?;
            write_sparse(&mut file, 0, bytes).map_err(SpoolError::NoRoom)?;
            self.kept = Kept::File(file);
        }
        if let Kept::File(file) = &mut self.kept {
            let offset = self.length - block.len() as u64;
            write_sparse(file, offset, block).map_err(SpoolError::NoRoom)?;
        }
        Ok(())
    }

    fn finish(self, broken_off: Option<io::Error>) -> Result<Spooled, SpoolError> {
        if let Kept::File(file) = &self.kept {
            // The end may be a hole.
            file.set_len(self.length).map_err(SpoolError::NoRoom)?;
        }
        Ok(Spooled { kept: self.kept, length: self.length, broken_off })
    }
}

/// Writes at `offset`, a multiple of the page size, and leaves out whole pages of zeros.
fn write_sparse(file: &mut File, offset: u64, bytes: &[u8]) -> io::Result<()> {
    let page_count = bytes.len().div_ceil(PAGE);
    let page = |n: usize| &bytes[n * PAGE..bytes.len().min((n + 1) * PAGE)];
    let mut first = 0;
    while first < page_count {
        if is_zero(page(first)) {
            first += 1;
            continue;
        }
        let end = (first + 1..page_count).find(|&n| is_zero(page(n))).unwrap_or(page_count);
        file.seek(SeekFrom::Start(offset + (first * PAGE) as u64))?;
        file.write_all(&bytes[first * PAGE..bytes.len().min(end * PAGE)])?;
        first = end;
    }
    Ok(())
}

/// Whether a page, or the rest of one at the end, holds nothing but zeros.
fn is_zero(page: &[u8]) -> bool {
    const ZEROS: [u8; PAGE] = [0; PAGE];
    ZEROS.get(..page.len()) == Some(page)
}

/// The bound where the user set none: 64 GiB, or half of what is free where temporary files go, but
/// not less than what fits in memory.
pub(super) fn default_bound() -> u64 {
    const LEAST: u64 = MEMORY_LIMIT as u64;
    const MOST: u64 = 64 << 30;
    free_space().map_or(MOST, |free| (free / 2).clamp(LEAST, MOST))
}

#[cfg(unix)]
fn free_space() -> Option<u64> {
    let space = rustix::fs::statvfs(std::env::temp_dir()).ok()?;
    Some(space.f_bavail.saturating_mul(space.f_frsize))
}

#[cfg(not(unix))]
fn free_space() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(mut spooled: Spooled) -> Vec<u8> {
        match &mut spooled.kept {
            Kept::Memory(bytes) => std::mem::take(bytes),
            Kept::File(file) => {
                let mut bytes = Vec::new();
                file.rewind().expect("rewound");
                file.read_to_end(&mut bytes).expect("read");
                bytes
            }
        }
    }

    #[test]
    fn few_bytes_stay_in_memory() {
        let spooled = spool(&mut &b"some text"[..], 100, &mut || {}).expect("kept");
        assert!(matches!(&spooled.kept, Kept::Memory(b) if b == b"some text"));
        assert_eq!(spooled.length, 9);
        assert!(spooled.broken_off.is_none());
    }

    #[test]
    fn many_bytes_go_to_a_file_and_come_back_as_they_were() {
        let length = MEMORY_LIMIT + 3 * BLOCK + 17;
        let mut bytes = vec![0_u8; length];
        for (n, page) in bytes.chunks_mut(PAGE).enumerate() {
            if n % 3 == 0 {
                page[n % page.len()] = (n % 255) as u8 + 1;
            }
        }
        let spooled = spool(&mut &bytes[..], u64::MAX, &mut || {}).expect("kept");
        assert!(matches!(spooled.kept, Kept::File(_)));
        assert!(content(spooled) == bytes);
    }

    #[test]
    #[cfg(unix)]
    fn zeros_take_no_space_on_disk_and_do_not_count() {
        use std::os::unix::fs::MetadataExt;
        let length = 1 << 30;
        let mut reader = io::repeat(0).take(length).chain(&b"end"[..]);
        let spooled = spool(&mut reader, length / 16 + 4096, &mut || {}).expect("kept");
        let Kept::File(file) = &spooled.kept else { panic!("in memory") };
        let metadata = file.metadata().expect("metadata");
        assert_eq!(metadata.len(), length + 3);
        assert!(metadata.blocks() * 512 < 1 << 20, "{} blocks", metadata.blocks());
    }

    #[test]
    fn the_bound_counts_what_is_no_hole() {
        let spool_of = |reader: &mut dyn Read, bound| spool(reader, bound, &mut || {});
        assert!(spool_of(&mut io::repeat(1).take(10_000), 10_000).is_ok());
        assert!(matches!(spool_of(&mut io::repeat(1).take(10_001), 10_000), Err(SpoolError::TooLarge)));
        assert!(matches!(spool_of(&mut io::repeat(1), 65 << 20), Err(SpoolError::TooLarge)));
        assert!(matches!(spool_of(&mut io::repeat(0), 10 << 20), Err(SpoolError::TooLarge)), "endless zeros");
    }

    #[test]
    fn what_came_before_an_error_is_kept() {
        struct Breaks(usize);
        impl Read for Breaks {
            fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
                if self.0 == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                let length = self.0.min(out.len());
                out[..length].fill(9);
                self.0 -= length;
                Ok(length)
            }
        }
        for length in [0, 1, BLOCK, BLOCK + 1] {
            let spooled = spool(&mut Breaks(length), u64::MAX, &mut || {}).expect("kept");
            assert_eq!(spooled.length, length as u64);
            assert!(spooled.broken_off.is_some());
            assert_eq!(content(spooled), vec![9; length]);
        }
    }
}
