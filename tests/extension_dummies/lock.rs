//! A lock that every blocked `futex` call is taken for.

use super::super::kinds::{LockKind, State};
use super::{Decoded, LockRow, Recognized};

/// The row of this kind.
pub const ROW: LockRow = LockRow {
    kind: LockKind::DummyLock,
    noun: "dummy lock",
    source: "tests/extension.rs",
    has_holder: true,
    prints_holder: false,
    is_reentrant: false,
    is_shared_object: true,
    recognize: |site| Some(Recognized { object: site.call.word, state: State::LockWait }),
    arguments: &["dummy"],
    decode: |_, _, _| Decoded::nobody("a dummy has no owner"),
};
