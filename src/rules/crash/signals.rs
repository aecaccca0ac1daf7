//! What signals, their codes and the functions that end a process say of why it ended.

use crate::rules::finding::Severity;

/// Signals by what they mean for the process. The others (a request to end, to dump) are `info`.
pub(super) const SEVERITIES: &[(&str, Severity, &str)] = &[
    ("SIGSEGV", Severity::Critical, "invalid memory access"),
    ("SIGBUS", Severity::Critical, "access to memory that is not backed or not aligned"),
    ("SIGILL", Severity::Critical, "illegal instruction"),
    ("SIGFPE", Severity::Critical, "arithmetic error"),
    ("SIGTRAP", Severity::Critical, "trap"),
    ("SIGSYS", Severity::Critical, "forbidden system call"),
    ("SIGSTKFLT", Severity::Critical, "stack fault"),
    ("EXCEPTION_ACCESS_VIOLATION", Severity::Critical, "invalid memory access"),
    ("EXCEPTION_IN_PAGE_ERROR", Severity::Critical, "memory could not be read from its file"),
    ("EXCEPTION_STACK_OVERFLOW", Severity::Critical, "the stack is full"),
    // A dump says no more where it does not show the operation.
    (
        "EXCEPTION_BREAKPOINT",
        Severity::Critical,
        "a breakpoint in the program's own code: a failed check, unless somebody set it in a debugger",
    ),
    ("EXCEPTION_ILLEGAL_INSTRUCTION", Severity::Critical, "illegal instruction"),
    ("EXCEPTION_PRIV_INSTRUCTION", Severity::Critical, "illegal instruction"),
    ("EXCEPTION_INT_DIVIDE_BY_ZERO", Severity::Critical, "an integer was divided by zero"),
    ("EXCEPTION_INT_OVERFLOW", Severity::Critical, "an integer overflowed"),
    ("EXCEPTION_FLT_DIVIDE_BY_ZERO", Severity::Critical, "a number was divided by zero"),
    ("EXCEPTION_ARRAY_BOUNDS_EXCEEDED", Severity::Critical, "an index was out of bounds"),
    ("EXCEPTION_NONCONTINUABLE_EXCEPTION", Severity::Critical, "an exception could not be continued"),
    ("STATUS_HEAP_CORRUPTION", Severity::Critical, "the heap is damaged"),
    (
        "STATUS_STACK_BUFFER_OVERRUN",
        Severity::Critical,
        "the process failed fast (a check, abort or a damaged stack)",
    ),
    (
        "STATUS_INVALID_CRUNTIME_PARAMETER",
        Severity::Critical,
        "a function of the C library got an invalid argument",
    ),
    ("STATUS_ASSERTION_FAILURE", Severity::Critical, "an assertion failed"),
    ("C++ exception", Severity::Critical, "a C++ exception that nobody caught"),
    ("CLR exception", Severity::Critical, "an exception of .NET that nobody caught"),
    ("EXC_BAD_ACCESS", Severity::Critical, "invalid memory access"),
    ("EXC_GUARD", Severity::Critical, "misuse of a guarded resource (a file descriptor, a Mach port)"),
    ("SIGABRT", Severity::High, "the process ended itself (abort)"),
    ("SIGXCPU", Severity::High, "the limit of CPU time was exceeded"),
    ("SIGXFSZ", Severity::High, "the limit of file size was exceeded"),
];

/// Those whose address says what pointer was bad.
pub(super) const MEMORY_FAULTS: &[&str] = &["SIGSEGV", "EXCEPTION_ACCESS_VIOLATION", "EXC_BAD_ACCESS"];

/// Names of `si_code` by signal (`asm-generic/siginfo.h`).
pub(super) const CODES: &[(&str, i32, &str, &str)] = &[
    ("SIGSEGV", 1, "SEGV_MAPERR", "no memory is mapped there"),
    ("SIGSEGV", 2, "SEGV_ACCERR", "the memory there does not allow the access"),
    ("SIGBUS", 1, "BUS_ADRALN", "the address is not aligned"),
    ("SIGBUS", 2, "BUS_ADRERR", "the file behind the memory ends before it"),
    ("SIGBUS", 4, "BUS_MCEERR_AR", "the memory is broken"),
    ("SIGFPE", 1, "FPE_INTDIV", "an integer was divided by zero"),
    ("SIGFPE", 2, "FPE_INTOVF", "an integer overflowed"),
    ("SIGFPE", 3, "FPE_FLTDIV", "a number was divided by zero"),
    ("SIGILL", 1, "ILL_ILLOPC", "no such operation"),
    ("SIGILL", 2, "ILL_ILLOPN", "no such operand"),
    ("SIGTRAP", 1, "TRAP_BRKPT", "a breakpoint"),
];

