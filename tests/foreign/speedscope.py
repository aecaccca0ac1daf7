#!/usr/bin/env python3
"""Profiles for speedscope, against the schema that speedscope itself publishes."""
# needs-pip: jsonschema==4.26.0
# needs-npm: speedscope@1.25.0

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOREIGN = ROOT / "target/foreign"
PYTHON = FOREIGN / "venv/bin/python"
if importlib.util.find_spec("jsonschema") is None and PYTHON.exists() and sys.prefix == sys.base_prefix:
    os.execv(PYTHON, [str(PYTHON), *sys.argv])

import jsonschema  # noqa: E402

INPUTS = {
    "contended": ["fixtures/cores/logging-mutex-5000.core.zst"],
    "deadlock": ["fixtures/cores/three-ring.core.zst"],
    "crash": ["fixtures/cores/crash-null.core.zst"],
    "healthy": ["fixtures/cores/healthy-pool.core.zst"],
    "several": ["fixtures/cores/three-ring.core.zst", "fixtures/cores/crash-null.core.zst"],
    "hostile": ["tests/foreign/hostile-stacks.txt"],
    "folder": None,
}


def report(inputs: list[str], kind: str, code: int) -> dict:
    command = [os.path.abspath(os.environ["LOGJAM"]), *inputs, "--format", kind, "-q"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == code, f"{command}: exit code {done.returncode}: {done.stderr.decode()}"
    return json.loads(done.stdout)


def schema() -> dict:
    found = list((FOREIGN / "node_modules/speedscope").rglob("file-format-schema.json"))
    assert found, "the npm package speedscope has no schema here"
    return json.loads(found[0].read_text())


def main() -> None:
    validator = jsonschema.validators.validator_for(schema())(schema())
    assert not validator.is_valid({"profiles": []}), "the schema accepts anything"
    with tempfile.TemporaryDirectory() as folder:
        header = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + b"\x04\0\x3e\0".ljust(48, b"\0")
        (Path(folder) / "core.cut").write_bytes(header)
        (Path(folder) / "stacks.txt").write_bytes((ROOT / "fixtures/gdb/self-deadlock.txt").read_bytes())
        for name, inputs in INPUTS.items():
            arguments, code = (inputs, 0) if inputs else ([folder], 3)
            file = report(arguments, "speedscope", code)
            document = report(arguments, "json", code)
            validator.validate(file)
            frames, profiles = file["shared"]["frames"], file["profiles"]
            assert len({json.dumps(f) for f in frames}) == len(frames), f"{name}: a frame is there twice"
            assert len(profiles) == len(document["snapshots"]), name
            for profile, snapshot in zip(profiles, document["snapshots"]):
                total = snapshot["threads"]["total"]
                assert profile["unit"] == "none" and profile["type"] == "sampled"
                assert profile["endValue"] == sum(profile["weights"]) == total, name
                assert len(profile["samples"]) == len(profile["weights"]) == len(snapshot["clusters"])
                for sample, cluster in zip(profile["samples"], snapshot["clusters"]):
                    names = [frames[ix]["name"] for ix in sample]
                    assert names[:-1] == [f["function"] for f in reversed(cluster["frames"])], name
                    assert names[-1].startswith(f"[{cluster['state']}"), names[-1]
            print(f"speedscope: {name}: {len(profiles)} profiles, {len(frames)} frames")


main()
