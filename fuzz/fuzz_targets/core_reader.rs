//! Bytes of an ELF core through the whole pipeline: threads, memory, modules that lie in the dump,
//! unwinding, names, locks, clusters, findings, reports.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use logjam::formats::elf_core;
use logjam_fuzz::{analyze_bytes, oracle, start};

fuzz_target!(init: start(), |data: &[u8]| {
    let input = Bytes::copy_from_slice(data);
    for snapshot in elf_core::read(&input, &"dump".into()) {
        let image = snapshot.image.as_ref().expect("a core has an image");
        assert!(image.registers.is_empty() || image.registers.len() == snapshot.threads.len());
        for s in image.memory.segments() {
            assert!(s.offset + s.file_size <= data.len() as u64 || s.file_size == 0);
        }
        oracle::check_threads(&snapshot);
    }
    oracle::check(&analyze_bytes(data));
});

// Most of a core is memory that nobody reads: half of the mutations go to one small window,
// mostly in the headers and notes.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    if seed & 1 == 0 || size < 512 {
        return fuzzer_mutate(data, size, max_size);
    }
    let draw = seed as usize >> 3;
    let window = 8 << (draw % 6);
    let within = if seed & 6 == 0 { size } else { size.min(16 << 10) };
    let at = (draw.wrapping_mul(0x9e37_79b9) >> 4) % (within - window) & !7;
    fuzzer_mutate(&mut data[at..at + window], window, window);
    size
});
