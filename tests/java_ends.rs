//! How JVMs end: the place that is named.

mod common;

use common::{invariants, isolated, json};

/// The function that a crash in this stack is said to be in.
fn place(reason: &str, frames: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("hs_err.log");
    let text = format!(
        "#\n# A fatal error has been detected by the Java Runtime Environment:\n#\n#  {reason}, pid=7, tid=8\n#\n\n\
         Current thread (0x1000):  JavaThread \"till-7\" [_thread_in_native, id=8, stack(0x1000,0x2000)]\n\n\
         Native frames: (J=compiled Java code, j=interpreted, Vv=VM code, C=native code)\n{}\n\nEND.\n",
        frames.join("\n")
    );
    std::fs::write(&file, text).expect("a file");
    let report = json(&[file], &isolated());
    let broken = invariants::broken(&report);
    assert!(broken.is_empty(), "{broken:#?}");
    let all = report["findings"].as_array().expect("findings");
    let crash = all.iter().find(|f| f["rule"] == "crash").unwrap_or_else(|| panic!("no crash: {all:#?}"));
    crash["location"]["function"].as_str().expect("a function").to_owned()
}

const SIGNAL: &str = "SIGSEGV (0xb) at pc=0x00007f4dec6d27f4";
const ERROR: &str = "Internal Error (till.cpp:7)";

/// The C library does what it is told, and so does the JVM; where nobody told it, it is its own fault.
#[test]
fn who_called_the_runtime_is_the_place() {
    let library = "C  [libtill.so+0x12]  till_open+0x5";
    let java = "j  shop.Till.open(J)V+0";
    let own = "V  [libjvm.so+0x31]  SymbolTable::walk(int)+0x9";
    for (reason, frames, function) in [
        (SIGNAL, vec!["C  [libc.so.6+0x9c1]  strlen+0x1d", library, java], "till_open"),
        (SIGNAL, vec!["C  [VCRUNTIME140.dll+0x9c1]  wcscpy_s+0x1d", library], "till_open"),
        (SIGNAL, vec!["C  [libtill.so+0x9c1]  strlen_of_till+0x1d", library], "strlen_of_till"),
        (SIGNAL, vec!["v  ~StubRoutines::copy_of_bytes", java], "shop.Till.open"),
        (
            SIGNAL,
            vec!["V  [libjvm.so+0x1]  Unsafe_Get+0x1", "j  sun.misc.Unsafe.get(J)I+0", java],
            "shop.Till.open",
        ),
        (SIGNAL, vec![own, "C  [libc.so.6+0x891c4]  start_of_all+0x2"], "SymbolTable::walk"),
    ] {
        assert_eq!(place(reason, &frames), function, "{frames:?}");
    }
    for ends in [
        "report_vm_error(char const*, int, char const*)",
        "report_vm_out_of_memory(char const*, int)",
        "report_should_not_reach_here(char const*, int)",
        "report_fatal(char const*, int)",
    ] {
        let first = "V  [libjvm.so+0x11]  VMError::report_and_die(int)+0x4";
        let frames = [first, &format!("V  [libjvm.so+0x21]  {ends}+0x8"), own];
        assert_eq!(place(ERROR, &frames), "SymbolTable::walk", "{ends}");
    }
}
