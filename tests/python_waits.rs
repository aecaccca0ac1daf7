//! What the texts about Python say of threads beyond their frames: who has the interpreter lock, what is not said at
//! all, how deep a recursion is at least.

mod common;

use common::report_of as report;
use serde_json::Value;

fn states(report: &Value) -> Vec<&str> {
    let threads = report["snapshots"][0]["thread_list"].as_array().unwrap();
    threads.iter().map(|thread| thread["state"].as_str().unwrap()).collect()
}

/// What is said of the one interpreter lock: how many wait for it, who has it, and how that is known.
fn gil(report: &Value) -> (u64, &str, &str) {
    let locks = report["snapshots"][0]["locks"].as_array().unwrap();
    let gils: Vec<&Value> = locks.iter().filter(|lock| lock["kind"] == "gil").collect();
    assert_eq!(gils.len(), 1, "{locks:?}");
    let holder = &gils[0]["holder"];
    let text =
        |value: &'_ Value| -> &str { Box::leak(value.as_str().unwrap_or("").to_owned().into_boxed_str()) };
    (gils[0]["waiters"]["count"].as_u64().unwrap(), text(&holder["thread"]["id"]), text(&holder["certainty"]))
}

/// As many threads as are a jam, which wait for the interpreter lock.
const WAITERS: u64 = 12;

fn py_spy(owner: &str) -> Value {
    let waiters: String = (0..WAITERS)
        .map(|n| {
            format!(
                "Thread {} (idle): \"w\"\n    take_gil (libpython3.11.so.1.0)\n    count (till.py:22)\n",
                100 + n
            )
        })
        .collect();
    report(&format!(
        "Process 5: python till.py\nPython v3.11.2 (/usr/bin/python3.11)\n\nThread 50 (active+gil): \"main\"\n{owner}{waiters}"
    ))
}

#[test]
fn whoever_has_the_gil_in_py_spys_words_has_the_one_that_others_take() {
    let report = py_spy("    read (libc.so.6)\n    open_drawer (drawer.so)\n    pay (till.py:15)\n");
    assert_eq!(gil(&report), (WAITERS, "50", "reported"));
    let finding = &report["findings"][0];
    assert_eq!((&finding["rule"], &finding["severity"]), (&"lock-contention".into(), &"critical".into()));
    // That they wait for it is concluded from the names of functions.
    assert_eq!(finding["confidence"], "likely");
}

#[test]
fn threads_that_compute_take_turns() {
    let report = py_spy("    pay (till.py:15)\n");
    assert_eq!(gil(&report), (WAITERS, "50", "reported"));
    assert_eq!(report["findings"][0]["severity"], "medium");
}

fn pystack(owner: &str, waiters: u64) -> Value {
    let waiters: String = (0..waiters)
        .map(|n| {
            format!(
                "\nTraceback for thread {} (till) [Waiting for the GIL] (most recent call last):\n    (Python) File \"till.py\", line 22, in count\n",
                100 + n
            )
        })
        .collect();
    report(&format!("Traceback for thread 50 (till) {owner}{waiters}"))
}

#[test]
fn whoever_has_the_gil_in_pystacks_words_is_named() {
    let owner = "[Has the GIL] (most recent call last):\n    (Python) File \"till.py\", line 15, in pay\n    \
                 (C) File \"./drawer.c\", line 44, in open_drawer (/srv/till/drawer.so)\n    \
                 (C) File \"???\", line 0, in read (/usr/lib/libc.so.6)\n";
    let report = pystack(owner, WAITERS);
    assert_eq!(gil(&report), (WAITERS, "50", "reported"));
    assert_eq!(states(&report)[1..], ["runtime"; WAITERS as usize]);
    let thread = &report["snapshots"][0]["thread_list"][1];
    assert_eq!(thread["waits_for"]["certainty"], "reported");
    let finding = &report["findings"][0];
    assert_eq!((&finding["rule"], &finding["severity"]), (&"runtime-stall".into(), &"high".into()));
    assert!(finding["summary"].as_str().unwrap().contains("Thread 50 has the interpreter lock"));
    assert_eq!(finding["location"]["function"], "open_drawer");
}

#[test]
fn whoever_collects_with_the_gil_does_not_wait_for_it() {
    let owner = "[Has the GIL,Garbage collecting] (most recent call last):\n    (Python) File \"till.py\", line 15, in pay\n";
    let report = pystack(owner, 5);
    let finding = &report["findings"][0];
    assert_eq!((&finding["rule"], &finding["threads"]["count"]), (&"runtime-stall".into(), &5.into()));
    assert!(finding["summary"].as_str().unwrap().contains("collects garbage"));
}

