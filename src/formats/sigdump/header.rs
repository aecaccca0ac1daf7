//! The line that begins a dump, and the headers of threads.
//!
//! ```text
//! Sigdump at 2024-07-20 17:03:49 +0000 process 123 (puma 6.4.2 (tcp://0.0.0.0:3000) [app])
//!   Thread #<Thread:0x00000001424518> status=run priority=0                                     Ruby 1.9
//!   Thread #<Thread:0x00007f54770db768 worker.rb:1 sleep> status=sleep priority=0
//!   Thread #<Thread:0x00007f5476fe2a18@puma srv tp 001 /gems/puma/thread_pool.rb:106 sleep_forever> status=sleep priority=0
//!   Thread #<Thread:0x4d41cee run> status=run priority=5                                        JRuby
//! ```

use crate::formats::text::Head;
use crate::formats::text::words::rsplit_once;
use crate::model::{ReportedState, Thread, ThreadId};

/// The line that begins a dump.
pub(super) struct Dump<'l> {
    pub time: &'l str,
    pub pid: u32,
    pub program: &'l str,
}

/// Reads the line that begins a dump.
pub(super) fn dump(line: &str) -> Option<Dump<'_>> {
    let (time, rest) = line.strip_prefix("Sigdump at ")?.split_once(" process ")?;
    let (pid, program) = rest.split_once(" (")?;
    Some(Dump { time, pid: pid.parse().ok()?, program: program.strip_suffix(')').unwrap_or(program) })
}

/// `Thread#status`. What a sleeper waits for is not said: `sleep` is a lock, a queue, a timer or input alike.
static STATES: &[(&str, ReportedState)] = &[
    ("run", ReportedState::RunningOrNative),
    ("sleep", ReportedState::Asleep),
    ("aborting", ReportedState::Running),
    ("finished", ReportedState::Idle),
    ("error", ReportedState::Idle),
];

/// Reads a thread's header. What stands behind the object is not the same in every release: whatever begins like a header
/// is a thread, and what is not known of it is told.
pub(super) fn read(line: &str) -> Option<Head> {
    let rest = line.strip_prefix("  Thread #<Thread:")?;
    // A name may hold anything; the fields behind it do not.
    let (inside, fields) = match rsplit_once(rest, "> status=") {
        Some((inside, fields)) => (inside, Some(fields)),
        None => (rsplit_once(rest, ">").map_or(rest, |(inside, _)| inside), None),
    };
    let digits = inside.strip_prefix("0x")?.bytes().take_while(u8::is_ascii_hexdigit).count();
    let (address, description) = inside.split_at_checked(digits + 2)?;
    let mut thread = Thread::new(ThreadId::Text(address.into()));
    thread.name = name(description).map(Into::into);
    let Some(fields) = fields else {
        // Without a status the object has to be whole at least: prose names threads as well.
        let (_, after) = rsplit_once(rest, ">").filter(|(_, after)| is_fields(after))?;
        thread.reported = Some(UNKNOWN);
        return Some(Head { unknown: Some(after.trim().to_owned()), ..Head::of(thread) });
    };
    let (status, others) = fields.split_once(' ').unwrap_or((fields, ""));
    let state = STATES.iter().find(|(word, _)| *word == status);
    thread.reported = Some(state.map_or(UNKNOWN, |(_, state)| *state));
    let mut head = Head::of(thread);
    if state.is_none() {
        head.unknown = Some(format!("status={fields}"));
    } else if others.strip_prefix("priority=").is_none_or(|number| number.trim().parse::<i64>().is_err()) {
        head.unknown = Some(others.to_owned());
    }
    Some(head)
}

/// What a status means that is not known: not that the thread runs. What it does, its stack says where it says anything.
const UNKNOWN: ReportedState = ReportedState::Unclear;

/// ` state=sleep priority=0`: words with values, at least one.
fn is_fields(text: &str) -> bool {
    !text.trim().is_empty() && text.split_ascii_whitespace().all(|word| word.contains('='))
}

/// `@puma srv tp 001 /gems/puma/thread_pool.rb:106 sleep_forever`: what stands before the place and the state.
fn name(description: &str) -> Option<&str> {
    let named = description.strip_prefix('@')?;
    let (rest, last) = named.rsplit_once(' ').unwrap_or((named, ""));
    if last.contains(':') {
        return Some(rest);
    }
    let (name, place) = rest.rsplit_once(' ').unwrap_or((rest, ""));
    Some(if place.contains(':') { name } else { rest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_every_age() {
        for (line, id, name) in [
            ("  Thread #<Thread:0x00000001424518> status=run priority=0", "0x00000001424518", None),
            (
                "  Thread #<Thread:0x00007f54770db768 worker.rb:1 sleep> status=sleep priority=0",
                "0x00007f54770db768",
                None,
            ),
            (
                "  Thread #<Thread:0x00007f5476fe2a18@srv > tp 001 /gems/tp.rb:106 sleep_forever> status=sleep priority=-1",
                "0x00007f5476fe2a18",
                Some("srv > tp 001"),
            ),
            ("  Thread #<Thread:0x4d41cee run> status=run priority=5", "0x4d41cee", None),
        ] {
            let head = read(line).unwrap_or_else(|| panic!("no header: {line}"));
            assert_eq!(
                (head.thread.id.to_string().as_str(), head.thread.name.as_deref()),
                (id, name),
                "{line}"
            );
            assert!(head.thread.reported.is_some() && head.unknown.is_none(), "{line}");
        }
        // Made-up next versions.
        for (line, unknown) in [
            (
                "  Thread #<Thread:0x1 x:1 run> status=parked priority=0 weight=3",
                "status=parked priority=0 weight=3",
            ),
            ("  Thread #<Thread:0x1 x:1 run> status=parked", "status=parked"),
            ("  Thread #<Thread:0x1 x:1 run> state=parked priority=0", "state=parked priority=0"),
        ] {
            let head = read(line).unwrap_or_else(|| panic!("no header: {line}"));
            assert_eq!(head.unknown.as_deref(), Some(unknown));
            assert_eq!(
                head.thread.reported,
                Some(ReportedState::Unclear),
                "nobody says that it runs: {line}"
            );
        }
        let head = read("  Thread #<Thread:0x1 x:1 run> status=run priority=0 cpu=5").unwrap();
        assert_eq!(head.thread.reported, Some(ReportedState::RunningOrNative));
        assert_eq!(head.unknown.as_deref(), Some("priority=0 cpu=5"));
        assert!(read("  Thread #<Thread:0x1 talk").is_none());
    }

    #[test]
    fn the_first_line() {
        let dump = dump("Sigdump at 2024-07-20 17:03:49 +0000 process 123 (puma 6 (tcp://[::]:3000) [app])")
            .unwrap();
        assert_eq!((dump.pid, dump.program), (123, "puma 6 (tcp://[::]:3000) [app]"));
    }
}
