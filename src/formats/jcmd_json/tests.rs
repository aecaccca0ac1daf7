use super::super::testing::{functions, holds, read, read_bytes, read_one, survives_logs, threads};
use crate::model::{LockId, ReportedOwner, ReportedState, ThreadIx, ThreadKind};

const TEXT: &str = "8951
2026-11-28T19:58:56.205863303Z
25.0.3+9-LTS

#3 \"main\" TIMED_WAITING 2026-11-28T19:58:56.221052172Z
    at java.base/java.lang.Thread.sleepNanos0(Native Method)
    at shop.Virtual.main(Virtual.java:99)

#23 \"vt \"log\" 0\" virtual BLOCKED 2026-11-24T04:07:06.740163595Z
    at applog.Logger.write(Logger.java:31)
    - waiting to lock <applog.Logger@7b836878>
    at shop.Virtual.serve(Virtual.java:33)

#24 \"\" virtual RUNNABLE 2026-11-24T04:07:06.740163595Z
    at java.base/java.io.FileOutputStream.writeBytes(Native Method)
    at applog.Logger.write(Logger.java:36)
    - locked <applog.Logger@7b836878>
    - lock is eliminated
    - leased by the made-up next version

";

#[test]
fn the_text_of_25() {
    let snapshot = read_one(TEXT);
    assert_eq!(snapshot.process.pid, Some(8951));
    assert_eq!(snapshot.process.runtime.as_deref(), Some("OpenJDK 25.0.3+9-LTS"));
    assert_eq!(snapshot.process.captured_at.as_deref(), Some("2026-11-28T19:58:56.205863303Z"));
    let got = threads(&snapshot);
    assert_eq!(got.len(), 3);
    assert_eq!(got[0].2, ["java.lang.Thread.sleepNanos0", "shop.Virtual.main"]);
    assert_eq!(got[1].1.as_deref(), Some("vt \"log\" 0"));
    assert_eq!(snapshot.threads[1].kind, ThreadKind::Virtual);
    assert_eq!(snapshot.threads[1].reported, Some(ReportedState::Entering));
    let lock = LockId::Token("applog.Logger@7b836878".into());
    let wait = snapshot.threads[1].reported_wait.unwrap();
    assert_eq!(snapshot.named_locks[wait.lock.at()].id, lock);
    assert_eq!(holds(&snapshot, 2), [lock]);
    let top = snapshot.stacks.get(snapshot.stacks.frames_of(snapshot.threads[0].stack)[0]);
    assert_eq!(top.module.as_deref(), Some("java.base"));
    assert_eq!(snapshot.gaps.iter().map(|g| g.count).collect::<Vec<_>>(), [1]);
}

#[test]
fn in_logs_and_damaged() {
    survives_logs(TEXT);
}

#[test]
fn the_text_of_21() {
    let text = "9506\n2026-11-28T19:59:02Z\n21.0.8+9-LTS\n\n#1 \"main\"\n      java.base/java.lang.Thread.sleep0(Native Method)\n\n#19 \"vt-http-0\" virtual\n      applog.Logger.info(Logger.java:22)\n";
    let got = threads(&read_one(text));
    assert_eq!(
        got.iter().map(|t| t.2[0].as_str()).collect::<Vec<_>>(),
        ["java.lang.Thread.sleep0", "applog.Logger.info"]
    );
    assert_eq!(read_bytes(format!("{text}\n{text}").as_bytes()).len(), 2);
}

#[test]
fn talk_is_no_dump() {
    for text in [
        "see #12 \"main\" of the list, please\n",
        "#0 \"x\" virtual machine\n",
        "\"main\" #1 prio=5\n",
        "{\"threadDump\": true}\n",
    ] {
        assert!(read_bytes(text.as_bytes()).is_empty(), "{text}");
    }
}

