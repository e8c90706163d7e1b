"""Run a case: the real command line in forked processes, and a sandbox of its own on the wire."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any, Final

import msgspec

from reconciler.platform.worldfile import decode_world, encode_world
from reconciler.sandbox.account import LAG
from reconciler.sandbox.serve import RunningSandbox, SandboxOptions
from reconciler.state.local import LocalState
from tests.e2e import warm
from tests.e2e.harness import Project

from .cases import Case, Move, Signal
from .story import Recorded, Run, Story

Json = dict[str, Any]

# No run of a case needs nearly so long; one that does hangs.
_LONGEST: Final = 240.0
_STATE: Final = ".reconciler"


def tell(case: Case) -> Story:
    """Run a case to its end and return all that happened."""
    options = SandboxOptions(
        world=decode_world(msgspec.json.encode(case.world)),
        assume=case.assume,
        limits=None,
        latency=case.latency,
    )
    with TemporaryDirectory(prefix="soak-") as directory, RunningSandbox(options) as sandbox:
        return _Stage(case, Path(directory), sandbox).play()


@dataclass(slots=True)
class _Stage:
    """The directory and the sandbox of a case, and what has happened so far."""

    case: Case
    root: Path
    sandbox: RunningSandbox
    runs: list[Run] = field(default_factory=list)

    def play(self) -> Story:
        self._prepare()
        start = self._world()
        for move in self.case.moves:
            self._move(move)
        self.sandbox.clear_faults()
        # Whatever is still on its way, and whatever reads may not show yet.
        time.sleep(LAG + 0.1 if self._waits else 0)
        for what in self.case.mend:
            self._move(Move(what))
            if what == "fresh" and self.runs[-1].exit == 0:
                break
        time.sleep(LAG + 0.1 if self.case.lags else 0)
        self._command("check", (*self._plan, "--detailed-exitcode", "--format", "json"))
        calls = sorted(self.sandbox.calls(), key=lambda call: call.start)
        return Story(self.case, start, tuple(self.runs), tuple(calls), self._record())

    @property
    def _plan(self) -> tuple[str, ...]:
        return ("plan", "--read", self.case.read)

    @property
    def _waits(self) -> bool:
        faults = (fault for move in self.case.moves for fault in move.faults)
        return self.case.lags or any(":delay" in fault for fault in faults)

    def _prepare(self) -> None:
        """Write the files; let the earlier manifests have been applied."""
        (self.root / "devices").mkdir()
        (self.root / "reconciler.yaml").write_text(self.case.project(), "utf-8")
        if self.case.before is not None:
            self._write(self.case.before.files())
            ran = self._project().run("apply", "--yes")
            if ran.exit != 0:
                raise AssertionError(f"seed {self.case.seed}: in peace, {ran}")
            time.sleep(LAG + 0.1 if self.case.lags else 0)
        self._write(self.case.fleet.files())
        self.sandbox.forget_calls()

    def _write(self, files: Mapping[str, str]) -> None:
        for old in (self.root / "devices").iterdir():
            old.unlink()
        for path, text in files.items():
            (self.root / path).write_text(text, "utf-8")

    def _move(self, move: Move) -> None:
        if move.what == "plan":
            self._command("plan", (*self._plan, "-o", "plan.json"), move)
            return
        if move.what == "apply" and not (self.root / "plan.json").exists():
            # The one before it failed under its faults.
            self._command("plan", (*self._plan, "-o", "plan.json"))
        if move.what == "fresh":
            # What it will do is taken from a plan right before it: both have to see the same.
            time.sleep(LAG + 0.1 if self.case.lags else 0)
            self._command("plan", (*self._plan, "-o", "aside.json"))
        said = ("plan.json",) if move.what == "apply" else ("--yes",)
        self._command(move.what, ("apply", *said, "--report", "report.json", *move.options), move)

    def _command(self, what: str, arguments: tuple[str, ...], move: Move | None = None) -> None:
        verbose = () if move is None else move.verbose
        if move is not None and move.faults:
            self.sandbox.set_faults(move.faults, self.case.seed)
        else:
            self.sandbox.clear_faults()
        known = {id_ for id_, _ in self._plans()}
        ran = self._run((*verbose, *arguments), None if move is None else move.signal)
        self.sandbox.clear_faults()
        self.runs.append(self._seen(what, arguments, ran, known))

    def _run(self, arguments: tuple[str, ...], wanted: Signal | None) -> _Ran:
        project = self._project()
        (self.root / "report.json").unlink(missing_ok=True)
        out, err = self.root / ".out", self.root / ".err"
        with ExitStack() as stack:
            given = stack.enter_context(open(os.devnull, "rb"))
            streams = [stack.enter_context(file.open("wb")) for file in (out, err)]
            files = tuple(one.fileno() for one in (given, *streams))
            began = time.monotonic()
            begun = warm.begun(arguments, self.root, project.environment(), files)
            process = stack.enter_context(begun)
            signals = _Signals(process, wanted)
            while process.wait(0.002 if signals.are_due else 0.5) is None:
                if signals.are_due:
                    # What a killed run left on its way may end now, and is no call of this one.
                    signals.send(sum(call.start >= began for call in self.sandbox.calls()))
                if time.monotonic() - began > _LONGEST:
                    process.signal(signal.SIGKILL)
                    break
            ended, code = time.monotonic(), process.wait()
        assert code is not None
        return _Ran(
            process.pid,
            code,
            out.read_text("utf-8", "replace"),
            err.read_text("utf-8", "replace"),
            began,
            ended,
            tuple(signals.sent),
            wanted.name if wanted is not None and signals.sent else None,
        )

    def _seen(self, what: str, arguments: tuple[str, ...], ran: _Ran, known: set[str]) -> Run:
        """Take down what a run left behind."""
        name = {"plan": arguments[-1], "apply": "plan.json", "fresh": "aside.json"}.get(what)
        plan = None if name is None else _json(self.root / name)
        if what == "plan" and ran.exit not in (0, 2):
            plan = None
        id_: str | None = None
        if what == "apply" and plan is not None:
            id_ = plan["id"]
        if what == "fresh":
            id_ = next((new for new, _ in self._plans() if new not in known), None)
        journal, holders = self._journal(id_)
        files = {
            path.name: path.read_bytes().decode("latin-1")
            for path in (*self.root.glob("*.json"), *self.root.glob(f"{_STATE}/*"))
        }
        return Run(
            what,
            arguments,
            ran.began,
            ran.ended,
            ran.exit,
            ran.out,
            ran.err,
            self._world(),
            plan,
            _json(self.root / "report.json"),
            id_,
            journal,
            any(done for plan_id, done in self._plans() if plan_id == id_),
            # One that was killed before may have left its own.
            ran.pid in holders,
            ran.signals,
            ran.signal,
            ran.ended - ran.began > _LONGEST,
            files,
        )

    def _project(self) -> Project:
        return Project(self.root, self.sandbox.url)

    def _world(self) -> Json:
        shown: Json = json.loads(encode_world(self.sandbox.world()))
        return shown

    def _plans(self) -> list[tuple[str, bool]]:
        return [(id_, bool(done)) for id_, done in self._ask("SELECT id, finished FROM plans")]

    def _journal(self, plan: str | None) -> tuple[dict[str, str | None], set[int]]:
        rows = self._ask("SELECT call, outcome FROM calls WHERE plan = ?", plan)
        return dict(rows), {pid for (pid,) in self._ask("SELECT pid FROM lease")}

    def _ask(self, query: str, *values: object) -> list[Any]:
        """Ask a copy of the state: reading the file itself could fix what a kill has left."""
        if not (self.root / _STATE / "state.db").exists():
            return []
        with TemporaryDirectory(prefix="soak-") as copy:
            copytree(self.root / _STATE, copy, dirs_exist_ok=True)
            with closing(sqlite3.connect(Path(copy) / "state.db")) as connection:
                tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
                return connection.execute(query, values).fetchall() if tables[0] else []

    def _record(self) -> Recorded | None:
        path = self.root / _STATE / "state.db"
        if not path.exists():
            return None
        with LocalState.open(path, create=False) as state:
            record = state.read()
        return Recorded(
            record.key.reveal(), {id_: entry.fields for id_, entry in record.devices.items()}
        )


@dataclass(frozen=True, slots=True)
class _Ran:
    pid: int
    exit: int
    out: str
    err: str
    began: float
    ended: float
    signals: tuple[float, ...]
    signal: str | None


@dataclass(slots=True)
class _Signals:
    """Sends what is wanted to a process, each signal when it is due."""

    process: warm.Process
    wanted: Signal | None
    sent: list[float] = field(default_factory=list)
    _reached: float | None = None

    @property
    def are_due(self) -> bool:
        if self.wanted is None:
            return False
        return len(self.sent) < (1 if self.wanted.again is None else 2)

    def send(self, calls: int) -> None:
        """Send a signal if it is time; `calls` have ended so far."""
        if self.wanted is None or not self.are_due:
            return
        now = time.monotonic()
        if self._reached is None:
            if calls < self.wanted.at:
                return
            self._reached = now
        wait = self.wanted.later + (0 if not self.sent else self.wanted.again or 0)
        if now - self._reached >= wait:
            self.process.signal(signal.Signals[self.wanted.name])
            self.sent.append(now)


def _json(path: Path) -> Json | None:
    try:
        shown: Json = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return shown
