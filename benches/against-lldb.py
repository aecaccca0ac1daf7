#!/usr/bin/env python3
"""Measures logjam against lldb and gdb, and holds it to its goals.

usage: against-lldb.py [--bin LOGJAM] [--runs N] [--dir FOLDER] [--only NAME] [--prepare] [--no-gdb] [--gdb-all]

Builds two programs and dumps their cores, once, into target/bench (about 1.7 GB, 4 minutes):

  jam-1000, jam-5000, jam-30000   a logging library's mutex and everybody waiting for it, 13 frames a thread
  heavy-5000                      400 different stacks, an executable with more than 100 MB of DWARF
  gdb-text                        more than 100 MB of what gdb prints for jam-1000, with other ids, addresses and
                                  arguments in each thread

Then runs `logjam CORE --format json`, `lldb-19 ... "thread backtrace unique"` and gdb's `thread apply all bt`
(not on jam-30000, unless --gdb-all) in turns, with all files in the page cache, and prints a Markdown
table. Times are medians of the runs, the least in brackets; ratios are those of the medians. RssAnon is
sampled from /proc as often as one core can, in runs of their own. Exit code 1 if a goal is missed, 2 if
something cannot be measured. Needs gcc, g++, gdb, lldb-19 and a kernel whose core_pattern is "core".
"""
import argparse, os, pathlib, re, resource, shutil, statistics, subprocess, sys, time

HERE = pathlib.Path(__file__).resolve().parent
# name, threads, executable, least ratio to lldb
CORES = [("jam-1000", 1000, "jam", None), ("jam-5000", 5000, "jam", 60), ("jam-30000", 30000, "jam", 100), ("heavy-5000", 5000, "heavy", 20)]
MAX_RSS_ANON_MB, MAX_THREADS = 150, 32767
TEXT_BYTES, MIN_TEXT_MB_S = 100_000_000, 200

class CannotMeasure(Exception):
    pass

# ---- preparation ----

def build_jam(folder):
    subprocess.run(["gcc", "-O2", "-g", "-pthread", "-o", folder / "jam", HERE / "jam.c"], check=True)

def build_heavy(folder):
    sources = folder / "heavy.src"
    subprocess.run([sys.executable, HERE / "heavy.py", sources], check=True)
    jobs, units = [], sorted(sources.glob("*.cc"))
    while jobs or units:
        while units and len(jobs) < (os.cpu_count() or 2):
            unit = units.pop(0)
            jobs.append(subprocess.Popen(["g++", "-std=c++17", "-O1", "-g", "-c", "-o", unit.with_suffix(".o"), unit]))
        if jobs.pop(0).wait() != 0:
            raise CannotMeasure("heavy does not compile")
    subprocess.run(["g++", "-pthread", "-o", folder / "heavy", *sorted(sources.glob("*.o"))], check=True)
    shutil.rmtree(sources)

def dump(folder, exe, threads, core):
    pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text().strip()
    if pattern != "core":
        raise CannotMeasure(f'core_pattern is "{pattern}", not "core"')
    def limits():
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
        resource.setrlimit(resource.RLIMIT_NPROC, (hard, hard))
    work = folder / "run"
    for _ in range(6):
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        p = subprocess.Popen([folder / exe, str(threads)], cwd=work, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=limits)
        if p.stdout.readline().strip() == "ready":
            p.send_signal(6)
            p.wait()
            next(work.glob("core*")).rename(core)
            shutil.rmtree(work)
            return
        p.wait()
        print(f"{exe} with {threads} threads: {p.stderr.read().strip() or 'ended early'}; trying again", file=sys.stderr)
        time.sleep(10)
    raise CannotMeasure(f"cannot start {threads} threads; see /proc/sys/kernel/pid_max, threads-max and vm.max_map_count")

