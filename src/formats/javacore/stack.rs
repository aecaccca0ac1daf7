//! The lines of a thread's block.
//!
//! ```text
//! 3XMTHREADBLOCK     Blocked on: java/lang/Object@0x00000000FFC5AE60 Owned by: "m" (J9VMThread:0x0000000002E0C000, …)
//! 3XMTHREADBLOCK     Parked on: java/util/concurrent/locks/ReentrantLock$NonfairSync@0x… Owned by: <unknown>
//! 3XMTHREADBLOCK     Waiting on: java/lang/J9VMInternals$ClassInitializationLock@0x… Owned by: <unowned> Initializing thread: "m"
//! 4XESTACKTRACE                at java/io/BufferedInputStream.read(BufferedInputStream.java:276(Compiled Code))
//! 4XESTACKTRACE                at org/apache/derby/impl/store/raw/log/LogToFile.flushAll(Bytecode PC:29)
//! 5XESTACKTRACE                   (entered lock: java/io/BufferedInputStream@0x00000000FFB044B0, entry count: 1)
//! 4XENATIVESTACK               JCL_ReadFile+0x87 (0x000007FEEBA3C08B [java+0xc08b])
//! 4XENATIVESTACK               runJavadump+0x1a (javadump.cpp:5542, 0x000007FEF157700A [j9dmp28+0x1700a])
//! 4XENATIVESTACK               (0x00002AE37D322962 [libj9prt29.so+0x4f962])
//! ```
//!
//! Whoever needs a class that another thread initializes waits to be notified; the monitor itself is free meanwhile.
//! Which thread that is OpenJ9 prints since 0.35 (openj9-docs version0.35.md, dump_javadump.md).

use super::locks::{kind_of, kind_of_class, mode_of, name_of_class};
use crate::formats::java;
use crate::formats::text::{
    BlockLine, Body, BodyFrame, BodyHold, BodyLock, BodyWait, HEX, LockRef, OwnerRef,
};
use crate::model::{Frame, ReportedLockKind, Str, WaitMode};

/// What the words before a lock mean.
static WAITS: &[&str] = &["Blocked on: ", "Waiting on: ", "Parked on: "];

