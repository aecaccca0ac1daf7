//! Programs built, run and dumped on this machine, with its compiler, libc and kernel. Where there is no C
//! compiler, or dumps do not become files, each test says so and does nothing.
//!
//! `LOGJAM_LIVE_LARGE=1` adds a core of 32,767 threads.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::facts::{differences, list};
use common::live::{Dumped, Live, facts, shown};
use serde_json::{Value, json};

#[track_caller]
fn holds(report: &Value, expect: Value) {
    let wrong = differences(report, &expect);
    assert!(wrong.is_empty(), "{}\nverdict: {:#}", wrong.join("\n"), report["verdict"]);
}

/// The jam of `trace-mutex`: so many wait for its mutex, whose holder is in `write`.
fn trace_jam(dumped: &Dumped, waiters: u64, name: Option<&str>) -> Value {
    let mut finding = json!({
        "rule": "lock-contention", "confidence": "certain", "threads.count": waiters, "lock.kind": "pthread-mutex",
        "lock.address": dumped.facts["lock"], "holder.kind": "thread", "holder.certainty": "read",
        "holder.thread.id": dumped.facts["holder"], "holder.doing": {"re": "write"},
    });
    if let Some(name) = name {
        finding["lock.name"] = name.into();
    }
    finding
}

#[test]
fn two_hundred_threads_on_a_mutex() {
    let Some(live) = Live::new() else { return };
    let dumped = live.dump(&live.build("trace-mutex", &[]), &["200", "10"]);
    let report = live.report(&dumped.core, &[]);
    holds(
        &report,
        json!({
            "format": "elf-core", "threads": 212, "top": trace_jam(&dumped, 200, Some("g_trace_lock")),
            "largest_cluster": {"count": 200, "state": "lock-wait", "frames": ["trace_event", "session_main"]},
            "modules": [{"name": "trace-mutex", "match": "verified", "symbols": "debug"}],
            "any": [{"rule": "crash", "crash.signal": "SIGABRT"}],
        }),
    );
}

#[test]
fn a_deadlock_of_two() {
    let Some(live) = Live::new() else { return };
    let dumped = live.dump(&live.build("opposite-order", &["-O0"]), &["2", "6"]);
    let ring = [&dumped.facts["first"], &dumped.facts["second"]];
    let report = live.report(&dumped.core, &[]);
    holds(
        &report,
        json!({"top": {"rule": "deadlock", "confidence": "certain", "severity": "critical"}, "cycle": ring}),
    );
}

#[test]
fn a_stripped_program_costs_names_only() {
    let Some(live) = Live::new() else { return };
    let dumped = live.dump(&live.build("trace-mutex", &["-s"]), &["40", "4"]);
    let report = live.report(&dumped.core, &[]);
    let mut jam = trace_jam(&dumped, 40, None);
    jam["lock.name"] = json!({"exists": false});
    holds(&report, json!({"threads": 46, "top": jam}));
}

#[test]
fn a_core_cut_at_60_percent_still_has_its_diagnosis() {
    let Some(live) = Live::new() else { return };
    let dumped = live.dump(&live.build("trace-mutex", &[]), &["40", "4"]);
    let whole = fs::metadata(&dumped.core).expect("the core").len();
    let file = fs::File::options().write(true).open(&dumped.core).expect("the core");
    file.set_len(whole * 6 / 10).expect("the core can be cut");
    let report = live.report(&dumped.core, &[]);
    assert_eq!(report["inputs"][0]["status"], "partial");
    // The page of the mutex is one of the first, that of the executable; the stacks are what is gone.
    holds(
        &report,
        json!({
            "threads": 46,
            "top": {"rule": "lock-contention", "threads.count": 40, "lock.address": dumped.facts["lock"]},
            "any": [{"rule": "incomplete-dump"}],
        }),
    );
}

/// The executable was built again since the dump: its names would be wrong, so they are not used.
#[test]
fn a_replaced_program_is_not_used() {
    let Some(live) = Live::new() else { return };
    let executable = live.build("trace-mutex", &[]);
    let dumped = live.dump(&executable, &["40", "4"]);
    live.build("trace-mutex", &["-O0", "-DREBUILT"]);
    let report = live.report(&dumped.core, &[]);
    let mut jam = trace_jam(&dumped, 40, None);
    jam["lock.name"] = json!({"exists": false});
    holds(&report, json!({"top": jam, "modules": [{"name": "trace-mutex", "match": "mismatch"}]}));
    let invented = ["trace_event", "trace_emit", "session_main"];
    let functions: Vec<String> = list(&report["snapshots"][0]["clusters"])
        .iter()
        .flat_map(|cluster| list(&cluster["frames"]))
        .map(|frame| frame["function"].to_string())
        .collect();
    assert!(!functions.iter().any(|f| invented.iter().any(|name| f.contains(name))), "{functions:?}");
}

