//! `pstack` of Solaris and illumos. The script of that name on Linux prints gdb's text.
//!
//! Source: illumos usr/src/cmd/ptools/pstack/pstack.c: `tlhead`, `print_frame`, `print_syscall`; Solaris 2.6 to 11.

use super::text::words::{hex, last_group, number, rsplit_once, split_once};
use super::text::{
    self, BlockLine, Body, BodyFrame, Dumps, Grammar, HEX, Head, InBlock, Masked, Outside, Section, SeenIds,
    Site,
};
use super::{About, Format, Reader};
use crate::model::{ArgSlot, FormatId, Frame, FrameKind, SlotKind, Snapshot, Str, Thread, ThreadId, lossy};

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::new("pstack"),
    name: "a pstack of Solaris",
    looked_for: "lines `-----------------  lwp# N / thread# N  --------------------`",
    about: About {
        producer: "pstack of Solaris 2.6 to 11 and illumos, of processes and cores, with -F and of Java",
        reads: "LWPs with names where they have some, frames, the address of a lock where arguments are printed (not on amd64)",
        never: "who holds a lock; CPU times; sources",
        capture: "pstack PID",
    },
    reader: Reader::Text { anchors: &["lwp# ", "thread# ", " _start   (", " _start ("], confirm, parse },
};

fn parse(section: &Section<'_>) -> Vec<Snapshot> {
    text::read(&Pstack, FORMAT.id, section)
}

/// A rule with `lwp# 1` in it; of a process with one thread, which has no rule, its last frame.
fn confirm(site: &Site<'_>) -> Option<usize> {
    let before = site.before()?;
    let line = lossy(site.line());
    if line.starts_with("lwp# ") || line.starts_with("thread# ") {
        let dashes = before.trim_ascii_end().iter().rev().take_while(|b| **b == b'-').count();
        let start = before.trim_ascii_end().len() - dashes;
        let own = lossy(before.get(start..)?).into_owned() + &line;
        return rule(&own).map(|_| site.at - before.len() + start);
    }
    // ` 00014a38 _start   (0, 0, 0)`: frames up to a line with the command, and no rule between.
    let is_pc =
        |b: &[u8]| b.first() == Some(&b' ') && b.len() >= 9 && b.iter().skip(1).all(u8::is_ascii_hexdigit);
    if !is_pc(before) {
        return None;
    }
    let text = site.text.get(..site.at - before.len())?;
    let mut lines = text.rsplit(|b| *b == b'\n').skip(1);
    let above = lines
        .by_ref()
        .take(MOST_FRAMES)
        .find(|l| frame_start(l).is_none() || memchr::memmem::find(l, b" _start ").is_some())?;
    // One stack has one `_start`: a text of nothing else is not looked through for each of them.
    command(&lossy(above.get(..above.len().min(400))?)).map(|_| site.at - before.len())
}

/// How deep a stack without a rule may be.
const MOST_FRAMES: usize = 200;

struct Pstack;

/// What is remembered between threads.
#[derive(Default)]
struct Memory {
    process: Option<(u64, Str)>,
    seen: SeenIds,
}

impl Grammar for Pstack {
    type Memory = Memory;
    const MASKS_HEX: bool = false;

    fn masked(&self, line: &[u8]) -> Masked {
        // Arguments are hexadecimal without `0x`.
        let line = lossy(line);
        match arguments(&line) {
            Some((open, close)) => Masked::Words(open..close),
            None => Masked::Nothing,
        }
    }

    fn may_begin(&self, line: &[u8]) -> bool {
        line.starts_with(b"-----") || line.first().is_some_and(|b| b.is_ascii_digit() || *b == b'c')
    }

    fn head(&self, line: &str, more: &[u8]) -> Option<Head> {
        if let Some(thread) = rule(line) {
            return Some(Head::of(thread));
        }
        // A process with one thread has no rule.
        command(line)?;
        frame_start(text::first_line(more))?;
        let event = Some(line.to_owned());
        Some(Head { event, ..Head::of(Thread::new(ThreadId::Number(1))) })
    }

    fn in_block(&self, line: &str) -> InBlock {
        if frame_start(line.as_bytes()).is_some() || line.contains("called from signal handler with signal") {
            return InBlock::Body;
        }
        match line {
            _ if command(line).is_some() => InBlock::Ends,
            _ if line.trim_start().starts_with("**") => InBlock::Noise,
            _ => InBlock::Unknown,
        }
    }

    fn breaks_off(&self, line: &str) -> bool {
        frame_start(line.as_bytes()).is_some() && arguments(line).is_none() && !line.contains(" * ")
    }

    fn outside(&self, line: &str, _section: Option<&'static str>) -> Outside {
        if command(line).is_some() { Outside::Event } else { Outside::Unknown }
    }

