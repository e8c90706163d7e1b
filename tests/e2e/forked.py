"""The command line in a process that is forked for each run, and may kill itself at a transaction.

The parent imports everything once and may run a command itself, so that its children need not do
again what every first run does; it has no thread when it forks. Each child runs one command. The
journal's batches are written entry by entry, so that each entry is a step of its own. Run as a
program: a request (JSON) a line on stdin, an answer (JSON) a line on stdout.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import mmap
import os
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from tests.e2e.harness import Project, Ran

if TYPE_CHECKING:
    import sqlite3

    from reconciler.core.failures import StateError
    from reconciler.state.database import Database
    from reconciler.state.journal import LocalJournal


class When(StrEnum):
    """The instant of a transaction at which the process dies."""

    BEFORE = "before"  # all is said, nothing is committed
    AFTER = "after"  # it is on the disk, and nobody knows yet


@dataclass(frozen=True, slots=True)
class Death:
    """SIGKILL at a transaction, counted from 1."""

    transaction: int
    when: When


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command answered (exit code -9: killed), and how many transactions it began."""

    ran: Ran
    transactions: int


class Forks:
    """A parent process that runs commands in its children, for as long as the block lasts."""

    def __init__(self, project: Project, name: str = "forked") -> None:
        self._root = project.root
        self._out, self._err = project.root / f".{name}.out", project.root / f".{name}.err"
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.e2e.forked"],
            env=project.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()

    def begin(
        self,
        *arguments: str,
        death: Death | None = None,
        held_until: Path | None = None,
        seconds: Mapping[str, float] | None = None,
    ) -> int:
        """Begin a command and return its process number; `end` has to follow.

        Whoever gets the lock goes on only when the file `held_until` is there. `seconds` are other
        values for constants of the lock, and of how long a read may lag.
        """
        for said in (self._out, self._err):
            # Until the child opens them they would hold what the one before said.
            said.write_text("", "utf-8")
        self._ask(
            self._asked(
                arguments,
                death=None if death is None else [death.transaction, death.when],
                held_until=None if held_until is None else str(held_until),
                seconds=seconds,
            )
        )
        pid = self._heard()
        assert isinstance(pid, int)
        return pid

    def end(self) -> Ended:
        """Wait until the command that was begun has ended."""
        code, transactions = self._heard()
        ran = Ran(code, self._out.read_text("utf-8"), self._err.read_text("utf-8"))
        return Ended(ran, transactions)

    def run(
        self,
        *arguments: str,
        death: Death | None = None,
        seconds: Mapping[str, float] | None = None,
    ) -> Ended:
        """Run a command to its end."""
        self.begin(*arguments, death=death, seconds=seconds)
        return self.end()

    def warm_up(self, *arguments: str) -> Ran:
        """Run a command in the parent itself."""
        self._ask(self._asked(arguments, here=True))
        return Ran(self._heard(), self._out.read_text("utf-8"), self._err.read_text("utf-8"))

    def is_running(self) -> bool:
        """Whether the command that was begun has not ended yet."""
        return not select.select([self], [], [], 0.005)[0]

    def said_so_far(self) -> str:
        """Return what the command that was begun has written to stderr until now."""
        return self._err.read_text("utf-8")

    def fileno(self) -> int:
        """Return what becomes readable when the command has ended."""
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def _asked(self, arguments: tuple[str, ...], **more: object) -> dict[str, object]:
        return {
            "arguments": ["-C", str(self._root), *arguments],
            "out": str(self._out),
            "err": str(self._err),
            **more,
        }

    def _ask(self, asked: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()

    def _heard(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


_COUNT: Final = struct.Struct("I")


def _child(asked: dict[str, Any], count: mmap.mmap) -> int:
    from reconciler.apply import attempt
    from reconciler.apply import executor as carry_out
    from reconciler.cli.main import outcome
    from reconciler.state import lease, local_lease
    from reconciler.state.database import Database
    from reconciler.state.journal import LocalJournal

    fresh = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for number, name, how in (
        (0, os.devnull, os.O_RDONLY),
        (1, asked["out"], fresh),
        (2, asked["err"], fresh),
    ):
        os.dup2(os.open(name, how, 0o600), number)
    death = asked["death"]
    writing, commit = Database.writing, LocalJournal._commit

    @contextlib.contextmanager
    def counted(self: Database) -> Iterator[sqlite3.Connection]:
        (number,) = _COUNT.unpack_from(count)
        _COUNT.pack_into(count, 0, number + 1)
        with writing(self) as connection:
            yield connection
            if death == [number + 1, When.BEFORE]:
                os.kill(os.getpid(), signal.SIGKILL)
        if death == [number + 1, When.AFTER]:
            os.kill(os.getpid(), signal.SIGKILL)

    def one_by_one(self: LocalJournal, batch: list[Any]) -> StateError | None:
        lost = None
        for entry in batch:
            lost = commit(self, [entry]) or lost
        return lost

    Database.writing = counted  # type: ignore[method-assign]
    LocalJournal._commit = one_by_one  # type: ignore[method-assign]
    if asked["held_until"] is not None:
        _hold(Path(asked["held_until"]))
    for name, value in (asked["seconds"] or {}).items():
        # Whoever imported the constant has a name of its own for it.
        named = [one for one in (lease, local_lease, attempt, carry_out) if hasattr(one, name)]
        assert named
        for module in named:
            setattr(module, name, value)
    code = outcome(asked["arguments"])
    sys.stdout.flush()
    sys.stderr.flush()
    return int(code)


def _hold(file: Path) -> None:
    """Let whoever has the lock wait until a file is there."""
    from reconciler.state.local_lease import LocalLease

    enter = LocalLease.__enter__

    def wait(self: LocalLease) -> LocalLease:
        entered = enter(self)
        while not file.exists():
            time.sleep(0.005)
        return entered

    LocalLease.__enter__ = wait  # type: ignore[method-assign]


def _serve() -> None:
    importlib.import_module("tests.e2e.everything")
    count = mmap.mmap(-1, _COUNT.size)
    for line in sys.stdin:
        asked = json.loads(line)
        if asked.get("here"):
            code = _here(asked)
            # What the run left here stays: no child has to touch it, which would copy its pages.
            gc.collect()
            gc.freeze()
            _tell(code)
            continue
        _COUNT.pack_into(count, 0, 0)
        assert threading.active_count() == 1
        child = os.fork()
        if child == 0:
            code = 70
            try:
                code = _child(asked, count)
            finally:
                os._exit(code)
        _tell(child)
        _, status = os.waitpid(child, 0)
        _tell([os.waitstatus_to_exitcode(status), *_COUNT.unpack_from(count)])


def _here(asked: dict[str, Any]) -> int:
    from reconciler.cli.main import outcome

    with (
        open(asked["out"], "w", encoding="utf-8") as out,
        open(asked["err"], "w", encoding="utf-8") as err,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        return int(outcome(asked["arguments"]))


def _tell(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _serve()
