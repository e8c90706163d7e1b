"""The layers hold: who may import whom, which package lives where, what a pure room never does."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parent.parent
PACKAGE: Final = "reconciler"

# Who may import whom, beside itself. A room that is missing here may not exist.
MAY_IMPORT: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "core": frozenset(),
        "platform": frozenset({"core"}),
        "manifest": frozenset({"core", "platform"}),
        "diff": frozenset({"core", "platform"}),
        "plan": frozenset({"core", "platform", "diff"}),
        "render": frozenset({"core", "plan"}),
        "api": frozenset({"core", "platform"}),
        "live": frozenset({"core", "platform", "api"}),
        "state": frozenset({"core"}),
        "apply": frozenset({"core", "platform", "plan", "api", "live"}),
        "git": frozenset({"core"}),
        "sandbox": frozenset({"core", "platform"}),
        "engine": frozenset(
            {
                *{"core", "platform", "manifest", "diff", "plan", "render", "api", "live"},
                *{"state", "apply", "git", "sandbox"},
            }
        ),
        "cli": frozenset({"core", "plan", "render", "sandbox", "engine"}),
    }
)
# Single modules of further rooms that a room may import: here, for the errors that they define.
MAY_IMPORT_TOO: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {"cli": frozenset({"reconciler.api.errors", "reconciler.state.lease"})}
)
# The package's own top: the door to the command line, and the public names.
TOP: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "reconciler/__main__.py": frozenset({"cli"}),
        "reconciler/__init__.py": frozenset({"core", "api", "plan", "state", "engine", "sandbox"}),
    }
)
PURE: Final = frozenset({"core", "platform", "manifest", "diff", "plan", "render"})

# Every package from outside has its home; None: a plain data library that any room may use.
HOMES: Final[Mapping[str, frozenset[str] | None]] = MappingProxyType(
    {
        "msgspec": None,
        "yaml": frozenset({"manifest"}),
        "jsonschema": frozenset({"manifest"}),
        "jsonschema_rs": frozenset({"manifest"}),
        "referencing": frozenset({"manifest"}),
        "deepdiff": frozenset({"diff"}),
        "immutables": frozenset({"platform"}),
        "jinja2": frozenset({"render"}),
        "markupsafe": frozenset({"render"}),
        "httpx": frozenset({"api"}),
        "httpx_aiohttp": frozenset({"api"}),
        "aiohttp": frozenset({"api"}),
        "sqlite3": frozenset({"state"}),
        "zstandard": frozenset({"state"}),
        "cryptography": frozenset({"state"}),
        "psycopg": frozenset({"state"}),
        "obstore": frozenset({"state"}),
        "filelock": frozenset({"state"}),
        "tenacity": frozenset({"state"}),
        "starlette": frozenset({"sandbox"}),
        "uvicorn": frozenset({"sandbox"}),
        "uvloop": frozenset({"sandbox"}),
        "httptools": frozenset({"sandbox"}),
        "click": frozenset({"cli"}),
        "rich": frozenset({"cli"}),
    }
)

# What reaches a disk, a socket, a clock, chance, the environment, a log, a terminal, a thread or a
# switch of the whole process.
IMPURE_MODULES: Final = frozenset(
    {
        *{"os", "pathlib", "io", "shutil", "tempfile", "glob", "fcntl", "mmap", "stat", "dbm"},
        *{"posix", "nt", "shelve", "fileinput", "zipfile", "tarfile", "pkgutil", "runpy"},
        *{"socket", "ssl", "select", "selectors", "asyncio", "http", "socketserver", "ftplib"},
        *{"smtplib", "webbrowser", "time", "sched", "random", "secrets", "logging", "warnings"},
        *{"subprocess", "multiprocessing", "threading", "concurrent", "signal", "getpass"},
        *{"locale", "platform", "curses", "readline", "syslog", "ctypes", "pty", "tty"},
        *{"importlib", "urllib.request", "atexit", "queue", "gc"},
    }
)
IMPURE_NAMES: Final = frozenset({"open", "print", "input", "eval", "exec", "__import__"})
# module or class -> the attributes by which it touches the world.
IMPURE_ATTRIBUTES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "datetime": frozenset({"now", "utcnow", "today"}),
        "date": frozenset({"today"}),
        "uuid": frozenset({"uuid1", "uuid4", "getnode"}),
        "sys": frozenset({"stdin", "stdout", "stderr", "argv", "exit", "path", "modules"}),
        "jinja2": frozenset({"FileSystemLoader", "PackageLoader"}),
    }
)

# What a use-case gets as an argument, gives as a value, or leaves to whoever calls it.
NOT_IN_ENGINE: Final = frozenset(
    {
        *{"os.environ", "os.environb", "os.getenv", "os.putenv", "os.chdir", "os._exit"},
        *{"sys.stdin", "sys.stdout", "sys.stderr", "sys.argv", "sys.exit", "sys.path"},
        *{"signal", "gc", "atexit", "getpass", "print", "input", "exit", "quit"},
    }
)

JUNK_NAMES: Final = frozenset(
    {
        *{"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"},
        *{"base", "handler", "handlers", "service", "services"},
    }
)
# The one module whose noun it truly is: the remote service itself.
NAMED_ALL_THE_SAME: Final = frozenset({"reconciler/api/service.py"})


@dataclass(frozen=True, slots=True)
class Module:
    """One parsed source file; `room` is "" for the modules at the top of the package."""

    path: str
    room: str
    tree: ast.Module

    @property
    def package(self) -> tuple[str, ...]:
        parts = self.path.removesuffix(".py").split("/")
        return tuple(parts[:-1])


@dataclass(frozen=True, slots=True)
class Imported:
    """One import anywhere in a module: under TYPE_CHECKING and inside functions too."""

    name: str
    line: int


def modules(root: Path) -> list[Module]:
    """Parse every module of the package below `root`, sorted by path."""
    found = []
    for file in sorted((root / PACKAGE).rglob("*.py")):
        path = file.relative_to(root).as_posix()
        if "/_data/" in path:
            continue
        parts = path.split("/")
        room = parts[1] if len(parts) > 2 else ""
        found.append(Module(path, room, ast.parse(file.read_text("utf-8"), path)))
    return found


def imports(module: Module) -> Iterator[Imported]:
    """Yield every import as an absolute dotted name, `from a import b` as `a.b`."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Imported(alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            before: tuple[str, ...] = ()
            if node.level:
                before = module.package[: len(module.package) - node.level + 1]
            origin = ".".join((*before, node.module) if node.module else before)
            for alias in node.names:
                yield Imported(f"{origin}.{alias.name}", node.lineno)
        elif isinstance(node, ast.Call) and node.args:
            # importlib.import_module("reconciler.x") is an import as well.
            first = node.args[0]
            named = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if (
                named in {"import_module", "__import__"}
                and isinstance(first, ast.Constant)
                and isinstance(first.value, str)
            ):
                yield Imported(first.value, node.lineno)


