//! What holds for every diagnosis, whatever the input was.

use logjam::diagnosis::{Analyzed, Diagnosis};
use logjam::model::{Snapshot, ThreadIx};
use logjam::report::{Document, REPORTERS, View};
use logjam::rules::{Finding, Link};
use logjam::waits::{Holder, Lock, LockIx, Target};

/// Counts add up, and everything that is referred to is there; both reports can be written.
pub fn check(diagnosis: &Diagnosis) {
    for analyzed in &diagnosis.snapshots {
        check_snapshot(analyzed);
    }
    for ranked in &diagnosis.findings {
        assert!(ranked.score.is_finite());
        check_finding(&ranked.finding, &diagnosis.snapshots[ranked.snapshot]);
    }
    check_reports(diagnosis);
}

fn check_snapshot(analyzed: &Analyzed) {
    let threads = analyzed.snapshot.threads.len();
    let is_thread = |t: ThreadIx| t.at() < threads;
    let (waits, clusters) = (&analyzed.waits, &analyzed.clusters);
    check_threads(&analyzed.snapshot);
    assert_eq!(waits.activities.len(), threads, "each thread has an activity");

    assert_eq!(clusters.cluster_of.len(), threads, "each thread has a cluster");
    let mut seen = vec![false; threads];
    for (n, cluster) in clusters.clusters.iter().enumerate() {
        assert!(!cluster.threads.is_empty(), "no cluster is empty");
        assert!(cluster.threads.is_sorted_by(|a, b| a < b), "members ascend");
        assert!(cluster.stack.at() < analyzed.snapshot.stacks.stack_count());
        for &t in &cluster.threads {
            assert!(!std::mem::replace(&mut seen[t.at()], true), "thread {t:?} is in two clusters");
            assert_eq!(clusters.cluster_of[t.at()].at(), n);
            assert_eq!(waits.of(t).state, cluster.state, "a cluster has one state");
            if let Some(lock) = cluster.lock {
                assert_eq!(waits.of(t).lock(), Some(lock), "all members wait for a cluster's lock");
            }
        }
    }
    assert!(seen.iter().all(|s| *s), "a thread is in no cluster");

    let mut waiting = vec![Vec::new(); waits.locks.len()];
    for (n, activity) in (0..).zip(&waits.activities) {
        match activity.wait.as_ref().map(|w| &w.target) {
            Some(Target::Lock(lock)) => waiting[lock.at()].push(ThreadIx(n)),
            Some(Target::Thread(thread)) => assert!(is_thread(*thread)),
            _ => {}
        }
    }
    for (lock, waiting) in waits.locks.iter().zip(waiting) {
        assert_eq!(lock.waiters, waiting, "a lock's waiters are those who wait for it");
        assert!(lock.holders.iter().all(|t| is_thread(*t)));
        check_holder(&lock.holder, threads);
    }
}

fn check_holder(holder: &Holder, threads: usize) {
    match holder {
        Holder::Thread { thread, .. } => assert!(thread.at() < threads),
        Holder::Unknown { candidates, .. } => assert!(candidates.iter().all(|c| c.thread.at() < threads)),
        _ => {}
    }
}

/// What a format promises of its threads.
pub fn check_threads(snapshot: &Snapshot) {
    for thread in &snapshot.threads {
        assert!(thread.stack.at() < snapshot.stacks.stack_count());
        let (from, to) = thread.values;
        assert!(from <= to && to <= snapshot.values.len(), "values are those of the snapshot");
        let slots: usize =
            snapshot.stacks.frames_of(thread.stack).iter().map(|&f| snapshot.stacks.slots(f).len()).sum();
        assert_eq!(slots, (to - from) as usize, "each slot has a value");
    }
}

fn check_finding(finding: &Finding, analyzed: &Analyzed) {
    let threads = analyzed.snapshot.threads.len();
    let is_thread = |t: ThreadIx| t.at() < threads;
    let is_lock = |l: LockIx| l.at() < analyzed.waits.locks.len();
    let is_link = |link: &Link| {
        let is_target = match link.waits_for {
            Target::Lock(lock) => is_lock(lock),
            Target::Thread(thread) => is_thread(thread),
            Target::Child => true,
        };
        is_target && is_thread(link.thread) && link.held_by.is_none_or(is_thread)
    };
    assert!(finding.threads.iter().all(|t| is_thread(*t)));
    assert!(finding.lock.is_none_or(is_lock));
    assert!(finding.root.is_none_or(is_thread));
    assert!(finding.chain.iter().chain(&finding.cycle).all(is_link));
    assert!(finding.clusters.iter().all(|c| c.at() < analyzed.clusters.clusters.len()));
    if let Some(blocked) = &finding.blocked {
        // A text may count waiters that it does not show.
        let counted = finding.lock.and_then(|lock| analyzed.waits.lock(lock).counted).unwrap_or(0);
        let most = analyzed.snapshot.total().saturating_add(counted);
        assert!(blocked.direct <= most && blocked.transitive <= most);
    }
    if let Some(holder) = &finding.holder {
        check_holder(&holder.holder, threads);
        assert!(holder.cluster.is_none_or(|c| c.at() < analyzed.clusters.clusters.len()));
    }
    if let Some(thread) = finding.crash.as_ref().and_then(|c| c.thread) {
        assert!(is_thread(thread));
    }
}

fn check_reports(diagnosis: &Diagnosis) {
    let document = Document::of(diagnosis);
    for (shown, analyzed) in document.snapshots.iter().zip(&diagnosis.snapshots) {
        let threads = analyzed.snapshot.total();
        assert_eq!(shown.threads.total, threads);
        assert_eq!(shown.threads.states.values().sum::<u64>(), threads, "states add up");
        assert_eq!(shown.threads.by_kind.values().sum::<u64>(), threads, "kinds add up");
        assert_eq!(shown.clusters.iter().map(|c| c.count).sum::<u64>(), threads, "clusters add up");
        let listed = if analyzed.snapshot.lists_threads() { threads } else { 0 };
        assert_eq!(shown.thread_list.len() as u64, listed);
        assert_eq!(shown.locks.len(), analyzed.lock_count());
        let quiet = analyzed.locks().skip(analyzed.waits.locks.len());
        let is_held = |lock: &Lock| matches!(lock.holder, Holder::Thread { .. }) && lock.waiters.is_empty();
        assert!(quiet.into_iter().all(|(_, lock)| is_held(lock)), "a quiet lock has a holder and no waiter");
        for (_, lock) in analyzed.locks() {
            assert!(lock.holders.iter().all(|t| t.at() < analyzed.snapshot.threads.len()));
            check_holder(&lock.holder, analyzed.snapshot.threads.len());
        }
    }
    for reporter in REPORTERS {
        for show_all in [false, true] {
            let mut out = Vec::new();
            let view = View { show_all, ..View::default() };
            (reporter.write)(&document, &view, &mut out).expect("memory can be written to");
            let text = String::from_utf8(out).expect("reports are UTF-8");
            if reporter.id == "text" {
                let steers = |c: char| c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c);
                assert!(!text.contains(steers), "text of a dump reaches the terminal as it is");
            }
        }
    }
}