const FRAMES: &str =
    "  File \"/srv/till.py\", line 6 in count\n  File \"/srv/till.py\", line 9 in <module>\n";

/// A call into C leaves no frame: who stands in a function of Python may run, sleep or wait there.
#[test]
fn no_state_is_made_up_where_none_is_said() {
    let (first, _) = FRAMES.split_once('\n').unwrap();
    let report = report(&format!(
        "Thread 0x02 (most recent call first):\n{first}\n\nThread 0x01 (most recent call first):\n{FRAMES}"
    ));
    assert_eq!(states(&report), ["unknown", "unknown"]);
    let text = "Traceback for thread 50 (till) [] (most recent call last):\n    (Python) File \"till.py\", line 15, in pay\n\
                \nTraceback for thread 51 (till) [Has the GIL] (most recent call last):\n    (Python) File \"till.py\", line 15, in pay\n\
                \nTraceback for thread 52 (till) [Dozing] (most recent call last):\n    (Python) File \"till.py\", line 15, in pay\n";
    assert_eq!(states(&self::report(text)), ["unknown", "running", "unknown"]);
}

#[test]
fn whoever_ends_the_process_runs() {
    let fatal = format!(
        "Fatal Python error: drawer is open\n\nCurrent thread 0x01 (most recent call first):\n{FRAMES}"
    );
    assert_eq!(states(&report(&fatal)), ["running"]);
    let traceback = "Traceback (most recent call last):\n  File \"/srv/till.py\", line 9, in <module>\n    pay()\nValueError: 3\n";
    assert_eq!(states(&report(traceback)), ["running"]);
}

#[test]
fn a_recursion_is_as_deep_as_is_shown_at_least() {
    let text = format!(
        "Fatal Python error: Stack overflow\n\nCurrent thread 0x01 (most recent call first):\n{}  ...\n",
        "  File \"/srv/till.py\", line 6 in count\n".repeat(100)
    );
    let report = report(&text);
    let finding = &report["findings"][0];
    assert_eq!(finding["rule"], "stack-overflow");
    assert!(finding["title"].as_str().unwrap().ends_with("at least 100 frames deep"), "{}", finding["title"]);
    let counted = "Traceback (most recent call last):\n  File \"/srv/till.py\", line 9, in <module>\n    count()\n  \
                   File \"/srv/till.py\", line 6, in count\n    count()\n  [Previous line repeated 994 more times]\n\
                   RecursionError: maximum recursion depth exceeded\n";
    let title = self::report(counted)["findings"][0]["title"].as_str().unwrap().to_owned();
    assert!(title.ends_with(", 996 frames deep"), "{title}");
}

/// It follows from the name of a function.
#[test]
fn the_end_of_a_child_is_concluded() {
    let report = report(
        "Process 5: python till.py\nPython v3.11.2 (/usr/bin/python3.11)\n\nThread 5 (idle): \"main\"\n    \
         wait (subprocess.py:1264)\n    pay (till.py:9)\n",
    );
    assert_eq!(states(&report), ["join-wait"]);
    assert_eq!(report["snapshots"][0]["thread_list"][0]["waits_for"]["certainty"], "inferred");
}

/// A module that reads while it is imported, and threads that import it too: CPython 3.11's faulthandler.
#[test]
fn who_imports_a_module_has_its_lock() {
    let thread = |id: u32, calls: &str| {
        format!(
            "Thread 0x{id:016x} (most recent call first):\n{calls}  File \"/srv/till.py\", line 28 in open_till\n  File \"/usr/lib/python3.11/threading.py\", line 982 in run\n\n"
        )
    };
    let frozen = |line: u32, function: &str| {
        format!("  File \"<frozen importlib._bootstrap>\", line {line} in {function}\n")
    };
    let waits = frozen(120, "acquire") + &frozen(224, "_lock_unlock_module");
    let imports = "  File \"/srv/drivers.py\", line 3 in <module>\n".to_owned()
        + &frozen(241, "_call_with_frames_removed")
        + &frozen(690, "_load_unlocked")
        + &frozen(1147, "_find_and_load_unlocked")
        + &frozen(1176, "_find_and_load");
    let text = thread(1, &waits) + &thread(2, &waits) + &thread(3, &imports) + &thread(4, &waits);
    let report = report(&text);
    let lock = &report["snapshots"][0]["locks"][0];
    assert_eq!(
        (&lock["kind"], &report["findings"][0]["blocked"]["direct"]),
        (&"python-lock".into(), &3.into())
    );
    assert_eq!(lock["holder"]["thread"]["id"], "0x0000000000000003", "{lock:#}");
}
