//! The binary: everything happens in the library. Here stands only what a library must not choose for others: the
//! allocator.

fn main() -> std::process::ExitCode {
    logjam::cli::run()
}

/// A dump of ten thousand threads is read in less time than the kernel needs to hand out its memory in pages of 4 KiB,
/// and glibc's heaps of threads grow by one page and one system call at a time. On other systems the program has the
/// allocator of the system.
#[cfg(all(feature = "jemalloc", target_os = "linux", target_arch = "x86_64"))]
mod allocator {
    #![allow(unsafe_code)]

    #[global_allocator]
    static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

    /// Huge pages, where the system offers them. What is freed is used again for some seconds before it is given back:
    /// the program seldom runs longer.
    ///
    /// SAFETY: this is the name under which jemalloc looks for a pointer to its options, a C string; nothing else has
    /// that name, and both live as long as the program.
    #[used]
    #[unsafe(export_name = "_rjem_malloc_conf")]
    static OPTIONS: &[u8; 49] = b"thp:always,dirty_decay_ms:3000,muzzy_decay_ms:-1\0";
}
