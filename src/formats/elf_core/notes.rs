//! The notes: a list of (owner, type, descriptor) in which nothing is trusted.

use super::header::NoteSegment;
use super::reader::Reader;

pub(super) const NT_PRSTATUS: u32 = 1;
pub(super) const NT_PRPSINFO: u32 = 3;
pub(super) const NT_AUXV: u32 = 6;
pub(super) const NT_FILE: u32 = 0x4649_4c45;
pub(super) const NT_SIGINFO: u32 = 0x5349_4749;
pub(super) const NT_ARM_TLS: u32 = 0x401;

const HEADER_SIZE: usize = 12;

/// One note. Its descriptor stays where it is: 32,767 threads have 118 MB of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Note<'a> {
    /// Who defines the type: `CORE`, `LINUX`, `GDB`. Without its NUL, which may be missing.
    pub owner: &'a [u8],
    pub kind: u32,
    /// Where in the file the note begins.
    pub offset: usize,
    /// Where in the file its descriptor stands.
    pub place: Place,
}

/// A range of the file, checked when it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub offset: usize,
    pub size: usize,
}

/// A note that leaves its segment or the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadNote {
    /// Where its header stands.
    pub offset: usize,
    /// Whether the file ends before the segment does, so that the note is merely cut.
    pub is_cut: bool,
}

/// The notes of one segment. After an error it is empty, so that a caller who loops over errors
/// comes to an end.
#[derive(Clone)]
pub(super) struct Notes<'a> {
    reader: Reader<'a>,
    at: usize,
    end: usize,
    /// Bytes of the segment that lie beyond the end of the file.
    missing: u64,
    /// The cut is an error that is told once.
    is_cut_told: bool,
    alignment: usize,
}

impl<'a> Notes<'a> {
    /// The notes of `segment`, as far as the file has them.
    pub fn new(reader: Reader<'a>, segment: &NoteSegment) -> Self {
        let stated_end = segment.offset.saturating_add(segment.size);
        let end = usize::try_from(stated_end).unwrap_or(usize::MAX).min(reader.len());
        let at = usize::try_from(segment.offset).unwrap_or(usize::MAX).min(end);
        // The kernel writes 4, older ones 0, gdb 1, and all of them pad to 4.
        let alignment = if segment.alignment == 8 { 8 } else { 4 };
        let missing = stated_end.saturating_sub((reader.len() as u64).max(segment.offset));
        Self { reader, at, end, missing, is_cut_told: false, alignment }
    }

    /// Where the next note begins.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Goes on at this place.
    pub fn resume(&mut self, at: usize) {
        self.at = at.min(self.end);
    }

    /// Bytes of the segment that the file does not have.
    pub fn missing(&self) -> u64 {
        self.missing
    }

    /// Where the segment ends in the file.
    pub fn end(&self) -> usize {
        self.end
    }

    /// The next note.
    pub fn next(&mut self) -> Result<Option<Note<'a>>, BadNote> {
        let offset = self.at;
        if let Some((note, next)) = self.read() {
            self.at = next;
            return Ok(Some(note));
        }
        self.at = self.end;
        let left = self.end.saturating_sub(offset);
        if self.missing > 0 && self.is_cut_at(offset, left) {
            // Also where the cut falls between two notes.
            let is_told = std::mem::replace(&mut self.is_cut_told, true);
            return if is_told { Ok(None) } else { Err(BadNote { offset, is_cut: true }) };
        }
        let is_padding = left < HEADER_SIZE || self.is_zero(offset);
        if is_padding { Ok(None) } else { Err(BadNote { offset, is_cut: false }) }
    }

    /// Whether a note that could not be read would be whole if the file were.
    fn is_cut_at(&self, offset: usize, left: usize) -> bool {
        let Some((name_size, size, _)) = self.sizes(offset) else { return left < HEADER_SIZE };
        let needed = HEADER_SIZE as u64 + name_size as u64 + size as u64;
        needed > left as u64 && needed <= (left as u64).saturating_add(self.missing)
    }

    /// Whether only zeros are left: padding behind the last note.
    fn is_zero(&self, offset: usize) -> bool {
        let rest = self.reader.slice(offset, self.end.saturating_sub(offset));
        rest.is_some_and(|bytes| bytes.iter().all(|&b| b == 0))
    }

    fn sizes(&self, offset: usize) -> Option<(usize, usize, u32)> {
        if self.end.checked_sub(offset)? < HEADER_SIZE {
            return None;
        }
        let header = self.reader.part(offset, HEADER_SIZE)?;
        Some((header.u32(0)? as usize, header.u32(4)? as usize, header.u32(8)?))
    }

    fn read(&self) -> Option<(Note<'a>, usize)> {
        let part = |offset: usize, size: usize| -> Option<&'a [u8]> {
            (offset.checked_add(size)? <= self.end).then(|| self.reader.slice(offset, size)).flatten()
        };
        let pad = |size: usize| size.checked_next_multiple_of(self.alignment);
        let (name_size, size, kind) = self.sizes(self.at)?;
        if (name_size, size, kind) == (0, 0, 0) {
            // Nobody writes such a note: a wrong size led into the middle of another one.
            return None;
        }
        let name = part(self.at + HEADER_SIZE, name_size)?;
        let owner = &name[..memchr::memchr(0, name).unwrap_or(name_size)];
        let place = Place { offset: self.at.checked_add(pad(HEADER_SIZE.checked_add(name_size)?)?)?, size };
        part(place.offset, size)?;
        // The last note's padding may be missing.
        let next = place.offset.checked_add(pad(size)?)?.min(self.end);
        Some((Note { owner, kind, offset: self.at, place }, next))
    }
}