def layer_faults(module: Module) -> Iterator[str]:
    """Yield each import that the table of rooms or the homes of packages forbid."""
    if module.room and module.room not in MAY_IMPORT:
        yield f"{module.path}:1: the room {module.room!r} is not in the table"
        return
    for imported in imports(module):
        parts = imported.name.split(".")
        top = parts[0]
        where = f"{module.path}:{imported.line}"
        if top == PACKAGE:
            room = parts[1] if len(parts) > 1 and parts[1] in MAY_IMPORT else ""
            if not room or room == module.room:
                continue
            allowed = MAY_IMPORT[module.room] if module.room else TOP[module.path]
            too = MAY_IMPORT_TOO.get(module.room, frozenset())
            if room not in allowed and ".".join(parts[:3]) not in too:
                yield f"{where}: {module.room or 'the package itself'} must not import {room}"
        elif top in HOMES:
            homes = HOMES[top]
            if homes is not None and module.room not in homes:
                yield f"{where}: {top} lives in {', '.join(sorted(homes))}"
        elif top not in sys.stdlib_module_names:
            yield f"{where}: {top} has no home"


def purity_faults(module: Module) -> Iterator[str]:
    """Yield whatever a pure room does that reaches outside of its arguments."""
    if module.room not in PURE:
        return
    for imported in imports(module):
        parts = imported.name.split(".")
        dotted = {".".join(parts[: count + 1]) for count in range(len(parts))}
        for name in sorted(dotted & IMPURE_MODULES):
            yield f"{module.path}:{imported.line}: {module.room} is pure and imports {name}"
        if parts[-1] in IMPURE_ATTRIBUTES.get(parts[0], ()):
            yield f"{module.path}:{imported.line}: {module.room} is pure and uses {imported.name}"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name) and node.id in IMPURE_NAMES:
            yield f"{module.path}:{node.lineno}: {module.room} is pure and calls {node.id}"
        elif isinstance(node, ast.Attribute):
            owner = node.value
            name = getattr(owner, "attr", getattr(owner, "id", ""))
            if node.attr in IMPURE_ATTRIBUTES.get(name, ()):
                used = f"{name}.{node.attr}"
                yield f"{module.path}:{node.lineno}: {module.room} is pure and uses {used}"


