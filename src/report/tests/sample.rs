//! Diagnoses made by hand: what the stages before would have found.

use super::builder::{Builder, activity, finding, ranked};
use crate::cluster::ClusterIx;
use crate::diagnosis::{Analyzed, Diagnosis, InputStatus};
use crate::model::{
    Certainty, Evidence, FrameIx, GapKind, Listing, Signal, StackEnd, Str, ThreadId, ThreadIx, Trust,
};
use crate::normalize::TestFramework;
use crate::rules::{
    Blocked, Confidence, CrashFacts, Finding, FindingHolder, Link, Location, Pattern, RuleId, Severity,
    StoppedTest,
};
use crate::waits::{Candidate, Holder, Lock, LockIx, State, Target};

/// The incident of the design: `waiters` threads wait for a log mutex whose holder is in `write`.
pub fn incident(waiters: u32) -> Diagnosis {
    let mut b = Builder::new("core.zst");
    let waits = activity(State::LockWait, Some((Target::Lock(LockIx(0)), Certainty::Read)), "");
    let stack = ["__lll_lock_wait", "pthread_mutex_lock", "log_message", "handle", "worker", "start_thread"];
    let first = b.group(waiters, &stack, 3, &waits);
    b.group(
        500,
        &["futex_wait", "pthread_cond_wait", "idle", "start_thread"],
        1,
        &activity(State::Idle, None, ""),
    );
    let doing = activity(State::IoWait, None, "blocked in write(fd 7) under log_sink_write");
    let stack = ["write", "log_sink_write", "log_message", "handle", "worker", "start_thread"];
    let holder = b.group(1, &stack, 4, &doing);
    let main = activity(State::JoinWait, Some((Target::Thread(first), Certainty::Inferred)), "");
    b.group(1, &["__pthread_clockjoin_ex", "main"], 1, &main);
    let held = Holder::Thread { thread: holder, certainty: Certainty::Read };
    let lock = b.lock("g_log_mutex", 0x55f0_ce1a_a140, held.clone(), first.0..first.0 + waiters);
    b.snapshot.process.signal = Some(Signal { number: Some(6), name: "SIGABRT".into(), ..Signal::default() });
    let total = waiters + 502;
    let log_message = b.frame("log_message", Some(("src/logserver.c", 19)), Trust::Cfi);
    let main_finding = Finding {
        confidence: Confidence::Certain,
        summary: "Nearly all workers wait for the log mutex. Its holder is blocked in write.".into(),
        threads: (first.0..first.0 + waiters).map(ThreadIx).collect(),
        blocked: Some(Blocked { direct: waiters.into(), transitive: u64::from(waiters) + 1 }),
        lock: Some(lock),
        holder: Some(FindingHolder {
            holder: held,
            doing: Some("blocked in write(fd 7) under log_sink_write".into()),
            cluster: Some(ClusterIx(2)),
        }),
        pattern: Some(Pattern::SlowHolder),
        clusters: vec![ClusterIx(0)],
        location: Some(Location { frame: log_message }),
        evidence: vec![
            Evidence::read(format!("the futex word of all {waiters} waiters is g_log_mutex")),
            Evidence::read("its __owner field holds 4340"),
            Evidence::inferred("the holder is inside the critical section, blocked in a system call"),
        ],
        advice: vec![
            "The holder writes to fd 7 while it holds the lock: find out who reads the other end, with \
             ls -l /proc/4332/fd/7 on the machine, and let it read or close it."
                .into(),
            "Move the write out of the critical section: copy the line under the lock, write it after."
                .into(),
        ],
        ..finding(
            RuleId::LockContention,
            Severity::Critical,
            &format!(
                "{waiters} of {total} threads ({} %) wait for the mutex g_log_mutex",
                (waiters * 100 + total / 2) / total
            ),
        )
    };
    let headline = main_finding.title.clone();
    Diagnosis {
        inputs: vec![("core.zst".into(), InputStatus::Ok)],
        snapshots: vec![b.done()],
        findings: vec![ranked(main_finding, 97.26)],
        headline,
        ..Diagnosis::default()
    }
}

