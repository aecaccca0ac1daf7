//! Frames of kernel stacks.
//!
//! ```text
//!  __mutex_lock+0x75f/0xeb0
//!  ? kmem_cache_free+0x15/0x310                           a stale word of the stack: no frame
//!  fuse_dev_do_read+0xa29/0xa50 [fuse]
//!  [<ffffffff82a350bb>] schedule+0x9b/0x1c0               before 4.10
//! [<0>] request_wait_answer+0x159/0x2a0 [fuse]            /proc/PID/stack
//!  __schedule+0x897/0x1e60 kernel/sched/core.c:3515       with lines, by syzkaller
//!  context_switch kernel/sched/core.c:2844 [inline]
//!  __schedule (kernel/sched/core.c:3515)                  by scripts/decode_stacktrace.sh
//!  __schedule from schedule+0x58/0xcc                     arm
//! RIP: 0010:smp_call_function_single+0x192/0x4f0          the frame of the registers
//! pc : refcount_warn_saturate+0xf4/0x148                  arm64
//! ```
//!
//! Source: Linux 4.4-6.18 arch/x86/kernel/dumpstack.c, arch/arm64/kernel/stacktrace.c, lib/vsprintf.c (`%pS`, `%pB`).

use crate::model::{Frame, FrameKind};

/// What a line of a stack is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum StackLine<'t> {
    /// A frame, with its place in the function as it is written: `rtnl_lock+0x17/0x20`.
    Frame(Box<Frame>, &'t str),
    /// A word that lay on the stack and may be no call.
    Stale,
    /// The registers of user space: the kernel's part has ended.
    User,
}

/// Names of the program counter in the lines of registers.
const COUNTERS: [&str; 7] = ["RIP: ", "EIP: ", "pc : ", "epc : ", "PC is at ", "NIP ", "pc: "];

/// Reads a line of a stack.
pub(super) fn read(line: &str) -> Option<StackLine<'_>> {
    let text = line.trim();
    if let Some(rest) = COUNTERS.iter().find_map(|name| text.strip_prefix(name)) {
        return counter(rest);
    }
    let (text, address) = without_address(text);
    let stale = text.strip_prefix("? ");
    let text = stale.unwrap_or(text);
    let frame = call(text, address)?;
    Some(if stale.is_some() { StackLine::Stale } else { frame })
}

/// `0010:f+0x1/0x2`, `0033:0x4576a9`, `0010:[<ffffffff81>]  [<ffffffff81>] f+0x1/0x2`.
fn counter(text: &str) -> Option<StackLine<'_>> {
    const USER: [&str; 4] = ["0033:", "0023:", "002b:", "0073:"];
    if USER.iter().any(|segment| text.starts_with(segment)) {
        return Some(StackLine::User);
    }
    let text = text.split_once(':').filter(|(segment, _)| segment.len() == 4).map_or(text, |(_, rest)| rest);
    let (text, _) = without_address(text);
    let (text, address) = without_address(text);
    call(text, address)
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

fn call(text: &str, address: Option<u64>) -> Option<StackLine<'_>> {
    let (place, rest) = match text.split_once(' ') {
        Some((place, rest)) => (place, rest.trim()),
        None => (text, ""),
    };
    let name = match offset(place) {
        Some(name) => name,
        // Without an offset only where the rest says that it is a frame.
        None if is_identifier(place)
            && (rest.starts_with('(') || rest.ends_with("[inline]") || rest.starts_with("from ")) =>
        {
            place
        }
        None => return None,
    };
    let mut frame = Frame { function: Some(name.into()), address, ..Frame::default() };
    for word in rest.split_ascii_whitespace() {
        match word {
            "[inline]" => frame.kind = FrameKind::Inlined,
            "from" => break,
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
    // Line numbers are of the kernel's own files.
    if frame.file.is_some() && frame.module.is_none() {
        frame.module = Some("vmlinux".into());
    }
    Some(StackLine::Frame(Box::new(frame), place))
}

/// `rtnl_lock+0x17/0x20`: the name before the offset.
fn offset(place: &str) -> Option<&str> {
    let (name, offset) = place.rsplit_once("+0x")?;
    let (from, size) = offset.split_once("/0x")?;
    let is_hex = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
    (is_identifier(name) && is_hex(from) && is_hex(size.trim_end_matches(')'))).then_some(name)
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
