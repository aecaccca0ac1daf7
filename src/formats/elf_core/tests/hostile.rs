//! Cores that are cut, damaged, or lie.

use bytes::Bytes;

use super::encoder::{Core, Out, TestThread, X86_64, kernel, kernel_of, read};
use super::{messages, tids};
use crate::model::GapKind;

/// Whatever is cut off, what stands before it is read, and the cut is told.
#[test]
fn cut_at_every_byte() {
    let whole = kernel().bytes();
    let mut threads = 0;
    for length in 18..whole.len() {
        let snapshot = read(whole[..length].to_vec());
        let found = snapshot.threads.len();
        assert!(found >= threads, "{length}: {found} threads, and {threads} in less");
        threads = found;
        assert!(!messages(&snapshot, GapKind::Truncated).is_empty(), "{length}: {:?}", snapshot.gaps);
        let image = snapshot.image.unwrap();
        assert_eq!(image.registers.len(), found);
        let missing = (whole.len() - length) as u64;
        assert!(image.missing_bytes <= missing, "{length}");
        // From the end of the headers on, the loss is known to the byte.
        assert!(length < 64 + 7 * 56 || image.missing_bytes == missing, "{length}");
    }
    assert_eq!(threads, 3);
}

#[test]
fn cut_says_what_is_lost() {
    let whole = kernel().bytes();
    let snapshot = read(whole[..whole.len() - 20].to_vec());
    let told = messages(&snapshot, GapKind::Truncated);
    assert_eq!(told.len(), 1);
    // In the file the stacks of 12, 10 and 11 follow one another: not the highest memory is lost.
    assert_eq!(
        told[0].split_once(": ").unwrap().1,
        "20 bytes are missing (2 of 4 dumped mappings, the stacks of 1 of 3 threads)"
    );
    assert!(snapshot.image.unwrap().memory.slice(0x7000_c000, 16).is_some());

    let in_notes = memchr::memmem::rfind(&whole, b"CORE\0").unwrap() - 400;
    let snapshot = read(whole[..in_notes].to_vec());
    let told = messages(&snapshot, GapKind::Truncated);
    assert!(
        told[0].starts_with("the file ends inside its notes: 2 threads were read, about 1 more"),
        "{told:?}"
    );
    assert!(!snapshot.is_complete && snapshot.threads[0].cpu_us.is_none());
}

/// 65,600 mappings: `e_phnum` is 0xffff, and the true count is in a section header at the very end.
#[test]
fn more_mappings_than_the_header_can_count() {
    let mut core = kernel();
    let target = core.target;
    for i in 0..65_600_u64 {
        core = core.segment(0x1_0000_0000 + i * 0x2000, 0x1000, 4, &[]);
    }
    core.has_extended_count = true;
    let whole = core.bytes();
    let count = |bytes: Vec<u8>| read(bytes).image.unwrap().memory.segments().len();
    let expected = core.segments.len();
    assert_eq!(count(whole.clone()), expected);
    // Cut: counted by where the notes begin.
    assert_eq!(count(whole[..whole.len() - 64].to_vec()), expected);
    assert_eq!(count(whole[..whole.len() - 20].to_vec()), expected);
    // The end was filled with zeros by whoever copied the file.
    let zeros = [0; 64];
    assert_eq!(count([&whole[..whole.len() - 64], &zeros[..]].concat()), expected);

    // The notes lie elsewhere, as gdb has them: not more is known than that there are 65,535.
    let mut elsewhere = whole[..whole.len() - 64].to_vec();
    let notes_at = Out::new(target).u64(u64::from_le_bytes(elsewhere[72..80].try_into().unwrap()) + 4);
    elsewhere[72..80].copy_from_slice(&notes_at.bytes);
    let snapshot = read(elsewhere);
    assert!(messages(&snapshot, GapKind::Truncated)[0].contains("only the first 65,535 mappings"));
    assert_eq!(snapshot.image.unwrap().memory.segments().len(), 65_534);
}

