"""No identity value, no attribute, no hidden or undeclared value and no secret is in any output.

All scenarios run in one project whose private values cannot occur by chance. Every byte that the
commands write is searched: stdout, stderr, saved files, the record, the journal, also those that a
kill leaves.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click
import pytest
import zstandard

from reconciler.cli.main import cli
from reconciler.sandbox.serve import RunningSandbox, SandboxOptions
from tests.e2e.forked import Death, Forks, When
from tests.e2e.harness import Project, Sandbox
from tests.scenarios.test_scenarios import SCENARIOS

from .dresses import DRESSES
from .project import project_file, whole, world_after
from .search import files_below, stems_in
from .stems import DAY, KEY, NUMBER, PHONE, STEMS, TEXT

# The kinds of values, as they stand in worlds and manifests.
VALUES: Final = (
    f"{TEXT}-Id-0101",
    f"+{PHONE}0101",
    f"{TEXT}.0102@{TEXT}.example",
    f"{TEXT} Ž&<0103>",
    f"{NUMBER}0104",
    f"{DAY}05",
    KEY,
)
FAULTS: Final = [
    "get:503@#4",
    "get:garbage@#9",
    "persons:429@#2,retry-after=0",
    "update:400@#2",
    "update:reset@#4,after",
    "personalize:409@#2",
]
# What can be done about a plan and a record without changing anything.
LOOKS: Final = (
    *(("validate", "--format", form) for form in ("text", "json", "github", "sarif")),
    *(("plan", "--format", form) for form in ("text", "json", "markdown", "html", "calls")),
    ("plan", "--read", "sweep", "--select", f"contact={TEXT}*"),
    *(("show", "plan.json", "--format", form) for form in ("markdown", "html", "calls", "text")),
    *(("drift", "--format", form) for form in ("text", "json", "markdown")),
    ("state", "list"),
    ("state", "list", "--format", "json"),
    ("state", "show", "both-moved.phone-1"),
    ("state", "pull"),
    ("doctor",),
    ("explain", "E208"),
)


class Outputs:
    """All that was written so far, by what wrote it, and where the commands run."""

    def __init__(self, forks: Forks, root: Path) -> None:
        self._forks = forks
        self._root = root
        self.written: dict[str, bytes] = {}

    def run(self, *arguments: str, death: Death | None = None) -> int:
        """Run a command; keep what it prints and what it leaves on the disk."""
        ended = self._forks.run("-C", str(self._root), "-v", *arguments, death=death)
        what = f"{len(self.written)} {' '.join(arguments)}"
        self.written[f"{what}: stdout"] = ended.ran.out.encode()
        self.written[f"{what}: stderr"] = ended.ran.err.encode()
        assert "Traceback" not in ended.ran.err, ended.ran.err
        return ended.ran.exit

    def keep(self, what: str, directory: Path) -> None:
        """Keep the bytes of all files of a directory."""
        for name, data in files_below(directory):
            self.written[f"{len(self.written)} {what}: {name}"] = data

    def at(self, root: Path) -> Outputs:
        """Return the same for commands in another directory."""
        other = Outputs(self._forks, root)
        other.written = self.written
        return other

    def found(self) -> list[str]:
        """Return every stem that stands in an output."""
        return [f"{what}: {stem}" for what, data in self.written.items() for stem in stems_in(data)]


def is_there(*path: str) -> bool:
    """Whether there is such a command."""
    return path[0] in cli.list_commands(click.Context(cli))


@contextmanager
def faulty(sandbox: Sandbox) -> Iterator[None]:
    """Let the service fail in many ways."""
    asked = json.dumps({"seed": 1, "faults": FAULTS}).encode()
    for method, data in (("PUT", asked), ("DELETE", None)):
        request = urllib.request.Request(f"{sandbox.url}/_sandbox/faults", data, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        opener.open(request, timeout=10).close()
        if method == "PUT":
            yield


def put_files(project: Project, files: dict[str, str]) -> None:
    shutil.rmtree(project.root / "devices", ignore_errors=True)
    for path, text in files.items():
        project.write(path, text)


def story(outputs: Outputs, project: Project, sandbox: Sandbox) -> None:
    """Apply, let others change what they like, look at all of it, apply under faults and kills."""
    found = whole(SCENARIOS)
    sandbox.put_world(found.world)
    project.write("reconciler.yaml", project_file())
    put_files(project, found.before)
    assert outputs.run("apply", "--yes", "--report", "first.json") == 0
    sandbox.put_world(world_after(found, sandbox.world()))
    put_files(project, found.after)
    record = project.root / ".reconciler"

    assert outputs.run("plan", "-o", "plan.json") == 1, "some scenarios have errors"
    for look in LOOKS:
        if is_there(*look):
            outputs.run(*look)
    outputs.keep("looked", record)
    with faulty(sandbox):
        outputs.run("--log-format", "json", "plan", "-o", "plan.json")
        killed = outputs.run("apply", "plan.json", death=Death(12, When.BEFORE))
        assert killed == -9
        outputs.keep("killed", record)
    with faulty(sandbox):
        assert outputs.run("apply", "plan.json", "--report", "report.json") == 3
    outputs.run("apply", "plan.json", "--format", "json")
    outputs.run("drift")
    outputs.keep("applied", record)
    for file in ("plan.json", "first.json", "report.json"):
        outputs.written[file] = (project.root / file).read_bytes()
    assert json.loads(outputs.written["report.json"])["counts"]["failed"] > 0
    document = json.loads(outputs.written["plan.json"])
    for part in ("changes", "calls", "warnings", "errors", "drift"):
        assert document[part], part
    planned = {change["device"].split(".")[0] for change in document["changes"]}
    assert len(planned) >= len(SCENARIOS) - 3


def test_no_output_holds_a_private_value(tmp_path: Path) -> None:
    """Whatever is run, on what comes of it, and with whatever going wrong; and it would be found
    in any of the outputs, however it is written."""
    options = SandboxOptions(limits=None)
    with RunningSandbox(options) as running:
        project = Project(tmp_path / "project", running.url, {"SANDBOX_KEY": KEY})
        project.root.mkdir()
        sandbox = Sandbox(running.url)
        with Forks(project) as forks:
            outputs = Outputs(forks, project.root)
            story(outputs, project, sandbox)
            shared_record(outputs, project, tmp_path)
            imported(outputs, project, tmp_path)
            mistaken(outputs, project, tmp_path)
        world, calls = json.dumps(sandbox.world()).encode(), json.dumps(sandbox.calls()).encode()

    assert outputs.found() == []
    assert {stem.partition(":")[0] for stem in stems_in(world + calls)} == set(STEMS)
    assert missed(outputs.written) == []


def shared_record(outputs: Outputs, project: Project, tmp_path: Path) -> None:
    """Keep the record as a document in a directory: compressed."""
    store, other = tmp_path / "store", Project(tmp_path / "shared", project.url)
    store.mkdir()
    other.root.mkdir()
    shutil.copytree(project.root / "devices", other.root / "devices")
    shutil.copytree(project.root / "people", other.root / "people")
    other.write(
        "reconciler.yaml", project_file(f"state: {{backend: objectstore, url: 'file://{store}'}}\n")
    )
    there = outputs.at(other.root)
    assert there.run("state", "init") == 0
    assert there.run("apply", "--yes") in (0, 3)
    assert there.run("state", "pull") == 0
    outputs.keep("shared", store)
    outputs.keep("shared", other.root / ".reconciler")
    assert b"KLUv/" in (store / "record.json").read_bytes(), "its content is packed"


def imported(outputs: Outputs, project: Project, tmp_path: Path) -> None:
    """Import what lives there; the manifests hold identity values, as they must."""
    other = Project(tmp_path / "import", project.url)
    other.root.mkdir()
    shutil.copytree(project.root / "people", other.root / "people")
    other.write("reconciler.yaml", project_file())
    (other.root / "devices").mkdir()
    there = outputs.at(other.root)
    assert there.run("import", "--application", "courier", "-o", "devices", "--format", "json") == 0
    assert there.run("import", "--application", "shop", "-o", "devices") == 0
    outputs.keep("import", other.root / ".reconciler")
    written = b"".join(file.read_bytes() for file in (other.root / "devices").glob("*.yaml"))
    assert stems_in(written)


def mistaken(outputs: Outputs, project: Project, tmp_path: Path) -> None:
    """Write private values where they are mistakes."""
    other = Project(tmp_path / "mistaken", project.url)
    other.root.mkdir()
    other.write("reconciler.yaml", project_file().replace("people/outside", "outside"))
    head = "apiVersion: reconciler/v1\n"
    other.write(
        "outside.yaml",
        f"{head}kind: People\npeople:\n"
        f"  a:   {{externalId: {TEXT}-1, email: {TEXT}, born: {DAY}01}}\n"
        f"  b: {{phoneNumber: +{PHONE}1}}\n  {TEXT}@x: {{externalId: x}}\n",
    )
    other.write(
        "devices/a.yaml",
        f"{head}kind: Devices\napplication: courier\npeople:\n"
        f"  c:   {{externalId: [{TEXT}], attributes: {{firstName: {NUMBER}, gender: {TEXT}}}}}\n"
        f"  d: {{phoneNumber: '{PHONE[:4]} {PHONE[4:]}', email: '{TEXT} {TEXT}'}}\n"
        f"devices:\n  A: {{owner: {TEXT}-1}}\n  B: {{owner: {{externalID: {TEXT}}}}}\n"
        f"  C: {{additionalData: {{contact: [{TEXT}]}}, isPrimary: {PHONE}}}\n"
        f"  D: {{owner: {{email: '{TEXT * 40}@x.y'}}}}\n",
    )
    there = outputs.at(other.root)
    for form in ("text", "json", "github", "sarif"):
        assert there.run("validate", "--format", form) == 1
    assert there.run("fmt", "devices/a.yaml", "outside.yaml", "--diff") == 0
    (shown,) = (text for what, text in outputs.written.items() if what.endswith("--diff: stdout"))
    assert shown.count(b"+++ b/") == 2
    assert there.run("--log-format", "json", "plan") == 1


def missed(written: dict[str, bytes]) -> list[str]:
    """Plant every value in every dress into a copy of an output; return what is not found."""
    clean = [data for data in written.values() if 100 < len(data) < 20_000]
    assert len(clean) > 20
    lost = []
    for number, (name, dress) in enumerate(DRESSES.items()):
        for value in VALUES:
            data = clean[number % len(clean)]
            middle = len(data) // 2
            if not stems_in(data[:middle] + dress(value) + data[middle:]):
                lost.append(f"{value}: {name}")
    return lost


@pytest.mark.parametrize("value", VALUES)
def test_a_value_in_a_database_is_found(tmp_path: Path, value: str) -> None:
    """In the file, in its log of writes, in a packed value."""
    file = tmp_path / "state.db"
    database = sqlite3.connect(file)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE kept (data BLOB)")
    database.execute("INSERT INTO kept VALUES (?)", (b"x" * 20_000,))
    database.commit()
    assert [stem for _, data in files_below(tmp_path) for stem in stems_in(data)] == []
    database.execute(
        "INSERT INTO kept VALUES (?)",
        (zstandard.ZstdCompressor().compress(b"filler" * 3000 + value.encode()),),
    )
    database.commit()
    found = {name for name, data in files_below(tmp_path) if stems_in(data)}
    database.close()

    assert "state.db (values)" in found
