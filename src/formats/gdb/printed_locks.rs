//! Locks whose content somebody printed: `p g_mutex`, locals of `bt full`.

use crate::model::{ReportedLock, ReportedOwner, lossy};

use super::header::{decimal, parse_hex};

/// The fields that hold an owner's LWP, in glibc's mutex and rwlock. Markup in mail and wikis eats
/// underscores, so any number of them stands before.
static OWNER_FIELDS: &[&[u8]] = &[b"owner = ", b"cur_writer = "];

/// How all of them end: gdb writes no blanks beside the `=` of arguments.
pub(super) const FIELD_END: &str = "er = ";

/// How far back the begin of a printed lock is looked for, in lines and bytes.
const MOST_LINES: usize = 16;
const MOST_BYTES: usize = 4096;

/// How far back the value `$2` is looked for.
const HISTORY_BYTES: usize = 1 << 14;

/// Finds them all.
///
/// ```text
/// (gdb) p qemu_global_mutex
/// $1 = {lock = {_data = {lock = 2, __count = 0, __owner = 11212, __nusers = 9, …       QEMU mail, underscores eaten
/// $1 = {__data = {__lock = 2, __count = 0, __owner = 5165, __nusers = 1, …             gdb 13
///         mutex = {__data = {__lock = 1, __count = 0, __owner = 5165, …                gdb 13, bt full
/// ```
pub(super) fn find(text: &[u8], base: u64) -> Vec<ReportedLock> {
    let mut locks: Vec<ReportedLock> = Vec::new();
    for end in memchr::memmem::find_iter(text, FIELD_END.as_bytes()).map(|at| at + FIELD_END.len()) {
        let before = text.get(..end).unwrap_or_default();
        let field = OWNER_FIELDS.iter().find(|field| before.ends_with(field));
        locks.extend(field.and_then(|field| lock(text, end - field.len(), end, base)));
    }
    locks.sort_by_key(|l| l.offset);
    locks
}

fn lock(text: &[u8], at: usize, value: usize, base: u64) -> Option<ReportedLock> {
    let before = *text.get(at.checked_sub(1)?)?;
    if !matches!(before, b'_' | b' ' | b'{') {
        return None;
    }
    let (owner, length) = decimal(text.get(value..)?)?;
    // `owner = 0x55…` is somebody else's field.
    if text.get(value + length) == Some(&b'x') {
        return None;
    }
    let start = statement(text, at)?;
    let content = text.get(start..at)?;
    // Only a pthread lock has these before its owner.
    if memchr::memmem::find(content, b"lock = ").is_none()
        && memchr::memmem::find(content, b"readers = ").is_none()
    {
        return None;
    }
    let is_first = OWNER_FIELDS.iter().all(|f| memchr::memmem::find(content, f).is_none());
    let (address, symbol) = match content.first() {
        Some(b'$') if is_first => named_by_command(text, start),
        Some(b'#') if is_first => named_by_reference(content),
        _ => (None, None),
    };
    Some(ReportedLock {
        address,
        token: None,
        symbol: symbol.map(Into::into),
        owner: ReportedOwner::Tid(owner),
        waiters: None,
        offset: base + start as u64,
    })
}

/// Where the statement begins that holds the field at `at`: `$1 = `, a local (8 blanks), a frame.
fn statement(text: &[u8], at: usize) -> Option<usize> {
    let floor = at.saturating_sub(MOST_BYTES);
    let mut end = at;
    for _ in 0..MOST_LINES {
        let start = text.get(floor..end)?.iter().rposition(|b| *b == b'\n').map_or(floor, |n| floor + n + 1);
        let line = text.get(start..at)?;
        let line_start = line.strip_prefix(b"(gdb) ").map_or(start, |_| start + 6);
        let line = text.get(line_start..at)?;
        let is_local = line.starts_with(b"        ") && line.get(8).is_some_and(|b| *b != b' ');
        if line.starts_with(b"$") || line.starts_with(b"#") || is_local {
            return Some(line_start);
        }
        if start <= floor {
            return None;
        }
        end = start - 1;
    }
    None
}

/// The command above `$1 = `: `(gdb) p qemu_global_mutex`, `p *(pthread_mutex_t *) 0x55d9…`.
fn named_by_command(text: &[u8], start: usize) -> (Option<u64>, Option<String>) {
    let Some(command) = command_above(text, start) else { return (None, None) };
    let expression = command.trim();
    let Some(pointer) = expression.strip_prefix('*') else {
        return (None, is_symbol(expression).then(|| expression.to_owned()));
    };
    let pointer = pointer.trim_start();
    if let Some(name) = pointer.strip_prefix('&') {
        return (None, is_symbol(name).then(|| name.to_owned()));
    }
    // `*$2`, where `$2 = (pthread_mutex_t *) 0x55af922f80a0 <g_log_mutex>` stands above.
    if pointer.starts_with('$') {
        let head = text.get(start.saturating_sub(HISTORY_BYTES)..start).unwrap_or_default();
        let name = format!("{pointer} = (");
        let Some(found) = memchr::memmem::rfind(head, name.as_bytes()) else { return (None, None) };
        let line = head.get(found..).and_then(|l| l.split(|b| *b == b'\n').next()).unwrap_or_default();
        return address_in(line);
    }
    let digits = pointer.rsplit_once(')').map_or(pointer, |(_, rest)| rest).trim();
    (digits.strip_prefix("0x").and_then(|d| parse_hex(d.as_bytes())), None)
}

