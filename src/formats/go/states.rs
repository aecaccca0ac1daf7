//! What the runtime writes in the brackets of a header.

use crate::formats::text::Head;
use crate::model::ReportedState::{self, *};

/// Words of the brackets (`waitReasonStrings` in src/runtime/runtime2.go and `gStatusStrings` in traceback.go), as
/// beginnings; the first that fits counts.
static STATES: &[(&str, ReportedState)] = &[
    ("running", Running),
    ("runnable", Running),
    ("copystack", Running),
    ("preempted", Running),
    ("debug call", Running),
    ("trace reader (blocked)", Idle),
    ("syscall", Io),
    ("IO wait", Io),
    ("sleep", Sleeping),
    ("sync.Mutex.Lock", Blocked),
    ("sync.RWMutex", Blocked),
    ("sync.Cond.Wait", Waiting),
    ("sync.WaitGroup.Wait", Waiting),
    // Up to Go 1.19 all of these; which one it is the frames say.
    ("semacquire", Waiting),
    ("chan receive", Waiting),
    ("chan send", Waiting),
    ("select", Waiting),
    ("waiting", Waiting),
    ("panicwait", Running),
    ("force gc (idle)", Idle),
    ("finalizer wait", Idle),
    ("cleanup wait", Idle),
    ("idle", Idle),
    ("dead", Idle),
    ("page trace flush", Runtime),
    ("coroutine", Waiting),
    ("GC worker (idle)", Idle),
    ("GC sweep wait", Idle),
    ("GC scavenge wait", Idle),
    ("GC assist wait", Runtime),
    ("garbage collection", Runtime),
    ("GC ", Runtime),
    ("wait for GC cycle", Runtime),
    ("stopping the world", Runtime),
    ("flushing proc caches", Runtime),
    ("weak proxy", Waiting),
    ("dumping heap", Runtime),
    ("synctest", Waiting),
    ("runtime.Gosched", Running),
    ("timer goroutine (idle)", Idle),
    ("leaked", Waiting),
];

/// Sets the state; a word that is not known is kept as an unknown field. `(scan)`, `(leaked)`, `(durable)` behind a
/// state are flags.
pub(super) fn apply(word: &str, head: &mut Head) {
    match STATES.iter().find(|(start, _)| word.starts_with(start)) {
        Some((_, state)) => head.thread.reported = Some(*state),
        None => head.unknown = Some(word.to_owned()),
    }
}
