//! What `lock-contention`, `spin-wait` and `orphaned-lock` have in common: many threads, one lock.

use rustc_hash::FxHashMap;

use super::advice;
use super::finding::{
    Blocked, Confidence, Finding, FindingHolder, Link, Location, Pattern, RuleId, Severity,
};
use super::words::{grouped, percent};
use super::{Case, words};
use crate::cluster::ClusterIx;
use crate::model::{Certainty, Evidence, Listing, ThreadIx, ThreadNumber};
use crate::normalize::ResourceClass;
use crate::waits::{Holder, Identity, LIKELY_POINTS, Lock, LockIx, LockKind, State, Target, Words};

/// So many threads behind one lock are a jam of their own, however many others work.
const MANY: u64 = 10;

/// A lock with the threads that a rule speaks of.
pub(super) struct Jam<'a> {
    pub case: &'a Case<'a>,
    pub ix: LockIx,
    pub lock: &'a Lock,
    /// The waiters in the state that the rule is about.
    pub waiters: Vec<ThreadIx>,
    pub blocked: Blocked,
}

impl<'a> Jam<'a> {
    /// All locks of which the rule speaks, and for which at least one thread waits in one of these states.
    pub fn all(
        case: &'a Case<'a>,
        states: &'a [State],
        is_meant: impl Fn(LockIx, &Lock) -> bool + 'a,
    ) -> impl Iterator<Item = Jam<'a>> {
        (0u32..).zip(&case.waits.locks).filter_map(move |(n, lock)| {
            if lock.waiters.is_empty() || !words::row(lock).has_holder || !is_meant(LockIx(n), lock) {
                return None;
            }
            let is_meant = |t: &ThreadIx| states.contains(&case.waits.of(*t).state);
            let waiters: Vec<ThreadIx> = lock.waiters.iter().copied().filter(is_meant).collect();
            if waiters.is_empty() {
                return None;
            }
            // Whom the text only counts sleeps.
            let unseen = if states.contains(&State::LockWait) { lock.unseen() } else { 0 };
            let transitive = case.graph.blocked_behind(&waiters, case.snapshot) + unseen;
            let blocked = Blocked { direct: case.snapshot.count(&waiters) + unseen, transitive };
            Some(Jam { case, ix: LockIx(n), lock, waiters, blocked })
        })
    }

    /// The thread that holds the lock.
    pub fn holder(&self) -> Option<ThreadIx> {
        self.lock.holder.thread().map(|(t, _)| t)
    }

    /// Whether the holder waits, itself or through others, in a ring of which the waiters are part:
    /// then it is a deadlock, and not told twice.
    pub fn is_in_ring(&self, rings: &LocksInRings) -> bool {
        let members = rings.0.get(&self.ix).into_iter().flatten();
        members.into_iter().any(|member| self.waiters.binary_search(member).is_ok())
    }

    /// What kind of contention it is.
    pub fn pattern(&self) -> Pattern {
        let Some(holder) = self.holder() else { return Pattern::Nobody };
        match self.case.waits.of(holder).state {
            State::LockWait | State::Spinning | State::JoinWait => Pattern::Chained,
            State::Running if self.is_at_the_lock(holder) || self.is_handed_on(holder) => Pattern::Convoy,
            _ => Pattern::SlowHolder,
        }
    }

    /// The holder is in the function that takes the lock, or in the lock's own functions: it has just
    /// taken it or is about to give it back.
    fn is_at_the_lock(&self, holder: ThreadIx) -> bool {
        let stack = self.case.snapshot.threads[holder.at()].stack;
        let first = self.case.snapshot.stacks.frames_of(stack).first();
        first.is_none_or(|&f| {
            let name = &self.case.meanings.get(f).name;
            self.lock.callers.iter().any(|(caller, _)| caller == name) || name.contains("mutex_unlock")
        })
    }

    /// Python takes the interpreter lock from a thread that runs its code, and gives it to the next one.
    fn is_handed_on(&self, holder: ThreadIx) -> bool {
        self.lock.kind == LockKind::Gil && runs_python(self.case, holder)
    }

    /// How bad it is: by the share of the threads that have something to do and cannot.
    pub fn severity(&self) -> Severity {
        let stopped = self.blocked.transitive;
        let is_free = |s: State| matches!(s, State::Idle | State::CondWait);
        let idle = self.case.count_in(is_free);
        let active = self.case.states.total().saturating_sub(idle).max(1);
        // Several jams at once: that the process as a whole is stuck makes each of them worse.
        let stuck = self.case.count_in(|state| state.is_blocked());
        let is_half = stopped.max(stuck) * 2 >= active;
        let is_moving = match self.pattern() {
            Pattern::Convoy => true,
            Pattern::Nobody => self.lock.holder == Holder::Free,
            Pattern::SlowHolder | Pattern::Chained => false,
        };
        // Two or three threads at a lock that is being handed on are everyday life.
        if is_moving && stopped <= 3 {
            return Severity::Info;
        }
        // Threads that compute take turns.
        if self.holder().is_some_and(|holder| self.is_handed_on(holder)) {
            return Severity::Medium;
        }
        // Samples are time, and nobody is known to be stopped.
        if self.case.snapshot.listing == Listing::Samples {
            return if is_half { Severity::High } else { Severity::Medium };
        }
        let severity = match stopped {
            n if n >= MANY && is_half => Severity::Critical,
            n if n >= MANY || (n >= 3 && is_half) => Severity::High,
            _ => Severity::Medium,
        };
        match severity {
            Severity::Critical if is_moving => Severity::High,
            Severity::High if is_moving => Severity::Medium,
            other => other,
        }
    }

    /// `certain` only where neither a wait nor the hold is inferred.
    pub fn confidence(&self) -> Confidence {
        if self.lock.identity == Identity::Site {
            return Confidence::Possible;
        }
        let waits = self.lock.certainty;
        match &self.lock.holder {
            Holder::Thread { certainty: Certainty::Inferred, .. } => {
                let points = self.lock.holder_points.unwrap_or(0);
                if points >= LIKELY_POINTS { Confidence::Likely } else { Confidence::Possible }
            }
            _ if waits == Certainty::Inferred => Confidence::Likely,
            Holder::Unknown { .. } => Confidence::Likely,
            _ => Confidence::Certain,
        }
    }

    /// The finding, with everything that the rules do not say differently. `verb`: what the waiters
    /// do, `wait for`, `spin on`.
    pub fn finding(&self, rule: RuleId, verb: &str) -> Finding {
        let words = self.case.words();
        let total = self.case.states.total();
        let lock = words.lock(self.ix);
        let count = self.blocked.direct;
        let verb = &if count == 1 { verb.replacen(' ', "s ", 1) } else { verb.to_owned() };
        let title = match count > self.case.snapshot.count(&self.waiters) {
            // The text counts them and does not show all of them.
            true => format!("{} {verb} {lock}", self.case.counted(count)),
            false => {
                format!(
                    "{} of {} ({}) {verb} {lock}",
                    grouped(count),
                    self.case.counted(total),
                    percent(count, total)
                )
            }
        };
        let holder = self.finding_holder(&words);
        let chain = self.chain();
        let pattern = self.pattern();
        let root = chain.last().and_then(|link| link.held_by.or(Some(link.thread)));
        let location = self
            .holder()
            .and_then(|t| self.case.caller(t).or_else(|| self.case.first_meaningful(t)))
            .or_else(|| self.waiters.first().and_then(|&t| self.case.caller(t)))
            .map(|frame| Location { frame });
        Finding {
            rule,
            severity: self.severity(),
            // The claim goes as far as the chain does.
            confidence: match chain.is_empty() {
                true => self.confidence(),
                false => self.confidence().min(confidence_of_links(self.case, &chain)),
            },
            title,
            summary: self.summary(&words, verb, &holder, &chain),
            threads: self.waiters.clone(),
            blocked: Some(self.blocked),
            lock: Some(self.ix),
            holder: Some(holder),
            pattern: Some(pattern),
            root: (!chain.is_empty()).then_some(root).flatten(),
            chain,
            cycle: Vec::new(),
            clusters: clusters_of(self.case, &self.waiters),
            location,
            crash: None,
            evidence: self.evidence(&words),
            advice: advice::for_lock(self.case, self, pattern),
            cause: self.cause(rule),
            cause_detail: self.cause_detail(),
            tests: Vec::new(),
        }
    }

    fn finding_holder(&self, words: &Words<'_>) -> FindingHolder {
        let thread = self.holder();
        FindingHolder {
            holder: self.lock.holder.clone(),
            doing: thread.map(|t| words.doing(t)),
            cluster: thread.map(|t| self.case.clusters.cluster_of[t.at()]),
        }
    }

    /// From a waiter over the holder to the root blocker, where the holder waits itself.
    fn chain(&self) -> Vec<Link> {
        let Some(&first) = self.waiters.first() else { return Vec::new() };
        let links: Vec<Link> = self
            .case
            .graph
            .chain(first)
            .into_iter()
            .filter_map(|t| self.case.graph.link(t, self.case.waits))
            .collect();
        if links.len() >= 2 { links } else { Vec::new() }
    }

    fn summary(&self, words: &Words<'_>, verb: &str, holder: &FindingHolder, chain: &[Link]) -> String {
        let lock = words.lock(self.ix);
        let class = self.lock.class.map(|c| format!(" ({})", class_words(c))).unwrap_or_default();
        let takers = match self.lock.callers.first() {
            Some((caller, _)) if self.lock.identity != Identity::Site => {
                format!(", most of them in {caller}")
            }
            _ => String::new(),
        };
        let mut text = format!("{} {verb} {lock}{class}{takers}.", self.case.counted(self.blocked.direct));
        let doing = holder.doing.as_deref().unwrap_or("not known");
        text.push(' ');
        text.push_str(&match &self.lock.holder {
            Holder::Thread { thread, certainty: Certainty::Inferred } => {
                format!("By its stack {} holds it; it is {doing}.", words.thread(*thread))
            }
            Holder::Thread { thread, .. } => {
                format!("{} holds it; it is {doing}.", capital(&words.thread(*thread)))
            }
            Holder::EndedThread { owner, certainty: Certainty::Inferred } => {
                format!("Its owner{} is not in the list of threads: if the list is whole, nobody will release it.", named(*owner))
            }
            Holder::EndedThread { owner, .. } => {
                format!("Its owner{} is not in the process any more: nobody will release it.", named(*owner))
            }
            Holder::OtherProcess { owner, pid: Some(pid) } => {
                format!("Its owner, thread {owner}, is in another process, {pid}.")
            }
            Holder::OtherProcess { owner, pid: None } => {
                format!("It is shared between processes, and its owner {owner} is in another one.")
            }
            Holder::Free => "Nobody holds it at this moment.".into(),
            Holder::NotShown { owner } => {
                format!("The text says that {owner} holds it, and does not show that thread.")
            }
            Holder::Unknown { why, .. } => format!("Who holds it is not known: {why}."),
        });
        if let (Some(root), true) = (chain.last().map(|l| l.held_by.unwrap_or(l.thread)), chain.len() >= 2) {
            let doing = words.doing(root);
            text.push_str(&format!(" At the end of the chain stands {}, {doing}.", words.thread(root)));
        }
        if self.blocked.transitive > self.blocked.direct {
            text.push_str(&format!(
                " With those that wait behind them, {} are stopped.",
                self.case.counted(self.blocked.transitive)
            ));
        }
        text
    }

    fn evidence(&self, words: &Words<'_>) -> Vec<Evidence> {
        let count = self.case.counted(self.blocked.direct);
        let lock = self.lock.name.as_deref().map_or_else(|| words.lock(self.ix), Into::into);
        let of_waiters = match (self.lock.identity, self.case.snapshot.image.is_some()) {
            (Identity::Site, _) if self.lock.callers.is_empty() => Evidence::reported(format!(
                "the dump says of {count} that they wait for a lock, and does not say for which"
            )),
            (Identity::Site, _) => Evidence::inferred(format!(
                "{count} wait in the same function; which lock it is, the dump does not say"
            )),
            (_, true) if self.waiters.iter().all(|t| self.case.waits.of(*t).state == State::Spinning) => {
                Evidence::read(format!("{count} run in a loop in user mode over the word {lock}"))
            }
            (_, true) if self.lock.kind == LockKind::ParkingLot => {
                Evidence::read(format!("the key beside the wait word of {count} is {lock}"))
            }
            (_, true) => Evidence::read(format!("the futex word of {count} is {lock}")),
            (_, false) if self.lock.certainty == Certainty::Inferred => {
                Evidence::inferred(format!("{count} are in functions that wait for {lock}"))
            }
            (_, false) if words::row(self.lock).arguments.is_empty() => {
                let they_wait = if self.blocked.direct == 1 { "it waits" } else { "they wait" };
                Evidence::reported(format!("the dump says of {count} that {they_wait} for {lock}"))
            }
            (_, false) => Evidence::reported(format!("the lock function of {count} has the argument {lock}")),
        };
        let mut all = vec![of_waiters];
        all.extend(self.lock.evidence.iter().cloned());
        if let Some(cpu) = self.cpu_evidence() {
            all.push(cpu);
        }
        if let Some(holder) = self.holder() {
            let activity = self.case.waits.of(holder);
            let what = format!("{} is {}", words.thread(holder), words.doing(holder));
            if activity.system_call.is_some() && activity.call.is_some() {
                all.push(Evidence::read(format!("{what}: its registers say so")));
            } else {
                let certainty =
                    if self.case.snapshot.image.is_some() { Certainty::Read } else { Certainty::Reported };
                all.push(Evidence::new(certainty, format!("{what}, by its stack")));
            }
        }
        all.sort_by_key(|e| std::cmp::Reverse(e.certainty));
        all
    }

    /// CPU time speaks for spinning; its absence does not speak against it.
    fn cpu_evidence(&self) -> Option<Evidence> {
        let is_spin = |t: &&ThreadIx| self.case.waits.of(**t).state == State::Spinning;
        let times = self.waiters.iter().filter(is_spin);
        let total = total(times.filter_map(|t| self.case.snapshot.threads[t.at()].cpu_us));
        (total > 0).then(|| {
            Evidence::read(format!("the spinning threads used {:.1} s of CPU together", total as f64 / 1e6))
        })
    }

    fn cause(&self, rule: RuleId) -> Vec<String> {
        let caller = self.lock.callers.first().map(|(name, _)| name.to_string()).unwrap_or_default();
        let name = self.lock.name.as_deref().unwrap_or("");
        vec![rule.id().into(), words::row(self.lock).noun.into(), name.into(), caller]
    }

    fn cause_detail(&self) -> Vec<String> {
        let Some(holder) = self.holder() else { return Vec::new() };
        let cluster = self.case.clusters.cluster_of[holder.at()];
        let cluster = self.case.clusters.get(cluster);
        std::iter::once(cluster.state.id().to_owned())
            .chain(cluster.signature.iter().map(|s| s.to_string()))
            .collect()
    }
}

