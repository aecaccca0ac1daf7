//! What the watchdogs of Minecraft servers log.

use super::FORMAT;
use crate::formats::testing::{functions, is_found, read, read_one, survives_logs};
use crate::model::{ReportedState, ThreadId, ThreadIx};

const SERVER: &str = "Current Thread: Server thread
\tPID: 23 | Suspended: false | Native: false | State: BLOCKED
\tStack:
\t\tapp.Regions.save(Regions.java:47)
\t\tjava.base@17.0.4/java.lang.Thread.run(Thread.java:833)
";

fn stall() -> String {
    format!(
        "The server has stopped responding!
------------------------------
Server thread dump (Look for plugins here before reporting to Paper!):
------------------------------
{SERVER}------------------------------
Entire Thread Dump:
------------------------------
Current Thread: Region saver #1
\tPID: 31 | Suspended: false | Native: true | State: RUNNABLE
\tThread is waiting on monitor(s):
\t\tLocked on:app.Regions.write(Regions.java:80)
\tStack:
\t\tjava.io.FileOutputStream.writeBytes(Native Method)
\t\tapp.Regions.write(Regions.java:81)
------------------------------
{SERVER}------------------------------
"
    )
}

#[test]
fn the_servers_thread_does_not_respond() {
    let text = stall();
    let snapshot = read_one(&text);
    assert_eq!(snapshot.process.unresponsive, Some(ThreadIx(0)));
    let threads: Vec<_> =
        snapshot.threads.iter().map(|t| (t.id.clone(), t.name.as_deref(), t.reported)).collect();
    assert_eq!(
        threads,
        [
            (ThreadId::Number(23), Some("Server thread"), Some(ReportedState::Entering)),
            (ThreadId::Number(31), Some("Region saver #1"), Some(ReportedState::RunningOrNative)),
        ]
    );
    assert_eq!(functions(&snapshot, ThreadIx(0)), ["app.Regions.save", "java.lang.Thread.run"]);
    assert_eq!(functions(&snapshot, ThreadIx(1)).len(), 2);
    assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
    let logged = |begin: &str| text.lines().map(|line| format!("{begin}{line}\n")).collect::<String>();
    for begin in ["[12:00:00] [Watchdog Thread/ERROR]: ", "[12:00:00 ERROR]: "] {
        let logged = read_one(&logged(begin));
        assert_eq!(format!("{:?}", logged.threads), format!("{:?}", snapshot.threads), "{begin}");
        assert_eq!(logged.process.unresponsive, Some(ThreadIx(0)));
    }
    // Each report is a dump of its own.
    assert_eq!(read(&text.repeat(2)).len(), 2);
    survives_logs(SERVER);
}

#[test]
fn a_part_of_it_says_of_no_thread_that_it_does_not_respond() {
    let snapshot = read_one(SERVER);
    assert_eq!((snapshot.threads.len(), snapshot.process.unresponsive), (1, None));
}

#[test]
fn words_of_a_watchdog_are_no_dump() {
    for text in [
        "The server has stopped responding!\nServer thread dump (soon):\n",
        "Current Thread: Server thread\nPID: 23\n",
        "Current Thread: Server thread\n\tPID: 23 | Suspended: false | Native: false | State: TIRED\n",
    ] {
        assert!(!is_found(FORMAT.id, text), "{text}");
    }
}
