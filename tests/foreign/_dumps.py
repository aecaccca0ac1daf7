"""What the scripts for CI formats share: dumps of all sorts, and what logjam's own JSON says about them."""

import json
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "target/foreign"
LOGJAM = os.environ.get("LOGJAM", str(ROOT / "target/debug/logjam"))
CORES = ROOT / "fixtures/cores"
GDB = ROOT / "fixtures/gdb"
SEVERITIES = ["info", "low", "medium", "high", "critical"]

# Text that no format may take for its own: controls, markup, commands, directions, a name that is too long.
HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07]]>&amp;&#0;::error::forged,a=b%25%0A[click](http://evil){0}{{x}}\"'`"
    "\u202etxt\u2066\u200b\u0085\ufffe\uffff\ufeff\U0001f600"
)


def runs(folder):
    """Names of runs and their inputs."""
    core = lambda name: str(CORES / f"{name}.core.zst")
    return {
        "contended": [core("logging-mutex-5000")],
        "spinning": [core("logging-spin-5000")],
        "ring": [core("join-lock-ring")],
        "deadlock": [core("rust-deadlock")],
        "crash": [core("crash-null")],
        "healthy": [core("healthy-pool")],
        "gdb": [str(GDB / "logging-mutex-stripped.txt")],
        "several": [core("crash-null"), core("healthy-pool"), str(GDB / "self-deadlock.txt"), core("chained-holders")],
        "folder": [str(mixed_folder(folder / "mixed"))],
        "hostile": [str(hostile_folder(folder / "hostile"))],
        "nothing": [str(folder / "there is no such file")],
    }


def mixed_folder(folder):
    """Good dumps, one that is corrupt, a file that is no dump, and gdb's text."""
    folder.mkdir()
    for name in ("crash-null", "healthy-pool", "join-lock-ring"):
        shutil.copy(CORES / f"{name}.core.zst", folder)
    shutil.copy(GDB / "logging-mutex-stripped.txt", folder)
    (folder / "corrupt.core.zst").write_bytes(corrupt())
    (folder / "notes.core").write_text("this is no dump, and a folder may hold what is none\n")
    return folder


def corrupt():
    """A packed core whose bytes are not what they were."""
    whole = (CORES / "crash-null.core.zst").read_bytes()
    return whole[:64] + bytes(byte ^ 0x5A for byte in whole[64:4096])


def hostile_folder(folder):
    """gdb's text with hostile names of functions, files and threads, twice in one file, and hostile paths."""
    folder.mkdir()
    text = (GDB / "self-deadlock.txt").read_text()
    # A parenthesis would end gdb's name of a function.
    name = HOSTILE.replace("(", "").replace(")", "")
    hostile = text.replace("registry_find", f"registry_{name}").replace("g_registry_mutex", f"g_{name}")
    hostile = hostile.replace("self-deadlock.c:", f"</failure><!--/{HOSTILE}.c:")
    (folder / 'a <b> & "c"\n\x1b[31m::error::,%0A\u202e.txt').write_text(hostile)
    (folder / "long.txt").write_text(text.replace("registry_find", f"registry_{name}{'N' * 100_000}"))
    (folder / "plain.txt").write_text((GDB / "self-deadlock.txt").read_text() * 2)
    (folder / "[x](y){0} #?%41:z.core.zst").write_bytes(corrupt())
    return folder


def logjam(form, inputs, *options):
    """The report in a format, and the exit code."""
    command = [LOGJAM, *inputs, "--format", form, "--quiet", *options]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode in (0, 3), f"{command}: {done.returncode}: {done.stderr[-2000:]}"
    return done.stdout, done.returncode


def report(inputs):
    """logjam's own account of the same dumps."""
    return json.loads(logjam("json", inputs)[0])


def failed(account):
    """The inputs that could not be analyzed."""
    return [i for i in account["inputs"] if i["status"] == "failed"]


def failing(account, snapshot, threshold="high"):
    """The findings of a snapshot that fail it."""
    least = SEVERITIES.index(threshold)
    shown = lambda f: snapshot in {f["snapshot"], *f.get("snapshots", [])}
    return [f for f in account["findings"] if shown(f) and SEVERITIES.index(f["severity"]) >= least]
