//! Who waits for whom, small enough to be drawn: locks, the threads that matter one by one, all other waiters
//! as groups with a count.

use std::collections::{BTreeMap, BTreeSet};

use super::{threads, words};
use crate::model::Certainty;
use crate::report::document::{
    ClusterId, Finding, Holder, HolderKind, Lock, LockId, Snapshot, ThreadRecord, WaitsFor,
};
use crate::waits::{LockKind, State};

/// Boxes of a drawing: more cannot be taken in.
const MOST: usize = 90;
/// Groups of waiters of one lock that have a box each.
const GROUPS: usize = 6;
/// Holders of one lock (readers) that have a box each.
const HOLDERS: usize = 6;

/// What a box is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A lock.
    Lock,
    /// One thread.
    Thread,
    /// Threads that do the same thing.
    Group,
    /// A holder that is no thread of the dump, or is not known.
    Note,
}

/// A box.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Its first line.
    pub title: String,
    /// Further lines, broken where they are too long.
    pub lines: Vec<String>,
    /// The line that is always there: state and cluster.
    pub last: String,
    /// What the threads were doing.
    pub state: Option<State>,
    /// Whether it is part of a ring.
    pub in_ring: bool,
}

/// An arrow: from who waits to what is awaited, and from a lock to its holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Where it begins: a place in `nodes`.
    pub from: usize,
    /// Where it ends.
    pub to: usize,
    /// `waits for`, `held by`.
    pub says: &'static str,
    /// Whether it was concluded, not read.
    pub is_inferred: bool,
    /// Whether it is part of a ring.
    pub in_ring: bool,
}

/// The graph of a snapshot.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// The boxes; those that hang together stand together, rings first.
    pub nodes: Vec<Node>,
    /// The arrows.
    pub edges: Vec<Edge>,
    /// The boxes of each ring, in its order.
    pub rings: Vec<Vec<usize>>,
    /// Threads and locks for which there was no room.
    pub left_out: u64,
    /// Idle threads: to wait for work is no jam.
    pub idle: u64,
}

/// What a box stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Lock(LockId),
    Thread(u32),
    Group(Option<ClusterId>, Goal),
    /// The groups of a goal that have no box of their own.
    Rest(Goal),
    /// The holder of a lock that is no thread.
    Note(LockId),
}

/// What can be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Goal {
    Lock(LockId),
    Thread(u32),
}

impl From<Goal> for Key {
    fn from(goal: Goal) -> Self {
        match goal {
            Goal::Lock(id) => Self::Lock(id),
            Goal::Thread(ix) => Self::Thread(ix),
        }
    }
}

/// The arrows before they have places: where to, in what words, how sure.
type Arrows = BTreeMap<(Key, Key), (&'static str, Certainty)>;

/// The graph of a snapshot with its findings.
pub fn of(snapshot: &Snapshot<'_>, findings: &[&Finding<'_>]) -> Graph {
    let mut draft =
        Draft { snapshot, arrows: Arrows::new(), counts: BTreeMap::new(), merged: BTreeMap::new() };
    let named = draft.named(findings);
    draft.waiters(&named);
    draft.merge_small_groups();
    draft.holders();
    let rings = rings(findings);
    let matters: BTreeSet<Key> = findings
        .iter()
        .flat_map(|f| f.chain.iter().chain(&f.cycle))
        .map(|l| Key::Thread(l.thread.ix))
        .collect();
    let (parts, idle) = draft.parts(&matters, &rings);
    Graph { idle, ..draft.graph(parts, &rings) }
}

/// The rings of the findings: thread, lock, thread, lock, …
fn rings(findings: &[&Finding<'_>]) -> Vec<Vec<Key>> {
    let ring = |f: &&Finding<'_>| {
        f.cycle
            .iter()
            .flat_map(|link| [Some(Key::Thread(link.thread.ix)), link.waits_for.lock.map(Key::Lock)])
            .flatten()
            .collect::<Vec<_>>()
    };
    findings.iter().map(ring).filter(|ring| !ring.is_empty() && ring.len() <= MOST).collect()
}

struct Draft<'s, 'd> {
    snapshot: &'s Snapshot<'d>,
    arrows: Arrows,
    /// Threads of each group.
    counts: BTreeMap<Key, u64>,
    /// How many groups a rest stands for.
    merged: BTreeMap<Key, usize>,
}