/// Reads a block.
pub(super) fn read(block: &[BlockLine<'_>]) -> Body {
    let mut body = Body::default();
    let mut native: Vec<BodyFrame> = Vec::new();
    for line in block {
        let Some((tag, rest)) = line.text.split_once(' ') else { continue };
        let text = rest.trim();
        match tag {
            "3XMTHREADBLOCK" => body.wait = wait(line, text).or(body.wait),
            "4XESTACKTRACE" => {
                let text = text.strip_prefix("at ").unwrap_or(text);
                body.frames.extend(java_frame(text).map(BodyFrame::from));
            }
            "5XESTACKTRACE" => {
                let depth = (body.frames.len() as u32).checked_sub(1);
                if let Some(lock) = text.split_once("(entered lock: ").and_then(|(_, l)| lock(line, l)) {
                    body.holds.push(BodyHold { lock, depth });
                }
            }
            "4XENATIVESTACK" => native.extend(native_frame(text).map(BodyFrame::from)),
            _ => {}
        }
    }
    let above = native_part(&native, &body.frames);
    native.truncate(above);
    for hold in &mut body.holds {
        hold.depth = hold.depth.map(|depth| depth + above as u32);
    }
    native.append(&mut body.frames);
    body.frames = native;
    body
}

/// How many native frames stand above the Java ones: those down to the function that the innermost method is, and
/// none where it is no native method: the rest is the machine that runs Java.
fn native_part(native: &[BodyFrame], java: &[BodyFrame]) -> usize {
    if java.is_empty() {
        return native.len();
    }
    let is_entry = |f: &BodyFrame| f.frame.function.as_deref().is_some_and(|name| name.starts_with("Java_"));
    native.iter().position(is_entry).map_or(0, |at| at + 1)
}

/// `java/io/BufferedInputStream.read(BufferedInputStream.java:276(Compiled Code))`.
fn java_frame(text: &str) -> Option<Frame> {
    let (name, place) = text.split_once('(')?;
    let name = name.trim().replace('/', ".");
    if name.is_empty() {
        return None;
    }
    let place = place.trim_end_matches(')');
    let place = place.split('(').next().unwrap_or_default();
    // `Bytecode PC:29`, `Native Method`, `Inlined Method`, `Compiled Code`: no file.
    let is_file = place.contains('.') && !place.starts_with("Bytecode PC");
    let (file, line) = match place.rsplit_once(':') {
        Some((file, line)) => (file, line.parse().ok()),
        None => (place, None),
    };
    let method = java::frame(&format!("{name}()")).and_then(|f| f.function);
    Some(Frame {
        function: Some(method.unwrap_or_else(|| name.into())),
        file: is_file.then(|| Str::from(file)),
        line: line.filter(|_| is_file),
        ..Frame::default()
    })
}

fn native_frame(text: &str) -> Option<Frame> {
    let open = text.rfind('(')?;
    let name = text.get(..open)?.trim();
    let place = text.get(open + 1..)?.trim_end_matches(')');
    let (name, _) = name.rsplit_once("+0x").unwrap_or((name, ""));
    let inside = place.split_once('[').and_then(|(_, rest)| rest.split(']').next());
    let (module, offset) =
        inside.and_then(|m| m.rsplit_once('+')).map_or((inside, None), |(m, o)| (Some(m), Some(o)));
    let source = place.split_once(", ").map(|(source, _)| source).and_then(|s| s.rsplit_once(':'));
    let function = (!name.is_empty()).then(|| Str::from(name));
    if function.is_none() && module.is_none() {
        // `(0x0000000002EA6B00)`: a word of the stack that belongs to no code.
        return None;
    }
    Some(Frame {
        module_offset: offset.and_then(super::header::hex).filter(|_| function.is_none()),
        function,
        module: module.map(Str::from),
        file: source.map(|(file, _)| Str::from(file)),
        line: source.and_then(|(_, line)| line.parse().ok()),
        ..Frame::default()
    })
}

fn wait(line: &BlockLine<'_>, text: &str) -> Option<BodyWait> {
    let words = WAITS.iter().find(|words| text.starts_with(**words))?;
    let rest = text.get(words.len()..)?;
    let mode = mode_of(words);
    let lock = lock(line, rest)?;
    if lock.kind == ReportedLockKind::ClassInit && mode == WaitMode::Notify {
        let owner = rest.split_once(INITIALIZING).and_then(|(_, thread)| initializing(line, thread));
        return Some(BodyWait { lock, mode: WaitMode::Enter, owner });
    }
    let lock = BodyLock { kind: kind_of(mode), ..lock };
    let owner = rest.split_once(" Owned by: ").and_then(|(_, owner)| owner_in(line, owner));
    Some(BodyWait { lock, mode, owner })
}

/// What stands before the thread that initializes the class.
const INITIALIZING: &str = " Initializing thread: ";

/// `"m"`, the name alone; a release that adds the address is taken at its word.
fn initializing(line: &BlockLine<'_>, text: &str) -> Option<OwnerRef> {
    owner_in(line, text).or_else(|| {
        let name = text.strip_prefix('"')?.strip_suffix('"')?;
        // Of a name with a number in it the text has no more than the place.
        (!name.contains(HEX)).then(|| OwnerRef::Name(name.into()))
    })
}

/// `"m" (J9VMThread:0x…, java/lang/Thread:0x…)`, `<unowned>`, `<unknown>`.
fn owner_in(line: &BlockLine<'_>, text: &str) -> Option<OwnerRef> {
    if text.starts_with("<unowned>") {
        return Some(OwnerRef::Nobody);
    }
    let at = text.rfind("(J9VMThread:")?;
    let start = line.text.len() - text.len() + at;
    Some(OwnerRef::Handle(line.slot + line.text.get(..start)?.matches(HEX).count()))
}

/// `java/lang/Object@0x00000000FFC5AE60`, also `…@0x…/0x…`.
fn lock(line: &BlockLine<'_>, text: &str) -> Option<BodyLock> {
    let at = text.find("@0x")?;
    let class = text.get(..at)?;
    if class.contains(['<', '"']) {
        return None;
    }
    let start = line.text.len() - text.len() + at;
    let slot = line.slot + line.text.get(..start)?.matches(HEX).count();
    // Of a lock that is held only its class tells what it is.
    let kind = kind_of_class(class);
    Some(BodyLock { id: LockRef::Slot(slot, 0), name: name_of_class(class), kind })
}