/// Whether the innermost function of a thread is one of Python, and so the interpreter runs.
pub(super) fn runs_python(case: &Case<'_>, thread: ThreadIx) -> bool {
    let stack = case.snapshot.threads[thread.at()].stack;
    let first = case.snapshot.stacks.frames_of(stack).first().map(|f| case.snapshot.stacks.get(*f));
    first.is_some_and(|frame| frame.file.as_deref().is_some_and(|file| file.ends_with(".py")))
}

/// The locks that make rings of threads, each with the members of a ring that wait for it.
pub(super) struct LocksInRings(FxHashMap<LockIx, Vec<ThreadIx>>);

impl LocksInRings {
    pub fn of(case: &Case<'_>) -> Self {
        let mut locks: FxHashMap<LockIx, Vec<ThreadIx>> = FxHashMap::default();
        for member in case.graph.rings().into_iter().flatten() {
            if let Some(lock) = case.graph.edge(member).and_then(|edge| edge.lock) {
                locks.entry(lock).or_default().push(member);
            }
        }
        Self(locks)
    }
}

/// How sure a chain or ring of links is: as sure as the weakest of its locks.
pub(super) fn confidence_of_links(case: &Case<'_>, links: &[Link]) -> Confidence {
    let of_link = |link: &Link| {
        let Target::Lock(ix) = link.waits_for else {
            return if link.certainty == Certainty::Inferred {
                Confidence::Likely
            } else {
                Confidence::Certain
            };
        };
        let lock = case.waits.lock(ix);
        match lock.identity {
            Identity::Site => Confidence::Possible,
            _ if link.certainty > Certainty::Inferred => Confidence::Certain,
            _ if lock.holder_points.is_none_or(|points| points >= LIKELY_POINTS) => Confidence::Likely,
            _ => Confidence::Possible,
        }
    };
    links.iter().map(of_link).min().unwrap_or(Confidence::Possible)
}

