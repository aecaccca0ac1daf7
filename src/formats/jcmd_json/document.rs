//! The JSON of `Thread.dump_to_file -format=json`.
//!
//! ```text
//! {"threadDump": {"processId": "9588", "time": "2026-…Z", "runtimeVersion": "25.0.3+9-LTS", "threadContainers": [
//!   {"container": "<root>", "parent": null, "owner": null, "threadCount": "9", "threads": [
//!     {"tid": "25", "time": "2026-…Z", "virtual": true, "name": "vt-http-1", "state": "WAITING",
//!      "parkBlocker": {"object": "java.util.concurrent.locks.ReentrantLock$NonfairSync@6ecc8880", "owner": "23"},
//!      "stack": ["java.base\/java.lang.VirtualThread.park(VirtualThread.java:742)", …],
//!      "monitorsOwned": [{"depth": 3, "locks": ["applog.Logger@6ecc8880", null]}], "carrier": "24"}]}]}}
//! ```
//!
//! Numbers are texts up to JDK 25. `depth` counts frames from the innermost; `null` is a lock that the compiler
//! eliminated. 21 to 24 write tid, name and stack only.

use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::formats::java;
use crate::formats::text::json::{Document, Kind, Lenient, Number, Unknown, each_document, key};
use crate::formats::text::json_list::{Record, parts};
use crate::formats::text::{
    Body, BodyHold, BodyWait, Building, Dumps, Known, OwnerRef, Section, Site, is_limited,
};
use crate::model::{FormatId, GapKind, Snapshot, Thread, ThreadId, ThreadIx, ThreadKind, WaitMode};

/// The key of each document.
pub(super) const KEY: &str = "threadDump";

/// The same as it stands in a document.
pub(super) const QUOTED: &str = "\"threadDump\"";

struct DumpToFile;

impl Kind for DumpToFile {
    type Document<'d> = Root<'d>;
}

#[derive(Deserialize)]
struct Root<'d> {
    #[serde(rename = "threadDump", borrow)]
    dump: Dump<'d>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dump<'d> {
    #[serde(default)]
    process_id: Number,
    #[serde(default)]
    time: Lenient<String>,
    #[serde(default)]
    runtime_version: Lenient<String>,
    #[serde(default, borrow)]
    thread_containers: Vec<Container<'d>>,
    #[serde(flatten)]
    unknown: Unknown,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Container<'d> {
    /// [`Listed`] ones.
    #[serde(default, borrow)]
    threads: Vec<&'d RawValue>,
    #[serde(default)]
    thread_count: Number,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'d> {
    tid: Number,
    #[serde(default)]
    name: Lenient<String>,
    #[serde(default, rename = "virtual")]
    is_virtual: Lenient<bool>,
    #[serde(default)]
    state: Lenient<String>,
    #[serde(default)]
    blocked_on: Lenient<String>,
    #[serde(default)]
    waiting_on: Lenient<String>,
    #[serde(default)]
    park_blocker: Lenient<Blocker>,
    #[serde(default, borrow)]
    stack: Option<&'d RawValue>,
    #[serde(default)]
    monitors_owned: Lenient<Vec<Monitors>>,
    #[serde(default)]
    carrier: Number,
    #[serde(default, rename = "time")]
    _time: Lenient<String>,
    #[serde(flatten)]
    unknown: Unknown,
}

#[derive(Deserialize)]
struct Blocker {
    #[serde(default)]
    object: Lenient<String>,
    #[serde(default)]
    owner: Number,
}

#[derive(Deserialize)]
struct Monitors {
    #[serde(default)]
    depth: Number,
    #[serde(default)]
    locks: Lenient<Vec<Option<String>>>,
}

/// Where the key stands in a document.
pub(super) fn confirm(site: &Site<'_>) -> Option<usize> {
    let (start, value) = key(site, KEY, 64)?;
    let is_object = value.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start().starts_with(b"{");
    is_object.then_some(start)
}

/// All dumps of this kind in a text.
pub(super) fn read(section: &Section<'_>, format: FormatId) -> Vec<Snapshot> {
    if !section.has(QUOTED) {
        return Vec::new();
    }
    let mut dumps = Dumps::new(section, format);
    each_document::<DumpToFile>(&section.text, section.first, |document| {
        add(&document, section, &mut dumps);
        true
    });
    dumps.snapshots()
}

