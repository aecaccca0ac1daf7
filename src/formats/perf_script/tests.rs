use super::*;
use crate::formats::testing::read;

#[test]
fn headers() {
    for (line, command, tid, event) in [
        ("go  6157  1224.147545:     250000 cpu-clock:uhH:", "go", 6157, "cpu-clock:uhH"),
        ("log worker 4 30126/30130 [001]  1779.200414:   20408163 cycles:", "log worker 4", 30130, "cycles"),
        ("java  3244 cpu-clock:", "java", 3244, "cpu-clock"),
        ("         swapper     0 [000] 25.4: cycles:P:", "swapper", 0, "cycles:P"),
        ("a  1 [002] d.h. 25.4:  1 cycles:", "a", 1, "cycles"),
        ("a  1/-1 25.4:  1 cycles:", "a", 1, "cycles"),
    ] {
        let sample = sample(line).unwrap_or_else(|| panic!("{line}"));
        assert_eq!((sample.command, sample.tid, sample.event), (command, tid, event), "{line}");
    }
    for line in ["payment 90840 declined: insufficient funds", "a: b", "", "7 8", "took 12 ms: slow"] {
        assert!(sample(line).is_none(), "{line}");
    }
}

#[test]
fn frames() {
    for (line, function, module) in [
        (
            "\t 414297 runtime.mapassign_faststr+0x277 (/usr/lib/go/bin/go)",
            Some("runtime.mapassign_faststr"),
            Some("/usr/lib/go/bin/go"),
        ),
        (
            "\tffffffff81051586 native_safe_halt ([kernel.kallsyms])",
            Some("native_safe_halt"),
            Some("[kernel.kallsyms]"),
        ),
        ("\t7f12 [unknown] ([unknown])", None, None),
        ("\t7f12 (/lib/libc-2.15.so)", None, Some("/lib/libc-2.15.so")),
        (
            "\t12 Foo::bar(int, char const*)+0x1 (/srv/a b/lib.so (deleted))",
            Some("Foo::bar(int, char const*)"),
            Some("/srv/a b/lib.so"),
        ),
        ("\t12 tiny (inlined)", Some("tiny"), None),
    ] {
        let frame = frame(line).unwrap_or_else(|| panic!("{line}"));
        assert_eq!((frame.function.as_deref(), frame.module.as_deref()), (function, module), "{line}");
    }
}

#[test]
fn samples_are_counted_and_the_idle_task_rests() {
    let text = "# captured on    : Thu Nov 19 01:36:57 2015\n#\nlogd  7  1.5:  1 cycles:\n\t 12 spin+0x1 (/srv/logd)\n\nswapper     0 [000]  1.6:  1 cycles:\n\tffff native_safe_halt ([kernel.kallsyms])\n\n";
    let snapshots = read(text);
    assert_eq!((snapshots[0].listing, snapshots[0].total()), (Listing::Samples, 2));
    let states: Vec<_> = snapshots[0].threads.iter().map(|t| t.reported).collect();
    assert_eq!(states, [Some(ReportedState::Running), None]);
    let logged: String =
        text.lines().map(|line| format!("[2025-03-14 02:28:16,490] INFO  {line}\n")).collect();
    assert_eq!(read(&logged)[0].total(), 2);
}

/// Without a call graph each sample is a line.
#[test]
fn samples_of_one_frame() {
    let lines = [
        "   log worker 4  2716 [001] 155532.101202:     250000 cpu-clock:  ffffffff8a2b3c4d native_queued_spin_lock_slowpath ([kernel.kallsyms])",
        "   log worker 4  2717 [000] 155532.101207:     250000 cpu-clock:      55d0c3b1a2f0 applog::Sink::lock(int)+0x1f (/opt/shop/bin/shop (deleted))",
        "        swapper     0 [000] 155532.101457:     250000 cpu-clock:  ffffffff8a2b0001 native_safe_halt ([kernel.kallsyms])",
        "   log worker 4  2717 [000] 155532.101707:     250000 cpu-clock:                 0 [unknown] ([unknown])",
    ];
    let text = lines.join("\n") + "\n";
    let snapshot = &read(&text)[0];
    let told: Vec<_> = snapshot
        .threads
        .iter()
        .map(|thread| {
            let frames = snapshot.stacks.frames_of(thread.stack);
            let function = frames.first().and_then(|ix| snapshot.stacks.get(*ix).function.as_deref());
            (thread.name.as_deref().unwrap(), function, thread.reported.is_some(), frames.len())
        })
        .collect();
    assert_eq!(
        told,
        [
            ("log worker 4", Some("native_queued_spin_lock_slowpath"), true, 1),
            ("log worker 4", Some("applog::Sink::lock(int)"), true, 1),
            ("swapper", Some("native_safe_halt"), false, 1),
            ("log worker 4", None, true, 1),
        ]
    );
    // A log talks of cycles.
    assert!(!crate::formats::testing::is_found(
        FORMAT.id,
        "app  12  3.5 cycles: 12 done (ok)\nwe saw 3 cycles: a (b)\n"
    ));
}
