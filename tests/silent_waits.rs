//! Lock waits that leave no frame: what is concluded from where many threads stand, and what is not.

mod common;

use std::fmt::Write;

use common::{isolated, json};
use serde_json::Value;

/// Function, file, line.
type Frame = (&'static str, &'static str, u32);

/// A dump of faulthandler: how many threads have which frames, newest first.
fn dump(stacks: &[(usize, &[Frame])]) -> Value {
    let mut text = String::new();
    let mut id = 0;
    for (count, frames) in stacks {
        for _ in 0..*count {
            id += 1;
            writeln!(text, "Thread 0x{id:016x} (most recent call first):").unwrap();
            for (function, file, line) in *frames {
                writeln!(text, "  File \"/srv/shop/{file}\", line {line} in {function}").unwrap();
            }
            writeln!(text).unwrap();
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dump.txt");
    std::fs::write(&path, text).unwrap();
    json(&[path], &isolated())
}

const REQUEST: Frame = ("handle_request", "orders.py", 50);
const BASE: Frame = ("run", "threading.py", 975);

fn top(report: &Value) -> &Value {
    &report["findings"][0]
}

#[test]
fn a_function_that_logs_and_one_thread_past_its_line() {
    let report = dump(&[
        (20, &[("log_message", "applog.py", 23), REQUEST, BASE]),
        (1, &[("log_sink_write", "applog.py", 19), ("log_message", "applog.py", 24), REQUEST, BASE]),
        (30, &[("fetch_order", "orders.py", 80), BASE]),
    ]);
    let finding = top(&report);
    assert_eq!(finding["rule"], "lock-contention");
    assert_eq!(finding["confidence"], "possible");
    assert_eq!(finding["threads"]["count"], 20);
    assert_eq!(finding["holder"]["thread"]["id"], "0x0000000000000015");
}

#[test]
fn nobody_past_the_line_is_no_lock_unless_half_of_the_process_stands_there() {
    let jam: (usize, &[Frame]) = (20, &[("log_message", "applog.py", 23), REQUEST, BASE]);
    let before = (1, &[("render", "applog.py", 5), ("log_message", "applog.py", 20), REQUEST, BASE][..]);
    let other = (30, &[("fetch_order", "orders.py", 80), BASE][..]);
    assert_eq!(dump(&[jam, before, other])["findings"], serde_json::json!([]));
    let finding = top(&dump(&[jam, before])).clone();
    assert_eq!(
        (finding["rule"].as_str(), finding["holder"]["kind"].as_str()),
        (Some("lock-contention"), Some("unknown"))
    );
}

#[test]
fn other_functions_may_sleep_or_read_there() {
    // One of thirty has its answer and works on it.
    let report = dump(&[
        (29, &[("run_query", "db.py", 23), REQUEST, BASE]),
        (1, &[("convert", "db.py", 90), ("run_query", "db.py", 24), REQUEST, BASE]),
    ]);
    assert_eq!(report["findings"], serde_json::json!([]));
    // Threads that ship logs wait for them.
    let report = dump(&[
        (5, &[("next_log", "shipper.py", 23), ("ship_logs", "shipper.py", 40), BASE]),
        (
            1,
            &[
                ("decode", "shipper.py", 70),
                ("next_log", "shipper.py", 24),
                ("ship_logs", "shipper.py", 40),
                BASE,
            ],
        ),
    ]);
    assert_eq!(report["findings"], serde_json::json!([]));
    // What is called a monitor watches.
    let report = dump(&[(4, &[("monitor", "health.py", 9), ("watch", "health.py", 20), BASE])]);
    assert_eq!(report["findings"], serde_json::json!([]));
}

#[test]
fn functions_that_say_that_they_lock() {
    let report = dump(&[
        (9, &[("lock_account", "account.py", 9), ("book", "account.py", 20), REQUEST, BASE]),
        (1, &[("write_row", "account.py", 40), ("book", "account.py", 21), REQUEST, BASE]),
    ]);
    let finding = top(&report);
    assert_eq!(
        (finding["rule"].as_str(), &finding["threads"]["count"]),
        (Some("lock-contention"), &9.into())
    );
    assert_eq!(finding["holder"]["thread"]["id"], "0x000000000000000a");
    assert_eq!(finding["confidence"], "possible");
}

/// Two static initializers of JDK 8 that need the classes of each other: the JVM waits, and says not for what.
#[test]
fn static_initializers_that_wait_inside_the_jvm() {
    let thread = |n: u32, class: &str, words: &str| {
        format!(
            "\"init-{n}\" #2{n} prio=5 os_prio=0 tid=0x00007f00000{n}00 nid=0x3f{n} {words} [0x00007f0000{n}00000]\n   java.lang.Thread.State: RUNNABLE\n\tat app.{class}.<clinit>({class}.java:5)\n\tat app.Main.start(Main.java:9)\n\n"
        )
    };
    let report = |words: &str| {
        let head = "Full thread dump OpenJDK 64-Bit Server VM (25.392-b08 mixed mode):\n\n";
        common::report_of(&(head.to_owned() + &thread(1, "Registry", words) + &thread(2, "Drivers", words)))
    };
    let stuck = report("in Object.wait()");
    assert_eq!(common::rules(&stuck), ["runtime-stall"], "{stuck:#}");
    assert_eq!(stuck["findings"][0]["threads"]["count"], 2);
    assert_eq!(common::rules(&report("runnable")), [""; 0]);
}
