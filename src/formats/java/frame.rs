//! Frames of Java.
//!
//! ```text
//!     at jdk.internal.misc.Unsafe.park(java.base@17.0.15/Native Method)
//!     at java.util.concurrent.locks.LockSupport.park(java.base@25/LockSupport.java:369)
//!     at app//com.example.Main.lambda$main$0(Main.java:12)
//!     at Main$$Lambda$4/1807837413.run(Unknown Source)                                        OpenJDK 8
//!     at Main$$Lambda$4/0x00007fd338002a20.run(Unknown Source)                                OpenJDK 17
//!     at Main$$Lambda/0x000000002b042000.run(Unknown Source)                                  OpenJDK 21
//!   at io.sentry.samples.android.MainActivity$2.run(MainActivity.java:177)                  ART
//!   at java.lang.Object.wait!(Native method)                                                ART up to Android 8: fast
//!     at sun.misc.Unsafe.park(ZJ)V(Native Method)                                             SAP's JVM
//!     at jrockit/vm/Threads.waitForNotifySignal(JLjava/lang/Object;)Z(Native Method)          JRockit
//!     at java/lang/UNIXProcess.waitFor(UNIXProcess.java:165)[optimized]
//!  - Main$$Lambda$1+0x00007f88a0000a08.run() @bci=0 (Interpreted frame)                       jhsdb 17
//! ```

use std::borrow::Cow;

use crate::formats::text::{HEX, words};
use crate::model::{Frame, Str};

/// Reads what stands behind `at `. `None`: it is no frame.
pub fn frame(text: &str) -> Option<Frame> {
    let (name, place) = split(text)?;
    // `park(ZJ)V`: what it takes and returns.
    let name = name.split('(').next()?.trim_end_matches('!');
    let (file, line, module) = place_of(place);
    // Most names have none.
    if memchr::memchr(b'/', name.as_bytes()).is_none() {
        let function = Some(without_lambda_number(&without_address(name)).into());
        return Some(Frame { function, file, line, module, ..Frame::default() });
    }
    let dotted = has_slashes(name).then(|| name.replace('/', "."));
    let name = dotted.as_deref().unwrap_or(name);
    let module = module.or_else(|| module_of(name));
    Some(Frame { function: Some(method_name(name)), file, line, module, ..Frame::default() })
}

/// The name and what stands in the parentheses.
fn split(text: &str) -> Option<(&str, &str)> {
    let end = memchr::memrchr(b')', text.as_bytes())?;
    let open = memchr::memrchr(b'(', text.as_bytes().get(..end)?)?;
    let name = text.get(..open)?.trim();
    let has_blank = match name.is_ascii() {
        true => name.bytes().any(|b| b.is_ascii_whitespace() || b == b'\x0b'),
        false => name.contains(char::is_whitespace),
    };
    let is_name = memchr::memchr(b'.', name.as_bytes()).is_some() && !has_blank;
    is_name.then_some((name, text.get(open + 1..end)?))
}

/// `java/lang/Object.wait`: the class as its file has it. Behind a module (`java.base/Main.run`) or a loader
/// (`app//Main.run`) stand dots.
fn has_slashes(name: &str) -> bool {
    let Some((package, method)) = name.rsplit_once('/') else { return false };
    let is_package = !package.contains(['.', '@', '$']) && !package.ends_with('/');
    is_package && method.matches('.').count() == 1 && !method.starts_with("0x")
}

/// `java.base/java.lang.Thread.run`, `app//com.example.Main.run`, `loader/module@1.2/a.B.c`: the module before the class.
fn module_of(name: &str) -> Option<Str> {
    let (before, class) = name.rsplit_once('/')?;
    let module = before.rsplit('/').next()?.split('@').next()?;
    let is_module = !module.is_empty() && !module.contains('$') && !class.starts_with("0x");
    is_module.then(|| module.into())
}

/// The method without its class loader and module (`app//`, `java.base@17/`) and without the address of a hidden class.
fn method_name(name: &str) -> Str {
    let mut name = without_address(name);
    // `Main$$Lambda/0x…` of a text whose numbers are not masked, `Main$$Lambda$4/1807837413`: no class begins so.
    if let Some((before, after)) = name.rsplit_once('/').filter(|(_, after)| is_number(after)) {
        let rest = after.find('.').and_then(|at| after.get(at..)).unwrap_or_default();
        name = format!("{before}{rest}").into();
    }
    without_lambda_number(name.rsplit_once('/').map_or(&*name, |(_, after)| after)).into()
}

