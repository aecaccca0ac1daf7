//! One process at one moment.

use std::collections::BTreeMap;

use rayon::prelude::*;

use schemars::JsonSchema;
use serde::Serialize;

use super::cluster::Cluster;
use super::ids::{ClusterId, LockId};
use super::lock::{Lock, Locks};
use super::module::Module;
use super::resolve::Resolver;
use super::schema::formats;
use super::thread_record::{Kind, ThreadList, ThreadRecord, ThreadRef};
use crate::diagnosis::Analyzed;
use crate::model::{self, FormatId, GapKind, Listing, ThreadIx};
use crate::waits::State;

/// Where a snapshot comes from.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Source<'a> {
    /// The input as the user named it, or the file found in a folder.
    pub path: &'a str,
    /// The kind of dump.
    #[schemars(schema_with = "formats")]
    pub format: FormatId,
    /// What wrote it, where it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub producer: Option<&'a str>,
    /// Size in bytes, unpacked.
    pub bytes: u64,
    /// Where in the unpacked file the snapshot begins, in bytes.
    pub offset: u64,
}

/// What is known of the process.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Process<'a> {
    /// Its pid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// Its short name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    /// Its command line, as far as the dump has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command_line: Option<&'a str>,
    /// The runtime of its language: `CPython 3.12`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<&'a str>,
    /// `linux`, `macos`, `windows`, `freebsd`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os: Option<&'a str>,
    /// The processor: `x86-64`, `aarch64`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arch: Option<String>,
    /// When it was captured, as the dump writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub captured_at: Option<&'a str>,
    /// The signal that ended it: `SIGSEGV`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
}

impl<'a> Process<'a> {
    fn of(process: &'a model::Process) -> Self {
        Self {
            pid: process.pid,
            name: process.name.as_deref(),
            command_line: process.command_line.as_deref(),
            runtime: process.runtime.as_deref(),
            os: process.os.as_deref(),
            arch: process.arch.map(model::Arch::name),
            captured_at: process.captured_at.as_deref(),
            signal: process.signal.as_ref().and_then(signal_name),
        }
    }
}

fn signal_name(signal: &model::Signal) -> Option<String> {
    match (&*signal.name, signal.number) {
        ("", Some(number)) => Some(format!("signal {number}")),
        ("", None) => None,
        (name, _) => Some(name.to_owned()),
    }
}

/// What `total` counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Threads.
    Threads,
    /// Samples of a profile: limits on threads never apply.
    Samples,
}

impl Unit {
    fn of(listing: Listing) -> Self {
        match listing {
            Listing::Threads | Listing::Groups => Self::Threads,
            Listing::Samples => Self::Samples,
        }
    }

    /// One of it: `thread`.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Threads => "thread",
            Self::Samples => "sample",
        }
    }
}

/// How many threads there are, and what they do.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Threads {
    /// How many.
    pub total: u64,
    /// What `total` counts.
    pub unit: Unit,
    /// How many are in each state; states without threads are left out. The sum is `total`.
    pub states: BTreeMap<State, u64>,
    /// How many there are of each kind; kinds without threads are left out.
    pub by_kind: BTreeMap<Kind, u64>,
    /// False where the producer left threads out.
    pub complete: bool,
}

impl Threads {
    /// How many wait for a lock, asleep or burning CPU.
    pub fn blocked(&self) -> u64 {
        self.states.iter().filter(|(state, _)| state.is_blocked()).map(|(_, count)| count).sum()
    }
}

/// Something that was left out, could not be read, or was not understood.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Gap<'a> {
    /// What kind of gap it is.
    pub kind: GapKind,
    /// What is missing and what that means.
    pub message: &'a str,
    /// How many times.
    pub count: u64,
    /// Where in the input the first of them is, in bytes, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
}