    fn body(&self, block: &[BlockLine<'_>]) -> Body {
        Body { frames: block.iter().filter_map(frame).collect(), ..Body::default() }
    }

    fn on_thread(&self, memory: &mut Memory, dumps: &mut Dumps, thread: &Thread, offset: u64) -> bool {
        if dumps.open().is_none() {
            memory.seen.clear();
        }
        let is_known = !memory.seen.insert(&thread.id);
        if is_known {
            memory.seen.clear();
            memory.seen.insert(&thread.id);
            dumps.end();
        }
        let building = dumps.current(offset);
        let process = &mut building.snapshot.process;
        if let Some((pid, command)) = memory.process.take() {
            process.pid = u32::try_from(pid).ok();
            let name = command.split_ascii_whitespace().next().map(text::words::file_name);
            process.name = name.map(Into::into);
            process.command_line = Some(command);
        }
        true
    }

    fn on_event(&self, memory: &mut Memory, dumps: &mut Dumps, line: &str, _offset: u64) {
        if let Some(found) = command(line) {
            dumps.end();
            memory.process = Some(found);
        }
    }
}

/// Reads a rule.
///
/// ```text
/// -----------------  lwp# 1 / thread# 1  --------------------                 Solaris
/// -----------------  lwp# 3  --------------------------------
/// --------------------------  thread# 4  --------------------                 a thread without an LWP
/// --------------------- thread# 2 / lwp# 2 [syseventd] ----------------------  illumos
/// ```
fn rule(line: &str) -> Option<Thread> {
    let inside = line.strip_prefix("-----")?.trim_start_matches('-');
    let (inside, name) = match (inside.find('['), inside.rfind(']')) {
        (Some(open), Some(close)) if open < close => (inside.get(..open)?, inside.get(open + 1..close)),
        _ => (inside, None),
    };
    let after = |word: &str| number(split_once(inside, word)?.1.trim_start()).map(|(n, _)| n);
    let lwp = after("lwp#");
    let mut thread = Thread::new(ThreadId::Number(lwp.or_else(|| after("thread#"))?));
    thread.tid = lwp.and_then(|n| u32::try_from(n).ok());
    thread.name = name.map(str::trim).filter(|n| !n.is_empty()).map(Into::into);
    Some(thread)
}

/// `5591:   /usr/local/bin/shop -x`, `core 'core' of 5591: /usr/local/bin/shop`.
fn command(line: &str) -> Option<(u64, Str)> {
    let line = match line.strip_prefix("core '") {
        Some(rest) => split_once(rest, "' of ")?.1,
        None => line,
    };
    let (pid, rest) = number(line)?;
    let command = rest.strip_prefix(':')?;
    (command.starts_with(['\t', ' ']) && !command.trim().is_empty()).then(|| (pid, command.trim().into()))
}

/// Where the name in a frame's line begins: ` fe99a254 poll     (513d530, 4, 18)`.
fn frame_start(line: &[u8]) -> Option<usize> {
    let rest = line.strip_prefix(b" ")?;
    let digits = rest.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    (matches!(digits, 8 | 16) && rest.get(digits) == Some(&b' ')).then_some(digits + 2)
}

/// Where the arguments of a frame's line begin and end: ` 0001a4cc main     (0, ffbef144) + 160`.
fn arguments(line: &str) -> Option<(usize, usize)> {
    let start = frame_start(line.as_bytes())?;
    let end = match rsplit_once(line, ") + ") {
        Some((head, offset)) if hex(offset).is_some() => head.len() + 1,
        _ => line.len(),
    };
    let open = start + last_group(line.get(start..end)?)?;
    Some((open + 1, end - 1))
}

/// Which argument of a lock function is the lock: the names that the functions of libc have in their sources.
static LOCKS: &[(&str, &str, usize)] = &[
    ("mutex_lock", "mutex", 0),
    ("pthread_mutex_lock", "mutex", 0),
    ("mutex_lock_impl", "mutex", 0),
    ("cond_wait", "cond", 0),
    ("cond_timedwait", "cond", 0),
    ("pthread_cond_wait", "cond", 0),
    ("pthread_cond_timedwait", "cond", 0),
    ("sem_wait", "sem", 0),
    ("rw_rdlock", "rwlock", 0),
    ("rw_wrlock", "rwlock", 0),
    ("pthread_rwlock_rdlock", "rwlock", 0),
    ("pthread_rwlock_wrlock", "rwlock", 0),
];

/// Reads a frame.
///
/// ```text
///  fe8e2bcc cond_wait (125ee8, f5670, 125ee8, 6b7800, 6b65d4, fe840298) + 10
///  fe482aa4 ???????? (d6490, fe482a6c)                                       nobody knows its name
///  fed44f95 libc.so.1`read (7, 8046fff, 1)                                   -F
///  fffffd7fff2a1b9a lwp_park () + a                                          amd64: no arguments
///  8092b7f0 * java/lang/Object.wait()V+1                                     a frame of Java
///  08051234 main + 35
/// ```
fn frame(line: &BlockLine<'_>) -> Option<BodyFrame> {
    let Some(start) = frame_start(line.text.as_bytes()) else {
        return Some(Frame { kind: FrameKind::SignalHandler, ..Frame::default() }.into());
    };
    let address = hex(line.text.get(1..start)?.trim());
    let (name, args) = match arguments(line.text) {
        Some((open, close)) => (line.text.get(start..open - 1)?, line.text.get(open..close)),
        None => {
            let rest = line.text.get(start..)?;
            let name = rsplit_once(rest, " + ").filter(|(_, n)| hex(n).is_some()).map_or(rest, |(n, _)| n);
            (name, None)
        }
    };
    let name = name.trim().trim_start_matches("* ");
    let (module, name) = match name.split_once('`') {
        Some((module, name)) => (Some(module.into()), name),
        None => (None, name),
    };
    let is_known = !name.is_empty() && !name.bytes().all(|b| b == b'?');
    let function = is_known.then(|| Str::from(name));
    let mut slots = Vec::new();
    for &(_, arg, nth) in LOCKS.iter().filter(|(f, ..)| *f == name) {
        if args.is_some_and(|args| args.split(", ").nth(nth) == Some(HEX)) {
            slots.push((ArgSlot { name: arg.into(), kind: SlotKind::Hex, symbol: None }, line.slot + nth));
        }
    }
    Some(BodyFrame { frame: Frame { function, module, address, ..Frame::default() }, slots })
}

#[cfg(test)]
mod tests;
