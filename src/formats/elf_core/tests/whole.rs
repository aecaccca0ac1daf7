//! What is read from a core that has everything.

use rayon::ThreadPoolBuilder;

use super::super::not_a_core;
use super::encoder::{Core, TestThread, X86_64, kernel, kernel_of, read};
use super::{messages, tids};
use crate::model::{Arch, AuxKey, CoreProducer, GapKind, ThreadId};

#[test]
fn threads_are_sorted_and_the_first_of_the_file_died() {
    let snapshot = kernel().read();
    assert_eq!(tids(&snapshot), [10, 11, 12]);
    assert_eq!(snapshot.threads[0].id, ThreadId::Number(10));
    let signal = snapshot.process.signal.as_ref().unwrap();
    assert_eq!((&*signal.name, signal.number, signal.code), ("SIGSEGV", Some(11), Some(1)));
    assert_eq!((signal.address, signal.sender_pid), (Some(0xdead), None));
    assert_eq!(snapshot.threads[signal.thread.unwrap().at()].tid, Some(12));
    assert!(snapshot.is_complete);
    assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
}

#[test]
fn registers_and_handles_belong_to_their_threads() {
    let snapshot = kernel().read();
    let image = snapshot.image.unwrap();
    for (thread, registers) in snapshot.threads.iter().zip(&image.registers) {
        let written = TestThread::new(thread.tid.unwrap());
        assert_eq!((registers.sp, thread.handle), (written.sp, Some(written.fs_base)));
        assert_eq!((registers.pc, registers.general[0]), (0x110, 0x10a));
        // The stack of each thread begins with its number.
        assert_eq!(image.memory.slice(registers.sp & !0xfff, 1).unwrap(), [thread.tid.unwrap() as u8]);
    }
    assert_eq!(image.registers.len(), 3);
}

#[test]
fn process_auxiliary_vector_and_files() {
    let snapshot = kernel().read();
    let process = &snapshot.process;
    assert_eq!((process.pid, process.arch), (Some(10), Some(Arch::X86_64)));
    assert_eq!(process.name.as_deref(), Some("server"));
    assert_eq!(process.command_line.as_deref(), Some("server --port 80"));
    let image = snapshot.image.unwrap();
    assert_eq!((image.aux(AuxKey::Phdr), image.aux(AuxKey::Vdso)), (Some(0x40_0040), Some(0x7fff_0000)));
    assert_eq!(image.aux(AuxKey::Base), None);
    let files: Vec<_> = image.mappings.iter().map(|m| (m.start, m.end, m.file_offset, &*m.path)).collect();
    let server = (0x40_0000, 0x40_1000, 0, "/bin/server (deleted)");
    assert_eq!(files, [server, (0x50_0000, 0x50_2000, 3 * 4096, "/lib/libc.so.6")]);
    assert_eq!((image.producer, image.missing_bytes), (CoreProducer::Kernel, 0));
    assert_eq!(snapshot.source.producer.as_deref(), Some("Linux kernel"));
}

/// The leader's record holds the group's time: 4 s are 3 s of its own less 500 µs.
#[test]
fn cpu_time_of_the_leader_is_its_own() {
    let times = |core: &Core| core.read().threads.iter().map(|t| t.cpu_us).collect::<Vec<_>>();
    assert_eq!(times(&kernel()), [Some(2_999_500), Some(0), Some(1_000_500)]);
    // Records are not of one moment: never below 0.
    let early = [TestThread::new(10).cpu(1_000_000, 0), TestThread::new(11).cpu(1_000_000, 1)];
    assert_eq!(times(&kernel_of(&early)), [Some(0), Some(1_000_001)]);
    // Nothing was recorded.
    assert_eq!(times(&kernel_of(&[TestThread::new(10), TestThread::new(11)])), [None, None]);
    // Nobody is known to be the leader.
    let others = [TestThread::new(21).cpu(5, 0), TestThread::new(22).cpu(5, 0)];
    assert_eq!(times(&kernel_of(&others)), [None, None]);
}

