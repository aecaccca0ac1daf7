//! Files mapped into memory: the one file of the library with `unsafe` code.
//!
//! A file that shrinks while it is mapped answers with SIGBUS when its lost pages are touched.
//! [`Mapping`] turns that into a flag: a handler, installed once, puts zeros in place of the lost
//! pages and notes it in a table of fixed size, so that the reader goes on and the caller asks
//! [`Mapping::was_cut`] before anything read is believed. Without a handler, every read of every
//! stage would have to be a system call.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;

use memmap2::Mmap;

/// A file mapped for reading.
pub(super) struct Mapping {
    // Before `map`, so that the handler forgets the range before it is unmapped.
    guard: guard::Guard,
    map: Mmap,
}

impl Mapping {
    /// Maps the whole file. `None` when so many files are mapped that no other can be guarded.
    pub(super) fn new(file: &File) -> io::Result<Option<Self>> {
        // SAFETY: the mapping is private and read-only, nothing here writes to the file. Another
        // process may: bytes may then change between two reads, and every reader takes each byte as
        // hostile already and checks before it uses (no `str` or reference with validity rules is
        // made from the bytes without a copy or a check at the place). A cut is what `guard` is for.
        let map = unsafe { Mmap::map(file)? };
        Ok(guard::Guard::new(&map).map(|guard| Self { guard, map }))
    }

    /// Whether bytes were read that the file had lost, or that could not be read from the disk:
    /// zeros stood in their place.
    pub(super) fn was_cut(&self) -> bool {
        self.guard.was_hit()
    }
}

/// Maps a file that is not an input: a module or debug file. One that shrinks meanwhile reads as
/// zeros.
pub(super) fn map_file(file: &File) -> io::Result<bytes::Bytes> {
    match Mapping::new(file)? {
        Some(mapping) => Ok(bytes::Bytes::from_owner(mapping)),
        None => Err(io::Error::other("too many files are mapped")),
    }
}

impl AsRef<[u8]> for Mapping {
    fn as_ref(&self) -> &[u8] {
        &self.map
    }
}

#[cfg(unix)]
mod guard {
    use std::ptr;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

    use libc::{c_int, c_void, siginfo_t};

    /// How many mappings are guarded at a time.
    const CAPACITY: usize = 4096;

    /// A guarded range. Free when `is_taken` is false, looked at by the handler when `start` is not 0.
    struct Entry {
        is_taken: AtomicBool,
        start: AtomicUsize,
        end: AtomicUsize,
        is_hit: AtomicBool,
    }

    static TABLE: [Entry; CAPACITY] = [const {
        Entry {
            is_taken: AtomicBool::new(false),
            start: AtomicUsize::new(0),
            end: AtomicUsize::new(0),
            is_hit: AtomicBool::new(false),
        }
    }; CAPACITY];

    /// What handled SIGBUS before: usually Rust's own handler for stack overflows.
    static PREVIOUS: OnceLock<libc::sigaction> = OnceLock::new();

    static PAGE_SIZE: AtomicUsize = AtomicUsize::new(4096);

