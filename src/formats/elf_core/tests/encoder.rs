//! Writes cores for tests, field by field in the order of the kernel's structures: it shares no
//! table with the reader, so that a wrong offset cannot test itself.

use bytes::Bytes;

use crate::model::Snapshot;

/// What the file is written for.
#[derive(Clone, Copy)]
pub struct Target {
    pub machine: u16,
    pub is_64_bit: bool,
    pub is_big_endian: bool,
    /// Size of all of `pr_reg`.
    pub register_bytes: usize,
    /// Bytes to which the whole record is padded.
    pub alignment: usize,
}

pub const X86_64: Target =
    Target { machine: 62, is_64_bit: true, is_big_endian: false, register_bytes: 27 * 8, alignment: 8 };

/// Bytes in the target's order.
#[derive(Clone)]
pub struct Out {
    pub target: Target,
    pub bytes: Vec<u8>,
}

impl Out {
    pub fn new(target: Target) -> Self {
        Self { target, bytes: Vec::new() }
    }

    fn put(mut self, little_endian: &[u8]) -> Self {
        let mut bytes = little_endian.to_vec();
        if self.target.is_big_endian {
            bytes.reverse();
        }
        self.bytes.extend(bytes);
        self
    }

    pub fn u16(self, value: u16) -> Self {
        self.put(&value.to_le_bytes())
    }

    pub fn u32(self, value: u32) -> Self {
        self.put(&value.to_le_bytes())
    }

    pub fn i32(self, value: i32) -> Self {
        self.put(&value.to_le_bytes())
    }

    pub fn u64(self, value: u64) -> Self {
        self.put(&value.to_le_bytes())
    }

    /// A `long`.
    pub fn word(self, value: u64) -> Self {
        if self.target.is_64_bit { self.u64(value) } else { self.u32(value as u32) }
    }

    pub fn raw(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    pub fn text(self, text: &str, field: usize) -> Self {
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(field, 0);
        self.raw(&bytes)
    }

    pub fn align(mut self, to: usize) -> Self {
        let size = self.bytes.len().next_multiple_of(to);
        self.bytes.resize(size, 0);
        self
    }
}

/// One thread of a test core. Registers: r15 … are 0x100 + their index, but for these.
#[derive(Clone, Copy)]
pub struct TestThread {
    pub tid: u32,
    pub signal: u16,
    /// User and system time.
    pub cpu_us: (u64, u64),
    pub sp: u64,
    pub fs_base: u64,
    pub orig_rax: i64,
}

impl TestThread {
    pub fn new(tid: u32) -> Self {
        let stack = 0x7000_0000 + u64::from(tid) * 0x1000;
        Self { tid, signal: 6, cpu_us: (0, 0), sp: stack, fs_base: stack + 0x800, orig_rax: 202 }
    }

    pub fn cpu(self, user: u64, system: u64) -> Self {
        Self { cpu_us: (user, system), ..self }
    }

