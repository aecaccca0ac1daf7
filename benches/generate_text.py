#!/usr/bin/env python3
"""Writes large text dumps: python3 benches/generate_text.py FORMAT MEGABYTES FILE [DISTINCT]

DISTINCT stacks (1,000 if not given), most threads behind one lock of a logging library, the others in pools, as
the text of each producer shows it. The same arguments give the same bytes.
"""

import random
import sys

WORDS = ["order", "cart", "price", "stock", "user", "session", "search", "index", "cache", "quote", "mail", "audit"]


def functions(rng, depth):
    return [f"{rng.choice(WORDS)}{rng.choice(WORDS).title()}{rng.randrange(40)}" for _ in range(depth)]


def go(rng, distinct):
    stacks = []
    for n in range(distinct):
        is_waiter = n % 10 != 0
        lines = []
        if is_waiter:
            lines += ["internal/sync.(*Mutex).lockSlow(0xc0001040e8)", "\t/usr/local/go/src/internal/sync/mutex.go:149 +0x15d",
                      "internal/sync.(*Mutex).Lock(...)", "\t/usr/local/go/src/internal/sync/mutex.go:70",
                      "sync.(*Mutex).Lock(...)", "\t/usr/local/go/src/sync/mutex.go:46",
                      "example.com/applog.(*Logger).Write(0xc0001040e0, {0xc%(a)09x, 0x40, 0x40})", "\t/src/applog/logger.go:31 +0x7c"]
        else:
            lines += ["example.com/shop.poolWaitForJob(0xc%(a)09x)", "\t/src/shop/pool.go:17 +0x85"]
        for name in functions(rng, rng.randrange(4, 14)):
            lines += [f"example.com/shop.(*Server).{name}(0xc%(a)09x, {{0xc%(b)09x, 0x10}}, 0x%(c)x)", f"\t/src/shop/{name}.go:{rng.randrange(9, 900)} +0x{rng.randrange(4096):x}"]
        lines += ["created by example.com/shop.main in goroutine 1", "\t/src/shop/main.go:40 +0x1d0", "", ""]
        stacks.append(("sync.Mutex.Lock, %d minutes" % (n % 50) if is_waiter else "chan receive", "\n".join(lines)))
    def thread(n, rng):
        state, stack = stacks[n % distinct]
        return f"goroutine {n + 1} [{state}]:\n" + stack % {"a": n * 64, "b": n * 32, "c": n % 5000}
    return "", thread, ""


def jstack(rng, distinct):
    stacks = []
    for n in range(distinct):
        is_waiter = n % 10 != 0
        if is_waiter:
            lines = ["   java.lang.Thread.State: BLOCKED (on object monitor)", "\tat applog.Logger.info(Logger.java:19)",
                     "\t- waiting to lock <0x000000069ec1d4f8> (a applog.Logger)"]
        else:
            lines = ["   java.lang.Thread.State: WAITING (parking)", "\tat jdk.internal.misc.Unsafe.park(java.base@17.0.15/Native Method)",
                     "\t- parking to wait for  <0x%(a)016x> (a java.util.concurrent.locks.AbstractQueuedSynchronizer$ConditionObject)",
                     "\tat java.util.concurrent.locks.LockSupport.park(java.base@17.0.15/LockSupport.java:341)",
                     "\tat java.util.concurrent.LinkedBlockingQueue.take(java.base@17.0.15/LinkedBlockingQueue.java:435)",
                     "\tat java.util.concurrent.ThreadPoolExecutor.getTask(java.base@17.0.15/ThreadPoolExecutor.java:1062)"]
        for name in functions(rng, rng.randrange(8, 30)):
            lines.append(f"\tat com.example.shop.{name.title()}Service.{name}({name.title()}Service.java:{rng.randrange(9, 900)})")
            if rng.randrange(8) == 0:
                lines.append("\t- locked <0x%(b)016x> (a com.example.shop.Session)")
        lines += ["\tat java.lang.Thread.run(java.base@17.0.15/Thread.java:840)", "", "   Locked ownable synchronizers:", "\t- None", "", ""]
        stacks.append(("waiting for monitor entry" if is_waiter else "waiting on condition", "\n".join(lines)))
    head = "2026-11-28 10:00:00\nFull thread dump OpenJDK 64-Bit Server VM (17.0.15+6 mixed mode, sharing):\n\n"
    def thread(n, rng):
        state, stack = stacks[n % distinct]
        return (f'"http-exec-{n}" #{n + 12} daemon prio=5 os_prio=0 cpu={n % 977}.12ms elapsed=3.66s tid=0x00007f{n * 64:010x} '
                f"nid=0x{n + 4096:x} {state}  [0x00007f{n * 8192:010x}]\n") + stack % {"a": 0x700000000 + n * 64, "b": 0x600000000 + n * 64}
    return head, thread, "JNI global refs: 17, weak refs: 0\n\n"


