use super::super::testing::{functions, holds, read_bytes, read_one, survives_logs, threads};
use crate::model::{LockId, ReportedState, ThreadIx};

const DUMP: &str = "Process 96595: python shop.py 2
Python v3.11.2 (/usr/bin/python3.11)

Thread 96595 (idle): \"MainThread\"
    0x7f952b654f16 (libc.so.6)
    PyThread_acquire_lock_timed (python3.11)
    Thread.join (threading.py:1112)
        Arguments:
            self: <Thread at 0x7f952adde510>
            text: \"Thread 1 (idle)\"
    <module> (shop.py:256)
Thread 96600 (active+gil): \"spin (idle): \"x\"\"
    std::vector<int>::push_back(int const&) (vector.tcc:112)
    spin (shop.py:10)
Thread 0x7F768F77C740 (idle)
    wait (threading.py:295)
    parked at the gate
";

#[test]
fn threads_states_and_frames() {
    let snapshot = read_one(DUMP);
    assert_eq!(snapshot.process.pid, Some(96595));
    assert_eq!(snapshot.process.command_line.as_deref(), Some("python shop.py 2"));
    assert_eq!(snapshot.process.runtime.as_deref(), Some("Python 3.11.2"));
    let got = threads(&snapshot);
    let main = ["??", "PyThread_acquire_lock_timed", "Thread.join", "<module>"];
    assert_eq!(got[0], ("96595".into(), Some("MainThread".into()), main.map(String::from).to_vec()));
    assert_eq!(got[1].1.as_deref(), Some("spin (idle): \"x\""));
    assert_eq!(got[1].2, ["std::vector<int>::push_back(int const&)", "spin"]);
    assert_eq!((got[2].0.as_str(), &got[2].1), ("0x7F768F77C740", &None));
    assert_eq!(snapshot.threads[1].reported, Some(ReportedState::Running));
    assert_eq!(holds(&snapshot, 1), [LockId::Token("GIL".into())]);
    let top = snapshot.stacks.frames_of(snapshot.threads[0].stack)[0];
    assert_eq!(snapshot.stacks.get(top).address, Some(0x7f95_2b65_4f16));
    assert_eq!(snapshot.stacks.get(top).module.as_deref(), Some("libc.so.6"));
    assert_eq!(snapshot.gaps.iter().map(|g| g.count).collect::<Vec<_>>(), [1]);
}

#[test]
fn in_logs_and_damaged() {
    survives_logs(DUMP);
}

#[test]
fn several_processes() {
    let text = format!("{DUMP}=== PID 7 ===\n{}{DUMP}", DUMP.replace("Process 96595", "Process 7"));
    let pids: Vec<_> = read_bytes(text.as_bytes()).iter().map(|s| s.process.pid).collect();
    assert_eq!(pids, [Some(96595), Some(7), Some(96595)]);
    let without = &DUMP[DUMP.find("Thread 96595").unwrap()..];
    assert_eq!(read_bytes(format!("{without}{without}").as_bytes()).len(), 2);
}