    /// `struct elf_prstatus`.
    pub fn prstatus(&self, target: Target) -> Vec<u8> {
        let word = if target.is_64_bit { 8 } else { 4 };
        let (utime, stime) = self.cpu_us;
        let time = |out: Out, us: u64| out.word(us / 1_000_000).word(us % 1_000_000);
        let out = Out::new(target).i32(self.signal.into()).i32(0).i32(0).u16(self.signal).align(word);
        let out = out.word(0).word(0).u32(self.tid).u32(1).u32(2).u32(3);
        let out = time(time(time(time(out, utime), stime), 7_000_000), 9_000_000);
        let begin = out.bytes.len();
        let mut out = out;
        for i in 0..target.register_bytes as u64 / 8 {
            let value = match i {
                15 => self.orig_rax.cast_unsigned(),
                19 => self.sp,
                21 => self.fs_base,
                i => 0x100 + i,
            };
            out = out.u64(value);
        }
        out.bytes.resize(begin + target.register_bytes, 0);
        out.i32(1).align(target.alignment).bytes
    }
}

/// `struct elf_prpsinfo`. `uid_size` 2 is that of 32-bit x86 and Arm.
pub fn prpsinfo(target: Target, uid_size: usize, pid: u32, name: &str, arguments: &str) -> Vec<u8> {
    let word = if target.is_64_bit { 8 } else { 4 };
    let out = Out::new(target).raw(&[0, b'R', 0, 0]).align(word).word(0x40);
    let ids = |out: Out| if uid_size == 2 { out.u16(1000).u16(1000) } else { out.u32(1000).u32(1000) };
    ids(out).u32(pid).u32(1).u32(2).u32(3).text(name, 16).text(arguments, 80).bytes
}

/// `siginfo_t` with an address, or with a sender.
pub fn siginfo(target: Target, number: i32, code: i32, address: u64) -> Vec<u8> {
    let word = if target.is_64_bit { 8 } else { 4 };
    let mut bytes = Out::new(target).i32(number).i32(0).i32(code).align(word).word(address).bytes;
    bytes.resize(128, 0);
    bytes
}

pub fn sent(target: Target, number: i32, code: i32, sender: i32) -> Vec<u8> {
    let word = if target.is_64_bit { 8 } else { 4 };
    let mut bytes = Out::new(target).i32(number).i32(0).i32(code).align(word).i32(sender).u32(1000).bytes;
    bytes.resize(128, 0);
    bytes
}

pub fn auxv(target: Target, pairs: &[(u64, u64)]) -> Vec<u8> {
    let out = pairs.iter().fold(Out::new(target), |out, (key, value)| out.word(*key).word(*value));
    out.word(0).word(0).bytes
}

/// `NT_FILE`: start, end, offset in pages, name.
pub fn files(target: Target, page: u64, entries: &[(u64, u64, u64, &str)]) -> Vec<u8> {
    let out = Out::new(target).word(entries.len() as u64).word(page);
    let out =
        entries.iter().fold(out, |out, (start, end, pages, _)| out.word(*start).word(*end).word(*pages));
    entries.iter().fold(out, |out, (.., name)| out.raw(name.as_bytes()).raw(&[0])).bytes
}

/// A mapping: address, size in memory, flags, content.
#[derive(Clone)]
pub struct TestSegment {
    pub start: u64,
    pub size: u64,
    pub flags: u32,
    pub content: Vec<u8>,
}

/// A core in the making.
#[derive(Clone)]
pub struct Core {
    pub target: Target,
    pub notes: Vec<u8>,
    pub note_align: u64,
    pub segments: Vec<TestSegment>,
    /// gdb writes notes behind the memory, and section headers.
    pub is_gcore: bool,
    /// Writes the number of program headers into section header 0.
    pub has_extended_count: bool,
}

impl Core {
    pub fn new(target: Target) -> Self {
        let (notes, segments) = (Vec::new(), Vec::new());
        Self { target, notes, note_align: 4, segments, is_gcore: false, has_extended_count: false }
    }

    pub fn note(mut self, owner: &str, kind: u32, descriptor: &[u8]) -> Self {
        let name = [owner.as_bytes(), &[0]].concat();
        let pad = if self.note_align == 8 { 8 } else { 4 };
        let out = Out { target: self.target, bytes: std::mem::take(&mut self.notes) };
        let out = out.u32(name.len() as u32).u32(descriptor.len() as u32).u32(kind).raw(&name).align(pad);
        self.notes = out.raw(descriptor).align(pad).bytes;
        self
    }

    /// A thread with the notes that the kernel adds on x86-64.
    pub fn thread(self, thread: &TestThread) -> Self {
        let prstatus = thread.prstatus(self.target);
        self.note("CORE", 1, &prstatus).note("CORE", 2, &[0; 512]).note("LINUX", 0x202, &[0; 64])
    }

