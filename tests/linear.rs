//! Cost grows in line with threads, locks and stacks: eight times as much of them must take less than 24 times
//! as long, where a quadratic step takes 64 times.

use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use logjam::input::NoProgress;
use logjam::pipeline::{Options, analyze};
use logjam::report::{self, Document, View};

/// Goroutines of which each waits for a mutex that it shares with one other, all in one function.
fn many_locks(threads: usize) -> String {
    let mut text = String::new();
    for n in 0..threads {
        let mutex = 0xc000100000_u64 + n as u64 / 2 * 64;
        let _ = write!(
            text,
            "goroutine {} [sync.Mutex.Lock, 5 minutes]:\nsync.(*Mutex).lockSlow(0x{mutex:x})\n\t/go/src/sync/mutex.go:171 +0x15d\n\
             sync.(*Mutex).Lock(...)\n\t/go/src/sync/mutex.go:90\nexample.com/app.(*Cell).Set(0x{mutex:x})\n\t/src/cell.go:20 +0x44\n\
             main.worker{}()\n\t/src/main.go:9 +0x10\n\n",
            n + 1,
            n % 1000
        );
    }
    text
}

/// Goroutines of which every second one is inside the function that takes the locks of the others.
fn many_inside(threads: usize) -> String {
    let mut text = String::new();
    for n in 0..threads {
        let mutex = 0xc000100000_u64 + n as u64 / 2 * 64;
        let (state, top) = match n % 2 {
            0 => ("syscall", "syscall.write(0x3)\n\t/go/x.go:5 +0x1\n".to_owned()),
            _ => (
                "sync.Mutex.Lock",
                format!(
                    "sync.(*Mutex).lockSlow(0x{mutex:x})\n\t/go/src/sync/mutex.go:171 +0x15d\nsync.(*Mutex).Lock(...)\n\t/go/src/sync/mutex.go:90\n"
                ),
            ),
        };
        let _ = write!(
            text,
            "goroutine {} [{state}, 5 minutes]:\n{top}example.com/app.(*Cell).Set(0x{mutex:x})\n\t/src/cell.go:20 +0x44\n\
             main.worker{}()\n\t/src/main.go:9 +0x10\n\n",
            n + 1,
            n % 1000
        );
    }
    text
}

/// Pairs of Java's threads that wait for each other.
fn many_deadlocks(threads: usize) -> String {
    let mut text = String::from("Full thread dump OpenJDK 64-Bit Server VM (17.0.15+6 mixed mode):\n\n");
    for n in 0..threads {
        let _ = write!(
            text,
            "\"t{n}\" #{} prio=5 os_prio=0 cpu=1.00ms elapsed=1.00s tid=0x{:016x} nid=0x{:x} waiting for monitor entry  [0x0000000000000000]\n   \
             java.lang.Thread.State: BLOCKED (on object monitor)\n\tat A.f(A.java:9)\n\t- waiting to lock <0x{:016x}> (a L)\n\t- locked <0x{:016x}> (a L)\n\n",
            n + 10,
            n + 4096,
            n + 77,
            (n ^ 1) + 65536,
            n + 65536
        );
    }
    text
}

/// Stacks of a profile, each with a function of its own.
fn many_samples(stacks: usize) -> String {
    (0..stacks).fold(String::new(), |mut text, n| {
        let _ = writeln!(text, "main;serve;handle_{n};work {}", n % 7 + 1);
        text
    })
}

fn time(text: &str, path: &Path) -> Duration {
    std::fs::write(path, text).unwrap();
    let started = Instant::now();
    let diagnosis = analyze(&[path.to_owned()], &Options::default(), &NoProgress);
    let document = Document::of(&diagnosis);
    for id in ["text", "json"] {
        (report::find(id).unwrap().write)(&document, &View::default(), &mut std::io::sink()).unwrap();
    }
    let took = started.elapsed();
    assert_eq!(diagnosis.snapshots.len(), 1);
    took
}

#[test]
fn no_step_is_quadratic() {
    type Make = fn(usize) -> String;
    let cases: &[(&str, Make, usize)] = &[
        ("locks", many_locks, 3_000),
        ("inside", many_inside, 3_000),
        ("deadlocks", many_deadlocks, 3_000),
        ("samples", many_samples, 3_000),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (name, make, count) in cases {
        let path = folder.path().join(name);
        let small = time(&make(*count), &path);
        let large = time(&make(count * 8), &path);
        // Eight times as much: 8 in line, 64 where it is quadratic.
        let ratio = large.as_secs_f64() / small.as_secs_f64().max(0.005);
        assert!(ratio < 24.0, "{name}: {small:?} for {count}, {large:?} for eight times as many");
    }
}
