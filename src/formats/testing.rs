//! What the tests of text formats have in common.

use crate::model::Snapshot;

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
