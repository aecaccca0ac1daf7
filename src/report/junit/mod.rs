//! JUnit XML for CI systems: each dump is a test case, and so is each input that could not be analyzed.
//!
//! The format has no standard. This writes what all of its schemas in use agree on: a case has at most one
//! `failure` or `error`. So the worst finding gives its message, and all stand in its text. There is no clock
//! in a report, so every time is 0.

mod cases;
mod xml;

use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, Event};

use self::cases::{Case, Outcome};
use super::{Document, View};

/// Writes the document.
pub fn write(document: &Document<'_>, view: &View, out: &mut dyn Write) -> io::Result<()> {
    let cases = cases::of(document, view)?;
    let mut xml = Writer::new_with_indent(out, b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let is =
        |wanted: fn(&Outcome) -> bool| cases.iter().filter(|case| wanted(&case.outcome)).count().to_string();
    let (tests, skipped) = (cases.len().to_string(), is(|o| matches!(o, Outcome::Skipped { .. })));
    let failures = is(|o| matches!(o, Outcome::Failure { .. }));
    let errors = is(|o| matches!(o, Outcome::Error { .. }));
    // No `skipped` here: the schemas know it for a suite only.
    let counts = [
        ("name", document.tool.name),
        ("tests", &*tests),
        ("failures", &*failures),
        ("errors", &*errors),
        ("time", "0"),
    ];
    xml.create_element("testsuites").with_attributes(counts).write_inner_content(|xml| {
        let suite =
            xml.create_element("testsuite").with_attributes(counts).with_attribute(("skipped", &*skipped));
        suite.write_inner_content(|xml| cases.iter().try_for_each(|case| write_case(case, xml)))?;
        Ok(())
    })?;
    xml.get_mut().write_all(b"\n")
}

fn write_case(case: &Case, xml: &mut Writer<&mut dyn Write>) -> io::Result<()> {
    let attributes = [("name", &*case.name), ("classname", &*case.class), ("time", "0")];
    xml.create_element("testcase").with_attributes(attributes).write_inner_content(|xml| {
        match &case.outcome {
            Outcome::Passed => {}
            Outcome::Skipped { why } => xml::empty(xml, "skipped", &[("message", why)])?,
            Outcome::Failure { rule, message, text } => {
                xml::text(xml, "failure", &[("type", rule), ("message", message)], text)?;
            }
            Outcome::Error { why } => {
                xml::text(xml, "error", &[("type", "not-analyzed"), ("message", why)], why)?;
            }
        }
        if !case.output.is_empty() {
            xml::text(xml, "system-out", &[], &case.output)?;
        }
        Ok(())
    })?;
    Ok(())
}
