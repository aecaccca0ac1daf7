//! DWARF that dwz split: names that stand in a shared supplement. dwz itself is not needed: the few bytes
//! of DWARF are written here in assembler.

mod modules_support;

use logjam::model::Gaps;
use logjam::modules::{ModuleSet, SearchPaths};
use logjam::symbols;
use modules_support::{core_of, image_of_core, run};

/// A unit with one function, whose `DW_AT_abstract_origin` (0x31) has `DW_FORM_GNU_ref_alt` (0x1f20); the unit's
/// name (3) has `DW_FORM_GNU_strp_alt` (0x1f21).
const PROGRAM: &str = r#"
    .text
    .globl main
    .type main, @function
main:
    .cfi_startproc
    push %rbp
    .cfi_def_cfa_offset 16
    call abort@PLT
    .cfi_endproc
.Lend:
    .size main, .-main
    .section .debug_abbrev,"",@progbits
    .uleb128 1; .uleb128 0x11; .byte 1          # compile_unit
    .uleb128 3; .uleb128 0x1f21; .uleb128 0x11; .uleb128 1; .uleb128 0x12; .uleb128 7; .byte 0, 0
    .uleb128 2; .uleb128 0x2e; .byte 0          # subprogram
    .uleb128 0x31; .uleb128 0x1f20; .uleb128 0x11; .uleb128 1; .uleb128 0x12; .uleb128 7; .byte 0, 0
    .byte 0
    .section .debug_info,"",@progbits
    .long .Linfo_end - .Linfo
.Linfo:
    .value 4; .long 0; .byte 8
    .uleb128 1; .long 0; .quad main; .quad .Lend - main
    .uleb128 2; .long 12; .quad main; .quad .Lend - main
    .byte 0
.Linfo_end:
    .section .gnu_debugaltlink,"",@progbits
    .asciz "../shared/supplement.debug"
    .byte 1, 2, 3, 4, 5, 6, 7, 8
    .section .note.GNU-stack,"",@progbits
"#;

/// A partial unit with one function at offset 12, named by a string.
const SUPPLEMENT: &str = r#"
    .section .debug_abbrev,"",@progbits
    .uleb128 1; .uleb128 0x3c; .byte 1; .byte 0, 0                        # partial_unit
    .uleb128 2; .uleb128 0x2e; .byte 0; .uleb128 3; .uleb128 8; .byte 0, 0 # subprogram, name
    .byte 0
    .section .debug_info,"",@progbits
    .long .Linfo_end - .Linfo
.Linfo:
    .value 4; .long 0; .byte 8
    .uleb128 1
    .uleb128 2; .asciz "named_in_the_supplement"
    .byte 0
.Linfo_end:
    .section .debug_str,"MS",@progbits,1
    .asciz "unit.c"
    .section .note.GNU-stack,"",@progbits
"#;

#[test]
fn names_come_from_the_supplement_of_the_right_build_id() {
    if !cfg!(target_arch = "x86_64") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (own, shared) = (dir.path().join("own"), dir.path().join("shared"));
    std::fs::create_dir(&own).unwrap();
    std::fs::create_dir(&shared).unwrap();
    std::fs::write(own.join("prog.s"), PROGRAM).unwrap();
    std::fs::write(shared.join("supplement.s"), SUPPLEMENT).unwrap();
    let supplement = |id: &str| {
        let id = format!("-Wl,--build-id=0x{id}");
        run("gcc", &shared, &["-shared", "-nostdlib", &id, "supplement.s", "-o", "supplement.debug"])
    };
    if run("gcc", &own, &["prog.s", "-o", "prog"]).is_none() || supplement("0102030405060708").is_none() {
        return;
    }
    let Some(core) = core_of(&own.join("prog")) else { return };
    let image = image_of_core(&core);
    let name = || {
        let modules = ModuleSet::load(&image, &SearchPaths::default(), &mut Gaps::default());
        let own = modules.iter().map(|(_, m)| m).find(|m| m.is_executable).unwrap();
        let main = symbols_of(&own.file.as_ref().unwrap().bytes).wrapping_add(own.bias);
        let frames = symbols::resolve(&modules, &[main + 2], &mut Gaps::default());
        frames[0].last().unwrap().function.as_deref().map(str::to_owned)
    };
    assert_eq!(name().as_deref(), Some("named_in_the_supplement"));
    supplement("0102030405060709").unwrap();
    assert_eq!(name().as_deref(), Some("main"));
}

/// The address of `main` in the file.
fn symbols_of(bytes: &[u8]) -> u64 {
    use object::{Object, ObjectSymbol};
    let file = object::File::parse(bytes).unwrap();
    file.symbol_by_name("main").unwrap().address()
}