def write_text(folder, text):
    """What gdb prints for jam-1000, again and again, with other ids, addresses and arguments."""
    run = subprocess.run(["gdb", "-nx", "-batch", "-ex", "thread apply all bt", folder / "jam", folder / "jam-1000.core"], capture_output=True, text=True)
    blocks = re.findall(r"^Thread \d+ \(.*?(?=^Thread |\Z)", run.stdout, re.M | re.S)
    waiting = [b for b in blocks if "lll_lock_wait" in b]
    if len(waiting) < 900:
        raise CannotMeasure("gdb's text of jam-1000 is not as expected")
    head = [b for b in blocks if "lll_lock_wait" not in b]
    per_thread = sum(map(len, waiting)) // len(waiting)
    count, size, stack = TEXT_BYTES * 11 // 10 // per_thread, 0, 0x7f0000000000
    with open(text, "w") as f:
        for n in range(count + len(head), len(head), -1):
            block = waiting[n % len(waiting)]
            account, arg = 100_000 + n * 7, stack + n * 0x9000
            block = re.sub(r"^Thread \d+ \(Thread 0x[0-9a-f]+ \(LWP \d+\)\)", f"Thread {n} (Thread {arg + 0x8640:#x} (LWP {100_000 + n}))", block)
            block = re.sub(r"reg-xstate/\d+", f"reg-xstate/{100_000 + n}", block)
            block = re.sub(r"account=(account@entry=)?\d+", lambda m: f"account={m[1] or ''}{account}", block)
            block = re.sub(r"amount=(\d+|<optimized out>)", f"amount={account % 97}", block)
            block = re.sub(r"arg=(<optimized out>|0x[0-9a-f]+)", f"arg={arg:#x}", block)
            size += f.write(block)
        size += sum(f.write(re.sub(r"^Thread \d+", f"Thread {n}", b)) for n, b in zip(range(len(head), 0, -1), head))
    return size

def prepare(folder, text_too):
    folder.mkdir(parents=True, exist_ok=True)
    for exe, build in (("jam", build_jam), ("heavy", build_heavy)):
        if not (folder / exe).is_file():
            print(f"building {exe}", file=sys.stderr)
            build(folder)
    for name, threads, exe, _ in CORES:
        if not (folder / f"{name}.core").is_file():
            print(f"dumping {name}", file=sys.stderr)
            dump(folder, exe, threads, folder / f"{name}.core")
    if text_too and not (folder / "gdb-text.txt").is_file():
        print("writing gdb-text", file=sys.stderr)
        write_text(folder, folder / "gdb-text.txt")

def debug_megabytes(exe):
    out = subprocess.run(["size", "-A", exe], capture_output=True, text=True).stdout
    return sum(int(l.split()[1]) for l in out.splitlines() if l.startswith(".debug_")) / 1e6

# ---- measuring ----

def run(command, keep=False):
    """Seconds, peak RSS in MB and, with keep, the output."""
    start = time.perf_counter()
    p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE if keep else subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    out = p.stdout.read() if keep else b""
    _, status, usage = os.wait4(p.pid, 0)
    took = time.perf_counter() - start
    p.returncode = os.waitstatus_to_exitcode(status)
    if p.returncode != 0:
        raise CannotMeasure(f"exit code {p.returncode}: {' '.join(map(str, command))}")
    return took, usage.ru_maxrss / 1024, out

def peak_rss_anon(command):
    """MB, the largest of the samples; and how many there were."""
    p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak, samples, fd = 0, 0, os.open(f"/proc/{p.pid}/status", os.O_RDONLY)
    try:
        while os.waitpid(p.pid, os.WNOHANG)[0] == 0:
            found = re.search(rb"RssAnon:\s+(\d+)", os.pread(fd, 4096, 0))
            if found:
                peak, samples = max(peak, int(found[1])), samples + 1
    finally:
        os.close(fd)
    p.returncode = 0
    return peak / 1024, samples

def warm(*files):
    for file in files:
        with open(file, "rb") as f:
            while f.read(1 << 24):
                pass

def seconds(times):
    if not times:
        return "–"
    unit = (lambda s: f"{s * 1000:.0f} ms") if statistics.median(times) < 1 else (lambda s: f"{s:.2f} s")
    return f"{unit(statistics.median(times))} ({unit(min(times))})"

