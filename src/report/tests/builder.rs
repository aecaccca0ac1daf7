//! Builds analyzed snapshots and findings by hand.

use crate::cluster::{Cluster, ClusterIx, Clusters};
use crate::diagnosis::{Analyzed, Ranked};
use crate::model::{
    Arch, Certainty, FormatId, Frame, FrameIx, Snapshot, Source, StackIx, Str, SystemCall, Thread, ThreadId,
    ThreadIx, Trust,
};
use crate::modules::ModuleSet;
use crate::normalize::{Meanings, Readings};
use crate::rules::{Confidence, Finding, RuleId, Severity};
use crate::waits::{Activity, Holder, Identity, Lock, LockIx, LockKind, State, Target, Wait, Waits};

/// Builds a snapshot group by group.
pub struct Builder {
    pub snapshot: Snapshot,
    pub waits: Waits,
    pub clusters: Clusters,
    first_tid: u32,
}

impl Builder {
    pub fn new(path: &str) -> Self {
        let source = Source {
            path: path.into(),
            format: FormatId::new("elf-core"),
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
        self.snapshot.stacks.frame(&frame, std::iter::empty())
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
            count: count.into(),
            state: activity.state,
            signature: signature(functions, shown),
            stack,
            lock,
            variants: 1,
            thread_names: vec![("worker-*".into(), count.into())],
            cpu_us: Some((1500 * u64::from(count), 1500)),
            waited_us: None,
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
            callers: Vec::new(),
            certainty: Certainty::Read,
            holder_points: None,
            kind: LockKind::PthreadMutex,
            address: Some(address),
            token: None,
            identity: Identity::Address,
            name: (!name.is_empty()).then(|| name.into()),
            place: Some("in logserver .bss".into()),
            class: None,
            holder,
            holders: Vec::new(),
            waiters: waiters.map(ThreadIx).collect(),
            counted: None,
            is_shared_object: true,
            evidence: Vec::new(),
            fingerprint: None,
        });
        LockIx(self.waits.locks.len() as u32 - 1)
    }

    pub fn done(self) -> Analyzed {
        let meanings = Meanings::of(&self.snapshot.stacks);
        let readings = Readings::of(&self.snapshot.stacks, &meanings);
        Analyzed {
            snapshot: self.snapshot,
            modules: ModuleSet::default(),
            meanings,
            readings,
            waits: self.waits,
            clusters: self.clusters,
        }
    }
}

/// The last `shown` functions before the thread's first.
fn signature(functions: &[&str], shown: usize) -> Vec<Str> {
    let named = functions.strip_suffix(&["start_thread"]).unwrap_or(functions);
    named[named.len().saturating_sub(shown)..].iter().map(|&f| f.into()).collect()
}

pub fn activity(state: State, wait: Option<(Target, Certainty)>, doing: &str) -> Activity {
    Activity {
        state,
        wait: wait.map(|(target, certainty)| Wait { target, certainty }),
        system_call: Some(Box::new(SystemCall { number: 202, args: [0x55f0_ce1a_a140, 128, 2, 0, 0, 0] })),
        call: None,
        doing: (!doing.is_empty()).then(|| doing.into()),
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
        tests: Vec::new(),
    }
}

pub fn ranked(finding: Finding, score: f64) -> Ranked {
    Ranked {
        finding,
        snapshot: 0,
        score,
        fingerprint: "lj1:0123456789abcdef".into(),
        fingerprint_detail: "lj1:fedcba9876543210".into(),
        runbook: None,
    }
}
