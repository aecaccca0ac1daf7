//! Frames of kernel stacks.
//!
//! ```text
//!  __mutex_lock+0x75f/0xeb0
//!  ? kmem_cache_free+0x15/0x310                           a word of the stack that may be stale
//!  fuse_dev_do_read+0xa29/0xa50 [fuse]
//!  [<ffffffff82a350bb>] schedule+0x9b/0x1c0               before 4.10
//!  <EOE>  [<ffffffff8b5d4df8>] _raw_spin_lock_irq+0x28/0x30       behind the mark of another stack
//! [<0>] request_wait_answer+0x159/0x2a0 [fuse]            /proc/PID/stack
//!  __schedule+0x897/0x1e60 kernel/sched/core.c:3515       with lines, by syzkaller
//!  context_switch kernel/sched/core.c:2844 [inline]
//!  __schedule (kernel/sched/core.c:3515)                  by scripts/decode_stacktrace.sh
//!  __schedule from schedule+0x58/0xcc                     arm: a call and its caller, since 5.13
//! [<c0997424>] (__schedule) from [<c0997a94>] (schedule+0x50/0xa8)          before
//!  0xffff80000fe83d4c                                     code that nobody could name: firmware
//! RIP: 0010:smp_call_function_single+0x192/0x4f0          the frame of the registers
//! pc : refcount_warn_saturate+0xf4/0x148                  arm64
//! epc   : 80244654 kernel_type_name+0x20/0x38             MIPS
//!   ERA: 90000000037a5f0c efi_runtime_init+0x30/0x94      LoongArch
//! Krnl PSW : 0704c00180000000 000000000026552c (uncharge+0x2c4/0x33c)       s390
//!   IAOQ[0]: io_do_iopoll+0xe0/0x4b0                      parisc
//! --- interrupt: 901 at arch_local_irq_restore+0x5c/0x80  POWER: what an interrupt came into
//!  [<ffffffff88586f7c>] :jbd2:kjournald2+0x9a/0x1ec       2.6.18, with the module before the function
//! ```
//!
//! A kernel without frame pointers marks all of them so:
//!
//! ```text
//! Call Trace:
//!  [<ffffffff8135067c>] ? __mutex_lock_common+0xff/0x164
//!  [<ffffffff8135056a>] ? mutex_lock+0x1a/0x2d
//!  [<ffffffff81104029>] ? log_append+0x1f4/0x406
//! ```
//!
//! Source: Linux 4.4-6.18 arch/x86/kernel/dumpstack.c, arch/arm64/kernel/stacktrace.c, arch/arm/kernel/traps.c
//! (`dump_backtrace_entry`), arch/{mips,loongarch,parisc}/kernel/traps.c, arch/s390/kernel/dumpstack.c, arch/powerpc/kernel/process.c
//! (`show_stack`), lib/vsprintf.c (`%pS`, `%pB`); 2.6.18 arch/x86_64/kernel/traps.c (`printk_address`).

use std::num::NonZeroU32;

use crate::model::{Frame, FrameKind, Trust};