    pub fn segment(mut self, start: u64, size: u64, flags: u32, content: &[u8]) -> Self {
        self.segments.push(TestSegment { start, size, flags, content: content.to_vec() });
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        let target = self.target;
        let (header, entry) = if target.is_64_bit { (64, 56) } else { (52, 32) };
        let count = self.segments.len() + 1;
        let memory: usize = self.segments.iter().map(|s| s.content.len()).sum();
        let table_end = header + count * entry;
        let (notes_at, memory_at) = if self.is_gcore {
            (table_end + memory, table_end)
        } else {
            (table_end, table_end + self.notes.len())
        };
        let end = table_end + memory + self.notes.len();
        let has_sections = self.has_extended_count || self.is_gcore;

        let ident = [
            0x7f,
            b'E',
            b'L',
            b'F',
            if target.is_64_bit { 2 } else { 1 },
            if target.is_big_endian { 2 } else { 1 },
            1,
            0,
        ];
        let out = Out::new(target).raw(&ident).raw(&[0; 8]).u16(4).u16(target.machine).u32(1).word(0);
        let out = out.word(header as u64).word(if has_sections { end as u64 } else { 0 }).u32(0);
        let phnum = if self.has_extended_count { 0xffff } else { count as u16 };
        let section = if target.is_64_bit { 64 } else { 40 };
        let out = out.u16(header as u16).u16(entry as u16).u16(phnum);
        let mut out = out.u16(if has_sections { section } else { 0 }).u16(has_sections.into()).u16(0);

        let notes = (4, 0, notes_at as u64, 0, self.notes.len() as u64, 0, self.note_align);
        out = program_header(out, notes);
        let mut offset = memory_at as u64;
        for s in &self.segments {
            let size = s.content.len() as u64;
            out = program_header(out, (1, s.flags, offset, s.start, size, s.size, 0x1000));
            offset += size;
        }
        let memory = self.segments.iter().flat_map(|s| s.content.clone()).collect::<Vec<u8>>();
        out =
            if self.is_gcore { out.raw(&memory).raw(&self.notes) } else { out.raw(&self.notes).raw(&memory) };
        if has_sections {
            // Section header 0: name, type, flags, address, offset, size, link, info, alignment, entry size.
            let info = if self.has_extended_count { count as u32 } else { 0 };
            out = out.u32(0).u32(0).word(0).word(0).word(0).word(0).u32(0).u32(info).word(0).word(0);
        }
        out.bytes
    }

    pub fn read(&self) -> Snapshot {
        read(self.bytes())
    }
}

/// type, flags, offset, address, file size, memory size, alignment.
fn program_header(
    out: Out,
    (kind, flags, offset, start, file, size, align): (u32, u32, u64, u64, u64, u64, u64),
) -> Out {
    if out.target.is_64_bit {
        out.u32(kind).u32(flags).u64(offset).u64(start).u64(0).u64(file).u64(size).u64(align)
    } else {
        out.u32(kind).word(offset).word(start).word(0).word(file).word(size).u32(flags).word(align)
    }
}

pub fn read(bytes: Vec<u8>) -> Snapshot {
    let mut snapshots = super::super::read(&Bytes::from(bytes), &"test.core".into());
    assert_eq!(snapshots.len(), 1);
    snapshots.remove(0)
}

/// A core of the kernel: thread 12 died, 10 is the leader, 11 has no CPU time.
pub fn kernel() -> Core {
    kernel_of(&[
        TestThread::new(12).cpu(1_000_000, 500),
        TestThread::new(10).cpu(4_000_000, 0),
        TestThread::new(11),
    ])
}

pub fn kernel_of(threads: &[TestThread]) -> Core {
    let target = X86_64;
    let first = threads[0].prstatus(target);
    let mut core = Core::new(target)
        .note("CORE", 1, &first)
        .note("CORE", 3, &prpsinfo(target, 4, 10, "server", "server --port 80 "))
        .note("CORE", 0x5349_4749, &siginfo(target, 11, 1, 0xdead))
        .note("CORE", 6, &auxv(target, &[(33, 0x7fff_0000), (3, 0x40_0040), (6, 4096)]))
        .note(
            "CORE",
            0x4649_4c45,
            &files(
                target,
                4096,
                &[
                    (0x50_0000, 0x50_2000, 3, "/lib/libc.so.6"),
                    (0x40_0000, 0x40_1000, 0, "/bin/server (deleted)"),
                ],
            ),
        )
        .note("CORE", 2, &[0; 512])
        .note("LINUX", 0x202, &[0; 64]);
    for thread in &threads[1..] {
        core = core.thread(thread);
    }
    core = core.segment(0x40_0000, 0x1000, 5, &[]).segment(
        0x60_0000,
        0x20,
        6,
        b"0123456789abcdef0123456789abcdef",
    );
    for thread in threads {
        core = core.segment(thread.sp & !0xfff, 0x10, 6, &[thread.tid as u8; 16]);
    }
    core
}
