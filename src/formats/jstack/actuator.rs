//! Threads of a JVM as JSON: Spring Boot's actuator (`/actuator/threaddump`, `/dump` of version 1), and Jolokia's
//! `dumpAllThreads`. All are `java.lang.management.ThreadInfo`, field by field; what Spark writes of it: [`super::spark`].
//!
//! ```text
//! {"threads":[{"threadName":"http-1","threadId":31,"lockName":"applog.Logger@39065417","lockOwnerId":30,
//!   "lockOwnerName":"http-0","threadState":"BLOCKED","inNative":false,"suspended":false,
//!   "stackTrace":[{"className":"applog.Logger","methodName":"write","fileName":"Logger.java","lineNumber":20,
//!                  "moduleName":"java.base","nativeMethod":false}],
//!   "lockedMonitors":[{"className":"applog.Logger","identityHashCode":956716055,"lockedStackDepth":1}],
//!   "lockedSynchronizers":[{"className":"java.util.concurrent.locks.ReentrantLock$NonfairSync","identityHashCode":7}],
//!   "lockInfo":{"className":"applog.Logger","identityHashCode":956716055}}]}
//! [{"thread_name":"http-1","thread_id":31,"thread_state":"BLOCKED","stack_trace":[{"class_name":"applog.Logger",
//!   "method_name":"write","line_number":20}]}]                                    Jackson told to write SNAKE_CASE
//! ```
//!
//! Source: Spring Boot 1.5-3.4 ThreadDumpEndpoint, java/lang/management/ThreadInfo.java, Jolokia 1.7.

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::field::Field;
use super::spark;
use crate::formats::java;
use crate::formats::text::json;
use crate::formats::text::json::{Document, Lenient, Number, documents, key};
use crate::formats::text::{Body, BodyHold, BodyWait, Building, Dumps, OwnerRef, Section, Site};
use crate::model::{FormatId, Frame, GapKind, Snapshot, Thread, ThreadId, WaitMode};

/// Keys that each thread has, by how a program writes keys: its state and its name. Of a document in one line only the
/// first one is near enough to its begin.
const KEYS: [[&str; 2]; 2] = [["threadState", "threadName"], ["thread_state", "thread_name"]];

/// The keys of the state with their quotes.
pub(super) const STATE: &str = "\"threadState\"";
pub(super) const SNAKE_STATE: &str = "\"thread_state\"";

/// How far behind a thread's name its state may stand in one line, bytes.
const NEAR: usize = 4096;

/// The threads of a document.
struct Root(Vec<Lenient<Record>>);

/// Spring Boot 2 and newer; Jolokia's answer. Spring Boot 1 writes the list alone.
#[derive(Deserialize)]
struct Object {
    #[serde(alias = "value")]
    threads: Vec<Lenient<Record>>,
}

impl<'d> Deserialize<'d> for Root {
    fn deserialize<D: Deserializer<'d>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&RawValue>::deserialize(deserializer)?.get();
        let threads = match text.starts_with('[') {
            true => serde_json::from_str(text),
            false => serde_json::from_str(text).map(|object: Object| object.threads),
        };
        threads.map(Self).map_err(D::Error::custom)
    }
}

impl Root {
    fn threads(&self) -> &[Lenient<Record>] {
        &self.0
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    #[serde(alias = "thread_state")]
    thread_state: String,
    #[serde(default, alias = "thread_name")]
    thread_name: Field<String>,
    #[serde(default, alias = "thread_id")]
    thread_id: Number,
    #[serde(default, alias = "lock_name")]
    lock_name: Field<String>,
    #[serde(default, alias = "lock_owner_id")]
    lock_owner_id: Number,
    #[serde(default, alias = "lock_info")]
    lock_info: Field<LockInfo>,
    #[serde(default, alias = "stack_trace")]
    stack_trace: Field<spark::Stack>,
    #[serde(default, alias = "locked_monitors")]
    locked_monitors: Field<Vec<LockInfo>>,
    #[serde(default, alias = "locked_synchronizers")]
    locked_synchronizers: Field<Vec<LockInfo>>,
    #[serde(default)]
    blocked_by_thread_id: Number,
    #[serde(default)]
    blocked_by_lock: Field<String>,
    #[serde(default)]
    holding_locks: Field<Vec<String>>,
    #[serde(default)]
    synchronizers: Field<Vec<String>>,
    #[serde(default)]
    monitors: Field<Vec<String>>,
}

impl Record {
    /// Whether its synchronizers are listed, be it that it has none.
    fn lists_owners(&self) -> bool {
        self.locked_synchronizers.get().is_some()
            || self.synchronizers.get().is_some()
            || self.holding_locks.get().is_some()
    }

