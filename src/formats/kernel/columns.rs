//! Headers of tasks in columns, of kernels before 5.11.
//!
//! ```text
//! log writer 4    D28024  3875   2582 0x00000004                                           4.14
//! bash            R  running task    13208  2441   2440 0x00000008                         5.10
//! zsh             D ffff8801bc073040 27144 15720   2030 0x00000004                         4.9
//! kworker/u8:1    D 8051b27c     0 20304      2 0x00000000                                 4.4, 32 bits
//! swapper/1       R running      0     0      1 0x00000002                                 4.4, 32 bits
//! zsh           D ffff880e46c08840     0  15720   2030    0 0x00000000                     2.6.32 of RHEL 6
//! jbd2/sda-8    D ffff81043e0a1420     0   471    585           763   748 (L-TLB)          2.6.18 of RHEL 5
//! pump          R  running task       0  8210      1          8211  7904 (NOTLB)
//! ```
//!
//! Source: Linux 2.6.18 kernel/sched.c (`show_task`), 4.4-5.10 kernel/sched/core.c (`sched_show_task`).

use super::header::{Task, state_of, task};

/// Whether a task has memory of its own: the end of the line where the relatives of a task stand before it.
const MEMORY: [&str; 2] = ["(L-TLB)", "(NOTLB)"];

/// Whether the last word of a line is one with which a header ends.
type IsEnd = fn(&str) -> bool;

/// How a line ends, and how many numbers at most stand behind the pid and that of the parent.
static ENDS: &[(IsEnd, usize)] = &[
    // RHEL 6 has one column more.
    (|end| end.strip_prefix("0x").is_some_and(|flags| u64::from_str_radix(flags, 16).is_ok()), 1),
    // A child and two siblings.
    (|end| MEMORY.contains(&end), 3),
];

/// The most numbers of a line: where the task stands, the room on its stack, the pid, the parent's, relatives.
const MOST: usize = 7;

/// The shortest name, state and numbers.
const SHORTEST: usize = 16;

/// Whether a line may be such a header: it ends like `… 0x00000004`, digits before that, or like `… (L-TLB)`. Cheap.
pub(super) fn may_be(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    if MEMORY.iter().any(|end| line.ends_with(end.as_bytes())) {
        return line.len() > SHORTEST;
    }
    let Some(at) = line.len().checked_sub(10).filter(|at| *at > SHORTEST) else { return false };
    let (before, flags) = line.split_at(at);
    flags.starts_with(b"0x")
        && before.ends_with(b" ")
        && before.trim_ascii_end().last().is_some_and(u8::is_ascii_digit)
}

/// Reads such a header, from the right: the name may hold anything.
pub(super) fn read(line: &str) -> Option<Task> {
    if !may_be(line.as_bytes()) {
        return None;
    }
    let (mut rest, end) = line.trim_end().rsplit_once(' ')?;
    let (_, most_behind) = ENDS.iter().find(|(is_end, _)| is_end(end))?;
    let mut numbers = Vec::with_capacity(MOST);
    while let Some((before, number)) = last_number(rest).filter(|_| numbers.len() < MOST) {
        numbers.push(number);
        rest = before;
    }
    // From the left.
    numbers.reverse();
    let (name, letter, before_pid) = state(rest.trim_end(), &numbers)?;
    let (_, state) = state_of(letter).filter(|_| name.ends_with(' '))?;
    let mut numbers = numbers.into_iter().skip(before_pid);
    let (pid, _parent) = (numbers.next()?.parse().ok()?, numbers.next()?);
    if numbers.count() > *most_behind {
        return None;
    }
    let mut thread = task(name, pid);
    thread.reported = *state;
    Some(Task { thread, unknown: None })
}

/// The name, the letter of the state, and how many of the numbers behind it stand before the pid.
fn state<'t>(text: &'t str, numbers: &[&str]) -> Option<(&'t str, char, usize)> {
    const ROOM: usize = 1;
    let running = text.strip_suffix("running task").or_else(|| text.strip_suffix("running"));
    let (text, before_pid) = match running {
        Some(text) => (text.trim_end(), ROOM),
        None => {
            let (before, word) = text.rsplit_once(' ')?;
            match word.len() {
                // Where it stands may be of digits only.
                1 => (text, ROOM + numbers.first().filter(|number| is_place(number)).iter().count()),
                _ if is_place(word) => (before.trim_end(), ROOM),
                // The room left on its stack touches the letter: `D28024`.
                _ => (text.trim_end_matches(|c: char| c.is_ascii_digit()), 0),
            }
        }
    };
    let letter = text.chars().next_back()?;
    Some((text.get(..text.len() - letter.len_utf8())?, letter, before_pid))
}

/// `ffff8801bc073040`, `8051b27c`: where a task stands that does not run.
fn is_place(word: &str) -> bool {
    matches!(word.len(), 8 | 16) && word.bytes().all(|b| b.is_ascii_hexdigit())
}

fn last_number(text: &str) -> Option<(&str, &str)> {
    let (rest, number) = text.trim_end().rsplit_once(' ')?;
    (!number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())).then_some((rest, number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ReportedState::{self, Running, Uninterruptible};

    fn read_as(line: &str) -> (String, String, Option<ReportedState>) {
        let thread = read(line).unwrap_or_else(|| panic!("a header: {line}")).thread;
        (thread.name.as_deref().unwrap_or_default().to_owned(), thread.id.to_string(), thread.reported)
    }

    #[test]
    fn columns_of_all_ages() {
        for (line, name, pid, state) in [
            (
                "logd/u8:2       D 8051b27c     0 20304      2 0x00000000",
                "logd/u8:2",
                "20304",
                Uninterruptible,
            ),
            // An address of digits only, on 32 bits and on 64.
            ("logd 7          D 80512270     0 20304      2 0x00000000", "logd 7", "20304", Uninterruptible),
            ("logd            D 0000000000000000     0 71      2 0x00000000", "logd", "71", Uninterruptible),
            ("logd            R running      0    71      2 0x00000002", "logd", "71", Running),
            ("logd            R  running task        0    71      2 0x00000002", "logd", "71", Running),
            (
                "log d         D ffff880e46c08840     0 71      2    0 0x00000000",
                "log d",
                "71",
                Uninterruptible,
            ),
            (
                "logd          D ffff81043e0a1420     0    71    585           763   748 (L-TLB)",
                "logd",
                "71",
                Uninterruptible,
            ),
            (
                "logd          D ffff81043e0a1420     0    71    585    90     763   748 (NOTLB)",
                "logd",
                "71",
                Uninterruptible,
            ),
            (
                "logd          R  running task       0    71      1                     (NOTLB)",
                "logd",
                "71",
                Running,
            ),
            // As a mailer leaves it.
            ("logd D 0000D823 2860 71 15 680 618 (L-TLB)", "logd", "71", Uninterruptible),
        ] {
            let wanted = (name.to_owned(), pid.to_owned(), Some(state));
            for end in ["", " ", "\r", " \r"] {
                assert_eq!(read_as(&format!("{line}{end}")), wanted, "{line}");
            }
        }
    }

    #[test]
    fn other_lines_that_end_so() {
        for line in [
            "the flags of the tasks are 12 13 0xffffffff",
            "mask R of the log 12 13 14 15 16 0x00000000",
            "logd            D 8051b27c     0 20304      2 5 6 0x00000000",
            "and nothing of it is in the (L-TLB)",
            "8051b27c     0 20304      2 0x00000000",
            "logd          D ffff81043e0a1420     0    71    585    90     763   748 1 (L-TLB)",
        ] {
            assert!(read(line).is_none(), "{line}");
        }
    }
}
