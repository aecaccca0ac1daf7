//! The pc of a frame, and what gdb prints behind it.
//!
//! ```text
//! #2  0x00007f716583f482 in lll_mutex_lock_optimized (mutex=0x558efcd69060 <m>) at ./nptl/pthread_mutex_lock.c:48
//! #2  0x0000fffff7e50a54 [PAC] in lll_mutex_lock_optimized (mutex=0x420040 <m>) at ./nptl/pthread_mutex_lock.c:48
//! ```
//!
//! Source: gdb 9 to 16 stack.c `print_pc`, `gdbarch_get_pc_address_flags`: on AArch64 `PAC`, a return address that was signed.

use super::header::parse_hex;

/// More digits no address has.
const MOST_DIGITS: usize = 16;
/// Longer than any list of flags.
const LONGEST_FLAGS: usize = 64;

/// Reads `0x0000fffff7e50a54 [PAC] in `: the pc, and the index of what stands behind.
pub(super) fn read(line: &[u8]) -> Option<(u64, usize)> {
    let digits = line.strip_prefix(b"0x")?;
    let length = digits.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    let pc = parse_hex(digits.get(..length).filter(|_| length <= MOST_DIGITS)?)?;
    let behind = digits.get(length..)?;
    let name = behind.get(flags(behind)..)?.strip_prefix(b" in ")?;
    Some((pc, line.len() - name.len()))
}

/// How long ` [PAC]` is.
fn flags(behind: &[u8]) -> usize {
    let Some(inside) = behind.strip_prefix(b" [") else { return 0 };
    let close = memchr::memchr(b']', inside.get(..inside.len().min(LONGEST_FLAGS)).unwrap_or_default());
    close.map_or(0, |close| 2 + close + 1)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn flags_are_no_part_of_the_name() {
        for (line, name) in [
            ("0x00007f71 in f ()", Some("f ()")),
            ("0x0000fffff7e50a54 [PAC] in f (a=1)", Some("f (a=1)")),
            ("0x0000fffff7e50a54 [PAC,MTE] in ?? ()", Some("?? ()")),
            ("0x00007f71 in -[Log write] (self=0x1)", Some("-[Log write] (self=0x1)")),
            ("0x0000fffff7e50a54 [PAC", None),
            ("0x00007f71f in", None),
            ("f (a=0x1) in g", None),
            ("0x12345678123456789 in f ()", None),
        ] {
            let found = read(line.as_bytes()).map(|(_, at)| &line[at..]);
            assert_eq!(found, name, "{line}");
        }
    }
}
