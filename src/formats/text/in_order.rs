//! Pieces that are read in any order and put together in theirs, at the same time.

use std::sync::{Mutex, OnceLock, PoisonError};

/// How many pieces of each worker may wait for those before them: what was read of one may be a good part of its size.
const PIECES_AHEAD: usize = 2;

/// Gives `first` and what is read of each piece to `add`, one after the other, while the next ones are read.
pub(in crate::formats) fn in_order<P: Sync, T: Default + Send>(
    first: T,
    pieces: &[P],
    read: impl Fn(&P) -> T + Sync,
    mut add: impl FnMut(T) + Send,
) {
    let places: Vec<Place<T>> = pieces.iter().map(|_| Place::default()).collect();
    let read = &read;
    rayon::scope_fifo(|scope| {
        let mut waiting = pieces.iter().zip(&places);
        let mut next = || {
            if let Some((piece, place)) = waiting.next() {
                scope.spawn_fifo(move |_| place.fill(|| read(piece)));
            }
        };
        (0..rayon::current_num_threads() * PIECES_AHEAD).for_each(|_| next());
        add(first);
        for place in &places {
            let read = place.wait();
            next();
            add(read);
        }
    });
}

/// Where what was read is waited for.
struct Place<T>(OnceLock<Mutex<T>>);

impl<T> Default for Place<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<T: Default> Place<T> {
    /// If reading panics, nothing is there, and whoever waits goes on until the panic has reached him.
    fn fill(&self, read: impl FnOnce() -> T) {
        struct Always<'p, T: Default>(&'p Place<T>);
        impl<T: Default> Drop for Always<'_, T> {
            fn drop(&mut self) {
                self.0.0.get_or_init(Mutex::default);
            }
        }
        let place = Always(self);
        let read = read();
        place.0.0.get_or_init(|| Mutex::new(read));
    }

    /// Whoever waits helps with what there is to do.
    fn wait(&self) -> T {
        loop {
            if let Some(read) = self.0.get() {
                return std::mem::take(&mut *read.lock().unwrap_or_else(PoisonError::into_inner));
            }
            if rayon::yield_now() != Some(rayon::Yield::Executed) {
                std::thread::yield_now();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn everything_comes_in_its_order() {
        for workers in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(workers).build().unwrap();
            let pieces: Vec<u64> = (1..200).collect();
            let mut got = Vec::new();
            let read = |n: &u64| {
                std::thread::sleep(std::time::Duration::from_micros(n % 7 * 100));
                n * 2
            };
            pool.install(|| in_order(0, &pieces, read, |n: u64| got.push(n)));
            assert!(got.iter().copied().eq((0..200).map(|n| n * 2)), "{workers} workers");
        }
    }

    #[test]
    fn a_panic_ends_the_wait() {
        let run = || {
            let read = |n: &u64| if *n == 3 { panic!("third") } else { *n };
            in_order(0, &[1, 2, 3, 4], read, |_: u64| {});
        };
        assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
    }
}
