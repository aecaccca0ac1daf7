//! The resolved view: the report's vocabulary as types, which every reporter reads. The JSON report is these
//! types and nothing else, so that their doc comments are its schema's descriptions.
//!
//! A field that does not apply is left out. Lists of threads are borrowed; ids and addresses are written
//! without an allocation each: there may be 100,000 of them.

mod check;
mod claim;
mod cluster;
mod finding;
mod frame;
mod frames;
mod holder;
mod ids;
mod lock;
mod module;
mod place;
mod resolve;
mod root;
mod schema;
mod series;
mod snapshot;
mod thread_record;

pub use check::{Check, ExceededLimit, GoneFinding, IgnoredFinding, LimitKind};
pub use claim::{Blocked, Crash, Evidence, Link, Test};
pub use cluster::{Cluster, CpuTime, ThreadNames, Waited};
pub use finding::{Baseline, Finding, FindingThreads};
pub use frame::{Frame, Location};
pub use frames::Frames;
pub use holder::{Candidate, Holder, HolderKind};
pub use ids::{BuildId, ClusterId, Hex, IdText, Ixs, LockId};
pub use lock::{Lock, Locks, Waiters};
pub use module::{Match, Module, Symbols};
pub(super) use resolve::Resolver;
pub use root::{Document, Input, Status, Tool, Verdict, VerdictSeverity};
pub use schema::schema;
pub use series::{Series, SeriesCluster, SeriesProcess, SeriesThreads};
pub use snapshot::{Gap, Process, Snapshot, Source, Threads, Unit};
pub use thread_record::{Kind, ThreadList, ThreadRecord, ThreadRef, WaitsFor};