/// A size that is too great costs the thread whose note it is, and not those behind it.
#[test]
fn damaged_sizes_cost_one_thread() {
    let core = kernel_of(&[1, 2, 3, 4, 5].map(TestThread::new));
    let whole = core.bytes();
    let starts: Vec<usize> = memchr::memmem::find_iter(&whole, &[5, 0, 0, 0, 0x50, 1, 0, 0, 1]).collect();
    for size in [u32::MAX, u32::MAX - 3, 0x7fff_ffff, 100_000, 2000, 600] {
        let mut bytes = whole.clone();
        bytes[starts[2] + 4..][..4].copy_from_slice(&size.to_le_bytes());
        let snapshot = read(bytes);
        assert_eq!(tids(&snapshot), [1, 2, 4, 5], "{size:#x}");
        assert!(!snapshot.is_complete);
    }
    // The size of the name.
    let mut bytes = whole.clone();
    bytes[starts[2]..][..4].copy_from_slice(&[0xff; 4]);
    let snapshot = read(bytes);
    assert_eq!(tids(&snapshot), [1, 2, 4, 5]);
    assert_eq!(messages(&snapshot, GapKind::Damaged).len(), 1);
}

/// The first thread is the one that died: without its note nobody is.
#[test]
fn without_the_first_thread_nobody_died() {
    let whole = kernel().bytes();
    let first = memchr::memmem::find(&whole, b"CORE\0").unwrap() - 12;
    for size in [u32::MAX, 5000, 340, 300] {
        let mut bytes = whole.clone();
        bytes[first + 4..][..4].copy_from_slice(&size.to_le_bytes());
        let snapshot = read(bytes);
        assert_eq!(tids(&snapshot), [10, 11], "{size}");
        let signal = snapshot.process.signal;
        assert!(signal.is_none_or(|signal| signal.thread.is_none()), "{size}");
    }
}

#[test]
fn lists_of_files_that_lie() {
    let list = |count: u64, rest: &[u8]| {
        let note = Out::new(X86_64).u64(count).u64(4096).raw(rest).bytes;
        let core = Core::new(X86_64).thread(&TestThread::new(1)).note("CORE", 0x4649_4c45, &note);
        let snapshot = core.read();
        let told = messages(&snapshot, GapKind::Damaged).len();
        (snapshot.image.unwrap().mappings.len(), told)
    };
    let entry = |start: u64, end: u64, pages: u64| Out::new(X86_64).u64(start).u64(end).u64(pages).bytes;
    let good = entry(0x1000, 0x2000, 0);
    assert_eq!(list(0, &[]), (0, 0));
    assert_eq!(list(u64::MAX, &good), (0, 1));
    assert_eq!(list(u64::MAX / 24 + 1, &good), (0, 1));
    assert_eq!(list(2, &[&good[..], b"a\0"].concat()), (0, 1));
    assert_eq!(list(2, &[&good[..], &good, b"a\0b"].concat()), (1, 1));
    assert_eq!(list(2, &[&good[..], &entry(3, 2, 0), b"a\0b\0"].concat()), (1, 1));
    assert_eq!(list(1, &[&entry(2, 3, u64::MAX / 2)[..], b"a\0"].concat()), (0, 1));
}

