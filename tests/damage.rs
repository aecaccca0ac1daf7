//! Damaged dumps cost what is damaged, never the program: every fixture is cut at 200 places and damaged in 500
//! ways; each time a report comes out in bounded time, and keeps its promises. A few are read with their module
//! files too, so that damage meets the unwinder. The large fixtures are left out: each has a small sibling.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use common::core_file::{Random, damaged};
use common::{fixtures, invariants, isolated, json, unpacked, with_workers};
use logjam::formats::FORMATS;

const CUTS: usize = 200;
const DAMAGES: usize = 500;

/// Read with their module files, which takes ten times as long.
const WITH_MODULES: &[&str] = &["spin-24.", "self-deadlock-in-signal-handler.", "rwlock-readers."];

/// Larger files have a smaller sibling that shows the same.
const SMALL: u64 = 100 << 10;

/// How many dumps of each text format.
const TEXTS_A_FORMAT: usize = 1;

/// A text is larger than a packed core of as many threads.
const SMALL_TEXT: u64 = 300 << 10;

/// Of a dump only so much: of a core its headers, most of its notes, and of those that are read with
/// their module files the memory. `LOGJAM_DAMAGE=whole` takes all of each.
const MOST_BYTES: usize = 32 << 10;
const MOST_BYTES_WITH_MODULES: usize = 1 << 20;

/// Far more than any of them needs, on a machine that does other work too.
const LONGEST: Duration = Duration::from_secs(10);

#[test]
fn cut_dumps_are_read_as_far_as_they_go() {
    each(|name, whole, check| {
        for n in 0..CUTS {
            // A third of the cuts lie in the headers and notes at the beginning.
            let end = if n % 3 == 0 { whole.len().min(n * 97) } else { whole.len() * n / CUTS };
            check(&format!("{name} cut at {end}"), &whole[..end]);
        }
    });
}

#[test]
fn damaged_dumps_are_read_as_far_as_they_make_sense() {
    each(|name, whole, check| {
        let mut random = Random::new(0x6c6f_676a_616d);
        for n in 0..DAMAGES {
            check(&format!("{name} damage {n}"), &damaged(whole, &mut random));
        }
    });
}

/// The small fixtures.
fn dumps() -> Vec<String> {
    let mut found = Vec::new();
    for folder in ["cores", "gdb"] {
        for entry in std::fs::read_dir(fixtures().join(folder)).expect("the folder of fixtures") {
            let entry = entry.expect("an entry");
            let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
            let most = match name.rsplit('.').next() {
                Some("zst") => SMALL,
                Some("txt") => SMALL_TEXT,
                _ => continue,
            };
            if entry.metadata().expect("metadata").len() <= most {
                found.push(name);
            }
        }
    }
    found.extend(texts());
    found.sort();
    assert!(found.len() > 50, "{found:?}");
    found
}

/// Of each text format the smallest dumps: what is damaged in them is lines, and all lines of a format are alike.
fn texts() -> Vec<String> {
    let mut found = Vec::new();
    for format in FORMATS {
        let folder = fixtures().join("text").join(format.id.id());
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        let mut dumps: Vec<(u64, String)> = entries
            .map(|entry| entry.expect("an entry"))
            .filter(|entry| !entry.file_name().to_string_lossy().ends_with(".truth.json"))
            .map(|entry| {
                let name = format!("text/{}/{}", format.id.id(), entry.file_name().to_string_lossy());
                (unpacked(&name).len() as u64, name)
            })
            .collect();
        dumps.sort();
        found.extend(dumps.into_iter().map(|(_, name)| name).take(TEXTS_A_FORMAT));
    }
    found
}

type Check<'a> = &'a mut dyn FnMut(&str, &[u8]);

fn each(variants: impl Fn(&str, &[u8], Check<'_>) + Sync) {
    let failures: Vec<String> = with_workers(2, || {
        use rayon::prelude::*;
        dumps().par_iter().flat_map_iter(|name| failures_of(name, &variants)).collect()
    });
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

fn failures_of(name: &str, variants: &impl Fn(&str, &[u8], Check<'_>)) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("dump");
    let mut options = isolated();
    let has_modules = WITH_MODULES.iter().any(|start| name.contains(start));
    if has_modules {
        options.search.debug_dirs.push(fixtures().join("cores"));
    }
    let mut failures = Vec::new();
    let whole = unpacked(name);
    let most = match std::env::var_os("LOGJAM_DAMAGE") {
        Some(what) if what == "whole" => whole.len(),
        _ if has_modules => MOST_BYTES_WITH_MODULES,
        _ => MOST_BYTES,
    };
    let whole = &whole[..whole.len().min(most)];
    variants(name, whole, &mut |what, bytes| {
        std::fs::write(&path, bytes).expect("room for a dump");
        let started = Instant::now();
        match catch_unwind(AssertUnwindSafe(|| report_of(&path, &options))) {
            Err(_) => failures.push(format!("{what}: panic")),
            Ok(broken) => failures.extend(broken.into_iter().map(|b| format!("{what}: {b}"))),
        }
        if started.elapsed() > LONGEST {
            failures.push(format!("{what}: took {:?}", started.elapsed()));
        }
    });
    failures
}

/// The promises that the report of this dump breaks.
fn report_of(path: &Path, options: &logjam::Options) -> Vec<String> {
    invariants::broken(&json(&[path.to_path_buf()], options))
}