/// The expression of the print command in the line above.
fn command_above(text: &[u8], start: usize) -> Option<&str> {
    let head = text.get(start.saturating_sub(MOST_BYTES)..start)?.trim_ascii_end();
    let line = head.rsplit(|b| *b == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?.trim();
    let command = line.strip_prefix("(gdb)")?.trim_start();
    let (verb, rest) = command.split_once(' ')?;
    let verb = verb.split_once('/').map_or(verb, |(v, _)| v);
    let rest = rest.trim_start();
    let expression = if rest.starts_with('/') { rest.split_once(' ')?.1 } else { rest };
    matches!(verb, "p" | "print" | "inspect" | "call" | "output").then_some(expression)
}

/// `m=@0x558efcd69060: {__data = …` in a frame's arguments.
fn named_by_reference(content: &[u8]) -> (Option<u64>, Option<String>) {
    match memchr::memmem::rfind(content, b"=@0x") {
        Some(at) => (address_in(content.get(at..).unwrap_or_default()).0, None),
        None => (None, None),
    }
}

/// The first `0x…` and the `<symbol>` behind it.
fn address_in(line: &[u8]) -> (Option<u64>, Option<String>) {
    let Some(at) = memchr::memmem::find(line, b"0x") else { return (None, None) };
    let rest = line.get(at + 2..).unwrap_or_default();
    let length = rest.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    let symbol = rest.get(length..).and_then(|r| r.strip_prefix(b" <")).and_then(|s| {
        let end = s.iter().rposition(|b| *b == b'>')?;
        Some(lossy(s.get(..end)?).into_owned())
    });
    (rest.get(..length).and_then(parse_hex), symbol)
}

/// A name, with scopes and fields: `logging::g_m`, `server.lock`, not `*p` or `a + 1`.
fn is_symbol(expression: &str) -> bool {
    expression.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && !expression.contains("->")
        && expression.chars().all(|c| c.is_alphanumeric() || "_:.[]<>'".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tid(owner: ReportedOwner) -> u64 {
        match owner {
            ReportedOwner::Tid(tid) => tid,
            _ => panic!("gdb prints ids"),
        }
    }

    fn found(text: &str) -> Vec<(Option<u64>, Option<String>, u64)> {
        find(text.as_bytes(), 0)
            .into_iter()
            .map(|l| (l.address, l.symbol.map(|s| s.to_string()), tid(l.owner)))
            .collect()
    }

    #[test]
    fn a_lock_printed_by_name() {
        let text = "(gdb) p qemu_global_mutex\n$1 = {lock = {_data = {lock = 2, __count = 0, __owner = 11212, __nusers = 9}}}\n";
        assert_eq!(found(text), [(None, Some("qemu_global_mutex".into()), 11212)]);
    }

    #[test]
    fn a_lock_printed_by_address() {
        let text =
            "(gdb) p *(pthread_mutex_t *) 0x55d9\n$1 = {__data = {__lock = 2, __count = 0, __owner = 7}}\n";
        assert_eq!(found(text), [(Some(0x55d9), None, 7)]);
        let text = "(gdb) p &m\n$2 = (pthread_mutex_t *) 0x55af <m>\n(gdb) p/x *$2\n$3 = {__data = {__lock = 2, __owner = 7}}\n";
        assert_eq!(found(text), [(Some(0x55af), Some("m".into()), 7)]);
    }

    #[test]
    fn a_lock_without_a_name() {
        let text = "        mutex = {__data = {__lock = 1, __count = 0, __owner = 5165}}\n";
        assert_eq!(found(text), [(None, None, 5165)]);
        // gdb 13, `set print pretty on`, batch
        let text = "$1 = {\n  __data = {\n    __lock = 2,\n    __count = 0,\n    __owner = 5165,\n";
        assert_eq!(found(text), [(None, None, 5165)]);
    }

    #[test]
    fn other_owners_are_no_locks() {
        assert_eq!(found("$1 = {name = 0x5, owner = 7}\n"), []);
        assert_eq!(found("$1 = {lock = 1, owner = 0x55}\n"), []);
    }
}
