//! A dump that is JSON and damaged in one line says all that stands in the others: one thread goes at most, and the report
//! says that some may be missing.

mod common;

use common::{isolated, json, unpacked};
use serde_json::Value;

/// Documents of which each line is an element or a field.
const PRETTY: &[&str] = &[
    "text/core-stacktrace/jam.json.zst",
    "text/jcmd-json/jam-lock-21.json.zst",
    "text/node-report/jam-small.json.zst",
    "text/py-spy/jam-60.json.zst",
];

/// Documents in one line.
const COMPACT: &[&str] = &["text/jstack/actuator-boot2.json.zst", "text/jstack/actuator-boot3.json.zst"];

/// So many places of each are damaged.
const PLACES: usize = 12;

fn snapshots(name: &str, text: &[u8]) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dump.json");
    std::fs::write(&path, text).unwrap();
    let report = json(&[path], &isolated());
    report["snapshots"].as_array().unwrap_or_else(|| panic!("{name}: {report}")).clone()
}

fn threads(snapshots: &[Value]) -> u64 {
    snapshots.iter().filter_map(|s| s["threads"]["total"].as_u64()).sum()
}

/// Whether it is said that something was passed over, and, where a thread is missing, that threads may be.
fn is_told(snapshots: &[Value], is_missing: bool) -> bool {
    let has_gap = |s: &Value| s["gaps"].as_array().is_some_and(|gaps| !gaps.is_empty());
    snapshots.iter().any(|s| has_gap(s) && !(is_missing && s["threads"]["complete"] == true))
}

/// What is done to a line: the half of it is gone, bytes that are no text stand in it. A bracket that is gone may be any:
/// that is another kind of damage.
type Damage = fn(&[u8]) -> Vec<u8>;
const DAMAGES: [Damage; 2] = [
    |line| {
        let content = line.trim_ascii_start().len();
        let left = if content > 2 { content / 2 } else { content };
        line[..line.len() - content + left].to_vec()
    },
    |line| [line, b"\x00\xff"].concat(),
];

#[test]
fn one_damaged_line_costs_one_thread() {
    for name in PRETTY {
        let whole = unpacked(name);
        let all = threads(&snapshots(name, &whole));
        let lines: Vec<&[u8]> = whole.split(|b| *b == b'\n').collect();
        for n in 1..PLACES {
            for (kind, damage) in DAMAGES.iter().enumerate() {
                let at = lines.len() * n / PLACES;
                let mut damaged: Vec<Vec<u8>> = lines.iter().map(|line| line.to_vec()).collect();
                damaged[at] = damage(lines[at]);
                if damaged[at] == lines[at] {
                    continue;
                }
                let found = snapshots(name, &damaged.join(&b'\n'));
                let what =
                    format!("{name}, line {at}, damage {kind}: {:?}", String::from_utf8_lossy(lines[at]));
                assert!(threads(&found) + 1 >= all, "{what}: {} of {all}", threads(&found));
                assert!(is_told(&found, threads(&found) < all), "{what}");
            }
        }
    }
}

#[test]
fn in_one_line_what_stands_before_the_damage_is_read() {
    for name in COMPACT {
        let whole = unpacked(name);
        let all = threads(&snapshots(name, &whole));
        for n in 2..PLACES {
            let at = whole.len() * n / PLACES;
            let mut damaged = whole.to_vec();
            damaged.splice(at..at + 2, *b"\x00\xff");
            let found = snapshots(name, &damaged);
            let least = all * n as u64 / PLACES as u64 / 2;
            assert!(threads(&found) >= least, "{name} at {at}: {} of {all}", threads(&found));
            assert!(is_told(&found, threads(&found) < all), "{name} at {at}");
        }
    }
}
