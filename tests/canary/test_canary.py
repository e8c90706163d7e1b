"""No identity value, no attribute, no hidden or undeclared value and no secret is in any output.

All scenarios run in one project whose private values cannot occur by chance. Every command is run
with every value that its options choose from, as click tells them (`recipes.py`), and every byte
that it writes is searched: stdout, stderr, saved files, the state, the journal, also those that a
kill leaves.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

import click
import pytest
import zstandard

from reconciler.cli.main import COMMANDS
from reconciler.sandbox.serve import RunningSandbox, SandboxOptions
from tests.e2e.forked import Death, Forks, When
from tests.e2e.harness import Project, Sandbox
from tests.introspection import Command, commands
from tests.scenarios.test_scenarios import SCENARIOS

from .dresses import DRESSES
from .project import project_file, whole, world_after
from .recipes import Place, Recipe, Run, runs, without_recipe
from .search import contents, files_below, stems_in
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


class Outputs:
    """All that was written so far, by what wrote it, and where the commands run."""

    def __init__(self, forks: Forks, root: Path) -> None:
        self._forks = forks
        self._root = root
        self.written: dict[str, bytes] = {}

    def run(self, *arguments: str, death: Death | None = None, serves: bool = False) -> int:
        """Run a command; keep what it prints. One that serves is stopped once it says where."""
        pid = self._forks.begin("-C", str(self._root), "-v", *arguments, death=death)
        while serves and self._forks.is_running():
            if self._forks.said_so_far():
                os.kill(pid, signal.SIGINT)
                break
        ended = self._forks.end()
        what = f"{len(self.written)} {' '.join(arguments)}"
        self.written[f"{what}: stdout"] = ended.ran.out.encode()
        self.written[f"{what}: stderr"] = ended.ran.err.encode()
        assert "Traceback" not in ended.ran.err, ended.ran.err
        return ended.ran.exit

    def keep(self, what: str, directory: Path) -> None:
        """Keep the bytes of all files of a directory."""
        for name, data in files_below(directory):
            self.written[f"{len(self.written)} {what}: {name}"] = data

    def keep_file(self, what: str, file: Path) -> None:
        """Keep the bytes of one file."""
        for name, data in contents(file):
            self.written[f"{len(self.written)} {what}: {name}"] = data

    def at(self, root: Path) -> Outputs:
        """Return the same for commands in another directory."""
        other = Outputs(self._forks, root)
        other.written = self.written
        return other

    def found(self) -> list[str]:
        """Return every stem that stands in an output."""
        return [f"{what}: {stem}" for what, data in self.written.items() for stem in stems_in(data)]


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
    """Apply, let others change what they like, plan, run every command, apply under faults and
    kills."""
    scenarios = whole(SCENARIOS)
    sandbox.put_world(scenarios.world)
    project.write("reconciler.yaml", project_file())
    put_files(project, scenarios.before)
    assert outputs.run("apply", "--yes", "--report", "first.json") == 0
    sandbox.put_world(world_after(scenarios, sandbox.world()))
    put_files(project, scenarios.after)
    record = project.root / ".reconciler"

    assert outputs.run("plan", "-o", "plan.json") == 1, "some scenarios have errors"
    every_command(outputs, project, sandbox)
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


def every_command(outputs: Outputs, project: Project, sandbox: Sandbox) -> None:
    """Run each command in each way of its recipes, each in a copy of its place and of the world."""
    root = project.root.parent / "places"
    places = {place: root / place for place in Place}
    world = sandbox.world()
    for directory in places.values():
        directory.mkdir(parents=True)
    planned, undeclared = places[Place.PLANNED], places[Place.UNDECLARED]
    for name in ("devices", "people", ".reconciler"):
        shutil.copytree(project.root / name, planned / name)
    for name in ("reconciler.yaml", "plan.json"):
        shutil.copy(project.root / name, planned / name)
    assert outputs.at(planned).run("state", "pull", "-o", "state.json") == 0
    # The sandbox says which codes its own applications have: to be typed, and nobody's secret.
    codes = {f"simulated-{id_}": id_ for id_ in world["applications"].values()}
    (planned / "world.json").write_text(json.dumps({**world, "applications": codes}), "utf-8")
    (planned / "events.jsonl").write_text("\n".join(map(json.dumps, reported(world))), "utf-8")
    shutil.copytree(project.root / "people", undeclared / "people")
    shutil.copy(project.root / "reconciler.yaml", undeclared / "reconciler.yaml")
    (undeclared / "devices").mkdir()
    write_mistakes(places[Place.MISTAKEN])

    wrong = []
    for command in commands():
        if command.is_group and command.path:
            continue
        for number, run in enumerate(runs(command)):
            copy = root / f"{'-'.join(command.path)}-{number}"
            shutil.copytree(places[run.recipe.place], copy)
            sandbox.put_world(world)
            wrong += run_recipe(outputs.at(copy), run, copy, sandbox)
    sandbox.put_world(world)
    assert wrong == [], "\n".join(wrong)


def reported(world: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what the service reports of everything that lives, with all that it says of people."""
    invoker = {"type": "user", "id": VALUES[0], "name": VALUES[3], "email": VALUES[2]}
    for registration in world["registrations"]:
        payload = {
            "pushRegId": registration["registrationId"],
            "appCode": KEY,
            "deviceName": VALUES[3],
            "person": {"externalId": VALUES[0], "phone": [VALUES[1]], "firstName": VALUES[3]},
            "invoker": invoker,
            "source": VALUES[2],
        }
        yield {"type": "MOBILE_APP_PERSONALIZE", "timestamp": VALUES[1], "payload": payload}


