//! Frames of a report of a fatal error: of machine code and of Java in one list.
//!
//! ```text
//! V  [libjvm.so+0xed27f4]  Unsafe_PutInt+0x124
//! V  [libjvm.so+0xb8d6f2]  MallocSiteTable::lookup_or_add(NativeCallStack const&)+0x52  (mallocSiteTable.cpp:120)   18
//! C  [libc.so.6+0x89e2a]  pthread_cond_wait+0x1aa
//! C  [till.dll+0x1a2b]
//! V  [jvm.dll+0x5c1e20]  (no source info available)                                               22, Windows
//! C  [+0x42c]  __kernel_vsyscall+0x2                                                              up to 6
//! C  0x00007f4dc0e9d710
//! j  jdk.internal.misc.Unsafe.putInt(Ljava/lang/Object;JI)V+0 java.base@17.0.15
//! j  Crash$$Lambda$2+0x00007f4d64000c28.run()V+4
//! J 1207 c2 shop.Till.add(I)J (31 bytes) @ 0x00007f4dd4d0a7f4 [0x00007f4dd4d0a7a0+0x54]
//! J  shop.Till.add(I)J                                                                            up to 7
//! v  ~StubRoutines::call_stub 0x00007fd82b938fa6
//! ...<more frames>...
//! [error occurred during error reporting (printing native stack), id 0xb]
//! ```
//!
//! Source: OpenJDK 6-25 runtime/frame.cpp `frame::print_on_error`, `print_C_frame`; utilities/vmError.cpp.

use crate::formats::java;
use crate::formats::text::words::{hex, place};
use crate::model::{Frame, StackEnd};

/// What a line of a stack is.
#[derive(Debug)]
pub(super) enum Line {
    /// A frame, and whether it is one of Java.
    Frame(Box<Frame>, bool),
    /// The JVM did not go on, or it printed no more.
    End(StackEnd),
}

/// Lines of a stack that are no frames, by how they begin.
static REMARKS: &[(&str, StackEnd)] = &[
    ("...<more frames>...", StackEnd::DepthLimit),
    ("[error occurred during error reporting (", StackEnd::Reported),
    ("[timeout occurred during error reporting ", StackEnd::Reported),
];

/// Reads a line of a stack.
pub(super) fn line(text: &str) -> Option<Line> {
    let text = text.trim();
    if let Some((_, end)) = REMARKS.iter().find(|(start, _)| text.starts_with(start)) {
        return Some(Line::End(*end));
    }
    read(text).map(|(frame, is_java)| Line::Frame(Box::new(frame), is_java))
}

/// Reads a frame, and whether it is one of Java.
pub(super) fn read(text: &str) -> Option<(Frame, bool)> {
    let rest = text.get(1..).filter(|rest| rest.starts_with(' '))?.trim_start();
    match text.as_bytes().first()? {
        b'C' | b'V' => native(rest).map(|frame| (frame, false)),
        b'j' | b'J' => of_java(rest).map(|frame| (frame, true)),
        // Compiled ahead of time: of a library, or a method.
        b'A' if rest.starts_with('[') => native(rest).map(|frame| (frame, false)),
        b'A' => of_java(rest).map(|frame| (frame, true)),
        b'v' => stub(rest).map(|frame| (frame, false)),
        _ => None,
    }
}

/// `[libc.so.6+0x89e2a]  pthread_cond_wait+0x1aa`, `0x00007f4dc0e9d710`.
fn native(text: &str) -> Option<Frame> {
    let Some(text) = text.strip_prefix('[') else {
        let address = text.split_ascii_whitespace().next().and_then(hex).filter(|_| text.starts_with("0x"));
        return address.map(|address| Frame { address: Some(address), ..Frame::default() });
    };
    let (inside, behind) = text.split_once(']')?;
    let (module, offset) = inside.rsplit_once("+0x")?;
    // Web pages leave one blank of two. What has none is no name: a prompt behind a text that was cut.
    let name = behind.strip_prefix(' ').unwrap_or_default();
    let (name, source) = match name.rsplit_once(" (") {
        Some((name, source)) if name.ends_with(' ') || name.is_empty() => {
            (name, source.strip_suffix(')').and_then(place))
        }
        _ => (name, None),
    };
    // An arrow of who explains the stack: `<==== here`.
    let name = name.split("<==").next().unwrap_or_default();
    let function = name.rsplit_once("+0x").map_or(name, |(function, _)| function).trim();
    let (file, line) = source.unzip();
    Some(Frame {
        function: Some(function).filter(|f| !f.is_empty()).map(Into::into),
        module: Some(module).filter(|m| !m.is_empty()).map(Into::into),
        module_offset: Some(hex(offset)?),
        file,
        line,
        ..Frame::default()
    })
}

