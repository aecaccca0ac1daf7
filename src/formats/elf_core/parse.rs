//! From the bytes of a core to a [`Snapshot`].

use bytes::Bytes;

use crate::arch;
use crate::model::{
    CoreProducer, FileMapping, GapKind, Gaps, Memory, Process, ProcessImage, Signal, Snapshot, Source, Str,
};

use super::header::Header;
use super::index::{Context, ProcessNotes};
use super::memory_gaps::StatedMemory;
use super::notes::Place;
use super::prpsinfo::ProcessInfo;
use super::prstatus::Layout;
use super::reader::Reader;
use super::siginfo::{self, SignalInfo};
use super::threads::ThreadTable;
use super::walk::NoteIndex;
use super::{auxv, header, nt_file, producer, prpsinfo};

/// Reads a core. Empty for bytes that are none; a damaged core is a snapshot with gaps.
pub(super) fn parse(bytes: &Bytes, path: &Str) -> Vec<Snapshot> {
    let mut gaps = Gaps::default();
    let Some(mut header) = header::read(bytes, &mut gaps) else { return Vec::new() };
    let encoding = header.encoding;
    let reader = Reader::new(bytes, encoding);
    let layout = Layout::of(header.arch, encoding.is_64_bit);
    let row = arch::of(header.arch).filter(|_| encoding.is_little_endian);
    let context = Context { reader, layout: &layout, row };

    let index = NoteIndex::read(&header, &context, &mut gaps);
    let producer = producer::classify(&header, &index.process);
    let info = process_info(reader, &index.process, &mut gaps);
    let mut table = ThreadTable::sort(&index);
    table.settle_cpu_times(info.pid, producer, index.has_lost_threads);
    let mappings = mappings(reader, &index, &mut gaps);
    let auxv = part(reader, index.process.auxv).map(|note| auxv::read(&note)).unwrap_or_default();
    tell_unsupported(&header, &index, &mut gaps);

    let segments = std::mem::take(&mut header.segments);
    let stated = StatedMemory::of(&segments, &mappings, bytes.len() as u64, header.stated_end);
    let memory = Memory::new(bytes.clone(), segments);
    let missing_bytes = stated.tell(&memory, &table.registers, &mut gaps);

    let mut snapshot = Snapshot::new(source(bytes, path, producer));
    snapshot.process = process(&header, info);
    snapshot.process.signal = signal(reader, &index, producer, &table);
    snapshot.is_complete = !index.has_lost_threads && !table.threads.is_empty();
    snapshot.threads = table.threads;
    snapshot.image = Some(ProcessImage {
        is_64_bit: encoding.is_64_bit,
        is_little_endian: encoding.is_little_endian,
        registers: table.registers,
        memory: if encoding.is_little_endian { memory } else { Memory::default() },
        auxv,
        mappings,
        producer,
        missing_bytes,
    });
    snapshot.gaps = gaps;
    vec![snapshot]
}

fn source(bytes: &Bytes, path: &Str, producer: CoreProducer) -> Source {
    Source {
        path: path.clone(),
        format: super::FORMAT.id,
        producer: Some(producer::name(producer).into()),
        bytes: bytes.len() as u64,
        offset: 0,
    }
}

fn part(reader: Reader, place: Option<Place>) -> Option<Reader> {
    place.and_then(|place| reader.part(place.offset, place.size))
}

fn process_info(reader: Reader, notes: &ProcessNotes, gaps: &mut Gaps) -> ProcessInfo {
    let Some(note) = part(reader, notes.prpsinfo) else { return ProcessInfo::default() };
    prpsinfo::read(&note).unwrap_or_else(|| {
        let message = "the note about the process (NT_PRPSINFO) has a size that no known layout has";
        gaps.add(GapKind::Unsupported, message, notes.prpsinfo.map(|p| p.offset as u64));
        ProcessInfo::default()
    })
}

fn mappings(reader: Reader, index: &NoteIndex, gaps: &mut Gaps) -> Vec<FileMapping> {
    let place = index.process.files;
    let Some(note) = part(reader, place) else {
        // Where notes are lost, that is told already.
        if !index.has_lost_threads {
            let message = "the dump has no list of mapped files (the kernel leaves it out above 65,535 \
                           mappings): modules must be found by other means";
            gaps.add(GapKind::NotDumped, message, None);
        }
        return Vec::new();
    };
    let found = nt_file::read(&note);
    if let Some(problem) = found.problem {
        gaps.add(GapKind::Damaged, problem, place.map(|p| p.offset as u64));
    }
    found.mappings
}

fn tell_unsupported(header: &Header, index: &NoteIndex, gaps: &mut Gaps) {
    if index.process.is_of_machine {
        let message = "this is the dump of a whole machine, not of a process: its records are processors";
        gaps.add(GapKind::Unsupported, message, None);
    }
    if header.is_freebsd {
        gaps.add(GapKind::Unsupported, "this is a core of FreeBSD, whose notes are not read", None);
    }
    let is_little_endian = header.encoding.is_little_endian;
    if !(is_little_endian && arch::of(header.arch).is_some_and(|row| row.is_unwound)) {
        let order = if is_little_endian { "" } else { ", big-endian" };
        let message = format!(
            "no frames for {}{order}: threads, signal and modules are read, stacks are not followed",
            header.arch.name()
        );
        gaps.add(GapKind::Unsupported, message, None);
    }
    if index.parts.is_empty() && !index.has_lost_threads {
        gaps.add(GapKind::Damaged, "the core has no note of a thread", None);
    }
}

fn process(header: &Header, info: ProcessInfo) -> Process {
    Process {
        pid: info.pid,
        name: info.name.map(Str::from),
        command_line: info.command_line.map(Str::from),
        os: Some(if header.is_freebsd { "freebsd" } else { "linux" }.into()),
        arch: Some(header.arch),
        ..Process::default()
    }
}

/// The signal that ended the process. Only the kernel's first thread is the one that died: the signal
/// number in the notes is the same for all. gdb and CRIU write the dump of a living process (gcore's
/// NT_SIGINFO says SIGSTOP: the debugger's own); but where gdb held a thread at a fault, that
/// thread's note says so.
fn signal(reader: Reader, index: &NoteIndex, producer: CoreProducer, table: &ThreadTable) -> Option<Signal> {
    let mut infos = index
        .process
        .signals
        .iter()
        .filter_map(|&(thread, place)| Some((thread, siginfo::read(&part(reader, Some(place))?)?)));
    let (thread, info) = match producer {
        CoreProducer::Kernel => {
            let first = index.parts.first()?.records.first()?;
            let number_only = || SignalInfo::of_number(first.signal);
            (
                Some(0).filter(|_| !index.process.has_lost_first),
                infos.next().map(|(_, info)| info).or_else(number_only)?,
            )
        }
        CoreProducer::Gcore => infos.find(|(_, info)| info.is_fault())?,
        CoreProducer::Other => return None,
    };
    Some(Signal {
        number: Some(info.number),
        name: siginfo::name(info.number).into(),
        code: info.code,
        address: info.address,
        stack_pointer: None,
        sender_pid: info.sender_pid,
        thread: thread.and_then(|i| table.ix(i)),
    })
}
