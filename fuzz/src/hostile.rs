//! A made-up process with one module: the vdso, because that is parsed out of memory.
//!
//! Everything is read from the front of the fuzzer's bytes, so that `seeds.py` can write it:
//!
//! ```text
//! flags u8       1 raw ELF file   2 assembled CFI   4 section headers   8 .eh_frame_hdr
//!                16 .debug_frame   32 deep walks   64 stack executable   128 no code flag
//! part           u16 length, bytes (raw: the file; assembled: FDEs; else .eh_frame)
//! part           code             (not for raw)
//! part           .eh_frame_hdr    (with 8, not for raw, not assembled)
//! part           .debug_frame     (with 16, not for raw)
//! part           stack: words; one whose upper half is 1, 2 is an offset in the stack, the module
//! threads u8     and for each: pc, 16 registers, as words like those of the stack
//! ```
//!
//! Assembled FDEs: `start u16, length u16, augmentation u8, length u8, instructions`.

use arbitrary::{Arbitrary, Unstructured};
use logjam::model::{CoreProducer, Memory, ProcessImage, Registers, Segment};

/// Where the module lies.
pub const MODULE: u64 = 0x7000_0000_0000;
/// Where the stack lies.
pub const STACK: u64 = 0x7100_0000_0000;

/// The DWARF number of the stack pointer.
const RSP: usize = 7;

/// A process whose every byte is hostile.
#[derive(Debug)]
pub struct Process {
    module: Vec<u8>,
    stack: Vec<u8>,
    threads: Vec<[u64; 17]>,
    is_stack_executable: bool,
    is_module_executable: bool,
    /// Whether walks that do not end may go on to the real limit, which takes a while.
    pub walks_deep: bool,
}

impl<'a> Arbitrary<'a> for Process {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let flags: u8 = u.arbitrary()?;
        let has = |bit: u8| flags & bit != 0;
        let main = part(u)?;
        let module = if has(1) {
            main
        } else {
            let code = part(u)?;
            let mut sections = Sections { code, has_headers: has(4), ..Sections::default() };
            if has(2) {
                sections.assemble(&fdes(&main), has(8));
            } else {
                sections.eh_frame = main;
                if has(8) {
                    sections.eh_frame_hdr = part(u)?;
                }
            }
            if has(16) {
                sections.debug_frame = part(u)?;
            }
            sections.elf()
        };
        let stack: Vec<u8> = part(u)?.chunks(8).flat_map(|w| rebased(w).to_le_bytes()).collect();
        let count = 1 + u.arbitrary::<u8>()? % 4;
        let mut threads = Vec::new();
        for _ in 0..count {
            let mut words = [0; 17];
            for word in &mut words {
                *word = rebased(&u.arbitrary::<u64>()?.to_le_bytes());
            }
            threads.push(words);
        }
        Ok(Self {
            module,
            stack,
            threads,
            is_stack_executable: has(64),
            is_module_executable: !has(128),
            walks_deep: has(32),
        })
    }
}

fn part(u: &mut Unstructured<'_>) -> arbitrary::Result<Vec<u8>> {
    let length = usize::from(u.arbitrary::<u16>()?).min(u.len());
    Ok(u.bytes(length)?.to_vec())
}

/// A word; offsets become addresses.
fn rebased(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    let word = u64::from_le_bytes(word);
    match word >> 32 {
        1 => STACK + (word & 0xffff_ffff),
        2 => MODULE + (word & 0xffff_ffff),
        _ => word,
    }
}

struct Fde<'a> {
    start: u16,
    length: u16,
    augmentation: &'static [u8],
    instructions: &'a [u8],
}

fn fdes(mut bytes: &[u8]) -> Vec<Fde<'_>> {
    const AUGMENTATIONS: [&[u8]; 4] = [b"zR\0", b"zRS\0", b"zR\0", b"zRB\0"];
    let mut fdes = Vec::new();
    while let [s0, s1, l0, l1, a, n, rest @ ..] = bytes {
        let (instructions, left) = rest.split_at(rest.len().min((*n).into()));
        fdes.push(Fde {
            start: u16::from_le_bytes([*s0, *s1]),
            length: u16::from_le_bytes([*l0, *l1]),
            augmentation: AUGMENTATIONS[usize::from(a % 4)],
            instructions,
        });
        bytes = left;
    }
    fdes
}

/// The parts of an ELF file. Their addresses are their offsets in the file.
#[derive(Default)]
struct Sections {
    eh_frame: Vec<u8>,
    eh_frame_hdr: Vec<u8>,
    debug_frame: Vec<u8>,
    code: Vec<u8>,
    has_headers: bool,
}

const HEADER: usize = 64 + 2 * 56;

impl Sections {
    /// Where the code begins in the file: it comes first.
    const CODE: usize = HEADER;

    fn eh_frame_at(&self) -> usize {
        (Self::CODE + self.code.len()).next_multiple_of(8)
    }

