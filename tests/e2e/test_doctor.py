"""`reconciler doctor` against the sandbox, one thing wrong at a time; and what it leaves alone."""

from __future__ import annotations

import contextlib
import io
import os
import socket
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import formatdate
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final
from unittest.mock import patch

import pytest

from reconciler.cli.main import outcome
from reconciler.sandbox.serve import RunningSandbox, SandboxOptions
from reconciler.state.database import FORMAT
from reconciler.state.lease import Holder
from reconciler.state.local import LocalState

from .harness import KEY, Project, Ran, Sandbox

PROJECT: Final = """\
apiVersion: reconciler/v1
kind: Project
api:
  baseUrl: ${SANDBOX_URL}
  auth: {apiKey: "${SANDBOX_KEY}"}
applications:
  courier: {appCode: "${COURIER_CODE}"}
  shop: {appCode: "${SHOP_CODE}"}
manifests: [devices/*.yaml]
"""
MANIFEST: Final = """\
apiVersion: reconciler/v1
kind: Devices
application: courier
people:
  ana: {externalId: external-ana}
devices:
  one: {owner: ana}
  two: {additionalData: {shift: night}}
"""
WORLD: Final[dict[str, Any]] = {
    "applications": {"courier-app-code": "A1", "shop-app-code": "A2"},
    "people": [{"id": 1, "externalId": "external-ana"}],
    "registrations": [
        {"registrationId": "one", "applicationId": "A1", "owner": 1},
        {"registrationId": "two", "applicationId": "A1"},
        {"registrationId": "till", "applicationId": "A2"},
    ],
}
CODES: Final = {"COURIER_CODE": "courier-app-code", "SHOP_CODE": "shop-app-code"}
CHECKS: Final = [
    *("version", "files", "environment", "state", "lock", "journal"),
    *("base-url", "connection", "clock", "credentials"),
    *("applications", "application", "application", "limits"),
]
RECORD: Final = Path(".reconciler/state.db")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with RunningSandbox(SandboxOptions(limits=None)) as running:
        Sandbox(running.url).put_world(WORLD)
        yield running


@pytest.fixture
def project(tmp_path: Path, sandbox: RunningSandbox) -> Iterator[Project]:
    """A project with a state, of which nothing is applied."""
    sandbox.clear_faults()
    made = Project(tmp_path, sandbox.url, CODES)
    made.write("reconciler.yaml", PROJECT)
    made.write("devices/all.yaml", MANIFEST)
    LocalState.open(tmp_path / RECORD, create=True).close()
    yield made
    sandbox.clear_faults()