/// A diagnosis that uses every field that a finding has, with more findings and clusters than are shown.
pub fn zoo() -> Diagnosis {
    let mut d = incident(4499);
    let analyzed = &mut d.snapshots[0];
    let (a, b) = (ThreadIx(0), ThreadIx(1));
    let frame = analyzed.snapshot.stacks.frames_of(analyzed.snapshot.threads[0].stack)[2];
    let link = |thread, held_by| Link {
        thread,
        waits_for: Target::Lock(LockIx(0)),
        certainty: Certainty::Read,
        held_by: Some(held_by),
    };
    let unknown = Holder::Unknown {
        why: "two threads are inside the critical section".into(),
        candidates: vec![
            Candidate { thread: a, points: 5, reasons: vec!["its stack holds the address".into()] },
            Candidate {
                thread: b,
                points: 4,
                reasons: vec!["runs".into(), "below the lock's function".into()],
            },
        ],
    };
    analyzed.waits.locks.push(Lock {
        name: None,
        holders: vec![a, b],
        holder: unknown.clone(),
        waiters: vec![ThreadIx(7)],
        counted: None,
        ..analyzed.waits.locks[0].clone()
    });
    analyzed.snapshot.gaps.add(
        GapKind::MissingModule,
        "libfoo.so.1 was not found: its functions have no names",
        None,
    );
    analyzed.snapshot.gaps.add_many(
        GapKind::IncompleteStack,
        "a stack ends where memory is missing",
        12,
        Some(4096),
    );
    let ring = Finding {
        cycle: vec![link(a, b), link(b, a)],
        threads: vec![a, b],
        confidence: Confidence::Certain,
        // More than are listed.
        tests: (0..13).map(|n| stopped(&format!("Orders.Ship{n}"), frame, a)).collect(),
        ..finding(RuleId::Deadlock, Severity::Critical, "2 threads wait for each other in a ring")
    };
    let chain = Finding {
        chain: vec![link(a, b), Link { waits_for: Target::Child, held_by: None, ..link(b, a) }],
        root: Some(b),
        lock: Some(LockIx(1)),
        holder: Some(FindingHolder { holder: unknown, doing: None, cluster: None }),
        ..finding(RuleId::WaitChain, Severity::High, "main waits for a thread that is stuck")
    };
    let crash = Finding {
        crash: Some(CrashFacts {
            signal: Some("SIGSEGV".into()),
            code: Some("SEGV_MAPERR".into()),
            address: Some(0),
            thread: Some(a),
            reason: "null dereference".into(),
            frame: Some(frame),
        }),
        ..finding(RuleId::Crash, Severity::High, "SIGSEGV in log_message: null dereference")
    };
    let small =
        finding(RuleId::ThreadExplosion, Severity::Medium, "5,001 threads are more than the limit of 1,000");
    d.findings.extend([ring, chain, crash, small].map(|f| ranked(f, 40.0)));
    d.inputs.push(("other.txt".into(), InputStatus::Failed("no format recognizes it".into())));
    d.inputs.push(("cut.core".into(), InputStatus::Partial));
    d
}

/// A dump in which nothing is wrong.
pub fn quiet() -> Diagnosis {
    let mut b = Builder::new("quiet.core");
    b.group(40, &["epoll_wait", "event_loop", "start_thread"], 1, &activity(State::Idle, None, ""));
    b.group(2, &["compute", "main"], 1, &activity(State::Running, None, ""));
    Diagnosis {
        inputs: vec![("quiet.core".into(), InputStatus::Ok)],
        snapshots: vec![b.done()],
        ..Diagnosis::default()
    }
}

/// `clusters` clusters of 1, 2, 3, … threads, the largest first; nothing is wrong.
pub fn many(clusters: u32) -> Diagnosis {
    let mut b = Builder::new("many.core");
    for n in (1..=clusters).rev() {
        let function = format!("poll_{n}");
        b.group(n, &[&function, "start_thread"], 1, &activity(State::Idle, None, ""));
    }
    Diagnosis { snapshots: vec![b.done()], ..Diagnosis::default() }
}