    /// The keys whose values have another form, and are dropped.
    fn foreign(&self) -> impl Iterator<Item = &'static str> {
        let fields = [
            ("threadName", self.thread_name.is_foreign()),
            ("lockName", self.lock_name.is_foreign()),
            ("lockInfo", self.lock_info.is_foreign()),
            ("stackTrace", self.stack_trace.is_foreign()),
            ("lockedMonitors", self.locked_monitors.is_foreign()),
            ("lockedSynchronizers", self.locked_synchronizers.is_foreign()),
            ("blockedByLock", self.blocked_by_lock.is_foreign()),
            ("holdingLocks", self.holding_locks.is_foreign()),
            ("synchronizers", self.synchronizers.is_foreign()),
            ("monitors", self.monitors.is_foreign()),
        ];
        let held = self.locked_monitors.each().chain(self.locked_synchronizers.each());
        let nameless = held.filter(|info| info.token().is_none()).count();
        let dropped = fields.into_iter().filter_map(|(key, is_foreign)| is_foreign.then_some(key));
        dropped.chain(std::iter::repeat_n("identityHashCode", nameless))
    }
}

/// A frame.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Element {
    #[serde(alias = "class_name")]
    class_name: String,
    #[serde(alias = "method_name")]
    method_name: String,
    #[serde(default, alias = "file_name")]
    file_name: Field<String>,
    #[serde(default, alias = "line_number")]
    line_number: Field<i64>,
    #[serde(default, alias = "module_name")]
    module_name: Field<String>,
}

