//! The lines below a frame that say which locks a thread has or wants.
//!
//! ```text
//!     - locked <0x00000000e0c67918> (a java.lang.Object)                                   HotSpot
//!     - waiting to lock <0x00000000e0c67918> (a java.lang.Object)
//!     - waiting on <0x00000000e0c67918> (a java.lang.Object)
//!     - waiting on <no object reference available>
//!     - waiting to re-lock in wait() <0x00000000e0c67918> (a java.lang.Object)
//!     - parking to wait for  <0x00000000e0c67918> (a java.util.concurrent.locks.ReentrantLock$NonfairSync)
//!     - eliminated <owner is scalar replaced> (a java.lang.Object)
//!     - waiting on the Class initialization monitor for Holder
//!     - <0x00000000e0c67918> (a java.util.concurrent.locks.ReentrantLock$NonfairSync)      Locked ownable synchronizers
//!     - waiting to lock <java.lang.Object@7b836878>                                        jcmd
//!     -  locked java.lang.Object@1b2c3d                                                    JMX
//!     - locked on java.lang.Object@1b2c3d                                                  programs that print ThreadInfo
//!     - waiting to lock <5612c816> (a app.Account) owned by "teller-2" t@12                VisualVM, Spring Boot
//!     - Locked <2a64b059> (a java.util.concurrent.locks.ReentrantLock$NonfairSync)         Spring Boot: held synchronizers
//!   - waiting to lock <0x0d3a2f0a> (a java.lang.Object) held by thread 5                   ART
//!   - waiting on <0x41f73ee8> (a java.lang.VMThread) held by tid=16 (worker)               Dalvik: who is joined
//!    - locked synchronizer <0x153f5a29> (a java.util.concurrent.ThreadPoolExecutor$Worker) Geode
//!      waiting for main@1 to release lock on <0x2d7> (a java.lang.Object)                  debugger of IntelliJ
//! *   locked <0x00000000e0c67918> (a java.lang.Object)                                     HotSpot, through Markdown
//! ```
//!
//! Source: OpenJDK 8-25 runtime/vframe.cpp, java/lang/management/ThreadInfo.java; art/runtime/thread.cc;
//! dalvik/vm/interp/Stack.cpp; intellij-community ThreadDumpAction.java; Spring Boot (2023)
//! PlainTextThreadDumpFormatter.java.

use super::{class_name, token_lock};
use crate::formats::text::{BlockLine, BodyLock, HEX, LockRef, OwnerRef};
use crate::model::{ReportedLockKind, Str, ThreadId, WaitMode};

/// What such a line says.
#[derive(Clone, Debug)]
pub enum Note {
    /// The thread has it.
    Locked(BodyLock),
    /// The thread waits for it.
    Waits {
        /// Which lock.
        lock: BodyLock,
        /// How.
        mode: WaitMode,
        /// Who has it, where the line says so.
        owner: Option<OwnerRef>,
    },
    /// The thread sleeps, on whatever the line names.
    Sleeps,
    /// Who has the lock of the line above.
    HeldBy(OwnerRef),
    /// Nothing that can be used: `eliminated`, `no object reference available`, `None`.
    Nothing,
}

impl Note {
    /// Whether it names a lock.
    pub fn names_something(&self) -> bool {
        matches!(self, Self::Locked(_) | Self::Waits { .. })
    }
}

/// What the words before a lock mean; the first that fits counts.
static WORDS: &[(&str, Meaning)] = &[
    ("locked ownable synchronizer", Meaning::Synchronizer),
    ("locked synchronizer", Meaning::Synchronizer),
    ("locked on", Meaning::Locked),
    ("locked", Meaning::Locked),
    ("Locked", Meaning::Synchronizer),
    ("waiting to lock", Meaning::Waits(WaitMode::Enter)),
    ("blocked on", Meaning::Waits(WaitMode::Enter)),
    ("waiting to re-lock in wait()", Meaning::Waits(WaitMode::Reenter)),
    ("waiting on the Class initialization monitor for", Meaning::ClassInit),
    ("waiting on an unknown object", Meaning::Nothing),
    ("waiting on", Meaning::Waits(WaitMode::Notify)),
    ("waiting for", Meaning::Waits(WaitMode::Notify)),
    ("parking to wait for", Meaning::Waits(WaitMode::Park)),
    ("waiting to re-lock", Meaning::Waits(WaitMode::Reenter)),
    ("sleeping on", Meaning::Sleeps),
    ("eliminated", Meaning::Nothing),
    ("lock is eliminated", Meaning::Nothing),
    ("held by", Meaning::HeldBy),
    ("None", Meaning::Nothing),
    ("parking", Meaning::Nothing),
];

#[derive(Clone, Copy)]
enum Meaning {
    Locked,
    Synchronizer,
    Waits(WaitMode),
    ClassInit,
    Sleeps,
    HeldBy,
    Nothing,
}

/// Reads a line that begins with blanks and `- `. Where a text was formatted the dash may be a star or gone: then the
/// words have to name an object.
pub fn note(line: &BlockLine<'_>) -> Option<Note> {
    let text = line.text.trim_start();
    let Some(body) = text.strip_prefix('-').map(str::trim_start) else {
        return released(line, text).or_else(|| {
            let body = text.strip_prefix('*').unwrap_or(text).trim_start();
            names_object(body).then(|| read(line, body))?
        });
    };
    read(line, body)
}

/// `waiting for main@1 to release lock on <0x2d7> (a java.lang.Object)`.
fn released(line: &BlockLine<'_>, text: &str) -> Option<Note> {
    let (name, rest) = text.strip_prefix("waiting for ")?.rsplit_once(" to release lock on ")?;
    let (lock, mode) = lock_and_mode(line, rest, WaitMode::Enter)?;
    Some(Note::Waits { lock, mode, owner: Some(OwnerRef::Name(name.into())) })
}