    /// `.eh_frame` from FDEs, each with a CIE of its own; the right table for it, too.
    fn assemble(&mut self, fdes: &[Fde<'_>], has_table: bool) {
        let at = self.eh_frame_at();
        let mut out: Vec<u8> = Vec::new();
        let mut table = Vec::new();
        for fde in fdes {
            let cie = out.len();
            // Version 1, factors 1 and -8, return address 16, pointers pc-relative i32. CFA rsp + 8.
            let mut body = vec![0, 0, 0, 0, 1];
            body.extend_from_slice(fde.augmentation);
            body.extend_from_slice(&[1, 0x78, 16, 1, 0x1b, 0x0c, 7, 8, 0x90, 1]);
            push_entry(&mut out, body);
            let start = Self::CODE + usize::from(fde.start);
            let place = out.len();
            let mut body = ((place + 4 - cie) as u32).to_le_bytes().to_vec();
            body.extend_from_slice(&((start as i64 - (at + place + 8) as i64) as i32).to_le_bytes());
            body.extend_from_slice(&u32::from(fde.length).to_le_bytes());
            body.push(0);
            body.extend_from_slice(fde.instructions);
            push_entry(&mut out, body);
            table.push((start as u32, (at + place) as u32));
        }
        out.extend_from_slice(&[0; 4]);
        self.eh_frame = out;
        if has_table {
            table.sort_unstable();
            // Version 1; the pointer u32, the count u32, the table absolute u32 pairs.
            let mut header = vec![1, 0x03, 0x03, 0x03];
            header.extend_from_slice(&(at as u32).to_le_bytes());
            header.extend_from_slice(&(table.len() as u32).to_le_bytes());
            for (start, place) in table {
                header.extend_from_slice(&start.to_le_bytes());
                header.extend_from_slice(&place.to_le_bytes());
            }
            self.eh_frame_hdr = header;
        }
    }

    fn elf(&self) -> Vec<u8> {
        const NAMES: &[u8] = b"\0.text\0.eh_frame\0.eh_frame_hdr\0.debug_frame\0.shstrtab\0";
        let mut out = vec![0; HEADER];
        let mut places = Vec::new();
        for bytes in [&self.code, &self.eh_frame, &self.eh_frame_hdr, &self.debug_frame, NAMES] {
            out.resize(out.len().next_multiple_of(8), 0);
            places.push((out.len() as u64, bytes.len() as u64));
            out.extend_from_slice(bytes);
        }
        out.resize(out.len().next_multiple_of(8), 0);
        let section_table = out.len() as u64;
        if self.has_headers {
            let names = [1u32, 7, 17, 31, 44].into_iter();
            let mut headers = vec![0; 64];
            for (name, (at, size)) in names.zip(&places) {
                // SHT_PROGBITS; the code with SHF_EXECINSTR.
                let flags = if name == 1 { 6 } else { 2 };
                push_words(&mut headers, &[u64::from(name) | 1 << 32, flags, *at, *at, *size, 0, 8, 0]);
            }
            out.extend_from_slice(&headers);
        }
        let mut head = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0\x01\0\0\0".to_vec();
        let table = if self.has_headers { section_table } else { 0 };
        push_words(&mut head, &[0, 64, table]);
        head.extend_from_slice(&[0, 0, 0, 0, 64, 0, 56, 0, 2, 0, 64, 0, 6, 0, 5, 0]);
        let size = out.len() as u64;
        push_words(&mut head, &[1 | 5 << 32, 0, 0, 0, size, size, 4096]);
        let (at, length) = places[2];
        push_words(&mut head, &[0x6474_e550 | 4 << 32, at, at, at, length, length, 4]);
        out[..HEADER].copy_from_slice(&head);
        out
    }
}

fn push_words(out: &mut Vec<u8>, words: &[u64]) {
    out.extend(words.iter().flat_map(|w| w.to_le_bytes()));
}

/// An entry of `.eh_frame` with its length.
fn push_entry(out: &mut Vec<u8>, mut body: Vec<u8>) {
    // DW_CFA_nop.
    body.resize(body.len().next_multiple_of(4), 0);
    out.extend_from_slice(&(body.len() as u32).to_le_bytes());
    out.append(&mut body);
}

impl Process {
    /// The process as a core would give it.
    pub fn image(&self) -> ProcessImage {
        let (module, stack) = (self.module.len() as u64, self.stack.len() as u64);
        let bytes = [&self.module[..], &self.stack].concat();
        let segment = |start: u64, offset: u64, size: u64, is_code: bool, is_executable: bool| Segment {
            start,
            size,
            offset,
            file_size: size,
            is_readable: true,
            is_writable: !is_code,
            is_executable,
        };
        let segments = vec![
            segment(MODULE, 0, module, true, self.is_module_executable),
            segment(STACK, module, stack, false, self.is_stack_executable),
        ];
        ProcessImage {
            is_64_bit: true,
            is_little_endian: true,
            registers: self.threads.iter().map(registers).collect(),
            memory: Memory::new(bytes.into(), segments),
            auxv: vec![(33, MODULE), (6, 4096)],
            mappings: Vec::new(),
            producer: CoreProducer::Kernel,
            missing_bytes: 0,
        }
    }
}

fn registers(words: &[u64; 17]) -> Registers {
    let mut general = [0; 32];
    general[..16].copy_from_slice(&words[1..]);
    general[16] = words[0];
    Registers { pc: words[0], sp: general[RSP], general, thread_pointer: None, syscall_register: None }
}
