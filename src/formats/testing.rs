//! What the tests of text formats have in common.

use crate::model::{LockId, Snapshot, ThreadIx};

/// All dumps of a text; none where it is none.
pub fn read(text: &str) -> Vec<Snapshot> {
    read_bytes(text.as_bytes())
}

/// The same of bytes that need not be text.
pub fn read_bytes(text: &[u8]) -> Vec<Snapshot> {
    let bytes = bytes::Bytes::copy_from_slice(text);
    match super::detect::detect(&bytes, None) {
        Some(content) => super::detect::read(&content, &bytes, &"dump".into()),
        None => Vec::new(),
    }
}

/// Whether a format says of a text that a dump of its own may be in it.
pub fn is_found(id: super::FormatId, text: &str) -> bool {
    super::detect::counts(&bytes::Bytes::copy_from_slice(text.as_bytes())).iter().any(|(f, _)| f.id == id)
}

/// The functions of a thread, newest first; `?` without a name.
pub fn names(snapshot: &Snapshot, thread: usize) -> Vec<String> {
    let frames = snapshot.stacks.frames_of(snapshot.threads[thread].stack).iter();
    frames.map(|f| snapshot.stacks.get(*f).function.as_deref().unwrap_or("?").to_owned()).collect()
}

/// Reads every beginning of a text, and the text with each of its lines gone: nothing may panic.
pub fn cut_everywhere(text: &str) {
    for end in 0..text.len() {
        read_bytes(text.as_bytes().get(..end).unwrap_or_default());
    }
    let lines: Vec<&str> = text.lines().collect();
    for gone in 0..lines.len() {
        let rest: Vec<&str> = lines.iter().enumerate().filter(|(n, _)| *n != gone).map(|(_, l)| *l).collect();
        read(&rest.join("\n"));
    }
}

/// The only dump of a text.
pub fn read_one(text: &str) -> Snapshot {
    let mut snapshots = read(text);
    assert_eq!(snapshots.len(), 1, "dumps in {text}");
    snapshots.remove(0)
}

/// Threads with id, name and functions.
pub fn threads(snapshot: &Snapshot) -> Vec<(String, Option<String>, Vec<String>)> {
    (0u32..)
        .map(ThreadIx)
        .zip(&snapshot.threads)
        .map(|(ix, t)| (t.id.to_string(), t.name.as_ref().map(|n| n.to_string()), functions(snapshot, ix)))
        .collect()
}

/// The functions of a thread, newest first.
pub fn functions(snapshot: &Snapshot, thread: ThreadIx) -> Vec<String> {
    let frames = snapshot.stacks.frames_of(snapshot.threads[thread.at()].stack).iter();
    frames.map(|f| snapshot.stacks.get(*f).function.as_deref().unwrap_or("??").to_owned()).collect()
}

/// What the text calls the locks that a thread holds.
pub fn holds(snapshot: &Snapshot, thread: usize) -> Vec<LockId> {
    let (start, end) = snapshot.threads[thread].holds;
    let held = &snapshot.holds[start as usize..end as usize];
    held.iter().map(|hold| snapshot.named_locks[hold.lock.at()].id.clone()).collect()
}

/// The dump as it stands in logs: each must give the same threads. And no byte at which it may be cut or broken does
/// any harm.
pub fn survives_logs(dump: &str) {
    let plain = format!("{:?}", threads(&read_one(dump)));
    let variants = [
        dump.lines().map(|line| format!("> {line}\n")).collect::<String>(),
        dump.lines().map(|line| format!("2026-11-24T04:07:06.123Z web-1 shop[77]: {line}\n")).collect(),
        dump.lines().map(|line| format!("    {line}\n")).collect(),
        dump.lines()
            .map(|l| format!("{{\"log\":{},\"stream\":\"stdout\"}}\n", serde_json::json!(format!("{l}\n"))))
            .collect(),
        format!("\u{feff}{}", dump.replace('\n', "\r\n")),
        format!("GET /orders 200 31 ms\nqueue depth 7\n{dump}GET /orders 200 12 ms\n"),
    ];
    for variant in variants {
        let got: Vec<_> = read(&variant).iter().map(|s| format!("{:?}", threads(s))).collect();
        assert_eq!(got, std::slice::from_ref(&plain), "{variant}");
    }
    for at in 0..dump.len() {
        read_bytes(dump.as_bytes().get(..at).unwrap_or_default());
        let mut broken = dump.as_bytes().to_vec();
        broken[at] ^= 0x90;
        read_bytes(&broken);
    }
}
