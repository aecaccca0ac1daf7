#!/usr/bin/env bash
# JSON, and lines of JSON read by jq, validated with docs/report.schema.json: the lines with what it says of findings,
# threads and locks.
# needs-apt: jq
# needs-pip: jsonschema==4.26.0
source "$(dirname "$0")/_plain.sh"

for name in "${!inputs[@]}"; do
  report "$name" ndjson --threads
  report "$name" json
  lines="$work/$name.ndjson" whole="$work/$name.json"
  equal "$name: objects" "$(jq -s length "$lines")" "$(wc -l <"$lines")"
  for pair in "input:.inputs" "finding:.findings" "thread:[.snapshots[].thread_list[]]"; do
    count=$(jq -s --arg type "${pair%%:*}" 'map(select(.type == $type)) | length' "$lines")
    equal "$name: lines of ${pair%%:*}" "$count" "$(jq "${pair#*:} | length" "$whole")"
  done
  # Each line of a type that comes first in it.
  equal "$name: lines that do not begin with their type" "$(grep -cv '^{"type":"' "$lines" || true)" 0
  equal "$name: failed inputs" "$(jq -s 'map(select(.type == "input" and .status == "failed")) | length' "$lines")" \
    "$([ "$name" = folder ] && echo 1 || echo 0)"
  # Without the option there are no threads.
  report "$name" ndjson
  equal "$name: threads without --threads" "$(grep -c '^{"type":"thread"' "$lines" || true)" 0
  report "$name" ndjson --threads
done

shown=$(jq -r 'select(.type == "finding" and .rule == "lock-contention") | "\(.lock.name) \(.threads.ids | length) \(.snapshot_source)"' \
  "$work/contended.ndjson")
equal "the finding" "$shown" "g_log_mutex 4499 ${inputs[contended]}"
shown=$(jq -s 'map(select(.type == "thread" and .waits_for_lock.name == "g_log_mutex")) | length' "$work/contended.ndjson")
equal "threads that wait for g_log_mutex" "$shown" 4499

python - "$work" "${!inputs[@]}" <<'PYTHON'
import json, sys
from jsonschema import Draft202012Validator

schema = json.load(open("docs/report.schema.json"))
def validator(name):
    assert name in schema["$defs"], name
    return Draft202012Validator({"$defs": schema["$defs"], "$ref": f"#/$defs/{name}"})

finding, lock, thread, ref, given = map(validator, ["Finding", "Lock", "ThreadRecord", "ThreadRef", "Input"])
for name in sys.argv[2:]:
    # The JSON report as a whole, and the lines by the parts of its schema.
    Draft202012Validator(schema).validate(json.load(open(f"{sys.argv[1]}/{name}.json", encoding="utf-8")))
    count = 0
    for line in open(f"{sys.argv[1]}/{name}.ndjson", encoding="utf-8"):
        found, count = json.loads(line), count + 1
        kind = found.pop("type")
        if kind == "input":
            given.validate(found)
        if kind == "thread":
            thread.validate(found)
        if kind == "finding":
            # What stands alone here is a reference in the JSON report.
            if "lock" in found:
                lock.validate(found["lock"])
                found["lock"] = found["lock"]["id"]
            for one in found["threads"]["ids"]:
                ref.validate(one)
            found["threads"]["ids"] = [one["ix"] for one in found["threads"]["ids"]]
            finding.validate(found)
    print(f"ndjson: {name}: {count} lines")
PYTHON
