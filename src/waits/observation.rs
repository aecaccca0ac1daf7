//! What was seen of one thread, before its lock is one of a list.

use super::activity::Call;
use super::kinds::{LockKind, State};
use crate::model::{Certainty, Str, SystemCall, ThreadIx};

/// What makes two waits one lock, before locks are numbered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum LockKey {
    /// The address of the object.
    Address(u64),
    /// The producer's own id of it.
    Token(Str),
    /// Its symbol, where the text prints no addresses.
    Symbol(Str),
    /// The function that takes it: nothing better is known.
    Site(Str),
}

/// A thread's claim to wait for a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LockClaim {
    /// Which lock.
    pub key: LockKey,
    /// Of which kind.
    pub kind: LockKind,
    /// The symbol that a text prints beside the address.
    pub symbol: Option<Str>,
    /// How it is known.
    pub certainty: Certainty,
    /// Whether it is an object that threads share: see [`Lock`](super::Lock).
    pub is_shared_object: bool,
}

/// What a thread waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// A lock.
    Lock(LockClaim),
    /// The end of a thread.
    Thread(ThreadIx, Certainty),
    /// Something else.
    Other(&'static str, Certainty),
}

/// What was seen of one thread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Observation {
    pub state: State,
    pub claim: Option<Claim>,
    pub system_call: Option<Box<SystemCall>>,
    pub call: Option<Call>,
}

impl Observation {
    /// A thread of which only the state is known.
    pub fn of(state: State) -> Self {
        Self { state, ..Self::default() }
    }
}
