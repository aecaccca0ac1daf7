//! What the texts about threads of Python have in common (faulthandler, tracebacks, py-spy, pystack): how a place is
//! written, names, and what a source line says of the thread that stands in it.

use crate::formats::text::{BodyHold, BodyLock, BodyWait, LockRef};
use crate::model::{Frame, ReportedLockKind, ReportedState, Str, WaitMode};

/// The longest function name that is worth another name.
const LONGEST_NAME: usize = 1 << 10;

/// A frame. py-spy and pystack print qualified names since Python 3.11 (`Condition.wait`), older ones and
/// faulthandler the function alone: the last part is the other name, by which the tables know it.
pub fn frame(function: &str, file: Option<&str>, line: Option<u32>) -> Frame {
    let name = (!function.is_empty() && function != "???").then(|| Str::from(function));
    let is_short = function.len() < LONGEST_NAME && !function.contains("::");
    let last = function.rsplit_once('.').map(|(_, last)| last).filter(|last| is_short && is_identifier(last));
    Frame {
        function: name,
        aliases: last.map(Str::from).into_iter().collect(),
        file: file.filter(|f| *f != "???").map(Str::from),
        line: line.filter(|line| *line != 0),
        ..Frame::default()
    }
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// A place as tracebacks write it: `File "/srv/app.py", line 14`.
pub struct Place<'t> {
    /// The file; `None` for `???`.
    pub file: Option<&'t str>,
    /// The line.
    pub line: Option<u32>,
    /// What stands behind: ` in rec`, `, in rec`.
    pub rest: &'t str,
}

/// Reads a place at the begin of a text. A path may have quotes in it. Programs that print their stacks themselves
/// write `File: "/srv/app.py"` as well.
pub fn place(text: &str) -> Option<Place<'_>> {
    let inside = text.strip_prefix("File ").or_else(|| text.strip_prefix("File: "))?;
    let (file, rest) = match inside.strip_prefix('"') {
        Some(quoted) => {
            let at = quoted.rfind("\", line ")?;
            (Some(quoted.get(..at)?), quoted.get(at + "\", line ".len()..)?)
        }
        None => (None, inside.strip_prefix("???, line ")?),
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let unknown = if rest.starts_with("???") { 3 } else { 0 };
    if digits == 0 && unknown == 0 {
        return None;
    }
    Some(Place { file, line: rest.get(..digits)?.parse().ok(), rest: rest.get(digits + unknown..)? })
}

/// Words of names that are locks: `_log_lock`, `self._mutex`.
const LOCK_WORDS: &[&str] = &["lock", "rlock", "mutex", "mtx"];

/// What the source line in which a thread stands says that it does: a call that blocks leaves no frame of its own.
pub fn source_says(line: &str) -> Option<ReportedState> {
    let line = line.trim();
    if let Some(expression) = line.strip_prefix("with ").or_else(|| line.strip_prefix("async with ")) {
        return is_lock(expression.trim_end_matches(':')).then_some(ReportedState::Blocked);
    }
    if let Some((object, _)) = line.split_once(".acquire(") {
        let object = object.rsplit([' ', '(', '=']).next().unwrap_or(object);
        return is_lock(object).then_some(ReportedState::Blocked);
    }
    let is_sleep = ["time.sleep(", "sleep("].iter().any(|call| line.starts_with(call));
    is_sleep.then_some(ReportedState::Sleeping)
}

/// Whether an expression is called a lock: `self._log_lock`, `locks[key]`, `get_lock("x")`.
fn is_lock(expression: &str) -> bool {
    let name = expression.split(['(', '[', ',']).next().unwrap_or(expression);
    let name = name.split(" as ").next().unwrap_or(name).trim();
    let last = name.rsplit('.').next().unwrap_or(name);
    let mut words = last.split('_').map(|w| w.trim_end_matches(|c: char| c.is_ascii_digit()).to_lowercase());
    words.any(|word| {
        LOCK_WORDS.iter().any(|lock| word == *lock || word.strip_suffix('s') == Some(lock))
            || (word.ends_with("lock") && !word.ends_with("block") && !word.ends_with("clock"))
    })
}

/// The interpreter lock, which a thread has.
pub fn gil_hold() -> BodyHold {
    BodyHold { lock: gil(), depth: None }
}

/// The interpreter lock, for which a thread waits.
pub fn gil_wait() -> BodyWait {
    BodyWait { lock: gil(), mode: WaitMode::Enter, owner: None }
}

/// The interpreter lock as a text names it.
pub fn gil() -> BodyLock {
    BodyLock { id: LockRef::Token("GIL".into()), name: None, kind: ReportedLockKind::Gil }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let read = |text| place(text).map(|p| (p.file, p.line, p.rest));
        assert_eq!(read("File \"f.py\", line 14 in rec"), Some((Some("f.py"), Some(14), " in rec")));
        assert_eq!(read("File \"a\"b.py\", line 3, in g"), Some((Some("a\"b.py"), Some(3), ", in g")));
        assert_eq!(read("File ???, line ??? in ???"), Some((None, None, " in ???")));
        assert_eq!(read("File: \"f.py\", line 3, in g"), Some((Some("f.py"), Some(3), ", in g")));
        assert_eq!(read("File \"f.py\", lines"), None);
        assert_eq!(read("File \"f.py\", line x"), None);
    }

    #[test]
    fn lines_that_lock_or_sleep() {
        for line in [
            "with _log_lock:",
            "with self._lock, open(x) as f:",
            "    with self.lock:",
            "self._mutex.acquire()",
            "if not lock.acquire(timeout=5):",
            "with get_lock(name) as held:",
            "with accountLock:",
        ] {
            assert_eq!(source_says(line), Some(ReportedState::Blocked), "{line}");
        }
        for line in ["with open(lockfile) as f:", "with block:", "return clock.acquire_time()", "x = 1", ""] {
            assert_eq!(source_says(line), None, "{line}");
        }
        assert_eq!(source_says("time.sleep(0.5)"), Some(ReportedState::Sleeping));
    }

    #[test]
    fn qualified_names_have_another_name() {
        let aliases =
            |name| frame(name, None, None).aliases.iter().map(|a| a.to_string()).collect::<Vec<_>>();
        assert_eq!(aliases("Condition.wait"), ["wait"]);
        assert_eq!(aliases("main.<locals>.worker"), ["worker"]);
        assert!(
            aliases("wait").is_empty() && aliases("<module>").is_empty() && aliases("a.<lambda>").is_empty()
        );
    }
}
