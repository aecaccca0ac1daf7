//! The same dump in the forms that logs, mails, terminals and other systems give it: the same threads, stacks, waits
//! and facts of the process, for every text format. What is put between the threads is passed over and costs none.

mod common;
/// What the fuzzer asks of every diagnosis: it is not run each time, and its questions must keep up with the answers.
#[path = "../fuzz/src/oracle.rs"]
mod oracle;

use bytes::Bytes;
use common::{fixtures, isolated, unpacked};
use logjam::analyze;
use logjam::formats::{FORMATS, Reader, detect};
use logjam::input::NoProgress;
use logjam::model::{GapKind, LockId, Snapshot};
use rayon::prelude::*;

/// Larger dumps show nothing that smaller ones do not.
const LARGEST: usize = 200 << 10;

/// A form, and whether JSON keeps its meaning in it: a document may be broken by what stands between its lines.
struct Form {
    name: &'static str,
    write: fn(&str) -> Vec<u8>,
    fits_json: bool,
    /// How many times the dump is in it.
    times: usize,
}

static FORMS: &[Form] = &[
    Form { name: "CRLF", write: |text| text.replace('\n', "\r\n").into(), fits_json: true, times: 1 },
    Form { name: "UTF-16", write: utf16, fits_json: true, times: 1 },
    Form {
        name: "byte order mark",
        write: |text| format!("\u{feff}{text}").into(),
        fits_json: true,
        times: 1,
    },
    Form {
        name: "a log around it",
        write: |text| format!("{LOG}{text}{LOG}").into(),
        fits_json: true,
        times: 1,
    },
    Form { name: "mail", write: |text| prefixed(text, |_| "> ".into()), fits_json: true, times: 1 },
    Form {
        name: "cat -n",
        write: |text| prefixed(text, |line| format!("{:6}\t", line + 1)),
        fits_json: true,
        times: 1,
    },
    Form { name: "syslog", write: |text| prefixed(text, syslog), fits_json: true, times: 1 },
    Form {
        name: "kubectl",
        write: |text| prefixed(text, |_| "[pod/shop-7d/web] ".into()),
        fits_json: true,
        times: 1,
    },
    Form { name: "container JSON", write: container, fits_json: true, times: 1 },
    Form { name: "JSON of a logger", write: logger, fits_json: true, times: 1 },
    Form { name: "two services", write: services, fits_json: true, times: 2 },
    Form { name: "noise between threads", write: noise, fits_json: false, times: 1 },
    Form {
        name: "twice in one log",
        write: |text| format!("{text}\n{LOG}{text}").into(),
        fits_json: true,
        times: 2,
    },
];

/// Dumps for which a form means something else, and why.
static EXCEPTIONS: &[(&str, &[&str], &str)] = &[
    (
        "deadlock-names",
        &["noise between threads", "lines of a newer release"],
        "a name with empty lines takes them for its own",
    ),
    ("traceback", &["a log around it", "twice in one log"], "a traceback with a log behind it was handled"),
    ("fatal-banner", &["twice in one log"], "a process ends once: the terminal and the log have its banner"),
    ("text/kernel/", &["twice in one log"], "a log is one machine's, and repeats what it says"),
    ("text/kernel/rwsem-dmesg", &["two services"], "a log is one machine's: its columns are not parted"),
    ("text/systemd-coredump/", &["two services"], "a journal is one machine's: its columns are not parted"),
    ("text/apple-sample/spindump", &["two services"], "not parted: a spindump has few lines that tell it"),
    ("text/perf-script/", &["twice in one log"], "samples add up"),
    ("text/folded/", &["twice in one log"], "samples add up"),
];

const LOG: &str = "2026-11-28T10:00:00.000Z INFO  shop started, 7 threads hold no lock\n\
                   2026-11-28T10:00:01.120Z WARN  thread pool is busy (goroutine budget 80 %)\n";

