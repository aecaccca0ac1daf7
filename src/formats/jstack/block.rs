//! The lines of a thread's block.

use super::{deadlocks, hadoop, intellij, java, jrockit, support_core, watchdog};
use crate::formats::text::words::{number, rsplit_once, split_once};
use crate::formats::text::{BlockLine, Body, BodyWait, CUT, HEX, InBlock, OwnerRef, is_left_out};
use crate::model::{Frame, ReportedLockKind, ReportedState, StackEnd, WaitMode};

/// Lines of a stack, without their indentation.
static IN_STACKS: &[&str] = &[
    "at ",
    AGENT_STATE,
    SYNCHRONIZERS,
    "Locked synchronizers:",
    "No compile task",
    "Compiling: ",
    "Carrying virtual thread #",
    "JNI",
    "...",
];

const STATE: &str = "java.lang.Thread.State: ";
const SYNCHRONIZERS: &str = "Locked ownable synchronizers:";

/// The JVM's own state of a thread, as the serviceability agent prints it.
const AGENT_STATE: &str = "JavaThread state: ";

/// Lines of a stack that say nothing: who waits for a lock of this thread (the debugger of IntelliJ), SAP's state of the
/// VM, the end of a stack of JRockit.
static NOISE: &[&str] = &["Number of ", "blocks ", "Thread: 0x", jrockit::END];

/// As many frames `ThreadInfo.toString` prints, and dots below them. Else an author left lines out.
///
/// Source: OpenJDK 8-25 java/lang/management/ThreadInfo.java `MAX_FRAMES`.
const THREAD_INFO_FRAMES: usize = 8;

/// What a line in a thread's block is.
pub(super) fn in_block(line: &str) -> InBlock {
    let text = line.trim_start();
    let is_indented = text.len() < line.len();
    let is_known = is_indented && IN_STACKS.iter().any(|start| text.starts_with(start)) || is_left_out(text);
    if is_known || mixed_frame(line).is_some() || jrockit::is_note(text) || is_bare(text) {
        return InBlock::Body;
    }
    let note = || java::note(&BlockLine { text: line, slot: 0 });
    if is_indented && (frame_of(text).is_some() || note().is_some()) {
        return InBlock::Body;
    }
    // A text that lost its indentation.
    if text.starts_with(['-', '*']) && note().is_some_and(|note| note.names_something()) {
        return InBlock::Body;
    }
    if is_indented && (support_core::owner(text).is_some() || hadoop::said(text).is_some()) {
        return InBlock::Body;
    }
    if intellij::lock(text).is_some() {
        return InBlock::Body;
    }
    if deadlocks::is_line(line) || watchdog::is_between(line) {
        return InBlock::Ends;
    }
    if watchdog::frame(line).is_some() {
        return InBlock::Body;
    }
    let is_noise = watchdog::is_noise(text)
        || hadoop::is_noise(text)
        || intellij::is_noise(text)
        || NOISE.iter().any(|start| text.starts_with(start));
    if is_noise && (is_indented || text.starts_with("Thread: 0x")) {
        InBlock::Noise
    } else {
        InBlock::Unknown
    }
}

/// A line of a stack that needs no indentation to be known as one.
fn is_bare(text: &str) -> bool {
    text.strip_prefix("at ").is_some_and(|frame| java::frame(frame).is_some())
        || text.strip_prefix(STATE).is_some_and(|state| java::state(state).is_some())
        || text == SYNCHRONIZERS
}