def engine_faults(module: Module) -> Iterator[str]:
    """Yield whatever the engine does that belongs to the process or its terminal."""
    if module.room != "engine":
        return
    for imported in imports(module):
        parts = imported.name.split(".")
        if {parts[0], ".".join(parts[:2])} & NOT_IN_ENGINE:
            yield f"{module.path}:{imported.line}: the engine must not use {imported.name}"
    for node in ast.walk(module.tree):
        match node:
            case ast.Name(id=name) if name in NOT_IN_ENGINE:
                yield f"{module.path}:{node.lineno}: the engine must not use {name}"
            case ast.Attribute(value=ast.Name(id=owner), attr=name):
                if f"{owner}.{name}" in NOT_IN_ENGINE:
                    yield f"{module.path}:{node.lineno}: the engine must not use {owner}.{name}"


def naming_faults(module: Module) -> Iterator[str]:
    """Yield a module or room whose name says nothing, and a module without a first line."""
    if module.path not in NAMED_ALL_THE_SAME:
        for part in module.path.removesuffix(".py").split("/"):
            if part in JUNK_NAMES or part.strip("_") in JUNK_NAMES:
                yield f"{module.path}:1: the name {part!r} says nothing"
    if not ast.get_docstring(module.tree):
        yield f"{module.path}:1: no docstring says which stage this is and what it promises"


def faults(root: Path) -> list[str]:
    """Return every fault of the package below `root`."""
    return [
        fault
        for module in modules(root)
        for check in (layer_faults, purity_faults, engine_faults, naming_faults)
        for fault in check(module)
    ]


def test_the_layers_hold() -> None:
    """No module of the package imports, calls or is called what its room forbids."""
    assert faults(ROOT) == []


def test_every_room_of_the_table_exists() -> None:
    """A room that nobody built would make the table a wish."""
    present = {path.name for path in (ROOT / PACKAGE).iterdir() if (path / "__init__.py").exists()}

    assert sorted(MAY_IMPORT) == sorted(present)


def test_the_table_has_no_cycle() -> None:
    """Read as a graph, the table is a layering: nothing reaches itself."""

    def reach(room: str, seen: frozenset[str]) -> frozenset[str]:
        for other in MAY_IMPORT[room] - seen:
            seen = reach(other, seen | {other})
        return seen

    assert [room for room in MAY_IMPORT if room in reach(room, frozenset())] == []


