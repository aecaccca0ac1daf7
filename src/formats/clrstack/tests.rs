use super::*;
use crate::formats::testing::{is_found, names, read};

fn is_none(text: &str) -> bool {
    !is_found(FORMAT.id, text)
}

use crate::model::{GapKind, LockId, NamedLockIx, ReportedOwner, ThreadIx, ThreadNumber};

const ONE: &str = "> clrstack -all
OS Thread Id: 0x1a2c (3)
        Child SP               IP Call Site
00007F2AE37B5680 00007f305abc6360 [GCFrame: 00007f2ae37b5680]
00007F2AE37B5690 00007f305abc6360 [HelperMethodFrame_1OBJ: 00007f2ae37b5690] System.Threading.Monitor.ReliableEnter(System.Object, Boolean ByRef)
00007F2AE37B56A0 00007F305ABC6370 Shop.Cache.Get(System.String) [/src/Shop/My Cache.cs @ 17]
    PARAMETERS:
        this (0x00007F2AE37B56A0) = 0x00007f2e90080fb8
OS Thread Id: 0x1a2d (4)
ESP       EIP
0AA5D1A4 12F455CA libcoreclr.so!CLREventBase::Wait(unsigned int) + 12
OS Thread Id: 0x1a2e (5)
Unable to walk the managed stack. The current thread is likely not a
managed thread. You can run !clrthreads to get a list of managed threads in
the process
Failed to start stack walk: 80070057
> syncblk
Index         SyncBlock MonitorHeld Recursion Owning Thread Info          SyncBlock Owner
   41 000000000143D038            5         1 00007F2B542D28C0 1dc1  20   00007f2e90080fb8 Shop.Cache
    9 0000024453F8A508            0         0 0000000000000000     none    000002445413a018 System.Object
-----------------------------
Total           44
";

#[test]
fn stacks_and_the_table_of_monitors() {
    let snapshots = read(ONE);
    let [snapshot] = snapshots.as_slice() else { panic!("one dump") };
    let ids: Vec<_> = snapshot.threads.iter().map(|t| t.id.to_string()).collect();
    // The owner's stack was not printed.
    assert_eq!(ids, ["0x1a2c", "0x1a2d", "0x1a2e", "0x1dc1"]);
    assert_eq!(
        names(snapshot, 0),
        [
            "System.Threading.Monitor.ReliableEnter(System.Object, Boolean ByRef)",
            "Shop.Cache.Get(System.String)"
        ]
    );
    assert_eq!(names(snapshot, 1), ["CLREventBase::Wait(unsigned int)"]);
    assert_eq!(snapshot.threads[2].stack_end, StackEnd::NotUnwound);
    assert!(snapshot.gaps.is_empty(), "why there is no stack is understood to its end: {:?}", snapshot.gaps);
    assert_eq!(snapshot.named_locks[0].id, LockId::Address(0x7f2e90080fb8));
    assert_eq!(snapshot.named_locks[0].waiters, Some(2));
    assert_eq!(snapshot.reported_locks[0].owner, ReportedOwner::Thread(ThreadIx(3)));
    assert!(snapshot.threads[0].reported_wait.is_some());
}

const RING: &str = "OS Thread Id: 0x720 (3)
Child-SP         RetAddr          Call Site
000000001b4ceb70 000007ff0017ff50 System.Threading.Monitor.Enter(System.Object)
000000001b4cee10 000007ff0017feab Shop.Cart.Move(Shop.Cart, Double)
0:000> !syncblk
Index         SyncBlock MonitorHeld Recursion Owning Thread Info          SyncBlock Owner
    1 0000000002551e88            3         1 00000000025509a0   720   3   0000000002983cd8 Shop.Cart
    2 0000000002551ed0            3         1 000000000251e580  1608   0   0000000002983cc0 Shop.Stock
0:000> ~*e !clrstack
OS Thread Id: 0x1608 (0)
Child-SP         RetAddr          Call Site
000000000025eb70 000007ff0017ff50 System.Threading.Monitor.Enter(System.Object)
000000000025ee60 000007fef68cb162 Shop.Program.Main(System.String[])
";