def run_recipe(outputs: Outputs, run: Run, directory: Path, sandbox: Sandbox) -> list[str]:
    """Run a command, keep what it writes; return what is not as its recipe says."""
    recipe, before = run.recipe, dict(files_of(directory))
    with faulty(sandbox) if recipe.faulty else nullcontext():
        ended = outputs.run(*run.arguments, serves=recipe.serves)
    stdout, stderr = (data.decode() for data in list(outputs.written.values())[-2:])
    holding = []
    for path, data in files_of(directory):
        if before.get(path) == data:
            continue
        if any(fnmatch(path, pattern) for pattern in recipe.holds):
            holding += stems_in(data)
        else:
            outputs.keep_file(f"{' '.join(run.arguments)}: {path}", directory / path)
    wrong = []
    if ended != recipe.exit:
        wrong.append(f"ended with {ended}, not {recipe.exit}\n{stderr}")
    if not stdout and not recipe.silent:
        wrong.append("printed nothing, so nothing is searched")
    wrong += [f"did not print {text!r}" for text in recipe.prints if text not in stdout]
    if recipe.holds and not holding:
        wrong.append(f"wrote no private value to {recipe.holds}, which may be searched then")
    typed = f"`reconciler {' '.join(run.arguments)}` in {recipe.place}"
    return [f"{typed} {fault}; its recipe is in tests/canary/recipes.py" for fault in wrong]


def files_of(directory: Path) -> Iterator[tuple[str, bytes]]:
    for file in sorted(directory.rglob("*")):
        if file.is_file():
            yield file.relative_to(directory).as_posix(), file.read_bytes()


def write_mistakes(root: Path) -> None:
    """Write private values where they are mistakes."""
    project = Project(root)
    project.write("reconciler.yaml", project_file().replace("people/outside", "outside"))
    head = "apiVersion: reconciler/v1\n"
    project.write(
        "outside.yaml",
        f"{head}kind: People\npeople:\n"
        f"  a:   {{externalId: {TEXT}-1, email: {TEXT}, born: {DAY}01}}\n"
        f"  b: {{phoneNumber: +{PHONE}1}}\n  {TEXT}@x: {{externalId: x}}\n",
    )
    project.write(
        "devices/a.yaml",
        f"{head}kind: Devices\napplication: courier\npeople:\n"
        f"  c:   {{externalId: [{TEXT}], attributes: {{firstName: {NUMBER}, gender: {TEXT}}}}}\n"
        f"  d: {{phoneNumber: '{PHONE[:4]} {PHONE[4:]}', email: '{TEXT} {TEXT}'}}\n"
        f"devices:\n  A: {{owner: {TEXT}-1}}\n  B: {{owner: {{externalID: {TEXT}}}}}\n"
        f"  C: {{additionalData: {{contact: [{TEXT}]}}, isPrimary: {PHONE}}}\n"
        f"  D: {{owner: {{email: '{TEXT * 40}@x.y'}}}}\n",
    )


@pytest.mark.timeout(300)
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
        world, calls = json.dumps(sandbox.world()).encode(), json.dumps(sandbox.calls()).encode()

    assert outputs.found() == []
    assert {stem.partition(":")[0] for stem in stems_in(world + calls)} == set(STEMS)
    assert missed(outputs.written) == []


def shared_record(outputs: Outputs, project: Project, tmp_path: Path) -> None:
    """Keep the state as a document in a directory: compressed."""
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


def test_every_command_and_every_file_has_its_recipe() -> None:
    """What is not run among canaries could say anything; the message tells what to add."""
    found = [*commands()]

    assert set(COMMANDS) <= {one.path[0] for one in found if one.path}
    assert without_recipe(found) == [], "\n".join(without_recipe(found))


def planted(*parameters: click.Parameter) -> Command:
    return Command(("new",), click.Command("new", params=list(parameters)))


PLANTED: Final = [
    pytest.param(planted(), {}, "`reconciler new` is in no recipe", id="command"),
    pytest.param(
        planted(click.Option(["-s", "--save"], metavar="FILE")),
        {"new": (Recipe(),)},
        "`reconciler new --save` takes a file and is in no recipe",
        id="file",
    ),
    pytest.param(
        planted(click.Option(["--into"], type=click.Path())),
        {"new": (Recipe(),)},
        "`reconciler new --into` takes a file and is in no recipe",
        id="path",
    ),
    pytest.param(
        planted(),
        {"new": (Recipe(),), "old": (Recipe(),)},
        "has 'old', which is no command",
        id="no-command",
    ),
]


@pytest.mark.parametrize(("command", "recipes", "expected"), PLANTED)
def test_what_has_no_recipe_is_told(
    command: Command, recipes: Mapping[str, tuple[Recipe, ...]], expected: str
) -> None:
    """The check itself finds each kind, and nothing once it has its recipe."""
    (fault,) = without_recipe([command], recipes)

    assert expected in fault
    assert without_recipe([command], {"new": (Recipe(("-s", "x", "--into", "y")),)}) == []


def test_each_value_that_can_be_chosen_is_a_run() -> None:
    """A new format, and a new option that chooses, are run without anybody's doing."""
    command = planted(
        click.Argument(["name"], type=click.Choice(["a", "b"])),
        click.Option(["--format", "form"], type=click.Choice(["text", "poem"])),
    )
    recipes = {"new": (Recipe(("--yes",)),)}

    assert [run.arguments for run in runs(command, recipes)] == [
        ("new", "--yes", "a"),
        ("new", "--yes", "b"),
        ("new", "--yes", "a", "--format", "text"),
        ("new", "--yes", "a", "--format", "poem"),
    ]


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