def gdb(rng, distinct):
    stacks = []
    for n in range(distinct):
        is_waiter = n % 10 != 0
        if is_waiter:
            lines = ["#0  futex_wait (private=0, expected=2, futex_word=0x558efcd69060 <g_log_mutex>) at ../sysdeps/nptl/futex-internal.h:146",
                     "#1  __GI___lll_lock_wait (futex=futex@entry=0x558efcd69060 <g_log_mutex>, private=0) at ./nptl/lowlevellock.c:49",
                     "#2  0x00007f716583f482 in lll_mutex_lock_optimized (mutex=0x558efcd69060 <g_log_mutex>) at ./nptl/pthread_mutex_lock.c:48",
                     "#3  ___pthread_mutex_lock (mutex=0x558efcd69060 <g_log_mutex>) at ./nptl/pthread_mutex_lock.c:93",
                     "#4  0x0000558efcd6721b in log_message (level=3, text=0x7f%(a)010x \"order %(c)d accepted\") at applog.c:31"]
        else:
            lines = ["#0  0x00007f716583c1f2 in pthread_cond_wait@@GLIBC_2.3.2 (cond=0x7f%(a)010x, mutex=0x7f%(b)010x) at pthread_cond_wait.c:502",
                     "#1  0x0000558efcd67aaa in pool_wait_for_job (pool=0x7f%(a)010x) at pool.c:77"]
        for name in functions(rng, rng.randrange(4, 14)):
            lines.append(f"#{len(lines):<2} 0x0000558efcd6{rng.randrange(65536):04x} in {name} (server=0x558efcd69100, request=0x7f%(a)010x, size=%(c)d) at {name}.c:{rng.randrange(9, 900)}")
        lines.append(f"#{len(lines):<2} 0x00007f71658391f5 in start_thread (arg=<optimized out>) at ./nptl/pthread_create.c:442")
        lines += [f"#{len(lines):<2} 0x00007f71658b98ec in clone3 () at ../sysdeps/unix/sysv/linux/x86_64/clone3.S:81", "", ""]
        stacks.append("\n".join(lines))
    def thread(n, rng):
        return f"Thread {n + 1} (Thread 0x7f{n * 8192:010x} (LWP {n + 62003})):\n" + stacks[n % distinct] % {"a": n * 64, "b": n * 32, "c": n % 5000}
    return "", thread, ""


FORMATS = {"go": go, "jstack": jstack, "gdb": gdb}


def main():
    name, megabytes, path = sys.argv[1], float(sys.argv[2]), sys.argv[3]
    distinct = int(sys.argv[4]) if len(sys.argv) > 4 else 1000
    rng = random.Random(7)
    head, thread, tail = FORMATS[name](rng, distinct)
    with open(path, "w", newline="\n") as out:
        written, n = out.write(head), 0
        while written < megabytes * 1e6:
            written += out.write(thread(n, rng))
            n += 1
        out.write(tail)
    print(f"{path}: {n} threads")


if __name__ == "__main__":
    main()
