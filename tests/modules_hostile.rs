//! Damaged module files: whatever bytes stand in a file that claims to be the right one, reading it ends, in
//! bounded time, without a panic.

mod modules_support;

use std::time::{Duration, Instant};

use logjam::model::{Gaps, ProcessImage};
use logjam::modules::{ModuleSet, SearchPaths};
use logjam::symbols;
use modules_support::{compile, core_of, image_of_core};

const PROGRAM: &str = r#"
#include <mutex>
#include <string>
#include <map>
#include <cstdlib>
namespace app {
std::mutex g_mutex; std::map<std::string, int> g_map;
template<class T> __attribute__((noinline)) int work(T t) { std::lock_guard<std::mutex> l(g_mutex); g_map[t]++; if (g_map.size() > 0) abort(); return 0; }
}
int main() { return app::work(std::string("x")); }
"#;

/// A small generator, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// Everything that the stages ask of module files.
fn use_all(image: &ProcessImage, search: &SearchPaths) {
    let mut gaps = Gaps::default();
    let modules = ModuleSet::load(image, search, &mut gaps);
    let mut addresses = Vec::new();
    for (_, module) in modules.iter().filter(|(_, m)| m.is_executable) {
        addresses.extend((module.base..module.end).step_by(0x10_01).take(300));
        let file = module.file.as_ref();
        for name in [".eh_frame", ".eh_frame_hdr", ".debug_frame", ".text", ".debug_str"] {
            let _ = file.and_then(|f| f.section(name));
        }
    }
    let sp = image.registers[0].sp;
    addresses.extend((0..300).filter_map(|n| image.memory.u64_at(sp + 8 * n)));
    symbols::resolve(&modules, &addresses, &mut gaps);
    symbols::data_places(&modules, &addresses);
    symbols::address_of(&modules, "no_such_variable");
}

fn damaged_in(
    places: impl Fn(&object::File, &mut Random) -> std::ops::Range<usize>,
    seed: u64,
    flags: &[&str],
) {
    let dir = tempfile::tempdir().unwrap();
    let Some(program) = compile("g++", dir.path(), "prog", PROGRAM, flags) else { return };
    let Some(core) = core_of(&program) else { return };
    let image = image_of_core(&core);
    let good = std::fs::read(&program).unwrap();
    let parsed = object::File::parse(&*good).unwrap();
    let mut random = Random(seed);
    // The system's libraries are not opened: reading them takes the time of the test.
    let search = SearchPaths {
        sysroot: Some(dir.path().join("empty")),
        executable: Some(program.clone()),
        ..Default::default()
    };
    let mut longest = Duration::ZERO;
    for round in 0..40 {
        let mut bad = good.clone();
        let range = places(&parsed, &mut random);
        for _ in 0..=random.below(12) {
            let at = range.start + random.below(range.len());
            bad[at] = match random.below(4) {
                0 => 0xff,
                1 => 0,
                2 => bad[at] ^ (1 << random.below(8)),
                _ => random.below(256) as u8,
            };
        }
        if round % 10 == 9 {
            bad.truncate(random.below(bad.len()).max(64));
        }
        std::fs::write(&program, bad).unwrap();
        let one = Instant::now();
        use_all(&image, &search);
        longest = longest.max(one.elapsed());
        assert!(longest < Duration::from_secs(20), "round {round} of seed {seed}");
    }
    println!("{longest:?}");
}

#[test]
fn damaged_headers() {
    let places = |file: &object::File, random: &mut Random| {
        let object::File::Elf64(elf) = file else { panic!() };
        let sections = elf.elf_header().e_shoff.get(elf.endian()) as usize;
        // The build id stays, so that the file counts as the right one.
        if random.below(2) == 0 { 16..0x300 } else { sections..elf.data().len() }
    };
    damaged_in(places, 0x9e37_79b9_7f4a_7c15, &["-g", "-O1"]);
}

fn section_places(file: &object::File, random: &mut Random, prefix: &str) -> std::ops::Range<usize> {
    use object::{Object, ObjectSection};
    let sections: Vec<_> = file
        .sections()
        .filter(|s| s.name().is_ok_and(|n| n.starts_with(prefix)))
        .filter_map(|s| s.file_range())
        .filter(|r| r.1 > 0)
        .collect();
    let (start, size) = sections[random.below(sections.len())];
    start as usize..(start + size) as usize
}

#[test]
fn damaged_dwarf() {
    for (seed, flags) in [
        (1, &["-g", "-O1"][..]),
        (2, &["-g", "-O2", "-gdwarf-4", "-fdebug-types-section"]),
        (3, &["-g", "-O1", "-gz"]),
    ] {
        damaged_in(|file, random| section_places(file, random, ".debug_"), seed, flags);
    }
}

#[test]
fn damaged_symbol_tables() {
    damaged_in(|file, random| section_places(file, random, ".symtab"), 4, &["-O1"]);
    damaged_in(|file, random| section_places(file, random, ".strtab"), 5, &["-O1"]);
    damaged_in(|file, random| section_places(file, random, ".dyn"), 6, &["-O1", "-s"]);
}

/// Damage in the dump itself: headers of modules, the dynamic linker's lists, the vdso.
#[test]
fn damaged_memory() {
    use logjam::model::Memory;
    let dir = tempfile::tempdir().unwrap();
    let Some(program) = compile("g++", dir.path(), "prog", PROGRAM, &["-g", "-O1"]) else { return };
    let Some(core) = core_of(&program) else { return };
    let good = image_of_core(&core);
    let bytes = std::fs::read(&core).unwrap();
    let search = SearchPaths {
        sysroot: Some(dir.path().join("empty")),
        executable: Some(program.clone()),
        ..Default::default()
    };
    let mut random = Random(7);
    for round in 0..200 {
        let mut image = good.clone();
        let mut bad = bytes.clone();
        let segments = good.memory.segments();
        for _ in 0..5 {
            let segment = segments[random.below(segments.len())];
            if segment.file_size == 0 {
                continue;
            }
            for _ in 0..random.below(200) {
                // The first bytes, where headers are, or anywhere.
                let limit =
                    if random.below(2) == 0 { 0x400.min(segment.file_size) } else { segment.file_size };
                bad[segment.offset as usize + random.below(limit as usize)] = random.below(256) as u8;
            }
        }
        image.memory = Memory::new(bad.into(), segments.to_vec());
        if round % 2 == 0 {
            image.mappings.clear();
        }
        for (_, value) in image.auxv.iter_mut().filter(|_| round % 5 == 0) {
            *value ^= 1 << random.below(64);
        }
        use_all(&image, &search);
    }
}
