//! JUnit XML, read back with a reader of XML.

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};

use super::sample::{self, EVIL};
use crate::diagnosis::{Diagnosis, InputStatus};
use crate::report::document::{Baseline, Document};
use crate::report::{View, find};
use crate::rules::Severity;

/// An element with its attributes and text; children follow it.
#[derive(Debug, Default)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    depth: usize,
}

impl Element {
    fn of(start: &BytesStart<'_>, depth: usize) -> Self {
        let attribute = |a: quick_xml::events::attributes::Attribute<'_>| {
            (a.key.0.to_owned(), unescape(&a.value).unwrap().into_owned())
        };
        Self {
            name: start.name().0.to_owned(),
            attributes: start.attributes().map(|a| attribute(a.expect("well-formed attributes"))).collect(),
            text: String::new(),
            depth,
        }
    }

    fn get(&self, key: &str) -> &str {
        self.attributes.iter().find(|(k, _)| k == key).map_or("", |(_, value)| value)
    }
}

fn written(document: &Document<'_>, view: &View) -> String {
    let mut out = Vec::new();
    (find("junit").unwrap().write)(document, view, &mut out).unwrap();
    let xml = String::from_utf8(out).expect("UTF-8");
    let is_char = |c: char| matches!(c, '\n' | ' '..='\u{fffd}' | '\u{10000}'..);
    assert!(xml.chars().all(is_char), "only characters of XML 1.0");
    xml
}

