//! What was seen of one thread, before its lock is one of a list.

use super::activity::Call;
use super::kinds::{Identity, LockKind, State};
use super::lock::{Holder, Lock};
use crate::model::{Certainty, LockId, Str, SystemCall, ThreadIx};

/// What makes two waits one lock, before locks are numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum LockKey<'a> {
    /// The address of the object.
    Address(u64),
    /// The producer's own id of it.
    Token(&'a Str),
    /// Its symbol, where the text prints no addresses.
    Symbol(&'a Str),
    /// The function that takes it: nothing better is known.
    Site(&'a Str),
    /// Nothing is known but that the producer says so: all of them count as one.
    Unnamed,
}

impl<'a> LockKey<'a> {
    /// The key of a lock that the producer calls so.
    pub fn of(id: &'a LockId) -> Self {
        match id {
            LockId::Address(address) => Self::Address(*address),
            LockId::Token(token) => Self::Token(token),
        }
    }
}

/// A thread's claim to wait for a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LockClaim<'a> {
    /// Which lock.
    pub key: LockKey<'a>,
    /// Of which kind.
    pub kind: LockKind,
    /// The symbol that a text prints beside the address.
    pub symbol: Option<&'a Str>,
    /// How it is known.
    pub certainty: Certainty,
    /// Whether it is an object that threads share: see [`Lock`](super::Lock).
    pub is_shared_object: bool,
}

impl LockClaim<'_> {
    /// The lock, of which nothing else is known yet.
    pub fn lock(&self) -> Lock {
        let (address, identity) = match self.key {
            LockKey::Address(address) => (Some(address), Identity::Address),
            LockKey::Token(_) => (None, Identity::Token),
            LockKey::Symbol(_) => (None, Identity::Symbol),
            LockKey::Site(_) | LockKey::Unnamed => (None, Identity::Site),
        };
        let site = match self.key {
            LockKey::Site(site) => Some((site.clone(), 0)),
            _ => None,
        };
        let token = match self.key {
            LockKey::Token(token) => Some(token.clone()),
            _ => None,
        };
        Lock {
            kind: self.kind,
            address,
            token,
            identity,
            name: self.symbol.cloned(),
            place: None,
            class: None,
            holder: Holder::unknown("the dump does not say who holds it"),
            holder_points: None,
            holders: Vec::new(),
            waiters: Vec::new(),
            counted: None,
            callers: site.into_iter().collect(),
            is_shared_object: self.is_shared_object,
            certainty: self.certainty,
            evidence: Vec::new(),
            fingerprint: None,
        }
    }
}

/// What a thread waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim<'a> {
    /// A lock.
    Lock(LockClaim<'a>),
    /// The end of a thread.
    Thread(ThreadIx, Certainty),
    /// The end of a child process.
    Child(Certainty),
}

/// What was seen of one thread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Observation<'a> {
    pub state: State,
    pub claim: Option<Claim<'a>>,
    pub system_call: Option<Box<SystemCall>>,
    pub call: Option<Box<Call>>,
}

impl Observation<'_> {
    /// A thread of which only the state is known.
    pub fn of(state: State) -> Self {
        Self { state, ..Self::default() }
    }
}