impl Draft<'_, '_> {
    /// Locks that somebody waits for.
    fn locks(&self) -> impl Iterator<Item = &Lock<'_>> {
        self.snapshot.locks.iter().filter(|lock| lock.waiters.count > 0)
    }

    fn lock(&self, id: LockId) -> Option<&Lock<'_>> {
        self.snapshot.locks.get(id.0.at()).filter(|lock| lock.id == id)
    }

    /// Threads that get a box of their own.
    fn named(&self, findings: &[&Finding<'_>]) -> BTreeSet<u32> {
        let links = findings.iter().flat_map(|f| f.chain.iter().chain(&f.cycle));
        let of_links = links.flat_map(|link| [Some(link.thread.ix), link.held_by.map(|t| t.ix)]).flatten();
        let roots = findings.iter().filter_map(|f| f.root).map(|root| root.ix);
        let of_locks = self.locks().flat_map(holders_of).filter_map(|holder| holder.thread).map(|t| t.ix);
        let awaited =
            self.snapshot.thread_list.iter().filter_map(|t| t.waits_for.as_ref()?.thread).map(|t| t.ix);
        // A group of one is a thread.
        let mut groups: BTreeMap<(Option<ClusterId>, Goal), (u32, u32)> = BTreeMap::new();
        for thread in &self.snapshot.thread_list {
            if let Some((goal, _)) = goal(thread) {
                groups.entry((thread.cluster, goal)).or_insert((thread.ix, 0)).1 += 1;
            }
        }
        let alone = groups.into_values().filter(|(_, count)| *count == 1).map(|(ix, _)| ix);
        of_links.chain(roots).chain(of_locks).chain(awaited).chain(alone).collect()
    }

    /// Whether threads of a box wait for work, as they should.
    fn is_idle(&self, key: &Key) -> bool {
        match key {
            Key::Group(Some(id), _) => {
                threads::cluster(*id, self.snapshot).is_some_and(|c| c.state == State::Idle)
            }
            Key::Thread(ix) => {
                self.snapshot.thread_list.get(*ix as usize).is_some_and(|t| t.state == State::Idle)
            }
            _ => false,
        }
    }

    fn waiters(&mut self, named: &BTreeSet<u32>) {
        for thread in &self.snapshot.thread_list {
            let Some((goal, wait)) = goal(thread) else { continue };
            let from = if named.contains(&thread.ix) {
                Key::Thread(thread.ix)
            } else {
                Key::Group(thread.cluster, goal)
            };
            *self.counts.entry(from).or_insert(0) += 1;
            let arrow = self.arrows.entry((from, goal.into())).or_insert(("waits for", wait.certainty));
            arrow.1 = arrow.1.min(wait.certainty);
        }
    }

    /// The smallest groups of a goal become one.
    fn merge_small_groups(&mut self) {
        let mut by_goal: BTreeMap<Goal, Vec<(u64, Key)>> = BTreeMap::new();
        for (key, count) in &self.counts {
            if let Key::Group(_, goal) = key {
                by_goal.entry(*goal).or_default().push((*count, *key));
            }
        }
        for (goal, mut groups) in by_goal {
            if groups.len() <= GROUPS {
                continue;
            }
            groups.sort_by_key(|(count, key)| (std::cmp::Reverse(*count), *key));
            let rest = Key::Rest(goal);
            let mut sure = Certainty::Read;
            for (count, key) in groups.drain(GROUPS - 1..) {
                *self.counts.entry(rest).or_insert(0) += count;
                *self.merged.entry(rest).or_insert(0) += 1;
                self.counts.remove(&key);
                sure = sure.min(self.arrows.remove(&(key, goal.into())).map_or(sure, |(_, sure)| sure));
            }
            self.arrows.insert((rest, goal.into()), ("waits for", sure));
        }
    }

    fn holders(&mut self) {
        let mut arrows = Vec::new();
        for lock in self.locks() {
            // What is signalled has no holder to look for.
            let is_signal = matches!(lock.kind, LockKind::Condvar | LockKind::Semaphore | LockKind::Barrier);
            for holder in holders_of(lock).filter(|holder| holder.thread.is_some() || !is_signal) {
                let to = holder.thread.map_or(Key::Note(lock.id), |thread| Key::Thread(thread.ix));
                let sure = holder.certainty.unwrap_or(Certainty::Read);
                arrows.push(((Key::Lock(lock.id), to), ("held by", sure)));
            }
        }
        self.arrows.extend(arrows);
    }

    /// What hangs together and is worth a look, rings first, then the most threads.
    fn parts(&self, matters: &BTreeSet<Key>, rings: &[Vec<Key>]) -> (Vec<Vec<Key>>, u64) {
        let mut neighbours: BTreeMap<Key, Vec<Key>> = BTreeMap::new();
        for (from, to) in self.arrows.keys() {
            neighbours.entry(*from).or_default().push(*to);
            neighbours.entry(*to).or_default().push(*from);
        }
        let threads = |part: &[Key]| part.iter().map(|key| self.counts.get(key).unwrap_or(&0)).sum::<u64>();
        let mut seen = BTreeSet::new();
        let mut parts = Vec::new();
        let mut idle = 0;
        for start in neighbours.keys() {
            let mut part = Vec::new();
            let mut next = vec![*start];
            while let Some(key) = next.pop() {
                if seen.insert(key) {
                    part.push(key);
                    next.extend(&neighbours[&key]);
                }
            }
            // Neither threads that only join one that works, nor a pool that waits for work, are a jam.
            let is_work = |key: &Key| self.counts.contains_key(key) && !self.is_idle(key);
            let has_lock = part.iter().any(|key| matches!(key, Key::Lock(_)));
            if has_lock && part.iter().any(is_work) || part.iter().any(|key| matters.contains(key)) {
                part.sort();
                parts.push(part);
            } else if has_lock {
                idle += threads(&part);
            }
        }
        let has_ring = |part: &[Key]| rings.iter().flatten().any(|key| part.contains(key));
        parts.sort_by_key(|part| (!has_ring(part), std::cmp::Reverse(threads(part)), part.first().copied()));
        (parts, idle)
    }

    fn graph(&self, parts: Vec<Vec<Key>>, rings: &[Vec<Key>]) -> Graph {
        let mut graph = Graph::default();
        let mut places: BTreeMap<Key, usize> = BTreeMap::new();
        let in_ring: BTreeSet<Key> = rings.iter().flatten().copied().collect();
        for part in parts {
            // What is cut of a part that is too large: groups and threads with the fewest waiters.
            let mut part = part;
            if places.len() + part.len() > MOST {
                part.sort_by_key(|key| (!in_ring.contains(key), std::cmp::Reverse(self.weight(*key)), *key));
            }
            for key in part {
                if places.len() < MOST {
                    places.insert(key, graph.nodes.len());
                    graph.nodes.push(self.node(key, in_ring.contains(&key)));
                } else {
                    graph.left_out += self.counts.get(&key).copied().unwrap_or(1);
                }
            }
        }
        graph.rings = rings
            .iter()
            .map(|ring| ring.iter().filter_map(|key| places.get(key).copied()).collect())
            .collect();
        let follows = |from: usize, to: usize| {
            graph.rings.iter().any(|ring| {
                let mut pairs = ring.iter().zip(ring.iter().cycle().skip(1));
                pairs.any(|(a, b)| (*a, *b) == (from, to))
            })
        };
        graph.edges = self
            .arrows
            .iter()
            .filter_map(|((from, to), (says, sure))| {
                let (from, to) = (*places.get(from)?, *places.get(to)?);
                let is_inferred = *sure == Certainty::Inferred;
                Some(Edge { from, to, says, is_inferred, in_ring: follows(from, to) })
            })
            .collect();
        graph
    }

    fn weight(&self, key: Key) -> u64 {
        match key {
            Key::Lock(id) => self.lock(id).map_or(0, |lock| lock.waiters.count),
            // A holder and its lock stay together.
            Key::Thread(ix) => {
                let held = self.snapshot.thread_list.get(ix as usize).into_iter().flat_map(|t| &t.holds);
                held.filter_map(|id| self.lock(*id)).map(|lock| lock.waiters.count).sum()
            }
            Key::Note(id) => self.lock(id).map_or(0, |lock| lock.waiters.count),
            Key::Group(..) | Key::Rest(_) => self.counts.get(&key).copied().unwrap_or(0),
        }
    }

    fn node(&self, key: Key, in_ring: bool) -> Node {
        let bare = |kind, title: String| Node {
            kind,
            title,
            lines: Vec::new(),
            last: String::new(),
            state: None,
            in_ring,
        };
        let count = self.counts.get(&key).copied().unwrap_or(0);
        match key {
            Key::Lock(id) => match self.lock(id) {
                Some(lock) => Node {
                    lines: [Some(words::lock_kind(lock)), guards(lock), Some(waiting(lock.waiters.count))]
                        .into_iter()
                        .flatten()
                        .collect(),
                    ..bare(Kind::Lock, words::lock_name(lock))
                },
                None => bare(Kind::Lock, id.to_string()),
            },
            Key::Thread(ix) => self.thread(ix, bare(Kind::Thread, format!("thread #{ix}"))),
            Key::Group(id, _) => {
                let node = bare(Kind::Group, words::counted(count, "thread"));
                match id.and_then(|id| threads::cluster(id, self.snapshot)) {
                    Some(cluster) => Node {
                        lines: vec![super::finding::signature(&cluster.signature)],
                        last: format!("{} · {}", cluster.state.id(), cluster.id),
                        state: Some(cluster.state),
                        ..node
                    },
                    None => node,
                }
            }
            Key::Rest(_) => {
                let groups = self.merged.get(&key).copied().unwrap_or(0) as u64;
                let lines = vec![format!("in {}", words::counted(groups, "more group"))];
                Node { lines, ..bare(Kind::Group, words::counted(count, "thread")) }
            }
            Key::Note(id) => match self.lock(id) {
                Some(lock) => note(&lock.holder, bare(Kind::Note, String::new())),
                None => bare(Kind::Note, "not known".into()),
            },
        }
    }

    fn thread(&self, ix: u32, node: Node) -> Node {
        let Some(thread) = self.snapshot.thread_list.get(ix as usize) else { return node };
        let held = thread.holds.iter().filter_map(|id| self.lock(*id));
        let doing = held
            .flat_map(holders_of)
            .find(|holder| holder.thread.is_some_and(|t| t.ix == ix))
            .and_then(|holder| holder.doing);
        let what = || thread.waits_for.as_ref().and_then(|wait| wait.what);
        let name = thread.name.map(|name| format!(" \"{name}\"")).unwrap_or_default();
        let cluster = || thread.cluster.and_then(|id| threads::cluster(id, self.snapshot));
        let calls = || cluster().map(|cluster| super::finding::signature(&cluster.signature));
        let line = doing.or_else(what).map(str::to_owned).or_else(calls);
        Node {
            title: format!("thread {}{name}", thread.id),
            lines: line.into_iter().collect(),
            last: match thread.cluster {
                Some(id) => format!("{} · {id}", thread.state.id()),
                None => thread.state.id().to_owned(),
            },
            state: Some(thread.state),
            ..node
        }
    }
}

