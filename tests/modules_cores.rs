//! Modules of cores that the kernel wrote, of programs that are compiled here.

mod modules_support;

use std::path::{Path, PathBuf};

use logjam::model::{AuxKey, GapKind, Gaps, ProcessImage};
use logjam::modules::{Module, ModuleMatch, ModuleSet, SearchPaths, SymbolLevel};
use logjam::symbols;
use modules_support::{compile, core_of, image_of_core, run};
use tempfile::TempDir;

const PROGRAM: &str = r"
#include <pthread.h>
#include <stdlib.h>
pthread_mutex_t g_log_mutex = PTHREAD_MUTEX_INITIALIZER;
static int g_zero[100];
__attribute__((noinline)) void die_here(void) { static int g_inside = 5; g_zero[g_inside]++; abort(); }
int main(void) { pthread_mutex_lock(&g_log_mutex); die_here(); return 0; }
";

struct Case {
    dir: TempDir,
    program: PathBuf,
    image: ProcessImage,
}

fn case(flags: &[&str]) -> Option<Case> {
    let dir = tempfile::tempdir().unwrap();
    let program = compile("gcc", dir.path(), "prog", PROGRAM, flags)?;
    let core = core_of(&program)?;
    let image = image_of_core(&core);
    Some(Case { dir, program, image })
}

impl Case {
    fn load(&self, search: &SearchPaths) -> (ModuleSet, Gaps) {
        let mut gaps = Gaps::default();
        let modules = ModuleSet::load(&self.image, search, &mut gaps);
        (modules, gaps)
    }

    fn beside_dump(&self) -> SearchPaths {
        SearchPaths { dump_dir: Some(self.dir.path().into()), ..Default::default() }
    }
}

fn executable(modules: &ModuleSet) -> &Module {
    modules.iter().map(|(_, m)| m).find(|m| m.is_executable).unwrap()
}

fn address_in(modules: &ModuleSet, name: &str) -> u64 {
    symbols::address_of(modules, name).unwrap().0
}

/// The names of the functions at the return addresses on the crashing thread's stack are those that
/// the program has: `main` and `die_here` stand there.
fn names_on_stack(image: &ProcessImage, modules: &ModuleSet) -> Vec<String> {
    let sp = image.registers[0].sp;
    let words: Vec<u64> =
        (0..400).map_while(|n| image.memory.u64_at(sp + 8 * n)).map(|w| w.wrapping_sub(1)).collect();
    let frames = symbols::resolve(modules, &words, &mut Gaps::default());
    frames.iter().filter_map(|f| Some(f.last()?.function.as_deref()?.to_owned())).collect()
}

#[test]
fn each_kind_of_executable_is_found_verified_and_named() {
    for flags in
        [&["-g"][..], &["-g", "-no-pie"], &["-g", "-static"], &["-g", "-static-pie"], &["-g", "-m32"]]
    {
        let Some(case) = case(flags) else { continue };
        let (modules, gaps) = case.load(&case.beside_dump());
        assert!(gaps.is_empty(), "{flags:?} {gaps:?}");
        let own = executable(&modules);
        assert_eq!((&*own.name, own.matched), ("prog", ModuleMatch::Verified), "{flags:?}");
        assert_eq!(own.symbol_level(), SymbolLevel::Debug);
        for (_, module) in modules.iter() {
            assert_eq!(module.matched, ModuleMatch::Verified, "{flags:?} {}", module.path);
        }
        let (mutex, size) = symbols::address_of(&modules, "g_log_mutex").unwrap();
        let places = symbols::data_places(&modules, &[mutex + 4, address_in(&modules, "g_zero") + 20]);
        let place = |n: usize| places[n].clone().unwrap();
        assert_eq!(place(0).symbol.unwrap(), ("g_log_mutex".into(), 4));
        assert_eq!(place(1).symbol.unwrap(), ("g_zero".into(), 20));
        assert_eq!(place(0).section.as_deref(), Some(".bss"));
        assert_eq!(&*place(0).module, "prog");
        // Locked: the futex word is 1.
        assert_eq!(case.image.memory.u32_at(mutex), Some(1), "{flags:?}");
        assert_eq!(size, if case.image.is_64_bit { 40 } else { 24 });
        if case.image.is_64_bit {
            let names = names_on_stack(&case.image, &modules);
            assert!(names.iter().any(|n| n == "die_here") && names.iter().any(|n| n == "main"), "{names:?}");
        }
    }
}