#[test]
fn nobody_waits_for_a_monitor_of_his_own() {
    // SOS of .NET Framework 2 writes the header of the debugger's own tables.
    let snapshots = read(RING);
    let [snapshot] = snapshots.as_slice() else { panic!("one dump, not {}", snapshots.len()) };
    let waits: Vec<_> = snapshot.threads.iter().map(|t| t.reported_wait.unwrap().lock).collect();
    let class = |n: usize| snapshot.named_locks[waits[n].at()].name.as_deref();
    assert_eq!((class(0), class(1)), (Some("Shop.Stock"), Some("Shop.Cart")));
    assert_eq!(names(snapshot, 1)[1], "Shop.Program.Main(System.String[])");
    assert_eq!(crate::formats::testing::holds(snapshot, 0), [LockId::Address(0x2983cd8)]);
    // Threads that own none may wait for either.
    let others = read(&RING.replace("  720   3", "  721   3").replace("1608   0", "1609   0"));
    assert!(others[0].threads.iter().all(|t| t.reported_wait.is_none()));
}

#[test]
fn which_of_two_monitors_is_not_said() {
    let row = "   42 000000000143D098            3         1 00007F2B542D28C0 1dc1  20   00007f2e90081fb8 Shop.Log\n";
    let snapshots = read(&ONE.replace("    9 00", &format!("{row}    9 00")));
    assert!(snapshots[0].threads.iter().all(|t| t.reported_wait.is_none()));
}

#[test]
fn an_owner_that_has_ended() {
    let snapshots = read(&ONE.replace("1dc1  20", "1dc1 XXX"));
    assert_eq!(snapshots[0].reported_locks[0].owner, ReportedOwner::Ended(Some(ThreadNumber::Hex(0x1dc1))));
    assert_eq!(snapshots[0].threads.len(), 3);
}

#[test]
fn a_tree_of_groups() {
    let text = "
           ~~~~ 7034
              1 System.Threading.Monitor.Wait(Object, Int32, Boolean)
           ~~~~ 9c6c,4020
              2 System.Threading.Monitor.Wait(Object, Int32, Boolean)
              2 Shop.Program.b__7()
              3 System.Threading.Tasks.Task.InnerInvoke()
         3 System.Threading.Tasks.Task.ExecuteEntryUnsafe()
    ~~~~ 1,2,3,4...
       6 Shop.Other.Run()
    9 System.Threading.ThreadPoolWorkQueue.Dispatch()
==> 10 threads with 2 roots
";
    let snapshots = read(&format!("{text}> pstacks\n{text}"));
    let [snapshot, _] = snapshots.as_slice() else { panic!("two dumps") };
    assert_eq!(snapshot.threads.len(), 9);
    assert_eq!(
        names(snapshot, 2),
        [
            "System.Threading.Monitor.Wait(Object, Int32, Boolean)",
            "Shop.Program.b__7()",
            "System.Threading.Tasks.Task.InnerInvoke()",
            "System.Threading.Tasks.Task.ExecuteEntryUnsafe()",
            "System.Threading.ThreadPoolWorkQueue.Dispatch()"
        ]
    );
    assert_eq!(names(snapshot, 0).len(), 4);
    assert!(!snapshot.is_complete, "a thread is missing");
}

#[test]
fn cut_anywhere_and_talk() {
    for end in 0..ONE.len() {
        let bytes = bytes::Bytes::copy_from_slice(&ONE.as_bytes()[..end]);
        if let Some(content) = crate::formats::detect::detect(&bytes, None) {
            crate::formats::detect::read(&content, &bytes, &"dump".into());
        }
    }
    for text in [
        "what is OS Thread Id: 0x?\n",
        "~~~~ heading ~~~~\n",
        "the SyncBlock MonitorHeld column\n",
        "a line `OS Thread Id: 0x1a2b (3)` of SOS\n",
    ] {
        assert!(is_none(text), "{text}");
    }
}