/// How the functions of Go's runtime begin. The map that two goroutines wrote is not its fault: who called it is
/// the place, as for a nil pointer.
pub(super) const GO_RUNTIME: &[&str] = &["runtime.", "runtime/internal/", "internal/runtime/"];

/// Modules inside of which somebody fails whom a caller let down: a JVM, which does what Java code has it do; the C
/// library; Apple's runtimes of Objective-C and Swift with their collections; and what starts threads, at the outer end of stacks whose inner frames may all be the JVM's. In lower case.
pub(super) const RUNTIMES: &[&str] = &[
    "libjvm.so",
    "libjvm.dylib",
    "jvm.dll",
    "libjli.so",
    "libjli.dylib",
    "jli.dll",
    "java.exe",
    "javaw.exe",
    "libpthread.so.0",
    "libc.so.6",
    "libsystem_pthread.dylib",
    "msvcrt.dll",
    "msvcr100.dll",
    "msvcr120.dll",
    "msvcp140.dll",
    "vcruntime140.dll",
    "ucrtbase.dll",
    "kernel32.dll",
    "kernelbase.dll",
    "ntdll.dll",
    // Apple's: what they throw or trip over they were given.
    "corefoundation",
    "com.apple.corefoundation",
    "foundation",
    "com.apple.foundation",
    "libobjc.a.dylib",
    "libc++abi.dylib",
    "libsystem_c.dylib",
    "libsystem_malloc.dylib",
    "libsystem_platform.dylib",
    "libswiftcore.dylib",
];

/// How functions begin through which Java code has the JVM touch memory, and the JVM's own pieces of machine code.
///
/// Source: OpenJDK 8-25 jdk/internal/misc/Unsafe.java; runtime/stubRoutines.cpp, code/codeBlob.cpp.
pub(super) const JVM_CALLS: &[&str] =
    &["sun.misc.Unsafe.", "jdk.internal.misc.Unsafe.", "StubRoutines::", "RuntimeStub::", "BufferBlob::"];

/// Why a process ends itself, as the functions in the stack of the thread say it: beginnings of
/// normalized names, the most telling first.
pub(super) const ABORTS: &[(&str, &str)] = &[
    ("__assert_fail", "an assertion failed"),
    ("assert_fail", "an assertion failed"),
    ("__stack_chk_fail", "the stack was overwritten (stack smashing detected)"),
    ("stack_chk_fail", "the stack was overwritten (stack smashing detected)"),
    ("__fortify_fail", "a buffer would have overflowed (_FORTIFY_SOURCE)"),
    ("fortify_fail", "a buffer would have overflowed (_FORTIFY_SOURCE)"),
    ("malloc_printerr", "the heap is damaged (a check of malloc failed)"),
    ("scudo::report", "the heap is damaged (a check of the allocator failed)"),
    ("__cxa_pure_virtual", "a pure virtual function was called"),
    ("__verbose_terminate_handler", "an exception that nobody caught ended it (std::terminate)"),
    ("__gnu_cxx::__verbose_terminate_handler", "an exception that nobody caught ended it (std::terminate)"),
    ("std::terminate", "an exception that nobody caught ended it (std::terminate)"),
    ("__cxxabiv1::__terminate", "an exception that nobody caught ended it (std::terminate)"),
    ("std::panicking", "a panic of Rust ended it"),
    ("core::panicking", "a panic of Rust ended it"),
    ("rust_panic", "a panic of Rust ended it"),
    ("rust_begin_unwind", "a panic of Rust ended it"),
    ("runtime.gopanic", "a panic of Go ended it"),
    ("runtime.fatalthrow", "the Go runtime ended it"),
    ("_Py_FatalError", "a fatal error of the Python interpreter ended it"),
];