/// A stack overflow: one thread, of whose frames `depth` are one and the same.
pub fn deep(depth: usize) -> Diagnosis {
    let mut b = Builder::new("deep.core");
    let stack =
        [&["write", "visit"][..], &vec!["visit(node*)"; depth], &["main", "__libc_start_call_main"]].concat();
    let first = b.group(1, &stack, 2, &activity(State::Running, None, "in user code"));
    b.snapshot.threads[first.at()].stack_end = StackEnd::DepthLimit;
    b.snapshot.threads[first.at()].id = ThreadId::Number(9331);
    b.group(1, &["main"], 1, &activity(State::Running, None, ""));
    b.snapshot.threads[1].id = ThreadId::Number(4332);
    Diagnosis { snapshots: vec![b.done()], ..Diagnosis::default() }
}

/// What an attacker could write into every text of a dump.
pub const EVIL: &str =
    "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\nFORGED\r\t\u{202e}txt\u{200f}\u{2066}\u{200b}\u{2028}\u{0}世界";

fn stopped(name: &str, frame: FrameIx, thread: ThreadIx) -> StoppedTest {
    StoppedTest { framework: TestFramework::GoogleTest, name: name.into(), frame, thread }
}

/// [`EVIL`] wherever a dump's text goes, and words that are longer than a line.
pub fn hostile() -> Diagnosis {
    let mut d = zoo();
    let evil = || format!("{EVIL}{}", "x/y::z世".repeat(40));
    let mut b = Builder::new(&evil());
    let wait = activity(State::LockWait, Some((Target::Lock(LockIx(0)), Certainty::Reported)), &evil());
    b.group(9, &[&evil(), &"std::vector<int>::".repeat(30), "worker", "start_thread"], 2, &wait);
    let other = activity(State::IoWait, Some((Target::Child, Certainty::Inferred)), &evil());
    b.group(1, &[&evil()], 1, &other);
    let why = Holder::Unknown {
        why: evil().into(),
        candidates: vec![Candidate { thread: ThreadIx(1), points: -3, reasons: vec![evil()] }],
    };
    b.lock(&evil(), 0x10, why.clone(), 0..9);
    let snapshot = &mut b.snapshot;
    let text: Str = evil().into();
    for thread in &mut snapshot.threads {
        thread.name = Some(text.clone());
    }
    snapshot.threads[2].id = ThreadId::Text(text.clone());
    snapshot.process.name = Some(text.clone());
    snapshot.process.command_line = Some(text.clone());
    snapshot.process.signal = Some(Signal { name: text.clone(), ..Signal::default() });
    snapshot.gaps.add(GapKind::SkippedText, evil(), Some(u64::MAX));
    b.waits.locks[0].place = Some(evil());
    b.clusters.clusters[0].thread_names = vec![(text, 9)];
    d.snapshots = vec![b.done()];
    for ranked in &mut d.findings {
        let finding = &mut ranked.finding;
        (finding.title, finding.summary) = (evil(), evil());
        finding.evidence = vec![Evidence::read(evil())];
        finding.advice = vec![evil(), evil()];
        finding.threads.truncate(5);
        finding.tests = vec![stopped(&evil(), FrameIx(0), ThreadIx(2))];
        finding.root = Some(ThreadIx(2));
        finding.clusters.truncate(0);
        finding.lock = finding.lock.map(|_| LockIx(0));
        finding.location = Some(Location { frame: FrameIx(0) });
        if let Some(crash) = &mut finding.crash {
            (crash.signal, crash.reason, crash.code) = (Some(evil()), evil(), Some(evil()));
            crash.frame = Some(FrameIx(0));
        }
        finding.holder =
            Some(FindingHolder { holder: why.clone(), doing: Some(evil()), cluster: Some(ClusterIx(0)) });
    }
    d.inputs = vec![(evil(), InputStatus::Failed(evil()))];
    d.headline = evil();
    d
}

/// The incident as a profile has it: threads are counted and not listed.
pub fn counted(listing: Listing) -> Diagnosis {
    let mut d = incident(3);
    let Analyzed { snapshot, clusters, .. } = &mut d.snapshots[0];
    snapshot.listing = listing;
    for thread in &mut snapshot.threads[..3] {
        thread.weight = 1_000;
    }
    for cluster in &mut clusters.clusters {
        cluster.count = snapshot.count(&cluster.threads);
    }
    d
}
