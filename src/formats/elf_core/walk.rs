//! One walk over all notes: where each thread's and the process's notes stand.

use memchr::memmem;

use crate::model::{GapKind, Gaps};

use super::header::Header;
use super::notes::{
    BadNote, NT_ARM_TLS, NT_AUXV, NT_FILE, NT_PRPSINFO, NT_PRSTATUS, NT_SIGINFO, Note, Notes, Place,
};
use super::prstatus::Layout;
use super::reader::Reader;

/// The notes of one thread: its PRSTATUS and what follows until the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ThreadNotes {
    pub tid: u32,
    pub prstatus: Place,
    /// The note with the thread pointer, on processors that have it outside the registers.
    pub tls: Option<Place>,
}

/// Where everything stands. Process notes count wherever they are: producers differ in the order.
#[derive(Debug, Default)]
pub(super) struct NoteIndex {
    /// In the order of the file.
    pub threads: Vec<ThreadNotes>,
    pub prpsinfo: Option<Place>,
    pub auxv: Option<Place>,
    pub files: Option<Place>,
    /// Signals, and to which thread's group they belong (index in `threads`).
    pub signals: Vec<(Option<usize>, Place)>,
    /// The type of the first note that is `CORE`'s.
    pub first_kind: Option<u32>,
    /// Whether gdb left a note of its own.
    pub has_gdb_note: bool,
    /// Whether notes are missing, so that there are threads which nobody knows of.
    pub has_lost_threads: bool,
    /// Threads whose note has a size that is not known.
    odd: Option<OddSize>,
    /// The notes are those of a machine, not of a process (`VMCOREINFO`, `QEMU`).
    pub is_of_machine: bool,
}

/// Notes of a size that is not known: the first one's size and place, and how many there are.
#[derive(Clone, Copy, Debug)]
struct OddSize {
    size: usize,
    offset: u64,
    count: u64,
}

impl NoteIndex {
    /// Reads the notes of all segments. A range that was read is not read again.
    pub fn read(reader: Reader, header: &Header, layout: &Layout, gaps: &mut Gaps) -> Self {
        let mut index = Self::default();
        let mut segments = header.notes.clone();
        segments.sort_by_key(|s| s.offset);
        let mut end = 0;
        for segment in &segments {
            if segment.offset < end {
                let message = "two note segments share bytes: the second one was not read";
                gaps.add(GapKind::Damaged, message, Some(segment.offset));
                continue;
            }
            end = segment.offset.saturating_add(segment.size);
            index.walk(reader, Notes::new(reader, segment), layout, gaps);
        }
        if let Some(odd) = index.odd {
            let message = format!(
                "threads were passed over: their NT_PRSTATUS has {} bytes, which no known layout has",
                odd.size
            );
            gaps.add_many(GapKind::Unsupported, message, odd.count, Some(odd.offset));
        }
        index
    }

    fn walk(&mut self, reader: Reader, mut notes: Notes, layout: &Layout, gaps: &mut Gaps) {
        let begin = self.threads.len();
        let mut before = None;
        loop {
            match notes.next() {
                Ok(Some(note)) => {
                    before = Some(note.offset);
                    self.add(&note, reader, layout);
                }
                Ok(None) => return,
                Err(bad) if bad.is_cut => {
                    self.has_lost_threads = true;
                    self.tell_cut(bad, begin, &notes, gaps);
                    return;
                }
                Err(bad) => {
                    let message = "a note is longer than its segment: the search went on at the next thread";
                    gaps.add(GapKind::Damaged, message, Some(bad.offset as u64));
                    self.has_lost_threads = true;
                    // A size that is wrong and yet fits makes the *next* header nonsense.
                    let from = before.unwrap_or(bad.offset);
                    let Some(at) = next_thread(reader, from + 4, notes.end(), layout) else { return };
                    before = None;
                    notes.resume(at);
                }
            }
        }
    }

    fn tell_cut(&self, bad: BadNote, begin: usize, notes: &Notes, gaps: &mut Gaps) {
        let read = self.threads.len();
        let message = match read {
            0 => "the file ends before the notes of the first thread: no thread is known".to_owned(),
            1 => "the file ends inside its notes: 1 thread was read, the others are lost".to_owned(),
            _ => {
                let first = &self.threads[begin.min(read - 1)];
                let spacing = bad.offset.saturating_sub(first.prstatus.offset) / (read - begin).max(1);
                let lost = notes.missing().div_ceil(spacing.max(1) as u64);
                format!(
                    "the file ends inside its notes: {read} threads were read, about {lost} more are lost"
                )
            }
        };
        gaps.add(GapKind::Truncated, message, Some(bad.offset as u64));
    }

    fn add(&mut self, note: &Note, reader: Reader, layout: &Layout) {
        match note.owner {
            b"CORE" => {
                if self.first_kind.is_none() {
                    self.first_kind = Some(note.kind);
                }
                self.add_core(note, reader, layout);
            }
            b"LINUX" if note.kind == NT_ARM_TLS => {
                if let Some(thread) = self.threads.last_mut() {
                    thread.tls.get_or_insert(note.place);
                }
            }
            b"GDB" => self.has_gdb_note = true,
            b"VMCOREINFO" | b"QEMU" => self.is_of_machine = true,
            _ => {}
        }
    }

    fn add_core(&mut self, note: &Note, reader: Reader, layout: &Layout) {
        match note.kind {
            NT_PRSTATUS => self.add_thread(note, reader, layout),
            NT_PRPSINFO => {
                self.prpsinfo.get_or_insert(note.place);
            }
            NT_AUXV => {
                self.auxv.get_or_insert(note.place);
            }
            NT_FILE => {
                self.files.get_or_insert(note.place);
            }
            NT_SIGINFO => self.signals.push((self.threads.len().checked_sub(1), note.place)),
            _ => {}
        }
    }

    fn add_thread(&mut self, note: &Note, reader: Reader, layout: &Layout) {
        let place = note.place;
        let part = reader.part(place.offset, place.size).filter(|_| layout.fits(place.size));
        match part.and_then(|part| layout.tid(&part)) {
            Some(tid) => self.threads.push(ThreadNotes { tid, prstatus: place, tls: None }),
            None => {
                self.has_lost_threads = true;
                let first = OddSize { size: place.size, offset: note.offset as u64, count: 0 };
                self.odd.get_or_insert(first).count += 1;
            }
        }
    }
}

/// Where the next note begins that looks like a thread's first: `CORE`, NT_PRSTATUS, the right size.
fn next_thread(reader: Reader, from: usize, end: usize, layout: &Layout) -> Option<usize> {
    let size = u32::try_from(layout.size()?).ok()?;
    let mut needle = Vec::with_capacity(16);
    for word in [5, size, NT_PRSTATUS] {
        let bytes = if reader.encoding.is_little_endian { word.to_le_bytes() } else { word.to_be_bytes() };
        needle.extend_from_slice(&bytes);
    }
    needle.extend_from_slice(b"CORE\0");
    let part = reader.slice(from, end.checked_sub(from)?)?;
    memmem::find(part, &needle).map(|at| from + at)
}
