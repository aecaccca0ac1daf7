//! Sections of a file without section headers (sstrip, some vdsos, packed files): what the program headers
//! still say of unwind tables and dynamic symbols.

use super::elf_file::{ElfFile, SectionHeader};
use super::headers::{PT_DYNAMIC, PT_GNU_EH_FRAME};

const SHT_PROGBITS: u32 = 1;
const SHT_STRTAB: u32 = 3;
const SHT_DYNSYM: u32 = 11;
const DT_NULL: u64 = 0;
const DT_HASH: u64 = 4;
const DT_STRTAB: u64 = 5;
const DT_SYMTAB: u64 = 6;
const DT_STRSZ: u64 = 10;
const DT_GNU_HASH: u64 = 0x6fff_fef5;

/// The sections as far as they can be told: `.dynstr`, `.dynsym`, `.eh_frame_hdr`, `.eh_frame`.
pub fn sections(file: &ElfFile) -> Vec<SectionHeader> {
    let mut sections = dynamic_symbols(file).unwrap_or_default();
    sections.extend(unwind_tables(file).into_iter().flatten());
    sections
}

/// `.eh_frame_hdr` is a program header of its own, and its second word points to `.eh_frame`.
fn unwind_tables(file: &ElfFile) -> Option<[SectionHeader; 2]> {
    let table = file.headers.first(PT_GNU_EH_FRAME)?;
    let bytes = file.at(table.offset, table.file_size)?;
    let bases = gimli::BaseAddresses::default().set_eh_frame_hdr(table.address);
    let header = gimli::EhFrameHdr::new(bytes, file.endian());
    let word = file.headers.numbers.word_size() as u8;
    let gimli::Pointer::Direct(address) = header.parse(&bases, word).ok()?.eh_frame_ptr() else {
        return None;
    };
    let (offset, size) = file.place_of(address)?;
    Some([
        SectionHeader::described(
            ".eh_frame_hdr",
            SHT_PROGBITS,
            table.address,
            table.offset,
            table.file_size,
            0,
        ),
        SectionHeader::described(".eh_frame", SHT_PROGBITS, address, offset, size, 0),
    ])
}

/// The dynamic section says where the symbols are; how many there are only a hash table says.
fn dynamic_symbols(file: &ElfFile) -> Option<Vec<SectionHeader>> {
    let n = file.headers.numbers;
    let dynamic = file.headers.first(PT_DYNAMIC)?;
    let entries = file.at(dynamic.offset, dynamic.file_size)?;
    let value = |tag: u64| {
        entries
            .chunks_exact(2 * n.word_size())
            .map_while(|e| Some((n.word(e, 0)?, n.word(e, n.word_size())?)))
            .take_while(|(t, _)| *t != DT_NULL)
            .find(|(t, _)| *t == tag)
            .map(|(_, value)| value)
    };
    let (symbols, strings) = (value(DT_SYMTAB)?, value(DT_STRTAB)?);
    let count = value(DT_HASH)
        .and_then(|at| Some(n.u32(file.bytes_at_address(at)?, 4)?.into()))
        .or_else(|| gnu_hash_count(file, value(DT_GNU_HASH)?))?;
    let (symbols_at, room) = file.place_of(symbols)?;
    let entry = if n.is_64 { 24 } else { 16 };
    let size = u64::min(count, room / entry) * entry;
    let (strings_at, room) = file.place_of(strings)?;
    let strings_size = value(DT_STRSZ)?.min(room);
    Some(vec![
        SectionHeader::described(".dynstr", SHT_STRTAB, strings, strings_at, strings_size, 0),
        SectionHeader::described(".dynsym", SHT_DYNSYM, symbols, symbols_at, size, 0),
    ])
}

/// `nbuckets, symoffset, bloom_size, bloom_shift` (u32 each), the bloom words, the buckets, the chains;
/// the last symbol is the end of the chain that begins last, marked by an odd hash.
fn gnu_hash_count(file: &ElfFile, address: u64) -> Option<u64> {
    let n = file.headers.numbers;
    let table = file.bytes_at_address(address)?;
    let (buckets, first, bloom) = (n.u32(table, 0)?, n.u32(table, 4)?, n.u32(table, 8)?);
    let buckets_at = usize::try_from(bloom).ok()?.checked_mul(n.word_size())?.checked_add(16)?;
    let buckets = table.get(buckets_at..)?.get(..usize::try_from(buckets).ok()?.checked_mul(4)?)?;
    let last_chain = buckets.chunks_exact(4).filter_map(|b| n.u32(b, 0)).max()?;
    let Some(into_chains) = last_chain.checked_sub(first) else { return Some(first.into()) };
    let chains =
        table.get(buckets_at + buckets.len()..)?.get(usize::try_from(into_chains).ok()?.checked_mul(4)?..)?;
    let length = chains.chunks_exact(4).position(|hash| n.u32(hash, 0).is_some_and(|h| h & 1 == 1))?;
    u64::from(last_chain).checked_add(length as u64 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_in_a_file_without_section_headers_what_the_headers_say() {
        let path = std::env::current_exe().unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        let whole = ElfFile::new("whole".into(), bytes.clone().into()).unwrap();
        bytes[40..48].fill(0); // e_shoff
        bytes[60..64].fill(0); // e_shnum, e_shstrndx
        let bare = ElfFile::new("bare".into(), bytes.into()).unwrap();
        for name in [".eh_frame_hdr", ".dynstr", ".dynsym"] {
            let (a, b) = (whole.section(name).unwrap(), bare.section(name).unwrap());
            assert_eq!(a.address, b.address, "{name}");
            assert_eq!(a.bytes.len(), b.bytes.len(), "{name}");
        }
        let (a, b) = (whole.section(".eh_frame").unwrap(), bare.section(".eh_frame").unwrap());
        assert_eq!(a.address, b.address);
        assert!(b.bytes.starts_with(&a.bytes));
    }
}