/// What a line of a stack is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum StackLine<'t> {
    /// A frame, with its place in the function as it is written: `rtnl_lock+0x17/0x20`.
    Frame(Box<Frame>, &'t str),
    /// The frame of the registers, which some processors print as the first of the stack again.
    Counter(Box<Frame>, &'t str),
    /// A function and who called it, with the caller's place. The next line begins with the caller again.
    From(Box<Frame>, Box<Frame>, &'t str),
    /// A word that lay on the stack and may be no call: a guess.
    Stale(Box<Frame>, &'t str),
    /// Where an interrupt came in: what follows was interrupted there.
    Interrupted(Box<Frame>, &'t str),
    /// The registers of user space: the kernel's part has ended.
    User,
    /// The frames of an interrupt that cannot be masked begin, or have ended: `<NMI>`, `</NMI>`.
    Nmi(Bound),
}

/// A bound of a part of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    Begin,
    End,
}

/// What stands in a stack for an interrupt until its own functions are taken away.
pub(super) const INTERRUPT: &str = "--- interrupt";

/// How a line begins that tells of one; the kernel changed it twice.
const INTERRUPTS: [&str; 4] = ["--- interrupt: ", "---- interrupt: ", "--- Exception: ", "--- exception: "];

/// Names of the program counter in the lines of registers.
const COUNTERS: [&str; 13] = [
    "RIP: ",
    "EIP: ",
    "pc : ",
    "epc : ",
    "epc   : ",
    "PC is at ",
    "EIP is at ",
    "TPC: <",
    "NIP ",
    "pc: ",
    "ERA: ",
    "Krnl PSW : ",
    "IAOQ[0]: ",
];

/// Whether a line says where the registers stand; cheap.
pub(super) fn is_counter(line: &[u8]) -> bool {
    let text = line.trim_ascii_start();
    COUNTERS.iter().any(|name| text.starts_with(name.as_bytes()))
        && std::str::from_utf8(text).is_ok_and(|text| matches!(read(text), Some(StackLine::Counter(..))))
}

/// Reads a line of a stack.
pub(super) fn read(line: &str) -> Option<StackLine<'_>> {
    let text = line.trim();
    match text {
        "<NMI>" => return Some(StackLine::Nmi(Bound::Begin)),
        "</NMI>" => return Some(StackLine::Nmi(Bound::End)),
        _ => {}
    }
    if let Some(rest) = COUNTERS.iter().find_map(|name| text.strip_prefix(name)) {
        return counter(rest);
    }
    if let Some(rest) = INTERRUPTS.iter().find_map(|start| text.strip_prefix(start)) {
        return interrupted(rest);
    }
    if let Some((callee, caller)) = text.split_once(" from ") {
        return from(callee, caller);
    }
    let (text, address) = without_address(without_mark(text));
    let stale = text.strip_prefix("? ");
    let text = stale.unwrap_or(text);
    let (mut frame, place) = call(text, address).or_else(|| nameless(text))?;
    if stale.is_none() {
        return Some(StackLine::Frame(frame, place));
    }
    frame.trust = Some(Trust::Scan);
    Some(StackLine::Stale(frame, place))
}

/// Whether all that a stack shows are words that may be no calls: its kernel has no frame pointers, and they are all
/// that there is.
fn is_guessed(lines: &[StackLine<'_>]) -> bool {
    let has_name = |frame: &Frame| frame.function.is_some();
    let is_call = |line: &StackLine<'_>| match line {
        StackLine::Frame(frame, _) => has_name(frame),
        StackLine::From(..) | StackLine::Interrupted(..) => true,
        StackLine::Counter(..) | StackLine::Stale(..) | StackLine::User | StackLine::Nmi(_) => false,
    };
    !lines.iter().any(is_call)
}

/// Whether a word may be where a call returns to: none returns to the begin of a function, nor behind its end.
fn may_return(place: &str) -> bool {
    !is_begin(place) && !is_behind(place) && place.contains("+0x")
}

/// `autoremove_wake_function+0x0/0x2e`
fn is_begin(place: &str) -> bool {
    from_and_size(place).is_some_and(|(from, _)| from == "0")
}

/// `sys_log+0x3a0/0x3a0`
fn is_behind(place: &str) -> bool {
    from_and_size(place).is_some_and(|(from, size)| from == size)
}

fn from_and_size(place: &str) -> Option<(&str, &str)> {
    place.rsplit_once("+0x")?.1.split_once("/0x")
}

/// So many begins of functions in a stack are no chance.
const BEGINS: usize = 2;

/// Whether a stack is made of all words that lay there, by a kernel that does not mark them: some can be no calls. A
/// place behind a function is that of a call which never returns: the first one of a stack is none.
///
/// ```text
///  [<ffffffff8008cf5f>] find_busiest_group+0x20d/0x621
///  [<ffffffff800a28b4>] autoremove_wake_function+0x0/0x2e
///  [<ffffffff800a269c>] keventd_create_kthread+0x0/0xc4
/// ```
fn is_scanned(lines: &[StackLine<'_>]) -> bool {
    let mut places = lines.iter().map(|line| match line {
        StackLine::Frame(_, place) => Some(*place),
        _ => None,
    });
    if !places.clone().all(|place| place.is_some()) {
        return false;
    }
    // The first may be the function that prints.
    let first = places.next().flatten();
    first.is_some_and(is_behind) || places.flatten().filter(|place| is_begin(place)).count() >= BEGINS
}

/// The same line as a guess.
fn guess(line: StackLine<'_>) -> StackLine<'_> {
    match line {
        StackLine::Frame(mut frame, place) => {
            frame.trust = Some(Trust::Scan);
            StackLine::Stale(frame, place)
        }
        line => line,
    }
}

/// The frames of these lines, innermost first, each with its place.
pub(super) fn stack<'t>(lines: impl Iterator<Item = StackLine<'t>>) -> Vec<(Frame, &'t str)> {
    let lines = lines.take_while(|line| *line != StackLine::User).collect();
    let mut lines: Vec<StackLine<'t>> = super::nmi::without(lines);
    if is_scanned(&lines) {
        lines = lines.into_iter().map(guess).collect();
    }
    let is_guessed = is_guessed(&lines);
    let mut frames: Vec<(Frame, &'t str)> = Vec::new();
    // The place of the registers, and the function that the next line with a caller begins with.
    let mut counter = None;
    let mut last: Option<Frame> = None;
    for line in lines {
        let (frame, place) = match line {
            StackLine::User => break,
            StackLine::Nmi(_) => continue,
            StackLine::Stale(frame, place) if is_guessed && may_return(place) => {
                // Some words lie there twice.
                if frames.last().is_some_and(|(_, last)| *last == place) {
                    continue;
                }
                (frame, place)
            }
            StackLine::Stale(..) => continue,
            StackLine::Counter(frame, place) => {
                counter = Some(place);
                (frame, place)
            }
            StackLine::Frame(_, place) if counter.take() == Some(place) => continue,
            StackLine::Frame(frame, place) => (frame, place),
            StackLine::Interrupted(frame, place) => {
                frames.push((Frame { function: Some(INTERRUPT.into()), ..Frame::default() }, ""));
                (frame, place)
            }
            StackLine::From(callee, caller, place) => {
                if last.as_ref().is_none_or(|last| last.function != callee.function) {
                    last = Some((*callee).clone());
                    frames.push((*callee, ""));
                }
                (caller, place)
            }
        };
        if frame.kind != FrameKind::Inlined {
            last = Some((*frame).clone());
        }
        frames.push((*frame, place));
    }
    frames
}

/// `0010:f+0x1/0x2`, `0033:0x4576a9`, `0010:[<ffffffff81>]  [<ffffffff81>] f+0x1/0x2`, `80244654 f+0x20/0x38`,
/// `0704c00180000000 000000000026552c (f+0x1/0x2)`.
fn counter(text: &str) -> Option<StackLine<'_>> {
    const USER: [&str; 4] = ["0033:", "0023:", "002b:", "0073:"];
    if USER.iter().any(|segment| text.starts_with(segment)) {
        return Some(StackLine::User);
    }
    let text = text.split_once(':').filter(|(segment, _)| segment.len() == 4).map_or(text, |(_, rest)| rest);
    let (text, _) = without_address(text);
    let (mut text, mut address) = without_address(text);
    while let Some((word, rest)) = text.split_once(' ').filter(|(word, _)| is_word(word)) {
        address = u64::from_str_radix(word, 16).ok();
        text = rest.trim_start();
    }
    let (frame, place) = call(text.trim_start_matches('('), address)?;
    Some(StackLine::Counter(frame, place))
}

/// A word of memory or a register: `80244654`, `000000000026552c`.
fn is_word(word: &str) -> bool {
    matches!(word.len(), 8 | 16) && word.bytes().all(|b| b.is_ascii_hexdigit())
}

/// `901 at arch_local_irq_restore+0x5c/0x80`, `c00 at 0x7fff8b0f6b54`: the number of the interrupt, and where it came in.
fn interrupted(text: &str) -> Option<StackLine<'_>> {
    let (number, place) = text.split_once(" at ")?;
    u32::from_str_radix(number, 16).ok()?;
    if place.starts_with("0x") {
        return Some(StackLine::User);
    }
    let (frame, place) = call(place, None)?;
    Some(StackLine::Interrupted(frame, place))
}

/// `__schedule from schedule+0x58/0xcc`, `[<c0997424>] (__schedule) from [<c0997a94>] (schedule+0x50/0xa8)`,
/// `[<7f4a1618>] (fuse_writepages [fuse]) from …`, and before 3.10 `[<c001125d>] (unwind_backtrace+0x1/0x98) from …`.
fn from<'t>(callee: &'t str, caller: &'t str) -> Option<StackLine<'t>> {
    let bare = |text: &'t str| {
        let (text, address) = without_address(text);
        (text.strip_prefix('(').and_then(|t| t.strip_suffix(')')).unwrap_or(text), address)
    };
    let (name, address) = bare(callee);
    let (text, of_caller) = bare(caller);
    let (caller, place) = call(text, of_caller)?;
    let (name, module) = match name.split_once(" [") {
        Some((name, module)) => (name, Some(module.trim_end_matches(']').into())),
        None => (name, None),
    };
    let name = offset(name).unwrap_or(name);
    let callee = Frame { function: Some(name.into()), module, address, ..Frame::default() };
    is_identifier(name).then(|| StackLine::From(Box::new(callee), caller, place))
}

/// `0xffff80000fe83d4c`: an address of the kernel's half, or a word of a smaller one.
fn nameless(text: &str) -> Option<(Box<Frame>, &str)> {
    let digits = text.strip_prefix("0x").filter(|digits| is_word(digits))?;
    let address = u64::from_str_radix(digits, 16).ok().filter(|&address| address != u64::MAX)?;
    Some((Box::new(Frame { address: Some(address), ..Frame::default() }), text))
}

/// Marks of the stacks of a processor, which kernels before 4.10 put before the first frame of each.
const MARKS: [&str; 9] = ["<IRQ>", "<EOI>", "<NMI>", "<EOE>", "<<EOE>>", "<#DF>", "<#DB>", "<#MC>", "<UNK>"];

/// Takes `<EOE>  ` away.
fn without_mark(text: &str) -> &str {
    MARKS.iter().find_map(|mark| text.strip_prefix(mark)).map_or(text, str::trim_start)
}

/// Takes `[<ffffffff82a350bb>] ` away, or `[c000000fe1f3b8f0] ` of POWER.
fn without_address(text: &str) -> (&str, Option<u64>) {
    let mut text = text.trim_start().trim_start_matches('(');
    let mut address = None;
    for _ in 0..2 {
        let Some((inside, rest)) = text.strip_prefix('[').and_then(|t| t.split_once(']')) else { break };
        let digits = inside.trim_start_matches('<').trim_end_matches('>').trim();
        if digits != "inline" && !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            break;
        }
        // `[<0>]` hides it.
        address = u64::from_str_radix(digits, 16).ok().filter(|&a| a > 0xffff).or(address);
        text = rest.trim_start();
    }
    (text, address)
}

