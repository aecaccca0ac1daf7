//! Where a stack of `/proc` ends. `cat` prints those of several tasks without anything between them:
//!
//! ```text
//! [<0>] rtnl_lock+0x15/0x20
//! [<0>] do_syscall_64+0x5b/0xc0
//! [<0>] entry_SYSCALL_64_after_hwframe+0x6e/0xd8          where a program enters the kernel: nobody called that
//! [<0>] ep_poll+0x2d9/0x3d0                               of the next task
//!
//! [<ffffffff8109ae10>] kthread+0xd0/0xe0
//! [<ffffffff815f24ec>] ret_from_fork+0x7c/0xb0
//! [<ffffffffffffffff>] 0xffffffffffffffff                 before 5.2
//! ```
//!
//! Source: Linux 4.4-6.18 fs/proc/base.c (`proc_pid_stack`), arch/x86/entry/entry_64.S, entry_64_compat.S, entry_32.S,
//! arch/arm64/kernel/entry.S, arch/arm/kernel/entry-common.S, arch/powerpc/kernel/, arch/s390/kernel/entry.S,
//! arch/riscv/kernel/entry.S, arch/loongarch/kernel/entry.S.

use super::frame::{self, StackLine};
use crate::model::lossy;

/// Functions in which a stack ends: they enter the kernel, or a task begins in them. Where two of them follow each other
/// they are of one stack: `ret_from_fork`, `ret_from_fork_asm`; `el0_svc`, `el0t_64_sync_handler`, `el0t_64_sync`.
static LAST: &[&str] = &[
    "entry_SYSCALL_64",
    "entry_SYSCALL_64_after_hwframe",
    "entry_SYSCALL_64_fastpath",
    "entry_SYSCALL_64_after_swapgs",
    "entry_SYSCALL_compat",
    "entry_SYSCALL_compat_after_hwframe",
    "entry_SYSENTER_compat",
    "entry_SYSENTER_compat_after_hwframe",
    "entry_SYSENTER_32",
    "entry_INT80_32",
    "entry_INT80_compat",
    "asm_int80_emulation",
    "system_call_fastpath",
    "sysenter_dispatch",
    "cstar_dispatch",
    "ret_from_fork",
    "ret_from_fork_asm",
    "ret_from_kernel_thread",
    "ret_from_kernel_user_thread",
    "start_kernel_thread",
    "el0_svc",
    "el0_svc_naked",
    "el0_svc_compat",
    "el0_sync_handler",
    "el0_sync",
    "el0_sync_compat_handler",
    "el0_sync_compat",
    "el0t_64_sync_handler",
    "el0t_64_sync",
    "el0t_32_sync_handler",
    "el0t_32_sync",
    "ret_fast_syscall",
    "system_call",
    "system_call_common",
    "system_call_vectored_common",
    "ret_from_syscall",
    "handle_syscall",
];

/// Whether a stack has ended with the frame `above`, and another one begins with this one.
pub(super) fn parts(above: &[u8], line: &[u8]) -> bool {
    let bounds = (part(above), part(line));
    matches!(bounds, (Some(Part::Mark), Some(_)) | (Some(Part::Last), Some(Part::Frame)))
}

/// Where in a stack a frame is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Frame,
    Last,
    /// `0xffffffffffffffff`, behind all frames.
    Mark,
}

fn part(line: &[u8]) -> Option<Part> {
    if line.trim_ascii_end().ends_with(b"] 0xffffffffffffffff") {
        return Some(Part::Mark);
    }
    match frame::read(&lossy(line))? {
        StackLine::Frame(frame, _) => {
            let name = frame.function.as_deref().unwrap_or_default();
            Some(if LAST.contains(&name) { Part::Last } else { Part::Frame })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::functions;
    use super::*;
    use crate::formats::testing::{cut_everywhere, read_one};

    #[test]
    fn frames_that_end_a_stack() {
        let parts = |above: &str, line: &str| {
            parts(format!("[<0>] {above}").as_bytes(), format!("[<0>] {line}").as_bytes())
        };
        let (mark, next) = ("0xffffffffffffffff", "log_append+0x1/0x2");
        for last in
            ["entry_SYSCALL_64_after_hwframe+0x6e/0xd8", "ret_from_fork+0x7c/0xb0", "el0_svc+0x8/0xc", mark]
        {
            assert!(parts(last, next), "{last}");
        }
        for (above, line) in [
            ("do_syscall_64+0x5b/0xc0", next),
            ("ret_from_fork+0x31/0x50", "ret_from_fork_asm+0x1a/0x30"),
            ("ret_from_fork+0x7c/0xb0", mark),
            ("el0_svc+0x40/0xe8", "el0t_64_sync_handler+0xc0/0xc8"),
            ("asm_exc_page_fault+0x26/0x30", next),
        ] {
            assert!(!parts(above, line), "{above} {line}");
        }
    }

    #[test]
    fn stacks_with_nothing_between_them() {
        let new = "$ for p in 12 13; do cat /proc/$p/stack; done\n[<0>] rtnl_lock+0x15/0x20\n[<0>] do_syscall_64+0x5b/0xc0\n[<0>] entry_SYSCALL_64_after_hwframe+0x6e/0xd8\n[<0>] ep_poll+0x2d9/0x3d0\n[<0>] entry_SYSCALL_64_after_hwframe+0x6e/0xd8\n[<0>] worker_thread+0x1/0x2\n[<0>] ret_from_fork+0x31/0x50\n[<0>] ret_from_fork_asm+0x1a/0x30\n";
        let snapshot = read_one(new);
        let depths: Vec<_> = (0..snapshot.threads.len()).map(|n| functions(&snapshot, n).len()).collect();
        assert_eq!(depths, [3, 2, 3]);
        let old = "$ cat /proc/2000/task/*/stack\n[<ffffffff810b0a3a>] futex_wait_queue_me+0xca/0x130\n[<ffffffff81646b49>] system_call_fastpath+0x16/0x1b\n[<ffffffffffffffff>] 0xffffffffffffffff\n[<ffffffff81219e3e>] ep_poll+0x23e/0x360\n[<ffffffff81646b49>] system_call_fastpath+0x16/0x1b\n[<ffffffffffffffff>] 0xffffffffffffffff\n";
        let snapshot = read_one(old);
        assert_eq!(snapshot.threads.len(), 2);
        assert_eq!(functions(&snapshot, 1), ["ep_poll", "system_call_fastpath"]);
        let ids: Vec<_> = snapshot.threads.iter().map(|thread| thread.id.to_string()).collect();
        assert!(ids[0] != ids[1], "{ids:?}");
        cut_everywhere(new);
        cut_everywhere(old);
        // What stands in a report is one stack.
        let report = "[   1.0] INFO: task logd:71 blocked for more than 120 seconds.\n[   1.0] task:logd            state:D stack:0     pid:71    ppid:1      flags:0x00004002\n[   1.0] Call Trace:\n[   1.0] [<ffffffff8109ae10>] log_append+0xd0/0xe0\n[   1.0] [<ffffffff815f24ec>] ret_from_fork+0x7c/0xb0\n[   1.0] [<ffffffff8109ae11>] log_start+0xd0/0xe0\n";
        assert_eq!(read_one(report).threads.len(), 1);
    }
}
