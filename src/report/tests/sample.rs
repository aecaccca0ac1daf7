//! Diagnoses made by hand: what the stages before would have found.

use crate::cluster::{Cluster, ClusterIx, Clusters};
use crate::diagnosis::{Analyzed, Diagnosis, InputStatus, Ranked};
use crate::model::{
    Arch, Certainty, Evidence, FormatId, Frame, FrameIx, GapKind, Signal, Snapshot, Source, StackIx,
    SystemCall, Thread, ThreadId, ThreadIx, Trust,
};
use crate::modules::ModuleSet;
use crate::normalize::Meanings;
use crate::rules::{
    Blocked, Confidence, CrashFacts, Finding, FindingHolder, Link, Location, Pattern, RuleId, Severity,
};
use crate::waits::{
    Activity, Candidate, Holder, Identity, Lock, LockIx, LockKind, State, Target, Wait, Waits,
};

/// Builds a snapshot group by group.
pub struct Builder {
    snapshot: Snapshot,
    waits: Waits,
    clusters: Clusters,
    first_tid: u32,
}

impl Builder {
    pub fn new(path: &str) -> Self {
        let source = Source {
            path: path.into(),
            format: FormatId::ElfCore,
            producer: Some("Linux kernel".into()),
            bytes: 42_000_000,
            offset: 0,
        };
        let mut snapshot = Snapshot::new(source);
        snapshot.process.pid = Some(4332);
        snapshot.process.name = Some("logserver".into());
        snapshot.process.arch = Some(Arch::X86_64);
        snapshot.process.os = Some("linux".into());
        Self { snapshot, waits: Waits::default(), clusters: Clusters::default(), first_tid: 4332 }
    }

    pub fn frame(&mut self, function: &str, file: Option<(&str, u32)>, trust: Trust) -> FrameIx {
        let frame = Frame {
            function: Some(function.into()),
            module: Some(if file.is_some() { "logserver".into() } else { "libc.so.6".into() }),
            file: file.map(|(name, _)| name.into()),
            line: file.map(|(_, line)| line),
            address: Some(0x55f0_ce00_0000 + function.len() as u64 * 0x1b),
            trust: Some(trust),
            ..Frame::default()
        };
        self.snapshot.stacks.frame(frame, Vec::new())
    }

    pub fn stack(&mut self, functions: &[&str]) -> StackIx {
        let frames: Vec<FrameIx> = functions
            .iter()
            .enumerate()
            .map(|(n, function)| {
                let file = (*function == "log_message").then_some(("src/logserver.c", 19));
                self.frame(function, file, if n == 0 { Trust::Context } else { Trust::Cfi })
            })
            .collect();
        self.snapshot.stacks.stack(&frames)
    }

    /// Adds a cluster of `count` threads and returns the first of them.
    pub fn group(&mut self, count: u32, functions: &[&str], shown: usize, activity: &Activity) -> ThreadIx {
        let first = ThreadIx(self.snapshot.threads.len() as u32);
        let stack = self.stack(functions);
        for n in first.0..first.0 + count {
            let tid = self.first_tid + n;
            let mut thread = Thread::new(ThreadId::Number(tid.into()));
            thread.tid = Some(tid);
            thread.name = Some(format!("worker-{n}").into());
            thread.stack = stack;
            thread.cpu_us = Some(1500 * u64::from(n));
            self.snapshot.threads.push(thread);
            self.waits.activities.push(activity.clone());
            self.clusters.cluster_of.push(ClusterIx(self.clusters.clusters.len() as u32));
        }
        let lock = match &activity.wait {
            Some(Wait { target: Target::Lock(lock), .. }) => Some(*lock),
            _ => None,
        };
        self.clusters.clusters.push(Cluster {
            threads: (first.0..first.0 + count).map(ThreadIx).collect(),
            state: activity.state,
            signature: functions
                .iter()
                .rev()
                .skip(1)
                .rev()
                .rev()
                .take(shown)
                .rev()
                .map(|&f| f.into())
                .collect(),
            stack,
            lock,
            variants: 1,
            thread_names: vec![("worker-*".into(), count)],
            cpu_us: Some((1500 * u64::from(count), 1500)),
            fingerprint: "lj1:00000000000000aa".into(),
        });
        first
    }

    pub fn lock(
        &mut self,
        name: &str,
        address: u64,
        holder: Holder,
        waiters: std::ops::Range<u32>,
    ) -> LockIx {
        self.waits.locks.push(Lock {
            kind: LockKind::PthreadMutex,
            address: Some(address),
            identity: Identity::Address,
            name: (!name.is_empty()).then(|| name.into()),
            place: Some("in logserver .bss".into()),
            class: None,
            holder,
            holders: Vec::new(),
            waiters: waiters.map(ThreadIx).collect(),
            is_shared_object: true,
            evidence: Vec::new(),
        });
        LockIx(self.waits.locks.len() as u32 - 1)
    }

    pub fn done(self) -> Analyzed {
        let meanings = Meanings::of(&self.snapshot.stacks);
        Analyzed {
            snapshot: self.snapshot,
            modules: ModuleSet::default(),
            meanings,
            waits: self.waits,
            clusters: self.clusters,
        }
    }
}

pub fn activity(state: State, wait: Option<(Target, Certainty)>, doing: &str) -> Activity {
    Activity {
        state,
        wait: wait.map(|(target, certainty)| Wait { target, certainty }),
        system_call: Some(SystemCall { number: 202, args: [0x55f0_ce1a_a140, 128, 2, 0, 0, 0] }),
        doing: (!doing.is_empty()).then(|| doing.to_owned()),
    }
}

pub fn finding(rule: RuleId, severity: Severity, title: &str) -> Finding {
    Finding {
        rule,
        severity,
        confidence: Confidence::Likely,
        title: title.to_owned(),
        summary: String::new(),
        threads: Vec::new(),
        blocked: None,
        lock: None,
        holder: None,
        pattern: None,
        chain: Vec::new(),
        root: None,
        cycle: Vec::new(),
        clusters: Vec::new(),
        location: None,
        crash: None,
        evidence: Vec::new(),
        advice: Vec::new(),
        cause: Vec::new(),
        cause_detail: Vec::new(),
    }
}

pub fn ranked(finding: Finding, score: f64) -> Ranked {
    Ranked {
        finding,
        snapshot: 0,
        score,
        fingerprint: "lj1:0123456789abcdef".into(),
        fingerprint_detail: "lj1:fedcba9876543210".into(),
    }
}

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
            candidates: Vec::new(),
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
                waiters * 100 / total
            ),
        )
    };
    let headline = main_finding.title.clone();
    Diagnosis {
        inputs: vec![("core.zst".into(), InputStatus::Ok)],
        snapshots: vec![b.done()],
        findings: vec![ranked(main_finding, 97.26)],
        headline,
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
        ..finding(RuleId::Deadlock, Severity::Critical, "2 threads wait for each other in a ring")
    };
    let chain = Finding {
        chain: vec![
            link(a, b),
            Link { waits_for: Target::Other("read(fd 4)".into()), held_by: None, ..link(b, a) },
        ],
        root: Some(b),
        lock: Some(LockIx(1)),
        holder: Some(FindingHolder { holder: unknown, doing: None, cluster: None, candidates: Vec::new() }),
        ..finding(RuleId::WaitChain, Severity::High, "main waits for a thread that is stuck")
    };
    let crash = Finding {
        crash: Some(CrashFacts {
            signal: "SIGSEGV".into(),
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
        findings: Vec::new(),
        headline: String::new(),
    }
}
