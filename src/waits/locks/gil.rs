//! Python's global interpreter lock, told by the functions that take it (`take_gil`,
//! `PyEval_RestoreThread`): a semaphore in Python 2, a mutex and condition variable in `_PyRuntime`
//! from 3.2 on.

use super::super::kinds::{LockKind, State};
use super::{Decoded, FutexSite, LockRow, Recognized};

/// The row of this kind.
pub const ROW: LockRow = LockRow {
    kind: LockKind::Gil,
    noun: "global interpreter lock",
    source: "CPython Python/ceval_gil.c; Python 2.7 Python/ceval.c",
    has_holder: true,
    prints_holder: false,
    is_reentrant: false,
    is_shared_object: true,
    recognize,
    arguments: &["sem", "futex_word", "mutex", "cond"],
    decode: |_, _, _| Decoded::nobody("the semaphore of the interpreter lock stores no owner"),
};

/// The object is the condition variable in `_gil_runtime_state`, else the semaphore itself.
fn recognize(site: &FutexSite<'_>) -> Option<Recognized> {
    let object = super::pthread_cond::object(site).unwrap_or(site.call.word);
    site.is_gil.then_some(Recognized { object, state: State::LockWait })
}
