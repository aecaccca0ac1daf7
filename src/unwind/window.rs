//! A copy of the stack words around the frame that is being left.
//!
//! To touch a page of a mapped dump costs a page fault, which maps its neighbours too, and all of them are
//! unmapped at the end. For thousands of stacks of which a page or two are read, that is half of the
//! time of the program; a read of the few kilobytes that a walk needs costs a fifth of it.

use crate::model::AddressSpace;

/// Most stacks from the system call to the start of the thread fit into it, and no more than two pages are read.
const SIZE: usize = 2048;

/// What should follow the stack pointer: most frames are smaller.
const LEAST_AHEAD: usize = 512;

/// A part of a stack.
pub(super) struct Window {
    start: u64,
    length: usize,
    /// Whether the memory goes on behind it.
    is_full: bool,
    buffer: Box<[u8; SIZE]>,
}

impl Default for Window {
    fn default() -> Self {
        Self { start: 0, length: 0, is_full: false, buffer: Box::new([0; SIZE]) }
    }
}

impl Window {
    /// Moves to this stack pointer, unless what is there is in the window already. It stays empty
    /// where the memory can be copied no faster than read.
    pub(super) fn cover(&mut self, sp: u64, memory: &dyn AddressSpace) {
        let ahead = sp.checked_sub(self.start).and_then(|delta| self.length.checked_sub(delta as usize));
        let suffices = ahead.is_some_and(|ahead| ahead >= LEAST_AHEAD || (ahead > 0 && !self.is_full));
        if !suffices {
            self.start = sp;
            self.length = memory.copy(sp, &mut *self.buffer);
            self.is_full = self.length == SIZE;
        }
    }

    fn get(&self, address: u64, length: usize) -> Option<&[u8]> {
        let at = usize::try_from(address.checked_sub(self.start)?).ok()?;
        self.buffer[..self.length].get(at..at.checked_add(length)?)
    }
}

/// Memory as one step sees it: through the window where that has it.
pub(super) struct Windowed<'a> {
    pub(super) window: &'a Window,
    pub(super) memory: &'a dyn AddressSpace,
}

impl AddressSpace for Windowed<'_> {
    fn bytes(&self, address: u64, length: usize) -> Option<&[u8]> {
        self.window.get(address, length).or_else(|| self.memory.bytes(address, length))
    }

    fn is_executable(&self, address: u64) -> bool {
        self.memory.is_executable(address)
    }

    fn is_writable(&self, address: u64) -> bool {
        self.memory.is_writable(address)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Bytes from 0x1000 on, each the low byte of its address; counts copies and reads.
    struct Bytes {
        bytes: Vec<u8>,
        copies: AtomicUsize,
        reads: AtomicUsize,
    }

    impl Bytes {
        fn new(length: usize) -> Self {
            let bytes = (0..length).map(|n| n as u8).collect();
            Self { bytes, copies: AtomicUsize::new(0), reads: AtomicUsize::new(0) }
        }
    }

    impl AddressSpace for Bytes {
        fn bytes(&self, address: u64, length: usize) -> Option<&[u8]> {
            self.reads.fetch_add(1, Ordering::Relaxed);
            self.bytes.get(usize::try_from(address.checked_sub(0x1000)?).ok()?..)?.get(..length)
        }

        fn is_executable(&self, _address: u64) -> bool {
            false
        }

        fn is_writable(&self, _address: u64) -> bool {
            true
        }

        fn copy(&self, address: u64, buffer: &mut [u8]) -> usize {
            self.copies.fetch_add(1, Ordering::Relaxed);
            let Some(rest) = address.checked_sub(0x1000).and_then(|at| self.bytes.get(at as usize..)) else {
                return 0;
            };
            let length = rest.len().min(buffer.len());
            buffer[..length].copy_from_slice(&rest[..length]);
            length
        }
    }

    #[test]
    fn every_word_is_the_same_as_without_a_window() {
        let memory = Bytes::new(3 * SIZE);
        let mut window = Window::default();
        for sp in (0xf00..0x1000 + 3 * SIZE as u64 + 64).step_by(104) {
            window.cover(sp, &memory);
            let windowed = Windowed { window: &window, memory: &memory };
            for address in (sp.saturating_sub(64)..sp + 2 * LEAST_AHEAD as u64).step_by(8) {
                assert_eq!(windowed.word(address), memory.word(address), "{address:#x} at {sp:#x}");
            }
        }
    }

    #[test]
    fn one_copy_serves_the_frames_of_a_stack() {
        let memory = Bytes::new(SIZE - 100);
        let mut window = Window::default();
        for sp in (0x1000..0x1000 + memory.bytes.len() as u64 - 60).step_by(80) {
            window.cover(sp, &memory);
            assert!(Windowed { window: &window, memory: &memory }.word(sp + 40).is_some());
        }
        assert_eq!(memory.copies.load(Ordering::Relaxed), 1);
        assert_eq!(memory.reads.load(Ordering::Relaxed), 0);
    }
}
