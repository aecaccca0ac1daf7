//! Process images for the tests of modules and symbols: of a core that the kernel wrote, or of this
//! process as `/proc` shows it. Programs are compiled where a compiler is there; without one the tests
//! say that they were skipped.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bytes::Bytes;
use logjam::model::{CoreProducer, FileMapping, Memory, ProcessImage, Registers, Segment};
use object::read::elf::{FileHeader, ProgramHeader};
use object::{Endianness, elf};

/// The content of a core, read with the `object` crate: an oracle for the program's own reader.
pub fn image_of_core(path: &Path) -> ProcessImage {
    let data = std::fs::read(path).unwrap();
    match data[4] {
        2 => image_of::<elf::FileHeader64<Endianness>>(&data),
        _ => image_of::<elf::FileHeader32<Endianness>>(&data),
    }
}

fn image_of<Elf: FileHeader<Endian = Endianness>>(data: &[u8]) -> ProcessImage {
    let header = Elf::parse(data).unwrap();
    let e = header.endian().unwrap();
    let is_64 = header.is_class_64();
    let word = |b: &[u8]| {
        if is_64 {
            u64::from_le_bytes(b[..8].try_into().unwrap())
        } else {
            u32::from_le_bytes(b[..4].try_into().unwrap()).into()
        }
    };
    let size = if is_64 { 8 } else { 4 };
    let mut image = empty_image(is_64);
    let mut segments = Vec::new();
    for p in header.program_headers(e, data).unwrap() {
        if p.p_type(e) == elf::PT_LOAD {
            segments.push(Segment {
                start: p.p_vaddr(e).into(),
                size: p.p_memsz(e).into(),
                offset: p.p_offset(e).into(),
                file_size: p.p_filesz(e).into(),
                is_readable: p.p_flags(e).0 & 4 != 0,
                is_writable: p.p_flags(e).0 & 2 != 0,
                is_executable: p.p_flags(e).0 & 1 != 0,
            });
        }
        let Some(mut notes) = p.notes(e, data).unwrap() else { continue };
        while let Ok(Some(note)) = notes.next() {
            let desc = note.desc();
            match note.n_type(e).0 {
                6 => {
                    for pair in desc.chunks_exact(2 * size) {
                        image.auxv.push((word(pair), word(&pair[size..])));
                    }
                }
                0x4649_4c45 => image.mappings = nt_file(desc, size, word),
                1 if is_64 => image.registers.push(registers(desc)),
                _ => {}
            }
        }
    }
    image.memory = Memory::new(Bytes::copy_from_slice(data), segments);
    image
}

fn nt_file(desc: &[u8], size: usize, word: impl Fn(&[u8]) -> u64) -> Vec<FileMapping> {
    let (count, page) = (word(desc) as usize, word(&desc[size..]));
    let table = &desc[2 * size..];
    let mut names = table[count * 3 * size..].split(|&b| b == 0);
    table
        .chunks_exact(3 * size)
        .take(count)
        .map(|entry| FileMapping {
            start: word(entry),
            end: word(&entry[size..]),
            file_offset: word(&entry[2 * size..]) * page,
            path: String::from_utf8_lossy(names.next().unwrap()).into(),
        })
        .collect()
}

/// pc, sp and frame pointer of an x86-64 thread.
fn registers(desc: &[u8]) -> Registers {
    let at = |n: usize| u64::from_le_bytes(desc[112 + 8 * n..][..8].try_into().unwrap());
    let mut general = [0; 32];
    general[6] = at(4);
    Registers { pc: at(16), sp: at(19), general, thread_pointer: None, syscall_register: None }
}

pub fn empty_image(is_64_bit: bool) -> ProcessImage {
    ProcessImage {
        is_64_bit,
        is_little_endian: true,
        registers: Vec::new(),
        memory: Memory::default(),
        auxv: Vec::new(),
        mappings: Vec::new(),
        producer: CoreProducer::Kernel,
        missing_bytes: 0,
    }
}