#[test]
fn the_table_of_monitors_alone() {
    let table = &ONE[ONE.find("> syncblk").unwrap()..];
    let dead = "   42 000000000143D098            3         1 ffffffffffffffff  orphaned   00007f2e90081fb8 Shop.Log\n";
    let gone =
        "   43 000000000143D0F8            5         1 0000000000000000 XXX    00007f2e90082fb8 Shop.Old\n";
    let snapshots = read(&table.replace("    9 00", &format!("{dead}{gone}    9 00")));
    let [snapshot] = snapshots.as_slice() else { panic!("one dump") };
    // The owner, two waiters, one and two.
    assert_eq!(snapshot.threads.len(), 6);
    let waited_for = |address| {
        let is_it = |lock: NamedLockIx| snapshot.named_locks[lock.at()].id == LockId::Address(address);
        snapshot.threads.iter().filter_map(|t| t.reported_wait).filter(|wait| is_it(wait.lock)).count()
    };
    assert_eq!(
        (waited_for(0x7f2e90080fb8), waited_for(0x7f2e90081fb8), waited_for(0x7f2e90082fb8)),
        (2, 1, 2)
    );
    let owner = |address| {
        snapshot.reported_locks.iter().find(|lock| lock.address == Some(address)).map(|l| l.owner.clone())
    };
    assert_eq!(owner(0x7f2e90080fb8), Some(ReportedOwner::Thread(ThreadIx(0))));
    assert_eq!(owner(0x7f2e90081fb8), Some(ReportedOwner::Ended(None)));
    assert_eq!(owner(0x7f2e90082fb8), Some(ReportedOwner::Ended(None)));
    assert!(!snapshot.is_complete && snapshot.gaps.has(GapKind::Limit), "{:?}", snapshot.gaps);
    // A count that no process has is no reason to make so many threads.
    let hostile = read(&table.replace("           5 ", "5000000000000 "));
    assert!(hostile[0].threads.len() < 20_000);
    assert!(hostile[0].named_locks[0].waiters.is_some_and(|count| count > 1 << 40));
}

#[test]
fn monitors_whose_waiters_are_not_told_apart_are_counted() {
    let row = "   42 000000000143D098            3         1 ffffffffffffffff  orphaned   00007f2e90081fb8 Shop.Log\n";
    let snapshots = read(&ONE.replace("    9 00", &format!("{row}    9 00")));
    assert_eq!(snapshots[0].threads.len(), 4, "whoever enters one may be any of those that are counted");
    let told: Vec<_> =
        snapshots[0].gaps.iter().filter(|gap| gap.message.contains("passed over: which")).collect();
    assert_eq!(told.len(), 2);
    assert!(told.iter().any(|gap| gap.message.contains("whose owner has ended")));
}

#[test]
fn fields_of_headers_that_are_not_known() {
    let text = ONE.replace("0x1a2d (4)", "0x1a2d (4) [Background]").replace("0x1a2e (5)", "0x1a2e (5) idle");
    let snapshots = read(&text);
    assert_eq!(snapshots[0].threads.len(), 4);
    assert_eq!(names(&snapshots[0], 1), ["CLREventBase::Wait(unsigned int)"]);
    let skipped: Vec<_> = snapshots[0].gaps.iter().map(|gap| (gap.kind, gap.count)).collect();
    assert_eq!(skipped, [(GapKind::SkippedText, 2)]);
    // In the middle of a stack prose is no thread.
    let prose =
        ONE.replace("    PARAMETERS:", "OS Thread Id: 0x1a2d (4) is the one to look at\n    PARAMETERS:");
    assert_eq!(read(&prose)[0].threads.len(), 4);
    // Where all of them have one it is a dump as well.
    let all = "OS Thread Id: 0x1a2d (4) [Background]\n        Child SP               IP Call Site\n";
    assert_eq!(read(all)[0].threads.len(), 1);
}
