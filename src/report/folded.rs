//! Folded stacks: `frame;frame;frame count`, the root first, one line a cluster, for inferno, flamegraph.pl and
//! whatever reads their form. The count is threads. The leaf says the state and the lock:
//! `[lock-wait g_log_mutex]`, so that waiting and working are told apart where the same function does both.
//!
//! Of several snapshots each has its own root frame. A `;` in a name becomes `:`, and line ends are escaped:
//! the form has no way to write them.

use std::io::{self, BufWriter, Write};

use super::View;
use super::document::{Cluster, Document, Snapshot};
use super::text::words;
use crate::model::escape_terminal;

/// Writes the stacks.
pub fn write(document: &Document<'_>, _view: &View, out: &mut dyn Write) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, out);
    let are_several = document.snapshots.len() > 1;
    for (n, snapshot) in document.snapshots.iter().enumerate() {
        for cluster in &snapshot.clusters {
            if are_several {
                frame(&root(n, snapshot), &mut out)?;
                out.write_all(b";")?;
            }
            for call in cluster.frames.iter().rev() {
                frame(call.function, &mut out)?;
                out.write_all(b";")?;
            }
            if cluster.frames.is_empty() {
                out.write_all(b"[no stack];")?;
            }
            frame(&leaf(cluster, snapshot), &mut out)?;
            writeln!(out, " {}", cluster.count)?;
        }
    }
    out.flush()
}

/// `[lock-wait g_log_mutex]`.
pub(super) fn leaf(cluster: &Cluster<'_>, snapshot: &Snapshot<'_>) -> String {
    let lock = cluster.lock.and_then(|id| snapshot.lock(id));
    match lock {
        Some(lock) => format!("[{} {}]", cluster.state.id(), words::full_lock_name(&lock)),
        None => format!("[{}]", cluster.state.id()),
    }
}

/// `[snapshot 1: logserver 4332, dumps/core.4332]`.
fn root(n: usize, snapshot: &Snapshot<'_>) -> String {
    let process = &snapshot.process;
    let name = process.name.map(|name| format!(" {name}")).unwrap_or_default();
    let pid = process.pid.map(|pid| format!(" {pid}")).unwrap_or_default();
    let comma = if name.is_empty() && pid.is_empty() { "" } else { "," };
    format!("[snapshot {}:{name}{pid}{comma} {}]", n + 1, snapshot.source.path)
}

/// A name that is one frame. An empty one would be none.
fn frame(name: &str, out: &mut impl Write) -> io::Result<()> {
    let name = escape_terminal(name).replace(';', ":");
    out.write_all(if name.trim().is_empty() { "[no name]" } else { &name }.as_bytes())
}