fn elements(xml: &str) -> Vec<Element> {
    let mut reader = Reader::from_str(xml);
    let (mut all, mut open): (Vec<Element>, Vec<usize>) = (Vec::new(), Vec::new());
    loop {
        match reader.read_event().expect("well-formed XML") {
            Event::Start(start) => {
                all.push(Element::of(&start, open.len()));
                open.push(all.len() - 1);
            }
            Event::Empty(start) => all.push(Element::of(&start, open.len())),
            Event::End(_) => drop(open.pop().expect("an element is open")),
            Event::Text(text) => {
                if let Some(&at) = open.last() {
                    all[at].text += &text;
                }
            }
            Event::GeneralRef(reference) => {
                let at = *open.last().expect("text in an element");
                all[at].text += &unescape(&format!("&{};", &*reference)).unwrap();
            }
            Event::Eof => break,
            Event::Decl(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(open.is_empty());
    all
}

fn of(diagnosis: &Diagnosis) -> Vec<Element> {
    elements(&written(&Document::of(diagnosis), &View::default()))
}

/// tests, failures, errors, skipped: as the suite says, which must be as the cases are.
fn counts(all: &[Element]) -> [usize; 4] {
    let count = |name: &str| all.iter().filter(|e| e.name == name).count();
    let counts = [count("testcase"), count("failure"), count("error"), count("skipped")];
    let suite = all.iter().find(|e| e.name == "testsuite").expect("a suite");
    assert_eq!(
        ["tests", "failures", "errors", "skipped"].map(|key| suite.get(key).to_owned()),
        counts.map(|n| n.to_string())
    );
    for key in ["tests", "failures", "errors"] {
        assert_eq!(all[0].get(key), suite.get(key));
    }
    counts
}

#[test]
fn the_incident_is_a_failed_case_with_the_whole_finding() {
    let all = of(&sample::incident(4499));
    assert_eq!(counts(&all), [1, 1, 0, 0]);
    let case = all.iter().find(|e| e.name == "testcase").unwrap();
    assert_eq!(
        (case.get("name"), case.get("classname"), case.get("time")),
        ("core.zst", "logjam.elf-core", "0")
    );
    let failure = all.iter().find(|e| e.name == "failure").unwrap();
    assert_eq!(failure.get("type"), "lock-contention");
    assert_eq!(failure.get("message"), "4499 of 5001 threads (90 %) wait for the mutex g_log_mutex");
    for part in [
        "4499 of 5001 threads (90 %) wait for the mutex g_log_mutex\n",
        "lock      pthread mutex g_log_mutex, 0x55f0ce1aa140 in logserver .bss",
        "holder    thread 9331 \"worker-4999\" (read), blocked in write(fd 7)",
        "waiters   4,499   log_message ← handle ← worker",
        "its __owner field holds 4340",
        "Move the write out of the critical section",
        "logjam explain lock-contention · lj1:0123456789abcdef",
    ] {
        assert!(failure.text.contains(part), "no {part:?} in {}", failure.text);
    }
}

#[test]
fn mild_findings_stand_in_the_output_and_the_threshold_moves() {
    let d = sample::zoo();
    let all = of(&d);
    assert_eq!(counts(&all), [3, 1, 1, 1], "a dump, a failed input, one without a process");
    let failure = all.iter().find(|e| e.name == "failure").unwrap();
    assert!(failure.get("message").ends_with(" (and 3 more findings)"), "{}", failure.get("message"));
    let output = &all.iter().find(|e| e.name == "system-out").unwrap().text;
    assert!(output.contains("1 finding below the threshold (high): does not fail"), "{output}");
    assert!(
        output.contains("5,001 threads are more than the limit of 1,000")
            && !failure.text.contains("the limit of")
    );
    assert!(output.contains("gap: a stack ends where memory is missing (12 times)"), "{output}");

    let at = |fail_on| elements(&written(&Document::of(&d), &View { fail_on, ..View::default() }));
    let critical = at(Severity::Critical);
    assert!(
        critical
            .iter()
            .find(|e| e.name == "failure")
            .unwrap()
            .get("message")
            .ends_with("(and 1 more finding)")
    );
    let medium = at(Severity::Medium);
    assert!(medium.iter().find(|e| e.name == "failure").unwrap().text.contains("the limit of 1,000"));
}

#[test]
fn known_and_ignored_findings_do_not_fail() {
    let d = sample::zoo();
    let mut document = Document::of(&d);
    for (n, finding) in document.findings.iter_mut().enumerate() {
        finding.baseline = Some(if n == 0 { Baseline::Ignored } else { Baseline::Known });
    }
    let all = elements(&written(&document, &View::default()));
    assert_eq!(counts(&all), [3, 0, 1, 1]);
    let output = &all.iter().find(|e| e.name == "system-out").unwrap().text;
    assert!(output.contains("1 finding ignored: does not fail"), "{output}");
    assert!(output.contains("4 findings known: in the baseline, does not fail"), "{output}");
    document.findings[2].baseline = Some(Baseline::New);
    let all = elements(&written(&document, &View::default()));
    assert_eq!(counts(&all), [3, 1, 1, 1]);
    assert_eq!(all.iter().find(|e| e.name == "failure").unwrap().get("type"), "wait-chain");
}

#[test]
fn a_failed_input_is_an_error_and_a_quiet_dump_passes() {
    let d = Diagnosis {
        inputs: vec![("a&b.core".into(), InputStatus::Failed("no format recognizes it".into()))],
        ..Diagnosis::default()
    };
    let all = of(&d);
    assert_eq!(counts(&all), [1, 0, 1, 0]);
    let error = all.iter().find(|e| e.name == "error").unwrap();
    assert_eq!((error.get("type"), error.get("message")), ("not-analyzed", "no format recognizes it"));
    assert_eq!(all.iter().find(|e| e.name == "testcase").unwrap().get("name"), "a&b.core");
    assert_eq!(counts(&of(&sample::quiet())), [1, 0, 0, 0]);
    assert_eq!(counts(&of(&Diagnosis::default())), [0, 0, 0, 0]);
}

#[test]
fn several_snapshots_of_a_file_are_told_apart_and_each_has_its_findings() {
    let mut d = sample::incident(7);
    d.snapshots.extend(sample::incident(7).snapshots);
    d.snapshots.extend(sample::incident(7).snapshots);
    d.snapshots[2].snapshot.process.pid = Some(9);
    d.findings[0].snapshot = 1;
    let all = of(&d);
    assert_eq!(counts(&all), [3, 1, 0, 0]);
    let names: Vec<_> = all.iter().filter(|e| e.name == "testcase").map(|e| e.get("name")).collect();
    let told = "core.zst logserver[4332] died of SIGABRT";
    assert_eq!(names, [told, &format!("{told} (2)"), "core.zst logserver[9] died of SIGABRT"]);
    let failed = all.iter().position(|e| e.name == "failure").unwrap();
    assert_eq!(all[..failed].iter().filter(|e| e.name == "testcase").count(), 2, "the second fails");
    let mut document = Document::of(&d);
    document.findings[0].snapshots = vec![1, 2];
    assert_eq!(counts(&elements(&written(&document, &View::default()))), [3, 2, 0, 0]);
}

#[test]
fn hostile_text_is_text() {
    let mut d = sample::hostile();
    d.findings[0].finding.title = format!("</failure>]]><!-- &amp; \u{fffe}\u{ffff} {EVIL}");
    let all = of(&d);
    let [tests, failures, errors, _] = counts(&all);
    assert_eq!((tests, failures, errors), (2, 1, 1));
    let failure = all.iter().find(|e| e.name == "failure").unwrap();
    let message = failure.get("message");
    assert!(message.starts_with("</failure>]]><!-- &amp; \u{fffd}\u{fffd} \\x1b[2J"), "{message}");
    assert!(failure.text.contains("</failure>]]><!-- &amp;"), "{}", failure.text);
    let shown = all.iter().map(|e| format!("{}{:?}", e.text, e.attributes)).collect::<String>();
    assert!(!shown.chars().any(|c| (c.is_control() && c != '\n') || "\u{202e}\u{2066}\u{200b}".contains(c)));
    assert!(all.iter().all(|e| e.depth <= 3), "nothing opens an element");
}
