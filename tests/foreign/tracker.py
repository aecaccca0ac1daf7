#!/usr/bin/env python3
# needs-pip: roundup==2.6.0
# needs-apt: curl
# needs-apt: jq
"""Runs the recipe docs/recipes/roundup.sh against a Roundup tracker on the loopback: the first run files an issue for
each finding, the second adds a message to each and files none; of a closed issue a new one is made.

LOGJAM is the program. The tracker lives in a temporary folder, its server ends with this script.
"""

import base64
import configparser
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOGJAM = os.environ.get("LOGJAM", str(ROOT / "target/debug/logjam"))
FIXTURE = ROOT / "fixtures/cores/logging-mutex-5000.core.zst"
RECIPE = ROOT / "docs/recipes/roundup.sh"
PASSWORD = "loopback only"


def tool(name):
    """A program of the environment for foreign tools, else of PATH."""
    own = ROOT / "target/foreign/venv/bin" / name
    found = str(own) if own.exists() else shutil.which(name)
    if not found:
        sys.exit(f"{name} is not installed")
    return found


def make_tracker(home, url):
    """A tracker of the classic template with SQLite."""
    settings = f"rdbms_backend=sqlite,tracker_web={url},mail_domain=localhost,mail_host=localhost,mail_debug={home}/mail"
    admin = tool("roundup-admin")
    subprocess.run([admin, "-i", home, "install", "classic", "sqlite", settings], check=True, stdout=subprocess.DEVNULL)
    config = configparser.ConfigParser(interpolation=None)
    config.read(f"{home}/config.ini")
    assert config["rdbms"]["backend"] == "sqlite" and config["tracker"]["web"] == url, "install took no settings"
    subprocess.run([admin, "-i", home, "initialise", PASSWORD], check=True, stdout=subprocess.DEVNULL)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Tracker:
    """What the tracker says when it is asked, without the recipe."""

    def __init__(self, url):
        self.url = url
        token = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
        self.headers = {"Authorization": f"Basic {token}", "X-Requested-With": "rest", "Origin": url.split("/jam")[0]}

    def ask(self, path, method="GET", body=None, **headers):
        data = None if body is None else json.dumps(body).encode()
        headers = {**self.headers, "Content-Type": "application/json", **headers}
        request = urllib.request.Request(f"{self.url}rest/data/{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["data"]

    def issues(self):
        ids = [issue["id"] for issue in self.ask("issue")["collection"]]
        return {id: self.ask(f"issue/{id}")["attributes"] | {"@etag": self.ask(f"issue/{id}")["@etag"]} for id in ids}

    def message(self, id):
        answer = self.ask(f"msg/{id}/content?@verbose=2")
        return answer["data"] if isinstance(answer, dict) else answer

    def wait(self, server, log):
        for _ in range(200):
            if server.poll() is not None:
                sys.exit(f"roundup-server ended: {Path(log.name).read_text()}")
            try:
                return self.ask("issue")
            except OSError:
                time.sleep(0.1)
        sys.exit("roundup-server does not answer")


def run_recipe(tickets, environment):
    done = subprocess.run([RECIPE], input=tickets, env=environment, capture_output=True, timeout=120)
    assert done.returncode == 0, f"the recipe failed: {done.stdout.decode()}{done.stderr.decode()}"
    return done.stdout.decode().splitlines()


def main():
    dump = subprocess.run([LOGJAM, FIXTURE, "--format", "ticket"], capture_output=True, check=True)
    tickets = [json.loads(line) for line in dump.stdout.splitlines()]
    assert len(tickets) == 2 and tickets[0]["rule"] == "lock-contention", [t["rule"] for t in tickets]

    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        url = f"http://127.0.0.1:{port}/jam/"
        home = f"{folder}/tracker"
        make_tracker(home, url)
        netrc = Path(folder, "netrc")
        netrc.write_text(f'machine 127.0.0.1 login admin password "{PASSWORD}"\n')
        netrc.chmod(0o600)
        environment = {**os.environ, "TRACKER": url, "NETRC": str(netrc), "AUTHOR": "admin", "no_proxy": "127.0.0.1"}
        log = open(f"{folder}/server.log", "wb")
        # In a container for tests everything is root's, and the server wants to be told that this is meant.
        user = [] if os.getuid() else ["-u", "root"]
        command = [tool("roundup-server"), *user, "-n", "127.0.0.1", "-p", str(port), f"jam={home}"]
        server = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            tracker = Tracker(url)
            tracker.wait(server, log)
            check(tracker, tickets, dump.stdout, environment)
        finally:
            server.send_signal(signal.SIGTERM)
            try:
                server.wait(timeout=10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
            log.close()


def check(tracker, tickets, lines, environment):
    assert not tracker.issues()

    said = run_recipe(lines, environment)
    first = tracker.issues()
    assert len(first) == len(tickets), first
    assert all("filed as" in line for line in said), said
    assert sorted(i["title"] for i in first.values()) == sorted(t["title"] for t in tickets)
    for issue in first.values():
        ticket = next(t for t in tickets if t["title"] == issue["title"])
        keyword = tracker.ask(f"keyword/{issue['keyword'][0]['id']}")["attributes"]["name"]
        assert keyword == ticket["key"], (keyword, ticket["key"])
        assert [tracker.message(m["id"]).strip() for m in issue["messages"]] == [ticket["body"].strip()]

    said = run_recipe(lines, environment)
    second = tracker.issues()
    assert second.keys() == first.keys(), "the second run must file nothing"
    assert all("added to" in line for line in said), said
    assert [len(issue["messages"]) for issue in second.values()] == [2] * len(tickets)

    # An issue that is done stays done: the jam that comes back is a new one, the other is updated.
    done = next(id for id, issue in second.items() if issue["title"] == tickets[0]["title"])
    tracker.ask(f"issue/{done}", "PATCH", {"status": "resolved"}, **{"If-Match": second[done]["@etag"]})
    run_recipe(lines, environment)
    third = tracker.issues()
    assert len(third) == len(tickets) + 1, third.keys()
    assert len(third[done]["messages"]) == 2
    messages = sum(len(issue["messages"]) for issue in third.values())
    print(f"tracker: {len(tickets)} findings, {len(third)} issues and {messages} messages after three runs: as they should be")


if __name__ == "__main__":
    main()