/// One process at one moment.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Snapshot<'a> {
    /// Where it comes from.
    pub source: Source<'a>,
    /// What is known of the process.
    pub process: Process<'a>,
    /// How many threads there are, and what they do.
    pub threads: Threads,
    /// Every thread once. `ix` elsewhere is a place in this list. Empty for formats that show no single
    /// threads.
    #[schemars(with = "Vec<ThreadRecord<'a>>")]
    pub thread_list: ThreadList<'a>,
    /// Groups of threads, largest first. Each thread is in exactly one.
    pub clusters: Vec<Cluster<'a>>,
    /// Every lock that a thread waits for or is known to hold, most waiters first.
    #[schemars(with = "Vec<Lock<'a>>")]
    pub locks: Locks<'a>,
    /// The files of the process; binary formats only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modules: Option<Vec<Module<'a>>>,
    /// Everything that was left out, could not be read, or was not understood.
    pub gaps: Vec<Gap<'a>>,
    #[serde(skip)]
    names: Resolver<'a>,
}

impl<'a> Snapshot<'a> {
    /// The lock with this id.
    pub fn lock(&self, id: LockId) -> Option<Lock<'a>> {
        self.locks.get(id)
    }

    /// The thread with this place in the list, in short.
    pub fn thread(&self, thread: ThreadIx) -> Option<ThreadRef<'a>> {
        self.names.thread(thread)
    }

    /// What this thread was doing.
    pub fn state_of(&self, thread: &ThreadRef<'_>) -> Option<State> {
        self.names.activity(ThreadIx(thread.ix)).map(|activity| activity.state)
    }

    /// The cluster of a thread.
    pub fn cluster_of(&self, thread: ThreadIx) -> Option<ClusterId> {
        self.names.cluster_of(thread)
    }

    /// The cluster with this id.
    pub fn cluster(&self, id: ClusterId) -> Option<&Cluster<'a>> {
        self.clusters.get(id.0.at())
    }

    pub(super) fn of(analyzed: &'a Analyzed) -> Self {
        let names = Resolver { analyzed };
        let snapshot = &analyzed.snapshot;
        let has_modules = snapshot.image.is_some() || analyzed.modules.iter().next().is_some();
        Self {
            source: Source {
                path: &snapshot.source.path,
                format: snapshot.source.format,
                producer: snapshot.source.producer.as_deref(),
                bytes: snapshot.source.bytes,
                offset: snapshot.source.offset,
            },
            process: Process::of(&snapshot.process),
            threads: Threads {
                total: snapshot.total(),
                unit: Unit::of(snapshot.listing),
                states: sums(analyzed.clusters.clusters.iter().map(|cluster| (cluster.state, cluster.count))),
                by_kind: by_kind(&snapshot.threads),
                complete: snapshot.is_complete,
            },
            thread_list: ThreadList(names),
            clusters: Cluster::list(names),
            locks: Locks(names),
            modules: has_modules
                .then(|| analyzed.modules.iter().map(|(_, module)| Module::of(module)).collect()),
            gaps: snapshot
                .gaps
                .iter()
                .map(|gap| Gap {
                    kind: gap.kind,
                    message: &gap.message,
                    count: gap.count,
                    offset: gap.offset,
                })
                .collect(),
            names,
        }
    }
}

fn sums<K: Ord>(counts: impl Iterator<Item = (K, u64)>) -> BTreeMap<K, u64> {
    let mut sums: BTreeMap<K, u64> = BTreeMap::new();
    for (key, count) in counts {
        let sum = sums.entry(key).or_default();
        *sum = sum.saturating_add(count);
    }
    sums
}

/// Threads that one worker counts in one go.
const THREADS_A_CHUNK: usize = 4_096;

fn by_kind(threads: &[model::Thread]) -> BTreeMap<Kind, u64> {
    let of_chunk = |threads: &[model::Thread]| {
        let alike = threads.chunk_by(|a, b| a.kind == b.kind);
        sums(alike.filter_map(|alike| {
            let count = alike.iter().fold(0u64, |sum, thread| sum.saturating_add(thread.weight));
            Some((Kind::from(alike.first()?.kind), count))
        }))
    };
    let of_chunks: Vec<BTreeMap<Kind, u64>> = threads.par_chunks(THREADS_A_CHUNK).map(of_chunk).collect();
    sums(of_chunks.into_iter().flatten())
}