impl Element {
    fn has_foreign(&self) -> bool {
        self.file_name.is_foreign() || self.line_number.is_foreign() || self.module_name.is_foreign()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LockInfo {
    #[serde(alias = "class_name")]
    class_name: String,
    #[serde(default, alias = "identity_hash_code")]
    identity_hash_code: Field<i64>,
    #[serde(default, alias = "locked_stack_depth")]
    locked_stack_depth: Number,
}

impl LockInfo {
    /// As `toString` writes it.
    fn token(&self) -> Option<String> {
        // A Java int: negative ones are written as they are in memory.
        Some(format!("{}@{:x}", self.class_name, *self.identity_hash_code.get()? as u32))
    }
}

/// Whether the anchor is one of these keys.
pub(super) fn is_key(site: &Site<'_>) -> bool {
    KEYS.iter().flatten().any(|name| json::is_key(site, name))
}

/// Where a key of a thread stands in a document.
pub(super) fn confirm(site: &Site<'_>) -> Option<usize> {
    let [state, name] = KEYS.iter().find(|keys| keys.iter().any(|name| json::is_key(site, name)))?;
    let is_state = json::is_key(site, state);
    let (start, rest) = key(site, if is_state { state } else { name }, NEAR)?;
    let quoted = format!("\"{state}\"");
    let value = match is_state {
        true => &rest,
        false => rest.get(memchr::memmem::find(&rest, quoted.as_bytes())? + quoted.len()..)?,
    };
    let value = value.trim_ascii_start();
    let value = value.strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
    let end = value.iter().take(16).position(|b| *b == b'"')?;
    let word = std::str::from_utf8(value.get(..end)?).ok()?;
    (java::state(word).is_some() || java::is_state_word(word)).then_some(start)
}

/// All dumps of this kind in a text.
pub(super) fn read(section: &Section<'_>, format: FormatId) -> Vec<Snapshot> {
    if !section.has(STATE) && !section.has(SNAKE_STATE) {
        return Vec::new();
    }
    let mut dumps = Dumps::new(section, format);
    for document in
        documents(&section.text, section.first, |root: &Root| root.threads().iter().any(|t| t.0.is_some()))
    {
        add(document, section, &mut dumps);
    }
    dumps.snapshots()
}

fn add(document: Document<Root>, section: &Section<'_>, dumps: &mut Dumps) {
    let offset = section.offset(document.at);
    let building = dumps.begin(offset);
    for record in document.value.threads() {
        match &record.0 {
            Some(record) => {
                building.snapshot.lists_owners |= record.lists_owners();
                let (body, unread) = body(record);
                building.push(thread(record), &body, &[], offset);
                unread.tell(building, offset);
            }
            None => {
                let message = "threads of another form were passed over";
                building.snapshot.gaps.add(GapKind::SkippedText, message, Some(offset));
            }
        }
    }
    document.missing.tell(building, offset);
}

/// What was dropped of a thread.
#[derive(Default)]
struct Unread {
    keys: Vec<&'static str>,
    lines: Vec<String>,
    state: Option<String>,
}

impl Unread {
    fn tell(&self, building: &mut Building, offset: u64) {
        let gaps = &mut building.snapshot.gaps;
        for key in &self.keys {
            let message = "values of another form than expected were passed over";
            gaps.add_like(GapKind::SkippedText, message, key, offset);
        }
        if let Some(state) = &self.state {
            let message = "states of threads are not known and were passed over";
            gaps.add_like(GapKind::SkippedText, message, state, offset);
        }
        for line in &self.lines {
            let message = "lines in stacks were not understood and passed over";
            gaps.add_like(GapKind::SkippedText, message, line, offset);
        }
    }
}

fn thread(record: &Record) -> Thread {
    let mut thread = Thread::new(ThreadId::Number(record.thread_id.0.unwrap_or(0)));
    thread.name = record.thread_name.get().map(|name| name.as_str().into());
    thread.reported = Some(java::state(&record.thread_state).unwrap_or(java::UNTOLD));
    thread
}

fn body(record: &Record) -> (Body, Unread) {
    let mut body = Body::default();
    let state = java::state(&record.thread_state).is_none().then(|| shortened(&record.thread_state));
    let mut unread = Unread { keys: record.foreign().collect(), state, ..Unread::default() };
    match record.stack_trace.get() {
        Some(spark::Stack::Elements(elements)) => {
            for element in elements {
                if element.0.as_ref().is_none_or(Element::has_foreign) {
                    unread.keys.push("stackTrace");
                }
                body.frames.extend(element.0.as_ref().map(|element| frame(element).into()));
            }
        }
        Some(spark::Stack::Lines(texts)) => {
            unread.lines.extend(spark::add_lines(&mut body, texts).into_iter().map(shortened));
        }
        None => {}
    }
    let hold = |info: &LockInfo, mode| {
        let (lock, _) = java::token_lock(&info.token()?, mode);
        Some(BodyHold { lock, depth: info.locked_stack_depth.0.and_then(|d| u32::try_from(d).ok()) })
    };
    body.holds.extend(record.locked_monitors.each().filter_map(|info| hold(info, WaitMode::Enter)));
    body.holds.extend(record.locked_synchronizers.each().filter_map(|info| hold(info, WaitMode::Park)));
    // The last list has what the others have, and says less of it.
    for (locks, mode) in [
        (&record.monitors, WaitMode::Enter),
        (&record.synchronizers, WaitMode::Park),
        (&record.holding_locks, WaitMode::Notify),
    ] {
        for lock in locks.each() {
            if !spark::hold(&mut body, lock, mode, None) {
                unread.lines.push(shortened(lock));
            }
        }
    }
    body.wait = wait(record, &body).or(body.wait.take());
    if record.blocked_by_lock.get().is_some_and(|lock| !lock.is_empty()) && body.wait.is_none() {
        unread.keys.push("blockedByLock");
    }
    (body, unread)
}

/// As much of a line as a message quotes.
fn shortened(line: &str) -> String {
    const LONGEST_SHOWN: usize = 80;
    line.chars().take(LONGEST_SHOWN).collect()
}

fn wait(record: &Record, body: &Body) -> Option<BodyWait> {
    let top = body.frames.first().and_then(|f| f.frame.function.as_deref());
    let mode = match record.thread_state.as_str() {
        "BLOCKED" => WaitMode::Enter,
        _ if top.is_some_and(|name| name.starts_with("java.lang.Object.wait")) => WaitMode::Notify,
        _ => WaitMode::Park,
    };
    let info = record.lock_info.get().and_then(LockInfo::token);
    let token = info.or_else(|| record.lock_name.get().cloned());
    let (lock, mode) = match token {
        Some(token) => java::token_lock(&token, mode),
        None => spark::lock(record.blocked_by_lock.get()?, mode)?,
    };
    // -1 is nobody that is known.
    let owner = record.lock_owner_id.0.or(record.blocked_by_thread_id.0);
    Some(BodyWait { lock, mode, owner: owner.map(|id| OwnerRef::Id(ThreadId::Number(id))) })
}

fn frame(element: &Element) -> Frame {
    let line = element.line_number.get().filter(|line| **line > 0).and_then(|line| u32::try_from(*line).ok());
    let name = format!("{}.{}()", element.class_name, element.method_name);
    let known = java::frame(&name).unwrap_or_default();
    let text = |field: &Field<String>| field.get().map(|text| text.as_str().into());
    Frame {
        function: known.function.or_else(|| Some(name.trim_end_matches("()").into())),
        file: text(&element.file_name),
        line,
        module: text(&element.module_name),
        ..Frame::default()
    }
}
