//! Threads of a JVM as JSON: Spring Boot's actuator (`/actuator/threaddump`, `/dump` of version 1), and Jolokia's
//! `dumpAllThreads`. All are `java.lang.management.ThreadInfo`, field by field.
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

use crate::formats::java;
use crate::formats::text::json;
use crate::formats::text::json::{Document, Lenient, Number, documents, key};
use crate::formats::text::{Body, BodyHold, BodyWait, Dumps, OwnerRef, Section, Site};
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
    thread_name: Lenient<String>,
    #[serde(default, alias = "thread_id")]
    thread_id: Number,
    #[serde(default, alias = "lock_name")]
    lock_name: Lenient<String>,
    #[serde(default, alias = "lock_owner_id")]
    lock_owner_id: Number,
    #[serde(default, alias = "lock_info")]
    lock_info: Lenient<LockInfo>,
    #[serde(default, alias = "stack_trace")]
    stack_trace: Lenient<Vec<Element>>,
    #[serde(default, alias = "locked_monitors")]
    locked_monitors: Lenient<Vec<LockInfo>>,
    #[serde(default, alias = "locked_synchronizers")]
    locked_synchronizers: Lenient<Vec<LockInfo>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Element {
    #[serde(alias = "class_name")]
    class_name: String,
    #[serde(alias = "method_name")]
    method_name: String,
    #[serde(default, alias = "file_name")]
    file_name: Lenient<String>,
    #[serde(default, alias = "line_number")]
    line_number: Lenient<i64>,
    #[serde(default, alias = "module_name")]
    module_name: Lenient<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LockInfo {
    #[serde(alias = "class_name")]
    class_name: String,
    #[serde(default, alias = "identity_hash_code")]
    identity_hash_code: Lenient<i64>,
    #[serde(default, alias = "locked_stack_depth")]
    locked_stack_depth: Number,
}

impl LockInfo {
    /// As `toString` writes it.
    fn token(&self) -> Option<String> {
        // A Java int: negative ones are written as they are in memory.
        Some(format!("{}@{:x}", self.class_name, self.identity_hash_code.0? as u32))
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
    java::state(std::str::from_utf8(value.get(..end)?).ok()?)?;
    Some(start)
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
                building.push(thread(record), &body(record), &[], offset);
            }
            None => {
                let message = "threads of another form were passed over";
                building.snapshot.gaps.add(GapKind::SkippedText, message, Some(offset));
            }
        }
    }
    document.missing.tell(building, offset);
}

fn thread(record: &Record) -> Thread {
    let mut thread = Thread::new(ThreadId::Number(record.thread_id.0.unwrap_or(0)));
    thread.name = record.thread_name.0.as_deref().map(Into::into);
    thread.reported = java::state(&record.thread_state);
    thread
}

fn body(record: &Record) -> Body {
    let frames = record.stack_trace.0.iter().flatten().map(|element| frame(element).into());
    let mut body = Body { frames: frames.collect(), ..Body::default() };
    let hold = |info: &LockInfo, mode| {
        let (lock, _) = java::token_lock(&info.token()?, mode);
        Some(BodyHold { lock, depth: info.locked_stack_depth.0.and_then(|d| u32::try_from(d).ok()) })
    };
    let monitors = record.locked_monitors.0.iter().flatten();
    body.holds.extend(monitors.filter_map(|info| hold(info, WaitMode::Enter)));
    let synchronizers = record.locked_synchronizers.0.iter().flatten();
    body.holds.extend(synchronizers.filter_map(|info| hold(info, WaitMode::Park)));
    body.wait = wait(record, &body);
    body
}

fn wait(record: &Record, body: &Body) -> Option<BodyWait> {
    let info = record.lock_info.0.as_ref().and_then(LockInfo::token);
    let token = info.or_else(|| record.lock_name.0.clone())?;
    let top = body.frames.first().and_then(|f| f.frame.function.as_deref());
    let mode = match record.thread_state.as_str() {
        "BLOCKED" => WaitMode::Enter,
        _ if top.is_some_and(|name| name.starts_with("java.lang.Object.wait")) => WaitMode::Notify,
        _ => WaitMode::Park,
    };
    // -1 is nobody that is known.
    let owner = record.lock_owner_id.0.map(|id| OwnerRef::Id(ThreadId::Number(id)));
    let (lock, mode) = java::token_lock(&token, mode);
    Some(BodyWait { lock, mode, owner })
}

fn frame(element: &Element) -> Frame {
    let line = element.line_number.0.filter(|line| *line > 0).and_then(|line| u32::try_from(line).ok());
    let name = format!("{}.{}()", element.class_name, element.method_name);
    let known = java::frame(&name).unwrap_or_default();
    Frame {
        function: known.function.or_else(|| Some(name.trim_end_matches("()").into())),
        file: element.file_name.0.as_deref().map(Into::into),
        line,
        module: element.module_name.0.as_deref().map(Into::into),
        ..Frame::default()
    }
}
