#!/usr/bin/env python3
"""Measures what reporting costs beside the analysis, and what `check` gains from a second processor.

usage: reports.py [--bin LOGJAM] [--runs N] [--dir FOLDER]

Takes the core of 30,000 threads that `against-lldb.py --prepare` makes. `logjam -v` says when reporting began and
when each report was written: the share is the time from there to the end of the first report, by the time before.
Then 200 copies of one dump are checked with one worker and with two, in turns. Exit code 1 if a goal is missed.
"""
import argparse, pathlib, re, shutil, statistics, subprocess, sys, tempfile, time

HERE = pathlib.Path(__file__).resolve().parent
FIXTURES = HERE.parent / "fixtures"
# Reports of a person and of a program: share of the analysis. The page: milliseconds.
MAX_SHARE, MAX_PAGE_MS, MIN_GAIN, DUMPS = 0.20, 100, 1.7, 200

def steps(logjam, form, core):
    """When reporting began and ended, milliseconds after the start."""
    told = subprocess.run([logjam, "-v", "--format", form, core], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True).stderr
    at = {what: float(ms) for ms, what in re.findall(r"^ *([\d.]+) ms  (reporting|\S+ was written)", told, re.M)}
    return at["reporting"], at[f"{form} was written"]

def reports(logjam, core, runs):
    misses = []
    print("| report of 30,000 threads | analysis | reporting | share |\n|---|---|---|---|")
    for form in ["text", "json", "html"]:
        taken = [steps(logjam, form, core) for _ in range(runs)]
        analysis = statistics.median(begun for begun, _ in taken)
        reporting = statistics.median(ended - begun for begun, ended in taken)
        share = statistics.median((ended - begun) / begun for begun, ended in taken)
        print(f"| {form} | {analysis:.0f} ms | {reporting:.1f} ms | {share:.0%} |")
        if form == "html" and reporting > MAX_PAGE_MS or form != "html" and share > MAX_SHARE:
            misses.append(form)
    return misses

def check(logjam, runs):
    with tempfile.TemporaryDirectory() as folder:
        for n in range(DUMPS):
            shutil.copy(FIXTURES / "cores/mutex-64.core.zst", f"{folder}/{n:03}.core.zst")
        def once(jobs):
            begun = time.perf_counter()
            run = subprocess.run([logjam, "check", folder, "--quiet", "-j", str(jobs), "--sysroot", FIXTURES / "cores"], stdout=subprocess.DEVNULL)
            assert run.returncode == 1, run
            return time.perf_counter() - begun
        once(2)
        pairs = [(once(1), once(2)) for _ in range(runs)]
    one, two = (statistics.median(p[i] for p in pairs) for i in (0, 1))
    gain = statistics.median(a / b for a, b in pairs)
    print(f"\ncheck of {DUMPS} dumps: {one:.2f} s with -j 1, {two:.2f} s with -j 2: {gain:.2f} times faster (≥ {MIN_GAIN})")
    return [] if gain >= MIN_GAIN else ["check"]

def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--bin", default="target/release/logjam")
    args.add_argument("--runs", type=int, default=9)
    args.add_argument("--dir", type=pathlib.Path, default=pathlib.Path("target/bench"))
    args = args.parse_args()
    core = args.dir / "jam-30000.core"
    if not core.exists():
        sys.exit(f"{core} is not there: run against-lldb.py --prepare")
    missed = reports(args.bin, core, args.runs) + check(args.bin, args.runs)
    if missed:
        sys.exit(f"MISSED: {', '.join(missed)}")

if __name__ == "__main__":
    main()
