//! Memory allocators other than the C library's, and the operators that call one.

use super::row::*;
use crate::normalize::ResourceClass::{Allocator, Gc};
use crate::normalize::WaitKind::*;

/// All rows.
pub static TABLE: &[Source] = &[
    source(
        "jemalloc 5.3 src/mutex.c, arena.c, tcache.c; with and without the prefix je_",
        &[
            lock("malloc_mutex_lock_slow", Mutex).of(Allocator),
            lock("je_malloc_mutex_lock_slow", Mutex).of(Allocator),
            lock("_rjem_je_malloc_mutex_lock_slow", Mutex).of(Allocator),
            lock("malloc_mutex_lock", Mutex).of(Allocator),
            lock("malloc_mutex_lock_final", Mutex).of(Allocator),
            lock("je_malloc_mutex_lock", Mutex).of(Allocator),
            runtime("je_*").of(Allocator),
            runtime("_rjem_*").of(Allocator),
            runtime("imalloc*").of(Allocator),
            runtime("ifree").of(Allocator),
            runtime("arena_malloc_hard").of(Allocator),
            runtime("arena_slab_alloc").of(Allocator),
            runtime("tcache_alloc_small_hard").of(Allocator),
            runtime("tcache_bin_flush_*").of(Allocator),
            runtime("extent_alloc_*").of(Allocator),
        ],
    ),
    source(
        "gperftools 2.10 src/tcmalloc.cc, thread_cache.cc, base/spinlock.cc; google/tcmalloc",
        &[
            spin("SpinLock::SlowLock").of(Allocator),
            spin("SpinLock::SpinLoop").of(Allocator),
            spin("base::internal::SpinLockDelay").of(Allocator),
            runtime("tc_*").of(Allocator),
            runtime("tcmalloc::*").of(Allocator),
            runtime("(anonymous namespace)::do_malloc*").of(Allocator),
            runtime("(anonymous namespace)::do_free*").of(Allocator),
            runtime("(anonymous namespace)::cpp_alloc").of(Allocator),
            runtime("TCMallocInternal*").of(Allocator),
        ],
    ),
    source(
        "mimalloc 2.1, Hoard, scudo, bionic jemalloc, oneTBB scalable allocator, PartitionAlloc, bmalloc",
        &[
            runtime("mi_*").of(Allocator),
            runtime("_mi_*").of(Allocator),
            lock("scudo::HybridMutex::lock*", Mutex).of(Allocator),
            runtime("scudo::*").of(Allocator),
            runtime("scalable_*").of(Allocator),
            runtime("rml::internal::*").of(Allocator),
            runtime("partition_alloc::*").of(Allocator),
            runtime("bmalloc::Allocator::*").of(Allocator),
            runtime("bmalloc::Cache::*").of(Allocator),
            runtime("bmalloc::Deallocator::*").of(Allocator),
            runtime("__interceptor_malloc").of(Allocator),
            runtime("__asan::Allocator::*").of(Allocator),
        ],
    ),
    source(
        "gcc 12 libsupc++/new_op.cc, del_op.cc; rustc 1.95 library/alloc/src/alloc.rs",
        &[
            runtime("operator new*").of(Allocator),
            runtime("operator delete*").of(Allocator),
            runtime("__rust_alloc*").of(Allocator),
            runtime("__rust_dealloc").of(Allocator),
            runtime("__rust_realloc").of(Allocator),
            runtime("__rustc::__rust_*alloc").of(Allocator),
            runtime("alloc::alloc::alloc*").of(Allocator),
            runtime("alloc::alloc::dealloc").of(Allocator),
            runtime("alloc::alloc::realloc").of(Allocator),
            runtime("__rdl_*").of(Allocator),
        ],
    ),
    source(
        "Boehm GC 8.2 pthread_support.c, V8 11 src/heap, SpiderMonkey, Ruby 3 gc.c, OCaml 5",
        &[
            lock("GC_lock", Mutex).of(Gc),
            lock("GC_generic_lock", Mutex).of(Gc),
            runtime("GC_stop_world").of(Gc),
            runtime("GC_malloc*").of(Gc),
            runtime("GC_collect*").of(Gc),
            runtime("v8::internal::Heap::CollectGarbage*").of(Gc),
            runtime("v8::internal::GlobalSafepoint::*").of(Gc),
            runtime("v8::internal::IsolateSafepoint::*").of(Gc),
            runtime("js::gc::GCRuntime::*").of(Gc),
            runtime("rb_gc*").of(Gc),
            runtime("gc_start").of(Gc),
            runtime("gc_marks*").of(Gc),
            runtime("caml_major_collection_slice").of(Gc),
        ],
    ),
];
