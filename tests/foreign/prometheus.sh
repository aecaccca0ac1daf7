#!/usr/bin/env bash
# Metrics and the example alerts, checked by Prometheus' own promtool.
# needs-apt: prometheus
source "$(dirname "$0")/_plain.sh"

for name in "${!inputs[@]}"; do
  report "$name" prometheus
  lint=$(promtool check metrics <"$work/$name.prometheus" 2>&1) || { echo "$name: $lint" >&2; exit 1; }
  equal "$name: what promtool finds" "$lint" ""
  echo "prometheus: $name: $(grep -vc '^#' "$work/$name.prometheus") samples"
done
# promtool does refuse what is wrong.
if printf 'logjam_threads{state="idle} 1\n' | promtool check metrics >"$work/errors" 2>&1; then
  echo "promtool accepts anything" >&2
  exit 1
fi

# A rule over the metrics of a real dump: promtool reads the samples as series, and the alerts fire.
promtool check rules docs/prometheus/logjam.rules.yml
promtool test rules docs/prometheus/logjam.test.yml
python3 - "$work" <<'PYTHON'
import re, sys

work = sys.argv[1]
def series(name):
    for line in open(f"{work}/{name}.prometheus", encoding="utf-8"):
        if not line.startswith("#"):
            sample, value = line.rstrip("\n").rsplit(" ", 1)
            yield sample, value

def quoted(text):
    return "'" + text.replace("'", "''") + "'"

with open(f"{work}/real.test.yml", "w", encoding="utf-8") as out:
    rules = __import__("os").path.abspath("docs/prometheus/logjam.rules.yml")
    out.write(f"rule_files: [{rules}]\ntests:\n")
    for name, firing in [("contended", 1), ("hostile", 0), ("healthy", 0), ("folder", 1)]:
        out.write(f"  - name: {name}\n    interval: 1m\n    input_series:\n")
        for sample, value in series(name):
            out.write(f"      - {{series: {quoted(sample)}, values: '{value} {value}'}}\n")
        alert = 'ALERTS{alertname="DumpNotAnalyzed"}' if name == "folder" else 'ALERTS{alertname="ThreadsBlocked"}'
        out.write(f"    promql_expr_test:\n      - expr: {quoted('count(' + alert + ') or vector(0)')}\n")
        out.write(f"        eval_time: 1m\n        exp_samples: [{{labels: '{{}}', value: {firing}}}]\n")
        out.write(f"      - expr: 'sum(logjam_threads)'\n        eval_time: 1m\n        exp_samples: [")
        total = {"contended": 5001, "hostile": 3, "healthy": 216, "folder": 11}[name]
        out.write(f"{{labels: '{{}}', value: {total}}}]\n")
PYTHON
promtool test rules "$work/real.test.yml"
