//! JSON, an object a line, for `jq` and for whatever takes lines: `type` comes first and says what a line is.
//!
//! - `input`: an input and what became of it; with `redacted` where texts were removed.
//! - `finding`: the finding of the JSON report, made to stand alone: `snapshot_source` is the path, `lock` is the
//!   lock and not its id, `threads.ids` are threads and not places in a list.
//! - `thread`, only if the view asks for threads: the thread record of the JSON report with `snapshot`,
//!   `snapshot_source` and `process`, what its cluster does, and the lock that it waits for.

use std::io::{self, BufWriter, Write};

use serde::Serialize;
use serde_json::{Map, Value};

use super::View;
use super::document::{
    Document, Finding, Hex, Input, Ixs, LockId, Process, Snapshot, ThreadRecord, ThreadRef,
};
use crate::waits::LockKind;

/// The fields of a finding that come first; the others follow by name.
const FIRST: [&str; 9] = [
    "rule",
    "severity",
    "confidence",
    "score",
    "fingerprint",
    "title",
    "summary",
    "snapshot_source",
    "snapshot",
];

/// Writes the lines.
pub fn write(document: &Document<'_>, view: &View, out: &mut dyn Write) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, out);
    for input in &document.inputs {
        line(&Line::Input(InputLine { input, redacted: &document.redacted }), &mut out)?;
    }
    for finding in &document.findings {
        line(&Line::Finding(Fields(&fields(finding, document)?)), &mut out)?;
    }
    if view.threads {
        for (place, snapshot) in document.snapshots.iter().enumerate() {
            for thread in snapshot.thread_list.iter() {
                line(&Line::Thread(ThreadLine::of(&thread, place, snapshot)), &mut out)?;
            }
        }
    }
    out.flush()
}

fn line(line: &Line<'_>, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line<'a> {
    Input(InputLine<'a>),
    Finding(Fields<'a>),
    Thread(ThreadLine<'a>),
}

/// An input, with the kinds of text that were removed from all lines.
#[derive(Serialize)]
struct InputLine<'a> {
    #[serde(flatten)]
    input: &'a Input<'a>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    redacted: &'a [&'a str],
}

/// An object whose first fields are those that a reader looks for.
struct Fields<'a>(&'a Map<String, Value>);

impl Serialize for Fields<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let first = FIRST.iter().filter_map(|name| self.0.get_key_value(*name));
        let rest = self.0.iter().filter(|(name, _)| !FIRST.contains(&name.as_str()));
        serializer.collect_map(first.chain(rest))
    }
}

/// The fields of a finding, with everything that the JSON report keeps in lists elsewhere.
fn fields(finding: &Finding<'_>, document: &Document<'_>) -> serde_json::Result<Map<String, Value>> {
    let Value::Object(mut fields) = serde_json::to_value(finding)? else { return Ok(Map::new()) };
    let Some(snapshot) = document.snapshots.get(finding.snapshot) else { return Ok(fields) };
    fields.insert("snapshot_source".into(), snapshot.source.path.into());
    if !document.redacted.is_empty() {
        fields.insert("redacted".into(), document.redacted.clone().into());
    }
    fields.insert("process".into(), serde_json::to_value(&snapshot.process)?);
    let lock = finding.lock.and_then(|id| snapshot.lock(id));
    match lock {
        Some(lock) => fields.insert("lock".into(), serde_json::to_value(lock)?),
        None => fields.remove("lock"),
    };
    if let Some(Value::Object(threads)) = fields.get_mut("threads") {
        threads.insert("ids".into(), serde_json::to_value(refs(finding.threads.ids, snapshot))?);
    }
    Ok(fields)
}

fn refs<'a>(ids: Ixs<'_>, snapshot: &Snapshot<'a>) -> Vec<ThreadRef<'a>> {
    ids.0.iter().filter_map(|ix| snapshot.thread(*ix)).collect()
}

/// A thread that stands alone.
#[derive(Serialize)]
struct ThreadLine<'a> {
    snapshot: usize,
    snapshot_source: &'a str,
    process: &'a Process<'a>,
    #[serde(flatten)]
    thread: &'a ThreadRecord<'a>,
    /// The meaningful top frames of its cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster_fingerprint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_for_lock: Option<ShortLock<'a>>,
}

/// A lock without its waiters: a line for each of them would repeat all the others.
#[derive(Serialize)]
struct ShortLock<'a> {
    id: LockId,
    kind: LockKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<Hex>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    fingerprint: String,
}

impl<'a> ThreadLine<'a> {
    fn of(thread: &'a ThreadRecord<'a>, place: usize, snapshot: &'a Snapshot<'a>) -> Self {
        let cluster = thread.cluster.and_then(|id| snapshot.cluster(id));
        let lock = thread.waits_for.as_ref().and_then(|wait| wait.lock);
        let lock = lock.and_then(|id| snapshot.lock(id));
        Self {
            snapshot: place,
            snapshot_source: snapshot.source.path,
            process: &snapshot.process,
            thread,
            signature: cluster.map(|c| &*c.signature).filter(|signature| !signature.is_empty()),
            cluster_fingerprint: cluster.map(|c| c.fingerprint),
            waits_for_lock: lock.map(|lock| ShortLock {
                id: lock.id,
                kind: lock.kind,
                name: lock.name,
                address: lock.address,
                token: lock.token,
                fingerprint: lock.fingerprint,
            }),
        }
    }
}
