//! The order of the notes, by who wrote them.

use super::encoder::{Core, TestThread, X86_64, auxv, files, kernel, prpsinfo, sent, siginfo};
use super::{messages, tids};
use crate::model::{CoreProducer, GapKind};

/// PRPSINFO, the threads with NT_SIGINFO each, AUXV, FILE and gdb's own note, behind the memory.
fn gcore(signals: &[Vec<u8>], has_own_note: bool) -> Core {
    let mut core = Core::new(X86_64).note("CORE", 3, &prpsinfo(X86_64, 4, 5, "server", "server"));
    core.note_align = 1;
    core.is_gcore = true;
    for (tid, signal) in (5..).zip(signals) {
        core = core.thread(&TestThread { signal: 0, ..TestThread::new(tid) });
        core = core.note("CORE", 0x5349_4749, signal);
    }
    core = core.note("CORE", 6, &auxv(X86_64, &[(6, 4096)]));
    core = core.note("CORE", 0x4649_4c45, &files(X86_64, 4096, &[(0x40_0000, 0x40_1000, 0, "/bin/server")]));
    if has_own_note {
        core = core.note("GDB", 0xff00_0000, b"<target/>");
    }
    core.segment(0x60_0000, 4, 6, b"data")
}

#[test]
fn gcore_has_no_crash() {
    let stopped = vec![sent(X86_64, 19, 0, 0); 2];
    for has_own_note in [true, false] {
        let snapshot = gcore(&stopped, has_own_note).read();
        assert_eq!(tids(&snapshot), [5, 6]);
        assert!(snapshot.process.signal.is_none());
        assert!(snapshot.threads.iter().all(|t| t.cpu_us.is_none()));
        assert_eq!(snapshot.source.producer.as_deref(), Some("gdb (gcore)"));
        assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
        let image = snapshot.image.unwrap();
        assert_eq!(image.producer, CoreProducer::Gcore);
        assert_eq!((image.mappings.len(), image.memory.slice(0x60_0000, 4)), (1, Some(&b"data"[..])));
    }
}

/// `gdb -batch -ex run -ex gcore`: the thread stands at its fault.
#[test]
fn gcore_at_a_fault_names_the_thread() {
    let snapshot = gcore(&[sent(X86_64, 19, 0, 0), siginfo(X86_64, 11, 1, 0x1230)], true).read();
    let signal = snapshot.process.signal.unwrap();
    assert_eq!((&*signal.name, signal.address, signal.thread.unwrap().0), ("SIGSEGV", Some(0x1230), 1));
}

/// CRIU: PRPSINFO first, no section headers, the main thread first.
#[test]
fn criu_has_no_crash() {
    let mut core = Core::new(X86_64).note("CORE", 3, &prpsinfo(X86_64, 4, 5, "server", "server"));
    for tid in [5, 6] {
        core = core.thread(&TestThread::new(tid)).note("CORE", 0x5349_4749, &sent(X86_64, 11, 1, 0));
    }
    let snapshot = core.note("CORE", 6, &auxv(X86_64, &[])).segment(0x60_0000, 4, 6, b"data").read();
    assert_eq!(tids(&snapshot), [5, 6]);
    assert!(snapshot.process.signal.is_none());
    assert_eq!(snapshot.image.unwrap().producer, CoreProducer::Other);
}

/// The notes of gcore are the first that a cut takes.
#[test]
fn gcore_without_its_notes_has_lost_all_threads() {
    let mut bytes = gcore(&[sent(X86_64, 19, 0, 0)], true).bytes();
    let notes = memchr::memmem::find(&bytes, b"CORE\0").unwrap() - 12;
    bytes.truncate(notes - 2);
    let snapshot = super::encoder::read(bytes);
    assert!(snapshot.threads.is_empty() && !snapshot.is_complete);
    assert_eq!(snapshot.image.as_ref().unwrap().producer, CoreProducer::Gcore);
    assert_eq!(messages(&snapshot, GapKind::Truncated).len(), 2);
}

#[test]
fn dump_of_a_machine_is_told() {
    let snapshot = kernel().note("VMCOREINFO", 0, b"OSRELEASE=6.1").read();
    assert!(messages(&snapshot, GapKind::Unsupported)[0].contains("whole machine"));
}

#[test]
fn notes_padded_to_eight_bytes() {
    let mut core = Core::new(X86_64);
    core.note_align = 8;
    core = core.note("CORE", 1, &TestThread::new(9).prstatus(X86_64)).note("CORE", 2, &[0; 12]);
    core = core.note("CORE", 1, &TestThread::new(8).prstatus(X86_64));
    assert_eq!(tids(&core.read()), [8, 9]);
    for align in [0, 1, 2] {
        let mut core = kernel();
        core.note_align = align;
        assert_eq!(tids(&core.read()), [10, 11, 12]);
    }
}
