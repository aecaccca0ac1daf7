//! Pools that have nothing left: of connections, of objects, of workers. And what else the stacks of .NET and Node.js say of
//! waits without a lock.

mod common;

use common::report_of as report;
use serde_json::Value;

/// Rule and title of each finding.
fn findings(text: &str) -> Vec<(String, String)> {
    let report = report(text);
    let all = report["findings"].as_array().unwrap().iter();
    let word = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    all.map(|finding| (word(finding, "rule"), word(finding, "title"))).collect()
}

/// The title of the only finding, which is of an exhausted pool.
fn exhausted(text: &str) -> String {
    let all = findings(text);
    assert!(matches!(all.as_slice(), [(rule, _)] if rule == "pool-exhaustion"), "{all:?} in {text}");
    all[0].1.clone()
}

/// Four threads of a JVM that park for a condition, with these frames above it.
fn java(frames: &[&str]) -> String {
    let mut text = String::from("Full thread dump OpenJDK 64-Bit Server VM (21.0.1+12 mixed mode):\n\n");
    for n in 1..5 {
        text += &format!(
            "\"till-{n}\" #{n} daemon prio=5 os_prio=0 tid=0x00007f000000001{n} nid=0x3f{n} waiting on condition\n   \
             java.lang.Thread.State: WAITING (parking)\n\tat jdk.internal.misc.Unsafe.park(Native Method)\n\t\
             - parking to wait for  <0x00000000e0000200> (a java.util.concurrent.locks.AbstractQueuedSynchronizer$ConditionObject)\n\t\
             at java.util.concurrent.locks.AbstractQueuedSynchronizer$ConditionObject.await(AbstractQueuedSynchronizer.java:1625)\n"
        );
        for frame in frames {
            text += &format!("\tat {frame}(Some.java:9)\n");
        }
        text += "\tat shop.Till.sell(Till.java:20)\n\
                 \tat java.util.concurrent.ThreadPoolExecutor.runWorker(ThreadPoolExecutor.java:1136)\n\
                 \tat java.util.concurrent.ThreadPoolExecutor$Worker.run(ThreadPoolExecutor.java:635)\n\n";
    }
    text
}

#[test]
fn pools_of_connections_and_of_objects() {
    let objects = [
        "org.apache.commons.pool2.impl.LinkedBlockingDeque.takeFirst",
        "org.apache.commons.pool2.impl.GenericObjectPool.borrowObject",
    ];
    let of = |user: &str| exhausted(&java(&[objects[0], objects[1], user]));
    let connections = "4 threads (100 %) wait for a connection of a pool";
    assert_eq!(of("org.apache.commons.dbcp2.PoolingDataSource.getConnection"), connections);
    assert_eq!(of("redis.clients.jedis.util.Pool.getResource"), connections);
    // Whose they are nobody says.
    assert_eq!(of("shop.Parsers.get"), "4 threads (100 %) wait for an object of a pool");
    let http = "4 threads (100 %) wait for a connection of an HTTP client's pool";
    assert_eq!(exhausted(&java(&["org.apache.http.pool.AbstractConnPool.getPoolEntryBlocking"])), http);
    let lease = "org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager$1.get";
    assert_eq!(exhausted(&java(&["org.apache.hc.core5.concurrent.BasicFuture.get", lease])), http);
    // A connection that is opened waits for something else.
    assert_eq!(findings(&java(&["shop.Driver.await", objects[1]])), []);
}

#[test]
fn workers_that_wait_for_a_connection_do_not_wait_for_tasks() {
    let latch = "java.util.concurrent.CountDownLatch.await";
    let title = exhausted(&java(&[latch, "org.apache.tomcat.jdbc.pool.FairBlockingQueue.poll"]));
    assert_eq!(title, "4 threads (100 %) wait for a connection of a pool");
    assert_eq!(exhausted(&java(&[latch])), "all 4 threads of the pool till-* wait for other tasks");
}

#[test]
fn the_pools_of_sqlalchemy_and_of_active_record() {
    let mut text = String::from("Process 5: python till.py\nPython v3.11.2 (/usr/bin/python3.11)\n\n");
    for n in 1..5 {
        text += &format!(
            "Thread {n} (idle): \"till-{n}\"\n    wait (threading.py:324)\n    get (sqlalchemy/util/queue.py:156)\n    \
             _do_get (sqlalchemy/pool/impl.py:151)\n    connect (sqlalchemy/pool/base.py:452)\n    sell (till.py:12)\n"
        );
    }
    assert_eq!(exhausted(&text), "4 threads (100 %) wait for a connection of a pool");
    let other = text.replace("sqlalchemy/pool/impl.py", "shop/impl.py");
    assert_eq!(findings(&other), [], "a function of the same name of somebody else");

    let folder = "/gems/activerecord-7.1.3/lib/active_record/connection_adapters/abstract";
    let mut text = String::from("Sigdump at 2026-11-28 19:50:34 +0000 process 17 (puma)\n");
    for n in 1..5 {
        text += &format!(
            "  Thread #<Thread:0x000000000000100{n}@till {n} /gems/puma.rb:106 sleep> status=sleep priority=0\n      \
             /usr/lib/ruby/3.2.0/monitor.rb:106:in `sleep'\n      \
             /usr/lib/ruby/3.2.0/monitor.rb:106:in `wait'\n      \
             {folder}/connection_pool/queue.rb:163:in `block in wait_poll'\n      \
             {folder}/connection_pool/queue.rb:154:in `wait_poll'\n      \
             {folder}/connection_pool.rb:660:in `checkout'\n      \
             /srv/till.rb:9:in `sell'\n"
        );
    }
    assert_eq!(exhausted(&text), "4 threads (100 %) wait for a connection of a pool");
}