#[test]
fn without_nt_file_the_link_map_gives_the_same_modules() {
    for flags in [&["-g"][..], &["-g", "-no-pie"], &["-g", "-static"], &["-g", "-static-pie"]] {
        let Some(mut case) = case(flags) else { continue };
        let (with, _) = case.load(&case.beside_dump());
        case.image.mappings.clear();
        let (without, gaps) = case.load(&case.beside_dump());
        assert!(gaps.is_empty(), "{flags:?} {gaps:?}");
        let shape = |set: &ModuleSet| -> Vec<(String, u64, u64, ModuleMatch)> {
            set.iter().map(|(_, m)| (m.name.to_string(), m.base, m.bias, m.matched)).collect()
        };
        // The dynamic linker is called as the program called it (/lib64/ld-linux-x86-64.so.2).
        assert_eq!(shape(&with), shape(&without), "{flags:?}");
        assert_eq!(names_on_stack(&case.image, &with), names_on_stack(&case.image, &without));
    }
}

#[test]
fn a_garbage_link_map_ends_the_walk() {
    let Some(mut case) = case(&["-g"]) else { return };
    case.image.mappings.clear();
    let (modules, _) = case.load(&case.beside_dump());
    let debug = symbols::address_of(&modules, "_r_debug").unwrap().0;
    // r_map, and the first link_map, at each place once: to nowhere, to itself, to text.
    let map = case.image.memory.u64_at(debug + 8).unwrap();
    let next = case.image.memory.u64_at(map + 24).unwrap();
    for (at, value) in
        [(debug + 8, 0x1234_5678), (map + 24, map), (next + 8, 1), (next + 16, u64::MAX), (next + 24, debug)]
    {
        let mut image = case.image.clone();
        let segment = *image.memory.segment_at(at).unwrap();
        let mut bytes = std::fs::read(find_core(case.dir.path())).unwrap();
        let place = (segment.offset + (at - segment.start)) as usize;
        bytes[place..place + 8].copy_from_slice(&u64::to_le_bytes(value));
        image.memory = logjam::model::Memory::new(bytes.into(), image.memory.segments().to_vec());
        let modules = ModuleSet::load(&image, &case.beside_dump(), &mut Gaps::default());
        assert!(executable(&modules).matched == ModuleMatch::Verified);
        assert!(modules.iter().count() <= 5, "{at:x} {value:x}");
    }
}

fn find_core(dir: &Path) -> PathBuf {
    let mut entries = std::fs::read_dir(dir).unwrap().flatten().map(|e| e.path());
    entries.find(|p| p.file_name().unwrap().to_string_lossy().starts_with("core")).unwrap()
}

#[test]
fn a_replaced_executable_is_not_used() {
    let Some(mut case) = case(&["-g"]) else { return };
    let kept = tempfile::tempdir().unwrap();
    let right = kept.path().join("right");
    std::fs::rename(&case.program, &right).unwrap();
    let other = PROGRAM.replace("= 5", "= 6");
    compile("gcc", case.dir.path(), "prog", &other, &["-g"]).unwrap();
    for suffix in ["", " (deleted)"] {
        for mapping in case.image.mappings.iter_mut().filter(|m| m.path.ends_with("/prog")) {
            mapping.path = format!("{}{suffix}", mapping.path).into();
        }
        let (modules, gaps) = case.load(&SearchPaths::default());
        let own = executable(&modules);
        assert_eq!((&*own.name, own.matched, own.file.is_none()), ("prog", ModuleMatch::Mismatch, true));
        let message = &gaps.iter().find(|g| g.kind == GapKind::MismatchedModule).unwrap().message;
        let id: String = own.build_id.as_ref().unwrap().iter().map(|b| format!("{b:02x}")).collect();
        assert!(message.contains(&id), "{message}");
        assert!(!names_on_stack(&case.image, &modules).iter().any(|n| n == "main"));
    }
    // The right file at another place is found and used.
    let search = SearchPaths { executable: Some(right), ..Default::default() };
    let (modules, gaps) = case.load(&search);
    assert_eq!(executable(&modules).matched, ModuleMatch::Verified);
    assert!(gaps.is_empty(), "{gaps:?}");
}

