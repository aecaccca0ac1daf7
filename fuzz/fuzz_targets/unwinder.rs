//! Hostile modules, registers and stack memory: walks must end, and soon.

#![no_main]

use std::sync::atomic::{AtomicU64, Ordering};

use libfuzzer_sys::fuzz_target;
use logjam::arch;
use logjam::model::{AddressSpace, Arch, Gaps, StackEnd};
use logjam::modules::{ModuleSet, ProcessSpace};
use logjam::symbols;
use logjam::unwind::{FrameState, WalkCache, Walker, unwind_all};
use logjam_fuzz::hostile::Process;
use logjam_fuzz::{search, start};

const MOST_FRAMES: usize = 1_000;

/// Reads of memory that one walk may need: a scan looks at 512 words and asks three things of each.
const MOST_READS: u64 = 4_000 * MOST_FRAMES as u64;

fuzz_target!(init: start(), |process: Process| {
    let image = process.image();
    let modules = ModuleSet::load(&image, &search(), &mut Gaps::default());
    let space = Counted { space: ProcessSpace { image: &image, modules: &modules }, reads: AtomicU64::new(0) };
    let arch = arch::of(Arch::X86_64).expect("x86-64 is unwound");
    let walker = Walker::new(arch, &modules, &space);

    let mut cache = WalkCache::default();
    let mut addresses = Vec::new();
    let mut is_deep = false;
    for registers in &image.registers {
        let walk = |cache: &mut WalkCache| {
            let mut frames: Vec<FrameState> = Vec::new();
            space.reads.store(0, Ordering::Relaxed);
            let end = walker.walk(registers, MOST_FRAMES, cache, &mut |frame| frames.push(*frame));
            assert!(space.reads.load(Ordering::Relaxed) < MOST_READS, "a walk reads without end");
            (frames, end)
        };
        let (frames, end) = walk(&mut cache);
        let (again, end_again) = walk(&mut WalkCache::default());
        assert_eq!(format!("{frames:?}{end:?}"), format!("{again:?}{end_again:?}"), "rules are cached as they are");
        assert!(!frames.is_empty() && frames.len() <= MOST_FRAMES);
        assert!(end != StackEnd::DepthLimit || frames.len() == MOST_FRAMES);
        for (n, pair) in frames.windows(2).enumerate() {
            let (old, new) = (pair[0].context.sp(arch), pair[1].context.sp(arch));
            assert!(pair[0].is_signal || new > old || (n == 0 && new >= old), "the stack pointer grows");
        }
        is_deep |= end == StackEnd::DepthLimit;
        addresses.extend(frames.iter().map(FrameState::lookup_address));
        spin(&frames, &space, arch);
    }
    let threads = if is_deep && !process.walks_deep { &[] } else { &image.registers[..] };
    let unwound = unwind_all(&walker, threads);
    assert_eq!(unwound.stack_of.len(), threads.len());
    assert!(unwound.stack_of.iter().all(|&n| (n as usize) < unwound.stacks.len()));
    addresses.truncate(256);
    let named = symbols::resolve(&modules, &addresses, &mut Gaps::default());
    assert!(named.len() == addresses.len() && named.iter().all(|n| !n.is_empty()));
});

/// The code around each frame's pc, as the search for spin loops looks at it.
fn spin(frames: &[FrameState], space: &dyn AddressSpace, arch: &logjam::arch::Architecture) {
    for frame in frames.iter().take(4) {
        let at = frame.context.pc.wrapping_sub(64);
        if let Some(code) = space.bytes(at, 128) {
            (arch.code.spin_operand)(code, at, frame.context.pc, &|r| frame.context.get(r), space);
        }
    }
}

/// Memory that counts how often it is read.
struct Counted<'a> {
    space: ProcessSpace<'a>,
    reads: AtomicU64,
}

impl AddressSpace for Counted<'_> {
    fn bytes(&self, address: u64, length: usize) -> Option<&[u8]> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.space.bytes(address, length)
    }

    fn is_executable(&self, address: u64) -> bool {
        self.space.is_executable(address)
    }

    fn is_writable(&self, address: u64) -> bool {
        self.space.is_writable(address)
    }
}