const WAITS: &str = "  System.Private.CoreLib!System.Threading.ManualResetEventSlim.Wait(int32)
  System.Private.CoreLib!System.Threading.Tasks.Task.InternalWaitCore(int32)
  Shop!Shop.Till.Sell()
";
const DISPATCH: &str = "  System.Private.CoreLib!System.Threading.ThreadPoolWorkQueue.Dispatch()\n";
const LOOP: &str =
    "  System.Private.CoreLib!System.Threading.PortableThreadPool+WorkerThread.WorkerThreadStart()\n";

fn dotnet(stacks: &[String]) -> String {
    let threads = stacks.iter().enumerate();
    threads.map(|(n, stack)| format!("Thread (0x{n:X}):\n  [Native Frames]\n{stack}\n")).collect()
}

#[test]
fn every_thread_of_the_pool_of_dotnet_waits_for_a_task() {
    let waiting = format!("{WAITS}{DISPATCH}{LOOP}");
    let main = String::from("  Shop!Shop.Program.Main(class System.String[])\n");
    let with = |last: &str| {
        let mut all = vec![waiting.clone(); 4];
        all.extend([main.clone(), last.to_owned()]);
        dotnet(&all)
    };
    assert_eq!(exhausted(&with(&waiting)), "all 5 threads of .NET's thread pool wait for other tasks");
    // One is free, one works, one is cut off.
    let free = "  System.Private.CoreLib!System.Threading.LowLevelLifoSemaphore.WaitForSignal(int32)\n";
    for last in
        [format!("{free}{LOOP}"), format!("  Shop!Shop.Till.Sum()\n{DISPATCH}{LOOP}"), DISPATCH.to_owned()]
    {
        assert_eq!(findings(&with(&last)), [], "{last}");
    }
    // Before .NET 6 a worker that is free shows no frame.
    let old = vec![format!("{WAITS}{DISPATCH}"); 5];
    assert_eq!(findings(&dotnet(&old)), []);
}

#[test]
fn a_finalizer_of_dotnet_that_is_stuck() {
    let text = "OS Thread Id: 0x11 (2)
        Child SP               IP Call Site
00007F2AE37B5680 00007f305abc6360 [HelperMethodFrame_1OBJ: 00007f2ae37b5680] System.Threading.Monitor.Enter(System.Object)
00007F2AE37B5690 00007f305abc6361 Shop.Receipt.Finalize() [/src/Receipt.cs @ 9]
00007F2AE37B56A0 00007f305abc6362 [DebuggerU2MCatchHandlerFrame: 00007f2ae37b5c80]
OS Thread Id: 0x12 (3)
        Child SP               IP Call Site
00007F2AE37B5680 00007f305abc6360 [HelperMethodFrame_1OBJ: 00007f2ae37b5680] System.GC._WaitForPendingFinalizers()
00007F2AE37B5690 00007f305abc6361 System.GC.WaitForPendingFinalizers()
00007F2AE37B56A0 00007f305abc6362 Shop.Program.Main() [/src/Program.cs @ 9]
";
    let found = report(text);
    assert_eq!(found["findings"][0]["rule"], "runtime-stall");
    assert_eq!(found["findings"][0]["threads"]["ids"], serde_json::json!([0]));
    assert_eq!(found["snapshots"][0]["thread_list"][1]["state"], "cond-wait");
    // A method of this name that the program calls is none.
    assert_eq!(
        findings(&text.replace("[DebuggerU2MCatchHandlerFrame: 00007f2ae37b5c80]", "Shop.Till.Close()")),
        []
    );
}

#[test]
fn the_table_of_monitors_alone_tells_of_jams() {
    let text = "> syncblk
Index         SyncBlock MonitorHeld Recursion Owning Thread Info          SyncBlock Owner
   41 000000000143D038            7         1 00007F2B542D28C0 1dc1  20   00007f2e90080fb8 Shop.Till
   42 000000000143D098            3         1 ffffffffffffffff  orphaned   00007f2e90081fb8 Shop.Log
-----------------------------
Total           44
";
    let found = report(text);
    let told = |rule: &str| {
        let all = found["findings"].as_array().unwrap();
        all.iter().find(|finding| finding["rule"] == rule).unwrap_or_else(|| panic!("no {rule} in {found}"))
    };
    assert_eq!(told("lock-contention")["threads"]["count"], 3);
    assert_eq!(told("lock-contention")["holder"]["thread"]["id"], "0x1dc1");
    assert_eq!(told("orphaned-lock")["threads"]["count"], 1);
    assert_eq!(found["snapshots"][0]["threads"]["complete"], false);
}

#[test]
fn a_worker_of_node_on_shared_memory() {
    let text = r#"{"header": {"reportVersion": 3, "event": "SIGUSR2", "trigger": "Signal", "processId": 7, "threadId": 0, "nodejsVersion": "v18.12.0"},
 "javascriptStack": {"message": "Error", "stack": ["at Atomics.wait (<anonymous>)", "at take (/srv/lock.js:2:1)"]}}
"#;
    let found = report(text);
    let thread = &found["snapshots"][0]["thread_list"][0];
    assert_eq!(thread["state"], "cond-wait");
    assert_ne!(thread["waits_for"]["certainty"], "reported", "{thread}");
}
