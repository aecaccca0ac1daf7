//! Word sizes, byte orders and processors.

use super::encoder::{Core, Target, TestThread, X86_64, auxv, files, prpsinfo, sent, siginfo};
use super::{messages, tids};
use crate::model::{Arch, AuxKey, GapKind, Snapshot};

const fn target(
    machine: u16,
    bits: u8,
    is_big_endian: bool,
    register_bytes: usize,
    alignment: usize,
) -> Target {
    Target { machine, is_64_bit: bits == 64, is_big_endian, register_bytes, alignment }
}

const I386: Target = target(3, 32, false, 17 * 4, 4);
const X32: Target = target(62, 32, false, 27 * 8, 8);
const ARM: Target = target(40, 32, false, 18 * 4, 4);
const AARCH64: Target = target(183, 64, false, 34 * 8, 8);
const RISCV64: Target = target(243, 64, false, 32 * 8, 8);
const PPC64: Target = target(21, 64, true, 48 * 8, 8);
const S390X: Target = target(22, 64, true, 216, 8);
const MIPS32: Target = target(8, 32, true, 45 * 4, 4);

fn core(target: Target, uid_size: usize) -> Core {
    let (first, second) = (TestThread::new(31).cpu(2_000_001, 3), TestThread::new(30).cpu(5_000_000, 0));
    Core::new(target)
        .note("CORE", 1, &first.prstatus(target))
        .note("CORE", 3, &prpsinfo(target, uid_size, 30, "name", "name argument"))
        .note("CORE", 0x5349_4749, &sent(target, 6, -6, 30))
        .note("CORE", 6, &auxv(target, &[(6, 4096), (3, 0x1234_5678)]))
        .note("CORE", 0x4649_4c45, &files(target, 4096, &[(0x1000, 0x3000, 2, "/bin/name")]))
        .note("CORE", 2, &[0; 108])
        .note("CORE", 1, &second.prstatus(target))
        .note("CORE", 2, &[0; 108])
        .segment(0x1000, 0x2000, 5, &[])
        .segment(0x8000, 8, 6, &[1, 0, 0, 0, 0, 0, 0, 0])
}

fn check(snapshot: &Snapshot, arch: Arch) {
    assert_eq!(tids(snapshot), [30, 31], "{arch:?}");
    let times: Vec<_> = snapshot.threads.iter().map(|t| t.cpu_us).collect();
    assert_eq!(times, [Some(2_999_996), Some(2_000_004)], "{arch:?}");
    let process = &snapshot.process;
    assert_eq!((process.arch, process.pid), (Some(arch), Some(30)));
    assert_eq!(process.command_line.as_deref(), Some("name argument"), "{arch:?}");
    let signal = process.signal.as_ref().unwrap();
    assert_eq!((&*signal.name, signal.sender_pid), ("SIGABRT", Some(30)), "{arch:?}");
    assert_eq!(snapshot.threads[signal.thread.unwrap().at()].tid, Some(31), "{arch:?}");
    let image = snapshot.image.as_ref().unwrap();
    assert_eq!(image.aux(AuxKey::Phdr), Some(0x1234_5678), "{arch:?}");
    assert_eq!((image.mappings.len(), image.mappings[0].file_offset), (1, 8192), "{arch:?}");
    assert_eq!(&*image.mappings[0].path, "/bin/name");
}

/// The sizes are those of the kernel's headers.
#[test]
fn notes_of_all_processors_are_read() {
    for (target, uid_size, size, arch) in [
        (X86_64, 4, 336, Arch::X86_64),
        (AARCH64, 4, 392, Arch::Aarch64),
        (I386, 2, 144, Arch::X86),
        (X32, 2, 296, Arch::X32),
        (ARM, 2, 148, Arch::Arm),
        (RISCV64, 4, 376, Arch::RiscV64),
        (PPC64, 4, 504, Arch::PowerPc64),
        (S390X, 4, 336, Arch::S390x),
        (MIPS32, 4, 256, Arch::Other(8)),
    ] {
        assert_eq!(TestThread::new(1).prstatus(target).len(), size, "{arch:?}");
        let snapshot = core(target, uid_size).read();
        check(&snapshot, arch);
        let told = messages(&snapshot, GapKind::Unsupported);
        assert_eq!(told.is_empty(), arch == Arch::X86_64, "{told:?}");
        assert!(told.iter().all(|message| message.contains("no frames")), "{told:?}");
        let image = snapshot.image.unwrap();
        assert_eq!(image.registers.len(), if matches!(arch, Arch::X86_64 | Arch::Aarch64) { 2 } else { 0 });
        assert_eq!(image.memory.u32_at(0x8000), (!target.is_big_endian).then_some(1), "{arch:?}");
    }
}

#[test]
fn thread_pointer_of_aarch64_is_a_note_of_its_own() {
    let mut core = core(AARCH64, 4).note("LINUX", 0x401, &0x7777_u64.to_le_bytes());
    core = core.note("LINUX", 0x404, &[0xff; 4]);
    let snapshot = core.read();
    assert_eq!((snapshot.threads[0].handle, snapshot.threads[1].handle), (Some(0x7777), None));
}

/// A size that is not known is a gap and not a guess.
#[test]
fn thread_of_a_strange_size_is_passed_over() {
    let mut core = core(X86_64, 4);
    let strange = [TestThread::new(32).prstatus(X86_64), vec![0; 8]].concat();
    core = core.note("CORE", 1, &strange);
    let snapshot = core.read();
    assert_eq!(tids(&snapshot), [30, 31]);
    assert!(!snapshot.is_complete);
    let told = messages(&snapshot, GapKind::Unsupported);
    assert_eq!(
        told,
        ["threads were passed over: the NT_PRSTATUS of the first has 344 bytes, which no known layout has"]
    );
    // The leader's time holds that of a thread that nobody knows.
    assert_eq!(snapshot.threads[0].cpu_us, None);
}

#[test]
fn signals_of_faults_have_an_address_and_sent_ones_a_sender() {
    let read = |note: Vec<u8>| {
        let core = Core::new(X86_64).thread(&TestThread::new(1)).note("CORE", 0x5349_4749, &note);
        let signal = core.read().process.signal.unwrap();
        (signal.name.to_string(), signal.address, signal.sender_pid)
    };
    let fault = |number, code, address| read(siginfo(X86_64, number, code, address));
    assert_eq!(fault(11, 1, 0), ("SIGSEGV".into(), Some(0), None));
    assert_eq!(fault(7, 2, 0x10), ("SIGBUS".into(), Some(0x10), None));
    // A general protection fault: the address is not 0, it is not known.
    assert_eq!(fault(11, 128, 0), ("SIGSEGV".into(), None, None));
    // The address is that of the instruction.
    assert_eq!(fault(8, 1, 0x40_1000), ("SIGFPE".into(), None, None));
    assert_eq!(read(sent(X86_64, 7, 0, 1)), ("SIGBUS".into(), None, Some(1)));
    assert_eq!(read(sent(X86_64, 11, -6, 77)), ("SIGSEGV".into(), None, Some(77)));
    assert_eq!(read(sent(X86_64, 36, -1, 5)), ("SIGRTMIN+2".into(), None, Some(5)));
    assert_eq!(read(sent(X86_64, 64, -2, 5)), ("SIGRTMAX".into(), None, None));
    assert_eq!(read(sent(X86_64, 31, 0, 5)).0, "SIGSYS");
    assert_eq!(read(sent(X86_64, 200, 0, 5)).0, "signal 200");
}
