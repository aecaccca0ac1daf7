//! What the producer of a text printed about a lock.

use super::{ReportedOwner, Str};

/// A lock whose content stands in the text, for example gdb's `p *mutex`:
/// `{__data = {__lock = 2, __count = 0, __owner = 11212, …}}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportedLock {
    /// Its address, where the text gives it.
    pub address: Option<u64>,
    /// The producer's id of it, where that is no address.
    pub token: Option<Str>,
    /// Its symbol, where the text gives it: `g_log_mutex`.
    pub symbol: Option<Str>,
    /// Whom the text names as its owner.
    pub owner: ReportedOwner,
    /// How many threads wait for it, where the text counts them.
    pub waiters: Option<u64>,
    /// Where in the input it stands.
    pub offset: u64,
}
