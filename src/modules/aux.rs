//! The executable and the dynamic linker from the auxiliary vector, for dumps without `NT_FILE`
//! (65,536 mappings and more: the kernel leaves the note out).

use super::headers::{ET_EXEC, Headers, Numbers, PT_INTERP, PT_PHDR, ProgramHeader, program_headers};
use super::identify;
use super::known::KnownModule;
use crate::model::{AuxKey, Memory, ProcessImage, Str};

/// `AT_PHENT`.
const AT_PHENT: u64 = 4;
/// `AT_ENTRY`.
const AT_ENTRY: u64 = 9;
/// Linux' `PATH_MAX`.
const MAX_PATH: usize = 4096;

/// The program headers of the executable as they lie in memory, and its bias.
pub fn executable_headers(image: &ProcessImage) -> Option<(Vec<ProgramHeader>, u64)> {
    let at = image.aux(AuxKey::Phdr)?;
    let n = numbers(image);
    let entry_size = aux_value(image, AT_PHENT).unwrap_or(if n.is_64 { 56 } else { 32 });
    let count = u16::try_from(image.aux(AuxKey::Phnum)?).ok()?;
    let headers = program_headers(n, u16::try_from(entry_size).ok()?, count, |offset, length| {
        image.memory.slice(at.checked_add(offset)?, length)
    })?;
    let bias = bias(image, at, &headers)?;
    Some((headers, bias))
}

/// `AT_PHDR − p_vaddr(PT_PHDR)`. Static executables have no `PT_PHDR`: then it follows from the
/// segment that covers `e_phoff`, which is the size of the ELF header.
fn bias(image: &ProcessImage, at: u64, headers: &[ProgramHeader]) -> Option<u64> {
    if let Some(own) = headers.iter().find(|p| p.kind == PT_PHDR) {
        return Some(at.wrapping_sub(own.address));
    }
    let e_phoff = if image.is_64_bit { 64 } else { 52 };
    let load = headers.iter().find(|p| {
        p.kind == super::headers::PT_LOAD
            && (p.offset..p.offset.saturating_add(p.file_size)).contains(&e_phoff)
    })?;
    Some(at.wrapping_sub(load.address.wrapping_sub(load.offset).wrapping_add(e_phoff)))
}

/// The executable, from its program headers.
pub fn executable(image: &ProcessImage) -> Option<KnownModule> {
    let (programs, bias) = executable_headers(image)?;
    let path = image.aux(AuxKey::ExecFn).and_then(|at| string_at(&image.memory, at)).unwrap_or_default();
    let start = header_address(&programs, bias)?;
    let module = KnownModule { path, is_executable: true, ..Default::default() };
    let mut module = module.identified(identify::from_memory(&image.memory, start));
    if module.headers.is_none() {
        module.headers = Some(headers_without_file(image, programs));
        module.bias = Some(bias);
    }
    module.entry = aux_value(image, AT_ENTRY);
    Some(module)
}

/// Where the ELF header lies: at the beginning of the segment with file offset 0.
fn header_address(programs: &[ProgramHeader], bias: u64) -> Option<u64> {
    let load = programs.iter().find(|p| p.kind == super::headers::PT_LOAD && p.offset < 0x1000)?;
    Some(bias.wrapping_add(load.address.wrapping_sub(load.offset)))
}

/// Headers of which only the program headers are in the dump.
fn headers_without_file(image: &ProcessImage, programs: Vec<ProgramHeader>) -> Headers {
    let n = numbers(image);
    let is_fixed =
        programs.iter().any(|p| p.kind == super::headers::PT_LOAD && p.address >= 0x10000 && p.offset == 0);
    Headers {
        numbers: n,
        kind: if is_fixed { ET_EXEC } else { 3 },
        machine: 0,
        entry: 0,
        program_offset: if n.is_64 { 64 } else { 52 },
        programs,
        sections: (0, 0, 0),
    }
}

/// The dynamic linker at `AT_BASE`, named by the executable's `PT_INTERP`.
pub fn dynamic_linker(image: &ProcessImage) -> Option<KnownModule> {
    let base = image.aux(AuxKey::Base).filter(|&b| b != 0)?;
    let (programs, bias) = executable_headers(image)?;
    let interp = programs.iter().find(|p| p.kind == PT_INTERP)?;
    let path = string_at(&image.memory, bias.wrapping_add(interp.address)).unwrap_or_default();
    let module = KnownModule { path, ..Default::default() };
    Some(module.identified(identify::from_memory(&image.memory, base))).filter(|m| m.headers.is_some())
}

/// `AT_ENTRY`.
pub fn entry(image: &ProcessImage) -> Option<u64> {
    aux_value(image, AT_ENTRY)
}

/// The size of a page; 4096 where the dump does not say.
pub fn page_size(image: &ProcessImage) -> u64 {
    image
        .aux(AuxKey::PageSize)
        .filter(|p| p.is_power_of_two() && (0x1000..=0x10000).contains(p))
        .unwrap_or(0x1000)
}

/// Class and byte order of the process.
pub fn numbers(image: &ProcessImage) -> Numbers {
    Numbers { is_64: image.is_64_bit, is_little: image.is_little_endian }
}

/// A NUL-terminated string in memory that is UTF-8.
pub fn string_at(memory: &Memory, address: u64) -> Option<Str> {
    let bytes = memory.bytes_from(address)?;
    let bytes = &bytes[..bytes.len().min(MAX_PATH)];
    let end = memchr::memchr(0, bytes)?;
    Some(String::from_utf8_lossy(&bytes[..end]).into())
}

fn aux_value(image: &ProcessImage, key: u64) -> Option<u64> {
    image.auxv.iter().find(|(k, _)| *k == key).map(|(_, v)| *v)
}