/// What a newer release says of a thread is counted, and each thread keeps its own frames.
#[test]
fn what_is_new_in_a_header_is_counted() {
    let dump = |first: &str, second: &str| {
        format!(
            "Process 5: python till.py\nPython v3.11.2 (/usr/bin/python3.11)\n\n\
             Thread 5 {first}\n    f (till.py:1)\nThread 6 {second}\n    g (till.py:2)\n"
        )
    };
    use ReportedState::{Asleep, RunningOrNative, Unclear};
    for (second, name, state, has_gil, unknown) in [
        ("(dozing): \"w\"", Some("w"), Unclear, false, "dozing"),
        ("(dozing)", None, Unclear, false, "dozing"),
        ("(dozing+gil): \"w\"", Some("w"), Unclear, true, "dozing+gil"),
        ("(active+nogil): \"w\"", Some("w"), RunningOrNative, false, "active+nogil"),
        ("[core 3] (idle): \"w (idle)\"", Some("w (idle)"), Asleep, false, "[core 3]"),
        ("(idle) [core 3]: \"w\"", Some("w"), Asleep, false, "[core 3]"),
        ("waits", None, Unclear, false, "waits"),
    ] {
        let snapshot = read_one(&dump("(idle)", second));
        let got: Vec<_> = threads(&snapshot).into_iter().map(|(id, _, frames)| (id, frames)).collect();
        assert_eq!(got, [("5".into(), vec!["f".to_owned()]), ("6".into(), vec!["g".into()])], "{second}");
        let thread = &snapshot.threads[1];
        assert_eq!((thread.name.as_deref(), thread.reported), (name, Some(state)), "{second}");
        assert_eq!(holds(&snapshot, 1).len(), usize::from(has_gil), "{second}");
        let gaps: Vec<_> = snapshot.gaps.iter().map(|g| (g.count, g.message.ends_with(unknown))).collect();
        assert_eq!(gaps, [(1, true)], "{second}: {:?}", snapshot.gaps);
        // Where every header has it.
        let text = dump(second, second);
        assert_eq!(read_one(&text).threads.len(), 2, "{text}");
        let logged: String = text.lines().map(|line| format!("till_1  | {line}\n")).collect();
        assert_eq!(read_one(&logged).threads.len(), 2, "{logged}");
    }
    // Talk amid the frames begins no thread.
    let text = dump("(idle)", "(idle)").replace("    g", "Thread 7 (of 8) is done\n\n    g");
    assert_eq!(read_one(&text).threads.len(), 2);
}

#[test]
fn talk_is_no_dump() {
    for text in [
        "worker 3 (idle)\n",
        "Thread pool (active): 3\n",
        "Thread x (idle): \"y\"\n",
        "\"owns_gil\" is a key\n",
    ] {
        assert!(read_bytes(text.as_bytes()).is_empty(), "{text}");
    }
}

const JSON: &str = r#"[
  {
    "pid": 14479,
    "thread_id": 140278625572544,
    "thread_name": "worker-59",
    "os_thread_id": 14614,
    "active": true,
    "owns_gil": true,
    "made_up": {"next": 1},
    "frames": [
      {"name": "Handler.acquire", "filename": "/usr/lib/python3.11/logging/__init__.py", "module": null, "line": 927, "locals": null}
    ]
  },
  {
    "pid": 14480,
    "thread_id": 140278625572544,
    "thread_name": null,
    "os_thread_id": null,
    "active": false,
    "owns_gil": false,
    "frames": []
  }
]
"#;

#[test]
fn json_of_two_processes() {
    let snapshots = read_bytes(JSON.as_bytes());
    assert_eq!(snapshots.iter().map(|s| s.process.pid).collect::<Vec<_>>(), [Some(14479), Some(14480)]);
    let [first, second] = snapshots.as_slice() else { panic!() };
    assert_eq!(first.threads[0].tid, Some(14614));
    assert_eq!(first.threads[0].reported, Some(ReportedState::Running));
    assert_eq!(functions(first, ThreadIx(0)), ["Handler.acquire"]);
    assert_eq!(holds(first, 0), [LockId::Token("GIL".into())]);
    assert!(first.gaps.iter().any(|g| g.message.contains("made_up")));
    assert_eq!(
        second.threads[0].id.to_string(),
        "0x7F9546B21000".to_owned().replace("0x7F9546B21000", &format!("{:#X}", 140_278_625_572_544u64))
    );
    let next = JSON.replacen("\"active\": true", "\"active\": \"dozing\"", 1);
    let next = &read_bytes(next.as_bytes())[0];
    assert_eq!(next.threads[0].reported, Some(ReportedState::Unclear));
    assert!(next.gaps.iter().any(|g| g.message.ends_with("\"dozing\"")));
    let cut = read_bytes(&JSON.as_bytes()[..JSON.find("14480").unwrap()]);
    assert!(cut.len() == 1 && !cut[0].is_complete);
    let compact: String = JSON.lines().map(str::trim).collect();
    assert_eq!(read_bytes(compact.as_bytes()).len(), 2);
    let logged: String = JSON.lines().map(|line| format!("shop-1  | {line}\n")).collect();
    assert_eq!(read_bytes(logged.as_bytes()).len(), 2);
    for at in 0..JSON.len() {
        read_bytes(&JSON.as_bytes()[..at]);
    }
}
