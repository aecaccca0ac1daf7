#!/usr/bin/env bash
# The table of clusters, read by Python's csv module, which needs nothing but Python 3.
# (Not a csv.py: a script of that name would be what `import csv` finds.)
source "$(dirname "$0")/_plain.sh"

for name in "${!inputs[@]}"; do
  report "$name" csv
  report "$name" json
done

python3 - "$work" "${!inputs[@]}" <<'PYTHON'
import csv, json, sys

work, names = sys.argv[1], sys.argv[2:]
for name in names:
    with open(f"{work}/{name}.csv", newline="", encoding="utf-8") as file:
        content = file.read()
    with open(f"{work}/{name}.json", encoding="utf-8") as file:
        document = json.load(file)
    assert content.replace("\r\n", "").isprintable(), f"{name}: control characters"
    rows = list(csv.DictReader(content.splitlines(keepends=True), strict=True))
    assert all(None not in row and None not in row.values() for row in rows), f"{name}: a row of another length"

    clusters = [(n, c) for n, s in enumerate(document["snapshots"]) for c in s["clusters"]]
    failed = [i for i in document["inputs"] if i["status"] == "failed"]
    assert len(rows) == len(clusters) + len(failed), f"{name}: {len(rows)} rows"
    for row, (snapshot, cluster) in zip(rows, clusters):
        assert int(row["snapshot"]) == snapshot and row["cluster"] == cluster["id"]
        assert int(row["count"]) == cluster["count"] and float(row["share"]) == cluster["share"]
        assert row["state"] == cluster["state"] and row["fingerprint"] == cluster["fingerprint"]
        ids = row["thread_ids"].split()
        assert len(ids) + int(row["more_thread_ids"]) == cluster["count"], f"{name}: thread ids"
        for cell in row.values():
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")), f"{name}: a formula: {cell}"
    for row, input in zip(rows[len(clusters):], failed):
        assert row["input"] == input["path"] and row["error"] == input["error"] and not row["cluster"]
    if name == "contended":
        assert (rows[0]["lock"], rows[0]["count"]) == ("g_log_mutex", "4499"), rows[0]
    if name == "hostile":
        marked = [row["signature"] for row in rows if row["signature"].startswith("'")]
        assert len(marked) == 3, f"{name}: cells with a mark: {marked}"
    print(f"csv: {name}: {len(clusters)} clusters, {len(failed)} failed inputs")
PYTHON
