//! Names in programs that are compiled here, in each form that compilers write them.

mod modules_support;

use std::path::Path;

use logjam::model::{Gaps, ProcessImage};
use logjam::modules::{ModuleSet, SearchPaths};
use logjam::symbols::{self, SourceFrame};
use modules_support::{compile, core_of, image_of_core};
use object::{Object, ObjectSection};

const PROGRAM: &str = r#"
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
namespace app {
std::mutex g_mutex;
std::map<std::string, int> g_map;
static inline __attribute__((always_inline)) void inlined_check(int n) {
  if (n > 0) abort(); // the line of abort
}
template <class T> __attribute__((noinline)) int work(T t) {
  std::lock_guard<std::mutex> guard(g_mutex);
  g_map[t]++;
  inlined_check(g_map.size());
  return 1;
}
namespace {
template <class F> __attribute__((noinline)) int hidden(F f) { static int g_calls; g_calls++; return f() + 1; }
}
}
extern "C" __attribute__((noinline)) int c_entry(void) {
  return app::hidden([] { return app::work(std::string("x")) + 1; }) + 1;
}
int main() { return c_entry(); }
"#;

fn line_of(text: &str) -> u32 {
    PROGRAM.lines().position(|l| l.contains(text)).unwrap() as u32 + 1
}

/// The frames at every word of the crashing thread's stack that is in the program.
fn frames_on_stack(image: &ProcessImage, modules: &ModuleSet) -> Vec<Vec<SourceFrame>> {
    let sp = image.registers[0].sp;
    let is_own = |w: &u64| modules.at(*w).is_some_and(|ix| modules.get(ix).is_executable);
    let words: Vec<u64> = (0..600)
        .map_while(|n| image.memory.u64_at(sp + 8 * n))
        .map(|w| w.wrapping_sub(1))
        .filter(is_own)
        .collect();
    symbols::resolve(modules, &words, &mut Gaps::default())
}

fn load(image: &ProcessImage) -> ModuleSet {
    let mut gaps = Gaps::default();
    let modules = ModuleSet::load(image, &SearchPaths::default(), &mut gaps);
    assert!(gaps.is_empty(), "{gaps:?}");
    modules
}

fn check(image: &ProcessImage, what: &str) {
    let modules = load(image);
    let frames = frames_on_stack(image, &modules);
    let found = |name: &str| {
        let is_named = |f: &SourceFrame| f.function.as_deref() == Some(name);
        frames
            .iter()
            .find(|stack| stack.iter().any(is_named))
            .unwrap_or_else(|| panic!("{what}: {name} in {frames:#?}"))
    };
    let work =
        found("app::work<std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> > >");
    assert_eq!(work[0].function.as_deref(), Some("app::inlined_check"), "{what}");
    assert_eq!(work.iter().map(|f| f.is_inlined).collect::<Vec<_>>(), [true, false], "{what}");
    assert_eq!(
        (work[0].file.as_deref(), work[0].line),
        (Some("prog.cc"), Some(line_of("abort()"))),
        "{what}"
    );
    assert_eq!(work[1].line, Some(line_of("inlined_check(g_map")), "{what}");
    assert!(work[1].aliases.is_empty(), "{what}: {:?}", work[1].aliases);
    assert_eq!(found("main").last().unwrap().line, Some(line_of("int main")), "{what}");
    assert_eq!(found("c_entry").len(), 1, "{what}");
    let hidden =
        frames.iter().flatten().filter_map(|f| f.function.as_deref()).find(|f| f.contains("hidden<"));
    assert!(hidden.unwrap().starts_with("app::(anonymous namespace)::hidden<"), "{what}: {hidden:?}");
}

#[test]
fn frames_are_the_same_in_each_form_of_dwarf() {
    for flags in [
        &["-g", "-O1"][..],
        &["-g", "-O1", "-gdwarf-4"],
        &["-g", "-O1", "-gdwarf-3"],
        &["-g", "-O1", "-gz"],
        &["-g", "-O1", "-gz=zlib-gnu"],
        &["-g", "-O1", "-gsplit-dwarf"],
        &["-g", "-O1", "-gsplit-dwarf", "-gdwarf-4"],
        &["-g", "-O1", "-fdebug-types-section"],
        &["-g", "-O1", "-ffunction-sections", "-Wl,--gc-sections"],
        &["-g", "-O1", "-static"],
    ] {
        let dir = tempfile::tempdir().unwrap();
        let Some(program) = compile("g++", dir.path(), "prog", PROGRAM, flags) else { continue };
        let Some(core) = core_of(&program) else { return };
        check(&image_of_core(&core), &format!("{flags:?}"));
    }
}