/// `Main$$Lambda+0x00007f88a0000a08.run`, whose numbers are masked.
fn without_address(name: &str) -> Cow<'_, str> {
    match memchr::memchr(b'#', name.as_bytes()).is_some() && name.contains(HEX) {
        true => name.replacen(&format!("/{HEX}"), "", 1).replacen(&format!("+{HEX}"), "", 1).into(),
        false => name.into(),
    }
}

fn is_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

/// `Main$$Lambda$4` differs from run to run: `Main$$Lambda`.
fn without_lambda_number(name: &str) -> Cow<'_, str> {
    // Most names have no `$`, and the search for a word prepares itself.
    let dollar = memchr::memchr(b'$', name.as_bytes());
    let Some(at) = dollar.and_then(|_| name.find("$$Lambda$")) else { return Cow::Borrowed(name) };
    let rest = name.get(at + 9..).unwrap_or_default();
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (before, after) = (name.get(..at).unwrap_or_default(), rest.get(digits..).unwrap_or_default());
    Cow::Owned(format!("{before}$$Lambda{after}"))
}

/// A class as a lock's name: without the number of a lambda, with dots.
pub fn class_name(name: &str) -> Str {
    without_lambda_number(&name.replace('/', ".")).into()
}

/// `java.base@17.0.15/Thread.java:833`, `Native Method`, `Unknown Source`, `Main.java`.
fn place_of(place: &str) -> (Option<Str>, Option<u32>, Option<Str>) {
    let (module, rest) = match words::rsplit_byte(place, b'/') {
        Some((module, rest)) => (module.split('@').next().filter(|m| !m.is_empty()), rest),
        None => (None, place),
    };
    let module = module.map(Str::from);
    match rest.trim() {
        "Native Method" | "Native method" | "Unknown Source" | "<Unknown Source>" | "" => {
            (None, None, module)
        }
        rest => match words::rsplit_byte(rest, b':') {
            // ART writes `:-2` for native methods.
            Some((file, line)) => (Some(file.into()), line.parse().ok(), module),
            None => (Some(rest.into()), None, module),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, Option<String>, Option<u32>, Option<String>) {
        let frame = frame(text).unwrap();
        let owned = |s: Option<Str>| s.map(|s| s.to_string());
        (owned(frame.function).unwrap(), owned(frame.file), frame.line, owned(frame.module))
    }

    #[test]
    fn frames() {
        let base = Some("java.base".to_owned());
        assert_eq!(
            read("java.util.concurrent.locks.LockSupport.park(java.base@25/LockSupport.java:369)"),
            (
                "java.util.concurrent.locks.LockSupport.park".into(),
                Some("LockSupport.java".into()),
                Some(369),
                base.clone()
            )
        );
        assert_eq!(
            read("jdk.internal.misc.Unsafe.park(java.base@17.0.15/Native Method)"),
            ("jdk.internal.misc.Unsafe.park".into(), None, None, base)
        );
        assert_eq!(read("app//com.example.Main.run(Main.java:12)").0, "com.example.Main.run");
        assert_eq!(read("D$$Lambda$4/0x00007fd338002a20.run(Unknown Source)").0, "D$$Lambda.run");
        assert_eq!(read("V$$Lambda/0x#.run(Unknown Source)").0, "V$$Lambda.run");
        for (text, name) in [
            ("sun.misc.Unsafe.park(ZJ)V(Native Method)", "sun.misc.Unsafe.park"),
            ("jrockit/vm/Threads.waitFor(JLjava/lang/Object;)Z(Native Method)", "jrockit.vm.Threads.waitFor"),
            ("java/lang/Thread.run(Thread.java:619)[optimized]", "java.lang.Thread.run"),
            ("java.lang.Object.wait!(Native method)", "java.lang.Object.wait"),
            ("app//Main.run(Main.java:1)", "Main.run"),
            ("java.base/Main.run(Main.java:1)", "Main.run"),
            ("D$$Lambda$1+0x#.run()", "D$$Lambda.run"),
            ("app.D$$Lambda$7/1807837413.run(Unknown Source)", "app.D$$Lambda.run"),
            ("app//app.D$$Lambda$7/0x0000000800c9.run(Unknown Source)", "app.D$$Lambda.run"),
        ] {
            assert_eq!(read(text).0, name);
        }
        assert_eq!(read("A.b(A.kt)"), ("A.b".into(), Some("A.kt".into()), None, None));
        assert!(frame("least one of (these) is broken").is_none());
        assert!(frame("x").is_none());
    }
}