#[test]
fn without_build_ids_the_layout_decides() {
    let flags = ["-g", "-Wl,--build-id=none"];
    let Some(case) = case(&flags) else { return };
    let (modules, gaps) = case.load(&SearchPaths::default());
    assert_eq!(executable(&modules).matched, ModuleMatch::Compatible);
    assert!(gaps.is_empty());
    assert!(names_on_stack(&case.image, &modules).iter().any(|n| n == "main"));
    let bigger =
        PROGRAM.replace("[100]", "[10000]") + "int more(int x) { return x * 3; }\nchar text[] = \"x\";";
    compile("gcc", case.dir.path(), "prog", &bigger, &flags).unwrap();
    let (modules, gaps) = case.load(&SearchPaths::default());
    assert_eq!(executable(&modules).matched, ModuleMatch::Mismatch);
    assert!(gaps.has(GapKind::MismatchedModule));
}

#[test]
fn a_missing_file_is_a_gap_with_its_build_id() {
    let Some(case) = case(&["-g"]) else { return };
    std::fs::remove_file(&case.program).unwrap();
    let (modules, gaps) = case.load(&SearchPaths::default());
    assert_eq!(executable(&modules).matched, ModuleMatch::Missing);
    let gap = gaps.iter().find(|g| g.kind == GapKind::MissingModule).unwrap();
    assert!(gap.message.contains("/prog (build id "), "{}", gap.message);
    assert_eq!(gaps.iter().count(), 1);
}

#[test]
fn with_a_sysroot_nothing_outside_is_opened() {
    let Some(case) = case(&["-g"]) else { return };
    let empty = tempfile::tempdir().unwrap();
    let search = SearchPaths { sysroot: Some(empty.path().into()), ..Default::default() };
    let (modules, gaps) = case.load(&search);
    assert!(modules.iter().all(|(_, m)| m.file.is_none() || &*m.name == "[vdso]"));
    assert!(gaps.has(GapKind::MissingModule));
    // With the executable in it, behind a link that is absolute there.
    let inside = case.program.strip_prefix("/").unwrap();
    let place = empty.path().join(inside);
    std::fs::create_dir_all(place.parent().unwrap()).unwrap();
    std::fs::create_dir(empty.path().join("opt")).unwrap();
    std::fs::copy(&case.program, empty.path().join("opt/real")).unwrap();
    std::os::unix::fs::symlink("/opt/real", &place).unwrap();
    let (modules, _) = case.load(&search);
    assert_eq!(executable(&modules).matched, ModuleMatch::Verified);
    // A link out of the dump's folder is not followed then.
    let beside = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(&case.program, beside.path().join("prog")).unwrap();
    std::fs::remove_file(&place).unwrap();
    let search = SearchPaths { dump_dir: Some(beside.path().into()), ..search };
    assert!(executable(&case.load(&search).0).file.is_none());
}