fn prefixed(text: &str, prefix: impl Fn(usize) -> String) -> Vec<u8> {
    text.lines().enumerate().flat_map(|(n, line)| format!("{}{line}\n", prefix(n)).into_bytes()).collect()
}

fn syslog(line: usize) -> String {
    format!("2026-11-28T10:{:02}:{:02}.123Z web-1 shop[4711]: ", line / 60 % 60, line % 60)
}

fn utf16(text: &str) -> Vec<u8> {
    "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

fn container(text: &str) -> Vec<u8> {
    let line =
        |line: &str| format!("{}\n", serde_json::json!({"log": format!("{line}\n"), "stream": "stderr"}));
    text.lines().flat_map(|l| line(l).into_bytes()).collect()
}

fn logger(text: &str) -> Vec<u8> {
    let line = |line: &str| {
        let message = format!("\u{1b}[36m{line}\u{1b}[0m");
        format!("{}\n", serde_json::json!({"kubernetes": {"pod": "web-1"}, "msg": message, "time": "10:00"}))
    };
    text.lines().flat_map(|l| line(l).into_bytes()).collect()
}

/// The same dump of two services, line by line in turns.
fn services(text: &str) -> Vec<u8> {
    text.lines().flat_map(|line| format!("web-1  | {line}\ndb     | {line}\n").into_bytes()).collect()
}

/// Lines of a log behind empty lines, which stand between threads in most formats.
fn noise(text: &str) -> Vec<u8> {
    let mut out = String::new();
    for (n, line) in text.lines().enumerate() {
        out.push_str(line);
        out.push('\n');
        if line.is_empty() {
            out.push_str(&format!("2026-11-28T10:00:02.{:03}Z DEBUG request {n} took 3 ms\n", n % 1000));
        }
    }
    out.into_bytes()
}

/// A line that no release prints, amid the stacks.
const NEXT: &str = "    @next lane=7 of a newer release";

fn next_release(text: &str) -> Vec<u8> {
    let mut out = String::new();
    for (n, line) in text.lines().enumerate() {
        out.push_str(line);
        out.push('\n');
        if n % 7 == 3 && !line.is_empty() {
            out.push_str(NEXT);
            out.push('\n');
        }
    }
    out.into_bytes()
}

/// Every line that is not known is counted, and the first is shown.
#[test]
fn what_a_newer_release_says_is_counted() {
    let wrong: Vec<String> = dumps()
        .par_iter()
        .filter(|(_, text)| !text.trim_start().starts_with(['{', '[']))
        .filter_map(|(name, text)| {
            let next = next_release(text);
            let added = next.windows(NEXT.len()).filter(|w| *w == NEXT.as_bytes()).count() as u64;
            let skipped = |bytes: &[u8]| -> u64 {
                let bytes = Bytes::copy_from_slice(bytes);
                let Some(content) = detect::detect(&bytes, None) else { return 0 };
                let read = detect::read(&content, &bytes, &"dump".into());
                let gaps = read.iter().flat_map(|s| s.gaps.iter().filter(|g| g.kind == GapKind::SkippedText));
                gaps.map(|g| g.count).sum()
            };
            let counted = skipped(&next) - skipped(text.as_bytes());
            // Lines before the first thread are the log around it: a whole boot, for one. gdb's text goes on in
            // indented lines.
            let is_gdb = name.contains("/pstack/") || name.contains("/kernel/panic");
            (added >= 10 && counted * 2 < added && !is_gdb)
                .then(|| format!("{name}: {counted} of {added} lines are counted"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_the_fuzzer_asks_holds_for_every_dump() {
    let options = isolated();
    dumps().par_iter().filter(|(_, text)| text.len() <= LARGEST / 4).for_each(|(name, _)| {
        let diagnosis = analyze(&[fixtures().join(name)], &options, &NoProgress);
        assert!(!diagnosis.snapshots.is_empty(), "{name}");
        oracle::check(&diagnosis);
    });
}

#[test]
fn every_form_of_a_dump_says_the_same() {
    let dumps = dumps();
    assert!(dumps.len() > 30, "only {} dumps", dumps.len());
    let failures: Vec<String> =
        dumps.par_iter().flat_map_iter(|(name, text)| differences(name, text)).collect();
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

fn differences(name: &str, text: &str) -> Vec<String> {
    let plain = shapes(text.as_bytes());
    let is_json = text.trim_start().starts_with(['{', '[']);
    let mut failures = Vec::new();
    for form in FORMS.iter().filter(|form| form.fits_json || !is_json) {
        if EXCEPTIONS.iter().any(|(part, forms, _)| name.contains(part) && forms.contains(&form.name)) {
            continue;
        }
        let got = shapes(&(form.write)(text));
        let expected: Vec<String> = (0..form.times).flat_map(|_| plain.clone()).collect();
        if got != expected {
            failures.push(format!("{name} as {}: {}", form.name, first_difference(&expected, &got)));
        }
    }
    failures
}

fn first_difference(expected: &[String], got: &[String]) -> String {
    if expected.len() != got.len() {
        return format!("{} snapshots, not {}", got.len(), expected.len());
    }
    let lines = |all: &[String]| all.join("\n").lines().map(str::to_owned).collect::<Vec<_>>();
    let (expected, got) = (lines(expected), lines(got));
    let at = expected.iter().zip(&got).position(|(a, b)| a != b).unwrap_or(expected.len().min(got.len()));
    let line = |lines: &[String]| lines.get(at).cloned().unwrap_or_else(|| "nothing".into());
    format!("{} instead of {}", line(&got), line(&expected))
}

/// What is read of these bytes, a line for each thread.
fn shapes(bytes: &[u8]) -> Vec<String> {
    let bytes = Bytes::copy_from_slice(bytes);
    let Some(content) = detect::detect(&bytes, None) else { return Vec::new() };
    detect::read(&content, &bytes, &"dump".into()).iter().map(shape).collect()
}

fn shape(snapshot: &Snapshot) -> String {
    let process = &snapshot.process;
    let mut lines = vec![format!(
        "{} {:?} {:?} {:?} {:?}",
        snapshot.source.format.id(),
        process.pid,
        process.name,
        process.failure,
        process.signal.as_ref().map(|s| (&s.name, s.thread))
    )];
    for thread in &snapshot.threads {
        let frames: Vec<&str> = snapshot
            .stacks
            .frames_of(thread.stack)
            .iter()
            .map(|&f| snapshot.stacks.get(f).function.as_deref().unwrap_or("??"))
            .collect();
        let wait = thread.reported_wait.map(|wait| match &snapshot.named_locks[wait.lock.at()].id {
            LockId::Address(address) => format!("{address:#x}"),
            LockId::Token(token) => token.to_string(),
        });
        let (id, name, said) = (&thread.id, &thread.name, &thread.reported);
        let holds = thread.holds.1 - thread.holds.0;
        lines.push(format!("{id} {name:?} {said:?} waits for {wait:?} holds {holds} in {frames:?}"));
    }
    lines.join("\n")
}

/// Whole dumps of every text format, as text.
fn dumps() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for format in FORMATS.iter().filter(|f| matches!(f.reader, Reader::Text { .. })) {
        let folder = fixtures().join("text").join(format.id.id());
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries {
            let file = entry.expect("an entry").file_name().to_string_lossy().into_owned();
            let is_dump = !file.ends_with(".truth.json");
            if !is_dump || file.contains("-cut") || file.contains("-in-log") {
                continue;
            }
            let name = format!("text/{}/{file}", format.id.id());
            let bytes = unpacked(&name);
            if let (true, Ok(text)) = (bytes.len() <= LARGEST, String::from_utf8(bytes)) {
                found.push((name, text));
            }
        }
    }
    found.sort();
    found
}