/// The clusters in which these threads are, largest first.
pub(super) fn clusters_of(case: &Case<'_>, threads: &[ThreadIx]) -> Vec<ClusterIx> {
    let mut all: Vec<ClusterIx> = threads.iter().map(|t| case.clusters.cluster_of[t.at()]).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// An owner by its id, where it is known: `, thread 4340,`.
fn named(owner: Option<ThreadNumber>) -> String {
    owner.map(|id| format!(", thread {id},")).unwrap_or_default()
}

/// With a capital letter.
pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// A class in words.
pub(super) fn class_words(class: ResourceClass) -> &'static str {
    match class {
        ResourceClass::Logging => "logging",
        ResourceClass::Allocator => "the memory allocator",
        ResourceClass::Stdio => "a stdio stream",
        ResourceClass::Loader => "the loading of code",
        ResourceClass::Gil => "Python's interpreter lock",
        ResourceClass::Gc => "the garbage collector",
        ResourceClass::DbPool => "a pool of database connections",
        ResourceClass::Locale => "locale and time zone data",
        ResourceClass::Resolver => "name resolution",
    }
}

/// The sum; a damaged dump may state any time.
fn total(times: impl Iterator<Item = u64>) -> u64 {
    times.fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absurd_cpu_times_do_not_overflow_the_sum() {
        assert_eq!(total([u64::MAX, 1].into_iter()), u64::MAX);
        assert_eq!(total([2, 1].into_iter()), 3);
    }
}
