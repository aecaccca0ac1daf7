//! From a snapshot to the graph.

use std::collections::{BTreeMap, BTreeSet};

use super::order::{FEW, Order, is_stuck};
use super::{Detail, Edge, EdgeKind, Node, WaitGraph};
use crate::model::{Certainty, ThreadIx, ThreadNumber};
use crate::report::document::{
    ClusterId, Document, Finding, Holder, HolderKind, Link, Lock, LockId, Snapshot, ThreadRecord, ThreadRef,
    WaitsFor,
};
use crate::waits::State;

/// What a group of threads waits for. Threads of one cluster with the same target are one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Lock(LockId),
    MoreLocks,
    Thread(u32),
    /// A thread without a node of its own, by its cluster.
    Member(Option<ClusterId>),
    Process,
    Nothing,
}

/// What makes a node one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Thread(u32),
    Group(Target, Option<ClusterId>),
    MoreThreads(Target),
    Lock(LockId),
    MoreLocks,
    Outside(Outside),
}

/// Who is outside of the process; without an id where it stands for several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outside {
    EndedThread(Option<ThreadNumber>, &'static str),
    OtherProcess(Option<ThreadNumber>),
    NotAThread,
    Runtime,
    AwaitedProcess,
}

/// The graph of one snapshot.
pub fn graph<'a>(
    document: &'a Document<'a>,
    place: usize,
    snapshot: &'a Snapshot<'a>,
    detail: Detail,
) -> WaitGraph<'a> {
    let findings: Vec<_> = document.findings.iter().filter(|f| f.snapshot == place).collect();
    let order = Order::of(snapshot, &findings, detail);
    let mut builder = Builder {
        snapshot,
        doing: doing(snapshot, &findings),
        order,
        members: BTreeMap::new(),
        places: BTreeMap::new(),
        graph: WaitGraph::default(),
        edges: BTreeMap::new(),
    };
    builder.gather(detail);
    builder.waits();
    builder.locks();
    for link in findings.iter().flat_map(|f| &f.chain) {
        builder.link(link, false);
    }
    for link in findings.iter().flat_map(|f| &f.cycle) {
        builder.link(link, true);
    }
    builder.done()
}

/// What holders do, in words: the findings know best.
fn doing<'a>(snapshot: &'a Snapshot<'a>, findings: &[&'a Finding<'a>]) -> BTreeMap<u32, &'a str> {
    let of_holder = |holder: &Holder<'a>| Some((holder.thread?.ix, holder.doing?));
    let mut doing = BTreeMap::new();
    for lock in snapshot.locks.iter() {
        doing.extend(lock.holders.iter().chain([&lock.holder]).filter_map(of_holder));
    }
    let of_findings = findings.iter().flat_map(|f| f.holders.iter().chain(&f.holder));
    doing.extend(of_findings.filter_map(of_holder));
    doing
}

/// Who is in a group.
#[derive(Clone, Copy, Default)]
struct Members {
    threads: u64,
    clusters: u64,
    /// The first of them.
    first: u32,
}

struct Builder<'a> {
    snapshot: &'a Snapshot<'a>,
    doing: BTreeMap<u32, &'a str>,
    order: Order,
    members: BTreeMap<Key, Members>,
    places: BTreeMap<Key, usize>,
    graph: WaitGraph<'a>,
    edges: BTreeMap<(usize, usize, EdgeKind), Edge>,
}

impl<'a> Builder<'a> {
    /// Counts the groups, and the threads that are in none. Of each target the largest groups stand for
    /// themselves.
    fn gather(&mut self, detail: Detail) {
        let taking_part = self.taking_part();
        let mut groups: BTreeMap<Target, BTreeMap<Option<ClusterId>, Members>> = BTreeMap::new();
        for thread in self.snapshot.thread_list.iter() {
            if self.order.threads.contains(&thread.ix) {
                continue;
            } else if taking_part.contains(&thread.ix) {
                let group = groups.entry(self.target(&thread)).or_default();
                let new = Members { threads: 0, clusters: 1, first: thread.ix };
                group.entry(thread.cluster).or_insert(new).threads += 1;
            } else if thread.state == State::Idle {
                self.graph.idle += 1;
            } else {
                self.graph.apart += 1;
            }
        }
        for (target, clusters) in groups {
            let mut clusters: Vec<_> = clusters.into_iter().collect();
            clusters.sort_by_key(|&(cluster, group)| (std::cmp::Reverse(group.threads), cluster));
            for (n, (cluster, group)) in clusters.into_iter().enumerate() {
                let is_large = n < detail.groups;
                let key = if is_large { Key::Group(target, cluster) } else { Key::MoreThreads(target) };
                let all = self.members.entry(key).or_insert(Members { threads: 0, clusters: 0, ..group });
                all.threads += group.threads;
                all.clusters += group.clusters;
            }
        }
    }