/// `locked <0x…> …`.
fn names_object(body: &str) -> bool {
    let rest = WORDS.iter().find_map(|(words, _)| body.strip_prefix(words));
    let object = rest.and_then(|rest| rest.trim_start().strip_prefix('<')?.split_once('>'));
    object.is_some_and(|(id, after)| id == HEX || is_hash(id) && after.starts_with(" (a "))
}

/// `5612c816`: the hash of an object as VisualVM writes it, an address without its `0x`.
fn is_hash(id: &str) -> bool {
    (1..=16).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Reads such a line without its dash.
fn read(line: &BlockLine<'_>, body: &str) -> Option<Note> {
    // JMX lists its synchronizers without brackets.
    if body.starts_with('<') || is_token(body) {
        return Some(lock(line, body, WaitMode::Park).map_or(Note::Nothing, Note::Locked));
    }
    let (words, meaning) = WORDS.iter().find(|(words, _)| body.starts_with(words))?;
    let rest = body.get(words.len()..)?.trim_start();
    Some(match meaning {
        Meaning::Locked => lock(line, rest, WaitMode::Enter).map_or(Note::Nothing, Note::Locked),
        Meaning::Synchronizer => lock(line, rest, WaitMode::Park).map_or(Note::Nothing, Note::Locked),
        Meaning::Waits(mode_said) => match lock_and_mode(line, rest, *mode_said) {
            Some((lock, mode)) => {
                // Of a wait to be notified Dalvik names the thread that is joined, which holds nothing.
                let is_owner = *mode_said != WaitMode::Notify || !rest.contains(" held by tid=");
                Note::Waits { lock, mode, owner: owner_in(rest).filter(|_| is_owner) }
            }
            None => Note::Nothing,
        },
        Meaning::ClassInit => {
            let class = class_name(rest);
            let lock = BodyLock {
                id: LockRef::Token(format!("class {class}").into()),
                name: Some(class),
                kind: ReportedLockKind::ClassInit,
            };
            Note::Waits { lock, mode: WaitMode::Enter, owner: None }
        }
        Meaning::Sleeps => Note::Sleeps,
        Meaning::HeldBy => owner_in(body).map_or(Note::Nothing, Note::HeldBy),
        Meaning::Nothing => Note::Nothing,
    })
}

/// `java.util.concurrent.locks.ReentrantLock$NonfairSync@2d98a335`.
pub fn is_token(text: &str) -> bool {
    text.split_once('@').is_some_and(|(class, hash)| {
        !class.contains(' ') && !hash.is_empty() && hash.bytes().all(|b| b.is_ascii_hexdigit())
    })
}

fn lock(line: &BlockLine<'_>, rest: &str, mode: WaitMode) -> Option<BodyLock> {
    lock_and_mode(line, rest, mode).map(|(lock, _)| lock)
}

/// `<0x…> (a C)`, `<5612c816> (a C)`, `<C@7b83>`, `C@7b83`; `None` where no object is named.
fn lock_and_mode(line: &BlockLine<'_>, rest: &str, mode: WaitMode) -> Option<(BodyLock, WaitMode)> {
    let (inside, after) = match rest.strip_prefix('<') {
        Some(rest) => rest.split_once('>')?,
        None => rest.split_once(' ').unwrap_or((rest, "")),
    };
    // ART writes `<@addr=0x12345>` where it may not take the hash of an object.
    let id = if inside == HEX || inside.strip_prefix("@addr=") == Some(HEX) {
        let start = line.text.len() - rest.len();
        Some(LockRef::Slot(line.slot + line.text.get(..start)?.matches(HEX).count(), 0))
    } else {
        (rest.starts_with('<') && is_hash(inside)).then(|| LockRef::Token(inside.into()))
    };
    if let Some(id) = id {
        let kind = match mode {
            WaitMode::Park => ReportedLockKind::JavaSynchronizer,
            _ => ReportedLockKind::JavaMonitor,
        };
        return Some((BodyLock { id, name: class_in(after), kind }, mode));
    }
    // `no object reference available`, `owner is scalar replaced`
    (inside.contains('@') && !inside.contains(' ')).then(|| token_lock(inside, mode))
}

/// `(a java.lang.Object)`, `(a java.lang.Class for Holder)`.
fn class_in(text: &str) -> Option<Str> {
    let inside = text.split_once("(a ")?.1;
    Some(class_name(inside.split(')').next()?))
}

/// `x" Id=3`, `x" t@3`: by the number, since two may have one name.
pub fn owned_by(rest: &str) -> Option<OwnerRef> {
    let (name, after) = rest.rsplit_once('"')?;
    let after = after.trim_start();
    let id = after.strip_prefix("Id=").or_else(|| after.strip_prefix("t@")).and_then(|id| {
        let digits = id.bytes().take_while(u8::is_ascii_digit).count();
        id.get(..digits)?.parse().ok()
    });
    Some(id.map_or_else(|| OwnerRef::Name(name.into()), |id| OwnerRef::Id(ThreadId::Number(id))))
}

/// `held by thread 5`, `held by tid=5 (main)`, `owned by "x" Id=3`.
fn owner_in(text: &str) -> Option<OwnerRef> {
    if let Some((_, rest)) = text.split_once("owned by \"") {
        return owned_by(rest);
    }
    // `held by thread 5` of ART, `owner #23` of Thread.dump_to_file.
    let (_, rest) = text.split_once("held by ").or_else(|| text.split_once(" owner #"))?;
    let digits: String =
        rest.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    Some(OwnerRef::Id(ThreadId::Number(digits.parse().ok()?)))
}