/// Offsets in the file, from the beginning of the program header of the notes and of the first
/// mapping on.
#[test]
fn headers_that_lie() {
    let whole = kernel().bytes();
    let with = |changes: &[(usize, u64)]| {
        let mut bytes = whole.clone();
        for (at, value) in changes {
            bytes[*at..*at + 8].copy_from_slice(&value.to_le_bytes());
        }
        read(bytes)
    };
    let (phoff, notes, load) = (32, 64, 64 + 2 * 56);
    // The table of program headers is nowhere.
    assert!(with(&[(phoff, u64::MAX)]).threads.is_empty());
    assert!(with(&[(phoff, u64::MAX - 100)]).threads.is_empty());
    // Notes: beyond the file, too long, overflowing.
    assert!(with(&[(notes + 8, 1 << 40)]).threads.is_empty());
    assert_eq!(tids(&with(&[(notes + 32, 1 << 40)])), [10, 11, 12]);
    assert!(with(&[(notes + 32, u64::MAX)]).threads.is_empty());
    // A mapping: its range leaves the address space, its bytes leave the file.
    let snapshot = with(&[(load + 16, u64::MAX - 5)]);
    assert_eq!(messages(&snapshot, GapKind::Damaged).len(), 1);
    let snapshot = with(&[(load + 8, u64::MAX - 5)]);
    assert!(snapshot.image.unwrap().memory.slice(0x60_0000, 1).is_none());
    // A mapping says that the dump has more of it than there is.
    let snapshot = with(&[(load + 32, 1 << 20)]);
    assert_eq!(snapshot.image.unwrap().memory.slice(0x60_0000, 0x20).map(<[u8]>::len), Some(0x20));
}

#[test]
fn two_note_segments() {
    // The first mapping's header becomes a second one for notes: the same again, then one of its own.
    let core = kernel();
    let mut bytes = core.bytes();
    let second = 64 + 56;
    bytes.copy_within(64..64 + 56, second);
    let snapshot = read(bytes.clone());
    assert_eq!(tids(&snapshot), [10, 11, 12]);
    assert_eq!(
        messages(&snapshot, GapKind::Damaged),
        ["two note segments share bytes: the second one was not read"]
    );

    let more = Core::new(X86_64).thread(&TestThread::new(99)).notes;
    let at = bytes.len() as u64;
    bytes[second + 8..][..8].copy_from_slice(&at.to_le_bytes());
    bytes[second + 32..][..8].copy_from_slice(&(more.len() as u64).to_le_bytes());
    bytes.extend(more);
    assert_eq!(tids(&read(bytes)), [10, 11, 12, 99]);
}

#[test]
fn notes_that_are_odd_and_yet_right() {
    // Without a NUL behind the owner, with an empty owner, with an empty descriptor.
    let prstatus = TestThread::new(3).prstatus(X86_64);
    let mut core = Core::new(X86_64);
    core.notes = Out::new(X86_64)
        .u32(0)
        .u32(0)
        .u32(7)
        .u32(4)
        .u32(prstatus.len() as u32)
        .u32(1)
        .raw(b"CORE")
        .raw(&prstatus)
        .u32(5)
        .u32(0)
        .u32(6)
        .raw(b"CORE\0\0\0\0")
        .bytes;
    assert_eq!(tids(&core.read()), [3]);
    // Zeros behind the last note, fewer than a header has, and more.
    for zeros in [8, 4000] {
        core.notes.extend(vec![0; zeros]);
        assert!(messages(&core.read(), GapKind::Damaged).is_empty());
    }
}

/// Random damage with a fixed seed: nothing panics, and threads and registers agree.
#[test]
fn random_damage() {
    let whole = kernel_of(&[1, 2, 3, 4, 5, 6].map(TestThread::new)).bytes();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    const NASTY: [u8; 8] = [0, 1, 4, 0x7f, 0x80, 0xfe, 0xff, 0x56];
    for _ in 0..4000 {
        let mut bytes = whole.clone();
        for _ in 0..=random(12) {
            let at = random(bytes.len());
            let length = [1, 1, 2, 4, 8][random(5)];
            let value = NASTY[random(NASTY.len())];
            bytes[at..].iter_mut().take(length).for_each(|b| *b = value);
        }
        if random(3) == 0 {
            bytes.truncate(random(bytes.len()));
        }
        for snapshot in super::super::read(&Bytes::from(bytes), &"damaged".into()) {
            let image = snapshot.image.unwrap();
            assert!(image.registers.is_empty() || image.registers.len() == snapshot.threads.len());
            assert!(snapshot.threads.is_sorted_by_key(|t| t.tid));
            for segment in image.memory.segments() {
                _ = image.memory.bytes_from(segment.start);
            }
        }
    }
}