    /// Threads that wait, are awaited, hold a lock that others wait for, or are in a chain.
    fn taking_part(&self) -> BTreeSet<u32> {
        let stuck = self.snapshot.thread_list.iter().filter(|t| is_stuck(t, &self.order.ring));
        let with_target = stuck.filter(|t| self.target(t) != Target::Nothing);
        let mut ixs: BTreeSet<u32> = with_target
            .flat_map(|t| [Some(t.ix), t.waits_for.as_ref().and_then(|w| w.thread).map(|t| t.ix)])
            .flatten()
            .collect();
        ixs.extend(self.contended().flat_map(|lock| {
            holders(&lock).filter_map(|holder| holder.thread).map(|t| t.ix).collect::<Vec<_>>()
        }));
        ixs.extend(&self.order.linked);
        ixs
    }

    fn contended(&self) -> impl Iterator<Item = Lock<'a>> + use<'a, '_> {
        self.snapshot.locks.iter().filter(|lock| self.order.contended.contains(&lock.id))
    }

    fn record(&self, ix: u32) -> Option<ThreadRecord<'a>> {
        self.snapshot.thread_list.without_holds(ThreadIx(ix))
    }

    fn target(&self, thread: &ThreadRecord<'_>) -> Target {
        match &thread.waits_for {
            Some(wait) if is_stuck(thread, &self.order.ring) => self.target_of(wait),
            _ => Target::Nothing,
        }
    }

    fn target_of(&self, wait: &WaitsFor<'_>) -> Target {
        match (wait.lock, wait.thread, wait.process) {
            (Some(lock), ..) if self.order.locks.contains(&lock) => Target::Lock(lock),
            (Some(_), ..) => Target::MoreLocks,
            (_, Some(thread), _) if self.order.threads.contains(&thread.ix) => Target::Thread(thread.ix),
            (_, Some(thread), _) => Target::Member(self.snapshot.cluster_of(ThreadIx(thread.ix))),
            (.., Some(_)) => Target::Process,
            _ => Target::Nothing,
        }
    }

    /// One edge for all threads of a node that wait for the same.
    fn waits(&mut self) {
        for thread in self.snapshot.thread_list.iter() {
            let Some(wait) = &thread.waits_for else { continue };
            if self.target(&thread) == Target::Nothing {
                continue;
            }
            if let (Some(from), Some(to)) = (self.thread(thread.ix), self.awaited(wait)) {
                self.edge(from, to, EdgeKind::WaitsFor, wait.certainty).count += 1;
            }
        }
    }

    /// From the locks to those who hold them.
    fn locks(&mut self) {
        let contended: Vec<_> = self.contended().collect();
        for lock in contended {
            let has_node = self.order.locks.contains(&lock.id);
            let from = self.lock(lock.id);
            for holder in holders(&lock) {
                let certainty = holder.certainty.unwrap_or(Certainty::Read);
                if let (Some(from), Some(to)) = (from, self.holder(holder, has_node)) {
                    self.edge(from, to, EdgeKind::HeldBy, certainty).count += 1;
                }
            }
            for candidate in lock.holder.candidates.iter().take(FEW).filter(|_| has_node) {
                let ix = candidate.thread.ix;
                let to = self.order.threads.contains(&ix).then(|| self.thread(ix)).flatten();
                if let (Some(from), Some(to)) = (from, to) {
                    self.edge(from, to, EdgeKind::PerhapsHeldBy, Certainty::Inferred).count = 1;
                }
            }
        }
    }

    /// A link of a chain or ring. Most are there already; here a ring gets its mark.
    fn link(&mut self, link: &Link<'_>, is_in_ring: bool) {
        let certainty = link.waits_for.certainty;
        let from = self.thread(link.thread.ix);
        let target = self.awaited(&link.waits_for);
        let has_lock = link.waits_for.lock.is_some();
        let holder = link.held_by.filter(|_| has_lock).and_then(|thread| self.thread(thread.ix));
        let links = [(from, target, EdgeKind::WaitsFor), (target, holder, EdgeKind::HeldBy)];
        for (from, to, kind) in links {
            if let (Some(from), Some(to)) = (from, to) {
                let edge = self.edge(from, to, kind, certainty);
                edge.count = edge.count.max(1);
                edge.is_in_ring |= is_in_ring;
            }
        }
    }

    fn edge(&mut self, from: usize, to: usize, kind: EdgeKind, certainty: Certainty) -> &mut Edge {
        let new = Edge { from, to, kind, count: 0, certainty, is_in_ring: false };
        let edge = self.edges.entry((from, to, kind)).or_insert(new);
        edge.certainty = edge.certainty.min(certainty);
        edge
    }

    fn awaited(&mut self, wait: &WaitsFor<'_>) -> Option<usize> {
        match (wait.lock, wait.thread, wait.process) {
            (Some(lock), ..) => self.lock(lock),
            (_, Some(thread), _) => self.thread(thread.ix),
            (.., Some(_)) => self.node(Key::Outside(Outside::AwaitedProcess)),
            _ => None,
        }
    }

    fn lock(&mut self, lock: LockId) -> Option<usize> {
        let has_node = self.order.locks.contains(&lock);
        self.node(if has_node { Key::Lock(lock) } else { Key::MoreLocks })
    }

    fn holder(&mut self, holder: &Holder<'_>, has_node: bool) -> Option<usize> {
        let id = holder.owner.filter(|_| has_node);
        let outside = match holder.kind {
            HolderKind::Thread => return holder.thread.and_then(|thread| self.thread(thread.ix)),
            HolderKind::EndedThread => Outside::EndedThread(id, holder.gone()),
            HolderKind::OtherProcess => Outside::OtherProcess(id),
            HolderKind::NotAThread => Outside::NotAThread,
            HolderKind::Runtime => Outside::Runtime,
            HolderKind::Free | HolderKind::Unknown => return None,
        };
        self.node(Key::Outside(outside))
    }

    /// The node of a thread: its own, or that of its group.
    fn thread(&mut self, ix: u32) -> Option<usize> {
        if self.order.threads.contains(&ix) {
            return self.node(Key::Thread(ix));
        }
        let thread = self.record(ix)?;
        let target = self.target(&thread);
        let own = Key::Group(target, thread.cluster);
        let key = if self.members.contains_key(&own) { own } else { Key::MoreThreads(target) };
        self.node(key)
    }

    /// The place of a node, which is made where it is not there yet.
    fn node(&mut self, key: Key) -> Option<usize> {
        if let Some(place) = self.places.get(&key) {
            return Some(*place);
        }
        let node = self.made(key)?;
        self.graph.nodes.push(node);
        self.places.insert(key, self.graph.nodes.len() - 1);
        Some(self.graph.nodes.len() - 1)
    }

    fn made(&self, key: Key) -> Option<Node<'a>> {
        Some(match key {
            Key::Thread(ix) => self.single(ix)?,
            Key::Group(_, cluster) => {
                let members = self.members.get(&key)?;
                if members.threads == 1 {
                    return self.single(members.first);
                }
                let cluster = cluster.and_then(|id| self.snapshot.cluster(id));
                Node::Group {
                    count: members.threads,
                    state: cluster.map_or(State::Unknown, |c| c.state),
                    signature: cluster.map(|c| &*c.signature).unwrap_or_default(),
                }
            }
            Key::MoreThreads(_) => {
                let Members { threads, clusters, .. } = *self.members.get(&key)?;
                Node::MoreThreads { count: threads, clusters }
            }
            Key::Lock(id) => Node::Lock(Box::new(self.snapshot.lock(id)?)),
            Key::MoreLocks => {
                Node::MoreLocks { count: (self.order.contended.len() - self.order.locks.len()) as u64 }
            }
            Key::Outside(outside) => Node::Outside { words: outside.words() },
        })
    }

    fn single(&self, ix: u32) -> Option<Node<'a>> {
        let thread = self.record(ix)?;
        let what = thread.waits_for.as_ref().and_then(|wait| wait.what);
        let doing = self.doing.get(&ix).copied().or(what);
        let says_the_edge = self.target(&thread) != Target::Nothing;
        let cluster = thread.cluster.and_then(|id| self.snapshot.cluster(id));
        Some(Node::Thread {
            thread: ThreadRef { ix, id: thread.id, name: thread.name },
            state: thread.state,
            doing: doing.filter(|_| !says_the_edge),
            signature: cluster.map(|c| &*c.signature).unwrap_or_default(),
        })
    }

    /// Threads with a node of their own that no edge reached are apart, like all the others.
    fn done(mut self) -> WaitGraph<'a> {
        for ix in self.order.threads.iter().filter(|ix| !self.places.contains_key(&Key::Thread(**ix))) {
            match self.record(*ix).map(|t| t.state) {
                Some(State::Idle) => self.graph.idle += 1,
                Some(_) => self.graph.apart += 1,
                None => {}
            }
        }
        self.graph.edges = self.edges.into_values().collect();
        self.graph
    }
}

/// All who hold a lock.
fn holders<'l>(lock: &'l Lock<'l>) -> impl Iterator<Item = &'l Holder<'l>> {
    let one = lock.holders.is_empty().then_some(&lock.holder);
    lock.holders.iter().chain(one)
}

impl Outside {
    fn words(self) -> String {
        let thread =
            |id: Option<ThreadNumber>| id.map_or_else(|| "threads".into(), |id| format!("thread {id}"));
        match self {
            Self::EndedThread(id, gone) => format!("{}, {gone}", thread(id)),
            Self::OtherProcess(id) => format!("{} of another process", thread(id)),
            Self::NotAThread => "no thread: a transaction or an interrupt".into(),
            Self::Runtime => "the runtime itself".into(),
            Self::AwaitedProcess => "another process".into(),
        }
    }
}
