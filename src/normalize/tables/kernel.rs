//! The Linux kernel, as hung-task reports, `sysrq-t` and `/proc/PID/stack` print it.

use super::row::*;
use crate::normalize::WaitKind::*;

/// All rows.
pub static TABLE: &[Source] = &[
    source(
        "Linux 4.19-6.18 kernel/locking/mutex.c, rtmutex.c, rwsem.c, semaphore.c, qspinlock.c, osq_lock.c",
        &[
            lock("__mutex_lock_slowpath", Mutex),
            lock("__mutex_lock_common", Mutex),
            lock("__mutex_lock", Mutex),
            lock("mutex_lock_nested", Mutex),
            lock("mutex_lock_killable*", Mutex),
            lock("mutex_lock_interruptible*", Mutex),
            lock("mutex_lock_io*", Mutex),
            lock("__ww_mutex_lock*", Mutex),
            lock("ww_mutex_lock*", Mutex),
            lock("rt_mutex_slowlock*", Mutex),
            lock("__rt_mutex_slowlock*", Mutex),
            lock("rt_mutex_lock*", Mutex),
            lock("rt_spin_lock*", Mutex),
            lock("rtlock_slowlock*", Mutex),
            lock("rwsem_down_read_slowpath", RwLockRead),
            lock("rwsem_down_read_failed*", RwLockRead),
            lock("call_rwsem_down_read_failed*", RwLockRead),
            lock("down_read_killable*", RwLockRead),
            lock("__down_read*", RwLockRead),
            lock("rwsem_down_write_slowpath", RwLockWrite),
            lock("rwsem_down_write_failed*", RwLockWrite),
            lock("call_rwsem_down_write_failed*", RwLockWrite),
            lock("down_write_killable*", RwLockWrite),
            lock("__down_write*", RwLockWrite),
            lock("__down", Semaphore),
            lock("__down_common", Semaphore),
            lock("___down_common", Semaphore),
            lock("percpu_rwsem_wait", RwLockRead),
            lock("__percpu_down_read", RwLockRead),
            lock("percpu_down_write", RwLockWrite),
            lock("__lock_page*", OtherIo),
            lock("folio_lock*", OtherIo),
            lock("__folio_lock*", OtherIo),
            spin("native_queued_spin_lock_slowpath"),
            spin("queued_spin_lock_slowpath"),
            spin("__pv_queued_spin_lock_slowpath"),
            spin("queued_read_lock_slowpath"),
            spin("queued_write_lock_slowpath"),
            spin("_raw_spin_lock*"),
            spin("_raw_read_lock*"),
            spin("_raw_write_lock*"),
            spin("do_raw_spin_lock*"),
            spin("do_raw_read_lock*"),
            spin("do_raw_write_lock*"),
            spin("osq_lock"),
            spin("mutex_spin_on_owner"),
            spin("rwsem_spin_on_owner"),
            spin("rwsem_optimistic_spin"),
            spin("mutex_optimistic_spin"),
            spin("cpu_relax"),
        ],
    ),
    source(
        "Linux 2.6.18-4.18 arch/x86/include/asm/spinlock.h, arch/x86/lib/rwlock_64.S, include/linux/spinlock.h; arch/*/include/asm/spinlock.h",
        &[
            spin("arch_spin_lock*"),
            spin("arch_read_lock*"),
            spin("arch_write_lock*"),
            spin("__ticket_spin_lock*"),
            spin("__raw_spin_lock*"),
            spin("__raw_read_lock*"),
            spin("__raw_write_lock*"),
            spin("__read_lock_failed"),
            spin("__write_lock_failed"),
        ],
    ),
    only(
        Scope::Bare,
        "Linux 2.6.18-2.6.32 kernel/spinlock.c: words that programs use too",
        &[
            spin("_spin_lock_irq*"),
            spin("_spin_lock_bh"),
            spin("_read_lock"),
            spin("_read_lock_irq*"),
            spin("_read_lock_bh"),
            spin("_write_lock"),
            spin("_write_lock_irq*"),
            spin("_write_lock_bh"),
        ],
    ),
    source(
        "Linux 2.6.18-6.18 net/core/sock.c: the lock of a socket",
        &[lock("lock_sock_nested", Mutex), lock("__lock_sock", Mutex), lock("lock_sock_fast*", Mutex)],
    ),
    only(
        Scope::Bare,
        "Linux 2.6.18-6.18 include/net/sock.h: the lock of a socket, a name that programs use too",
        &[lock("lock_sock", Mutex)],
    ),
    only(
        Scope::Bare,
        "Linux 4.19-6.18 kernel/locking/, kernel/sched/, kernel/panic.c, kernel/kcov.c: words that programs use too",
        &[
            lock("mutex_lock", Mutex),
            lock("down_read", RwLockRead),
            lock("down_read_nested", RwLockRead),
            lock("down_write", RwLockWrite),
            lock("down_write_nested", RwLockWrite),
            lock("down", Semaphore),
            lock("down_interruptible", Semaphore),
            lock("down_timeout", Semaphore),
            runtime("schedule"),
            runtime("__schedule"),
            runtime("__schedule_loop"),
            runtime("__switch_to"),
            runtime("preempt_schedule*"),
            runtime("svc_preempt"),
            runtime("lock_acquire"),
            runtime("__lock_acquire"),
            runtime("validate_chain"),
            runtime("check_noncircular"),
            runtime("check_prev*_add"),
            runtime("__sanitizer_cov_trace_*"),
            abort("panic"),
            abort("vpanic"),
            abort("nmi_panic"),
            abort("handle_bad_stack"),
            runtime("context_switch"),
            base("kthread"),
            work("worker_thread"),
            work("rescuer_thread"),
            work("kswapd"),
            work("rcu_gp_kthread"),
            work("khugepaged"),
            // They leave the processor themselves when there is nothing to do.
            idle("kauditd_thread", Poll),
            idle("smpboot_thread_fn", Poll),
            idle("kthreadd", Poll),
            idle("do_idle", Poll),
            idle("cpu_idle_loop", Poll),
            idle("cpu_startup_entry", Poll),
            idle("cpu_idle", Poll),
            idle("default_idle", Poll),
            idle("default_idle_call", Poll),
            idle("arch_cpu_idle", Poll),
            idle("cpuidle_idle_call", Poll),
            idle("mwait_idle", Poll),
            idle("poll_idle", Poll),
            idle("intel_idle", Poll),
            idle("acpi_idle_enter", Poll),
            idle("acpi_idle_do_entry", Poll),
            idle("acpi_safe_halt", Poll),
            idle("cpuidle_enter", Poll),
            idle("cpuidle_enter_state", Poll),
            idle("native_safe_halt", Poll),
            idle("pv_native_safe_halt", Poll),
            idle("xen_safe_halt", Poll),
            idle("safe_halt", Poll),
            idle("xen_hypercall_sched_op", Poll),
            base("rest_init"),
            base("secondary_startup_64*"),
            base("start_secondary"),
            base("start_kernel"),
        ],
    ),
    source(
        "Linux 4.19-6.18 kernel/sched/completion.c, wait.c, wait_bit.c, core.c, kernel/time/, kernel/futex/",
        &[
            runtime("schedule_preempt_disabled"),
            runtime("schedule_idle"),
            wait("schedule_timeout*", Futex),
            wait("schedule_hrtimeout*", Futex),
            wait("wait_for_completion*", Future),
            wait("__wait_for_common", Future),
            wait("do_wait_for_common", Future),
            wait("wait_for_common*", Future),
            wait("wait_on_completion", Future),
            wait("wait_woken", Condition),
            wait("bit_wait*", OtherIo),
            wait("out_of_line_wait_on_bit*", OtherIo),
            wait("__wait_on_bit*", OtherIo),
            wait("wait_on_bit*", OtherIo),
            wait("io_schedule*", OtherIo),
            wait("wait_on_page_bit*", OtherIo),
            wait("folio_wait_*", OtherIo),
            wait("__wait_on_buffer", OtherIo),
            wait("rpc_wait_bit_killable", OtherIo),
            wait("nfs_wait_bit_killable", OtherIo),
            wait("request_wait_answer", OtherIo),
            wait("jbd2_log_wait_commit", OtherIo),
            wait("submit_bio_wait", OtherIo),
            wait("blk_mq_get_tag", OtherIo),
            wait("rq_qos_wait", OtherIo),
            wait("xfs_buf_iowait", OtherIo),
            wait("balance_dirty_pages", OtherIo),
            wait("__wait_rcu_gp", Barrier),
            wait("synchronize_rcu*", Barrier),
            wait("synchronize_srcu*", Barrier),
            wait("rcu_barrier*", Barrier),
            wait("flush_work*", Future),
            wait("__flush_work*", Future),
            wait("flush_workqueue*", Future),
            wait("__cancel_work*", Future),
            wait("kthread_stop*", Join),
            wait("futex_wait_queue*", Futex),
            wait("do_futex", Futex),
            wait("__*_sys_futex", Futex),
            wait("do_wait", Child),
            wait("kernel_wait4", Child),
            sleep("do_nanosleep"),
            sleep("hrtimer_nanosleep"),
            sleep("common_nsleep*"),
            sleep("msleep*"),
            sleep("usleep_range*"),
            idle("ep_poll", Poll),
            idle("do_epoll_wait", Poll),
            idle("poll_schedule_timeout*", Poll),
            idle("do_sys_poll", Poll),
            idle("do_select", Poll),
            idle("inet_csk_accept", Accept),
            idle("inet_csk_wait_for_connect", Accept),
            idle("do_sigtimedwait", Signal),
        ],
    ),
    source(
        "Linux 2.6.18-6.18 fs/pipe.c, fs/fifo.c: pipes",
        &[
            io("pipe_read", Read),
            io("anon_pipe_read", Read),
            io("fifo_pipe_read", Read),
            io("pipe_write", Write),
            io("anon_pipe_write", Write),
            io("fifo_pipe_write", Write),
            io("pipe_wait", OtherIo),
            io("pipe_wait_readable", Read),
            io("pipe_wait_writable", Write),
            io("wait_for_partner", OtherIo),
        ],
    ),
    source(
        "Linux 4.19-6.18 arch/x86/entry/, arch/arm64/kernel/entry-common.c",
        &[
            base("do_syscall_64"),
            base("entry_SYSCALL_64_after_hwframe"),
            base("entry_SYSCALL_64_fastpath"),
            base("__do_fast_syscall_32"),
            base("entry_SYSENTER_compat_after_hwframe"),
            base("ret_from_fork*"),
            base("el0_svc*"),
            base("el0t_64_sync*"),
            base("el0_sync*"),
            base("invoke_syscall*"),
            base("do_el0_svc*"),
            base("ret_fast_syscall"),
            base("x64_sys_call"),
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::super::find;
    use super::*;
    use crate::normalize::{Role, WaitKind};

    /// The role of a function in a stack of the kernel, and in a program.
    fn roles(name: &str) -> (Option<Role>, Option<Role>) {
        let role = |row: Option<&'static Row>| row.map(|row| row.role);
        let kernel = find(name, |scope| matches!(scope, Scope::Anywhere | Scope::Bare));
        (role(kernel), role(find(name, |scope| scope == Scope::Anywhere)))
    }

    #[test]
    fn spin_locks_of_all_ages() {
        for name in [
            "_raw_spin_lock_irqsave",
            "do_raw_spin_lock",
            "do_raw_write_lock",
            "arch_spin_lock",
            "__ticket_spin_lock",
            "__raw_read_lock",
            "__write_lock_failed",
        ] {
            assert_eq!(roles(name), (Some(Role::Spin), Some(Role::Spin)), "{name}");
        }
        for name in ["_spin_lock_irqsave", "_spin_lock_bh", "_write_lock_irq"] {
            assert_eq!(roles(name), (Some(Role::Spin), None), "{name}");
        }
        for name in ["do_raw_spin_unlock", "do_raw_spin_trylock", "_spin_unlock_irqrestore", "_read_lockdep"]
        {
            assert_eq!(roles(name), (None, None), "{name}");
        }
    }

    #[test]
    fn tasks_that_rest_and_tasks_at_a_pipe() {
        for name in ["kthreadd", "smpboot_thread_fn", "kauditd_thread"] {
            assert_eq!(roles(name), (Some(Role::Idle), None), "{name}");
        }
        for (name, wait) in [("pipe_read", WaitKind::Read), ("anon_pipe_write", WaitKind::Write)] {
            let row = find(name, |scope| scope == Scope::Anywhere).expect("a row");
            assert_eq!((row.role, row.wait), (Role::Io, Some(wait)), "{name}");
        }
        assert_eq!(roles("pipe_release"), (None, None));
    }

    #[test]
    fn the_lock_of_a_socket() {
        for name in ["lock_sock_nested", "__lock_sock", "lock_sock_fast"] {
            let row = find(name, |scope| scope == Scope::Anywhere).expect("a row");
            assert_eq!((row.role, row.wait), (Role::Lock, Some(WaitKind::Mutex)), "{name}");
        }
        assert_eq!(roles("lock_sock"), (Some(Role::Lock), None));
        assert_eq!(roles("release_sock"), (None, None));
    }
}