/// `kernel.core_sort_vma` writes mappings by size.
#[test]
fn unsorted_mappings_are_found() {
    let mut core = kernel();
    core.segments.reverse();
    let memory = core.read().image.unwrap().memory;
    assert_eq!(memory.slice(0x60_0000, 4).unwrap(), b"0123");
    assert_eq!(memory.slice(0x40_0000, 1), None);
    assert!(memory.segment_at(0x40_0000).unwrap().is_executable);
    assert!(memory.segments().is_sorted_by_key(|s| s.start));
}

#[test]
fn memory_that_was_left_out_is_told() {
    let mut core = kernel();
    core.segments.iter_mut().for_each(|s| s.content.clear());
    let told = core.read();
    assert_eq!(messages(&told, GapKind::NotDumped).len(), 1);
    assert!(messages(&told, GapKind::NotDumped)[0].contains("no stack can be followed"));

    let mut core = kernel();
    core.segments[2].content.clear();
    assert_eq!(messages(&core.read(), GapKind::NotDumped), ["the stack of a thread is not in the dump"]);

    let core = kernel().segment(0x50_1000, 0x1000, 6, &[]);
    let expected = "4.0 kB of writable file mappings are not in the dump: shared, or never written";
    assert_eq!(messages(&core.read(), GapKind::NotDumped), [expected]);
}

#[test]
fn core_without_a_list_of_files() {
    let core = Core::new(X86_64).thread(&TestThread::new(7)).segment(0x7000_7000, 16, 6, &[0; 16]);
    let snapshot = core.read();
    assert_eq!(tids(&snapshot), [7]);
    assert!(messages(&snapshot, GapKind::NotDumped)[0].contains("no list of mapped files"));
    // Without NT_SIGINFO the number is in the first thread's note.
    let signal = snapshot.process.signal.unwrap();
    assert_eq!((&*signal.name, signal.code), ("SIGABRT", None));
}

#[test]
fn what_is_a_core_and_what_is_not() {
    let mut bytes = kernel().bytes();
    assert_eq!((super::super::header::is_core(&bytes), not_a_core(&bytes)), (true, None));
    bytes[16] = 3;
    assert!(!super::super::header::is_core(&bytes));
    assert_eq!(not_a_core(&bytes), Some("an ELF executable or library, no core"));
    assert!(super::super::read(&bytes.into(), &"x".into()).is_empty());
    for other in [&b""[..], b"\x7fELF", b"Thread 1", &[0; 64]] {
        assert_eq!((super::super::header::is_core(other), not_a_core(other)), (false, None));
    }
}

/// 5,000 threads are walked in parts; the result is that of one worker, damaged or not.
#[test]
fn one_worker_and_many_agree() {
    let threads: Vec<_> = (0..5000).map(|i| TestThread::new(100_000 - i * 3).cpu(u64::from(i), 1)).collect();
    let intact = kernel_of(&threads).bytes();
    let mut damaged = intact.clone();
    // The size of a note in the middle, so that the walk misses the place that was foretold.
    let middle = memchr::memmem::find(&intact, &2500_u64.to_le_bytes()).unwrap();
    let note = memchr::memmem::rfind(&intact[..middle], b"CORE\0").unwrap() - 12;
    damaged[note + 4] = 0xff;
    for (bytes, expected) in [(intact, 5000), (damaged, 4999)] {
        let run = |workers: usize| {
            let pool = ThreadPoolBuilder::new().num_threads(workers).build().unwrap();
            pool.install(|| read(bytes.clone()))
        };
        let (one, many) = (run(1), run(4));
        assert_eq!(tids(&one).len(), expected);
        assert_eq!(tids(&one), tids(&many));
        assert_eq!(format!("{:?}", one.threads), format!("{:?}", many.threads));
        assert_eq!(format!("{:?}", one.gaps), format!("{:?}", many.gaps));
        assert_eq!(one.image.unwrap().registers, many.image.unwrap().registers);
    }
}
