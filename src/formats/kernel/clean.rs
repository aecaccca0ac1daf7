//! The text as the rest reads it: without the kernel's prefixes, each line whole, each stack with a header.

use super::{header, line, stand_in, wrapped};

/// The text without the kernel's prefixes, in the order in which its lines belong together, with a header before
/// stacks of `/proc` that have none.
pub(super) fn cleaned(text: &[u8]) -> (Vec<u8>, Vec<(usize, usize)>) {
    let mut out = Vec::with_capacity(text.len());
    let mut places = Vec::new();
    let mut stacks = 0usize;
    let mut unnamed = 0usize;
    let mut last_pid = None;
    let mut before: Vec<u8> = Vec::new();
    let lines = line::lines(text);
    let mut next = 0;
    while let Some(line) = lines.get(next) {
        let (whole, count) = wrapped::whole(lines.iter().skip(next).map(|line| line.shown(text)));
        let from = line.text.start;
        let (before_it, behind) = (lines.iter().take(next).rev(), lines.iter().skip(next + count));
        let shown_of = |line: &line::Line| line.shown(text);
        let header = stand_in::header(before_it.map(shown_of), &whole, behind.map(shown_of), unnamed + 1);
        if let Some(header) = header {
            unnamed += usize::from(header.starts_with(header::UNNAMED));
            places.push((out.len(), from));
            out.extend_from_slice(header.as_bytes());
            out.push(b'\n');
        }
        let mut shown: &[u8] = &whole;
        places.push((out.len(), from));
        let of_file = split_path(shown);
        if let Some((pid, rest)) = of_file {
            if last_pid != Some(pid) {
                out.extend_from_slice(format!("{}{pid}\n", header::PROC).as_bytes());
                places.push((out.len(), from));
            }
            last_pid = Some(pid);
            shown = rest;
        } else {
            last_pid = None;
            let is_stack = |line: &[u8]| line.trim_ascii_start().starts_with(b"[<0>] ");
            let has_header =
                before.trim_ascii_end().ends_with(b" <==") || before.trim_ascii().starts_with(b"Call ");
            if is_stack(shown) && !is_stack(&before) && !has_header {
                stacks += 1;
                let name = pid_of(&before).map_or_else(|| format!("stack {stacks}"), |pid| pid.to_string());
                out.extend_from_slice(format!("{}{name}\n", header::PROC).as_bytes());
                places.push((out.len(), from));
            }
        }
        before.clear();
        before.extend_from_slice(shown.get(shown.len().saturating_sub(LONGEST_NAME)..).unwrap_or(shown));
        out.extend_from_slice(shown);
        out.push(b'\n');
        next += count;
    }
    if !text.ends_with(b"\n") {
        out.pop();
    }
    (out, places)
}

/// `/proc/94/stack:[<0>] …`: the pid, and what stands behind.
fn split_path(line: &[u8]) -> Option<(u64, &[u8])> {
    let at = memchr::memchr(b':', line.get(..line.len().min(64))?)?;
    if !line.starts_with(b"/proc/") {
        return None;
    }
    Some((header::proc_pid(std::str::from_utf8(line.get(..at)?).ok()?)?, line.get(at + 1..)?))
}

/// A line before a stack that says whose it is: `94`, `PID 94`, `94:`, `/proc/94/stack`, `# cat /proc/94/stack`.
fn pid_of(line: &[u8]) -> Option<u64> {
    let line = std::str::from_utf8(line).ok()?.trim();
    let command = line.rsplit(' ').next().filter(|_| line.matches("/proc/").count() == 1);
    if let Some(pid) = command.and_then(header::proc_pid) {
        return Some(pid);
    }
    let line = line.trim_end_matches(':').trim_matches(['=', '-', '#', ' ']);
    let number = line.rsplit_once([' ', ':', '=']).map_or(line, |(word, number)| {
        if matches!(word.trim().to_ascii_lowercase().as_str(), "pid" | "tid" | "task" | "thread") {
            number
        } else {
            line
        }
    });
    number.parse().ok().or_else(|| header::proc_pid(line))
}

/// As much of a line before a stack as may name its task, bytes.
const LONGEST_NAME: usize = 120;
