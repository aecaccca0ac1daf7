//! The vdso: code of the kernel in every process. The kernel dumps it whole, with symbols and unwind
//! tables, and no file has it.

use bytes::Bytes;

use super::elf_file::ElfFile;
use super::module::LazyFiles;
use super::{Module, ModuleMatch, identify};
use crate::model::{AuxKey, ProcessImage};

/// It has two pages on x86-64; aarch64 and future ones are not much larger.
const MAX_VDSO: usize = 1 << 20;

/// The module at `AT_SYSINFO_EHDR`, parsed from memory.
pub fn module(image: &ProcessImage) -> Option<Module> {
    let start = image.aux(AuxKey::Vdso)?;
    let bytes = image.memory.bytes_from(start)?;
    let bytes = Bytes::copy_from_slice(&bytes[..bytes.len().min(MAX_VDSO)]);
    let file = ElfFile::new("[vdso]".into(), bytes)?;
    let identity = identify::from_memory(&image.memory, start)?;
    Some(Module {
        name: "[vdso]".into(),
        path: "[vdso]".into(),
        base: start,
        end: start,
        bias: identity.bias,
        build_id: identity.build_id,
        matched: ModuleMatch::Verified,
        file: Some(file),
        debug_file: None,
        is_executable: false,
        lazy: LazyFiles::default(),
    })
}