/// `java.lang.Thread.run()V+11 java.base@17.0.15`, `1207 c2 shop.Till.add(I)J (31 bytes) @ 0x…`.
fn of_java(text: &str) -> Option<Frame> {
    let mut words = text.split_ascii_whitespace();
    let method = words.find(|word| word.find('(').is_some_and(|at| at > 0))?;
    let module = words.next().filter(|word| word.contains('@') && word.len() > 1).unwrap_or_default();
    let name = without_address(method.split('(').next()?);
    java::frame(&format!("{name}({module}/)"))
}

/// `Crash$$Lambda$2+0x00007f4d64000c28.run`: the address of a hidden class.
fn without_address(name: &str) -> String {
    let Some((class, rest)) = name.split_once("+0x").or_else(|| name.split_once("/0x")) else {
        return name.to_owned();
    };
    format!("{class}{}", rest.trim_start_matches(|c: char| c.is_ascii_hexdigit()))
}

/// `~StubRoutines::call_stub 0x00007fd82b938fa6`, `~BufferBlob::vtable chunks`.
fn stub(text: &str) -> Option<Frame> {
    let name = text.strip_prefix('~').unwrap_or(text);
    let name = name.split(" 0x").next().filter(|name| !name.is_empty())?;
    Some(Frame { function: Some(name.into()), ..Frame::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_all_kinds() {
        let base = Some("java.base");
        for (text, function, module, is_java) in [
            ("V  [libjvm.so+0xed27f4]  Unsafe_PutInt+0x124", Some("Unsafe_PutInt"), Some("libjvm.so"), false),
            (
                "V  [libjvm.so+0x12]  A::f(B const&, int)+0x52  (a.cpp:120)",
                Some("A::f(B const&, int)"),
                Some("libjvm.so"),
                false,
            ),
            ("C  [till.dll+0x1a2b]", None, Some("till.dll"), false),
            ("C  0x00007f4dc0e9d710", None, None, false),
            ("V  [jvm.dll+0x5c1e]  (no source info available)", None, Some("jvm.dll"), false),
            ("C  [+0x42c]  __kernel_vsyscall+0x2", Some("__kernel_vsyscall"), None, false),
            (
                "V [libjvm.so+0x12] A::f(B const&) const+0x5",
                Some("A::f(B const&) const"),
                Some("libjvm.so"),
                false,
            ),
            ("C  [libtill.so+0x12][till ~]$", None, Some("libtill.so"), false),
            ("C  [till.dll+0x12]     <===== it was here", None, Some("till.dll"), false),
            (
                "j  jdk.internal.misc.Unsafe.putInt(Ljava/lang/Object;JI)V+0 java.base@17.0.15",
                Some("jdk.internal.misc.Unsafe.putInt"),
                base,
                true,
            ),
            ("j  Crash$$Lambda$2+0x00007f4d64000c28.run()V+4", Some("Crash$$Lambda.run"), None, true),
            ("j  Crash$$Lambda+0x0000000026040438.run()V+4", Some("Crash$$Lambda.run"), None, true),
            ("j  Crash$$Lambda$9/0x0000000800066840.run()V+4", Some("Crash$$Lambda.run"), None, true),
            (
                "J 1207 c2 shop.Till.add(I)J (31 bytes) @ 0x00007f4dd4d0a7f4 [0x00007f4dd4d0a7a0+0x54]",
                Some("shop.Till.add"),
                None,
                true,
            ),
            (
                "J 12% c1 java.util.HashMap.put(Ljava/lang/Object;)V java.base@17 (31 bytes) @ 0x1 [0x1+0x54]",
                Some("java.util.HashMap.put"),
                base,
                true,
            ),
            ("J  shop.Till.add(I)J", Some("shop.Till.add"), None, true),
            ("v  ~StubRoutines::call_stub 0x00007fd8", Some("StubRoutines::call_stub"), None, false),
            ("v  ~BufferBlob::vtable chunks", Some("BufferBlob::vtable chunks"), None, false),
        ] {
            let (frame, said) = read(text).unwrap();
            assert_eq!(
                (frame.function.as_deref(), frame.module.as_deref(), said),
                (function, module, is_java),
                "{text}"
            );
        }
        let (frame, _) = read("V  [libjvm.so+0x12]  A::f(B const&, int)+0x52  (a.cpp:120)").unwrap();
        assert_eq!((frame.file.as_deref(), frame.line), (Some("a.cpp"), Some(120)));
        assert_eq!(frame.module_offset, Some(0x12));
        for text in ["", "C", "Client", "C  native", "j  main", "J 12 c2", "V  [libjvm.so]  f+0x1"] {
            assert!(read(text).is_none(), "{text}");
        }
    }
}