def run_here(project: Project, **variables: str) -> Ran:
    """Run doctor as the command line does, but in this process: a second less for each case."""
    out, err = io.StringIO(), io.StringIO()
    environment = {**project.environment(), **variables}
    with (
        patch.dict(os.environ, environment, clear=True),
        contextlib.chdir(project.root),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = outcome(["doctor", "--format", "json"])
    return Ran(code, out.getvalue(), err.getvalue())


def checked(
    project: Project, *, apart: bool = False, **variables: str
) -> tuple[Ran, dict[str, Any]]:
    """Run doctor (`apart`: in a process of its own); return how it ended, and the findings by
    check (and application)."""
    ran = (
        project.run("doctor", "--format", "json", **variables)
        if apart
        else run_here(project, **variables)
    )
    assert ran.err == ""
    document = ran.json()
    found = {
        one["check"] + (f" {one['subject']}" if one["subject"] else ""): one
        for one in document["checks"]
    }
    assert len(found) == len(document["checks"])
    assert sum(document["summary"].values()) == len(found)
    assert (ran.exit == 1) == (document["summary"]["failed"] > 0)
    for secret in (KEY, *CODES.values(), "external-ana"):
        assert secret not in ran.out
    # What is wrong comes with what to do, what is fine without.
    for one in found.values():
        assert (one["fix"] is not None) == (one["verdict"] in ("warning", "failed")), one
    return ran, found


def verdicts(found: dict[str, Any]) -> dict[str, str]:
    """Return the findings that are not fine, by check."""
    return {check: one["verdict"] for check, one in found.items() if one["verdict"] != "ok"}


def contents(root: Path) -> dict[str, str]:
    """Return a digest of every file below a directory."""
    return {
        str(file.relative_to(root)): sha256(file.read_bytes()).hexdigest()
        for file in sorted(root.rglob("*"))
        if file.is_file()
    }


def test_all_is_well_and_nothing_was_written(project: Project, sandbox: RunningSandbox) -> None:
    """Each check in its turn, exit code 0; only reads reached the service, no file changed."""
    sandbox.forget_calls()
    before = contents(project.root)
    ran = project.run("doctor")

    assert (ran.exit, ran.err) == (0, "")
    lines = [line.split() for line in ran.out.splitlines() if line[:1] not in ("", " ")]
    assert [line[1] for line in lines[:-1]] == CHECKS
    assert {line[0] for line in lines[:-1]} == {"ok"}
    assert ran.out.endswith("\n\n14 ok.\n")
    assert {"get", "persons", "match", "applications"} == {
        call.operation for call in sandbox.calls()
    }
    assert len(sandbox.calls()) <= 11
    assert contents(project.root) == before
    assert KEY not in ran.out


def test_a_key_that_is_revoked_is_told_from_one_that_may_not(project: Project) -> None:
    """401 and 403 need different people; what leans on the credentials is skipped."""
    behind = {"applications": "skipped", "application": "skipped", "limits": "skipped"}
    ran, found = checked(project, apart=True, SANDBOX_KEY="revoked-key")
    assert ran.exit == 1
    assert verdicts(found) == {"credentials": "failed", **behind}
    assert found["credentials"]["message"].startswith("not accepted for people (persons) and regi")
    assert "401" in found["credentials"]["message"]
    assert "wrong, revoked" in found["credentials"]["fix"]
    assert "revoked-key" not in ran.out

    ran, found = checked(project, apart=True, SANDBOX_KEY="a-forbidden-key")
    assert verdicts(found) == {"credentials": "failed", **behind}
    assert "403" in found["credentials"]["message"]
    assert "scopes" in found["credentials"]["fix"]


@pytest.mark.parametrize(
    ("faults", "verdict", "message"),
    [
        (["persons:401"], "failed", "not accepted for people (persons); answered 401"),
        (["get:403"], "failed", "forbidden for registrations (get); answered 403"),
        (["any:500"], "failed", "whether they are accepted is not known"),
        (["persons:html"], "failed", "accepted for registrations (get)"),
        (["persons:302"], "failed", "accepted for registrations (get)"),
        (["persons:reset"], "failed", "accepted for registrations (get)"),
        (["persons:429"], "warning", "accepted for registrations (get)"),
    ],
)
def test_what_the_reads_are_answered(
    project: Project, sandbox: RunningSandbox, faults: list[str], verdict: str, message: str
) -> None:
    """The two kinds of reads are told apart, and passing trouble from a refusal."""
    sandbox.set_faults([f"{fault}@#1+" for fault in faults])
    _, found = checked(project)

    assert found["connection"]["verdict"] == "ok"
    assert found["credentials"]["verdict"] == verdict
    assert found["credentials"]["message"].startswith(message)
    assert (found["limits"]["verdict"] == "skipped") == (verdict == "failed")


def test_429_is_a_warning_of_the_limits(project: Project, sandbox: RunningSandbox) -> None:
    """Reads at our own pace were too many for the account: nothing is broken."""
    sandbox.set_faults(["get:429@#1+"])
    ran, found = checked(project)

    assert ran.exit == 0
    assert set(verdicts(found).values()) == {"warning"}
    assert found["limits"]["message"] == "5 of 5 reads were answered 429"
    assert "get 40," in found["limits"]["detail"][0]
    assert "quotaShare" in found["limits"]["fix"]


@pytest.mark.parametrize(
    ("effect", "said"),
    [
        ("500", "answered 500"),
        ("403", "answered 403"),
        ("reset", "no answer"),
        ("html", "answered 200: the answer is HTML or XML, not JSON"),
    ],
)
def test_a_service_that_fails_at_our_pace(
    project: Project, sandbox: RunningSandbox, effect: str, said: str
) -> None:
    """What was well once is not well five times; it is told, and not asked on and on."""
    sandbox.set_faults([f"get:{effect}@#5+"])
    sandbox.forget_calls()
    ran, found = checked(project)

    assert ran.exit == 0
    assert verdicts(found) == {"limits": "warning"}
    assert found["limits"]["message"].startswith(f"read 2 of 5 had no good answer; {said}")
    assert "get 40," in found["limits"]["detail"][0]
    # Of eight at most; the log may not have the last one yet.
    assert sum("/contactInformation/" in call.path for call in sandbox.calls()) <= 5


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_that_may_be_somebody_else_s(
    project: Project, sandbox: RunningSandbox, status: int
) -> None:
    """A page in place of the service's words: a proxy or a firewall may have said it."""
    hint = "a proxy or a firewall"
    for fault, expected in ((f"any:{status}", False), (f"any:{status},html", True)):
        sandbox.set_faults([fault])
        _, found = checked(project)
        assert found["credentials"]["verdict"] == "failed"
        assert (hint in found["credentials"]["fix"]) == expected


def test_a_wrong_application_code(project: Project) -> None:
    """The service says so itself, and the other application is judged all the same."""
    ran, found = checked(project, apart=True, COURIER_CODE="no-such-code")

    assert ran.exit == 1
    assert verdicts(found) == {"application courier": "failed"}
    assert found["application courier"]["message"] == (
        "the service knows no application with this code"
    )
    assert "applications.courier.appCode" in found["application courier"]["fix"]
    assert "no-such-code" not in ran.out


def test_the_code_of_another_application(project: Project) -> None:
    """Known, and none of ours in it: gone or elsewhere, which the service does not tell apart."""
    ran, found = checked(project, COURIER_CODE="shop-app-code", SHOP_CODE="courier-app-code")

    assert ran.exit == 0
    assert verdicts(found) == {"application courier": "warning"}
    assert "none of the 2 declared devices" in found["application courier"]["message"]
    assert "answers both alike" in found["application courier"]["detail"][0]
    # The names tell, of the one in which nothing is declared too.
    assert found["application courier"]["message"].startswith("the code is that of Application 2 (")
    assert found["application shop"]["message"].startswith("the code is that of Application 1 (")


def test_an_application_that_the_record_knows_by_another_id(project: Project) -> None:
    """Its code was another when something was applied."""
    with LocalState.open(project.root / RECORD, create=False) as state:
        state.write({}, {"courier": "A9"})
    _, found = checked(project)

    assert verdicts(found) == {"application courier": "warning"}
    assert "by another id" in found["application courier"]["message"]


def test_a_port_that_nobody_listens_at(project: Project) -> None:
    """One failure; what leans on it is skipped, what does not is checked."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        ran, found = checked(project, apart=True, SANDBOX_URL=f"http://127.0.0.1:{port}")

    assert ran.exit == 1
    behind = ("clock", "credentials", "applications", "application", "limits")
    assert verdicts(found) == {"connection": "failed", **dict.fromkeys(behind, "skipped")}
    assert found["connection"]["message"] == "the service cannot be reached"
    assert found["clock"]["message"] == "not checked, because of connection"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("https://keys.example", "E308: Keys are not sent to keys.example"),
        ("http://api.infobip.com", "E308: Plain http to api.infobip.com"),
        ("ftp://api.infobip.com", "E308: The base URL is no plain https://host[:port]"),
    ],
)
def test_a_base_url_that_keys_are_not_sent_to(project: Project, url: str, message: str) -> None:
    """It is not even connected to."""
    _, found = checked(project, SANDBOX_URL=url)

    assert found["base-url"]["verdict"] == "failed"
    assert found["base-url"]["message"].startswith(message)
    assert found["connection"]["verdict"] == "skipped"


def test_variables_that_are_not_set_are_named(project: Project) -> None:
    """All at once, with the settings that need them; what no manifest uses is no failure."""
    ran, found = checked(project, SANDBOX_KEY="", SHOP_CODE="")

    assert ran.exit == 1
    behind = ("credentials", "applications", "application", "limits")
    assert verdicts(found) == {"environment": "failed", **dict.fromkeys(behind, "skipped")}
    assert found["environment"]["detail"] == ["SANDBOX_KEY (api.auth.apiKey) is empty"]

    _, found = checked(project, SHOP_CODE="")
    assert verdicts(found) == {"application shop": "skipped"}
    assert found["environment"]["detail"] == [
        "SHOP_CODE (applications.shop.appCode) is empty; no manifest uses it"
    ]


def test_a_secret_in_the_project_file(project: Project) -> None:
    """A warning that does not repeat it."""
    text = PROJECT.replace("${SANDBOX_KEY}", "a-key-in-the-file")
    project.write("reconciler.yaml", text)
    ran, found = checked(project)

    assert verdicts(found) == {"environment": "warning"}
    assert found["environment"]["detail"] == ["api.auth.apiKey stands in the project file itself"]
    assert "a-key-in-the-file" not in ran.out


def test_a_token_is_fetched_and_its_refusal_told(project: Project) -> None:
    """With OAuth2 the credentials are judged by the request for the token too."""
    auth = '{oauth2: {clientId: a-client, clientSecret: "${SANDBOX_KEY}"}}'
    project.write("reconciler.yaml", PROJECT.replace('{apiKey: "${SANDBOX_KEY}"}', auth))
    ran, found = checked(project)
    assert (ran.exit, verdicts(found)) == (0, {})

    _, found = checked(project, SANDBOX_KEY="revoked-secret")
    assert found["credentials"]["message"].startswith("not accepted for people (persons) and")


def test_low_limits_are_kept(project: Project, sandbox: RunningSandbox) -> None:
    """With a read a second doctor makes fewer, and takes its time."""
    text = PROJECT.replace(
        "applications:", "  limits: {get: 2}\n  quotaShare: 0.5\napplications:", 1
    )
    project.write("reconciler.yaml", text)
    sandbox.forget_calls()
    begun = time.monotonic()
    ran, found = checked(project)

    assert ran.exit == 0
    assert found["limits"]["message"].startswith("a second: get 1, update 25,")
    assert found["limits"]["detail"][0].startswith("2 reads: ")
    gets = [call for call in sandbox.calls() if "/contactInformation/" in call.path]
    assert time.monotonic() - begun > len(gets) - 1.1


def test_a_key_that_no_header_can_carry(project: Project) -> None:
    """Nothing is sent."""
    ran, found = checked(project, SANDBOX_KEY="two words")

    assert found["credentials"]["message"].startswith("they cannot be sent: the API key holds")
    assert "two words" not in ran.out


def test_mistakes_in_a_manifest_hide_nothing_else(project: Project) -> None:
    """The project file is enough for all other checks."""
    project.write("devices/bad.yaml", MANIFEST.replace("one:", "three:").replace("owner", "ownr"))
    ran, found = checked(project)

    assert ran.exit == 1
    assert verdicts(found) == {"files": "failed"}
    assert found["files"]["message"] == "2 mistakes in 3 files"
    assert found["files"]["detail"][0].startswith("devices/bad.yaml:")
    assert "reconciler validate" in found["files"]["fix"]


@pytest.mark.parametrize("text", [None, "", "kind: [", "api: 5\n", "\0" * 100])
def test_without_a_project_file_nothing_else_is_told(project: Project, text: str | None) -> None:
    """Missing, empty, no YAML, no project, no text."""
    (project.root / "reconciler.yaml").unlink()
    if text is not None:
        project.write("reconciler.yaml", text)
    ran = run_here(project)

    assert (ran.exit, ran.err) == (1, "")
    found = {one["check"]: one["verdict"] for one in ran.json()["checks"]}
    assert found.pop("version") == "ok"
    assert found.pop("files") == "failed"
    assert set(found.values()) == {"skipped"}
    assert set(found) == set(CHECKS) - {"version", "files"}


def test_no_record_is_a_warning_and_none_is_made(project: Project) -> None:
    """Right for a new project; an empty file is as good as none."""
    (project.root / RECORD).unlink()
    for make in (lambda: None, lambda: (project.root / RECORD).touch()):
        make()
        before = contents(project.root)
        ran, found = checked(project)
        assert ran.exit == 0
        assert verdicts(found) == {"state": "warning", "lock": "skipped", "journal": "skipped"}
        assert "there is none yet" in found["state"]["message"]
        assert contents(project.root) == before


@pytest.mark.parametrize(
    ("content", "code"), [(b"not a database at all" * 9, "E603"), (b"SQLite format 3\0", "E60")]
)
def test_what_is_no_record(project: Project, content: bytes, code: str) -> None:
    """Said with its code, and left as it is."""
    (project.root / RECORD).write_bytes(content)
    ran, found = checked(project)

    assert ran.exit == 1
    assert verdicts(found) == {"state": "failed", "lock": "skipped", "journal": "skipped"}
    assert found["state"]["message"].startswith(code)
    assert (project.root / RECORD).read_bytes() == content


def test_a_record_of_an_earlier_format_is_not_upgraded(project: Project) -> None:
    """Opening it would write to it."""
    connection = sqlite3.connect(project.root / RECORD)
    connection.execute(f"PRAGMA user_version = {FORMAT - 1}")
    connection.close()
    before = contents(project.root)
    _, found = checked(project)

    assert verdicts(found) == {"state": "warning", "lock": "skipped", "journal": "skipped"}
    assert f"of format {FORMAT - 1}" in found["state"]["message"]
    assert contents(project.root) == before


def test_a_shared_record_that_is_not_there(project: Project) -> None:
    """A plan would fail, so it is a failure; and doctor starts none."""
    shared = project.root / "shared"
    shared.mkdir()
    text = f"{PROJECT}state: {{backend: objectstore, url: 'file://{shared}'}}\n"
    project.write("reconciler.yaml", text)
    _, found = checked(project)

    assert verdicts(found) == {"state": "failed", "lock": "skipped", "journal": "skipped"}
    assert found["state"]["message"].startswith("E601")
    assert "state init" in found["state"]["fix"]
    assert list(shared.iterdir()) == []

    assert project.run("state", "init").exit == 0
    before = contents(project.root)
    _, found = checked(project)
    assert verdicts(found) == {}
    assert found["state"]["message"].startswith("objectstore: 0 devices")
    assert contents(project.root) == before


def test_a_leased_record_names_its_holder(project: Project) -> None:
    """A warning: an apply would end with exit code 5, a plan would not."""
    holder = Holder("ci", "build-7", os.getpid(), "https://ci.example/7", datetime.now(UTC))
    with (
        LocalState.open(project.root / RECORD, create=False) as state,
        state.lease(holder),
    ):
        ran, found = checked(project, apart=True)

    assert ran.exit == 0
    assert verdicts(found) == {"lock": "warning"}
    assert found["lock"]["message"].startswith(
        f"ci on build-7 (process {os.getpid()}) holds it since "
    )
    assert "https://ci.example/7" in found["lock"]["message"]
    assert "state unlock" in found["lock"]["fix"]


def test_an_apply_that_did_not_come_to_its_end(project: Project) -> None:
    """The journal says which plan, and what became of its calls."""
    holder = Holder("ci", "build-7", os.getpid(), None, datetime.now(UTC))
    with (
        LocalState.open(project.root / RECORD, create=False) as state,
        state.lease(holder) as lease,
    ):
        state.journal_under(lease).start("plan-7")
    _, found = checked(project)

    assert verdicts(found) == {"journal": "warning"}
    assert found["journal"]["message"].startswith("the apply of plan plan-7, begun at ")
    assert found["journal"]["message"].endswith("0 calls applied, 0 calls unknown")


class _Stub(BaseHTTPRequestHandler):
    """A service whose clock is wrong, or that is none."""

    skew: float | None = 0.0
    status = 401
    body = b'{"requestError": {"serviceException": {"messageId": "UNAUTHORIZED", "text": "no"}}}'

    def do_GET(self) -> None:
        self.send_response_only(self.status)
        if self.skew is not None:
            self.send_header("Date", formatdate(datetime.now(UTC).timestamp() + self.skew))
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextlib.contextmanager
def stub(**settings: Any) -> Iterator[str]:
    handler = type("Handler", (_Stub,), settings)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("skew", "verdict", "message"),
    [
        (20.0, "ok", "agrees with the service within "),
        (-590.0, "warning", "this machine is 10 min ahead of the service"),
        (7210.0, "warning", "this machine is 2.0 h behind the service"),
        (None, "skipped", "the answer of the service has no Date"),
    ],
)
def test_a_clock_that_is_wrong(
    project: Project, skew: float | None, verdict: str, message: str
) -> None:
    """Told by the Date of an answer, which way and how far."""
    with stub(skew=skew) as url:
        _, found = checked(project, SANDBOX_URL=url)

    assert found["clock"]["verdict"] == verdict
    assert found["clock"]["message"].startswith(message)
    assert found["credentials"]["verdict"] == "failed"


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, b"<html>Sign in to the network</html>", "failed"),
        (302, b"", "failed"),
        (404, b"<html>", "failed"),
        (503, b"", "warning"),
        (429, b"", "ok"),
    ],
)
def test_who_answers_is_not_the_service(
    project: Project, status: int, body: bytes, verdict: str
) -> None:
    """A sign-in page, a redirect, another server; trouble of the service is not that."""
    with stub(status=status, body=body) as url:
        _, found = checked(project, SANDBOX_URL=url)

    assert found["connection"]["verdict"] == verdict
    assert ("is not the service" in found["connection"]["message"]) == (verdict == "failed")


def test_the_json_form_has_all_of_it(project: Project) -> None:
    """One document on stdout, in the order of the checks."""
    document = run_here(project).json()

    assert document["formatVersion"] == "1.0"
    assert [one["check"] for one in document["checks"]] == CHECKS
    assert document["summary"] == {"ok": 14, "warning": 0, "failed": 0, "skipped": 0}


@pytest.mark.parametrize("status", [403, 404, 405])
def test_a_key_that_may_not_list_applications_is_told_so_once(
    project: Project, sandbox: RunningSandbox, status: int
) -> None:
    """That is no fault of the key: all else is as without names."""
    sandbox.set_faults([f"applications:{status}"])
    ran, found = checked(project)

    assert (ran.exit, verdicts(found)) == (0, {})
    assert "may not list them" in found["applications"]["message"]
    assert "mobile-app-messaging:manage" in found["applications"]["detail"][0]
    assert ran.out.count("mobile-app-messaging:manage") == 1
    # Nothing is declared in that one, and that is said.
    assert found["application shop"]["message"] == "the code is known"
    assert "nothing shows" in found["application shop"]["detail"][0]


@pytest.mark.parametrize("fault", ["503", "garbage", "reset", "html"])
def test_a_list_of_applications_that_did_not_come_is_a_warning(
    project: Project, sandbox: RunningSandbox, fault: str
) -> None:
    """And ends nothing."""
    sandbox.set_faults([f"applications:{fault}"])
    ran, found = checked(project)

    assert (ran.exit, verdicts(found)) == (0, {"applications": "warning"})
    assert "could not be listed" in found["applications"]["message"]


def test_applications_are_confirmed_by_name(project: Project) -> None:
    """Also where nothing of one is declared: its name and the service's id of it tell."""
    _, found = checked(project)

    assert found["applications"]["message"] == "2 applications listed"
    assert found["application courier"]["message"] == (
        "the code is that of Application 1 (A1, 2 registrations), and a declared device is in it"
    )
    assert found["application shop"]["message"] == (
        "the code is that of Application 2 (A2, 1 registration)"
    )