/// This process, with what the kernel would dump of its files: the first page of each ELF file.
pub fn image_of_this_process() -> ProcessImage {
    use std::os::unix::fs::FileExt;
    let mut image = empty_image(true);
    let memory = std::fs::File::open("/proc/self/mem").unwrap();
    let mut data = Vec::new();
    let mut segments = Vec::new();
    for line in std::fs::read_to_string("/proc/self/maps").unwrap().lines() {
        let mut fields = line.split_ascii_whitespace();
        let (start, end) = fields.next().unwrap().split_once('-').unwrap();
        let number = |hex: &str| u64::from_str_radix(hex, 16).unwrap();
        let (start, end) = (number(start), number(end));
        let flags = fields.next().unwrap();
        let file_offset = number(fields.next().unwrap());
        let path = fields.nth(2).unwrap_or_default();
        let is_file = path.starts_with('/');
        let mut bytes =
            vec![0; (end - start).min(if is_file && !flags.contains('w') { 4096 } else { 1 << 20 }) as usize];
        let wanted = !is_file || flags.contains('w') || file_offset == 0;
        let file_size = match wanted && flags.contains('r') && memory.read_at(&mut bytes, start).is_ok() {
            true => bytes.len() as u64,
            false => 0,
        };
        segments.push(Segment {
            start,
            size: end - start,
            offset: data.len() as u64,
            file_size,
            is_readable: flags.contains('r'),
            is_writable: flags.contains('w'),
            is_executable: flags.contains('x'),
        });
        data.extend_from_slice(&bytes[..file_size as usize]);
        if is_file {
            image.mappings.push(FileMapping { start, end, file_offset, path: path.into() });
        }
    }
    let auxv = std::fs::read("/proc/self/auxv").unwrap();
    for pair in auxv.chunks_exact(16) {
        let word = |at: usize| u64::from_le_bytes(pair[at..at + 8].try_into().unwrap());
        image.auxv.push((word(0), word(8)));
    }
    image.memory = Memory::new(data.into(), segments);
    image
}

/// Compiles `source` to `dir/name`. `None` (and a message) where there is no compiler.
pub fn compile(compiler: &str, dir: &Path, name: &str, source: &str, flags: &[&str]) -> Option<PathBuf> {
    let extension = match compiler {
        "g++" => "cc",
        "rustc" => "rs",
        _ => "c",
    };
    let source_file = format!("{name}.{extension}");
    std::fs::write(dir.join(&source_file), source).unwrap();
    let out = Command::new(compiler)
        .current_dir(dir)
        .args([&source_file, "-o", name])
        .args(flags)
        .stdout(Stdio::null())
        .output();
    match out {
        Ok(out) if out.status.success() => Some(dir.join(name)),
        Ok(out) => skipped(&format!("{compiler}: {}", String::from_utf8_lossy(&out.stderr))),
        Err(error) => skipped(&format!("{compiler}: {error}")),
    }
}

/// Runs a program that dies, and gives the core that it leaves in its folder.
pub fn core_of(program: &Path) -> Option<PathBuf> {
    let dir = program.parent().unwrap();
    let script = format!("ulimit -c unlimited; exec ./{}", program.file_name().unwrap().to_str().unwrap());
    let status = Command::new("sh")
        .args(["-c", &script])
        .current_dir(dir)
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .status();
    if let Err(error) = status {
        return skipped(&format!("sh: {error}"));
    }
    let found = std::fs::read_dir(dir)
        .unwrap()
        .flatten()
        .map(|e| e.path())
        .find(|p| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with("core")));
    found.or_else(|| skipped("no core file (see /proc/sys/kernel/core_pattern)"))
}

/// Runs a tool; `None` (and a message) where it is not there or fails.
pub fn run(program: &str, dir: &Path, args: &[&str]) -> Option<String> {
    match Command::new(program).current_dir(dir).args(args).output() {
        Ok(out) if out.status.success() => Some(String::from_utf8_lossy(&out.stdout).into_owned()),
        Ok(out) => skipped(&format!("{program}: {}", String::from_utf8_lossy(&out.stderr))),
        Err(error) => skipped(&format!("{program}: {error}")),
    }
}

pub fn skipped<T>(why: &str) -> Option<T> {
    println!("SKIPPED: {why}");
    None
}
