//! Loops that gcc 12 made of small C functions (bytes from `objdump -d`), and glibc's spin lock.

use super::*;
use crate::arch::tests::Code as Memory;

const BASE: u64 = 0x1000;
const LOCK: u64 = 0x5000_0040;
const STACK: u64 = 0x7fff_0100;

fn bytes(hex: &str) -> Vec<u8> {
    hex.split_ascii_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

/// rdi, rsi, rbx, rcx and rdx hold the lock's address, rbp and rsp point to the stack. Memory below
/// rbp holds the lock's address in every slot.
fn registers(dwarf: u16) -> Option<u64> {
    match dwarf {
        1..=5 => Some(LOCK),
        6 | 7 => Some(STACK),
        _ => None,
    }
}

fn memory() -> Memory {
    Memory(STACK - 0x40, LOCK.to_le_bytes().repeat(16))
}

fn spin(code: &str, pc: u64) -> Option<SpinLoop> {
    spin_operand(&bytes(code), BASE, BASE + pc, &registers, &memory())
}

/// What it says at every instruction of a range.
fn everywhere(code: &str, range: &[u64]) -> SpinLoop {
    let found: Vec<_> = range.iter().map(|&pc| spin(code, pc)).collect();
    assert!(found.windows(2).all(|w| w[0].map(|s| s.word) == w[1].map(|s| s.word)), "{found:x?}");
    found[0].unwrap()
}

/// `lock decl (%rdi); jne 2f; xor; ret; 2: pause; cmpl $0,(%rdi); jg 1b; jmp 2b`.
const GLIBC_SPIN_LOCK: &str = "f0 ff 0f 75 0b 31 c0 c3 0f 1f 84 00 00 00 00 00 f3 90 83 3f 00 7f e9 eb f7";

#[test]
fn spin_lock_of_glibc() {
    let found = everywhere(GLIBC_SPIN_LOCK, &[0, 3, 0x10, 0x12, 0x15, 0x17]);
    assert_eq!(found, SpinLoop { word: LOCK, is_atomic: true, has_pause: true, has_call: false });
    assert!(spin(GLIBC_SPIN_LOCK, 0x12).unwrap().is_atomic);
}

#[test]
fn compare_and_exchange_of_a_global() {
    let optimized = "31 c0 ba 01 00 00 00 f0 0f b1 15 00 10 00 00 75 01 c3 31 c9 f3 90 89 c8 \
                     f0 0f b1 15 00 20 00 00 75 f2 c3";
    let found = everywhere(optimized, &[0x14, 0x16, 0x18, 0x20]);
    assert_eq!(
        found,
        SpinLoop { word: BASE + 0x20 + 0x2000, is_atomic: true, has_pause: true, has_call: false }
    );
    // Without optimization the address goes through the stack, and the result through `sete`.
    let plain = "55 48 89 e5 c7 45 f4 00 00 00 00 eb 09 c7 45 f4 00 00 00 00 f3 90 48 8d 05 00 20 00 00 \
                 48 89 45 f8 c7 45 f0 01 00 00 00 8b 45 f0 89 c1 48 8b 75 f8 48 8d 55 f4 8b 02 f0 0f b1 0e \
                 89 c1 0f 94 c0 84 c0 75 02 89 0a 83 f0 01 84 c0 75 c0 90 90 5d c3";
    let found = everywhere(plain, &[0x14, 0x16, 0x28, 0x37, 0x3d, 0x4b]);
    assert_eq!((found.word, found.is_atomic), (BASE + 0x1d + 0x2000, true));
}

#[test]
fn test_and_test_and_set() {
    let optimized = "ba 01 00 00 00 0f 1f 00 89 d0 87 07 85 c0 74 10 8b 07 85 c0 74 f2 f3 90 eb f6 c3";
    let found = everywhere(optimized, &[8, 0xa, 0xc, 0xe, 0x10, 0x12, 0x14, 0x16, 0x18]);
    assert_eq!((found.word, found.is_atomic), (LOCK, true));
    let plain = "55 48 89 e5 48 89 7d d8 eb 1a f3 90 48 8b 45 d8 48 89 45 f0 48 8b 45 f0 8b 00 89 45 ec \
                 8b 45 ec 85 c0 75 e6 48 8b 45 d8 48 89 45 f8 c7 45 e8 01 00 00 00 8b 45 e8 89 c2 48 8b 45 f8 \
                 87 10 89 d0 89 45 e4 8b 45 e4 85 c0 75 c2 90 90 5d c3";
    let found = everywhere(plain, &[0xc, 0xa, 0x18, 0x20, 0x22, 0x38, 0x3c, 0x48]);
    assert_eq!((found.word, found.is_atomic, found.has_pause), (LOCK, true, true));
    // A flag's exchange of one byte.
    assert_eq!(spin("ba 01 00 00 00 0f 1f 00 89 d0 86 07 84 c0 75 f8 c3", 0xa).unwrap().word, LOCK);
}

#[test]
fn plain_loads_of_a_flag_and_of_a_ticket() {
    let flag = everywhere("8b 07 85 c0 74 fa c3", &[0, 2, 4]);
    assert_eq!(flag, SpinLoop { word: LOCK, is_atomic: false, has_pause: false, has_call: false });
    let global = "eb 02 f3 90 48 8d 05 00 20 00 00 8b 00 85 c0 74 f1 90 90 5d c3";
    assert_eq!(everywhere(global, &[2, 4, 0xb, 0xd, 0xf]).word, BASE + 0xb + 0x2000);
    let ticket = "ba 01 00 00 00 f0 0f c1 17 eb 07 0f 1f 44 00 00 f3 90 8b 06 39 c2 75 f8 c3";
    assert_eq!(everywhere(ticket, &[0x10, 0x12, 0x14, 0x16]).word, LOCK);
}

/// The program counter is the return address of `sched_yield`, and only what a function preserves
/// is known.
#[test]
fn loop_that_yields() {
    let code =
        bytes("55 bd 01 00 00 00 53 48 89 fb 48 83 ec 08 eb 05 e8 00 00 00 00 89 e8 87 03 85 c0 75 f3 c3");
    let preserved = |dwarf| matches!(dwarf, 3 | 6 | 7 | 12..=15).then(|| registers(dwarf)).flatten();
    let found = spin_operand(&code, BASE, BASE + 0x15, &preserved, &memory()).unwrap();
    assert_eq!(found, SpinLoop { word: LOCK, is_atomic: true, has_pause: false, has_call: true });
    let plain = "55 48 89 e5 48 83 ec 20 48 89 7d e8 eb 05 e8 00 00 00 00 48 8b 45 e8 48 89 45 f8 \
                 c7 45 f4 01 00 00 00 8b 45 f4 89 c2 48 8b 45 f8 87 10 89 d0 89 45 f0 8b 45 f0 85 c0 75 d5";
    assert_eq!(everywhere(plain, &[0xe, 0x13, 0x2b]).word, LOCK);
    // The address is in a register that the call changes.
    assert_eq!(spin("e8 00 00 00 00 8b 07 85 c0 74 f5", 5), None);
}

/// Loops that work: over a string, along a list, up to a limit, adding to a shared counter.
#[test]
fn working_loops_do_not_spin() {
    for (code, range) in [
        ("8d 50 01 80 3c 17 00 48 89 d0 75 f4 c3", &[0, 3, 7, 0xa][..]),
        ("48 8b 40 08 39 30 75 f8 c3", &[0, 4, 6]),
        ("8b 54 24 fc 83 c0 01 39 c2 7f f5 c3", &[0, 4, 7, 9]),
        ("f0 83 07 01 83 c0 01 39 c6 75 f5 c3", &[0, 4, 7, 9]),
        ("48 8b 45 f8 48 8b 40 08 48 89 45 f8 48 8b 45 f8 8b 00 39 45 f4 75 e9", &[0, 8, 0x10, 0x15]),
        ("83 45 fc 01 8b 55 fc 48 8b 45 e8 48 01 d0 0f b6 00 84 c0 75 eb", &[0, 0xe, 0x13]),
        ("48 8b 45 e8 f0 83 00 01 83 45 fc 01 8b 45 fc 3b 45 e4 7c ec", &[0, 4, 0x12]),
        // Two words decide.
        ("83 3f 00 74 06 83 7e 08 00 75 f5 c3", &[0, 5]),
    ] {
        for &pc in range {
            assert_eq!(spin(code, pc), None, "{code} at {pc:#x}");
        }
    }
}

#[test]
fn no_loop_and_no_code_is_no_spin() {
    assert_eq!(spin("", 0), None);
    assert_eq!(spin("8b 07 85 c0 c3", 0), None);
    // Not at the beginning of an instruction.
    assert_eq!(spin(GLIBC_SPIN_LOCK, 0x13), None);
    // The code around is not known as far as the beginning of the loop.
    assert_eq!(spin_operand(&bytes("85 c0 74 fa"), BASE + 2, BASE + 2, &registers, &memory()), None);
    assert_eq!(
        spin_operand(&bytes("8b 07 85 c0 74 fa"), u64::MAX - 2, u64::MAX - 2, &registers, &memory()),
        None
    );
    // A word of the thread's own storage.
    assert_eq!(spin("64 8b 07 85 c0 74 f9", 0), None);
    // Registers that are not known.
    assert_eq!(spin_operand(&bytes("8b 07 85 c0 74 fa"), BASE, BASE, &|_| None, &memory()), None);
}