fn call(text: &str, address: Option<u64>) -> Option<(Box<Frame>, &str)> {
    let (of_module, text) = match text.strip_prefix(':').and_then(|text| text.split_once(':')) {
        Some((module, text)) => (Some(module), text),
        None => (None, text),
    };
    let (place, rest) = match text.split_once(' ') {
        Some((place, rest)) => (place, rest.trim()),
        None => (text, ""),
    };
    let name = match offset(place) {
        Some(name) => name,
        // Without an offset only where the rest says that it is a frame.
        None if is_identifier(place)
            && (rest.ends_with("[inline]")
                || (rest.starts_with('(') && rest.split(' ').any(|word| source(word).is_some()))) =>
        {
            place
        }
        None => return None,
    };
    let mut frame =
        Frame { function: Some(name.into()), module: of_module.map(Into::into), address, ..Frame::default() };
    for word in rest.split_ascii_whitespace() {
        match word {
            "[inline]" => frame.kind = FrameKind::Inlined,
            _ if source(word).is_some() => {
                let (file, line) = source(word)?;
                (frame.file, frame.line) = (Some(file.into()), Some(line));
            }
            // `[fuse]`, `[fuse 5bd0c9ac…]`
            _ => {
                if let Some(module) = word.strip_prefix('[').filter(|_| frame.module.is_none()) {
                    frame.module = Some(module.trim_end_matches(']').into());
                }
            }
        }
    }
    frame.function_offset = of_function(place).filter(|_| address.is_none());
    // Line numbers are of the kernel's own files.
    if frame.file.is_some() && frame.module.is_none() {
        frame.module = Some("vmlinux".into());
    }
    Some((Box::new(frame), place))
}

/// `rtnl_lock+0x17/0x20`: the name before the offset.
fn offset(place: &str) -> Option<&str> {
    let (name, offset) = place.rsplit_once("+0x")?;
    let (from, size) = offset.split_once("/0x")?;
    let is_hex = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
    (is_identifier(name) && is_hex(from) && is_hex(size.trim_end_matches([')', '>']))).then_some(name)
}

/// `rtnl_lock+0x17/0x20`: 0x17.
fn of_function(place: &str) -> Option<NonZeroU32> {
    NonZeroU32::new(u32::from_str_radix(from_and_size(place)?.0, 16).ok()?)
}

fn is_identifier(name: &str) -> bool {
    let is_part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'$' | b':');
    name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'.'))
        && name.bytes().all(is_part)
}

/// `kernel/sched/core.c:3515`, `(kernel/sched/core.c:3515)`.
fn source(word: &str) -> Option<(&str, u32)> {
    let word = word.trim_start_matches('(').trim_end_matches(')');
    let (file, line) = word.rsplit_once(':')?;
    let is_source = [".c", ".h", ".S", ".rs"].iter().any(|end| file.ends_with(end));
    Some((file, line.parse().ok()?)).filter(|_| is_source)
}
