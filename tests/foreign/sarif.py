#!/usr/bin/env python3
# needs-pip: jsonschema==4.26.0
# needs-pip: sarif-tools==3.0.5
# needs-npm: @microsoft/jest-sarif@1.0.0-beta.0
# needs-npm: @microsoft/sarif-multitool-linux@5.7.0
"""Holds `--format sarif` with OASIS' schema of SARIF 2.1.0 (out of @microsoft/jest-sarif), with Microsoft's
SARIF Multitool (its build for Linux), whose `validate` knows the rules that no schema can say, and with sarif-tools, which summarizes and
lists the results. LOGJAM is the program.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

# The folder of this script comes last, as the script is called what a package is called.
sys.path.append(sys.path.pop(0))

import jsonschema  # noqa: E402
from sarif import loader  # noqa: E402

from _dumps import TOOLS, failed, logjam, report, runs  # noqa: E402

LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note", "info": "note"}
SCHEMA = TOOLS / "node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"
MULTITOOL = TOOLS / "node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool"


def schema_validator():
    schema = json.loads(SCHEMA.read_text())
    kind = jsonschema.validators.validator_for(schema)
    checker = jsonschema.FormatChecker()
    return kind(schema, format_checker=checker)


def multitool(path, out):
    """What Multitool's validation says: the counts of its results by level and rule."""
    environment = os.environ | {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
    command = [str(MULTITOOL), "validate", str(path), "--output", str(out), "--log", "ForceOverwrite"]
    command += ["--level", "Error;Warning;Note", "--rule-kind", "Sarif"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, f"{path}: {done.stdout[-3000:]} {done.stderr[-2000:]}"
    found = {}
    for result in json.loads(out.read_text(encoding="utf-8-sig"))["runs"][0].get("results", []):
        key = (result.get("level", "warning"), result["ruleId"])
        found[key] = found.get(key, 0) + 1
    return found


def check(name, inputs, validator, folder):
    text, code = logjam("sarif", inputs)
    account = report(inputs)
    log = json.loads(text)
    errors = [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:300]}" for e in validator.iter_errors(log)]
    assert not errors, f"{name}: {errors[:5]}"
    path = folder / f"{name}.sarif"
    path.write_bytes(text)
    said = multitool(path, folder / f"{name}.validated.sarif")
    assert not [key for key in said if key[0] == "error"], f"{name}: {said}"

    (run,) = log["runs"]
    findings, bad = account["findings"], failed(account)
    assert [r["ruleId"] for r in run["results"]] == [f["rule"] for f in findings], name
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(run["artifacts"]) == len({i["path"] for i in account["inputs"]}), name
    for result, finding in zip(run["results"], findings, strict=True):
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] == LEVELS[finding["severity"]], name
        assert result["partialFingerprints"]["logjam/v1"] == finding["fingerprint"]
        target = result.get("analysisTarget") or result["locations"][0]["physicalLocation"]["artifactLocation"]
        assert run["artifacts"][target["index"]]["location"]["uri"] == target["uri"], name
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] == (not bad) == (code == 0), name
    loud = [n for n in invocation["toolExecutionNotifications"] if n["level"] == "error"]
    assert len(loud) == len(bad), name

    # The foreign reader: severities, codes and places.
    data = loader.load_sarif_file(str(path))
    records = data.get_records()
    assert len(records) == len(findings), name
    by_level = Counter(record["Severity"] for record in records)
    assert by_level == Counter(LEVELS[f["severity"]] for f in findings), (name, by_level)
    summary = subprocess.run(
        [sys.executable, "-m", "sarif", "summary", str(path)], capture_output=True, text=True, check=True
    ).stdout
    assert f"error: {by_level['error']}" in summary, summary
    print(f"  {name}: {len(findings)} results {dict(by_level)}, {len(bad)} failed inputs; Multitool: {said or 'nothing'}")
    return log, records


def can_fail(log, folder):
    """What Multitool is here for: a URI that is none and an index that leads nowhere pass the schema."""
    for change in (lambda r: r.update(ruleIndex=99), lambda r: place_of(r).update(uri="ht tp://x y")):
        wrong = json.loads(json.dumps(log))
        change(wrong["runs"][0]["results"][0])
        path = folder / "wrong.sarif"
        path.write_text(json.dumps(wrong))
        said = multitool(path, folder / "wrong.validated.sarif")
        assert [key for key in said if key[0] == "error"], f"Multitool does not see what is wrong: {said}"


def place_of(result):
    return result["locations"][0]["physicalLocation"]["artifactLocation"]


def main():
    validator = schema_validator()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        seen = {name: check(name, inputs, validator, folder) for name, inputs in runs(folder).items()}
        can_fail(seen["contended"][0], folder)
    assert not list(validator.iter_errors(seen["crash"][0])) and list(validator.iter_errors({"version": "2.1.0"}))

    # The waiters' lock call, and beside it where the holder is.
    result = seen["contended"][0]["runs"][0]["results"][0]
    assert place(result["locations"][0]) == ("logging-mutex.c", 27, "log_message"), result
    assert place(result["relatedLocations"][0]) == ("logging-mutex.c", 20, "log_sink_write"), result
    assert place(seen["crash"][0]["runs"][0]["results"][0]["locations"][0]) == ("crash.c", 19, "render_cell")
    record = seen["contended"][1][0]
    assert (record["Location"], record["Line"], record["Severity"]) == ("logging-mutex.c", 27, "error"), record
    ring = seen["ring"][0]["runs"][0]["results"][0]
    assert ring["ruleId"] == "deadlock" and len(ring["relatedLocations"]) >= 2, ring
    assert {r["level"] for r in seen["healthy"][0]["runs"][0]["results"]} == {"note"}
    hostile = "".join(r["message"]["text"] for r in seen["hostile"][0]["runs"][0]["results"])
    assert "\\u{{202e}}" in hostile, "the hostile text is there"
    print(f"sarif: {len(seen)} logs are valid by the schema, pass Multitool, and are read by sarif-tools")


def place(location):
    physical = location["physicalLocation"]
    logical = location["logicalLocations"][0]["fullyQualifiedName"]
    return physical["artifactLocation"]["uri"], physical["region"]["startLine"], logical


if __name__ == "__main__":
    main()