def main():
    ap = argparse.ArgumentParser(description="measure logjam against lldb and gdb")
    ap.add_argument("--bin", default=HERE.parent / "target/release/logjam", type=pathlib.Path)
    ap.add_argument("--lldb", default="lldb-19")
    ap.add_argument("--runs", type=int, default=3, help="pairs of runs")
    ap.add_argument("--dir", default=HERE.parent / "target/bench", type=pathlib.Path)
    ap.add_argument("--only", default="", help="only the inputs whose name contains this")
    ap.add_argument("--prepare", action="store_true", help="only build and dump")
    ap.add_argument("--no-gdb", action="store_true")
    ap.add_argument("--gdb-all", action="store_true", help="gdb on jam-30000 too (minutes)")
    a = ap.parse_args()
    needed = ["gcc", "g++", "gdb", "size"] + ([] if a.prepare else [a.lldb])
    missing = [t for t in needed if shutil.which(t) is None]
    if missing:
        raise CannotMeasure(f"not installed: {' '.join(missing)}")
    prepare(a.dir, a.only in "gdb-text")
    if a.prepare:
        return []
    if not a.bin.is_file():
        raise CannotMeasure(f"no {a.bin}: cargo build --release")
    missed = []
    rows, memory = [], []
    for name, threads, exe, least in CORES:
        if a.only not in name:
            continue
        core, exe = a.dir / f"{name}.core", a.dir / exe
        ours = [a.bin, core, "--format", "json"]
        lldb = [a.lldb, "--batch", "--no-lldbinit", "-c", core, exe, "-o", "thread backtrace unique"]
        gdb = [] if a.no_gdb or (name == "jam-30000" and not a.gdb_all) else ["gdb", "-nx", "-batch", "-ex", "thread apply all bt", exe, core]
        warm(core, exe, a.bin)
        run(ours)
        times = {"logjam": [], "lldb": [], "gdb": []}
        lldb_rss = 0
        stacks = 0
        for i in range(a.runs):
            times["logjam"] += [run(ours)[0] for _ in range(5)]
            took, rss, out = run(lldb, keep=True)
            times["lldb"].append(took)
            lldb_rss, stacks = max(lldb_rss, rss), len(re.findall(rb"^\d+ thread\(s\)", out, re.M))
            if gdb and i == 0:
                times["gdb"].append(run(gdb)[0])
        samples = [peak_rss_anon(ours) for _ in range(5)]
        anon, count = max(s[0] for s in samples), sum(s[1] for s in samples)
        ratio = statistics.median(times["lldb"]) / statistics.median(times["logjam"])
        to_gdb = f"{statistics.median(times['gdb']) / statistics.median(times['logjam']):.0f}×" if times["gdb"] else "–"
        rows.append(f"| {name} | {core.stat().st_size / 1e6:,.0f} MB, {stacks} | {seconds(times['logjam'])} | {seconds(times['lldb'])} | {seconds(times['gdb'])} "
                    f"| **{ratio:.0f}×**{f' (≥ {least})' if least else ''} | {to_gdb} | {anon:.0f} MB | {lldb_rss:.0f} MB |")
        if least and ratio < least:
            missed.append(f"{name}: {ratio:.1f} times as fast as lldb, the goal is {least}")
        limit = MAX_RSS_ANON_MB * threads / MAX_THREADS
        if name == "jam-30000":
            memory.append(f"RssAnon at {threads} threads: {anon:.1f} MB of {count} samples; the goal of {MAX_RSS_ANON_MB} MB at {MAX_THREADS} threads is {limit:.0f} MB here.")
            if anon > limit:
                missed.append(f"{name}: {anon:.1f} MB of anonymous memory, the goal is {limit:.0f}")
        if name == "heavy-5000":
            debug = debug_megabytes(exe)
            memory.append(f"heavy: {debug:.0f} MB of .debug_* sections, {stacks} distinct stacks.")
            if debug < 100 or stacks < 300:
                raise CannotMeasure(f"heavy has {debug:.0f} MB of DWARF and {stacks} stacks; wanted are 100 and 300")
        print(rows[-1], file=sys.stderr)
    model = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    print(f"{os.cpu_count()} CPUs, {model[1] if model else 'unknown'}; load before the last run {os.getloadavg()[0]:.1f}\n")
    if rows:
        print("| input | size, stacks | logjam | lldb | gdb | to lldb | to gdb | RssAnon | lldb's RSS |\n|---|---|---|---|---|---|---|---|---|")
        print("\n".join(rows) + "\n")
        print("\n".join(memory))
    if a.only in "gdb-text":
        text = a.dir / "gdb-text.txt"
        command, size = [a.bin, text, "--format", "json"], text.stat().st_size
        warm(text)
        run(command)
        times = [run(command)[0] for _ in range(3 * a.runs)]
        speed = size / 1e6 / statistics.median(times)
        anon = max(peak_rss_anon(command)[0] for _ in range(2))
        print(f"gdb-text: {size / 1e6:.0f} MB in {seconds(times)}: {speed:.0f} MB/s (≥ {MIN_TEXT_MB_S}), RssAnon {anon:.0f} MB.")
        if speed < MIN_TEXT_MB_S:
            missed.append(f"gdb-text: {speed:.0f} MB/s, the goal is {MIN_TEXT_MB_S}")
    return missed

if __name__ == "__main__":
    try:
        missed = main()
    except (CannotMeasure, OSError, subprocess.CalledProcessError) as error:
        print(f"cannot measure: {error}", file=sys.stderr)
        sys.exit(2)
    for line in missed:
        print(f"MISSED {line}")
    sys.exit(1 if missed else 0)
