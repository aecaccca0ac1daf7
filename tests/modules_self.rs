//! Modules and names of this very process: needs no compiler.

mod modules_support;

use logjam::model::{AddressSpace, Gaps};
use logjam::modules::{ModuleMatch, ModuleSet, ProcessSpace, SearchPaths};
use logjam::symbols;
use modules_support::image_of_this_process;

#[inline(never)]
fn a_function_with_a_name() -> u64 {
    std::hint::black_box(17)
}

static A_VARIABLE_WITH_A_NAME: std::sync::Mutex<[u64; 9]> = std::sync::Mutex::new([3; 9]);

#[test]
fn finds_the_modules_of_this_process() {
    let image = image_of_this_process();
    let mut gaps = Gaps::default();
    let modules = ModuleSet::load(&image, &SearchPaths::default(), &mut gaps);
    for (_, m) in modules.iter() {
        println!("{:x}-{:x} {} {:?} {:?}", m.base, m.end, m.path, m.matched, m.symbol_level());
    }
    println!("{gaps:?}");
    let here = a_function_with_a_name as *const () as usize as u64;
    let own = modules.get(modules.at(here).unwrap());
    assert!(own.is_executable);
    assert!(matches!(own.matched, ModuleMatch::Verified | ModuleMatch::Compatible));
    assert!(modules.iter().any(|(_, m)| &*m.name == "[vdso]" && m.matched == ModuleMatch::Verified));
    assert!(gaps.is_empty());
}

#[test]
fn names_code_and_data_of_this_process() {
    let image = image_of_this_process();
    let mut gaps = Gaps::default();
    let modules = ModuleSet::load(&image, &SearchPaths::default(), &mut gaps);
    let here = a_function_with_a_name as *const () as usize as u64;
    let frames = symbols::resolve(&modules, &[here, 0x10], &mut gaps);
    let last = frames[0].last().unwrap();
    assert_eq!(last.function.as_deref(), Some("modules_self::a_function_with_a_name"));
    assert!(last.file.as_deref().unwrap().ends_with("tests/modules_self.rs"));
    assert_eq!(frames[1], [Default::default()]);
    let data = &raw const A_VARIABLE_WITH_A_NAME as u64;
    let places = symbols::data_places(&modules, &[data + 8, 0x10]);
    let place = places[0].as_ref().unwrap();
    let (name, offset) = place.symbol.as_ref().unwrap();
    assert_eq!((&**name, *offset), ("modules_self::A_VARIABLE_WITH_A_NAME", 8));
    assert_eq!(place.section.as_deref(), Some(".data"));
    assert_eq!(places[1], None);
}

#[test]
fn code_comes_from_the_file_and_written_data_does_not() {
    let image = image_of_this_process();
    let modules = ModuleSet::load(&image, &SearchPaths::default(), &mut Gaps::default());
    let space = ProcessSpace { image: &image, modules: &modules };
    let here = a_function_with_a_name as *const () as usize as u64;
    assert!(image.memory.slice(here, 4).is_none());
    let code = space.bytes(here, 4).unwrap();
    // The same bytes as the kernel shows them.
    let mut live = [0; 4];
    std::os::unix::fs::FileExt::read_at(&std::fs::File::open("/proc/self/mem").unwrap(), &mut live, here)
        .unwrap();
    assert_eq!(code, live);
    assert!(space.is_executable(here) && !space.is_writable(here));
    assert!(space.bytes(0x10, 1).is_none());
}