fn add(document: &Document<Root<'_>>, section: &Section<'_>, dumps: &mut Dumps) {
    let offset = section.offset(document.at);
    let dump = &document.value.dump;
    let building = dumps.begin(offset);
    let process = &mut building.snapshot.process;
    process.pid = dump.process_id.0.and_then(|pid| u32::try_from(pid).ok());
    process.captured_at = dump.time.0.as_deref().map(Into::into);
    process.runtime = dump.runtime_version.0.as_deref().map(|version| format!("OpenJDK {version}").into());
    for name in &dump.unknown.0 {
        unknown(building, name, offset);
    }
    let mut carriers = Vec::new();
    let mut missing = 0;
    for container in &dump.thread_containers {
        missing += container.thread_count.0.unwrap_or(0).saturating_sub(container.threads.len() as u64);
        for mut part in parts(&container.threads, |listed: &Listed<'_>| listed.stack, body) {
            part.tell(building, offset);
            for Record { said, stack, .. } in &part.records {
                if let Some(stack) = part.stacks.get_mut(*stack) {
                    let ix = push(said, stack, building, offset);
                    carriers.extend(said.carrier.0.map(|carrier| (ix, carrier)));
                }
            }
        }
    }
    carry(&carriers, &mut building.snapshot);
    document.missing.tell(building, offset);
    if missing > 0 {
        let message = format!("{missing} threads are counted that are not listed");
        is_limited(&mut building.snapshot, message, Some(offset));
    }
}

fn unknown(building: &mut Building, name: &str, offset: u64) {
    let message = "fields are not known and were passed over";
    building.snapshot.gaps.add_like(GapKind::SkippedText, message, name, offset);
}

/// Which thread carries which virtual one.
fn carry(carriers: &[(ThreadIx, u64)], snapshot: &mut Snapshot) {
    if carriers.is_empty() {
        return;
    }
    let by_id: FxHashMap<ThreadId, ThreadIx> =
        (0u32..).map(ThreadIx).zip(&snapshot.threads).map(|(ix, t)| (t.id.clone(), ix)).collect();
    for (ix, carrier) in carriers {
        let carrier = by_id.get(&ThreadId::Number(*carrier)).copied();
        if let Some(thread) = snapshot.threads.get_mut(ix.at()) {
            thread.carrier = carrier;
        }
    }
}

/// The frames of a thread.
fn body(stack: &str) -> Option<Body> {
    let lines: Vec<String> = serde_json::from_str(stack).ok()?;
    let frames = lines.iter().filter_map(|line| java::frame(line)).map(Into::into).collect();
    Some(Body { frames, ..Body::default() })
}

fn push(record: &Listed<'_>, stack: &mut Known, building: &mut Building, offset: u64) -> ThreadIx {
    for name in &record.unknown.0 {
        unknown(building, name, offset);
    }
    let mut thread = Thread::new(ThreadId::Number(record.tid.0.unwrap_or(0)));
    thread.name = record.name.0.as_deref().filter(|n| !n.is_empty()).map(Into::into);
    if record.is_virtual.0 == Some(true) {
        thread.kind = ThreadKind::Virtual;
    }
    let said = record.state.0.as_deref();
    thread.reported = Some(said.and_then(java::state).unwrap_or(java::UNTOLD));
    if let Some(state) = said.filter(|state| java::state(state).is_none()) {
        let message = "states of threads are not known and were passed over";
        building.snapshot.gaps.add_like(GapKind::SkippedText, message, state, offset);
    }
    let mut holds = Vec::new();
    for monitors in record.monitors_owned.0.iter().flatten() {
        let depth = monitors.depth.0.and_then(|depth| u32::try_from(depth).ok());
        let locks = monitors.locks.0.iter().flatten().flatten();
        holds.extend(locks.map(|token| BodyHold { lock: java::token_lock(token, WaitMode::Enter).0, depth }));
    }
    building.push_with(thread, stack, wait(record).as_ref(), &holds, offset)
}

/// What a thread waits for: a monitor to enter, one to be notified on, or what it parks for.
fn wait(record: &Listed<'_>) -> Option<BodyWait> {
    let claim = |token: &str, mode| {
        let (lock, mode) = java::token_lock(token, mode);
        BodyWait { lock, mode, owner: None }
    };
    if let Some(token) = &record.blocked_on.0 {
        return Some(claim(token, WaitMode::Enter));
    }
    if let Some(token) = &record.waiting_on.0 {
        return Some(claim(token, WaitMode::Notify));
    }
    let blocker = record.park_blocker.0.as_ref()?;
    let owner = blocker.owner.0.map(|id| OwnerRef::Id(ThreadId::Number(id)));
    Some(BodyWait { owner, ..claim(blocker.object.0.as_deref()?, WaitMode::Park) })
}