const JSON: &str = r#"{
  "threadDump": {
    "processId": "9588",
    "time": "2026-11-28T19:59:03.734346019Z",
    "runtimeVersion": "25.0.3+9-LTS",
    "madeUp": {"next": [1]},
    "threadContainers": [
      {
        "container": "<root>",
        "parent": null,
        "owner": null,
        "threads": [
          {
            "tid": "24",
            "time": "2026-11-28T19:58:50.162810316Z",
            "name": "ForkJoinPool-1-worker-1",
            "state": "RUNNABLE",
            "stack": ["java.base\/jdk.internal.vm.Continuation.run(Continuation.java:251)"]
          }
        ],
        "threadCount": "1"
      },
      {
        "container": "java.util.concurrent.ThreadPerTaskExecutor@23cbbecf",
        "parent": "<root>",
        "owner": null,
        "threads": [
          {
            "tid": 25,
            "virtual": true,
            "name": "vt-http-1",
            "state": "WAITING",
            "parkBlocker": {"object": "java.util.concurrent.locks.ReentrantLock$NonfairSync@6ecc8880", "owner": "26"},
            "stack": ["java.base\/java.lang.VirtualThread.park(VirtualThread.java:742)", "applog.Logger.info(Logger.java:22)"]
          },
          {
            "tid": "26",
            "virtual": true,
            "name": "",
            "state": "RUNNABLE",
            "stack": ["applog.Logger.sinkWrite(Logger.java:36)", "applog.Logger.info(Logger.java:24)"],
            "monitorsOwned": [{"depth": 1, "locks": ["applog.Logger@1f", null]}],
            "carrier": "24"
          },
          "a thread of another form"
        ],
        "threadCount": "5"
      }
    ]
  }
}
"#;

#[test]
fn the_json_of_25() {
    let snapshot = read_one(JSON);
    assert_eq!((snapshot.process.pid, snapshot.threads.len()), (Some(9588), 3));
    assert_eq!(snapshot.threads[2].carrier, Some(ThreadIx(0)));
    assert_eq!(holds(&snapshot, 2), [LockId::Token("applog.Logger@1f".into())]);
    assert_eq!(functions(&snapshot, ThreadIx(1)), ["java.lang.VirtualThread.park", "applog.Logger.info"]);
    assert_eq!(snapshot.reported_locks[0].owner, ReportedOwner::Thread(ThreadIx(2)));
    // Five are counted, three stand there.
    assert!(!snapshot.is_complete);
    assert!(snapshot.gaps.iter().any(|g| g.message.contains("madeUp")));
    let compact: String = JSON.lines().map(str::trim).collect();
    assert_eq!(threads(&read_one(&compact)), threads(&snapshot));
    assert_eq!(
        threads(&read_one(&format!("10:00 INFO dump {compact}\n10:01 INFO on\n"))),
        threads(&snapshot)
    );
    let logged: String =
        JSON.lines().map(|line| format!("2026-11-24T04:07:06Z web java[7]: {line}\n")).collect();
    assert_eq!(threads(&read_one(&logged)), threads(&snapshot));
    assert_eq!(read_bytes(format!("{JSON}talk\n{JSON}").as_bytes()).len(), 2);
}

#[test]
fn a_cut_document_keeps_its_threads() {
    let cut =
        read_one(&JSON[..JSON.find("\"sinkWrite").or_else(|| JSON.find("applog.Logger.sink")).unwrap()]);
    assert!(!cut.is_complete && cut.threads.len() >= 2);
    for at in 0..JSON.len() {
        read_bytes(&JSON.as_bytes()[..at]);
    }
}

#[test]
fn threads_of_the_platform_alone() {
    let text = "#41 \"consumer-7\"
      java.base/jdk.internal.misc.Unsafe.park(Native Method)
      app.Consumer.run(Consumer.java:10)
      java.base/java.lang.Thread.run(Thread.java:1583)

#42 \"heartbeat | g\"
      app.Heartbeat.run(Heartbeat.java:74)
";
    let quoted: String = text.lines().map(|line| format!("> {line}\n")).collect();
    for text in [text, &quoted] {
        let snapshots = read(text);
        let [snapshot] = snapshots.as_slice() else { panic!("{} dumps", snapshots.len()) };
        let named: Vec<_> = snapshot.threads.iter().map(|t| t.name.as_deref().unwrap()).collect();
        assert_eq!(named, ["consumer-7", "heartbeat | g"]);
    }
    let trace =
        "x.Y: no\n      app.Z.run(Z.java:1)\n      java.base/java.lang.Thread.run(Thread.java:1583)\n";
    assert!(read(trace).is_empty());
}
