//! Where a thread stands in a function that takes a lock: who is past the call has the lock or had it, who is not yet there
//! has not, and who is in such a call may as well take another lock of the same kind. A wrong holder costs more than none.

use crate::model::Frame;
use crate::waits::script;

/// Where a thread stands, seen from the place of a waiter in the same function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// In another function of the same name, or not yet at the call.
    Outside,
    /// In the same call, or in one that takes another lock.
    AtCall,
    /// Somewhere in the function: the dump prints neither lines nor addresses, or the same ones.
    Inside,
    /// Behind the call.
    Past,
}

/// A place at which waiters of a lock stand.
#[derive(Clone, Copy)]
pub(super) struct AtLock<'a> {
    pub frame: &'a Frame,
    /// The call is the slow path of a lock that is inlined: compilers put it at the end of the function.
    pub is_slow_path: bool,
}

/// Where a frame stands, whose function has the name of the waiter's. `calls_lock`: what it called takes a lock.
///
/// ```text
/// #2  0x0000000000400930 in conn_loop (fd=7) at s.c:30       reads
/// #2  0x0000000000400950 in conn_loop (fd=6) at s.c:50       waits in pthread_mutex_lock
/// ```
pub(super) fn standing(frame: &Frame, at: AtLock<'_>, calls_lock: bool) -> Standing {
    let place = by_line(frame, at.frame).or_else(|| by_address(frame, at)).unwrap_or(Standing::Inside);
    match place {
        Standing::Inside if calls_lock => Standing::AtCall,
        place => place,
    }
}

/// By file and line. The same line is somewhere in the function: a line may have several calls.
fn by_line(frame: &Frame, at: &Frame) -> Option<Standing> {
    if script::is_script(frame) && script::is_script(at) {
        let is_past = script::is_past(frame, at);
        return Some(match frame.line == at.line {
            _ if !is_past => Standing::Outside,
            true => Standing::Inside,
            false => Standing::Past,
        });
    }
    let (file, of_lock) = (base_name(frame.file.as_deref()?), base_name(at.file.as_deref()?));
    if file != of_lock {
        return Some(Standing::Outside);
    }
    Some(match frame.line?.cmp(&at.line?) {
        std::cmp::Ordering::Less => Standing::Outside,
        std::cmp::Ordering::Equal => Standing::Inside,
        std::cmp::Ordering::Greater => Standing::Past,
    })
}

/// By the addresses to which the calls return, else by their offsets in the module or in the function.
fn by_address(frame: &Frame, at: AtLock<'_>) -> Option<Standing> {
    let measures: [fn(&Frame) -> Option<u64>; 3] =
        [|f| f.address, |f| f.module_offset, |f| f.function_offset.map(|offset| offset.get().into())];
    let (address, of_lock) = measures.iter().find_map(|of| of(frame).zip(of(at.frame)))?;
    let is_before = address < of_lock && !at.is_slow_path;
    (frame.module == at.frame.module && is_before).then_some(Standing::Outside)
}

/// The same file is printed by different paths.
fn base_name(file: &str) -> &str {
    file.rsplit(['/', '\\']).next().unwrap_or(file)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn in_file(file: &str, line: u32) -> Frame {
        Frame { file: Some(file.into()), line: Some(line), ..Frame::default() }
    }

    fn at_address(address: u64) -> Frame {
        Frame { module: Some("app".into()), address: Some(address), ..Frame::default() }
    }

    fn seen(frame: &Frame, at: &Frame, calls_lock: bool) -> Standing {
        standing(frame, AtLock { frame: at, is_slow_path: false }, calls_lock)
    }

    #[test]
    fn lines_tell_who_is_past_the_call() {
        let at = in_file("/src/s.c", 50);
        for (line, calls_lock, expected) in [
            (30, false, Standing::Outside),
            (50, false, Standing::Inside),
            (50, true, Standing::AtCall),
            (51, false, Standing::Past),
            // It took the first lock, and waits for the second one.
            (51, true, Standing::Past),
        ] {
            assert_eq!(seen(&in_file("../s.c", line), &at, calls_lock), expected, "{line}");
        }
        assert_eq!(seen(&in_file("/src/other.c", 60), &at, false), Standing::Outside, "another function");
        let python = in_file("/srv/log.py", 50);
        assert_eq!(seen(&in_file("/srv/log.py", 52), &python, false), Standing::Past);
        assert_eq!(seen(&in_file("/srv/log.py", 50), &python, true), Standing::AtCall);
        assert_eq!(seen(&in_file("/srv/log.py", 900), &python, false), Standing::Outside, "another function");
    }

    #[test]
    fn without_lines_the_addresses_tell() {
        let at = at_address(0x950);
        assert_eq!(seen(&at_address(0x930), &at, false), Standing::Outside);
        assert_eq!(seen(&at_address(0x950), &at, true), Standing::AtCall);
        assert_eq!(
            seen(&at_address(0x970), &at, false),
            Standing::Inside,
            "code is not in the order of lines"
        );
        let in_function = |offset| Frame { function_offset: NonZeroU32::new(offset), ..Frame::default() };
        assert_eq!(seen(&in_function(0x30), &in_function(0x50), false), Standing::Outside);
        assert_eq!(seen(&in_function(0x70), &in_function(0x50), false), Standing::Inside);
        let slow = AtLock { frame: &at, is_slow_path: true };
        assert_eq!(standing(&at_address(0x930), slow, false), Standing::Inside);
        assert_eq!(seen(&Frame::default(), &Frame::default(), false), Standing::Inside, "nothing is printed");
    }
}
