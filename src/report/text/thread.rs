//! One thread, whole: its stack, what it waits for, what it holds.

use std::io::{self, BufWriter, Write};

use super::finding::{certainty, field, who_holds};
use super::layout::{Page, Style, Text};
use super::{header, links, words};
use crate::arch;
use crate::diagnosis::{Analyzed, Diagnosis};
use crate::model::{Arch, FrameIx, StackEnd, SystemCall, ThreadIx, escape_terminal};
use crate::report::document::{Document, Frame, Resolver, Snapshot, ThreadRecord};
use crate::report::{View, nearest};

/// Repeats of one frame from which on they are one line: a recursion has 100,000 of them.
const REPEATS: usize = 4;
/// Threads with one id that are shown: ids may repeat, `goroutine 0` or one process in many snapshots.
const SAME_ID: usize = 10;
/// Ids that are suggested for an unknown one.
const NEAREST: usize = 5;

/// Why a thread was not shown.
#[derive(Debug, thiserror::Error)]
pub enum ThreadError {
    /// No thread has this id.
    #[error("no thread has the id, kernel id or name '{}'{}", escape_terminal(.id), suggestion(.nearest))]
    Unknown {
        /// What was asked for.
        id: String,
        /// Ids that are near to it.
        nearest: Vec<String>,
    },
    /// The output could not be written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

fn suggestion(nearest: &[String]) -> String {
    match nearest {
        [] => "; there are no threads in what was read".into(),
        ids => format!("; the nearest ids are {}", escape_terminal(&ids.join(", "))),
    }
}

/// Writes all that is known of the thread whose id, kernel id or name this is; of several, the first that there is.
pub fn write_thread(
    diagnosis: &Diagnosis,
    ids: &[&str],
    view: &View,
    out: &mut dyn Write,
) -> Result<(), ThreadError> {
    let document = Document::of(diagnosis);
    let matching = ids.iter().map(|id| find(&document, id)).find(|m| !m.is_empty()).unwrap_or_default();
    let id = ids.last().copied().unwrap_or_default();
    if matching.is_empty() {
        return Err(ThreadError::Unknown { id: id.to_owned(), nearest: nearest_ids(&document, id) });
    }
    let shown = if view.show_all { matching.len() } else { SAME_ID.min(matching.len()) };
    let mut out = BufWriter::new(out);
    let mut page = Page::new(&mut out, view.width, view.color);
    for (n, &(snapshot, ix)) in matching[..shown].iter().enumerate() {
        if n > 0 {
            page.blank()?;
        }
        let at = (&document.snapshots[snapshot], &diagnosis.snapshots[snapshot]);
        if let Some(thread) = at.0.thread_list.get(ix) {
            one(&document, at, &thread, view, &mut page)?;
        }
    }
    if matching.len() > shown {
        let more = words::counted((matching.len() - shown) as u64, "more thread");
        page.blank()?;
        page.paragraph(
            Text::from("  "),
            &Text::from(format!("… and {more} with this id: --all shows them")),
        )?;
    }
    Ok(out.flush()?)
}

/// Threads with this id; where there is none, with this kernel id; where there is none, with this name.
fn find(document: &Document<'_>, id: &str) -> Vec<(usize, ThreadIx)> {
    let all = |is: &dyn Fn(&ThreadRecord<'_>) -> bool| {
        let snapshots = document.snapshots.iter().enumerate();
        let threads = snapshots.flat_map(|(n, s)| s.thread_list.iter().map(move |thread| (n, thread)));
        threads
            .filter(|(_, thread)| is(thread))
            .map(|(n, thread)| (n, ThreadIx(thread.ix)))
            .collect::<Vec<_>>()
    };
    let tid = id.parse::<u32>().ok();
    let by_id = all(&|thread| thread.id.is(id));
    let by_tid = || all(&|thread| tid.is_some() && thread.tid == tid);
    let by_name = || all(&|thread| thread.name == Some(id));
    Some(by_id)
        .filter(|found| !found.is_empty())
        .or_else(|| Some(by_tid()).filter(|found| !found.is_empty()))
        .unwrap_or_else(by_name)
}

/// Few edits first; of those the nearest number.
fn nearest_ids(document: &Document<'_>, wanted: &str) -> Vec<String> {
    let number = wanted.parse::<u64>().ok();
    let threads = document.snapshots.iter().flat_map(|s| s.thread_list.iter());
    let mut ids: Vec<_> = threads
        .map(|thread| {
            let id = thread.id.to_string();
            let apart = number.zip(id.parse::<u64>().ok()).map_or(u64::MAX, |(a, b)| a.abs_diff(b));
            (nearest::distance(wanted, &id), apart, id)
        })
        .collect();
    ids.sort();
    ids.dedup();
    ids.into_iter().take(NEAREST).map(|(.., id)| id).collect()
}

fn one(
    document: &Document<'_>,
    (snapshot, analyzed): (&Snapshot<'_>, &Analyzed),
    thread: &ThreadRecord<'_>,
    view: &View,
    page: &mut Page<'_>,
) -> io::Result<()> {
    let prefix = Text::new().styled(Style::Bold, document.tool.name).plain("  ");
    page.paragraph(prefix, &header::items(&header::of_snapshot(snapshot)))?;
    header::removed(document, page)?;
    page.blank()?;
    let name = thread.name.map(|name| format!(" \"{name}\"")).unwrap_or_default();
    let title = Text::new().styled(Style::Bold, format!("thread {}{name}", thread.id));
    page.paragraph(Text::from("  "), &title)?;
    page.blank()?;
    facts(snapshot, analyzed, thread, page)?;
    stack(analyzed, thread, view, page)
}

fn facts(
    snapshot: &Snapshot<'_>,
    analyzed: &Analyzed,
    thread: &ThreadRecord<'_>,
    page: &mut Page<'_>,
) -> io::Result<()> {
    let ix = ThreadIx(thread.ix);
    let activity = Resolver { analyzed }.activity(ix);
    let doing = analyzed.doing(ix).map(|doing| format!(", {doing}")).unwrap_or_default();
    field(page, "state", &Text::new().styled(Style::Bold, words::id_of(&thread.state)).plain(doing))?;
    let lock_of = |id| snapshot.lock(id);
    if let Some(wait) = &thread.waits_for {
        let lock = wait.lock.and_then(lock_of);
        let what = lock.as_ref().map_or_else(|| links::target(wait, snapshot), words::lock);
        let what = Text::from(what).plain(" (").then(certainty(wait.certainty)).plain(")");
        field(page, "waits for", &what)?;
        if let Some(lock) = lock {
            field(page, "held by", &who_holds(&lock.holder))?;
        }
    }
    for (n, lock) in thread.holds.iter().filter_map(|&id| lock_of(id)).enumerate() {
        let waiters = words::counted(lock.waiters.count, "thread");
        let verb = if lock.waiters.count == 1 { "waits" } else { "wait" };
        let said = format!("{}; {waiters} {verb} for it", words::lock(&lock));
        field(page, if n == 0 { "holds" } else { "" }, &Text::from(said))?;
    }
    if let Some(call) = activity.and_then(|a| a.system_call.as_deref()) {
        field(page, "call", &Text::from(system_call(call, analyzed.snapshot.process.arch)))?;
    }
    if let Some(tid) = thread.tid.filter(|tid| !thread.id.is(&tid.to_string())) {
        field(page, "kernel id", &Text::from(tid.to_string()))?;
    }
    if let Some(cpu) = thread.cpu_s {
        field(page, "CPU", &Text::from(words::duration(cpu)))?;
    }
    let cluster = thread.cluster.and_then(|id| snapshot.cluster(id));
    if let Some(cluster) = cluster {
        let alike = match cluster.count {
            1 => "no other thread does the same".to_owned(),
            n => format!(
                "{} of {} do the same",
                words::count(n),
                words::counted(snapshot.threads.total, snapshot.threads.unit.noun())
            ),
        };
        field(page, "cluster", &Text::from(format!("{}, {alike}", cluster.id)))?;
    }
    Ok(())
}

/// The call with its argument registers; calls with fewer arguments leave garbage in the rest.
fn system_call(call: &SystemCall, arch: Option<Arch>) -> String {
    let args: Vec<_> = call.args.iter().map(|arg| format!("{arg:#x}")).collect();
    let name = match arch.and_then(|arch| arch::system_call(arch, call.number)) {
        Some(row) => row.name.to_owned(),
        None => format!("system call {}", call.number),
    };
    format!("{name}({})", args.join(", "))
}

fn stack(analyzed: &Analyzed, thread: &ThreadRecord<'_>, view: &View, page: &mut Page<'_>) -> io::Result<()> {
    let Some(known) = analyzed.snapshot.threads.get(thread.ix as usize) else { return Ok(()) };
    let frames = analyzed.snapshot.stacks.frames_of(known.stack);
    page.blank()?;
    let depth = words::counted(frames.len() as u64, "frame");
    page.line(Text::from("  ").styled(Style::Bold, "STACK").plain(format!("  {depth}, newest first")))?;
    let digits = frames.len().saturating_sub(1).to_string().len();
    let mut at = 0;
    while at < frames.len() {
        let repeats = run(&frames[at..]);
        line(at, digits, &Resolver { analyzed }.frame(frames[at]), page)?;
        if repeats >= REPEATS && !view.show_all {
            let more = words::count(repeats as u64 - 1);
            let said =
                format!("{more} more times the same frame, up to #{}: --all shows them", at + repeats - 1);
            page.paragraph(Text::from(" ".repeat(digits + 5)), &Text::new().styled(Style::Dim, said))?;
            at += repeats;
        } else {
            at += 1;
        }
    }
    let end = end(known.stack_end);
    if !end.is_empty() {
        page.paragraph(Text::from("  "), &Text::new().styled(Style::Yellow, end))?;
    }
    Ok(())
}

/// How many of the first frames are one and the same.
fn run(frames: &[FrameIx]) -> usize {
    frames.iter().take_while(|frame| Some(*frame) == frames.first()).count()
}

/// `#3   lock   cfi   pthread_mutex_lock`, and behind or under it the place.
fn line(at: usize, digits: usize, frame: &Frame<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let number = format!("  #{at:<digits$}  ");
    let role = format!("{:<8}", words::id_of(&frame.role));
    let trust = frame.trust.map(|t| words::id_of(&t)).unwrap_or_default();
    let trust = if frame.inlined { "inlined".into() } else { trust };
    let style = if trust == "scan" { Style::Yellow } else { Style::Dim };
    let start = Text::from(number).styled(Style::Dim, role).styled(style, format!("{trust:<14}"));
    let place: Vec<_> = [
        words::frame_source(frame),
        frame.file.and(frame.module).map(|module| format!("in {module}")),
        frame.address.map(|address| address.to_string()),
    ]
    .into_iter()
    .flatten()
    .collect();
    let place = Text::new().styled(Style::Dim, place.join("  "));
    let room = page.width().saturating_sub(start.width());
    let function = Text::new().styled(Style::Bold, words::shortened(frame.function, room.max(16)));
    let indent = start.width();
    if function.width() + 2 + place.width() <= room {
        let gap = " ".repeat(
            room.min(46)
                .saturating_sub(function.width() + 2)
                .min(room - function.width() - 2 - place.width()),
        );
        return page.line(start.then(function).plain(format!("{gap}  ")).then(place));
    }
    page.line(start.then(function))?;
    if place.is_blank() { Ok(()) } else { page.paragraph(Text::from(" ".repeat(indent)), &place) }
}

fn end(end: StackEnd) -> &'static str {
    match end {
        StackEnd::Complete => "",
        StackEnd::MemoryMissing => "the stack ends here because the dump does not hold its further memory",
        StackEnd::NoRule => "the stack ends here because nothing says how to go on",
        StackEnd::NoProgress => "the stack ends here because the next frame is not further up",
        StackEnd::DepthLimit => "the stack is deeper: a limit on the depth was reached",
        StackEnd::Reported => "the stack ends here because the producer of the dump could not go on",
        StackEnd::NotUnwound => "the stack was not followed: the dump has no registers that can be read",
    }
}