/// Reads a block.
pub(super) fn body(block: &[BlockLine<'_>]) -> Body {
    let mut body = Body::default();
    body.frames.reserve(block.len());
    let (mut has_java, mut is_of_agent) = (false, false);
    let (mut is_of_thread_info, mut is_of_hadoop) = (false, false);
    let (mut are_synchronizers, mut is_blocked) = (false, false);
    for line in block {
        let text = line.text.trim_start();
        are_synchronizers |= text == SYNCHRONIZERS;
        if let Some((frame, is_java)) = mixed_frame(line.text) {
            has_java |= is_java;
            body.frames.push(frame.into());
        } else if let Some(frame) = text.strip_prefix("at ").and_then(java::frame) {
            has_java = true;
            body.frames.push(frame.into());
        } else if let Some(frame) = frame_of(text) {
            (has_java, is_of_agent) = (true, true);
            body.frames.push(frame.into());
        } else if let Some(frame) = watchdog::frame(line.text) {
            has_java = true;
            body.frames.push(frame.into());
        } else if let Some(state) = text.strip_prefix(STATE) {
            body.state = java::state(state);
        } else if let Some(state) = text.strip_prefix(AGENT_STATE) {
            is_blocked = state == "_thread_blocked";
        } else if text.starts_with("Carrying virtual thread #") {
            body.state = Some(ReportedState::Running);
        } else if is_left_out(text) && body.frames.len() != THREAD_INFO_FRAMES {
            body.end = CUT;
        } else if text.starts_with("...") {
            body.left_out += 1;
            body.end = StackEnd::DepthLimit;
        } else if let Some(owner) = support_core::owner(text) {
            if let Some(wait) = &mut body.wait {
                wait.owner = Some(owner);
            }
        } else if let Some((token, owner)) = intellij::lock(text) {
            let is_blocked = body.state == Some(ReportedState::Entering);
            wait_for(&mut body, token, if is_blocked { WaitMode::Enter } else { WaitMode::Notify }, owner);
            is_of_thread_info = true;
        } else if let Some(said) = hadoop::said(text) {
            match said {
                hadoop::Said::State(state) => body.state = Some(state),
                hadoop::Said::On(token, mode) => wait_for(&mut body, token, mode, None),
                hadoop::Said::By(owner) => {
                    if let Some(wait) = &mut body.wait {
                        wait.owner = owner;
                    }
                }
            }
            (is_of_thread_info, is_of_hadoop) = (true, true);
        } else if jrockit::is_note(text) {
            jrockit::add_note(&mut body, line);
        } else {
            let known = body.holds.len();
            java::add_note(&mut body, line);
            // VisualVM calls them locked as it does monitors.
            for hold in body.holds.iter_mut().skip(known).filter(|_| are_synchronizers) {
                hold.lock.kind = ReportedLockKind::JavaSynchronizer;
            }
        }
    }
    // It waits inside the JVM, for what is not said.
    if is_blocked && has_java && body.state == Some(ReportedState::RunningOrNative) {
        body.state = Some(ReportedState::Asleep);
    }
    park(&mut body, is_of_thread_info);
    if is_of_hadoop {
        hadoop::cut_off(&mut body);
    }
    support_core::without_its_own_wait(&mut body);
    if body.wait.is_none() {
        give_back(&mut body);
    }
    if body.wait.is_none() && is_of_agent {
        contend(&mut body);
    }
    // A thread of the JVM itself (compilers, the signal dispatcher) is RUNNABLE without a frame of Java.
    if !has_java && body.state == Some(ReportedState::RunningOrNative) {
        body.state = Some(ReportedState::Idle);
    }
    body
}

/// A line that names the lock of ThreadInfo.
fn wait_for(body: &mut Body, token: &str, mode: WaitMode, owner: Option<OwnerRef>) {
    let (lock, mode) = java::token_lock(token, mode);
    body.wait = Some(BodyWait { lock, mode, owner });
}

/// ThreadInfo names an object and not what is done with it. Its writers guess: outside of `Object.wait` a thread parks for
/// it, whatever its class, and one that is parked enters nothing.
///
/// ```text
///  on app.WriteLock@1caee107 owned by "Timer-2" Id=278                                            JetBrains' IDEs
///     - waiting to lock <2a64b059> (a app.WriteLock) owned by "http-1" t@41                       Spring Boot
/// ```
fn park(body: &mut Body, is_of_thread_info: bool) {
    let Some(top) = body.frames.first().and_then(|f| f.frame.function.as_deref()) else { return };
    let Some(wait) = &mut body.wait else { return };
    let is_parked = match wait.mode {
        WaitMode::Notify => is_of_thread_info && !top.starts_with("java.lang.Object.wait"),
        WaitMode::Enter => body.state == Some(ReportedState::Waiting) && top.ends_with(".Unsafe.park"),
        _ => false,
    };
    if is_parked {
        (wait.mode, wait.lock.kind) = (WaitMode::Park, ReportedLockKind::JavaSynchronizer);
    }
}

/// A compiled `Object.wait` does not know its object, which the frame below locked, and which is free meanwhile: the
/// innermost lock of the stack. Who is blocked there was notified, and waits to lock it again.
///
/// ```text
///    java.lang.Thread.State: BLOCKED (on object monitor)
///     at java.lang.Object.wait(Native Method)
///     at app.Jobs.take(Jobs.java:72)
///     - locked <0x00000004041e2428> (a app.Jobs)
/// ```
///
/// Source: OpenJDK 6-8 runtime/vframe.cpp `javaVFrame::print_lock_info_on`, whose `locals()` are empty then.
fn give_back(body: &mut Body) {
    let top = body.frames.first().and_then(|f| f.frame.function.as_deref());
    let is_wait = top.is_some_and(|name| name.starts_with("java.lang.Object.wait"));
    let Some(first) = body.holds.iter().find(|hold| hold.depth.is_some()).filter(|_| is_wait) else { return };
    let depth = first.depth;
    let (lock, at) = (first.lock.clone(), |hold: &crate::formats::text::BodyHold| hold.depth == depth);
    if body.holds.iter().filter(|hold| at(hold)).any(|hold| hold.lock.id != lock.id) {
        // One of them: none is known to be held.
        body.holds.retain(|hold| !at(hold));
        return;
    }
    body.holds.retain(|hold| hold.lock.id != lock.id);
    if body.state == Some(ReportedState::Entering) {
        body.wait = Some(BodyWait { lock, mode: WaitMode::Reenter, owner: None });
    }
}

/// The serviceability agent calls the monitor locked that a thread is about to enter: it is among those of the innermost
/// frame.
///
/// ```text
///    java.lang.Thread.State: BLOCKED (on object monitor)
///  - app.Transfer.run() @bci=18, line=6 (Interpreted frame)
///     - locked <0x000000069ec1a800> (a java.lang.Object)
///     - locked <0x000000069ec1a810> (a java.lang.Object)
/// ```
///
/// Source: OpenJDK 17 sun/jvm/hotspot/runtime/JavaVFrame.java `identifyLockState`, as jhsdb 17 prints it.
fn contend(body: &mut Body) {
    if body.state != Some(ReportedState::Entering) {
        return;
    }
    let (mut innermost, others): (Vec<_>, Vec<_>) =
        std::mem::take(&mut body.holds).into_iter().partition(|hold| hold.depth == Some(0));
    body.holds = others;
    if innermost.len() == 1
        && let Some(hold) = innermost.pop()
    {
        body.wait = Some(BodyWait { lock: hold.lock, mode: WaitMode::Enter, owner: None });
    }
}

/// ` - java.lang.Object.wait(long) @bci=0 (Compiled frame; information may be imprecise)`: jhsdb.
fn frame_of(text: &str) -> Option<Frame> {
    let (name, rest) = text.strip_prefix("- ")?.split_once(" @bci=")?;
    let open = name.rfind('(')?;
    let line = rest.split_once("line=").and_then(|(_, n)| {
        let digits = n.bytes().take_while(u8::is_ascii_digit).count();
        n.get(..digits)?.parse().ok()
    });
    let mut frame = java::frame(&format!("{}()", name.get(..open)?))?;
    frame.line = line;
    Some(frame)
}

/// A frame of `jhsdb jstack --mixed`, and whether it is one of Java; a tab stands behind the address.
///
/// ```text
/// 0x00007f41b51ba3ef  __GI___write + 0x4f
/// 0x00007f41985b9e2a  * applog.Logger.write(java.lang.String, int) bci:8 line:31 (Interpreted frame)
/// 0x00007f41985b1cc9  <StubRoutines>
/// ```
fn mixed_frame(line: &str) -> Option<(Frame, bool)> {
    let text = line.strip_prefix(HEX)?.strip_prefix('\t')?;
    if let Some(text) = text.strip_prefix("* ") {
        let (name, rest) = split_once(text, " bci:")?;
        let mut frame = java::frame(&format!("{}()", name.get(..name.find('(')?)?))?;
        frame.line =
            split_once(rest, "line:").and_then(|(_, rest)| number(rest)).and_then(|(n, _)| n.try_into().ok());
        return Some((frame, true));
    }
    let name = rsplit_once(text, " + ").map_or(text, |(name, _)| name).trim();
    let is_known = !name.is_empty() && !name.bytes().all(|b| b == b'?');
    let function = is_known.then(|| name.into());
    Some((Frame { function, ..Default::default() }, false))
}