PLANTED: Final = [
    pytest.param(
        "diff/changes.py",
        "from reconciler.plan.build import build\n",
        "diff must not import plan",
        id="absolute",
    ),
    pytest.param(
        "core/graph.py", "from ..cli import main\n", "core must not import cli", id="relative"
    ),
    pytest.param(
        "render/text.py", "import reconciler.apply\n", "render must not import apply", id="whole"
    ),
    pytest.param(
        "plan/build.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from reconciler.api import x\n",
        "plan must not import api",
        id="type-checking",
    ),
    pytest.param(
        "state/local.py",
        "def load() -> None:\n    from reconciler.live.points import read\n",
        "state must not import live",
        id="in-a-function",
    ),
    pytest.param(
        "git/commit.py",
        "import importlib\nimportlib.import_module('reconciler.cli.main')\n",
        "git must not import cli",
        id="by-name",
    ),
    pytest.param("api/door.py", "import yaml\n", "yaml lives in manifest", id="home"),
    pytest.param("live/read.py", "import httpx\n", "httpx lives in api", id="home-httpx"),
    pytest.param("apply/run.py", "import sqlite3\n", "sqlite3 lives in state", id="home-sqlite"),
    pytest.param("render/text.py", "from rich.text import Text\n", "rich lives in cli", id="rich"),
    pytest.param("api/door.py", "import requests\n", "requests has no home", id="homeless"),
    pytest.param("plan/clock.py", "import time\n", "plan is pure and imports time", id="clock"),
    pytest.param("diff/x.py", "from os import path\n", "diff is pure and imports os", id="os"),
    pytest.param(
        "core/x.py", "import urllib.request\n", "core is pure and imports urllib.request", id="url"
    ),
    pytest.param(
        "plan/x.py",
        "import datetime\nNOW = datetime.datetime.now()\n",
        "plan is pure and uses datetime.now",
        id="now",
    ),
    pytest.param(
        "plan/x.py",
        "from datetime import date\nNOW = date.today()\n",
        "plan is pure and uses date.today",
        id="today",
    ),
    pytest.param(
        "plan/x.py", "from uuid import uuid4\n", "plan is pure and uses uuid.uuid4", id="uuid"
    ),
    pytest.param(
        "platform/x.py", "F = open('x')\n", "platform is pure and calls open", id="builtin"
    ),
    pytest.param(
        "cli/views/x.py",
        "from reconciler.live.reading import read_live\n",
        "cli must not import live",
        id="cli-live",
    ),
    pytest.param(
        "cli/views/x.py",
        "def show() -> None:\n    from reconciler.state.local import LocalState\n",
        "cli must not import state",
        id="cli-state",
    ),
    pytest.param(
        "engine/x.py",
        "from reconciler.cli.streams import say\n",
        "engine must not import cli",
        id="engine-cli",
    ),
    pytest.param("engine/x.py", "import click\n", "click lives in cli", id="engine-click"),
    pytest.param(
        "engine/x.py",
        "import os\nX = os.environ\n",
        "the engine must not use os.environ",
        id="engine-environ",
    ),
    pytest.param(
        "engine/x.py",
        "from os import environ\n",
        "the engine must not use os.environ",
        id="engine-environ-from",
    ),
    pytest.param(
        "engine/x.py",
        "import sys\nsys.stderr.write('')\n",
        "the engine must not use sys.stderr",
        id="engine-stream",
    ),
    pytest.param("engine/x.py", "print('')\n", "the engine must not use print", id="engine-print"),
    pytest.param(
        "engine/x.py", "import signal\n", "the engine must not use signal", id="engine-signal"
    ),
    pytest.param("engine/x.py", "import gc\n", "the engine must not use gc", id="engine-gc"),
    pytest.param(
        "__init__.py",
        "from .cli.main import run\n",
        "the package itself must not import cli",
        id="top",
    ),
    pytest.param("api/utils.py", "", "the name 'utils' says nothing", id="junk"),
    pytest.param("state/helpers/x.py", "", "the name 'helpers' says nothing", id="junk-package"),
    pytest.param("live/service.py", "", "the name 'service' says nothing", id="service"),
    pytest.param("daemon/x.py", "", "the room 'daemon' is not in the table", id="room"),
]


@pytest.mark.parametrize(("path", "source", "expected"), PLANTED)
def test_a_planted_fault_is_found(tmp_path: Path, path: str, source: str, expected: str) -> None:
    """The check itself fails on each kind of fault, and on nothing else of that module."""
    file = tmp_path / PACKAGE / path
    file.parent.mkdir(parents=True)
    file.write_text('"""A planted module."""\n' + source, "utf-8")

    found = [fault.partition(": ")[2] for fault in faults(tmp_path)]

    assert expected in found
    assert len(set(found)) <= 2


def test_an_honest_module_has_no_fault(tmp_path: Path) -> None:
    """What the table allows raises nothing: lower rooms, own room, homes, pure parts of stdlib."""
    file = tmp_path / PACKAGE / "plan" / "build.py"
    file.parent.mkdir(parents=True)
    file.write_text(
        '"""Stage 4."""\n'
        "from datetime import date\nfrom urllib.parse import quote\n"
        "import msgspec\n"
        "from reconciler import __version__\n"
        "from reconciler.core.source import Source\nfrom reconciler.diff.changes import x\n"
        "from .definition import Plan\n",
        "utf-8",
    )

    assert faults(tmp_path) == []


@pytest.mark.parametrize(
    "room",
    [
        *(
            "core",
            "diff",
            "plan",
            "apply",
            "manifest",
            "manifest/layout",
            "manifest/messages",
            "render",
            "render/html",
        ),
        *("sandbox", "api", "live", "platform", "git", "state", "engine", "engine/doctor"),
        *("cli", "cli/views", "cli/options", "cli/progress"),
    ],
)
def test_the_map_of_a_room_names_all_of_its_files(room: str) -> None:
    """The docstring of a room's `__init__` is its map: every module and inner room, a line each."""
    files = sorted((ROOT / PACKAGE / room).iterdir())
    names = {
        file.stem if file.is_file() else f"{file.name}/"
        for file in files
        if not file.name.startswith("__")
    }
    text = ast.get_docstring(ast.parse((ROOT / PACKAGE / room / "__init__.py").read_text("utf-8")))
    firsts = {word.rstrip(",") for line in (text or "").split("\n") for word in line.split()[:2]}
    assert names - firsts == set()
