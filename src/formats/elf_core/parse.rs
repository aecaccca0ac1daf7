//! From the bytes of a core to a [`Snapshot`].

use bytes::Bytes;

use crate::arch;
use crate::model::{
    CoreProducer, FormatId, GapKind, Gaps, Memory, Process, ProcessImage, Signal, Snapshot, Source, Str,
};

use super::header::Header;
use super::notes::Place;
use super::prpsinfo::ProcessInfo;
use super::prstatus::Layout;
use super::reader::Reader;
use super::siginfo::{self, SignalInfo};
use super::threads::ThreadTable;
use super::walk::NoteIndex;
use super::{auxv, header, memory_gaps, nt_file, producer, prpsinfo};

/// Reads a core. Empty for bytes that are none; a damaged core is a snapshot with gaps.
pub(super) fn parse(bytes: &Bytes, path: &Str) -> Vec<Snapshot> {
    let mut gaps = Gaps::default();
    let Some(header) = header::read(bytes, &mut gaps) else { return Vec::new() };
    let reader = Reader::new(bytes, header.encoding);
    let layout = Layout::of(header.arch, header.encoding.is_64_bit);
    let index = NoteIndex::read(reader, &header, &layout, &mut gaps);
    let producer = producer::classify(&header, &index);
    let source = Source {
        path: path.clone(),
        format: FormatId::ElfCore,
        producer: Some(producer::name(producer).into()),
        bytes: bytes.len() as u64,
        offset: 0,
    };
    let mut snapshot = Snapshot::new(source);
    let image = fill(&mut snapshot, bytes, &header, &index, producer, &mut gaps);
    snapshot.image = Some(image);
    snapshot.gaps = gaps;
    vec![snapshot]
}

fn fill(
    snapshot: &mut Snapshot,
    bytes: &Bytes,
    header: &Header,
    index: &NoteIndex,
    producer: CoreProducer,
    gaps: &mut Gaps,
) -> ProcessImage {
    let reader = Reader::new(bytes, header.encoding);
    let layout = Layout::of(header.arch, header.encoding.is_64_bit);
    let part = |place: Place| reader.part(place.offset, place.size);
    let row = arch::of(header.arch).filter(|_| header.encoding.is_little_endian);
    tell_unsupported(header, index, gaps);

    let info = index.prpsinfo.and_then(part).and_then(|note| {
        let info = prpsinfo::read(&note);
        if info.is_none() {
            gaps.add(GapKind::Unsupported, "the note about the process has a size that is not known", None);
        }
        info
    });
    let info = info.unwrap_or_default();
    let mut table = ThreadTable::read(reader, index, &layout, row);
    table.settle_cpu_times(info.pid, producer, index.has_lost_threads);

    let auxv = index.auxv.and_then(part).map(|note| auxv::read(&note)).unwrap_or_default();
    let mappings = match index.files.and_then(part).map(|note| nt_file::read(&note)) {
        Some(found) => {
            if let Some(problem) = found.problem {
                gaps.add(GapKind::Damaged, problem, index.files.map(|p| p.offset as u64));
            }
            found.mappings
        }
        None => {
            if !index.threads.is_empty() {
                gaps.add(GapKind::NotDumped, NO_FILE_NOTE, None);
            }
            Vec::new()
        }
    };

    snapshot.process = process(header, info);
    snapshot.process.signal = signal(reader, index, &layout, producer, &table);
    snapshot.is_complete = !index.has_lost_threads && !index.threads.is_empty();
    let memory = Memory::new(bytes.clone(), header.segments.clone());
    let missing_bytes =
        memory_gaps::tell(header, bytes.len() as u64, &memory, &mappings, &table.registers, gaps);
    snapshot.threads = table.threads;
    ProcessImage {
        is_64_bit: header.encoding.is_64_bit,
        is_little_endian: header.encoding.is_little_endian,
        registers: table.registers,
        memory: if header.encoding.is_little_endian { memory } else { Memory::default() },
        auxv,
        mappings,
        producer,
        missing_bytes,
    }
}

/// The kernel leaves the note out above 65,535 mappings (its buffer is 4 MiB).
const NO_FILE_NOTE: &str = "the dump has no list of mapped files (the kernel leaves it out above 65,535 \
                            mappings): modules must be found by other means";

fn tell_unsupported(header: &Header, index: &NoteIndex, gaps: &mut Gaps) {
    if index.is_of_machine {
        let message = "this is the dump of a whole machine, not of a process: its records are processors";
        gaps.add(GapKind::Unsupported, message, None);
    }
    if header.is_freebsd {
        gaps.add(GapKind::Unsupported, "this is a core of FreeBSD, whose notes are not read", None);
    }
    let is_unwound =
        header.encoding.is_little_endian && arch::of(header.arch).is_some_and(|row| row.is_unwound);
    if !is_unwound {
        let order = if header.encoding.is_little_endian { "" } else { ", big-endian" };
        let message = format!(
            "no frames for {}{order}: threads, signal and modules are read, stacks are not followed",
            header.arch.name()
        );
        gaps.add(GapKind::Unsupported, message, None);
    }
    if index.threads.is_empty() && !index.has_lost_threads {
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
        captured_at: None,
        signal: None,
    }
}

/// The signal that ended the process. Only the kernel's first thread is the one that died. gdb and
/// CRIU write the dump of a living process (NT_SIGINFO of gcore says SIGSTOP: the debugger's own);
/// but where gdb held a thread at a fault, that thread's note says so.
fn signal(
    reader: Reader,
    index: &NoteIndex,
    layout: &Layout,
    producer: CoreProducer,
    table: &ThreadTable,
) -> Option<Signal> {
    let mut infos = index.signals.iter().filter_map(|(thread, place)| {
        Some((*thread, siginfo::read(&reader.part(place.offset, place.size)?)?))
    });
    let (thread, info) = match producer {
        CoreProducer::Kernel => {
            let first = index.threads.first()?;
            let info = infos.next().map(|(_, info)| info).or_else(|| {
                let note = reader.part(first.prstatus.offset, first.prstatus.size)?;
                let number = layout.signal(&note)?;
                Some(SignalInfo { number, code: 0, address: None, sender_pid: None }).filter(|i| i.number > 0)
            });
            (Some(0), info?)
        }
        CoreProducer::Gcore => infos.find(|(_, info)| info.is_fault())?,
        CoreProducer::Other => return None,
    };
    let has_info = !index.signals.is_empty();
    Some(Signal {
        number: Some(info.number),
        name: siginfo::name(info.number).into(),
        code: has_info.then_some(info.code),
        address: info.address,
        sender_pid: info.sender_pid,
        thread: thread.and_then(|i| table.ix(i)),
    })
}
