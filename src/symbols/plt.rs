//! Names of PLT stubs, which no symbol covers: `write@plt`.
//!
//! A stub jumps through its slot in the GOT, and the relocation of that slot names the function:
//!
//! ```text
//! x86-64   [f3 0f 1e fa endbr64]  [f2] ff 25 ca 2f 00 00   jmp *0x2fca(%rip)
//! aarch64  adrp x16, page; ldr x17, [x16, #offset]; …
//! ```

use super::table::symbol_at;
use crate::modules::ElfFile;

/// Sections with stubs.
const STUBS: [&str; 3] = [".plt.sec", ".plt", ".plt.got"];
/// Every stub of the two architectures has this size.
const STUB: u64 = 16;
const EM_X86_64: u16 = 62;
const EM_AARCH64: u16 = 183;
const SHT_RELA: u32 = 4;

/// The function that the stub at this address (svma) calls, raw.
pub fn called(file: &ElfFile, svma: u64) -> Option<&str> {
    let stubs = file
        .section_headers()
        .iter()
        .find(|s| s.covers(svma) && STUBS.iter().any(|name| name.as_bytes() == &*s.name))?;
    let start = svma - (svma - stubs.address) % STUB;
    let code = file.bytes_at_address(start)?.get(..STUB as usize)?;
    let slot = match file.headers.machine {
        EM_X86_64 => x86_64_slot(code, start),
        EM_AARCH64 => aarch64_slot(code, start),
        _ => None,
    }?;
    relocated(file, slot)
}

fn x86_64_slot(code: &[u8], start: u64) -> Option<u64> {
    let jump = code.windows(2).position(|w| w == [0xff, 0x25])?;
    let offset = i32::from_le_bytes(code.get(jump + 2..jump + 6)?.try_into().ok()?);
    Some(start.wrapping_add(jump as u64 + 6).wrapping_add_signed(offset.into()))
}

fn aarch64_slot(code: &[u8], start: u64) -> Option<u64> {
    let word = |at: usize| Some(u32::from_le_bytes(code.get(at..at + 4)?.try_into().ok()?));
    let (adrp, ldr) = (word(0)?, word(4)?);
    if adrp & 0x9f00_001f != 0x9000_0010 || ldr & 0xffc0_03ff != 0xf940_0211 {
        return None;
    }
    // 21 bits with a sign: 19 from bit 5 on, the lowest 2 from bit 29 on.
    let pages = i64::from((adrp >> 5 & 0x7_ffff) << 2 | adrp >> 29 & 3) << 43 >> 43;
    let page = (start & !0xfff).wrapping_add_signed(pages << 12);
    Some(page.wrapping_add(u64::from(ldr >> 10 & 0xfff) * 8))
}

/// The symbol of the relocation of this GOT slot: `r_offset u64, r_info u64 (symbol in the high half),
/// r_addend i64`.
fn relocated(file: &ElfFile, slot: u64) -> Option<&str> {
    let n = file.headers.numbers;
    let sections = file.section_headers();
    let tables = sections.iter().enumerate().filter(|(_, s)| s.kind == SHT_RELA);
    tables.into_iter().find_map(|(ix, table)| {
        let mut entries = file.content(ix)?.chunks_exact(24);
        let entry = entries.find(|e| n.u64(e, 0) == Some(slot))?;
        symbol_at(file, table.link as usize, n.u64(entry, 8)? >> 32)?.name()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_slot_of_a_stub() {
        let with_endbr = [0xf3, 0x0f, 0x1e, 0xfa, 0xff, 0x25, 0xca, 0x2f, 0, 0, 0x66, 0x0f, 0x1f, 0x44, 0, 0];
        assert_eq!(x86_64_slot(&with_endbr, 0x1050), Some(0x1050 + 10 + 0x2fca));
        // adrp x16, 0x20000 (from 0x10000); ldr x17, [x16, #24]
        let mut stub = Vec::new();
        for word in [0x9000_0090_u32, 0xf940_0e11, 0x9100_6210, 0xd61f_0220] {
            stub.extend(word.to_le_bytes());
        }
        assert_eq!(aarch64_slot(&stub, 0x10620), Some(0x20018));
    }
}
