//! What the notes say, collected note by note. Producers differ in the order of notes, so that
//! nothing rests on a position but this: PRSTATUS begins the notes of a thread.

use crate::arch::Architecture;
use crate::model::{GapKind, Gaps, Registers};

use super::notes::{NT_ARM_TLS, NT_AUXV, NT_FILE, NT_PRPSINFO, NT_PRSTATUS, NT_SIGINFO, Note, Place};
use super::prstatus::Layout;
use super::reader::Reader;

/// What is needed to understand a note.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub reader: Reader<'a>,
    pub layout: &'a Layout,
    /// Set for a processor whose registers are read.
    pub row: Option<&'a Architecture>,
}

/// One thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ThreadRecord {
    pub tid: u32,
    /// As the note has it: the leader's is the whole group's.
    pub cpu_us: u64,
    /// The signal in its note.
    pub signal: i32,
}

/// Threads that were read in one go, in the order of the file.
#[derive(Debug, Default)]
pub(super) struct ThreadPart {
    pub records: Vec<ThreadRecord>,
    /// One for each record, or none at all.
    pub registers: Vec<Registers>,
}

/// What was found in a range of notes.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub threads: ThreadPart,
    pub process: ProcessNotes,
}

/// The notes about the process, wherever they stood: of each kind the first.
#[derive(Debug, Default)]
pub(super) struct ProcessNotes {
    pub prpsinfo: Option<Place>,
    pub auxv: Option<Place>,
    pub files: Option<Place>,
    /// Signals, and to which thread's group they belong: its place in the file's order.
    pub signals: Vec<(Option<usize>, Place)>,
    /// The type of the first note that is `CORE`'s.
    pub first_kind: Option<u32>,
    /// Whether a thread that stood before all that were read could not be read: then it is not known
    /// which one died.
    pub has_lost_first: bool,
    /// Whether gdb left a note of its own.
    pub has_gdb_note: bool,
    /// The notes are those of a machine, not of a process (`VMCOREINFO`, `QEMU`).
    pub is_of_machine: bool,
    odd: Option<OddSize>,
}

/// Notes of threads whose size is not known: the first one's size and place, and how many.
#[derive(Clone, Copy, Debug)]
struct OddSize {
    size: usize,
    offset: u64,
    count: u64,
}

impl Found {
    /// Takes one note.
    pub fn add(&mut self, note: &Note, context: &Context) {
        match note.owner {
            b"CORE" => {
                self.process.first_kind.get_or_insert(note.kind);
                self.add_core(note, context);
            }
            b"LINUX" if note.kind == NT_ARM_TLS => {
                let tls = || context.reader.part(note.place.offset, note.place.size)?.u64(0);
                if let Some(registers) = self.threads.registers.last_mut() {
                    registers.thread_pointer = registers.thread_pointer.or_else(tls);
                }
            }
            b"GDB" => self.process.has_gdb_note = true,
            b"VMCOREINFO" | b"QEMU" => self.process.is_of_machine = true,
            _ => {}
        }
    }

    fn add_core(&mut self, note: &Note, context: &Context) {
        let process = &mut self.process;
        match note.kind {
            NT_PRSTATUS => self.add_thread(note, context),
            NT_PRPSINFO => _ = process.prpsinfo.get_or_insert(note.place),
            NT_AUXV => _ = process.auxv.get_or_insert(note.place),
            NT_FILE => _ = process.files.get_or_insert(note.place),
            NT_SIGINFO => {
                let thread = self.threads.records.len().checked_sub(1);
                process.signals.push((thread, note.place));
            }
            _ => {}
        }
    }

    fn add_thread(&mut self, note: &Note, context: &Context) {
        let read = || {
            let layout = context.layout;
            let bytes = context.reader.part(note.place.offset, note.place.size)?;
            let record = ThreadRecord {
                tid: layout.tid(&bytes)?,
                cpu_us: layout.cpu_us(&bytes)?,
                signal: layout.signal(&bytes)?,
            };
            let registers = match context.row {
                Some(row) => Some(layout.registers(&bytes, row)?),
                None => None,
            };
            Some((record, registers))
        };
        match context.layout.fits(note.place.size).then(read).flatten() {
            Some((record, registers)) => {
                self.threads.records.push(record);
                self.threads.registers.extend(registers);
            }
            None => {
                let first = OddSize { size: note.place.size, offset: note.offset as u64, count: 0 };
                self.process.odd.get_or_insert(first).count += 1;
                self.process.has_lost_first |= self.threads.records.is_empty();
            }
        }
    }
}

impl ProcessNotes {
    /// Takes what was found further on, behind `threads_before` threads.
    pub fn merge(&mut self, other: Self, threads_before: usize) {
        self.prpsinfo = self.prpsinfo.or(other.prpsinfo);
        self.auxv = self.auxv.or(other.auxv);
        self.files = self.files.or(other.files);
        self.first_kind = self.first_kind.or(other.first_kind);
        self.has_lost_first |= other.has_lost_first && threads_before == 0;
        self.has_gdb_note |= other.has_gdb_note;
        self.is_of_machine |= other.is_of_machine;
        let place = |thread: Option<usize>| match thread {
            Some(thread) => Some(threads_before + thread),
            None => threads_before.checked_sub(1),
        };
        self.signals.extend(other.signals.into_iter().map(|(thread, note)| (place(thread), note)));
        self.odd = match (self.odd, other.odd) {
            (Some(first), Some(more)) => Some(OddSize { count: first.count + more.count, ..first }),
            (first, more) => first.or(more),
        };
    }

    /// Whether there are threads that could not be read.
    pub fn has_unread_threads(&self) -> bool {
        self.odd.is_some()
    }

    /// Tells of threads that could not be read.
    pub fn tell(&self, gaps: &mut Gaps) {
        let Some(odd) = self.odd else { return };
        let message = format!(
            "threads were passed over: the NT_PRSTATUS of the first has {} bytes, which no known layout has",
            odd.size
        );
        gaps.add_many(GapKind::Unsupported, message, odd.count, Some(odd.offset));
    }
}