#[test]
fn separate_debug_files_are_found_by_id_and_by_link() {
    let Some(case) = case(&["-g"]) else { return };
    let dir = case.dir.path();
    let steps: [&[&str]; 3] = [
        &["--only-keep-debug", "prog", "prog.debug"],
        &["--strip-all", "--add-gnu-debuglink=prog.debug", "prog", "stripped"],
        &["--strip-all", "prog", "bare"],
    ];
    for step in steps {
        if run("objcopy", dir, step).is_none() {
            return;
        }
    }
    let (with, _) = case.load(&SearchPaths::default());
    let expected = names_on_stack(&case.image, &with);
    let id: String =
        executable(&with).build_id.as_ref().unwrap().iter().map(|b| format!("{b:02x}")).collect();

    // By name, in the folder of the module.
    std::fs::rename(dir.join("stripped"), &case.program).unwrap();
    let (modules, _) = case.load(&SearchPaths::default());
    assert!(executable(&modules).debug_file.as_ref().unwrap().path.ends_with("/prog.debug"));
    assert_eq!(names_on_stack(&case.image, &modules), expected);

    // By build id, in a given folder; the debug file alone gives the names too.
    std::fs::rename(dir.join("bare"), &case.program).unwrap();
    let (modules, _) = case.load(&SearchPaths::default());
    assert_eq!(executable(&modules).debug_file.as_ref().map(|f| &*f.path), None);
    assert_eq!(executable(&modules).symbol_level(), SymbolLevel::Table);
    assert!(!names_on_stack(&case.image, &modules).iter().any(|n| n == "die_here"));
    let ids = tempfile::tempdir().unwrap();
    let folder = ids.path().join(".build-id").join(&id[..2]);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::copy(dir.join("prog.debug"), folder.join(format!("{}.debug", &id[2..]))).unwrap();
    let search = SearchPaths { debug_dirs: vec![ids.path().into()], ..Default::default() };
    let (modules, _) = case.load(&search);
    assert_eq!(names_on_stack(&case.image, &modules), expected);
    std::fs::remove_file(&case.program).unwrap();
    let (modules, gaps) = case.load(&search);
    assert_eq!(executable(&modules).matched, ModuleMatch::Missing);
    assert!(gaps.has(GapKind::MissingModule));
    assert_eq!(names_on_stack(&case.image, &modules), expected);
}

#[test]
fn packed_symbols_of_a_stripped_file_name_its_functions() {
    let Some(case) = case(&["-g"]) else { return };
    let dir = case.dir.path();
    let mini = run("objcopy", dir, &["--strip-debug", "prog", "mini"])
        .and_then(|_| run("objcopy", dir, &["--strip-all", "prog", "bare"]));
    if mini.is_none() {
        return;
    }
    let mut packed = Vec::new();
    let symbols = std::fs::File::open(dir.join("mini")).unwrap();
    std::io::Read::read_to_end(&mut liblzma::read::XzEncoder::new(symbols, 6), &mut packed).unwrap();
    std::fs::write(dir.join("packed"), packed).unwrap();
    run("objcopy", dir, &["--add-section", ".gnu_debugdata=packed", "bare", "prog"]).unwrap();
    let (modules, _) = case.load(&SearchPaths::default());
    let names = names_on_stack(&case.image, &modules);
    assert!(names.iter().any(|n| n == "die_here") && names.iter().any(|n| n == "main"), "{names:?}");
}

#[test]
fn a_dump_that_lost_libc_still_uses_it_as_compatible() {
    // A cut core has lost libc's first page, which is where the build id is.
    let Some(mut case) = case(&["-g"]) else { return };
    let libc = case.image.mappings.iter().find(|m| m.path.contains("libc.so")).unwrap().start;
    let segments = case.image.memory.segments().iter().map(|s| {
        let mut s = *s;
        if s.start >= libc && s.start != case.image.aux(AuxKey::Vdso).unwrap() {
            s.file_size = 0;
        }
        s
    });
    let bytes = std::fs::read(find_core(case.dir.path())).unwrap();
    case.image.memory = logjam::model::Memory::new(bytes.into(), segments.collect());
    let (modules, gaps) = case.load(&SearchPaths::default());
    let libc = modules.get(modules.at(libc).unwrap());
    assert_eq!(libc.matched, ModuleMatch::Compatible);
    assert!(gaps.is_empty());
    assert_eq!(executable(&modules).matched, ModuleMatch::Verified);
}