/// The holders of a lock that get a box: the first of many readers.
fn holders_of<'l, 'd>(lock: &'l Lock<'d>) -> impl Iterator<Item = &'l Holder<'d>> {
    let one = lock.holders.is_empty().then_some(&lock.holder);
    lock.holders.iter().take(HOLDERS).chain(one)
}

/// What a thread of the dump waits for that can be drawn.
fn goal<'t, 'd>(thread: &'t ThreadRecord<'d>) -> Option<(Goal, &'t WaitsFor<'d>)> {
    let wait = thread.waits_for.as_ref()?;
    let of_thread = || wait.thread.map(|thread| Goal::Thread(thread.ix));
    Some((wait.lock.map(Goal::Lock).or_else(of_thread)?, wait))
}

fn guards(lock: &Lock<'_>) -> Option<String> {
    lock.class.as_ref().map(|class| format!("guards {}", words::id_of(class).replace('-', " ")))
}

fn waiting(count: u64) -> String {
    format!("{} {}", words::counted(count, "thread"), if count == 1 { "waits" } else { "wait" })
}

/// A holder that is no thread of the dump.
fn note(holder: &Holder<'_>, node: Node) -> Node {
    let title = match (holder.kind, holder.owner_id) {
        (HolderKind::EndedThread, Some(id)) => format!("thread {id} has ended"),
        (HolderKind::EndedThread, None) => "a thread that has ended".into(),
        (HolderKind::OtherProcess, Some(id)) => format!("thread {id} of another process"),
        (HolderKind::OtherProcess, None) => "another process".into(),
        (HolderKind::NotAThread, _) => "no thread".into(),
        (HolderKind::Runtime, _) => "the runtime itself".into(),
        (HolderKind::Free, _) => "nobody holds it".into(),
        (HolderKind::Unknown | HolderKind::Thread, _) => "holder not known".into(),
    };
    let mut lines: Vec<String> = holder.why.map(str::to_owned).into_iter().collect();
    if let Some(candidate) = holder.candidates.first() {
        lines.push(format!("perhaps {}", words::thread(&candidate.thread)));
    }
    Node { title, lines, ..node }
}
