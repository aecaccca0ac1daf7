//! Threads, locks, places and processes as pieces of a Markdown line.

use super::escape::{code, code_within, prose};
use crate::model::Trust;
use crate::report::document::{
    Cluster, ClusterId, Frame, Holder, HolderKind, Location, Lock, Snapshot, ThreadRef, WaitsFor,
};
use crate::report::text::words;
use crate::waits::Identity;

/// The most columns of a function in a chain of calls.
const FUNCTION: usize = 80;

/// ``thread 4340 `flusher` ``.
pub fn thread(thread: &ThreadRef<'_>) -> String {
    let id = prose(&thread.id.to_string());
    match thread.name {
        Some(name) => format!("thread {id} {}", code(name)),
        None => format!("thread {id}"),
    }
}

/// The shortest that says which lock it is.
pub fn lock_name(lock: &Lock<'_>) -> String {
    let named = lock.name.or(lock.token.filter(|_| lock.address.is_none())).map(code);
    named
        .or_else(|| lock.address.map(|address| code(&address.to_string())))
        .unwrap_or_else(|| lock.id.to_string())
}

/// ``pthread mutex `g_log_mutex`, `0x55f0ce1aa140` in logserver `.bss`, guards logging``.
pub fn lock(lock: &Lock<'_>) -> String {
    let mut said = format!("{} {}", words::lock_kind(lock), lock_name(lock));
    if let (Some(_), Some(address)) = (lock.name, lock.address) {
        said += &format!(", {}", code(&address.to_string()));
    }
    if let Some(place) = lock.place {
        said += &format!(" {}", prose(place));
    }
    if let Some(class) = &lock.class {
        said += &format!(", guards {}", words::id_of(class).replace('-', " "));
    }
    if lock.identity == Identity::Site {
        said += ". It is known by its place in the code only: several locks may be merged";
    }
    said
}

/// Who holds a lock, how that is known, what it does.
pub fn holder(holder: &Holder<'_>) -> String {
    let owner = || holder.owner.map_or("a thread".to_owned(), |id| format!("thread {id}"));
    let elsewhere = || holder.pid.map_or("another process".to_owned(), |pid| format!("process {pid}"));
    let mut said = match (holder.kind, &holder.thread) {
        (HolderKind::Thread, Some(named)) => thread(named),
        (HolderKind::Thread, None) => "a thread of this process".to_owned(),
        (HolderKind::EndedThread, _) => format!("{}, which is {}", owner(), holder.gone()),
        (HolderKind::OtherProcess, _) => format!("{}, which is in {}", owner(), elsewhere()),
        (HolderKind::NotAThread, _) => "no thread: a transaction or an interrupt".to_owned(),
        (HolderKind::Runtime, _) => "the runtime itself".to_owned(),
        (HolderKind::Free, _) => "nobody at this moment".to_owned(),
        (HolderKind::Unknown, _) => "not known".to_owned(),
    };
    if let Some(certainty) = &holder.certainty {
        said += &format!(" (*{}*)", words::id_of(certainty));
    }
    if let Some(doing) = holder.doing {
        said += &format!(", {}", prose(doing));
    }
    if let Some(why) = &holder.why {
        said += &format!(": {}", prose(why));
    }
    said
}

/// What a thread waits for.
pub fn target(wait: &WaitsFor<'_>, snapshot: &Snapshot<'_>) -> String {
    match (wait.lock.and_then(|id| snapshot.lock(id)), &wait.thread, wait.process, wait.what) {
        (Some(lock), ..) => lock_name(&lock),
        (_, Some(awaited), ..) => thread(awaited),
        (_, _, Some(pid), _) => format!("process {pid}"),
        (.., Some(what)) => prose(what),
        _ => "something".to_owned(),
    }
}

/// The cluster with this id.
pub fn cluster_of<'a, 'd>(id: ClusterId, snapshot: &'a Snapshot<'d>) -> Option<&'a Cluster<'d>> {
    snapshot.cluster(id)
}

/// `` `log_message` ← `handle` ← `worker` ``.
pub fn calls(cluster: Option<&Cluster<'_>>) -> String {
    let signature = cluster.map(|cluster| &*cluster.signature).filter(|signature| !signature.is_empty());
    let Some(signature) = signature else { return "no stack".to_owned() };
    signature.split(" ← ").map(|name| code_within(name, FUNCTION)).collect::<Vec<_>>().join(" ← ")
}

/// `` `log_message` at `src/logserver.c:19` ``, `` `write` in `libc.so.6` ``.
pub fn location(place: &Location<'_>) -> String {
    let function = code(place.function);
    match (place.file, place.line, place.module) {
        (Some(file), Some(line), _) => format!("{function} at {}", code(&format!("{file}:{line}"))),
        (Some(file), None, _) => format!("{function} at {}", code(file)),
        (None, _, Some(module)) => format!("{function} in {}", code(module)),
        (None, _, None) => function,
    }
}

/// A line of a stack, as code: `#3 log_message at src/logserver.c:19`.
pub fn frame(at: usize, frame: &Frame<'_>) -> String {
    let place = match (words::frame_source(frame), frame.file) {
        (Some(source), Some(_)) => format!(" at {}", words::shortened(&source, FUNCTION)),
        (Some(module), None) => format!(" in {}", words::shortened(&module, FUNCTION)),
        (None, _) => String::new(),
    };
    let guessed = if frame.trust == Some(Trust::Scan) { " (guessed)" } else { "" };
    format!("#{at:<2} {}{place}{guessed}", words::shortened(frame.function, 2 * FUNCTION))
}

/// `` `core.zst` · ELF core, x86-64 · `logserver[4332]`, died of SIGABRT · 5,001 threads ``.
pub fn snapshot(snapshot: &Snapshot<'_>) -> String {
    let mut parts = vec![dump(snapshot)];
    parts.extend(process(snapshot));
    parts.push(threads(snapshot));
    parts.join(" · ")
}

/// `` `core.zst` · ELF core, x86-64 ``.
fn dump(snapshot: &Snapshot<'_>) -> String {
    let mut said = code(snapshot.source.path);
    if snapshot.source.offset > 0 {
        said += &format!(" from byte {}", words::count(snapshot.source.offset));
    }
    said += &format!(" · {}", words::format_name(snapshot.source.format));
    match &snapshot.process.arch {
        Some(arch) => said + &format!(", {}", prose(arch)),
        None => said,
    }
}

/// `` `logserver[4332]`, died of SIGABRT ``.
fn process(snapshot: &Snapshot<'_>) -> Option<String> {
    let process = &snapshot.process;
    let who = match (process.name, process.pid) {
        (Some(name), Some(pid)) => Some(code(&format!("{name}[{pid}]"))),
        (Some(name), None) => Some(code(name)),
        (None, Some(pid)) => Some(format!("process {pid}")),
        (None, None) => None,
    };
    let end = process.signal.as_ref().map(|signal| format!("died of {}", prose(signal)));
    match (who, end) {
        (Some(who), Some(end)) => Some(format!("{who}, {end}")),
        (who, end) => who.or(end),
    }
}

/// `5,001 threads`.
fn threads(snapshot: &Snapshot<'_>) -> String {
    let threads = &snapshot.threads;
    words::in_all(threads.total, threads.complete, threads.unit.noun())
}
