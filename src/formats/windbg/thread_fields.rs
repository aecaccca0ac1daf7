//! What the kernel debugger prints of a thread between its header and its stack.
//!
//! ```text
//! Owning Process            ffffe000018d6080       Image:         shop.exe
//! Attached Process          N/A            Image:         N/A
//! Wait Start TickCount      123456         Ticks: 3839 (0:00:00:59.984)
//! UserTime                  00:00:01.015
//! KernelTime                1 Day 00:00:00.500
//! ```
//!
//! Source: the debugger's documentation (learn.microsoft.com/windows-hardware/drivers/debuggercmds: !thread).

use super::columns;
use super::head;
use crate::formats::text::words::number;
use crate::model::{ReportedState, Snapshot, Thread, lossy};

/// How many lines the debugger prints there at most.
const MOST_LINES: usize = 40;

/// Takes up what stands there. `more`: the text behind the header. The image becomes the name of the thread, until it is
/// clear whether all threads have the same ([`name_process`]).
pub(super) fn read(thread: &mut Thread, more: &[u8]) {
    for line in more.split(|b| *b == b'\n').take(MOST_LINES) {
        let line = lossy(line.get(..line.len().min(400)).unwrap_or(line)).into_owned();
        let text = line.trim();
        if text.starts_with("THREAD ") || head::is_table(text) || columns::read(&line).is_some() {
            break;
        }
        if let Some(rest) = text.strip_prefix("Owning Process ") {
            let image = rest.split_once("Image:").map(|(_, image)| image.trim());
            let is_one = |image: &&str| !image.is_empty() && *image != "N/A" && !image.starts_with('<');
            thread.name = image.filter(is_one).map(Into::into);
        } else if text.starts_with("Wait Start TickCount ") {
            // Of a thread that runs it is when it waited last.
            let is_waiting = thread.reported != Some(ReportedState::Running);
            let ticks = text.split_once("Ticks: ").and_then(|(_, ticks)| ticks.split_once('('));
            let time = ticks.and_then(|(_, time)| of_wait(time.split(')').next()?));
            thread.waited_us = time.filter(|_| is_waiting);
        } else if let Some(time) =
            ["UserTime ", "KernelTime "].iter().find_map(|field| of_processor(text.strip_prefix(field)?))
        {
            thread.cpu_us = Some(thread.cpu_us.unwrap_or(0).saturating_add(time));
        }
    }
}

/// `0:00:00:59.984`: days, hours, minutes and seconds.
fn of_wait(text: &str) -> Option<u64> {
    let (days, clock) = text.split_once(':')?;
    us(days.trim().parse().ok()?, clock)
}

/// `00:00:01.015`, `2 Days 00:00:01.015`.
fn of_processor(text: &str) -> Option<u64> {
    let text = text.trim();
    match text.split_once(" Day") {
        Some((days, clock)) => us(number(days)?.0, clock.trim_start_matches('s').trim()),
        None => us(0, text),
    }
}

/// A clock as microseconds.
fn us(days: u64, clock: &str) -> Option<u64> {
    let (clock, thousandths) = clock.split_once('.')?;
    let mut parts = clock.split(':').map(|part| part.parse::<u64>().ok());
    let mut next = || parts.next().flatten();
    let (hours, minutes, seconds) = (next()?, next()?, next()?);
    let whole = days.checked_mul(24)?.checked_add(hours)?.checked_mul(60)?.checked_add(minutes)?;
    let whole = whole.checked_mul(60)?.checked_add(seconds)?;
    whole.checked_mul(1_000_000)?.checked_add(thousandths.parse::<u64>().ok()?.checked_mul(1_000)?)
}

/// The image of all threads is the name of their process; where they have several, each thread keeps its own.
pub(super) fn name_process(snapshot: &mut Snapshot) {
    // Only the kernel tells the objects of threads.
    if !snapshot.threads.iter().all(|thread| thread.handle.is_some()) {
        return;
    }
    let mut images = snapshot.threads.iter().filter_map(|thread| thread.name.as_ref());
    let Some(image) = images.next().cloned() else { return };
    if images.all(|other| *other == image) {
        snapshot.process.name.get_or_insert(image);
        snapshot.threads.iter_mut().for_each(|thread| thread.name = None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::testing::read_one;

    #[test]
    fn times() {
        assert_eq!(of_wait("0:00:01:40.000"), Some(100_000_000));
        assert_eq!(of_wait("1:00:00:00.001"), Some(86_400_001_000));
        assert_eq!(of_processor("  00:00:01.015"), Some(1_015_000));
        assert_eq!(of_processor("2 Days 01:00:00.000"), Some(176_400_000_000));
        for none in ["", "N/A", "00:00", "99999999999999999999:00:00.0", "00:00:01"] {
            assert_eq!((of_processor(none), of_wait(none)), (None, None), "{none}");
        }
    }

    const TWO: &str = "THREAD ffffe000018d68c0  Cid 0a50.0a54  Teb: 000000d72a0ff000 Win32Thread: 0000000000000000 WAIT: (Executive) KernelMode Non-Alertable
    ffffe00001234560  SynchronizationEvent
Not impersonating
Owning Process            ffffe000018d6080       Image:         shop.exe
Attached Process          N/A            Image:         N/A
Wait Start TickCount      123456         Ticks: 6400 (0:00:01:40.000)
UserTime                  00:00:01.015
KernelTime                00:00:00.500
Child-SP          RetAddr           Call Site
ffffd000`234e70d0 fffff801`b5a9b8a0 nt!KiSwapContext+0x76
ffffd000`234e7450 00000000`00000000 disk!read+0x2c8

THREAD ffffe000018d6900  Cid 0a50.0a58  Teb: 000000d72a0fd000 Win32Thread: 0000000000000000 RUNNING on processor 1
Owning Process            ffffe000018d6080       Image:         shop.exe
Wait Start TickCount      123456         Ticks: 3839 (0:00:00:59.984)
UserTime                  00:10:00.000
KernelTime                00:00:00.000
Child-SP          RetAddr           Call Site
000000d7`2bdff8b0 00000000`00000000 shop!work+0x33
";

    #[test]
    fn threads_of_one_process_and_of_several() {
        let snapshot = read_one(TWO);
        let times: Vec<_> = snapshot.threads.iter().map(|t| (t.cpu_us, t.waited_us)).collect();
        assert_eq!(times, [(Some(1_515_000), Some(100_000_000)), (Some(600_000_000), None)]);
        assert_eq!(snapshot.process.name.as_deref(), Some("shop.exe"));
        assert!(snapshot.threads.iter().all(|thread| thread.name.is_none()));
        // Of one the debugger does not say it.
        let line = "Owning Process            ffffe000018d6080       Image:         shop.exe\n";
        let (before, behind) = TWO.rsplit_once(line).expect("a line");
        assert_eq!(read_one(&format!("{before}{behind}")).process.name.as_deref(), Some("shop.exe"));
        let (first, second) = TWO.split_once("\n\n").expect("two");
        let snapshot = read_one(&format!("{first}\n\n{}", second.replace("shop.exe", "till.exe")));
        let names: Vec<_> = snapshot.threads.iter().map(|t| t.name.as_deref()).collect();
        assert_eq!((names, snapshot.process.name), (vec![Some("shop.exe"), Some("till.exe")], None));
    }
}
