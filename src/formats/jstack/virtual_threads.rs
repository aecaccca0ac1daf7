//! Virtual threads that no thread carries are in no list of the JVM: a dump that shows one that is carried, or the thread
//! that wakes them, says that there may be more.
//!
//! ```text
//!    Mounted virtual thread #35
//! "VirtualThread-unparker" #30 [94250] daemon prio=5 os_prio=0 cpu=0.10ms elapsed=33.40s tid=0x… nid=94250 …
//! ```
//!
//! Source: OpenJDK 21-25 java/lang/VirtualThread.java, which starts that thread; runtime/threads.cpp `print_on`.

use crate::formats::text::is_limited;
use crate::model::{Snapshot, Thread, ThreadKind};

/// How the names of the threads begin that wake virtual ones: 21 and newer, 24 and newer. There are several.
const WAKERS: &[&str] = &["VirtualThread-unparker", "VirtualThread-unblocker"];

const MESSAGE: &str = "virtual threads that no thread carries are not in such a dump: the program uses virtual threads, and \
                       how many of them wait is not known";

/// Says of a dump of a program that uses them that they are not in it.
pub(super) fn tell(snapshot: &mut Snapshot) {
    let is_sign = |thread: &Thread| {
        let wakes = || thread.name.as_deref().is_some_and(|name| WAKERS.iter().any(|w| name.starts_with(w)));
        thread.kind == ThreadKind::Virtual || thread.handle.is_some() && wakes()
    };
    if snapshot.threads.iter().any(is_sign) {
        is_limited(snapshot, MESSAGE, None);
    }
}
