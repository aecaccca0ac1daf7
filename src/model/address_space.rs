//! What later stages may ask of a process's memory, wherever the bytes come from.

/// Memory of a process: what the dump holds and, for read-only file mappings, what the verified
/// file holds. `None` is *unknown*.
pub trait AddressSpace: Sync {
    /// `length` bytes at `address`.
    fn bytes(&self, address: u64, length: usize) -> Option<&[u8]>;

    /// Whether code may run at this address.
    fn is_executable(&self, address: u64) -> bool;

    /// Whether the process may write at this address.
    fn is_writable(&self, address: u64) -> bool;

    /// Copies bytes from `address` on, as many as are known and fit; returns how many. Fewer, or
    /// none, where a copy is not faster than to touch the bytes.
    fn copy(&self, _address: u64, _buffer: &mut [u8]) -> usize {
        0
    }

    /// A little-endian 64-bit word.
    fn word(&self, address: u64) -> Option<u64> {
        Some(u64::from_le_bytes(self.bytes(address, 8)?.try_into().ok()?))
    }

    /// A little-endian 32-bit word.
    fn half(&self, address: u64) -> Option<u32> {
        Some(u32::from_le_bytes(self.bytes(address, 4)?.try_into().ok()?))
    }
}
