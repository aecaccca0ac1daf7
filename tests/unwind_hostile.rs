//! Unwind tables that lie: a walk takes no step that they cannot justify, and ends.

mod common;

use common::{fixtures, invariants, isolated, json};
use object::{Object, ObjectSection};

const PROGRAM: &str = "crash-null";

/// The report of a fixture whose executable has this done to its `.eh_frame_hdr`.
fn report_with_header(damage: impl Fn(&mut [u8])) -> serde_json::Value {
    let cores = fixtures().join("cores");
    let mut program = std::fs::read(cores.join(PROGRAM)).expect("the program");
    let (offset, size) = {
        let file = object::File::parse(&*program).expect("an ELF file");
        file.section_by_name(".eh_frame_hdr").and_then(|s| s.file_range()).expect("the section")
    };
    damage(&mut program[offset as usize..(offset + size) as usize]);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let damaged = folder.path().join(PROGRAM);
    std::fs::write(&damaged, &program).expect("the damaged program");
    let mut options = isolated();
    options.search.executable = Some(damaged);
    options.search.debug_dirs = vec![cores.clone()];
    let report = json(&[cores.join(format!("{PROGRAM}.core.zst"))], &options);
    assert_eq!(invariants::broken(&report), Vec::<String>::new());
    report
}

/// How the frames of the thread that crashed were found.
fn trusts(report: &serde_json::Value) -> Vec<String> {
    let clusters = report["snapshots"][0]["clusters"].as_array().expect("clusters");
    let frames = clusters.iter().flat_map(|c| c["frames"].as_array().expect("frames"));
    frames.filter_map(|f| f["trust"].as_str().map(str::to_owned)).collect()
}

/// ```text
/// .eh_frame_hdr: version u8 (1), eh_frame_ptr_enc u8, fde_count_enc u8, table_enc u8,
///                eh_frame_ptr i32, fde_count u32, (location i32, FDE i32)…
/// ```
#[test]
fn the_table_of_a_whole_file_is_used() {
    let report = report_with_header(|_| {});
    assert!(trusts(&report).contains(&"cfi".into()), "{report}");
}

#[test]
fn entries_that_lead_out_of_the_section_are_no_rules() {
    for pointer in [i32::MIN, -0x1000, i32::MAX] {
        report_with_header(|header| {
            for entry in header[12..].chunks_exact_mut(8) {
                entry[4..].copy_from_slice(&pointer.to_le_bytes());
            }
        });
    }
}

#[test]
fn counts_that_are_too_large_are_not_believed() {
    for encoding in [0x03, 0x04, 0x0b, 0x0c, 0x01] {
        report_with_header(|header| {
            header[2] = encoding;
            header[8..16].fill(0xff);
        });
    }
}
