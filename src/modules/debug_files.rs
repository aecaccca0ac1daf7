//! Separate debug files: by build id, by `.gnu_debuglink`, from debuginfod's cache; the xz-packed
//! symbols inside a stripped file (MiniDebugInfo); the shared supplement that dwz splits off.

use std::path::Path;

use super::elf_file::ElfFile;
use super::identify;
use super::open::{open_any_elf, open_elf};
use super::search::SearchPaths;
use super::unpack::{Packing, unpack};

/// The debug file of a module, verified by build id, or by CRC where one side has none.
pub fn find(
    search: &SearchPaths,
    path: &str,
    file: Option<&ElfFile>,
    build_id: Option<&[u8]>,
) -> Option<ElfFile> {
    if file.is_some_and(|f| f.has_section(".debug_info")) {
        return None;
    }
    let verified =
        |candidate: &ElfFile| build_id.is_some() && identify::of_file(candidate).as_deref() == build_id;
    let open = |path: &Path| open_elf(path).filter(has_symbols);
    if let Some(id) = build_id {
        let found = search.debug_files_by_id(id).iter().find_map(|p| open(p).filter(&verified));
        if found.is_some() {
            return found;
        }
    }
    let linked = file.and_then(|f| by_link(search, path, f, build_id, open));
    linked
        .or_else(|| search.debuginfod(build_id?, "debuginfo").iter().find_map(|p| open(p).filter(&verified)))
}

/// `.gnu_debuglink`: a file name, NUL, padding to 4, the CRC-32 of the debug file.
fn by_link(
    search: &SearchPaths,
    path: &str,
    file: &ElfFile,
    build_id: Option<&[u8]>,
    open: impl Fn(&Path) -> Option<ElfFile>,
) -> Option<ElfFile> {
    let link = file.section_bytes(".gnu_debuglink");
    let end = memchr::memchr(0, link)?;
    let name = std::str::from_utf8(&link[..end]).ok()?;
    let crc = file.headers.numbers.u32(link, (end + 1).checked_next_multiple_of(4)?)?;
    search.debug_files_by_name(Path::new(path), Path::new(&*file.path), name).iter().find_map(|place| {
        let candidate = open(place)?;
        let is_right = match (build_id, identify::of_file(&candidate)) {
            (Some(a), Some(b)) => *a == *b,
            _ => crc_of(&candidate.bytes) == crc,
        };
        is_right.then_some(candidate)
    })
}

fn crc_of(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn has_symbols(file: &ElfFile) -> bool {
    file.has_section(".debug_info") || file.has_section(".symtab")
}

/// MiniDebugInfo: `.gnu_debugdata` is an xz-packed ELF file with a `.symtab` of the local functions.
pub fn mini(file: &ElfFile) -> Option<ElfFile> {
    let packed = file.section(".gnu_debugdata")?;
    let bytes = unpack(Packing::Xz, &packed.bytes, None)?;
    ElfFile::new(format!("{} .gnu_debugdata", file.path).into(), bytes)
}

/// The supplement of dwz: `.gnu_debugaltlink` is a path, NUL, and the build id of that file.
pub fn supplement(search: &SearchPaths, file: &ElfFile) -> Option<ElfFile> {
    let link = file.section_bytes(".gnu_debugaltlink");
    let end = memchr::memchr(0, link)?;
    let name = std::str::from_utf8(&link[..end]).ok()?;
    let id = link.get(end + 1..).filter(|id| !id.is_empty())?;
    let open = |path: &Path| open_any_elf(path).filter(|f| identify::of_file(f).as_deref() == Some(id));
    let mut places = Vec::new();
    if Path::new(name).is_absolute() {
        places.extend(search.on_target(Path::new(name)));
    } else if let Some(dir) = Path::new(&*file.path).parent() {
        // `../../.dwz/x86_64-linux-gnu/libfoo.debug`, relative to the debug file.
        places.extend(search.relative_to(dir, Path::new(name)));
    }
    places.extend(search.debug_files_by_id(id));
    places.extend(search.debuginfod(id, "debuginfo"));
    places.iter().find_map(|p| open(p))
}
