//! What the calls that can block mean, and which argument is what.

use super::{Io, SyscallKind as Kind, Timeout, TimeoutForm};

/// What a call means. Arguments are counted from 0.
pub(super) struct Meaning {
    pub name: &'static str,
    pub kind: Kind,
    /// The argument that is a file descriptor.
    pub fd: Option<u8>,
    /// The argument that says how many bytes or entries.
    pub count: Option<u8>,
    pub timeout: Option<Timeout>,
}

const fn row(name: &'static str, kind: Kind) -> Meaning {
    Meaning { name, kind, fd: None, count: None, timeout: None }
}

impl Meaning {
    const fn fd(self, arg: u8) -> Self {
        Self { fd: Some(arg), ..self }
    }

    const fn count(self, arg: u8) -> Self {
        Self { count: Some(arg), ..self }
    }

    const fn ms(self, arg: u8) -> Self {
        Self { timeout: Some(Timeout { arg, form: TimeoutForm::Milliseconds }), ..self }
    }

    const fn timespec(self, arg: u8) -> Self {
        Self { timeout: Some(Timeout { arg, form: TimeoutForm::Timespec }), ..self }
    }

    const fn timeval(self, arg: u8) -> Self {
        Self { timeout: Some(Timeout { arg, form: TimeoutForm::Timeval }), ..self }
    }
}

/// The calls, by kind. Source: their manual pages (section 2) and `include/linux/syscalls.h`. What is
/// not here is [`Kind::Other`].
pub(super) const MEANINGS: &[Meaning] = &[
    row("futex", Kind::FutexWait).timespec(3),
    row("futex_waitv", Kind::FutexWait).count(1).timespec(3),
    row("futex_wait", Kind::FutexWait).timespec(4),
    row("read", Kind::Io(Io::Read)).fd(0).count(2),
    row("pread64", Kind::Io(Io::Read)).fd(0).count(2),
    row("readv", Kind::Io(Io::Read)).fd(0),
    row("preadv", Kind::Io(Io::Read)).fd(0),
    row("preadv2", Kind::Io(Io::Read)).fd(0),
    row("getdents", Kind::Io(Io::Read)).fd(0).count(2),
    row("getdents64", Kind::Io(Io::Read)).fd(0).count(2),
    row("readahead", Kind::Io(Io::Read)).fd(0).count(2),
    row("write", Kind::Io(Io::Write)).fd(0).count(2),
    row("pwrite64", Kind::Io(Io::Write)).fd(0).count(2),
    row("writev", Kind::Io(Io::Write)).fd(0),
    row("pwritev", Kind::Io(Io::Write)).fd(0),
    row("pwritev2", Kind::Io(Io::Write)).fd(0),
    row("ftruncate", Kind::Io(Io::Write)).fd(0),
    row("fallocate", Kind::Io(Io::Write)).fd(0),
    row("sendfile", Kind::Io(Io::Write)).fd(0).count(3),
    row("copy_file_range", Kind::Io(Io::Write)).fd(2).count(4),
    row("splice", Kind::Io(Io::Write)).fd(2).count(4),
    row("tee", Kind::Io(Io::Write)).fd(1).count(2),
    row("vmsplice", Kind::Io(Io::Write)).fd(0),
    row("recvfrom", Kind::Io(Io::Receive)).fd(0).count(2),
    row("recvmsg", Kind::Io(Io::Receive)).fd(0),
    row("recvmmsg", Kind::Io(Io::Receive)).fd(0).timespec(4),
    row("sendto", Kind::Io(Io::Send)).fd(0).count(2),
    row("sendmsg", Kind::Io(Io::Send)).fd(0),
    row("sendmmsg", Kind::Io(Io::Send)).fd(0),
    row("connect", Kind::Io(Io::Connect)).fd(0),
    row("open", Kind::Io(Io::Path)),
    row("openat", Kind::Io(Io::Path)),
    row("openat2", Kind::Io(Io::Path)),
    row("creat", Kind::Io(Io::Path)),
    row("stat", Kind::Io(Io::Path)),
    row("lstat", Kind::Io(Io::Path)),
    row("newfstatat", Kind::Io(Io::Path)),
    row("statx", Kind::Io(Io::Path)),
    row("access", Kind::Io(Io::Path)),
    row("faccessat", Kind::Io(Io::Path)),
    row("faccessat2", Kind::Io(Io::Path)),
    row("rename", Kind::Io(Io::Path)),
    row("renameat", Kind::Io(Io::Path)),
    row("renameat2", Kind::Io(Io::Path)),
    row("unlink", Kind::Io(Io::Path)),
    row("unlinkat", Kind::Io(Io::Path)),
    row("mkdir", Kind::Io(Io::Path)),
    row("mkdirat", Kind::Io(Io::Path)),
    row("rmdir", Kind::Io(Io::Path)),
    row("statfs", Kind::Io(Io::Path)),
    row("mount", Kind::Io(Io::Path)),
    row("umount2", Kind::Io(Io::Path)),
    row("close", Kind::Io(Io::Control)).fd(0),
    row("fstat", Kind::Io(Io::Control)).fd(0),
    row("ioctl", Kind::Io(Io::Control)).fd(0),
    row("io_uring_enter", Kind::Io(Io::Completion)).fd(0).count(2),
    row("io_getevents", Kind::Io(Io::Completion)).count(1).timespec(4),
    row("io_pgetevents", Kind::Io(Io::Completion)).count(1).timespec(4),
    row("accept", Kind::Accept).fd(0),
    row("accept4", Kind::Accept).fd(0),
    row("poll", Kind::Poll).count(1).ms(2),
    row("ppoll", Kind::Poll).count(1).timespec(2),
    row("select", Kind::Poll).count(0).timeval(4),
    row("pselect6", Kind::Poll).count(0).timespec(4),
    row("epoll_wait", Kind::Poll).fd(0).count(2).ms(3),
    row("epoll_pwait", Kind::Poll).fd(0).count(2).ms(3),
    row("epoll_pwait2", Kind::Poll).fd(0).count(2).timespec(3),
    row("nanosleep", Kind::Sleep).timespec(0),
    row("clock_nanosleep", Kind::Sleep).timespec(2),
    row("pause", Kind::Signal),
    row("rt_sigtimedwait", Kind::Signal).timespec(2),
    row("rt_sigsuspend", Kind::Signal),
    row("wait4", Kind::ChildWait),
    row("waitid", Kind::ChildWait),
    row("vfork", Kind::ChildWait),
    row("fsync", Kind::Sync).fd(0),
    row("fdatasync", Kind::Sync).fd(0),
    row("sync_file_range", Kind::Sync).fd(0).count(2),
    row("syncfs", Kind::Sync).fd(0),
    row("sync", Kind::Sync),
    row("msync", Kind::Sync).count(1),
    row("flock", Kind::FileLock).fd(0),
    row("fcntl", Kind::FileLock).fd(0),
    row("semop", Kind::Ipc).count(2),
    row("semtimedop", Kind::Ipc).count(2).timespec(3),
    row("msgrcv", Kind::Ipc).count(2),
    row("msgsnd", Kind::Ipc).count(2),
    row("mq_timedreceive", Kind::Ipc).fd(0).count(2).timespec(4),
    row("mq_timedsend", Kind::Ipc).fd(0).count(2).timespec(4),
    row("sched_yield", Kind::Yield),
    row("exit", Kind::Exit),
    row("exit_group", Kind::Exit),
];
