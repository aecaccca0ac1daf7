//! Lock waits that leave no frame. In the stacks of interpreters a call into C is not seen: a thread at
//! `with _log_lock:` ends in the function that has this line. That it waits there is concluded only
//!
//! - where the function's name says that it takes a lock (`lockLog`), or
//! - where it logs, for a caller that does something else, and another thread is past the same line, further on in the
//!   same function; or half of all threads stand at this line, whose holder a limit of the producer may hide.
//!
//! Any other function may as well sleep, read or compute there. Nothing of this is more than possible.

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::kinds::{LockKind, State};
use super::observation::{Claim, LockClaim, LockKey, Observation};
use super::runtimes;
use super::script;
use crate::model::{Certainty, FrameIx, ReportedState, Snapshot, StackIx, Str, ThreadIx};
use crate::normalize::{Meanings, ResourceClass, Role, surely_takes_lock};

/// Stacks that one worker looks at in one go.
const STACKS_A_CHUNK: usize = 4_096;

/// Fewer threads at one line of a function that logs are passing through.
const FEWEST: usize = 3;

/// So many threads at one line are a jam whoever holds them up.
const MANY: usize = 10;

/// Fewer threads in one lock function are passing through.
const FEWEST_IN_LOCK: usize = 2;

/// Turns threads that stand at one line into waiters of the lock that it takes.
pub(super) fn find<'a>(snapshot: &Snapshot, meanings: &'a Meanings, seen: &mut [Observation<'a>]) {
    let top_of = |stack: u32| {
        let &top = snapshot.stacks.frames_of(StackIx(stack)).first()?;
        let is_meant = meanings.get(top).role == Role::User && script::is_script(snapshot.stacks.get(top));
        is_meant.then_some(top)
    };
    // The threads at one line, and the group of each stack.
    let mut groups: Vec<(FrameIx, Vec<ThreadIx>)> = Vec::new();
    let mut group_of_top: FxHashMap<FrameIx, usize> = FxHashMap::default();
    let mut group_of_stack = |top: FrameIx| {
        *group_of_top.entry(top).or_insert_with(|| {
            groups.push((top, Vec::new()));
            groups.len() - 1
        })
    };
    let stacks = (0..snapshot.stacks.stack_count() as u32).into_par_iter().with_min_len(STACKS_A_CHUNK);
    let tops: Vec<Option<FrameIx>> = stacks.map(top_of).collect();
    if tops.iter().all(Option::is_none) {
        return;
    }
    let group_of: Vec<Option<usize>> = tops.into_iter().map(|top| top.map(&mut group_of_stack)).collect();
    for (ix, thread) in (0u32..).map(ThreadIx).zip(&snapshot.threads) {
        // Who is said to run does not wait.
        let is_open = matches!(thread.reported, None | Some(ReportedState::Asleep | ReportedState::Unclear));
        if !is_open || !matches!(seen[ix.at()].state, State::Running | State::Unknown) {
            continue;
        }
        if let Some((_, threads)) = group_of[thread.stack.at()].and_then(|group| groups.get_mut(group)) {
            threads.push(ix);
        }
    }
    groups.retain(|(_, threads)| !threads.is_empty());
    groups.sort_by_key(|(_, threads)| threads.first().copied());
    let mut past = Past { snapshot, meanings, stacks: None };
    for (top, threads) in groups {
        let meaning = meanings.get(top);
        let is_lock = surely_takes_lock(&meaning.name) && threads.len() >= FEWEST_IN_LOCK;
        let mut logs = || {
            let class = meaning.class == Some(ResourceClass::Logging);
            let is_mass = threads.len() >= MANY && threads.len() * 2 >= snapshot.threads.len();
            class
                && threads.len() >= FEWEST
                && threads.iter().any(|t| is_called_by_others(snapshot, meanings, *t))
                && (is_mass || past.has_one(top))
        };
        if !(is_lock || logs()) {
            continue;
        }
        let frame = snapshot.stacks.get(top);
        let kind = runtimes::lock_kind(LockKind::PthreadMutex, &meaning.name, frame);
        for thread in threads {
            let seen = &mut seen[thread.at()];
            seen.state = State::LockWait;
            seen.claim = Some(Claim::Lock(LockClaim {
                key: LockKey::Site(&meaning.name),
                kind: kind.unwrap_or(LockKind::NamedLock),
                symbol: None,
                certainty: Certainty::Inferred,
                is_shared_object: true,
            }));
        }
    }
}

/// Whether somebody who does not log himself called the function: a thread that ships logs waits for them.
fn is_called_by_others(snapshot: &Snapshot, meanings: &Meanings, thread: ThreadIx) -> bool {
    let stack = snapshot.threads[thread.at()].stack;
    let callers = snapshot.stacks.frames_of(stack).iter().skip(1).map(|f| meanings.get(*f));
    callers.filter(|m| m.role == Role::User && &*m.name != "<module>").any(|m| !is_about_logs(&m.name))
}

/// `ship_logs`, `logger_main`: any word of the name speaks of logs.
fn is_about_logs(name: &str) -> bool {
    name.to_ascii_lowercase().split(|c: char| !c.is_ascii_alphabetic()).any(|word| word.starts_with("log"))
}

/// Frames that called something, by the name of their function: looked up once.
struct Past<'a> {
    snapshot: &'a Snapshot,
    meanings: &'a Meanings,
    stacks: Option<FxHashMap<Str, Vec<FrameIx>>>,
}

impl Past<'_> {
    /// Whether a thread is past this line of the same function.
    fn has_one(&mut self, top: FrameIx) -> bool {
        let (snapshot, meanings) = (self.snapshot, self.meanings);
        let calling = self.stacks.get_or_insert_with(|| {
            let stacks: FxHashSet<StackIx> = snapshot.threads.iter().map(|t| t.stack).collect();
            let mut frames: Vec<FrameIx> =
                stacks.iter().flat_map(|s| snapshot.stacks.frames_of(*s).iter().skip(1)).copied().collect();
            frames.sort_unstable();
            frames.dedup();
            let mut by_name: FxHashMap<Str, Vec<FrameIx>> = FxHashMap::default();
            for frame in frames {
                by_name.entry(meanings.get(frame).name.clone()).or_default().push(frame);
            }
            by_name
        });
        let at = snapshot.stacks.get(top);
        calling.get(&meanings.get(top).name).is_some_and(|frames| {
            frames.iter().any(|&f| f != top && script::is_past(snapshot.stacks.get(f), at))
        })
    }
}