    /// A range that the handler knows of, until it is dropped.
    pub(super) struct Guard(&'static Entry);

    impl Guard {
        /// Guards these bytes, which must be a whole mapping and outlive the guard.
        pub(super) fn new(mapped: &[u8]) -> Option<Self> {
            install();
            let free = |e: &&Entry| e.is_taken.compare_exchange(false, true, SeqCst, SeqCst).is_ok();
            let entry = TABLE.iter().find(free)?;
            let page_size = PAGE_SIZE.load(SeqCst);
            let start = mapped.as_ptr() as usize;
            entry.is_hit.store(false, SeqCst);
            entry.end.store((start + mapped.len()).next_multiple_of(page_size), SeqCst);
            entry.start.store(start, SeqCst);
            Some(Self(entry))
        }

        /// Whether the handler put zeros into the range.
        pub(super) fn was_hit(&self) -> bool {
            self.0.is_hit.load(SeqCst)
        }
    }

    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.start.store(0, SeqCst);
            self.0.is_taken.store(false, SeqCst);
        }
    }

    /// Installs the handler, once.
    fn install() {
        static INSTALLED: OnceLock<()> = OnceLock::new();
        INSTALLED.get_or_init(|| {
            // SAFETY: both calls get valid pointers. A zeroed `sigaction` is a valid value of that C
            // struct. The handler does only what a signal handler may: see there. SA_ONSTACK: the
            // fault may happen deep in a recursion, and Rust gives each thread such a stack.
            unsafe {
                if let Ok(size) = usize::try_from(libc::sysconf(libc::_SC_PAGESIZE)) {
                    PAGE_SIZE.store(size, SeqCst);
                }
                let mut action: libc::sigaction = std::mem::zeroed();
                action.sa_sigaction = on_sigbus as *const () as usize;
                action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
                libc::sigemptyset(&mut action.sa_mask);
                let mut previous: libc::sigaction = std::mem::zeroed();
                if libc::sigaction(libc::SIGBUS, &action, &mut previous) == 0 {
                    // Set once: this closure runs once.
                    let _ = PREVIOUS.set(previous);
                }
            }
        });
    }

    /// Handles SIGBUS. Uses atomics and the system calls mmap, sigaction and raise only; it takes no
    /// lock and allocates nothing.
    extern "C" fn on_sigbus(_signal: c_int, info: *mut siginfo_t, _context: *mut c_void) {
        // SAFETY: with SA_SIGINFO the kernel passes a valid siginfo. `si_addr` is meaningful only for
        // a fault (`si_code` above 0), which is checked before it is used.
        let (is_fault, address) = unsafe { ((*info).si_code > 0, (*info).si_addr() as usize) };
        if is_fault && cover(address) {
            return;
        }
        // Not ours. Hand it to whoever was there before: a fault happens again upon return, a signal
        // that was sent must be sent again.
        // SAFETY: a valid action, either from the kernel or zeroed (SIG_DFL, no flags).
        unsafe {
            let default: libc::sigaction = std::mem::zeroed();
            libc::sigaction(libc::SIGBUS, PREVIOUS.get().unwrap_or(&default), ptr::null_mut());
            if !is_fault {
                libc::raise(libc::SIGBUS);
            }
        }
    }

    /// Puts zeros from the page of this address to the end of its mapping. False when no mapping of
    /// ours is there.
    ///
    /// To the end and not one page: where a file was cut everything after is lost too, and a hole for
    /// each page would run into the limit of mappings that a process may have.
    fn cover(address: usize) -> bool {
        let page = address & !(PAGE_SIZE.load(SeqCst) - 1);
        for entry in &TABLE {
            let (start, end) = (entry.start.load(SeqCst), entry.end.load(SeqCst));
            // Read again: the entry may have changed hands between the two reads.
            if start == 0 || !(start..end).contains(&address) || entry.start.load(SeqCst) != start {
                continue;
            }
            entry.is_hit.store(true, SeqCst);
            // SAFETY: the range lies in a mapping that this program made and that is alive, since
            // a thread just read from it. It is private and read-only before and after, so nothing
            // but its content changes.
            let zeros = unsafe {
                libc::mmap(
                    page as *mut c_void,
                    end - page,
                    libc::PROT_READ,
                    libc::MAP_FIXED | libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                    -1,
                    0,
                )
            };
            return zeros != libc::MAP_FAILED;
        }
        false
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn addresses_outside_of_our_mappings_are_not_ours() {
            let word = 0_u64;
            assert!(!cover(&raw const word as usize));
            assert!(!cover(0));
            assert!(!cover(usize::MAX));
        }
    }
}

#[cfg(not(unix))]
mod guard {
    /// Other systems do not let a mapped file shrink.
    pub(super) struct Guard;

    impl Guard {
        pub(super) fn new(_mapped: &[u8]) -> Option<Self> {
            Some(Self)
        }

        pub(super) fn was_hit(&self) -> bool {
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    #[cfg(unix)]
    fn a_file_cut_under_the_mapping_reads_as_zeros_and_is_flagged() {
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(&vec![7; 1 << 20]).expect("written");
        let mapping = Mapping::new(&file).expect("mapped").expect("guarded");
        let other = Mapping::new(&file).expect("mapped").expect("guarded");
        assert_eq!(mapping.as_ref()[(1 << 20) - 1], 7);
        file.set_len(5000).expect("cut");
        assert!(!mapping.was_cut());
        assert_eq!(mapping.as_ref()[100], 7);
        let sum: u64 = mapping.as_ref().iter().map(|&b| u64::from(b)).sum();
        assert_eq!(sum, 5000 * 7);
        assert!(mapping.was_cut());
        assert!(!other.was_cut());
        drop(mapping);
        let again = Mapping::new(&file).expect("mapped").expect("guarded");
        assert!(!again.was_cut(), "a new mapping starts without the flag");
    }

    #[test]
    #[cfg(unix)]
    fn many_threads_may_fault_at_once() {
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(&vec![1; 4 << 20]).expect("written");
        let mapping = Mapping::new(&file).expect("mapped").expect("guarded");
        file.set_len(0).expect("cut");
        std::thread::scope(|scope| {
            for first in 0..8_usize {
                let bytes = mapping.as_ref();
                scope.spawn(move || {
                    let own = bytes.chunks(4096).skip(first).step_by(8);
                    assert!(own.flatten().all(|&b| b == 0));
                });
            }
        });
        assert!(mapping.was_cut());
    }
}