#[test]
fn split_dwarf_of_another_build_is_not_used() {
    let dir = tempfile::tempdir().unwrap();
    let flags = ["-g", "-O1", "-gsplit-dwarf"];
    let Some(program) = compile("g++", dir.path(), "prog", PROGRAM, &flags) else { return };
    let Some(core) = core_of(&program) else { return };
    let image = image_of_core(&core);
    let kept = std::fs::read(&program).unwrap();
    let split = |dir: &Path| {
        let names = std::fs::read_dir(dir).unwrap().flatten().map(|e| e.path());
        names.filter(|p| p.extension().is_some_and(|e| e == "dwo")).collect::<Vec<_>>()
    };
    assert!(!split(dir.path()).is_empty());
    compile("g++", dir.path(), "prog", &PROGRAM.replace("inlined_check", "other_check"), &flags).unwrap();
    std::fs::write(&program, kept).unwrap();
    let modules = load(&image);
    let frames = frames_on_stack(&image, &modules);
    let names: Vec<&str> = frames.iter().flatten().filter_map(|f| f.function.as_deref()).collect();
    assert!(!names.contains(&"app::other_check") && !names.contains(&"app::inlined_check"), "{names:?}");
    // The symbol table and the lines of the skeleton are in the program itself.
    assert!(names.iter().any(|n| n.starts_with("app::work<")) && names.contains(&"main"), "{names:?}");
    assert!(frames.iter().flatten().any(|f| f.line == Some(line_of("abort()"))));
}

#[test]
fn stubs_statics_and_other_data_have_names() {
    let dir = tempfile::tempdir().unwrap();
    let Some(program) = compile("g++", dir.path(), "prog", PROGRAM, &["-g", "-O1"]) else { return };
    let Some(core) = core_of(&program) else { return };
    let image = image_of_core(&core);
    let modules = load(&image);
    let own = modules.iter().map(|(_, m)| m).find(|m| m.is_executable).unwrap();
    let bytes = std::fs::read(&program).unwrap();
    let file = object::File::parse(&*bytes).unwrap();
    let stubs = file.section_by_name(".plt.sec").or_else(|| file.section_by_name(".plt")).unwrap();
    let addresses: Vec<u64> = (stubs.address()..stubs.address() + stubs.size())
        .step_by(8)
        .map(|a| a.wrapping_add(own.bias))
        .collect();
    let frames = symbols::resolve(&modules, &addresses, &mut Gaps::default());
    let names: Vec<&str> = frames.iter().filter_map(|f| f[0].function.as_deref()).collect();
    assert!(names.contains(&"abort@plt"), "{names:?}");
    let (mutex, size) = symbols::address_of(&modules, "_ZN3app7g_mutexE").unwrap();
    assert_eq!(size, 40);
    let (calls, _) = symbols::data_places(&modules, &[mutex + 8])[0].clone().unwrap().symbol.unwrap();
    assert_eq!(&*calls, "app::g_mutex");
}

#[test]
fn rust_names_have_no_hash() {
    const RUST: &str = r"
mod deep { pub trait Job { fn run(&self); }
  impl Job for u8 { #[inline(never)] fn run(&self) { let v = vec![*self]; v.iter().for_each(|_| super::end(7u64)); } } }
#[inline(never)] fn end<T: Copy>(t: T) { std::hint::black_box(t); std::process::abort() }
fn main() { deep::Job::run(&3u8) }
";
    for flags in
        [&["-g"][..], &["-g", "-O"], &["-g", "-C", "symbol-mangling-version=v0"], &["-C", "debuginfo=0"]]
    {
        let dir = tempfile::tempdir().unwrap();
        let Some(program) = compile("rustc", dir.path(), "prog", RUST, flags) else { return };
        let Some(core) = core_of(&program) else { return };
        let image = image_of_core(&core);
        let modules = load(&image);
        let frames = frames_on_stack(&image, &modules);
        let names: Vec<&str> = frames.iter().flatten().filter_map(|f| f.function.as_deref()).collect();
        let has = |name: &str| names.contains(&name);
        assert!(has("prog::end") || has("prog::end::<u64>"), "{flags:?} {names:?}");
        assert!(has("<u8 as prog::deep::Job>::run"), "{flags:?} {names:?}");
    }
}