#[test]
fn a_live_process_dumped_by_gcore() {
    let Some(live) = Live::new() else { return };
    let has = |program: &str| {
        Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    };
    if !has("gdb") || !has("gcore") {
        println!("skipped: there is no gdb with gcore");
        return;
    }
    let executable = live.build("trace-mutex", &[]);
    let printed = live.path("printed");
    let mut process = Command::new(&executable)
        .args(["40", "4", "64", "wait"])
        .stdout(fs::File::create(&printed).expect("a file"))
        .spawn()
        .expect("the program starts");
    let mut known = BTreeMap::new();
    for _ in 0..600 {
        known = facts(&fs::read_to_string(&printed).expect("what it printed"));
        if known.contains_key("ready") {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let prefix = live.path("live");
    let gcore = Command::new("gcore").arg("-o").arg(&prefix).arg(process.id().to_string()).output();
    process.kill().expect("the program can be ended");
    process.wait().expect("the program has ended");
    let gcore = gcore.expect("gcore starts");
    let core = live.path(&format!("live.{}", process.id()));
    if !core.exists() {
        println!("skipped: gcore may not attach here: {}", shown(&gcore));
        return;
    }
    assert!(known.contains_key("ready"), "{known:?}");
    let dumped = Dumped { core, facts: known };
    let report = live.report(&dumped.core, &[]);
    holds(
        &report,
        json!({
            "threads": 46, "top": trace_jam(&dumped, 40, Some("g_trace_lock")), "never": [{"rule": "crash"}],
            "states": {"lock-wait": 40},
        }),
    );
}

/// With 32,767 threads of two mappings each, more segments than the header of an ELF file can count (PN_XNUM).
#[test]
fn as_many_threads_as_a_process_may_have() {
    if std::env::var_os("LOGJAM_LIVE_LARGE").is_none() {
        println!("skipped: LOGJAM_LIVE_LARGE is not set");
        return;
    }
    let Some(live) = Live::new() else { return };
    let limit = |name: &str| -> u64 {
        let text = fs::read_to_string(format!("/proc/sys/{name}")).unwrap_or_default();
        text.trim().parse().unwrap_or(0)
    };
    // A stack and its guard are a mapping each. Others need some of the ids too.
    let mappings = limit("vm/max_map_count").saturating_sub(200) / 2;
    let ids = limit("kernel/pid_max").min(limit("kernel/threads-max")).saturating_sub(1_500);
    let threads = mappings.min(ids).min(32_767);
    let waiters = threads - 2;
    let dumped = live.dump(&live.build("trace-mutex", &[]), &[&waiters.to_string(), "0", "16"]);
    let mut header = [0; 64];
    fs::File::open(&dumped.core).and_then(|mut core| core.read_exact(&mut header)).expect("an ELF header");
    let segments = u16::from_le_bytes([header[56], header[57]]);
    println!("{threads} threads, as vm.max_map_count and kernel.pid_max allow; e_phnum is {segments}");
    let report = live.report(&dumped.core, &[]);
    let jam = trace_jam(&dumped, waiters, Some("g_trace_lock"));
    holds(&report, json!({"threads": threads, "top": jam}));
}

/// Words that only their thread waits on are no shared lock, and split no group.
#[test]
fn waiters_on_words_of_their_own_are_one_cluster() {
    let Some(live) = Live::new() else { return };
    let dumped = live.dump(&live.build("gate-words", &[]), &["12"]);
    let report = live.report(&dumped.core, &["--role", "lock=gate_enter"]);
    holds(
        &report,
        json!({
            "threads": 13, "states": {"lock-wait": 12},
            "largest_cluster": {"count": 12, "state": "lock-wait", "frames": ["gate_enter", "visit", "visitor_main"]},
            "never": [{"rule": "lock-contention"}, {"rule": "deadlock"}],
        }),
    );
}

#[test]
fn a_holder_that_waits_for_something_else_is_not_said_to_compute() {
    let Some(live) = Live::new() else { return };
    let dumped = live.dump(&live.build("holder-waits", &[]), &["20"]);
    let report = live.report(&dumped.core, &[]);
    holds(
        &report,
        json!({"top": {
            "rule": "lock-contention", "confidence": "certain", "threads.count": 20, "lock.name": "g_index_mutex",
            "holder.thread.id": dumped.facts["holder"], "holder.doing": {"re": "await_letter"},
        }}),
    );
    let advice = report["findings"][0]["advice"][0].as_str().expect("advice");
    assert!(advice.contains("waits for something else") && !advice.contains("computes"), "{advice}");
}
